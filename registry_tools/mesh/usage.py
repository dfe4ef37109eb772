"""What a project reads of its upstreams: which of its nodes reads which public model, and by which way."""

import hashlib
from collections.abc import Collection
from typing import Final, Literal

import msgspec

from registry_tools.mesh.public_model import Value

# Of the sha256 of a node's unique_id: two of ten thousand nodes share so many digits once in six million projects.
_DIGITS: Final = 12


# Every column: what is said where nobody knows better.
EVERY: Final = ("*",)


class Read(Value, frozen=True, order=True):
    """One node of the reading project that depends on one public model of another project.

    `model` is the model's name; `version` is empty where the reader takes whichever is the latest. `columns` are those
    that the node can be shown to read alone, sorted.
    """

    upstream: str
    model: str
    version: str
    node: str
    via: Literal["ref", "source"]
    columns: tuple[str, ...] = EVERY


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

    def published(self, public: Collection[str]) -> "Usage":
        """The usage as other projects may read it: nodes that are not among `public` under the veil of a token."""
        reads = {msgspec.structs.replace(read, node=self.veiled(read.node, public)) for read in self.reads}
        return msgspec.structs.replace(self, reads=tuple(sorted(reads)))

    def veiled(self, node: str, public: Collection[str]) -> str:
        """`model.dbt_down.private-3f9a2c41e07b` for a node that is not public: always the same for the same node.

        Nobody reads a name out of it; who guesses the name can check the guess (docs/decisions/0005).
        """
        if node in public:
            return node
        kind = node.partition(".")[0]
        return f"{kind}.{self.project}.private-{hashlib.sha256(node.encode()).hexdigest()[:_DIGITS]}"
