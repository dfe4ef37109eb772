"""A table's column and what a file holds for it in, the SQL of what is loaded out: it fails where Snowflake would."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from duckdb import DuckDBPyConnection

from registry_tools.local.warehouse.answers import quoted
from registry_tools.local.warehouse.refusals import mistake, unsupported

# The lengths of texts are fakesnow's: DuckDB has none.
_SQL: Final = """
    SELECT column_name, data_type, ext_character_maximum_length
    FROM duckdb_columns() LEFT JOIN _fs_global._fs_information_schema._fs_columns_ext
    ON (database_name, schema_name, table_name, column_name)
        = (ext_table_catalog, ext_table_schema, ext_table_name, ext_column_name)
    WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 ORDER BY column_index
"""
_NUMBERS: Final = ("DECIMAL", "BIGINT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT")
_TEXT: Final = "VARCHAR"
_SEMI_STRUCTURED: Final = "JSON"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table: its name, DuckDB's type for it, and how many characters it holds."""

    name: str
    type: str
    length: int | None

    def filled(self, held: str, of: str, nulls: Iterable[str]) -> str:
        """SQL for what the column gets of `held`, which is of the DuckDB type `of`. Raises ProgrammingError where
        Snowflake would do something else than DuckDB.
        """
        if of != _TEXT:
            if of.endswith(("]", ")")) and not of.startswith(("DECIMAL", "ENUM")) and self.type != _SEMI_STRUCTURED:
                raise mistake(
                    f"Failed to cast the nested values of a file to {self.type} of {self.name}", 100071, "22000"
                )
            return held
        listed = ", ".join(map(quoted, nulls))
        said = f"CASE WHEN {held} NOT IN ({listed}) THEN {held} END" if listed else held
        if self.type == "BLOB":
            raise unsupported(f"texts of a file in the binary column {self.name}")
        if self.type.startswith(_NUMBERS):  # DuckDB takes 1_000 for a thousand
            told = f"'Numeric value ''' || {held} || ''' is not recognized'"
            return f"CASE WHEN contains({said}, '_') THEN error({told}) ELSE {said} END"
        if self.type == _TEXT and self.length:
            told = f"'User character length limit ({self.length}) exceeded by string ''' || {held} || ''''"
            return f"CASE WHEN length({said}) > {self.length} THEN error({told}) ELSE {said} END"
        return said


def columns_of(duck: DuckDBPyConnection, table: tuple[str, str, str]) -> list[Column]:
    """The columns of a table in their order. Raises ProgrammingError where there is no such table."""
    found = duck.execute(_SQL, table).fetchall()
    if not found:
        message = f"SQL compilation error:\nTable '{'.'.join(table)}' does not exist or not authorized."
        raise mistake(message, 2003, "42S02")
    return [Column(name=name, type=of, length=length) for name, of, length in found]
