"""What is told of a project to people who did not ask: what was published, refused, taken back, or is about to leave.

A notice holds facts of interfaces and who published: no SQL, no files, no rows, no private model.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from registry_tools.mesh.impact import Effect
from registry_tools.mesh.publication import Actor
from registry_tools.mesh.verdict import CLASSES, Class, Outcome

Event = Literal["publication", "rollback", "yank", "refusal", "deprecation"]
EVENTS: Final[tuple[Event, ...]] = ("publication", "rollback", "yank", "refusal", "deprecation")

_DIGITS: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One change, as it is told: its rule, its object, its class, what stood there and what stands there.

    `outcome` is what a check said of it; None where nobody was asked.
    """

    rule: str
    object: str
    kind: Class
    before: str | None = None
    after: str | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """A public model, the day after which it may be gone, and what to read instead, where that is known."""

    model: str
    day: str
    instead: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Concerned:
    """A consumer as it stands in one environment: the worst that the changes do to it, None where they do nothing, and
    which of the models that leave it reads.
    """

    consumer: str
    environment: str
    effect: Effect | None = None
    owner: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.consumer}@{self.environment}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One event in one environment of a project.

    `id` is the same whenever the same event is told. `was` and `now` are the names of the two interfaces
    (`dbt_up@prod#41`); `was` is None before the first publication. `publication` is the one that the event is about.
    `changes` lead from `was` to `now`, BREAKING first; None where `was` is no longer kept, so that nobody knows. `days`
    is how far ahead `leaving` looks.
    """

    id: str
    event: Event
    project: str
    environment: str
    time: str
    now: str
    was: str | None = None
    publication: str | None = None
    actor: Actor = field(default_factory=Actor)
    reason: str | None = None
    changes: tuple[Difference, ...] | None = ()
    leaving: tuple[Leaving, ...] = ()
    concerned: tuple[Concerned, ...] = ()
    days: int = 0

    @property
    def counts(self) -> dict[Class, int]:
        """The changes by their class, each class with its number."""
        kinds = [change.kind for change in self.changes or ()]
        return {kind: kinds.count(kind) for kind in CLASSES}

    @property
    def refused(self) -> int:
        """How many of the changes stopped the publication."""
        return sum(change.outcome in ("refused", "unknown") for change in self.changes or ())


def notice_id(event: Event, facts: Sequence[str]) -> str:
    """The id of the event that these facts tell from every other one of its kind."""
    said = json.dumps([event, *facts], ensure_ascii=True)
    return f"mesh_{hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]}"
