"""What one query reads, as values: which columns of which tables, by name or by `*`, and what its own columns are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from registry_tools.mesh.usage import Whole

# Why nothing is known of a node whose SQL dbt has not written: it was parsed alone, or left out of the last build.
NOT_COMPILED: Final = "not compiled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """A table as far as its columns are known: their names as the warehouse stores them (`AMOUNT` for an unquoted
    `amount` on Snowflake), in their order. Where `complete` is False there may be others.

    `table` is the name under which a reading tells of it, and anything that says which table it is.
    """

    table: str
    columns: tuple[str, ...] = ()
    complete: bool = True


# A relation as SQL names it (database, schema, identifier; each as the warehouse stores it, None where it is left out)
# to the table that it is; None for a table that nobody asks about.
Tables = Callable[[tuple[str | None, str | None, str]], Shape | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableReading:
    """What a query reads of one table: columns that it names, each with the line (1-based, of the SQL that was read) on
    which it does so first; what becomes of whole rows; and the names that a new column of the table must not have,
    in lower case on platforms that tell no case apart.
    """

    columns: Mapping[str, int] = field(default_factory=dict)
    whole: frozenset[Whole] = frozenset()
    taken: frozenset[str] = frozenset()
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """A column of a table that a value is made of. `table` is a Shape's."""

    table: str
    column: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """A column that the query gives: its name as the warehouse stores it, and what its values are made of.

    `passed` is the column that a `*` passes on here untouched and under its own name: it comes and goes with it.
    """

    name: str
    origins: frozenset[Origin] = frozenset()
    passed: Origin | None = None


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fault:
    """A name on a line of the SQL that means nothing, as far as the tables are known, or more than one thing."""

    name: str
    line: int
    ambiguous: bool = False

    def __str__(self) -> str:
        return f"{self.name} is {'ambiguous' if self.ambiguous else 'not to be found'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryReading:
    """What a query reads of each table that was asked about, by the table's name, and what it gives.

    `faults` are the names for which the warehouse would decline it, sorted.

    `open` are the tables whose rows a `*` leads into the outputs although not all of their columns are known: there
    are more outputs than are listed. Where `unread` is not empty, nothing else is known: it says why, in a few words.
    """

    tables: Mapping[str, TableReading] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    open: frozenset[str] = frozenset()
    unread: str = ""
    faults: tuple[Fault, ...] = ()
