"""What a project reads of its upstreams: which of its nodes reads which public model, and by which way."""

from typing import Literal

import msgspec

from registry_tools.mesh.interface import Value


class Read(Value, frozen=True, order=True):
    """One node of the reading project that depends on one public model of another project.

    `model` is the model's name; `version` is empty where the reader takes whichever is the latest.
    """

    upstream: str
    model: str
    version: str
    node: str
    via: Literal["ref", "source"]


class Usage(Value, frozen=True):
    """Everything one project reads of others, sorted; empty for a project that reads nobody."""

    project: str
    reads: tuple[Read, ...] = ()
    format: int = 1
    # upstream -> the publication of it that mesh.lock named when this was built
    pins: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The projects that are read, sorted, each once."""
        return tuple(sorted({read.upstream for read in self.reads}))
