"""`mesh consumers`: projects in, who reads them out."""

import os
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from registry_tools.artifacts.verdict_words import owner_words
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import flags, format_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json, some
from registry_tools.mesh import names
from registry_tools.tasks.list_consumers import ListedConsumer, list_consumers


@click.command("consumers", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("projects", nargs=-1, metavar="[PROJECT]...")
@registry_options
@format_option
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
    for upstream, consumers in groupby(listed, lambda one: one.upstream):
        _show(upstream, list(consumers))
    for silent in [name for name in projects if not any(one.upstream == name for one in listed)]:
        done(f"nobody reads {silent}")
    if not projects and not listed:
        done("nobody reads anything yet")


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
        "owner": dict(one.usage.owner),
        "models": list(one.models),
        "nodes": list(one.nodes),
        "unread": list(one.unread),
    }
