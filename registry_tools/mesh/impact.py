"""A change as one consumer sees it: what it does to which of its nodes, at which line, and how that is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Effect = Literal["BROKEN", "UNKNOWN", "AFFECTED", "UNAFFECTED"]

# The worst first.
EFFECTS: Final[tuple[Effect, ...]] = ("BROKEN", "UNKNOWN", "AFFECTED", "UNAFFECTED")

# How an effect is known; an id is for ever: reports for programs name it.
REASONS: Final[Mapping[str, str]] = {
    "reads-model": "it reads the model, and none answers to that name any more",
    "reads-column": "it names the column",
    "takes-name": "the new column's name means something else in its SQL: ambiguous, or read instead",
    "by-position": "its SQL counts the model's columns in their order",
    "own-contract": "`*` leads the model's columns into a contract of its own",
    "whole-row": "`*` passes on or compares the model's whole rows",
    "unread": "its SQL could not be read, so that it may use every column",
    "not-recorded": "it was published without saying which columns it reads",
    "not-compiled": "its SQL does not compile against the new interface",
    "pinned": "it pins a publication from which the way to the new interface is longer",
    "through": "it reads a public model that another consumer builds from this",
    "uses-model": "it reads the model, whose rows may be others, or which keeps fewer promises",
    "reads-relation": "it reads the table or view under the name that it had",
    "no-consumer": "it is not, or no longer, among the model's consumers",
}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Reason:
    """One node that a change reaches, and why. A path is relative to the consumer's project; see mesh.usage.Read.

    `through` are the columns, `project.model.column`, by which the change came here; the first is the nearest to it.
    """

    effect: Effect
    rule: str
    node: str
    model: str
    column: str | None = None
    path: str = ""
    line: int = 0
    through: tuple[str, ...] = ()
    told: str = ""

    @property
    def name(self) -> str:
        """The node as people know it: `downstream_orders`, `public_products.v1`; of a test, without dbt's hash and of a
        unit test without the model that it is about.
        """
        kind, _, rest = self.node.partition(".")
        name = rest.partition(".")[2] or self.node
        if kind == "test":
            return name.partition(".")[0]
        return name.rpartition(".")[2] if kind == "unit_test" else name

    @property
    def place(self) -> str:
        """`models/marts/a.sql:12`; empty where nothing is known of it."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path


@dataclass(frozen=True, kw_only=True, slots=True)
class Impact:
    """What a change does to one consumer as it stands in one environment: the worst of its reasons.

    `owner` says whom to talk to (team, contact), as far as anybody wrote that down.
    """

    consumer: str
    environment: str
    effect: Effect
    reasons: tuple[Reason, ...] = ()
    owner: Mapping[str, str] = field(default_factory=dict)
