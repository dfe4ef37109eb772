"""A name of a query in, the columns that it means out; on the way it is noted whose columns would be in its way."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlglot import Expr

from registry_tools.intake.sql.names import line_of
from registry_tools.intake.sql.reading import Fault, Origin
from registry_tools.intake.sql.rows import NOTHING, Column, Rows
from registry_tools.intake.sql.scope import Reader, Scope

# Their paths begin with a colon: what stands before a dot is never a column (Snowflake, Querying semi-structured data).
_WITHOUT_STRUCTS: Final = frozenset(("snowflake",))
# What a table has beside its columns (Snowflake, CONNECT BY, Streams; Oracle, Pseudocolumns; PostgreSQL, 5.6; BigQuery,
# Pseudocolumns; Databricks, File metadata column), and words that some functions take without quotes.
_PSEUDO: Final = """level rownum rowid sysdate systimestamp user ctid xmin xmax tableoid metadata$action
metadata$isupdate metadata$row_id metadata$filename metadata$file_row_number _partitiontime _partitiondate _table_suffix
_file_name _metadata"""
_UNITS: Final = "year quarter month week day hour minute second millisecond microsecond isoyear isoweek epoch"
_NO_COLUMNS: Final = frozenset(f"{_PSEUDO} {_UNITS}".split())


def bound(reader: Reader, parts: Sequence[Expr], scope: Scope, *, aliases: bool) -> frozenset[Origin]:
    """What the value of a name is made of: `column`, `source.column`, `schema.table.column`, or a path into a struct
    that begins with one of these. With `aliases` the names of the select list are looked at too.
    """
    keys = tuple(map(reader.names.key_of, parts))
    for length in range(min(len(parts) - 1, 3), 0, -1):
        source = scope.source(keys[:length])
        if source is not None:
            return bound_in(reader, source.rows, parts[length])
    if len(parts) > 1 and reader.names.adapter in _WITHOUT_STRUCTS:
        return NOTHING  # a sequence, or the alias of something that is no table
    return _bound_bare(reader, parts[0], scope, aliases=aliases)


def bound_in(reader: Reader, rows: Rows, part: Expr) -> frozenset[Origin]:
    """What a column of these rows is made of, which a query names."""
    key = reader.names.key_of(part)
    found = rows.found(key)
    if len(found) > 1:
        _fault(reader, part, ambiguous=True)
    if found:
        reader.notes.take(rows.carried, (key,))
        return named(reader, found, part)
    certain = not rows.more and len(rows.open or rows.carried) == 1
    if rows.loose:
        reader.notes.take(rows.carried - rows.open if certain else rows.carried, (key,))
    elif part.name.lower() in _NO_COLUMNS:
        return NOTHING
    else:
        _fault(reader, part)
    return _guessed(reader, rows.open or (rows.carried if certain else ()), part)


def _bound_bare(reader: Reader, part: Expr, scope: Scope, *, aliases: bool) -> frozenset[Origin]:
    """A name without a qualifier means a column of a source, else a name of the select list, else something around.

    Where not all columns of a source are known, it is taken for a column of it, and for what it means otherwise.
    """
    key = reader.names.key_of(part)
    origins = NOTHING
    walked: frozenset[str] = frozenset()
    is_sure = True
    place: Scope | None = scope
    while place is not None:
        if place.aliases_win and key in place.aliases and (aliases or place is not scope):
            reader.notes.take(walked | _ambiguous(place, key), (key,))
            return origins | place.aliases[key]
        walked |= place.carried
        loose = [source.rows for source in place.sources if source.rows.loose]
        meant, by_alias = _bound_here(reader, part, place, key, aliases=aliases or place is not scope)
        if loose and (meant is None or by_alias):
            is_sure = False
            tables = frozenset[str]().union(*(rows.open for rows in loose))
            certain = meant is None and len(loose) == len(tables) == 1 and not loose[0].more
            reader.notes.take(walked - tables if certain else walked, (key,))
            origins |= _guessed(reader, tables, part)
        if meant is not None:
            reader.notes.take(walked, (key,))
            return origins | meant
        place = place.around
    return _missing(reader, part, scope) if is_sure else origins


def _bound_here(
    reader: Reader, part: Expr, scope: Scope, key: str, *, aliases: bool
) -> tuple[frozenset[Origin] | None, bool]:
    """What the name means in this very query, None if nothing; and whether it is the select list that gives it."""
    hits = [found for source in scope.sources if (found := source.found(key))]
    if sum(map(len, hits)) > 1:
        _fault(reader, part, ambiguous=True)
    if hits:
        return NOTHING.union(*(named(reader, found, part) for found in hits)), False
    if aliases and key in scope.aliases:
        return scope.aliases[key], True
    return _row_itself(reader, scope, key), False


def _ambiguous(scope: Scope, key: str) -> frozenset[str]:
    """The tables of which a column of this name would stand beside another one, in this query."""
    tables: set[str] = set()
    for source in scope.sources:
        others = [other for other in scope.sources if other is not source]
        if any(other.found(key) for other in others):
            tables |= source.rows.carried
        tables |= source.rows.carried & frozenset[str]().union(*(other.rows.carried for other in others))
    return frozenset(tables)


def _row_itself(reader: Reader, scope: Scope, key: str) -> frozenset[Origin] | None:
    """A source's name alone: its row as one value."""
    if reader.names.adapter in _WITHOUT_STRUCTS:
        return None
    for source in scope.sources:
        if source.key == key:
            reader.notes.whole(source.rows.carried, "value")
            return source.rows.origins
    return None


def _missing(reader: Reader, part: Expr, scope: Scope) -> frozenset[Origin]:
    """A name that nothing answers to: if there is but one table here, it is a column that this one has not got."""
    if part.name.lower() in _NO_COLUMNS:
        return NOTHING
    _fault(reader, part)
    rows = [source.rows for source in scope.sources]
    if len(rows) == 1 and not rows[0].loose and len(rows[0].carried) == 1:
        return _guessed(reader, rows[0].carried, part)
    return NOTHING


def _fault(reader: Reader, part: Expr, *, ambiguous: bool = False) -> None:
    reader.notes.faults.add(Fault(name=part.name, line=line_of(part), ambiguous=ambiguous))


def named(reader: Reader, columns: Iterable[Column], place: Expr) -> frozenset[Origin]:
    """What these columns are made of, which are named at this place."""
    read = NOTHING.union(*(column.named for column in columns))
    if read:
        reader.notes.name(read, line_of(place))
    return NOTHING.union(*(column.origins for column in columns))


def _guessed(reader: Reader, tables: Iterable[str], part: Expr) -> frozenset[Origin]:
    name = reader.names.stored(part)
    origins = frozenset(Origin(table=table, column=name) for table in tables)
    if origins:
        reader.notes.name(origins, line_of(part))
    return origins
