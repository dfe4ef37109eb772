"""Where a project uses the public models of others, by what name, and what is found to be wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from registry_tools.mesh.departure import Wanted

Level = Literal["error", "warning", "note"]

# An id is for ever: people's scripts and annotations name it.
RULES: Final[Mapping[str, str]] = {
    "model-left": "the model was public and is not any more",
    "version-left": "the version was public and is not any more, and others are",
    "model-deprecated": "the model leaves on a day; an error once that day is over",
    "not-a-consumer": "the model's owner does not list this project, or the group that reads it, among its consumers",
    "private-model": "the upstream has such a model and keeps it to one group",
    "protected-model": "the upstream has such a model and keeps it to itself",
    "private-group": "a model of one group of this project reads a private model of another",
    "unknown-model": "the upstream never had a public model of this name, as far as is known",
    "left-out": "the model is public, and mesh.yml leaves it out here",
    "upgrade-breaks": "what the upstream publishes now breaks a node of this project that reads what is pinned",
    "upgrade-changes": "what the upstream publishes now may change the results of a node that reads what is pinned",
    "upgrade-unknown": "whether what the upstream publishes now breaks a node is not known: its SQL could not be read",
    "dynamic-reference": "what is read is computed when dbt runs and cannot be checked",
}


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Place:
    """A file of the project, relative to its folder; the line is 0 where only the file is known."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One name that is used, and where. `upstream` is None where a model's name stands alone; `wanted` is None where
    it is computed.
    """

    upstream: str | None
    way: Literal["ref", "source"]
    wanted: Wanted | None
    places: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A node of the consuming project: what it reads, and the group that it belongs to."""

    id: str
    path: str
    group: str | None
    access: str | None
    parents: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What is wrong with a use, or may be: the rule, what is said of it, where it stands, and what to do.

    `model` is the name as it is used; `then` is empty where what is said says it.
    """

    rule: str
    level: Level
    what: str
    places: tuple[Place, ...]
    upstream: str | None = None
    model: str | None = None
    then: str = ""
