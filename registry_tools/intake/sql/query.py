"""Compiled SQL in, what it reads of the tables that somebody asks about out; nothing that SQL holds makes it fail."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from registry_tools.intake.sql.names import Names
from registry_tools.intake.sql.notes import Notes
from registry_tools.intake.sql.parsing import TRIPS, Unreadable, parse
from registry_tools.intake.sql.reading import Output, QueryReading, Tables
from registry_tools.intake.sql.rows import Rows
from registry_tools.intake.sql.scope import Reader
from registry_tools.intake.sql.selects import query_rows
from registry_tools.intake.sql.statements import statement_rows

_FRAMES: Final = 6_000


def read_query(sql: str, adapter: str, tables: Tables) -> QueryReading:
    """What one statement reads of the tables for which `tables` has a shape. `adapter` is dbt's name of the platform.

    Where only a part could not be read, nothing is said of the rest: `unread` has the reason.
    """
    names = Names(adapter=adapter)
    reader = Reader(names=names, tables=tables, notes=Notes(names), rows_of=query_rows)
    try:
        with _deep():
            rows = statement_rows(reader, parse(sql, adapter))
    except Unreadable as reason:
        return QueryReading(unread=str(reason))
    except RecursionError:
        return QueryReading(unread="it is nested too deeply")
    except TRIPS:
        return QueryReading(unread="it is not understood")  # sqlglot lets some of what is no SQL pass, less its parts
    _leave(reader, rows)
    return QueryReading(
        tables=reader.notes.readings(),
        outputs=tuple(Output(name=each.name, origins=each.origins, passed=each.passed) for each in rows.columns),
        open=rows.open,
        faults=tuple(sorted(reader.notes.faults)),
    )


@contextmanager
def _deep() -> Iterator[None]:
    """Room for what macros nest: sqlglot takes twenty frames for one pair of parentheses, and Python's thousand end at
    forty of them. Since Python 3.11 a frame of its own takes nothing of the stack.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _leave(reader: Reader, rows: Rows) -> None:
    """The final rows: two columns of one name are more than a table or a view can have."""
    reader.notes.whole(rows.carried, "output")
    reader.notes.take(rows.carried, {column.key for column in rows.columns})
