"""An SQL file's text in, its statements out, each with the line on which it begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"(?P<comment>--[^\n]*|//[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$)|(?P<end>;)|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its comments and its semicolon, and the line of the file on which it begins."""

    text: str
    line: int

    @property
    def on_one_line(self) -> str:
        """The same with single blanks wherever it has white space outside of quotes."""
        parts = re.split(r"('(?:[^'\\]|\\.|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$)", self.text, flags=re.DOTALL)
        return "".join(part if at % 2 else re.sub(r"\s+", " ", part) for at, part in enumerate(parts)).strip()


def statements(script: str) -> Iterator[Statement]:
    """The statements in their order. Snowflake's comments (`--`, `//`, `/* */`) are left out."""
    kept, begun = "", 0
    for found in _TOKEN.finditer(script):
        if found["end"]:
            yield from _whole(kept, begun)
            kept, begun = "", 0
            continue
        part = " " if found["comment"] else found.group()
        if not begun and not part.isspace():
            begun = script.count("\n", 0, found.start()) + 1
        kept += part
    yield from _whole(kept, begun)


def _whole(kept: str, line: int) -> Iterator[Statement]:
    if kept.strip():
        yield Statement(kept.strip(), line)
