"""A message in, a command of a GitHub workflow out that shows it at a line of a file; or a text that is none.

See Workflow commands for GitHub Actions, Setting an error message; what is escaped, and how, is that of
actions/toolkit, packages/core/src/command.ts.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from registry_tools.mesh.printable import printable
from registry_tools.mesh.use import Level, Place

_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}
# What a runner obeys in any step's log: `::` after nothing but space, and `##[` anywhere in a line (actions/runner,
# src/Runner.Common/ActionCommand.cs).
_OBEYED: Final = re.compile(r"(?<![^\s]):(?=:)|#(?=#\[)")


def inert_line(text: str) -> str:
    """The text as one line of a log that is shown and not obeyed, by a terminal or by a workflow's runner."""
    return _OBEYED.sub(lambda found: f"\\x{ord(found.group()):02x}", printable(text))


def annotation(level: Level, title: str, lines: Sequence[str], place: Place | None, folder: PurePath) -> str:
    """The command on its line. A place is relative to the project, and `folder` is the project's own, as seen from the
    repository's root. Nothing in a text becomes a command, and nothing but the end of a line of ours ends one.
    """
    message = _data("\n".join(map(printable, lines)))
    properties = ",".join(f"{key}={_property(value)}" for key, value in _properties(title, place, folder))
    return f"::{_COMMANDS[level]} {properties}::{message}\n"


def _properties(title: str, place: Place | None, folder: PurePath) -> Iterator[tuple[str, str]]:
    if place is not None:
        yield "file", printable((folder / place.path).as_posix())
        if place.line:
            yield "line", str(place.line)
    yield "title", printable(title)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
