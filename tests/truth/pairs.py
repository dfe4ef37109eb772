"""Seeds in, pairs of a consumer's query and a change of what it reads out, with what was said and what was true."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal

from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import QueryReading, Tables
from registry_tools.mesh.impact import EFFECTS, Effect
from tests.truth.changes import Change, draw_change
from tests.truth.corpus import shapes
from tests.truth.effects import effect_of, interface_of, unknown_usage, usage_of
from tests.truth.engine import Answer, Engine, Table
from tests.truth.grammar import Drawn, Grammar
from tests.truth.interfaces import draw_tables

# What becomes of the query on the engine.
Truth = Literal["fails", "differs", "same"]
# Whether what was said holds: somebody would be hurt unwarned; an error was called a matter of values; nobody is hurt.
Fault = Literal["false negative", "underrated", "false alarm"]

CHANGES: Final = 5  # of each query

# What stands in the place of read_query where a reader with a fault is to be found out.
Reading = Callable[[str, str, Tables], QueryReading]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A query and a change, what the product says that the change does to it, and what it does."""

    seed: int
    tables: tuple[Table, ...]
    query: Drawn
    change: Change
    said: Effect
    truth: Truth
    told: str
    reader: Reading = read_query

    @property
    def fault(self) -> Fault | None:
        """What is wrong with what was said, if anything."""
        if self.said == "UNAFFECTED" and self.truth != "same":
            return "false negative"
        if self.said == "AFFECTED" and self.truth == "fails":
            return "underrated"
        if self.said == "BROKEN" and self.truth == "same":
            return "false alarm"
        return None

    def lines(self) -> Iterator[str]:
        """Everything with which somebody can see it for himself, in any DuckDB."""
        yield f"-- seed {self.seed}: {self.fault or 'sound'}: said {self.said}; the engine: {self.truth} {self.told}"
        yield f"-- {self.change}"
        for table in self.tables:
            yield from (f"{statement};" for statement in table.statements)
        yield f"{self.query.engine_sql};"
        if self.change.new is None:
            yield f"drop table {self.change.old.name};"
        else:
            yield from (f"{statement};" for statement in self.change.new.statements)
        yield f"{self.query.engine_sql};"
        yield f"-- as it was read: {self.query.sql}"


@dataclass(slots=True)
class Tally:
    """What many pairs came to: by what was said and true, and the faults by change and by construct."""

    counts: Counter[str] = field(default_factory=Counter)
    said: Counter[tuple[Effect, Truth]] = field(default_factory=Counter)
    by_change: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_construct: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[Pair] = field(default_factory=list)

    def count(self, pair: Pair) -> None:
        """One more."""
        kind = pair.fault or "sound"
        self.counts["pairs"] += 1
        self.counts[kind] += 1
        self.said[pair.said, pair.truth] += 1
        self.by_change[pair.change.kind, kind] += 1
        self.by_construct.update((construct, kind) for construct in pair.query.constructs)
        if pair.fault:
            self.faults.append(pair)

    def add(self, other: "Tally") -> None:
        """Count these too."""
        self.counts += other.counts
        self.said += other.said
        self.by_change += other.by_change
        self.by_construct += other.by_construct
        self.faults += other.faults

    @property
    def missed(self) -> list[Pair]:
        """The grave faults, the shortest queries first."""
        grave = (pair for pair in self.faults if pair.fault != "false alarm")
        return sorted(grave, key=lambda pair: len(pair.query.text))

    def share(self, what: str) -> float:
        """Of a hundred pairs."""
        return 100 * self.counts[what] / max(1, self.counts["pairs"])

    def lines(self) -> Iterator[str]:
        """The tables."""
        yield f"{self.counts['pairs']:,} pairs of {self.counts['queries']:,} queries; {self.counts['unread']:,} unread"
        yield from _table("said", [(say, dict.fromkeys(("same", "differs", "fails"), 0)) for say in EFFECTS], self.said)
        for name, counter in (("by change", self.by_change), ("by construct", self.by_construct)):
            rows = sorted({row for row, _ in counter})
            columns = ("sound", "false negative", "underrated", "false alarm")
            yield from _table(name, [(row, dict.fromkeys(columns, 0)) for row in rows], counter)


