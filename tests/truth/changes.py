"""Tables and a source of chance in, what an upstream might do to them out: the tables after it, with the same data."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from tests.truth.engine import Column, Table
from tests.truth.interfaces import NAMES, TYPES, Family, cells, family_of

# Names that queries give to what they compute, and which a new column may have too.
_MEANT: Final = ("total", "n", "x", "place", "value", "depth", "which", "paid")
_POSSIBLE: Final = (*NAMES, *_MEANT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What happens to `old`: it is `new` then, or gone."""

    kind: str
    old: Table
    new: Table | None

    def __str__(self) -> str:
        return f"{self.kind} of {self.old.name}: {_told(self.old)} -> {'gone' if self.new is None else _told(self.new)}"


# A source of chance, the table and a name that is free there, to the table afterwards.
_Alter = Callable[[Random, Table, str], Table | None]


def _told(table: Table) -> str:
    return "(" + ", ".join(f"{column.name} {column.type}" for column in table.columns) + ")"


def draw_change(chance: Random, tables: Sequence[Table], query: str) -> Change:
    """A change of one of them; a new name tends to be one that stands in the query already."""
    table = chance.choice(tables)
    kind = chance.choice(list(_KINDS))
    words = set(re.findall(r"\w+", query))
    meant = [name for name in _POSSIBLE if name in words and name not in table.names]
    free = [name for name in _POSSIBLE if name not in table.names]
    name = chance.choice(meant if meant and chance.random() < 0.7 else free)
    return Change(kind=kind, old=table, new=_KINDS[kind](chance, table, name))


def _dropped(chance: Random, table: Table, _name: str) -> Table | None:
    if len(table.columns) == 1:
        return None
    return table.without(chance.choice(table.names))


def _renamed(chance: Random, table: Table, name: str) -> Table:
    place = chance.randrange(len(table.columns))
    column = replace(table.columns[place], name=name)
    return replace(table, columns=(*table.columns[:place], column, *table.columns[place + 1 :]))


def _added(chance: Random, table: Table, name: str) -> Table:
    rows = len(table.columns[0].cells)
    type_ = chance.choice(("INTEGER", "INTEGER", "VARCHAR", "DATE", "VARCHAR[]"))
    constant = {"INTEGER": "9", "VARCHAR": "'new'", "DATE": "'2020-02-02'", "VARCHAR[]": "['new']"}[type_]
    filled = chance.choice((constant, constant, "null"))
    column = Column(name=name, type=type_, cells=(filled,) * rows)
    return table.plus(column, chance.choice((None, None, chance.randrange(len(table.columns) + 1))))


_WIDER: Final = {"INTEGER": "BIGINT", "DECIMAL(10,2)": "DECIMAL(14,2)"}
_NARROWER: Final = {"BIGINT": "INTEGER", "DECIMAL(10,2)": "DECIMAL(10,1)"}
_OTHER: Final = {
    "INTEGER": "VARCHAR",
    "BIGINT": "DATE",
    "DECIMAL(10,2)": "VARCHAR",
    "VARCHAR": "INTEGER",
    "DATE": "VARCHAR",
    "TIMESTAMP": "VARCHAR",
    "VARCHAR[]": "VARCHAR",
}


def _typed(to: dict[str, str]) -> _Alter:
    def change(chance: Random, table: Table, name: str) -> Table:
        places = [place for place, column in enumerate(table.columns) if column.type in to]
        if not places:
            return _added(chance, table, name)
        place = chance.choice(places)
        column = _as(chance, table.columns[place], to[table.columns[place].type])
        return replace(table, columns=(*table.columns[:place], column, *table.columns[place + 1 :]))

    return change


def _as(chance: Random, column: Column, type_: str) -> Column:
    """The column in another type: with the same data in one of its family, and else with data that the old one could
    not hold.
    """
    before, after = family_of(column.type), _family_after(type_)
    if before == after:
        return replace(column, type=type_)
    if after == "text":
        quoted = (
            cell if cell == "null" else f"'v' || cast(cast({cell} as {column.type}) as varchar)"
            for cell in column.cells
        )
        return replace(column, type=type_, cells=tuple(quoted))
    return replace(column, type=type_, cells=cells(chance, after, len(column.cells)))


def _family_after(type_: str) -> Family:
    return next((family for family, types in TYPES.items() if type_ in types), "number")


def _reordered(chance: Random, table: Table, _name: str) -> Table:
    columns = list(table.columns)
    chance.shuffle(columns)
    return replace(table, columns=tuple(columns))


_KINDS: Final[dict[str, _Alter]] = {
    "column dropped": _dropped,
    "column renamed": _renamed,
    "column added": _added,
    "type widened": _typed(_WIDER),
    "type narrowed": _typed(_NARROWER),
    "type of another family": _typed(_OTHER),
    "columns reordered": _reordered,
    "table gone": lambda _chance, _table, _name: None,
}
