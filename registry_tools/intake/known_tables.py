"""Tables by their relations in, the shape of whichever table a piece of SQL names out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from registry_tools.intake.sql.reading import Shape
from registry_tools.mesh.relation import fold, parse_relation

Place = tuple[str | None, str | None, str]

_WORD: Final = re.compile(r"[\w$]+")
# Warehouses whose table names are the same in any case of their letters, though they store them as they are written:
# DuckDB, Identifiers; Spark, Identifiers. Those of BigQuery and ClickHouse are not.
_CASE_SENSITIVE: Final = ("bigquery", "clickhouse")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """The tables that one piece of SQL may name, by the name of the relation alone (see reading.Tables)."""

    shapes: Mapping[str, tuple[tuple[Place, Shape], ...]]
    in_any_case: bool

    def __call__(self, place: Place) -> Shape:
        """The table at this place. One that nobody knows has columns that nobody knows."""
        known = self.shapes.get(place[2].casefold(), ())
        alike = [shape for where, shape in known if self._is_same(place, where)]
        exact = [shape for where, shape in known if where == place]
        if exact or len(alike) == 1:
            return (exact or alike)[0]
        return Shape(table=table_name(place), complete=False)

    def _is_same(self, asked: Place, known: Place) -> bool:
        """Whether they may be one: SQL leaves a database or a schema out where the session has it."""
        return all(
            a is None or b is None or a == b or (self.in_any_case and a.casefold() == b.casefold())
            for a, b in zip(asked, known, strict=True)
        )


@dataclass(kw_only=True, slots=True)
class KnownTables:
    """Every table that a project reads, as far as its columns are known by now."""

    adapter: str
    _shapes: dict[str, dict[Place, Shape]] = field(default_factory=dict)
    _places: dict[str, Place | None] = field(default_factory=dict)
    _odd: set[str] = field(default_factory=set)

    def place(self, relation_name: str) -> Place | None:
        """Where a relation is that dbt wrote so; None where that is no relation."""
        if relation_name not in self._places:
            self._places[relation_name] = self._place(relation_name)
        return self._places[relation_name]

    def _place(self, relation_name: str) -> Place | None:
        try:
            relation = parse_relation(relation_name, self.adapter)
        except ValueError:
            return None
        database, schema = (part.name if part else None for part in (relation.database, relation.schema))
        return database, schema, relation.identifier.name

    def stored(self, name: str) -> str:
        """A column's name as it is written, in quotes or without them, as the warehouse has it."""
        quoted = len(name) > 1 and name[0] == name[-1] and name[0] in '"`'
        return name[1:-1] if quoted else fold(name, self.adapter)

    def know(self, place: Place, columns: Iterable[str], *, complete: bool) -> str:
        """Keep what is known of a table, in place of what was. The name under which a reading tells of it."""
        name, identifier = table_name(place), place[2].casefold()
        shape = Shape(table=name, columns=tuple(dict.fromkeys(columns)), complete=complete)
        self._shapes.setdefault(identifier, {})[place] = shape
        if not _WORD.fullmatch(identifier):
            self._odd.add(identifier)
        return name

    def names_in(self, sql: str) -> frozenset[str]:
        """The names of known tables, without their places, that stand in the SQL somewhere, be it as columns."""
        text = sql.casefold()
        odd = {name for name in self._odd if name in text}
        return frozenset({*_WORD.findall(text)} & self._shapes.keys() | odd)

    def tables(self, names: Iterable[str]) -> Tables:
        """The tables of these names, as they are known by now."""
        in_any_case = fold("aA", self.adapter) == "aA" and self.adapter not in _CASE_SENSITIVE
        return Tables(
            shapes={name: tuple(sorted(self._shapes[name].items(), key=_by_place)) for name in sorted(names)},
            in_any_case=in_any_case,
        )


def _by_place(known: tuple[Place, Shape]) -> tuple[str, ...]:
    return tuple(part or "" for part in known[0])


def table_name(place: Place) -> str:
    """A table's name in readings: its relation with every part in quotes."""
    return ".".join('"{}"'.format(part.replace('"', '""')) for part in place if part is not None)
