"""A column's name and type in, the column with a few rows out: the same every time, with nulls and duplicates."""

import re
from typing import Final

from tests.truth.engine import Column, Table

_ROWS: Final = 6
_LITERALS: Final = (
    (r".*\[\]", ("['a-b', 'c']", "['d']", "[]", "['paid open']")),
    (r"JSON", ("""'{"a": {"b": 1}, "lines": [{"sku": "x"}], "kind": "web", "address": {"city": "Ulm"}}'""", "'{}'")),
    (r"VARCHAR", ("'paid'", "'open'", "'DE'", "'small'", "'paid open'")),
    (r"BOOLEAN", ("true", "false")),
    (r"TIMESTAMP.*|DATE", ("'2026-01-01'", "'2026-02-03'", "'2026-11-20'", "'2026-01-01'")),
    (r"TIME", ("'10:00:00'", "'11:30:00'")),
    (r"", ("1", "2", "5", "40", "7")),
)


def filled(name: str, type_: str, place: int) -> Column:
    """The column with its rows. Columns of one type at other places hold the values in another order."""
    literals = next(of for pattern, of in _LITERALS if re.match(pattern, type_, re.IGNORECASE))
    cells = (literals[(row * (1 + place % 2) + place) % len(literals)] for row in range(_ROWS))
    return Column(
        name=name,
        type=type_,
        cells=tuple("null" if (row + place) % 5 == 4 else cell for row, cell in enumerate(cells)),
    )


def filled_table(table: Table) -> Table:
    """The table with rows."""
    columns = (filled(column.name, column.type, place) for place, column in enumerate(table.columns))
    return Table(name=table.name, columns=tuple(columns))
