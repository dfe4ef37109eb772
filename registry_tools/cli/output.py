"""Values in, lines on a terminal out: the few shapes that all commands print in."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from registry_tools.artifacts.workflow_command import inert_line
from registry_tools.mesh.progress import Told, unheard

_NAMES: Final = 12


def show_json(document: Mapping[str, Any]) -> None:
    """One JSON document on standard output, for programs; neither a terminal nor a workflow obeys what it holds."""
    written = json.dumps(document, indent=2, ensure_ascii=False).replace("##[", "#\\u0023[")  # only texts have that
    lines = written.split("\n")  # those of the indentation: inside of texts JSON escapes them
    click.echo("\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in lines))


def _escaped(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def done(line: str) -> None:
    """A step that succeeded."""
    click.echo(f"{click.style('✓', fg='green')} {inert_line(line)}")


def detail(line: str) -> None:
    """What belongs to the line above."""
    click.echo(f"  {inert_line(line)}")


def warn(line: str, beneath: Iterable[str] = ()) -> None:
    """Something to know, on standard error, with what belongs to it."""
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {inert_line(line)}", err=True)
    for more in beneath:
        click.echo(f"  {inert_line(more)}", err=True)


@contextmanager
def progress(what: str) -> Iterator[Told]:
    """A bar on a terminal for work that takes over a second: whoever does it tells how much is done, of how much."""
    if not sys.stderr.isatty():
        yield unheard
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    begun = time.monotonic()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)

    def told(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - begun > 1:
            bar.start()

    try:
        yield told
    finally:
        bar.stop()


def counted(number: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some(names: Sequence[str]) -> str:
    """The names, as many as a person reads."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def ago(seconds: float) -> str:
    """`3 minutes ago`: the largest unit that fits."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return f"{counted(int(seconds // length), unit)} ago"
    return f"{counted(int(seconds), 'second')} ago"


def sized(size: int) -> str:
    """`12 bytes`, `3.4 MB`."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return counted(size, "byte")
