"""What is met while a query is read, in; what it reads of each table, out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from registry_tools.intake.sql.names import Names
from registry_tools.intake.sql.reading import Fault, Origin, Shape, TableReading
from registry_tools.mesh.usage import Whole


@dataclass(kw_only=True, slots=True)
class _Note:
    keys: frozenset[str]
    line: int
    columns: dict[str, int] = field(default_factory=dict)
    whole: set[Whole] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


class Notes:
    """The tables that a query reads and what it does with them, written down in any order."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._notes: dict[str, _Note] = {}
        self.faults: set[Fault] = set()

    def meet(self, shape: Shape, line: int) -> None:
        """The query reads the table, here among other places."""
        note = self._notes.get(shape.table)
        if note is None:
            keys = frozenset(map(self._names.key, shape.columns))
            self._notes[shape.table] = _Note(keys=keys, line=line)
        elif 0 < line < note.line:
            note.line = line

    def name(self, columns: Iterable[Origin], line: int) -> None:
        """The query names these columns on this line."""
        for column in columns:
            lines = self._notes[column.table].columns
            known = lines.get(column.column, 0)
            lines[column.column] = min(known, line) if known and line else known or line

    def whole(self, tables: Iterable[str], what: Whole) -> None:
        """All columns of these tables become this."""
        for table in tables:
            self._notes[table].whole.add(what)

    def take(self, tables: Iterable[str], keys: Collection[str]) -> None:
        """Where it reads these tables, the query means something else by these names. Columns that a table has already
        are no news.
        """
        for table in tables:
            note = self._notes[table]
            note.taken.update(key for key in keys if key not in note.keys)

    def readings(self) -> dict[str, TableReading]:
        """What is known at the end, by table."""
        return {
            table: TableReading(
                columns=dict(sorted(note.columns.items())),
                whole=frozenset(note.whole),
                taken=frozenset(note.taken),
                line=note.line,
            )
            for table, note in sorted(self._notes.items())
        }
