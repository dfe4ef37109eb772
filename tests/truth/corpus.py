"""Folders of SQL in, queries over known tables out: our own, those of the demo's projects, TPC-H and TPC-DS.

A query stands in two tongues: the warehouse's, which is read, and the engine's, which is run.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

import jinja2
import sqlglot

from registry_tools.intake.sql.reading import Shape, Tables
from tests.running import REPOSITORY
from tests.truth.cells import filled_table
from tests.truth.engine import Column, Engine, Table

CORPORA: Final = Path(__file__).with_name("corpora")
TPC_PYTHON: Final = REPOSITORY / ".engines" / "tpc" / "bin" / "python"
_NAME: Final = re.compile(r"^-- name: (.*)$", re.MULTILINE)
_ENGINE: Final = re.compile(r"^-- engine:\n", re.MULTILINE)
_BY_HAND: Final = re.compile(r"^-- (reads|whole|excused): (.*)$", re.MULTILINE)
_KEYWORD: Final = re.compile(
    "select|from|where|and|or|not|null|is|in|as|on|inner|left|join|using|group|order|by|having|union|all|case|when|then"
    "|else|end|cast|with|exists|between|over|partition|desc|asc|distinct|limit|interval|decimal|integer|varchar|date"
    "|timestamp|sum|count|max|min|coalesce|row_number|rank"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ByHand:
    """What a query reads that no engine here can run, as a person found it: table.column, and table.whole."""

    columns: frozenset[str]
    whole: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A query: `sql` as the warehouse gets it, `engine_sql` for the engine (empty where `by_hand` stands instead)."""

    name: str
    sql: str
    engine_sql: str
    tables: tuple[Table, ...]
    adapter: str = "snowflake"
    by_hand: ByHand | None = None
    # -table.column and +table.column, or all of a table (-table.*), of which too much may be said; the file says why
    excused: frozenset[str] = frozenset()

    @property
    def words(self) -> frozenset[str]:
        """What a new column might be called: a dozen of the query's own names, and one that it does not have."""
        words = set(re.findall(r"[a-z_]\w*", re.sub(r"'[^']*'", "", self.engine_sql.lower())))
        spoken = [word for word in sorted(words) if not _KEYWORD.fullmatch(word)]
        return frozenset((*spoken[:: len(spoken) // 12 + 1], "brand_new"))

    def resolve(self) -> Tables:
        """Its tables as the reader asks for them."""
        return shapes(self.tables)


def stored(name: str) -> str:
    """A name as Snowflake stores it: what is written in lower case here stands for a name without quotes."""
    return name.upper() if name == name.lower() and re.fullmatch(r"\w+", name) else name


def shapes(tables: Iterable[Table], store: Any = stored) -> Tables:
    """These tables, found by their last name, whatever the schema."""
    known = {store(table.name): Shape(table=table.name, columns=tuple(map(store, table.names))) for table in tables}
    return lambda name: known.get(name[2])


# -- our own ----------------------------------------------------------------------------------------------------------


@cache
def own_queries() -> tuple[Query, ...]:
    """The queries of corpora/own, over the tables of its tables.sql."""
    folder = CORPORA / "own"
    with Engine() as engine:
        empty = engine.created((folder / "tables.sql").read_text(encoding="utf-8"))
    tables = tuple(map(filled_table, empty))
    files = sorted(folder.glob("*.sql"))
    return tuple(query for path in files if path.stem != "tables" for query in _blocks(path, tables))


def _blocks(path: Path, tables: tuple[Table, ...]) -> Iterator[Query]:
    parts = _NAME.split(path.read_text(encoding="utf-8"))[1:]
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        notes = dict(_BY_HAND.findall(text))
        by_hand = "reads" in notes
        sql, *engine = _ENGINE.split(_BY_HAND.sub("", text))
        yield Query(
            name=f"{path.stem}: {name}",
            sql=sql.strip().rstrip(";"),
            engine_sql="" if by_hand else engine[0].strip().rstrip(";") if engine else for_engine(sql),
            tables=_named(tables, sql),
            by_hand=_by_hand(notes) if by_hand else None,
            excused=frozenset(re.findall(r"[-+][\w.*]+", notes.get("excused", ""))),
        )


def _by_hand(lines: Mapping[str, str]) -> ByHand:
    return ByHand(
        columns=frozenset(lines.get("reads", "").split()),
        whole=frozenset(lines.get("whole", "").split()),
    )


@cache
def for_engine(sql: str, dialect: str = "snowflake") -> str:
    """The query in the engine's tongue."""
    return str(sqlglot.transpile(sql, read=dialect, write="duckdb")[0])


# -- the demo ---------------------------------------------------------------------------------------------------------

_PROJECTS: Final = ("dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package")
_VARS: Final = {"large_order_from": 150, "medium_order_from": 50}


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    project: str
    path: Path

    @property
    def table(self) -> str:
        return f"{self.project}__{self.path.stem}"

    def rendered(self, owner: Mapping[str, str], named: Any) -> str:
        """The file's SQL, with the names that `named` gives to tables; `owner` knows whose table a name is."""

        def relation(*words: str, v: int | None = None) -> str:
            *project, name = words
            name = name if v is None else f"{name}_v{v}"
            mine = project[0] if project and project[0] in _PROJECTS else self.project
            return str(named(next(f"{p}__{n}" for p, n in _candidates(mine, name) if f"{p}__{n}" in owner)))

        template = jinja2.Template(self.path.read_text(encoding="utf-8"))
        told = template.render(
            ref=relation,
            source=relation,
            var=_VARS.__getitem__,
            config=lambda **_: "",
            is_incremental=lambda: True,
            this=named(self.table),
        )
        return str(told)


def _candidates(project: str, name: str) -> Iterator[tuple[str, str]]:
    yield from ((project, name), (project, f"{name}_v2"), ("raw", name))


@cache
def demo_queries() -> tuple[Query, ...]:
    """Every model and every test of the demo's projects, over tables that the engine derived from the seeds."""
    files = {file.table: file for project in _PROJECTS for file in _files(project)}
    with Engine() as engine:
        tables = {table.name: table for table in _seeds(engine)}
        owner = dict.fromkeys((*files, *tables), "")
        read = {name: _tables_of(file, owner) for name, file in files.items()}
        order = [name for name in TopologicalSorter(read).static_order() if name in files]
        return tuple(_demo_query(engine, files[name], read[name], tables, owner) for name in order)


def _files(project: str) -> Iterator[_File]:
    for folder in ("models", "tests"):
        for path in sorted((REPOSITORY / project / folder).rglob("*.sql")):
            yield _File(project=project, path=path)


def _seeds(engine: Engine) -> Iterator[Table]:
    for path in sorted((REPOSITORY / "dbt_up" / "seeds").glob("*.csv")):
        table = Table(name=f"raw__{path.stem}", columns=engine.described(f"from read_csv('{path}')"))
        yield table


def _tables_of(file: _File, owner: Mapping[str, str]) -> set[str]:
    seen: list[str] = []
    file.rendered(owner, seen.append)
    return {*seen} - {file.table}


def _demo_query(
    engine: Engine, file: _File, read: Iterable[str], tables: dict[str, Table], owner: Mapping[str, str]
) -> Query:
    """The file as a query; its own table is there afterwards, for those who read it."""
    engine_sql = for_engine(file.rendered(owner, lambda table: table))
    tables[file.table] = Table(name=file.table, columns=(Column(name="loaded_at", type="TIMESTAMP"),))
    engine.keep(tables.values())
    tables[file.table] = Table(name=file.table, columns=engine.described(engine_sql))
    return Query(
        name=file.table.replace("__", "."),
        sql=file.rendered(owner, lambda table: f"DBT_PROD.MARTS.{table.upper()}"),
        engine_sql=engine_sql,
        tables=tuple(filled_table(tables[name]) for name in sorted({*read, file.table})),
    )


# -- TPC --------------------------------------------------------------------------------------------------------------

# Two columns of one name in a derived table: Snowflake finds the name ambiguous, DuckDB calls the second another name.
_TPC_EXCUSED: Final = {"tpcds: 23": frozenset({"+item.itemdesc"})}

# The queries come with DuckDB's own extensions, which another version of it, in an environment of its own, can load.
_TPC_SCRIPT: Final = """
import importlib, json, pathlib, sys, duckdb
name, make = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
folder = pathlib.Path(importlib.import_module(f"duckdb_extension_{name}").__path__[0])
connection.execute(f"load '{next(folder.rglob('*.duckdb_extension'))}'").execute(f"call {make}(sf=0)")
columns = "select table_name, column_name, data_type from duckdb_columns() where not internal order by 1, column_index"
queries = f"select query_nr, query from {name}_queries() order by query_nr"
print(json.dumps([connection.execute(sql).fetchall() for sql in (columns, queries)]))
"""


@cache
def tpc_queries(name: str) -> tuple[Query, ...]:
    """All queries of `tpch` or `tpcds`, over their own tables."""
    maker = {"tpch": "dbgen", "tpcds": "dsdgen"}[name]
    told = subprocess.run([TPC_PYTHON, "-c", _TPC_SCRIPT, name, maker], check=True, capture_output=True, timeout=120)
    columns, queries = json.loads(told.stdout)
    tables = tuple(
        filled_table(Table(name=table, columns=tuple(Column(name=c, type=k) for t, c, k in columns if t == table)))
        for table in dict.fromkeys(table for table, _, _ in columns)
    )
    return tuple(_tpc_query(f"{name}: {number}", sql, tables) for number, sql in queries)


def _tpc_query(name: str, sql: str, tables: tuple[Table, ...]) -> Query:
    (read,) = sqlglot.transpile(sql, read="duckdb", write="snowflake", pretty=True)
    return Query(
        name=name,
        sql=read,
        engine_sql=sql.strip().rstrip(";"),
        tables=_named(tables, sql),
        excused=_TPC_EXCUSED.get(name, frozenset()),
    )


def _named(tables: Iterable[Table], sql: str) -> tuple[Table, ...]:
    """Those of the tables whose names stand somewhere in the query."""
    words = set(re.findall(r"\w+", sql.lower()))
    return tuple(table for table in tables if table.name in words)
