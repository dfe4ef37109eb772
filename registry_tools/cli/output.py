"""Values in, lines on a terminal out: the few shapes that all commands print in."""

import json
from collections.abc import Mapping
from typing import Any

import click


def show_json(document: Mapping[str, Any]) -> None:
    """One JSON document on standard output, for programs."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def done(line: str) -> None:
    """A step that succeeded."""
    click.echo(f"{click.style('✓', fg='green')} {line}")


def detail(line: str) -> None:
    """What belongs to the line above."""
    click.echo(f"  {line}")


def warn(line: str) -> None:
    """Something to know, on standard error."""
    click.echo(f"{click.style('warning:', fg='yellow', bold=True)} {line}", err=True)


def counted(number: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
