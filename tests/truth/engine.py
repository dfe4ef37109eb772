"""Tables and a query in, what a real engine makes of them out: columns, rows and plan, or why it refuses.

DuckDB stands in for the warehouse. It shares nothing with the reader of SQL that is put to the test.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import duckdb

# Of all passes over the plan, the one that leaves out what nobody needs; the others only hide what it does.
_KEPT_PASSES: Final = frozenset({"unused_columns", "cte_inlining", "column_lifetime"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column: its name and type as DuckDB writes them, and what stands in it, row by row, as SQL literals."""

    name: str
    type: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table with its columns in their order, and as many rows as the columns have cells."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @property
    def statements(self) -> Iterator[str]:
        """What makes it."""
        columns = ", ".join(f'"{column.name}" {column.type}' for column in self.columns)
        yield f'create or replace table "{self.name}" ({columns})'
        rows = list(zip(*(column.cells for column in self.columns), strict=True))
        if rows:
            yield f'insert into "{self.name}" values ' + ", ".join(f"({', '.join(row)})" for row in rows)

    def without(self, column: str) -> "Table":
        """The same after a column left."""
        return Table(name=self.name, columns=tuple(one for one in self.columns if one.name != column))

    def plus(self, column: Column, at: int | None = None) -> "Table":
        """The same with one more column, the last where nothing else is said."""
        place = len(self.columns) if at is None else at
        return Table(name=self.name, columns=(*self.columns[:place], column, *self.columns[place:]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the engine says to a query: what it refuses it for, or the names and types of the result's columns with
    the result's rows, sorted, and the plan, as far as they were asked for.
    """

    refused: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()
    plan: str = ""


class Engine:
    """One DuckDB in memory."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        self._kept: dict[str, Table] = {}
        passes = (name for (name,) in self._all("select name from duckdb_optimizers()"))
        skipped = ",".join(name for name in passes if name not in _KEPT_PASSES)
        self._connection.execute(f"set disabled_optimizers = '{skipped}'")
        self._connection.execute("set explain_output = 'optimized_only'")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def keep(self, tables: Iterable[Table]) -> None:
        """Have these tables, and no others; those that are there already stay as they are."""
        wanted = {table.name: table for table in tables}
        for name in [name for name in self._kept if name not in wanted]:
            self._connection.execute(f'drop table "{name}"')
            del self._kept[name]
        for name, table in wanted.items():
            if self._kept.get(name) != table:
                self._make(table)
                self._kept[name] = table

    @contextmanager
    def instead(self, *tables: Table) -> Iterator[None]:
        """These in the place of those of their names, for a while."""
        self._connection.execute("begin")
        try:
            for table in tables:
                self._make(table)
            yield
        finally:
            self._connection.execute("rollback")

    @contextmanager
    def gone(self, table: str) -> Iterator[None]:
        """No table of that name, for a while."""
        self._connection.execute("begin")
        try:
            self._connection.execute(f'drop table "{table}"')
            yield
        finally:
            self._connection.execute("rollback")

    def _make(self, table: Table) -> None:
        for statement in table.statements:
            self._connection.execute(statement)

    def binds(self, sql: str) -> Answer:
        """The columns of the result, without running the query."""
        try:
            relation = self._connection.sql(sql)
            return Answer(columns=tuple(zip(relation.columns, map(str, relation.types), strict=True)))
        except duckdb.Error as error:
            return Answer(refused=_first_line(error))

    def shows(self, sql: str) -> Answer:
        """All three: the columns of the result, its rows, and the plan without what nobody needs."""
        answer = self.binds(sql)
        if answer.refused:
            return answer
        try:
            plan = json.loads(self._all(f"explain (format json) {sql}")[0][1])
        except duckdb.Error as error:
            return Answer(refused=_first_line(error))
        ran = self.runs(sql)
        return Answer(columns=answer.columns, rows=ran.rows or (ran.refused,), plan=json.dumps(plan, sort_keys=True))

    def runs(self, sql: str) -> Answer:
        """The columns of the result and its rows, in no order of theirs."""
        if not sql.strip():
            return Answer(refused="no query")
        try:
            cursor = self._connection.execute(sql)
            columns = tuple((name, str(type_)) for name, type_, *_ in cursor.description or ())
            return Answer(columns=columns, rows=tuple(sorted(map(repr, cursor.fetchall()))))
        except duckdb.Error as error:
            return Answer(refused=_first_line(error))

    def described(self, sql: str) -> tuple[Column, ...]:
        """The columns that a query gives. Raises duckdb.Error for one that does not bind."""
        relation = self._connection.sql(sql)
        return tuple(Column(name=n, type=str(t)) for n, t in zip(relation.columns, relation.types, strict=True))

    def created(self, statements: str) -> tuple[Table, ...]:
        """The tables that a script of `create table` makes, without keeping them."""
        with self.instead():
            self._connection.execute(statements)
            rows = self._all(
                "select table_name, column_name, data_type from duckdb_columns() order by table_oid, column_index"
            )
        names = dict.fromkeys(table for table, _, _ in rows)
        return tuple(
            Table(name=name, columns=tuple(Column(name=c, type=t) for table, c, t in rows if table == name))
            for name in names
        )

    def _all(self, sql: str) -> Sequence[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()


def _first_line(error: duckdb.Error) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
