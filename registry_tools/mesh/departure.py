"""A public model as a consumer names it, and what became of one that is not there any more: when, by whom, instead."""

from dataclasses import dataclass
from typing import Literal

from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.publication import Actor, Operation


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A model by the name that stands in a file: `ref('dbt_up', 'products', v=1)` names the model and its version,
    `source('dbt_up', 'products_v1')` a table. `version` is None where whichever is the latest is meant.
    """

    way: Literal["ref", "source"]
    model: str
    version: str | None = None

    @property
    def label(self) -> str:
        """The name in a message."""
        return self.model if self.version is None else f"{self.model}.v{self.version}"

    def find(self, interface: Interface) -> PublicModel | None:
        """The model that is meant, if it is public; of several versions the latest one where none is named."""
        as_source = self.way == "source"
        return next((m for m in interface.models if m.answers(self.model, self.version, as_source=as_source)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Departure:
    """What the log tells of a model that is missed.

    `model` is how it was when it was last public; None where nothing that is kept has it, and older publications are
    not kept. `record` is the number of the record with which it left, None where the publications about that time are
    not kept; then `time` is the first moment at which it is known to have been gone. `instead` is what to read now.
    """

    project: str
    environment: str
    time: str
    actor: Actor
    model: PublicModel | None = None
    record: int | None = None
    op: Operation = "publish"
    instead: str | None = None

    def __str__(self) -> str:
        day = self.time[:10]
        if self.model is None:
            return f"is not public; if it ever was, it left before {day}"
        if self.record is None:
            return f"left before {day}"
        with_what = {"rollback": "the rollback ", "yank": "the yank "}.get(self.op, "")
        return f"left on {day} with {with_what}{self.project}@{self.environment}#{self.record} ({self.actor})"
