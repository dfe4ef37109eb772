"""Descriptions of tables and columns in, DuckDB's comments out; an apostrophe in them is only an apostrophe."""

import re

from duckdb import DuckDBPyConnection
from sqlglot import Expr

from registry_tools.local.warehouse.answers import DONE, Answer, quoted
from registry_tools.local.warehouse.statements import NAME, PATH, TEXT, text

_COLUMN = rf"(?:COLUMN )?({NAME}) COMMENT {TEXT}"
_ALTER = re.compile(rf"ALTER (?:TABLE|VIEW) (?:IF EXISTS )?({PATH}) (?:ALTER|MODIFY) (\(? ?{_COLUMN}.*)", re.DOTALL)
_EACH = re.compile(_COLUMN)
_COMMENT = re.compile(rf"COMMENT (?:IF EXISTS )?ON COLUMN ({NAME}(?:\.{NAME}){{1,3}}) IS {TEXT}")


def answer(duck: DuckDBPyConnection, statement: str) -> Answer | None:
    """Describes columns, if that is what the statement does; None otherwise. sqlglot reads neither form that dbt
    sends (ALTER TABLE t ALTER "A" COMMENT $$..$$, "B" COMMENT $$..$$), so it would reach DuckDB as it is.
    """
    if found := _COMMENT.fullmatch(statement):
        duck.execute(f"COMMENT ON COLUMN {found[1]} IS {quoted(text(found[2]))}")
        return DONE
    if found := _ALTER.fullmatch(statement):
        for column, comment in _EACH.findall(found[2]):
            duck.execute(f"COMMENT ON COLUMN {found[1]}.{column} IS {quoted(text(comment))}")
        return DONE
    return None


def escape(transformed: Expr) -> Expr:
    """The apostrophes of a table's comment, doubled: fakesnow pastes the comment into its SQL as it is."""
    if comment := transformed.args.get("table_comment"):
        table, said = comment
        transformed.args["table_comment"] = (table, (said or "").replace("'", "''"))
    return transformed
