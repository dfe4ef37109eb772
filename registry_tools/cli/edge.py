"""A command's errors in, one message and one exit code out: the only place where they are caught."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from registry_tools.errors import MeshError
from registry_tools.mesh.printable import printable

P = ParamSpec("P")

INTERRUPTED = 130


def at_the_edge(command: Callable[P, int | None]) -> Callable[P, None]:
    """Run a command and exit: with the code it returns (0 for None), or with that of the error that it raises."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs) or 0
        except MeshError as error:
            lines = "\n".join(map(printable, error.lines))
            click.echo(f"{click.style('error:', fg='red', bold=True)} {lines}", err=True)
            code = error.exit_code
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            code = INTERRUPTED
        sys.exit(code)

    return run
