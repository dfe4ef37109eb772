"""Two data types as dbt's YAML writes them in, how the second relates to the first out: the same, wider, narrower.

The lattice is per warehouse and small. A name that is not in it is compared as text, and is never called safe.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

# "apart" is of one family where neither holds the other: another scale, another collation, with a time zone or without.
Relation = Literal["same", "wider", "narrower", "apart", "other", "unknown"]
RELATIONS: Final[tuple[Relation, ...]] = ("same", "wider", "narrower", "apart", "other", "unknown")

_MOST: Final = 1 << 40  # a size that no warehouse has: of what has none
_DEEPEST: Final = 32  # types in types: nobody nests so deep, and what is deeper shall not exhaust the stack
_LONGEST: Final = 2_000  # characters of a type
_SIZED: Final = frozenset({"number", "text", "binary", "time", "timestamp"})
_LISTS: Final = frozenset({"array", "list", "map"})
_RECORDS: Final = frozenset({"struct", "row", "object", "record"})

# family, what sets its members apart, the size that is meant where none is written, and the names, `_` for a space.
_Row = tuple[str, str, int, str]

_NUMBERS: Final[tuple[_Row, ...]] = (
    ("int", "", 16, "smallint int2"),
    ("int", "", 32, "int integer int4"),
    ("int", "", 64, "bigint int8"),
    ("float", "", 32, "real float4"),
    ("float", "", 64, "double double_precision float8"),
)
_REST: Final[tuple[_Row, ...]] = (
    ("boolean", "", 0, "boolean bool"),
    ("date", "", 0, "date"),
    ("json", "", 0, "json"),
    ("uuid", "", 0, "uuid"),
    ("interval", "", 0, "interval"),
)
_ZONED: Final = "timestamptz timestamp_with_time_zone"
_LAKE: Final[tuple[_Row, ...]] = (
    *_NUMBERS,
    *_REST,
    ("int", "", 8, "tinyint byte"),
    ("int", "", 16, "short"),
    ("int", "", 64, "long"),
    ("float", "", 32, "float"),
    ("number", "0", 10, "decimal dec numeric"),
    ("text", "", _MOST, "string varchar"),
    ("text", "padded", 1, "char character"),
    ("binary", "", _MOST, "binary"),
    ("timestamp", "ltz", 6, "timestamp timestamp_ltz"),
    ("timestamp", "ntz", 6, "timestamp_ntz"),
    ("variant", "", 0, "variant"),
)
_TRINO: Final[tuple[_Row, ...]] = (
    *_NUMBERS,
    *_REST,
    ("int", "", 8, "tinyint"),
    ("float", "", 32, "float"),
    ("number", "0", 38, "decimal"),
    ("text", "", _MOST, "varchar string"),
    ("text", "padded", 1, "char"),
    ("binary", "", _MOST, "varbinary binary"),
    ("time", "ntz", 3, "time time_without_time_zone"),
    ("time", "tz", 3, "time_with_time_zone"),
    ("timestamp", "ntz", 3, "timestamp timestamp_without_time_zone"),
    ("timestamp", "tz", 3, "timestamp_with_time_zone"),
)
_CLOCKS: Final[tuple[_Row, ...]] = (
    ("time", "ntz", 6, "time time_without_time_zone"),
    ("time", "tz", 6, "timetz time_with_time_zone"),
    ("timestamp", "ntz", 6, "timestamp timestamp_without_time_zone"),
    ("timestamp", "tz", 6, _ZONED),
)
_TABLES: Final[Mapping[str, tuple[_Row, ...]]] = {
    # Snowflake, Summary of data types: all integers are number(38,0), all floats are eight bytes, a text without a
    # length has the longest that a column had before 2025.
    "snowflake": (
        *_REST,
        ("number", "0", 38, "number decimal dec numeric int integer bigint smallint tinyint byteint"),
        ("float", "", 64, "float float4 float8 double double_precision real"),
        ("decfloat", "", 0, "decfloat"),
        ("text", "", 16_777_216, "varchar string text nvarchar nvarchar2 char_varying nchar_varying character_varying"),
        ("text", "", 1, "char character nchar"),
        ("binary", "", 8_388_608, "binary varbinary"),
        ("time", "", 9, "time"),
        ("timestamp", "ntz", 9, "timestamp timestamp_ntz timestampntz timestamp_without_time_zone datetime"),
        ("timestamp", "ltz", 9, "timestamp_ltz timestampltz timestamp_with_local_time_zone"),
        ("timestamp", "tz", 9, f"timestamp_tz {_ZONED}"),
        ("variant", "", 0, "variant"),
        ("geography", "", 0, "geography"),
        ("geometry", "", 0, "geometry"),
    ),
    # PostgreSQL, chapter 8: a numeric without a precision keeps whatever scale a value has.
    "postgres": (
        *_NUMBERS,
        *_REST,
        *_CLOCKS,
        ("int", "", 16, "smallserial serial2"),
        ("int", "", 32, "serial serial4"),
        ("int", "", 64, "bigserial serial8"),
        ("float", "", 64, "float"),
        ("number", "any", _MOST, "numeric decimal"),
        ("text", "", _MOST, "text varchar character_varying"),
        ("text", "padded", 1, "char character bpchar"),
        ("binary", "", _MOST, "bytea"),
        ("jsonb", "", 0, "jsonb"),
    ),
    # Amazon Redshift, Data types
    "redshift": (
        *_NUMBERS,
        *_REST,
        *_CLOCKS,
        ("float", "", 64, "float"),
        ("number", "0", 18, "numeric decimal"),
        ("text", "", 256, "varchar text nvarchar character_varying"),
        ("text", "padded", 1, "char character nchar"),
        ("text", "padded", 256, "bpchar"),
        ("binary", "", 64_000, "varbyte varbinary binary_varying"),
        ("super", "", 0, "super"),
    ),
    # BigQuery, Data types: parameters are limits of the column and no other type.
    "bigquery": (
        *_REST,
        ("int", "", 64, "int64 int smallint integer bigint tinyint byteint"),
        ("float", "", 64, "float64 float"),
        ("number", "9", 38, "numeric decimal"),
        ("number", "38", 76, "bignumeric bigdecimal"),
        ("text", "", _MOST, "string"),
        ("binary", "", _MOST, "bytes"),
        ("time", "", 6, "time"),
        ("timestamp", "ntz", 6, "datetime"),
        ("timestamp", "tz", 6, "timestamp"),
        ("geography", "", 0, "geography"),
    ),
    # DuckDB, Data types: lengths of texts are read and forgotten, so that all texts are one type.
    "duckdb": (
        *_NUMBERS,
        *_REST,
        *_CLOCKS,
        ("int", "", 8, "tinyint int1"),
        ("int", "", 16, "short"),
        ("int", "", 32, "signed"),
        ("int", "", 64, "long"),
        ("int", "", 128, "hugeint int128"),
        ("uint", "", 8, "utinyint"),
        ("uint", "", 16, "usmallint"),
        ("uint", "", 32, "uinteger"),
        ("uint", "", 64, "ubigint"),
        ("float", "", 32, "float"),
        ("number", "3", 18, "decimal numeric"),
        ("string", "", 0, "varchar char bpchar text string"),
        ("blob", "", 0, "blob bytea binary varbinary"),
        ("timestamp", "ntz", 6, "datetime"),
        ("timestamp", "ntz", 0, "timestamp_s"),
        ("timestamp", "ntz", 3, "timestamp_ms"),
        ("timestamp", "ntz", 9, "timestamp_ns"),
    ),
    "databricks": _LAKE,
    "spark": _LAKE,
    "trino": _TRINO,
    "athena": _TRINO,
}
_NAMES: Final = {
    adapter: {name.replace("_", " "): row for row in rows for name in row[3].split()}
    for adapter, rows in _TABLES.items()
}

_TEXT: Final = re.compile(r"(?P<head>[\w ]+)(?:[(<](?P<inside>.*)[)>](?P<tail>[\w ]*))?(?P<lists>(?:\[\d*\])*)")
_COLLATION: Final = re.compile(r" collate '?([\w-]+)'?$")
_FIELD: Final = re.compile(r"""("[^"]*"|`[^`]*`|[\w$]+)(?: ?: ?| )(.+)""")
_SIZES: Final = re.compile(r"\d{1,9}(?: ?, ?\d{1,9})?")
_OPENS: Final = "(<["
_SHUTS: Final = ")>]"


