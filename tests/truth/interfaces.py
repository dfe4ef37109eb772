"""A source of chance in, one to three tables with rows out: of few names and few types, so that names meet."""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from tests.truth.engine import Column, Table

Family = Literal["number", "text", "time", "list"]

TABLES: Final = ("orders", "lines", "people")
NAMES: Final = ("id", "k", "a", "b", "c", "status", "amount", "name")
TYPES: Final[dict[Family, tuple[str, ...]]] = {
    "number": ("INTEGER", "BIGINT", "DECIMAL(10,2)"),
    "text": ("VARCHAR",),
    "time": ("DATE", "TIMESTAMP"),
    "list": ("VARCHAR[]",),
}
_USUAL: Final[dict[str, Family]] = {
    "id": "number",
    "k": "number",
    "amount": "number",
    "status": "text",
    "name": "text",
}
_ANY: Final[tuple[Family, ...]] = ("number", "number", "text", "time", "list")
_ROWS: Final = (5, 6, 7, 8)
_CELLS: Final[dict[Family, tuple[str, ...]]] = {
    "number": ("1", "2", "3", "4", "7", "12", "35", "null"),
    "text": ("'x'", "'y'", "'paid'", "'open'", "'1'", "''", "null"),
    "time": ("'2026-01-01'", "'2026-01-02'", "'2026-03-15'", "'2026-11-20'", "null"),
    "list": ("['x', 'y']", "['paid']", "['y', 'y']", "[]", "null"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column as a query sees it."""

    name: str
    family: Family


def family_of(type_: str) -> Family:
    """The family of one of TYPES."""
    return next(family for family, types in TYPES.items() if type_ in types)


def fields_of(table: Table) -> tuple[Field, ...]:
    """Its columns as a query sees them."""
    return tuple(Field(name=column.name, family=family_of(column.type)) for column in table.columns)


def cells(chance: Random, family: Family, rows: int) -> tuple[str, ...]:
    """What stands in a column: few values, so that some stand there twice, and nulls."""
    return tuple(chance.choice(_CELLS[family]) for _ in range(rows))


def draw_tables(chance: Random) -> tuple[Table, ...]:
    """The tables; now and then one has a single column."""
    return tuple(_table(chance, name) for name in TABLES[: chance.choice((1, 2, 2, 3))])


def _table(chance: Random, name: str) -> Table:
    width = 1 if chance.random() < 0.06 else chance.randint(3, 6)
    rows = chance.choice(_ROWS)
    return Table(name=name, columns=tuple(draw_column(chance, column, rows) for column in chance.sample(NAMES, width)))


def draw_column(chance: Random, name: str, rows: int) -> Column:
    """A column of that name; the same names tend to have the same types everywhere, so that keys meet keys."""
    family = _USUAL[name] if name in _USUAL else chance.choice(_ANY)
    type_ = "INTEGER" if name in ("id", "k") else chance.choice(TYPES[family])
    return Column(name=name, type=type_, cells=cells(chance, family, rows))
