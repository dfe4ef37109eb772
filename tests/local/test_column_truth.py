"""What the reader of SQL says, held against the embedded warehouse in Snowflake's own words: columns are taken away for
real, and a query that fails then is one that names the column or counts it.
"""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error

from registry_tools.intake.sql.query import read_query
from tests.local.conftest import Connect
from tests.truth.corpus import Query, demo_queries, own_queries, stored
from tests.truth.engine import Table

EVERY_FOURTH = slice(None, None, 4)  # of our own corpus: each statement is a request
_NUMBERS = re.compile(r"(?:BIG|SMALL|TINY|U?HUGE)?INT(?:EGER)?")


def asked_of_snowflake() -> list[Query]:
    queries = [*demo_queries(), *own_queries()[EVERY_FOURTH]]
    return [query for query in queries if query.adapter == "snowflake" and query.engine_sql]


def made(table: Table, without: str = "") -> str:
    """The statement that makes the table, empty."""
    columns = (f"{quoted(c.name)} {type_of(c.type)}" for c in table.columns if c.name != without)
    return f"create or replace table {quoted(table.name)} ({', '.join(columns)})"


def quoted(name: str) -> str:
    return name if stored(name) == name.upper() and re.fullmatch(r"[a-z_]\w*", name) else f'"{name}"'


def type_of(duckdb_type: str) -> str:
    if _NUMBERS.fullmatch(duckdb_type):
        return "number(38, 0)"
    known = ("DECIMAL", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "DOUBLE")
    return duckdb_type if duckdb_type.startswith(known) and not duckdb_type.endswith("]") else "variant"


def refused(connection: SnowflakeConnection, statement: str) -> bool:
    try:
        connection.cursor().execute(statement)
    except Error:
        return True
    return False


def taken_away(connection: SnowflakeConnection, query: Query) -> Iterator[tuple[str, str, bool]]:
    """Each column of each table that can be spared, and whether the query fails without it."""
    sql = query.sql.strip().rstrip(";")
    if any(refused(connection, made(table)) for table in query.tables) or refused(connection, sql):
        return
    for table in query.tables:
        for column in table.names if len(table.names) > 1 else ():
            assert not refused(connection, made(table, column))
            yield table.name, column, refused(connection, sql)
        assert not refused(connection, made(table))


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """How many columns each query that ran was tried without, and under `needed`, how often it failed then."""
    return Counter()


@pytest.mark.parametrize("query", asked_of_snowflake(), ids=lambda query: query.name)
def test_what_fails_without_a_column_is_said_to_read_it(connect: Connect, seen: Counter[str], query: Query) -> None:
    connection = connect(database="TRUTH", schema="PUBLIC")
    reading = read_query(query.sql, "snowflake", query.resolve())
    for table, column, fails in taken_away(connection, query):
        read = reading.tables.get(table)
        said = read is not None and (stored(column) in read.columns or bool(read.whole & {"position", "contract"}))
        assert said or reading.unread or not fails, (table, column)
        seen.update({query.name: 1, "needed": fails})


def test_the_embedded_warehouse_runs_most_of_them(seen: Counter[str]) -> None:
    assert len(seen) > 30
    assert seen["needed"] > 60
