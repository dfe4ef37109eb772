"""Compiled SQL in, its one statement as sqlglot has it out; what cannot be parsed is refused with a short reason."""

import logging
from collections.abc import Mapping
from typing import Final

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import ParseError, SqlglotError

# dbt's names of platforms that sqlglot calls by another name, or reads as another's dialect.
_OTHERS: Final[Mapping[str, str]] = {
    "alloydb": "postgres",
    "greenplum": "postgres",
    "impala": "hive",
    "mariadb": "mysql",
    "postgresql": "postgres",
    "sqlserver": "tsql",
    "synapse": "tsql",
    "vertica": "postgres",
}
_OWN: Final = """athena bigquery clickhouse databricks doris dremio duckdb exasol fabric hive materialize mysql oracle
postgres presto redshift risingwave singlestore snowflake spark sqlite starrocks teradata trino"""
_DIALECTS: Final[Mapping[str, str]] = {**_OTHERS, **{name: name for name in _OWN.split()}}
# Pure Python parses about 1 MB in two seconds; of a model that a person wrote the largest have a tenth of this.
_MAX_CHARACTERS: Final = 1_000_000
# What sqlglot's parser lets out beside its own errors when a text is no SQL: it trips over what it did not expect.
TRIPS: Final = (AssertionError, AttributeError, KeyError, IndexError, NotImplementedError, TypeError, ValueError)

# It tells of statements that it gives up on; we say so ourselves, of the node that has them.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


class Unreadable(Exception):
    """The SQL cannot be read, or not to the end; the message says why, in a few words."""


def parse(sql: str, adapter: str) -> Expr:
    """The only statement of `sql`. Raises Unreadable."""
    dialect = _DIALECTS.get(adapter)
    if dialect is None:
        raise Unreadable(f"no SQL dialect is known for {adapter or 'an adapter without a name'}")
    if len(sql) > _MAX_CHARACTERS:
        raise Unreadable(f"it is longer than {_MAX_CHARACTERS:,} characters")
    try:
        statements = [each for each in sqlglot.parse(sql, read=dialect) if each and not isinstance(each, exp.Semicolon)]
    except ParseError as error:
        raise Unreadable(_place(error)) from error
    except (SqlglotError, *TRIPS) as error:
        raise Unreadable("it cannot be parsed") from error
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error
    if len(statements) != 1:
        raise Unreadable(f"it has {len(statements)} statements" if statements else "it is empty")
    return statements[0]


def _place(error: ParseError) -> str:
    lines = [found.get("line") for found in error.errors]
    return f"it cannot be parsed in line {lines[0]}" if lines and lines[0] else "it cannot be parsed"
