"""An identifier of a query in; its name as the warehouse stores and compares it, and the line where it stands, out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlglot import Expr, exp

from registry_tools.mesh.relation import fold

# The others compare quoted names letter by letter (Snowflake, Identifier Requirements; PostgreSQL, 4.1.1; Oracle,
# Database Object Names; ClickHouse, Identifiers). Redshift does so only with enable_case_sensitive_identifier.
_EXACT: Final = frozenset(
    ("snowflake", "postgres", "postgresql", "oracle", "clickhouse", "materialize", "risingwave", "greenplum", "alloydb")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """How one platform stores and compares names."""

    adapter: str

    def stored(self, identifier: Expr) -> str:
        """The name as the warehouse stores it."""
        return identifier.name if identifier.args.get("quoted") else fold(identifier.name, self.adapter)

    def key(self, stored: str) -> str:
        """What two names have in common that are one to the warehouse."""
        return stored if self.adapter in _EXACT else stored.lower()

    def key_of(self, identifier: Expr) -> str:
        """Both at once."""
        return self.key(self.stored(identifier))


def line_of(node: Expr) -> int:
    """The line on which a node begins, counted from 1. What sqlglot made up itself stands where its parent does."""
    place: Expr | None = node
    while place is not None:
        line = next(_lines(place), 0)
        if line:
            return line
        place = place.parent
    return 0


def _lines(node: Expr) -> Iterator[int]:
    if node.meta.get("line"):
        yield int(node.meta["line"])
    for each in node.find_all(exp.Identifier, exp.Star):
        if each.meta.get("line"):
            yield int(each.meta["line"])
