"""`mesh lineage`: the manifests of all projects of mesh.yml in, the mesh as a tree and its findings out."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.options import format_option
from registry_tools.cli.output import detail, done, show_json
from registry_tools.cli.tree import show_tree
from registry_tools.errors import UsageError
from registry_tools.mesh.printable import printable
from registry_tools.settings import Mesh, find_mesh
from registry_tools.tasks.trace_lineage import Traced, trace_lineage


@click.command("lineage", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Exit 1 when mesh.yml and the manifests do not agree about who reads whom.")
@format_option
@at_the_edge
def command(*, check: bool, form: str) -> int:
    """Show which nodes read which public models, through sources and refs alike, across all projects."""
    mesh = find_mesh(Path(), os.environ)
    traced = trace_lineage(_members(mesh), os.environ)
    if form == "json":
        show_json(_document(traced, {p.name for p in mesh.projects.values() if p.readers == "veiled"}))
    else:
        _show(traced, check=check)
    return 1 if check and traced.findings else 0


def _members(mesh: Mesh) -> list[tuple[str, Path, tuple[str, ...]]]:
    if not mesh.projects:
        raise UsageError(
            "there is no mesh.yml with projects here or above", then="run this where mesh.yml is, or write one"
        )
    return [(p.name, p.path, tuple(u.name for u in p.upstreams)) for p in mesh.projects.values()]


def _show(traced: Traced, *, check: bool) -> None:
    show_tree(traced.lineage)
    for finding in traced.findings:
        click.echo(f"{click.style(finding.rule, fg='red', bold=True)} {printable(str(finding))}", err=True)
        for node in finding.nodes:
            click.echo(f"  {printable(node)}", err=True)
        click.echo(f"  next: {printable(finding.then)}", err=True)
    if check and not traced.findings:
        done("mesh.yml and the manifests agree about who reads whom")
        detail(f"{len(list(traced.lineage.reads()))} reads between projects")


def _document(traced: Traced, veiled: Collection[str]) -> dict[str, Any]:
    members = {member.project: member for member in traced.lineage.members}
    return {
        "reads": [
            {
                "project": project,
                "node": read.node,
                "published_as": members[project].published_name(read.node) if project in veiled else read.node,
                "upstream": read.upstream,
                "model": read.model,
                "version": read.version or None,
                "via": read.via,
            }
            for project, read in traced.lineage.reads()
        ],
        "findings": [
            {
                "rule": finding.rule,
                "project": finding.project,
                "upstream": finding.upstream,
                "model": finding.model,
                "nodes": list(finding.nodes),
                "message": str(finding),
            }
            for finding in traced.findings
        ],
    }
