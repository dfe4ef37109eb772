"""What a project reads of its upstreams: which of its nodes reads which columns of which public model, and where."""

import hashlib
from collections.abc import Collection
from typing import Final, Literal

import msgspec

from registry_tools.mesh.public_model import Value

# Of the sha256 of a node's unique_id: two of ten thousand nodes share so many digits once in six million projects.
_DIGITS: Final = 12


# Every column: what is said where nobody knows better.
EVERY: Final = ("*",)

# What becomes of a whole row that `*` reads: it leaves the node as it came (output), its columns are counted in their
# order (position), they have to be those of the node's own enforced contract (contract), or all of them make one value,
# a group or a distinct row (value).
Whole = Literal["contract", "output", "position", "value"]


class Read(Value, frozen=True, order=True):
    """One node of the reading project that depends on one public model of another project.

    `model` is the model's name; `version` is empty where the reader takes whichever is the latest. `columns` are those
    that the node names, sorted and spelled as the interface has them, with the `lines` on which each is named first;
    what `*` reads stands in `whole`. `taken` are the names to which the node's SQL gives another meaning: a new column
    of such a name would be ambiguous there, or be read instead.

    Where the SQL could not be read, `columns` is every column and `unread` says why. `path` is the node's file in its
    project and `line` where it refers to the model; a line is 0 and a path empty where that is not known.
    """

    upstream: str
    model: str
    version: str
    node: str
    via: Literal["ref", "source"]
    columns: tuple[str, ...] = EVERY
    lines: tuple[int, ...] = ()
    whole: tuple[Whole, ...] = ()
    taken: tuple[str, ...] = ()
    unread: str = ""
    path: str = ""
    line: int = 0

    @property
    def is_every(self) -> bool:
        """Whether it has to be taken for a reader of every column."""
        return self.columns == EVERY

    def line_of(self, column: str) -> int:
        """The line on which the node names the column; where it refers to the model, if that is all that is known."""
        return dict(zip(self.columns, self.lines, strict=False)).get(column) or self.line


class Passed(Value, frozen=True, order=True):
    """A column of an own public model (`into`, by its label) that is made of a column of an upstream's public model.

    With `whole` a `*` passes it on untouched, under its own name: it comes and goes with upstream's. Where the SQL
    could not be read, both columns are `*`.
    """

    upstream: str
    model: str
    version: str
    column: str
    into: str
    column_here: str
    whole: bool = False


class Usage(Value, frozen=True):
    """Everything one project reads of others, sorted; empty for a project that reads nobody."""

    project: str
    reads: tuple[Read, ...] = ()
    format: int = 1
    # upstream -> the publication of it that mesh.lock named when this was built, and the environment of that
    pins: dict[str, str] = msgspec.field(default_factory=dict)
    environments: dict[str, str] = msgspec.field(default_factory=dict)
    passes: tuple[Passed, ...] = ()
    # who to talk to, as mesh.yml has it: team, contact
    owner: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def upstreams(self) -> tuple[str, ...]:
        """The projects that are read, sorted, each once."""
        return tuple(sorted({read.upstream for read in self.reads}))

    def reads_from(self, project: str, environment: str) -> bool:
        """Whether the project that it reads is the one of this environment; if nobody wrote it down, it may be."""
        return self.environments.get(project, environment) == environment

    def published(self, public: Collection[str]) -> "Usage":
        """The usage of a project that keeps its private names at home: without its files, and with nodes that are not
        among `public` under the veil of a token.
        """
        reads = {
            msgspec.structs.replace(read, node=self.veiled(read.node, public), path="", line=0, lines=())
            for read in self.reads
        }
        return msgspec.structs.replace(self, reads=tuple(sorted(reads)))

    def veiled(self, node: str, public: Collection[str]) -> str:
        """`model.dbt_down.private-3f9a2c41e07b` for a node that is not public: always the same for the same node.

        Nobody reads a name out of it; who guesses the name can check the guess (docs/decisions/0005).
        """
        if node in public:
            return node
        kind = node.partition(".")[0]
        return f"{kind}.{self.project}.private-{hashlib.sha256(node.encode()).hexdigest()[:_DIGITS]}"
