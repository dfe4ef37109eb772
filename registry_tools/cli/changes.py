"""Changes between two interfaces in, lines on a terminal out, coloured by what they may do to somebody."""

from collections.abc import Sequence
from typing import Final

import click

from registry_tools.artifacts.change_report import change_text
from registry_tools.mesh.verdict import Class, Classified

_COLOURS: Final[dict[Class, str]] = {"BREAKING": "red", "DANGEROUS": "yellow", "SAFE": "green"}


def show_changes(changes: Sequence[Classified], heading: str) -> None:
    """The heading with the number of changes, and a line for each of them, which names its class as well."""
    first, *lines = change_text(changes, heading).splitlines()
    click.secho(first, bold=True)
    for line, one in zip(lines, changes, strict=True):
        click.secho(line, fg=_COLOURS[one.kind])
