"""A query in, what it uses of its tables out, found by taking columns away for real and giving new ones.

Nothing here knows SQL: whether a column is used is what the engine says when the column is not there.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from registry_tools.intake.sql.reading import QueryReading, TableReading
from tests.truth.cells import filled
from tests.truth.corpus import Query, stored
from tests.truth.engine import Answer, Engine, Table

# What becomes of the query: it fails; it gives other columns; it gives the same columns with other rows; it has another
# plan, and the same rows, which says nothing; nothing at all.
Fate = Literal["fails", "outputs", "values", "undecided", "same"]

# What these words mean in a query, they mean whatever columns there are.
_SAME: Final[tuple[Fate, str]] = ("same", "")
_RESERVED: Final = re.compile(r"current_\w+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What becomes of a query when a table loses (`-`) or gains (`+`) a column."""

    sign: Literal["-", "+"]
    table: str
    column: str
    fate: Fate
    told: str = ""


def observe(engine: Engine, query: Query, idle: Mapping[str, Collection[str]] | None = None) -> Iterator[Observation]:
    """Every column of every table of the query, taken away.

    `idle` are columns that are thought to be of no use: those of a table are taken away together first, and one by one
    only when the engine notices. Raises ValueError for a query that the engine does not take as it stands.
    """
    before = _before(engine, query)
    for table in query.tables:
        together = [name for name in table.names if name in (idle or {}).get(table.name, ())]
        if (
            len(together) in (0, len(table.columns))
            or _fate(engine, query, before, _without(table, together))[0] != "same"
        ):
            together = []
        for name in table.names:
            fate, told = _SAME if name in together else _fate(engine, query, before, _without(table, [name]))
            yield Observation(sign="-", table=table.name, column=name, fate=fate, told=told)


def observe_added(engine: Engine, query: Query, names: Collection[str]) -> Iterator[Observation]:
    """A column of each of these names, given to every table of the query that has none of that name."""
    before = _before(engine, query)
    for table in query.tables:
        for name in sorted({*names} - {*map(str.lower, table.names)}):
            if _RESERVED.fullmatch(name):
                continue
            fate, told = _fate(engine, query, before, table.plus(filled(name, "INTEGER", len(table.columns))))
            yield Observation(sign="+", table=table.name, column=name, fate=fate, told=told)


def _before(engine: Engine, query: Query) -> Answer:
    engine.keep(query.tables)
    before = engine.shows(query.engine_sql)
    if before.refused:
        raise ValueError(f"{query.name}: {before.refused}")
    return before


def _without(table: Table, names: Collection[str]) -> Table:
    """A table without these; one that has no others keeps a column that nobody can name."""
    left = tuple(column for column in table.columns if column.name not in names)
    return Table(name=table.name, columns=left or (filled("nobody names this", "INTEGER", 0),))


def _fate(engine: Engine, query: Query, before: Answer, changed: Table) -> tuple[Fate, str]:
    with engine.instead(changed):
        after = engine.shows(query.engine_sql)
    if after.refused:
        return "fails", after.refused
    if after.columns != before.columns:
        return "outputs", f"{before.columns} -> {after.columns}"
    if after.rows != before.rows:
        return "values", f"{before.rows} -> {after.rows}"
    return ("same" if after.plan == before.plan else "undecided"), ""


# -- what was read against what was seen ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """A column of which the engine and the reader say different things. `missed` is the grave one: somebody would be
    hurt who was told that nothing happens.
    """

    query: Query
    seen: Observation
    read: TableReading
    missed: bool

    def __str__(self) -> str:
        seen = self.seen
        said = f"columns {sorted(self.read.columns)}, whole {sorted(self.read.whole)}, taken {sorted(self.read.taken)}"
        return (
            f"{'MISSED' if self.missed else 'needless'}: {self.query.name}: {seen.sign}{seen.table}.{seen.column}"
            f" {seen.fate} {seen.told}\n  read: {said}\n  {self.query.sql}"
        )


def compare(query: Query, reading: QueryReading, seen: Observation) -> Disagreement | None:
    """Where the reading of a query says less or more of a column than what was seen."""
    read = reading.tables.get(seen.table, TableReading())
    named = stored(seen.column) in (read.columns if seen.sign == "-" else read.taken)
    expected = _OF_NAMED if named else _expected_of_others(read)
    if seen.fate in expected or seen.fate == "undecided":
        return None
    return Disagreement(
        query=query, seen=seen, read=read, missed=_GRAVITY[seen.fate] > max(_GRAVITY[each] for each in expected)
    )


# A column that is named, when it goes, or a name with another meaning, when it comes: the query fails, or finds
# something else under the name.
_OF_NAMED: Final[frozenset[Fate]] = frozenset({"fails", "outputs", "values"})
_GRAVITY: Final[Mapping[str, int]] = {"same": 0, "values": 1, "outputs": 2, "fails": 3}


def _expected_of_others(read: TableReading) -> frozenset[Fate]:
    """A column that only `*` reads, or nobody."""
    if "position" in read.whole or "contract" in read.whole:
        return frozenset({"fails", "outputs", "values"})
    if "output" in read.whole:
        return frozenset({"outputs", "values"} if "value" in read.whole else {"outputs"})
    return frozenset({"values"} if "value" in read.whole else {"same"})
