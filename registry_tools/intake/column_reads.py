"""What one node reads in, the reads that are recorded of it out: for each public model its columns, rows and names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from registry_tools.intake.own_nodes import NAME
from registry_tools.intake.project_flow import ProjectFlow, Seen
from registry_tools.intake.sql.reading import TableReading
from registry_tools.intake.targets import Target
from registry_tools.intake.written import Written
from registry_tools.mesh.usage import EVERY, Read, Whole

_ELSEWHERE: Final = "referred to outside its SQL"


@dataclass(kw_only=True, slots=True)
class _Found:
    """What was found of one model: columns with the lines of the SQL on which they stand, and where it came from."""

    columns: dict[str, int] = field(default_factory=dict)
    whole: set[Whole] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    unread: str = ""
    parents: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def name(self, column: str, line: int) -> None:
        """Count a column that stands on this line, or on none."""
        lines = [at for at in (self.columns.get(column, 0), line) if at]
        self.columns[column] = min(lines, default=0)


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a node reads, gathered table by table. An own node that is read stands for what `*` passed on to it."""

    project: ProjectFlow
    _found: dict[Target, _Found] = field(default_factory=dict)

    def add_query(self, seen: Seen) -> None:
        """Whatever the node's SQL reads; what it depends on and does not name there, it may read in any way."""
        if seen.reading.unread:
            for parent in seen.parents:
                self.add_every(self._passed_by(seen, parent), parent, seen.reading.unread)
            return
        for table, read in sorted(seen.reading.tables.items()):
            if self.project.foreign.is_foreign(table):
                self._add_foreign(seen, table, read)
            elif (own := self.project.own_at(table)) and own != seen.unique_id:
                self._add_own(own, read, held=seen.node.is_held)
        for parent in seen.parents:
            if self.project.tables_of(parent).isdisjoint(seen.reading.tables):
                self.add_every(self._passed_by(seen, parent), parent, _ELSEWHERE)
        for text in seen.node.named_in_config:
            self._add_named(seen, text)

    def add_columns(self, parent: str, targets: Iterable[Target], columns: Iterable[str]) -> None:
        """Columns, as the warehouse stores them, that are named of a parent: of `targets`, or of an own node."""
        for target in targets:
            self._at(target, [parent])
        for column in columns:
            passed = sorted(self.project.flow(parent).of(column).passed)
            for target, name in (*passed, *((target, column) for target in targets)):
                self._at(target, [parent]).name(name, 0)

    def add_every(self, targets: Iterable[Target], parent: str, unread: str) -> None:
        """Every column of these models, for this reason."""
        for target in targets:
            found = self._at(target, [parent])
            found.unread = found.unread or unread

    @property
    def is_empty(self) -> bool:
        """Whether nothing of another project was found."""
        return not self._found

    def reads(self, node: str, written: Written) -> Iterator[Read]:
        """The reads of the node, placed in the file that people wrote."""
        foreign = self.project.foreign
        for target, found in self._found.items():
            lines = {foreign.spell(target, column): line for column, line in found.columns.items()}
            columns = EVERY if found.unread else tuple(sorted(lines))
            yield Read(
                upstream=target.upstream,
                model=target.model,
                version=target.version,
                node=node,
                via=target.via,
                columns=columns,
                lines=() if found.unread else tuple(written.line_of(lines[name], name) for name in columns),
                whole=tuple(sorted(found.whole)),
                taken=tuple(sorted(foreign.spell(target, name) for name in found.taken)),
                unread=found.unread,
                path=written.path,
                line=written.line_of_call(found.parents, min((line for line in found.lines if line), default=0)),
            )

    def _passed_by(self, seen: Seen, parent: str) -> frozenset[Target]:
        direct = self.project.foreign_of(self.project.refs_of(seen.unique_id), parent)
        return direct | self.project.flow(parent).passed_whole

    def _add_foreign(self, seen: Seen, table: str, read: TableReading) -> None:
        parents = [parent for parent in seen.parents if self.project.foreign.table_of(parent) == table]
        for target in seen.around.targets(table):
            found = self._at(target, parents)
            self._add_rows(found, read, held=seen.node.is_held)
            for column, line in read.columns.items():
                found.name(column, line)

    def _add_own(self, own: str, read: TableReading, *, held: bool) -> None:
        flow = self.project.flow(own)
        for target in sorted(flow.whole):
            if read.whole or read.taken:
                self._add_rows(self._at(target, [own]), read, held=held)
        for column, line in read.columns.items():
            for target, name in flow.of(column).passed:
                found = self._at(target, [own])
                found.name(name, line)
                found.lines.append(read.line)

    def _add_rows(self, found: _Found, read: TableReading, *, held: bool) -> None:
        found.whole |= {"contract" if held and way == "output" else way for way in read.whole}
        found.taken |= read.taken
        found.lines.append(read.line)

    def _add_named(self, seen: Seen, text: str) -> None:
        """What a text of the config names of the node's own columns: one of them, or an expression of several."""
        flow, known = self.project.flow(seen.unique_id), self.project.known
        names = [text] if NAME.fullmatch(text) else [n for n in NAME.findall(text) if known.stored(n) in flow.columns]
        for name in names:
            for target, column in sorted(flow.of(known.stored(name)).passed):
                self._at(target, ()).name(column, 0)

    def _at(self, target: Target, parents: Iterable[str]) -> _Found:
        found = self._found.setdefault(target, _Found())
        found.parents.extend(parent for parent in parents if parent not in found.parents)
        return found