@dataclass(frozen=True, slots=True)
class _Type:
    """A type that is understood. `kind` sets apart what has no order within a family; `size` is what has one."""

    family: str
    kind: str = ""
    size: int = 0
    names: tuple[str, ...] = ()
    parts: tuple["_Type", ...] = ()


def relation_of(before: str | None, after: str | None, adapter: str) -> Relation:
    """How the type `after` relates to `before` on this adapter: `wider` where every value of `before` fits into it.

    A type that is not written down or that is not in the lattice is the same as itself and else unknown.
    """
    was, now = _plain(before), _plain(after)
    if was == now:
        return "same"
    old, new = _understood(was, adapter), _understood(now, adapter)
    return "unknown" if old is None or new is None else _relation(old, new)


def _plain(text: str | None) -> str:
    """The text with single spaces, and without capitals but for quoted names, whose capitals count."""
    pieces = re.split(r"""("[^"]*"|`[^`]*`)""", " ".join((text or "").split()))
    plain = "".join(piece if at % 2 else piece.lower() for at, piece in enumerate(pieces))
    return re.sub(r" ?([(<\[,:>)\]]) ?", lambda found: f"{found[1]} " if found[1] == ")" else found[1], plain).strip()


@lru_cache(maxsize=4096)
def _understood(text: str, adapter: str, depth: int = 0) -> _Type | None:
    names = _NAMES.get(adapter)
    collation = _COLLATION.search(text)
    found = _TEXT.fullmatch(text[: collation.start()] if collation else text)
    if names is None or found is None or depth > _DEEPEST or len(text) > _LONGEST:
        return None
    if found["lists"]:
        item = _understood(text[: text.rindex("[")], adapter, depth + 1)
        return item and _Type(family="array", parts=(item,))
    name = f"{found['head']} {(found['tail'] or '').strip()}".replace("_", " ").strip()
    if name in _LISTS or name in _RECORDS:
        return _nested(name, found["inside"], adapter, depth)
    return _leaf(names.get(name), found["inside"], collation)


