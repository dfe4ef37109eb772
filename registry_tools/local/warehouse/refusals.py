"""What cannot be done, and DuckDB's exceptions, in; Snowflake's errors out.

What stays unmapped would end in HTTP 500, and the connector asks again after a 500 for as long as it lives.
"""

import re
from typing import Final

import duckdb
from snowflake.connector.errors import ProgrammingError

from registry_tools.local.warehouse.rewrites import NULL_IN_NOT_NULL
from registry_tools.local.warehouse.statements import NAME

# What would end in an error of syntax, or be done and then not be found again.
_DECLINED: Final = {
    re.compile(rf"WITH {NAME} AS PROCEDURE .*", re.DOTALL): "a Python model",
    re.compile(rf"CREATE .*?SCHEMA (?:IF NOT EXISTS )?(?:{NAME}\.)?(?i:\"?MAIN\"?)(?: .*)?"): "a schema named MAIN",
    re.compile(r"(?:REMOVE|RM|GET) .*"): "files of a stage removed or fetched",
}


def is_conflict(error: duckdb.Error) -> bool:
    """Whether two sessions met at the same table, so that trying again may help."""
    return isinstance(error, duckdb.TransactionException) and "conflict" in str(error).lower()


def refusal(error: duckdb.Error) -> ProgrammingError:
    """The error that Snowflake would send; its message keeps DuckDB's first line, which names table and column."""
    said = str(error).splitlines()[0]
    if is_conflict(error):
        return ProgrammingError(msg=f"The statement met another session's write: {said}", errno=625, sqlstate="57014")
    if NULL_IN_NOT_NULL in said or (isinstance(error, duckdb.ConstraintException) and "NOT NULL" in said):
        return ProgrammingError(msg=f"{NULL_IN_NOT_NULL} ({said})", errno=100072, sqlstate="22000")
    if isinstance(error, duckdb.InvalidInputException) and "same target row more than once" in said:
        return ProgrammingError(msg="Duplicate row detected during DML action", errno=100090, sqlstate="42P18")
    return ProgrammingError(msg=said, errno=603, sqlstate="XX000")


def decline(statement: str) -> None:
    """Raises ProgrammingError for a statement in the one spelling that Snowflake takes and nobody here can run."""
    for pattern, what in _DECLINED.items():
        if pattern.fullmatch(statement):
            raise unsupported(what)


def unsupported(what: str) -> ProgrammingError:
    """What Snowflake says of a feature that an account does not have."""
    return mistake(f"Unsupported feature '{what}'.", 2, "0A000")


def mistake(told: str, errno: int, sqlstate: str = "22023") -> ProgrammingError:
    """The error that Snowflake would send."""
    return ProgrammingError(msg=told, errno=errno, sqlstate=sqlstate)
