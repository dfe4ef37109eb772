"""An answer that is known without asking DuckDB: columns and rows in, the SELECT that yields them out."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A result set of texts and whole numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | None, ...], ...] = ()

    def sql(self) -> str:
        """The result set as DuckDB SQL, because fakesnow describes every result by describing its SQL again."""
        if not self.rows:
            return "SELECT " + ", ".join(f'NULL::VARCHAR AS "{column}"' for column in self.columns) + " WHERE false"
        # VALUES, because DuckDB takes a minute for a union of two thousand rows
        rows = ", ".join(f"({', '.join(map(literal, row))})" for row in self.rows)
        names = ", ".join(f'"{column}"' for column in self.columns)
        return f"SELECT * FROM (VALUES {rows}) AS answer ({names})"  # noqa: S608  # quoted by literal


def literal(cell: str | int | None) -> str:
    """The cell as a DuckDB literal of its own type."""
    if isinstance(cell, int):
        return f"{cell}::BIGINT"
    return "NULL::VARCHAR" if cell is None else f"{quoted(cell)}::VARCHAR"


def quoted(text: str) -> str:
    """The text as an SQL string: an apostrophe inside it stays an apostrophe."""
    return "'" + text.replace("'", "''") + "'"


DONE = Answer(columns=("status",), rows=(("Statement executed successfully.",),))