def _leaf(row: _Row | None, inside: str | None, collation: re.Match[str] | None) -> _Type | None:
    if row is None or (inside is not None and (row[0] not in _SIZED | {"string"} or not _SIZES.fullmatch(inside))):
        return None
    family, kind, size, _ = row
    if inside is not None and family in _SIZED:
        length, _, scale = inside.partition(",")
        size = int(length)
        kind = str(int(scale or 0)) if family == "number" else kind
    return _Type(family=family, kind=f"{kind} {collation[1]}" if collation else kind, size=size)


def _nested(name: str, inside: str | None, adapter: str, depth: int) -> _Type | None:
    """What is in a list, a map or a record. Of one that does not say, nothing is known but that it is one."""
    if inside is None:
        return _Type(family=name, kind="of anything")
    names: list[str] = []
    parts: list[_Type] = []
    for text in _split(inside):
        field = _FIELD.fullmatch(text) if name in _RECORDS else None
        part = _understood(field[2] if field else text, adapter, depth + 1)
        if part is None or (name in _RECORDS and field is None):
            return None
        names += [field[1]] if field else []
        parts.append(part)
    return _Type(family=name, names=tuple(names), parts=tuple(parts))


def _split(inside: str) -> Iterator[str]:
    """The parts between the commas that stand in no brackets."""
    depth, start = 0, 0
    for at, character in enumerate(inside):
        depth += (character in _OPENS) - (character in _SHUTS)
        if character == "," and not depth:
            yield inside[start:at].strip()
            start = at + 1
    yield inside[start:].strip()


def _relation(old: _Type, new: _Type) -> Relation:
    if (old.family, old.names, len(old.parts)) != (new.family, new.names, len(new.parts)):
        return "other"
    if old.kind != new.kind:
        return "apart"
    if not old.parts:
        return "same" if old.size == new.size else "wider" if old.size < new.size else "narrower"
    found = {_relation(*pair) for pair in zip(old.parts, new.parts, strict=True)} - {"same"}
    if len(found) == 1:
        return found.pop()
    return "other" if "other" in found else "apart" if found else "same"
