"""`mesh check --consumer`: a project's folder in, what is wrong with the places that use an upstream out."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any, Final

import click

from registry_tools.artifacts.finding_report import annotations, finding_document
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from
from registry_tools.cli.options import environment_option, flags, project_option, registry_options
from registry_tools.cli.output import counted, detail, done, show_json
from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.project import ProjectFolder, read_project
from registry_tools.mesh import names
from registry_tools.mesh.printable import printable
from registry_tools.mesh.use import Finding
from registry_tools.settings import Mesh, environments_to_read, upstreams_to_sync
from registry_tools.tasks.check_consumer import CheckRequest, check_consumer

_COLOURS: Final = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--consumer", is_flag=True, help="Check what this project reads of its upstreams.")
@registry_options
@environment_option
@click.option("--upstream", "asked", multiple=True, metavar="NAME", help="Only this upstream; may be repeated.")
@project_option
@click.option("--strict", is_flag=True, help="A warning is an error.")
@click.option("--offline", is_flag=True, help="Ask the cache alone.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="For people, for programs, or as annotations of a pull request.",
)
@at_the_edge
def command(environment: str, project_dir: Path, form: str, asked: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401  # click's
    """Find where this project uses a model that left, leaves or is not for it; exit 1 when one is an error.

    The project's files are read, the registry, and target/manifest.json where dbt has written one.
    """
    where = flags(options)
    if not options["consumer"]:
        raise UsageError("it is not said what to check", then="mesh check --consumer")
    names.environment_name(environment, where="--env")
    project = read_project(project_dir, os.environ)
    opened = open_from(where, project_dir, offline=options["offline"])
    request = CheckRequest(
        project=project,
        environment=environment,
        reads=environments_to_read(opened.mesh, environment),
        upstreams=upstreams_to_sync(opened.mesh, project.name, asked),
        today=datetime.now(UTC).date(),
        neighbours=_neighbours(opened.mesh, project.name),
        strict=options["strict"],
    )
    findings = check_consumer(request, opened.registry)
    if form == "json":
        show_json(finding_document(findings))
    elif form == "github":
        click.echo(annotations(findings, _folder(project_dir)), nl=False)
    else:
        _show(findings, project.name)
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _neighbours(mesh: Mesh, name: str) -> dict[str, ProjectFolder]:
    """The other projects of mesh.yml that are checked out beside this one."""
    found = {}
    for other in mesh.projects.values():
        try:
            project = read_project(other.path, {})
        except (DocumentError, UsageError):  # in a repository of its own, or not in order: then nothing is known of it
            continue
        if project.name == other.name != name:
            found[other.name] = project
    return found


def _folder(project_dir: Path) -> PurePath:
    """The project's folder as GitHub names files: from the checkout's root, else from here."""
    root = os.environ.get("GITHUB_WORKSPACE") or Path.cwd()
    return PurePath(os.path.relpath(project_dir.resolve(), Path(root).resolve()))


def _show(findings: Sequence[Finding], project: str) -> None:
    for finding in findings:
        level = click.style(f"{finding.level}:", fg=_COLOURS[finding.level], bold=True)
        click.echo(f"{level} {finding.rule}  {printable(finding.what)}")
        for place in finding.places:
            detail(str(place))
        if finding.then:
            detail(f"next: {finding.then}")
    counts = Counter(finding.level for finding in findings)
    told = f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}"
    if findings:
        click.echo(f"{project}: {told}")
    else:
        done(f"{project}: {told}")
