"""Sections of statements in, one SQL file out that a person can review and that may be run again and again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry_tools.artifacts.files import RENDERED, GeneratedFile
from registry_tools.mesh.account import quoted

FOLDER: Final = Path("snowflake_setup")
HEAD: Final = f"{RENDERED} from mesh.yml. Change that, and run mesh render."
# What a line has room for, its indent included (snowflake_setup/.sqlfluff).
_WIDTH: Final = 120
_MANY: Final = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """Statements that one role runs, each without its semicolon."""

    role: str
    statements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """What belongs together, and in a sentence why it is there."""

    title: str
    why: str
    stretches: tuple[Stretch, ...]


def script(name: str, purpose: Iterable[str], sections: Iterable[Section]) -> GeneratedFile:
    """The file of this name. Whoever runs it has the role ACCOUNTADMIN, and acts in the least one that a statement
    takes; secondary roles would lend it the rights of all others.
    """
    numbered = (line for number, section in enumerate(sections, 1) for line in _section(number, section))
    told = (f"-- {line}" for line in (HEAD, *purpose))
    lines = (*told, "", "use secondary roles none;", *numbered)
    return GeneratedFile(path=FOLDER / name, content="\n".join((*lines, "")).encode())


def settings(opening: str, values: Iterable[tuple[str, object]]) -> str:
    """A statement and its properties: on one line where they fit, otherwise each on a line of its own."""
    told = [f"{name} = {value}" for name, value in values]
    line = " ".join((opening, *told))
    return line if len(told) < _MANY and len(line) < _WIDTH else "\n    ".join((opening, *told))


def tagging(opening: str, values: Iterable[tuple[str, str]]) -> str:
    """A statement that sets these tags, each on a line of its own."""
    return f"{opening} set tag\n    " + ",\n    ".join(f"{name} = {quoted(value)}" for name, value in values)


def _section(number: int, section: Section) -> Iterator[str]:
    yield from ("", f"-- {number}. {section.title}", f"-- {section.why}")
    role = None
    for stretch in section.stretches:
        if stretch.statements and stretch.role != role:
            yield from (() if role is None else ("",))
            yield f"use role {stretch.role};"
            role = stretch.role
        yield from (f"{_within(statement)};" for statement in stretch.statements)


def _within(statement: str) -> str:
    """A grant that is too long for a line, with its grantee on the next one."""
    head, to, grantee = statement.rpartition(" to ")
    return statement if len(statement) < _WIDTH or "\n" in statement or not to else f"{head}\n    to {grantee}"
