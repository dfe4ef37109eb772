"""A line of compiled SQL in, the line of the file that a person wrote out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

from registry_tools.intake.calls import Call, calls_in_python, calls_in_template

# Lines of one file that are compared with those of another; beyond it a search would take longer than reading the SQL.
_MOST: Final = 4_000
_HALF: Final = 2


@dataclass(frozen=True, kw_only=True)
class Source:
    """A node's file: `raw` is the part of `text` that dbt compiled, `ctes` the SQL that it put in from other nodes."""

    raw: str
    compiled: str
    text: str = ""
    ctes: tuple[str, ...] = ()
    is_python: bool = False

    def line_of(self, line: int, word: str) -> int:
        """Where in the file a word stands that is on this line of the compiled SQL; 0 where that cannot be told."""
        if not line or line in self._foreign_lines:
            return 0
        first, last = self._block(line)
        found = (at for at in range(first, last) if holds(self._raw_lines[at], word)) if last - first > 1 else ()
        return next(iter(found), first) + 1 + self._offset if last > first else 0

    def line_of_call(self, way: str, arguments: tuple[str, ...]) -> int:
        """Where the file first refers to a table in this `way` by these arguments, a version last; 0 where it does
        not.
        """
        return next((line for call, line in self._calls if call.way == way and _written(call) == arguments), 0)

    @cached_property
    def _raw_lines(self) -> list[str]:
        return self.raw.split("\n")

    @cached_property
    def _compiled_lines(self) -> list[str]:
        """Those of other nodes' files are like none of this one's."""
        lines = enumerate(self.compiled.split("\n"), 1)
        return [f"\0{number}" if number in self._foreign_lines else line for number, line in lines]

    @cached_property
    def _offset(self) -> int:
        """How many lines stand above what dbt compiled: it strips a file, and takes a snapshot out of its block."""
        at = self.text.find(self.raw) if self.raw else -1
        return self.text.count("\n", 0, at) if at > 0 else 0

    @cached_property
    def _calls(self) -> list[tuple[Call, int]]:
        read = calls_in_python if self.is_python else calls_in_template
        return [(call, self.raw.count("\n", 0, call.at) + 1 + self._offset) for call in read(self.raw)]

    @cached_property
    def _foreign_lines(self) -> frozenset[int]:
        """The lines of the SQL that stand in other nodes' files: those of ephemeral models."""
        found: set[int] = set()
        for cte in self.ctes:
            at = self.compiled.find(cte)
            if cte and at >= 0:
                first = self.compiled.count("\n", 0, at) + 1
                found.update(range(first, first + cte.count("\n") + 1))
        return frozenset(found)

    def _block(self, line: int) -> tuple[int, int]:
        """The lines of the raw code, from 0, out of which this line of the compiled one was made."""
        at = line - 1
        for compiled, raw in self._blocks:
            if compiled.start <= at < compiled.stop:
                if len(compiled) == len(raw):
                    return raw[at - compiled.start], raw[at - compiled.start] + 1
                return raw.start, raw.stop
        return 0, 0

    @cached_property
    def _blocks(self) -> list[tuple[range, range]]:
        return list(_blocks(self._compiled_lines, self._raw_lines))


def _blocks(compiled: Sequence[str], raw: Sequence[str]) -> Iterator[tuple[range, range]]:
    """Which lines were made out of which: line by line where there are as many of both."""
    alike = sum(a == b for a, b in zip(compiled, raw, strict=False))
    both = min(len(compiled), len(raw))
    # the first case is most models, in which only some values were filled in
    if (len(compiled) == len(raw) and alike * _HALF >= both) or max(len(compiled), len(raw)) > _MOST:
        yield range(both), range(both)
        return
    for _, a, b, c, d in SequenceMatcher(None, compiled, raw, autojunk=False).get_opcodes():
        yield range(a, b), range(c, d)


def _written(call: Call) -> tuple[str | None, ...]:
    return (*call.arguments, call.version or "") if call.way == "ref" else call.arguments


def holds(line: str, word: str) -> bool:
    """Whether a word stands in a line, in any case of its letters."""
    return re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", line, re.IGNORECASE) is not None
