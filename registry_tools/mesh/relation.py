"""A relation as dbt writes it in, its parts as the warehouse stores them out: database, schema, identifier, quoting."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from registry_tools.mesh.relation_map import renamed

_QUOTED: Final = r'"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|'
_PART: Final = re.compile(rf"{_QUOTED}([\w$]+)")
# BigQuery takes single dashes without quotes (Lexical structure, Table names); two of them begin a comment.
_DASHED_PART: Final = re.compile(rf"{_QUOTED}([\w$]+(?:-[\w$]+)*)")

_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
# How unquoted names are stored: Snowflake, Identifier Requirements; Oracle, Database Object Names and Qualifiers;
# PostgreSQL, 4.1.1; Redshift, Names and Identifiers; Trino, Reserved keywords; Athena, Name databases, tables, and
# columns; Databricks, Names. All of them fold the letters A to Z alone. BigQuery, DuckDB, Spark and ClickHouse store
# a name as it is written, and of any other warehouse we do not know.
_FOLDING: Final = dict.fromkeys(("snowflake", "oracle"), _UPPER) | dict.fromkeys(
    ("postgres", "redshift", "trino", "athena", "databricks"), _LOWER
)

# dbt puts every name into quotes but on these (the adapters' QuotePolicy).
_UNQUOTED: Final = ("snowflake", "spark", "oracle")
PARTS: Final = ("database", "schema", "identifier")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One name of a relation. An unquoted name is held as the warehouse stores it: in upper case on Snowflake."""

    name: str
    quote: str = ""

    def __str__(self) -> str:
        return f"{self.quote}{self.inner}{self.quote}"

    @property
    def inner(self) -> str:
        """The name as it stands between its quotes."""
        return self.name.replace(self.quote, self.quote * 2) if self.quote else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """Where a model lives. Adapters without databases leave `database` out."""

    database: Part | None
    schema: Part | None
    identifier: Part

    def __str__(self) -> str:
        return ".".join(str(part) for part in (self.database, self.schema, self.identifier) if part)

    def spelled(self, quoting: Mapping[str, bool]) -> dict[str, str]:
        """The names to give a model whose relation dbt then writes as this one; an absent part is empty.

        dbt knows no quoting of a single model: it quotes all names of a part or none, as `quoting` says. A name that
        has to be quoted where dbt quotes none therefore brings its quotes along.
        """
        parts = zip(PARTS, (self.database, self.schema, self.identifier), strict=True)
        return {name: "" if part is None else part.inner if quoting[name] else str(part) for name, part in parts}

    def mapped(self, databases: Mapping[str, str], schemas: Mapping[str, str]) -> "Relation":
        """The same relation where the consumer's account calls its database or its schema by another name.

        What was quoted stays quoted, and what was not stays so.
        """
        return replace(self, database=_renamed(self.database, databases), schema=_renamed(self.schema, schemas))


def parse_relation(relation_name: str, adapter: str) -> Relation:
    """`DB.SCHEMA.NAME` with any part quoted. Raises ValueError when it has no or more than three parts."""
    matches = list((_DASHED_PART if adapter == "bigquery" else _PART).finditer(relation_name))
    if not 1 <= len(matches) <= 3 or ".".join(match.group() for match in matches) != relation_name:  # noqa: PLR2004
        raise ValueError(f"{relation_name!r} is not database.schema.identifier")
    parts = [_part(match, adapter) for match in matches]
    if not all(part.name for part in parts):
        raise ValueError(f"{relation_name!r} has a part without a name")
    database, schema, identifier = [None] * (3 - len(parts)) + parts
    assert identifier is not None  # noqa: S101  # for the type checker: at least one part was found
    return Relation(database=database, schema=schema, identifier=identifier)


def quoting_of(adapter: str, configured: Mapping[str, bool]) -> dict[str, bool]:
    """Which parts of a relation dbt quotes: what dbt_project.yml says, else what the adapter does."""
    return dict.fromkeys(PARTS, adapter not in _UNQUOTED) | {k: v for k, v in configured.items() if k in PARTS}


def fold(name: str, adapter: str) -> str:
    """An unquoted name as the warehouse stores it."""
    return name.translate(_FOLDING.get(adapter, {}))


def _part(match: re.Match[str], adapter: str) -> Part:
    double, back, bare = match.groups()
    if double is not None:
        return Part(name=double.replace('""', '"'), quote='"')
    if back is not None:
        return Part(name=back.replace("``", "`"), quote="`")
    return Part(name=fold(bare, adapter))


def _renamed(part: Part | None, names: Mapping[str, str]) -> Part | None:
    return replace(part, name=renamed(part.name, names)) if part else None
