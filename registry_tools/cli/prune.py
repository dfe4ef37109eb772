"""`mesh snowflake prune`: an environment in which pull requests are built in, the schemas dropped that are left out."""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from registry_tools.cli.connecting import connection_options, session_from
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.options import format_option
from registry_tools.cli.output import counted, detail, done, show_json, some
from registry_tools.errors import UsageError
from registry_tools.mesh.leftovers import Leftover, passing_places
from registry_tools.settings import deployment_of, find_mesh
from registry_tools.tasks.prune_schemas import Leftovers, drop_leftovers, find_leftovers
from registry_tools.tasks.see_account import see_roles


@click.command("prune", context_settings={"help_option_names": ["-h", "--help"]})
@connection_options
@click.option("--env", "environment", required=True, help="Where pull requests are built; nobody may read it.")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0, 3650),
    default=14,
    metavar="DAYS",
    help="How long ago they were created.  [default: 14]",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@format_option
@at_the_edge
def prune(environment: str, days: int, form: str, *, yes: bool, **options: Any) -> None:  # noqa: ANN401  # click's
    """Drop the schemas PR_<number> and PR_<number>_* that pull requests left behind, each by the role that owns it.

    A pull request that is still open gets its schemas again from its next build. What anybody reads is never dropped.
    """
    places = passing_places(deployment_of(find_mesh(Path(), os.environ)), environment)
    with session_from(options) as session:
        found = find_leftovers(session, places, see_roles(session), datetime.now(UTC) - timedelta(days=days))
        if form == "text":
            _show(found, days)
        if found.schemas and not yes:
            _confirm(found, environment)
        for leftover in drop_leftovers(session, found.schemas):
            if form == "text":
                done(f"dropped {leftover.schema.path}")
    if form == "json":
        show_json({"dropped": [_told(each) for each in found.schemas], "staying": found.staying})


def _show(found: Leftovers, days: int) -> None:
    for leftover in found.schemas:
        click.echo(f"{leftover.schema.path}  {leftover.created:%Y-%m-%d}  {leftover.role}")
    if not found.schemas:
        done(f"nothing of a pull request is older than {counted(days, 'day')}")
    if found.staying:
        detail(f"{counted(found.staying, 'schema')} of pull requests stay: younger, or another role's")
    if found.beyond:
        detail(f"not looked at, because you do not have their roles: {some([p.database for p in found.beyond])}")


def _confirm(found: Leftovers, environment: str) -> None:
    """Raises UsageError where nobody can be asked, and click.Abort for a no."""
    if not sys.stdin.isatty():
        then = f"mesh snowflake prune --env {environment} --yes"
        raise UsageError("nobody can be asked whether to drop them", then=then)
    click.confirm(f"Drop {counted(len(found.schemas), 'schema')} and all in them?", abort=True, err=True)


def _told(leftover: Leftover) -> dict[str, str]:
    created = leftover.created.astimezone(UTC).isoformat(timespec="seconds")
    return {"schema": leftover.schema.path, "role": leftover.role, "created": created}
