"""The .dbtignore of a project in, what dbt does not read out: patterns as in .gitignore, of which the last decides."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PIECE: Final = re.compile(r"/\*\*/|^\*\*/|/\*\*$|\*+|\?|\[!?[^\]]+\]|.", re.DOTALL)
_MEANS: Final = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}


@dataclass(frozen=True, kw_only=True, slots=True)
class IgnoreRules:
    """Each pattern with whether it leaves out what it matches, or takes it in again."""

    patterns: tuple[tuple[re.Pattern[str], bool], ...] = ()

    def match(self, path: str) -> bool:
        """Whether the file at this path, relative to the project, is left out."""
        return next((leaves for pattern, leaves in reversed(self.patterns) if pattern.fullmatch(path)), False)


def read_ignore_rules(folder: Path) -> IgnoreRules:
    """The rules of `folder`; none where there is no .dbtignore, or none that is text."""
    try:
        lines = (folder / ".dbtignore").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return IgnoreRules()
    stripped = (line.strip() for line in lines)
    return IgnoreRules(patterns=tuple(_rule(line) for line in stripped if line.strip("!/") and line[0] != "#"))


def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    leaves = not line.startswith("!")
    pattern = line.removeprefix("!")
    anchored = "/" in pattern.rstrip("/")
    body = "".join(_regex(piece) for piece in _PIECE.findall(pattern.strip("/")))
    start = "" if anchored else "(?:.*/)?"
    below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    try:
        return re.compile(f"{start}{body}{below}", re.DOTALL), leaves
    except re.error:  # a range that runs backwards matches nothing
        return re.compile(r"(?!)"), leaves


def _regex(piece: str) -> str:
    if piece in _MEANS:
        return _MEANS[piece]
    if set(piece) == {"*"}:
        return "[^/]*"
    if piece.startswith("[") and len(piece) > 1:
        inside = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(piece)