def _table(name: str, rows: list[tuple[str, dict[str, int]]], counter: Mapping[Any, int]) -> Iterator[str]:
    yield ""
    yield f"{name:26}" + "".join(f"{column:>16}" for column in rows[0][1]) if rows else name
    for row, columns in rows:
        yield f"{row:26}" + "".join(f"{counter.get((row, column), 0):>16,}" for column in columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A query that runs over its tables, and what it gives there."""

    seed: int
    tables: tuple[Table, ...]
    query: Drawn
    before: Answer
    reader: Reading = read_query

    @property
    def adapter(self) -> str:
        """As whose SQL the query is read: Snowflake's, and now and then the engine's own."""
        return "duckdb" if self.seed % 4 == 3 else "snowflake"

    def read(self, tables: Iterable[Table]) -> QueryReading:
        """What the query reads of these tables."""
        if self.adapter == "duckdb":
            return self.reader(self.query.engine_sql, "duckdb", shapes(tables, str))
        return self.reader(self.query.sql, "snowflake", shapes(tables))


def run(seeds: Iterable[int], reader: Reading = read_query) -> Tally:
    """The pairs of these seeds: of each a query, and some changes of what it reads."""
    tally = Tally()
    with Engine() as engine:
        for case, changes in cases(engine, seeds, tally.counts, reader):
            for pair in judged(engine, case, changes, tally.counts):
                tally.count(pair)
    return tally


def cases(
    engine: Engine, seeds: Iterable[int], counts: Counter[str], reader: Reading = read_query
) -> Iterator[tuple[Case, list[Change]]]:
    """Of each seed the query and the changes, while the engine has its tables; none if it does not take the query."""
    for seed in seeds:
        chance = Random(seed)  # noqa: S311  # the same pairs every time
        tables = draw_tables(chance)
        query = Grammar(tables, chance).draw()
        changes = [draw_change(chance, tables, query.engine_sql) for _ in range(CHANGES)]
        engine.keep(tables)
        before = as_built(engine.runs(query.engine_sql))
        counts["drawn"] += 1
        if not before.refused:
            counts["queries"] += 1
            yield Case(seed=seed, tables=tables, query=query, before=before, reader=reader), changes


def judged(engine: Engine, case: Case, changes: Iterable[Change], counts: Counter[str]) -> Iterator[Pair]:
    """The pairs of one query, whose tables the engine has."""
    reading = case.read(case.tables)
    if reading.unread:
        counts["unread"] += 1
    usage = unknown_usage(case.tables) if reading.unread else usage_of(reading)
    old = interface_of(case.tables, case.adapter)
    for change in changes:
        truth, told = truth_of(engine, case, change)
        yield Pair(
            seed=case.seed,
            tables=case.tables,
            query=case.query,
            change=change,
            said=effect_of(change, old, case.tables, usage),
            truth=truth,
            told=told,
            reader=case.reader,
        )


def truth_of(engine: Engine, case: Case, change: Change) -> tuple[Truth, str]:
    """What becomes of the query after the change, and how that shows."""
    with engine.gone(change.old.name) if change.new is None else engine.instead(change.new):
        after = as_built(engine.runs(case.query.engine_sql))
    if after.refused:
        return "fails", after.refused
    before = case.before
    of_type = change.kind in ("type widened", "type narrowed")  # those may change what stands in the columns alone
    before_and_after = [[(name, "" if of_type else kind) for name, kind in each.columns] for each in (before, after)]
    if before_and_after[0] != before_and_after[1] or after.rows != before.rows:
        return "differs", f"{before.columns} {before.rows} -> {after.columns} {after.rows}"
    return "same", ""


def as_built(answer: Answer) -> Answer:
    """The answer when a table is built of the query: two columns of one name are more than a table can have."""
    names = [name.lower() for name, _ in answer.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    return Answer(refused=f"two columns {twice}") if twice else answer
