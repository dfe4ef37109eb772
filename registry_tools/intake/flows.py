"""What a node's SQL reads in, what the node gives on of other projects' columns out: by name, by `*`, or unknown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from registry_tools.intake.sql.reading import Origin, QueryReading
from registry_tools.intake.targets import Target

# A column of another project's public model, as the warehouse stores its name.
Foreign = tuple[Target, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """One column that a node gives: what it is made of, and what `*` alone has passed on to here, from table to
    table, under its own name.
    """

    origins: frozenset[Foreign] = frozenset()
    passed: frozenset[Foreign] = frozenset()


_NO_COLUMN: Final = Given()


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """What a node gives on. `whole` are the models whose rows `*` leads into its own, so that a new column of theirs
    is one of its own; not all columns are known of those in `loose`. Of a node that could not be read, `blind` are
    the models that may be in it in any way.
    """

    columns: Mapping[str, Given] = field(default_factory=dict)
    whole: frozenset[Target] = frozenset()
    loose: frozenset[Target] = frozenset()
    blind: frozenset[Target] = frozenset()

    def of(self, column: str) -> Given:
        """One of its columns. What is not among those that are known came out of a `*`."""
        if column in self.columns or not self.loose:
            return self.columns.get(column, _NO_COLUMN)
        came = frozenset((target, column) for target in self.loose)
        return Given(origins=came, passed=came)

    @property
    def passed_whole(self) -> frozenset[Target]:
        """The models of which `*` passes on anything at all."""
        return self.whole | {target for given in self.columns.values() for target, _ in given.passed}

    @property
    def targets(self) -> frozenset[Target]:
        """Every model of which anything is in it."""
        made = {target for given in self.columns.values() for target, _ in given.origins}
        return self.passed_whole | self.blind | made


NOTHING: Final = Flow()


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What the tables of a reading are: `meant` says which models of other projects one is, `flow` what an own one
    gives on, and `is_complete` whether all columns of a model are known.
    """

    meant: Callable[[str], Iterable[Target]]
    flow: Callable[[str], Flow]
    is_complete: Callable[[Target], bool]
    _targets: dict[str, tuple[Target, ...]] = field(default_factory=dict)

    def targets(self, table: str) -> tuple[Target, ...]:
        """The models of other projects that a table is; none of an own one."""
        if table not in self._targets:
            self._targets[table] = tuple(self.meant(table))
        return self._targets[table]

    def _traced(self, origin: Origin) -> Given:
        """What a column of a table is made of, over there."""
        if targets := self.targets(origin.table):
            foreign = frozenset((target, origin.column) for target in targets)
            return Given(origins=foreign, passed=foreign)
        return self.flow(origin.table).of(origin.column)

    def flow_of(self, reading: QueryReading, *, held: bool) -> Flow:
        """What a query gives on. A contract that holds its columns lets no new one through."""
        columns: dict[str, Given] = {}
        blind: set[Target] = set()
        for output in reading.outputs:
            origins: set[Foreign] = set()
            for origin in output.origins:
                origins |= self._traced(origin).origins
                blind |= self.flow(origin.table).blind
            passed = self._traced(output.passed).passed if output.passed else frozenset()
            columns[output.name] = Given(origins=frozenset(origins) | passed, passed=passed)
        if held:
            return Flow(columns=columns, blind=frozenset(blind))
        whole = {
            target for table, read in reading.tables.items() if "output" in read.whole for target in self.rows(table)
        }
        for table in reading.open:
            blind |= self.flow(table).blind
        loose = {target for table in reading.open for target in self._loose(table)}
        return Flow(columns=columns, whole=frozenset(whole), loose=frozenset(loose), blind=frozenset(blind))

    def rows(self, table: str) -> frozenset[Target]:
        """The models whose whole rows a table holds, maybe beside others."""
        return frozenset(self.targets(table)) | self.flow(table).whole

    def _loose(self, table: str) -> frozenset[Target]:
        unknown = (target for target in self.targets(table) if not self.is_complete(target))
        return frozenset(unknown) | self.flow(table).loose
