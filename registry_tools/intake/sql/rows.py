"""What a part of a query gives: columns in their order, those that `*` passes on, and whose rows are among them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from registry_tools.intake.sql.parsing import Unreadable
from registry_tools.intake.sql.reading import Origin

NOTHING: Final[frozenset[Origin]] = frozenset()
# BigQuery takes 10,000 columns, the others fewer; twenty stars of two sources each make a million.
_MAX_COLUMNS: Final = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of some rows. `named` is what whoever names it reads by name: columns that `*` has led here, and
    nothing where an expression has named them already. `key` is its name as names are compared.
    """

    name: str
    key: str
    origins: frozenset[Origin] = NOTHING
    named: frozenset[Origin] = NOTHING
    passed: Origin | None = None

    def under(self, name: str, key: str) -> "Column":
        """The same column under a name that the query gives it."""
        return replace(self, name=name, key=key, passed=None)


@dataclass(kw_only=True, slots=True)
class Rows:
    """Rows of a query, a subquery or a table.

    `stars` are the tables whose columns, all of them and under their own names, are among these, each with the number
    of columns before which a new column of it would appear. Of the tables in `open` not all columns are known. With
    `more` there are further columns, which belong to no table that was asked about.
    """

    columns: tuple[Column, ...] = ()
    stars: tuple[tuple[str, int], ...] = ()
    open: frozenset[str] = frozenset()
    more: bool = False
    _by_key: dict[str, list[Column]] | None = field(default=None, repr=False, compare=False)

    @property
    def carried(self) -> frozenset[str]:
        """The tables whose whole rows are among these."""
        return frozenset(table for table, _ in self.stars)

    @property
    def loose(self) -> bool:
        """Whether a name that is not among the columns may be one."""
        return self.more or bool(self.open)

    @property
    def origins(self) -> frozenset[Origin]:
        """What all of its values are made of."""
        return frozenset().union(*(column.origins for column in self.columns))

    def found(self, key: str) -> Sequence[Column]:
        """The columns of this name: one, as a rule."""
        if self._by_key is None:
            self._by_key = {}
            for column in self.columns:
                self._by_key.setdefault(column.key, []).append(column)
        return self._by_key.get(key, ())

    def without(self, keys: Collection[str]) -> "Rows":
        """The same rows less some columns."""
        return self if not keys else self.where([column.key not in keys for column in self.columns])

    def where(self, keep: Sequence[bool]) -> "Rows":
        """The columns for which it says so."""
        before = [0]
        for kept in keep:
            before.append(before[-1] + kept)
        columns = tuple(column for column, kept in zip(self.columns, keep, strict=True) if kept)
        stars = tuple((table, before[position]) for table, position in self.stars)
        return Rows(columns=columns, stars=stars, open=self.open, more=self.more)

    def renamed(self, columns: Sequence[tuple[str, str]]) -> "Rows":
        """The first columns under the names of a column list, `t(a, b)`; name and key of each.

        Names without a column are columns that nobody knows of.
        """
        given = [column.under(*name) for column, name in zip(self.columns, columns, strict=False)]
        given += [Column(name=name, key=key) for name, key in columns[len(given) :]]
        rest = self.columns[len(given) :]
        return Rows(columns=(*given, *rest), stars=self.stars, open=self.open, more=self.more and not columns)


def joined(parts: Iterable[Rows]) -> Rows:
    """Columns side by side. Raises Unreadable where they are more than any warehouse has."""
    columns: list[Column] = []
    stars: list[tuple[str, int]] = []
    is_open: frozenset[str] = frozenset()
    more = False
    for part in parts:
        stars += ((table, position + len(columns)) for table, position in part.stars)
        columns += part.columns
        is_open |= part.open
        more = more or part.more
        if len(columns) > _MAX_COLUMNS:
            raise Unreadable(f"stars of it make more than {_MAX_COLUMNS:,} columns")
    return Rows(columns=tuple(columns), stars=tuple(stars), open=is_open, more=more)


def same_layout(left: Rows, right: Rows) -> bool:
    """Whether a column that comes or goes with a table comes and goes in both at the same place."""
    if left.stars != right.stars or len(left.columns) != len(right.columns):
        return False
    return all(a.passed == b.passed for a, b in zip(left.columns, right.columns, strict=True))


def stacked(left: Rows, right: Rows, *, by_name: bool) -> Rows:
    """The rows of both below each other: the columns are left's, made of right's as well."""
    if not by_name:
        columns = [_both(column, right.columns[index : index + 1]) for index, column in enumerate(left.columns)]
        return Rows(columns=tuple(columns), stars=left.stars, open=left.open, more=left.more)
    columns = [_both(column, right.found(column.key)) for column in left.columns]
    columns += [column for column in right.columns if not left.found(column.key)]
    stars = left.stars + tuple((table, len(columns)) for table in sorted(right.carried - left.carried))
    return Rows(columns=tuple(columns), stars=stars, open=left.open | right.open, more=left.more or right.more)


def _both(column: Column, others: Sequence[Column]) -> Column:
    if all(other.passed == column.passed and other.origins == column.origins for other in others):
        return column
    return Column(
        name=column.name,
        key=column.key,
        origins=column.origins.union(*(other.origins for other in others)),
        named=column.named.union(*(other.named for other in others)),
    )
