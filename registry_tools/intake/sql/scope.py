"""Where a name of a query is looked for: what stands in FROM, the select list's own names, and the queries around."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import Expr

from registry_tools.intake.sql.names import Names
from registry_tools.intake.sql.notes import Notes
from registry_tools.intake.sql.reading import Origin, Tables
from registry_tools.intake.sql.rows import Column, Rows, joined

Queries = Mapping[str, Rows]  # what WITH names, by key


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One thing in FROM: its rows, the key of the name that it goes by, and the keys of its whole name where it is a
    table without an alias. The columns in `merged` are given by a source before it: USING has made one of the two.
    """

    rows: Rows
    key: str = ""
    path: tuple[str, ...] = ()
    merged: frozenset[str] = frozenset()

    def answers_to(self, qualifier: tuple[str, ...]) -> bool:
        """Whether `qualifier.column` is a column of it."""
        return qualifier == (self.key,) or (len(qualifier) > 1 and self.path[-len(qualifier) :] == qualifier)

    def found(self, key: str) -> Sequence[Column]:
        """The columns that a name without a qualifier means here."""
        return () if key in self.merged else self.rows.found(key)


@dataclass(kw_only=True, slots=True)
class Scope:
    """One SELECT while it is read: sources are added in the order of FROM.

    `aliases` are the names that the select list gives, with what their values are made of: a column of the same name is
    meant before them, unless `aliases_win` in the clause that is being read. `around` is the query that this one stands
    in.
    """

    queries: Queries
    around: "Scope | None" = None
    sources: list[Source] = field(default_factory=list)
    aliases: dict[str, frozenset[Origin]] = field(default_factory=dict)
    aliases_win: bool = False

    @property
    def carried(self) -> frozenset[str]:
        """The tables of which whole rows are at hand here."""
        return frozenset().union(*(source.rows.carried for source in self.sources))

    def source(self, qualifier: tuple[str, ...]) -> Source | None:
        """What answers to the qualifier of a name, here or around."""
        scope: Scope | None = self
        while scope is not None:
            for source in scope.sources:
                if source.answers_to(qualifier):
                    return source
            scope = scope.around
        return None

    def every(self) -> Rows:
        """What `*` stands for."""
        return joined(source.rows.without(source.merged) for source in self.sources)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """What all parts of one reading share. `rows_of` reads a query that stands inside of another: which rows it gives,
    within the scope around it and with the names that WITH gives there.
    """

    names: Names
    tables: Tables
    notes: Notes
    rows_of: Callable[["Reader", Expr, Scope | None, Queries], Rows]
