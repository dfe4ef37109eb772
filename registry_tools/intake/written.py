"""A node and its file in, the lines out on which people find what the node reads: in SQL, in Python, or in YAML."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from registry_tools.intake.lines import Source, holds
from registry_tools.intake.manifest import posix
from registry_tools.intake.own_nodes import text_within
from registry_tools.intake.project_flow import ProjectFlow, Seen


class Written(Protocol):
    """Where something is written. A line is 0 where it is not known."""

    @property
    def path(self) -> str:
        """The file, relative to its project."""
        ...

    def line_of(self, line: int, column: str) -> int:
        """Where a column stands that is on this line of the compiled SQL; 0 stands for no line of it."""
        ...

    def line_of_call(self, parents: Iterable[str], line: int) -> int:
        """Where the file refers to one of these nodes or tables, of which one is on this line of the compiled SQL."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenCode:
    """A file of SQL or Python. `calls` are the ways and the arguments by which it may refer to each parent."""

    path: str
    source: Source
    calls: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]

    def line_of(self, line: int, column: str) -> int:
        """Where a column stands that is on this line of the compiled SQL."""
        return self.source.line_of(line, column)

    def line_of_call(self, parents: Iterable[str], line: int) -> int:
        """The first `ref` or `source` of the first parent that the file refers to by itself."""
        for parent in parents:
            for way, arguments in self.calls.get(parent, ()):
                if found := self.source.line_of_call(way, arguments):
                    return found
        return self.source.line_of(line, "")


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenYaml:
    """An entry of a YAML file, to which `names` lead from the outermost one on."""

    path: str
    text: str = ""
    names: tuple[str, ...] = ()

    def line_of(self, line: int, column: str) -> int:  # noqa: ARG002  # compiled SQL has nothing to do with YAML
        """The first line below the entry that is about the column, or else names it."""
        return line_in_yaml(self.text, (*self.names, column)) or line_in_yaml(self.text, self.names, column)

    def line_of_call(self, parents: Iterable[str], line: int) -> int:  # noqa: ARG002  # there is one entry
        """The entry."""
        return line_in_yaml(self.text, self.names)


@dataclass(kw_only=True, slots=True)
class Files:
    """The files of a project, each read once. Without a folder, only what the manifest has of them is known."""

    folder: Path | None
    _texts: dict[str, str] = field(default_factory=dict)

    def of_node(self, project: ProjectFlow, seen: Seen) -> Written:
        """Where a node is written."""
        node, path = seen.node, posix(seen.node.original_file_path or "")
        if is_yaml(path):
            tested = project.nodes.get(node.attached_node or "", node)
            return self.of_entry(path, (tested.name,))
        source = Source(
            raw=node.raw_code or "",
            compiled=seen.sql,
            text=self.text(path),
            ctes=tuple(cte.sql.strip() for cte in node.extra_ctes if cte.sql),
            is_python=node.language == "python",
        )
        calls = {parent: tuple(project.calls_to(parent, by)) for parent, by in seen.parents.items()}
        return WrittenCode(path=path, source=source, calls=calls)

    def of_entry(self, path: str, names: tuple[str, ...]) -> Written:
        """Where an entry of a YAML file is."""
        path = posix(path)
        return WrittenYaml(path=path, text=self.text(path), names=names)

    def text(self, path: str) -> str:
        """A file of the project; nothing of one that is not there, or is not in it."""
        if self.folder is None or not path:
            return ""
        if path not in self._texts:
            self._texts[path] = text_within(self.folder, path)
        return self._texts[path]


def is_yaml(path: str) -> bool:
    """Whether a file of this name is YAML."""
    return path.endswith((".yml", ".yaml"))


def line_in_yaml(text: str, names: Iterable[str], word: str = "") -> int:
    """Where a YAML file that people wrote speaks of something: behind the entries of `names`, each within the one
    before, the first line that holds `word`, or the last entry itself. 0 where it has no such entry.
    """
    lines = text.split("\n")
    at = -1
    for name in names:
        entry = re.compile(rf"\s*-?\s*(?:name|v|input):\s*[\"']?{re.escape(name)}[\"']?\s*(?:#.*)?$")
        at = next((number for number in range(at + 1, len(lines)) if entry.match(lines[number])), -1)
        if at < 0:
            return 0
    if not word:
        return at + 1
    return next((number + 1 for number in range(at + 1, len(lines)) if holds(lines[number], word)), 0)
