"""`mesh consumers`: projects in, who reads them out."""

import os
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.artifacts.verdict_words import owner_words
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import flags, registry_options
from registry_tools.cli.output import counted, detail, done, show_json, some
from registry_tools.mesh import names
from registry_tools.tasks.list_consumers import ListedConsumer, list_consumers

FORMATS: Final = ("text", "json", "repositories")
# What may follow `repos/` in an address of GitHub's: an owner, and a name that is neither `.` nor `..`.
_ON_GITHUB: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")


@click.command("consumers", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("projects", nargs=-1, metavar="[PROJECT]...")
@registry_options
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="For people or for programs; repositories are those on GitHub from which consumers publish, one on a line.",
)
@at_the_edge
def command(projects: tuple[str, ...], form: str, **options: Any) -> None:  # noqa: ANN401  # click's
    """Show who reads a project's public models; of every project where none is named."""
    where = flags(options)
    for project in projects:
        names.project_name(project, where="PROJECT")
    listed = list_consumers(projects, open_from(where, Path(os.curdir)).registry)
    if form == "json":
        show_json({"consumers": [_entry(one) for one in listed]})
        return
    if form == "repositories":
        for repository in repositories(listed):
            click.echo(repository)
        return
    for upstream, consumers in groupby(listed, lambda one: one.upstream):
        _show(upstream, list(consumers))
    for silent in [name for name in projects if not any(one.upstream == name for one in listed)]:
        done(f"nobody reads {silent}")
    if not projects and not listed:
        done("nobody reads anything yet")


def repositories(listed: Iterable[ListedConsumer]) -> list[str]:
    """The repositories on GitHub whose jobs published these consumers, each once. It is what a job said of itself:
    whoever acts upon one needs a token that reaches the repositories of this mesh and no others.
    """
    actors = (one.publication.actor for one in listed)
    told = sorted({actor.repository for actor in actors if actor.system == "github" and actor.repository})
    return sorted({name.lower(): name for name in told if _ON_GITHUB.fullmatch(name)}.values(), key=str.lower)


def _show(upstream: str, consumers: list[ListedConsumer]) -> None:
    projects = {one.publication.project for one in consumers}
    done(f"{upstream} is read by {counted(len(projects), 'project')}")
    for one in consumers:
        contact = owner_words(one.usage.owner)
        detail(f"{one.publication}  {contact}" if contact else str(one.publication))
        verb = "reads" if len(one.nodes) == 1 else "read"
        detail(f"  {counted(len(one.nodes), 'node')} {verb} {some(one.models)}")
        if one.unread:
            nodes = some([node.split(".", 2)[-1] for node in one.unread])
            detail(f"  of {counted(len(one.unread), 'node')} it is not known which columns they read: {nodes}")


def _entry(one: ListedConsumer) -> dict[str, Any]:
    publication = one.publication
    return {
        "upstream": one.upstream,
        "project": publication.project,
        "environment": publication.environment,
        "publication": publication.id,
        "n": publication.n,
        "published_at": publication.published_at,
        "repository": publication.actor.repository,
        "owner": dict(one.usage.owner),
        "models": list(one.models),
        "nodes": list(one.nodes),
        "unread": list(one.unread),
    }
