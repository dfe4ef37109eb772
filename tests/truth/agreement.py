"""The corpora in, how far the reader and the engine agree on each out: query by query, column by column."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import QueryReading, TableReading
from tests.truth.corpus import Query, demo_queries, own_queries, stored, tpc_queries
from tests.truth.engine import Engine
from tests.truth.oracle import compare, observe, observe_added

CORPORA: Final[Mapping[str, Callable[[], tuple[Query, ...]]]] = {
    "the demo's projects": demo_queries,
    "TPC-H": partial(tpc_queries, "tpch"),
    "TPC-DS": partial(tpc_queries, "tpcds"),
    "our own": own_queries,
}


@dataclass(slots=True)
class Agreement:
    """What came of one corpus: queries, columns taken away or given, those of which both say the same, and the rest."""

    name: str
    queries: int = 0
    unread: list[str] = field(default_factory=list)
    columns: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def row(self) -> str:
        """The line of the table."""
        agreed = 100 * (self.columns - len(self.faults)) / max(1, self.columns)
        unread = 100 * len(self.unread) / max(1, self.queries)
        shares = f"{agreed:.2f} % | {unread:.1f} %"
        return f"| {self.name} | {self.queries} | {self.columns:,} | {shares} | {self.seconds:.0f} |"


def agreements() -> Iterator[Agreement]:
    """That of every corpus."""
    return map(agreement, CORPORA)


def agreement(name: str) -> Agreement:
    """That of one of CORPORA."""
    found, begun = Agreement(name=name), time.monotonic()
    with Engine() as engine:
        for query in CORPORA[name]():
            found.queries += 1
            reading = read_query(query.sql, query.adapter, query.resolve())
            if reading.unread:
                found.unread.append(f"{query.name}: {reading.unread}")
            elif query.by_hand:
                found.columns += len(query.by_hand.columns)
                found.faults += _by_hand(query, reading)
            else:
                _on_the_engine(engine, query, reading, found)
    found.seconds = time.monotonic() - begun
    return found


def _on_the_engine(engine: Engine, query: Query, reading: QueryReading, found: Agreement) -> None:
    """A name of a new column is any word of the query, and one that nobody has thought of."""
    idle = {
        table.name: [n for n in table.names if stored(n) not in reading.tables.get(table.name, TableReading()).columns]
        for table in query.tables
    }
    for seen in (*observe(engine, query, idle), *observe_added(engine, query, query.words)):
        found.columns += 1
        fault = compare(query, reading, seen)
        excused = not query.excused.isdisjoint(f"{seen.sign}{seen.table}.{name}" for name in (seen.column, "*"))
        if fault and (fault.missed or not excused):
            found.faults.append(str(fault))


def _by_hand(query: Query, reading: QueryReading) -> Iterator[str]:
    assert query.by_hand is not None
    read = {f"{table}.{column}".lower() for table, of in reading.tables.items() for column in of.columns}
    whole = {f"{table}.{whole}" for table, of in reading.tables.items() for whole in of.whole}
    if read != query.by_hand.columns or whole != query.by_hand.whole:
        yield f"{query.name}: read {sorted(read)} {sorted(whole)}\n  {query.sql}"
