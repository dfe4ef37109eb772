"""Changes between two interfaces in, lines on a terminal out, coloured by what came and what went."""

from collections.abc import Sequence
from typing import Final

import click

from registry_tools.artifacts.change_report import change_text
from registry_tools.mesh.change import Change

_COLOURS: Final = {"+": "green", "-": "red", "~": "yellow"}


def show_changes(changes: Sequence[Change], heading: str) -> None:
    """The heading with the number of changes, and a line for each of them."""
    first, *lines = change_text(changes, heading).splitlines()
    click.secho(first, bold=True)
    for line in lines:
        click.secho(line, fg=_COLOURS[line.lstrip()[0]])
