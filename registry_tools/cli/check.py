"""`mesh check`: a project in; whom publishing it would break out, or with --consumer what breaks the project itself."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.artifacts.finding_report import annotations, finding_document
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import Opened, open_from, readings_of
from registry_tools.cli.options import (
    compatibility_options,
    environment_option,
    flags,
    project_option,
    registry_options,
)
from registry_tools.cli.output import counted, detail, done, progress, show_json
from registry_tools.cli.terms import terms_of
from registry_tools.cli.verdicts import FORMATS, folder_of, show_verdict
from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.project import ProjectFolder, read_project
from registry_tools.mesh import names
from registry_tools.mesh.printable import printable
from registry_tools.mesh.selector import parse_selector
from registry_tools.mesh.use import Finding
from registry_tools.settings import Mesh, environments_to_read, upstreams_to_sync
from registry_tools.tasks.check_changes import ChangesRequest, check_changes
from registry_tools.tasks.check_consumer import CheckRequest, check_consumer

_CONSUMER_FORMATS: Final = ("text", "json", "github")
_CONSUMER_SIDE: Final = {"asked": "--upstream", "strict": "--strict", "offline": "--offline"}
_UPSTREAM_SIDE: Final = {
    "manifest": "MANIFEST",
    "against": "--against",
    "compiled": "--compile",
    "verbose": "--verbose",
    "mode": "--mode",
    "reach": "--reach",
    "unknown": "--unknown",
}
_COLOURS: Final = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("manifest", required=False, metavar="[MANIFEST]", type=click.Path(dir_okay=False, path_type=Path))
@registry_options
@environment_option
@project_option
@click.option(
    "--against",
    metavar="SELECTOR",
    help="What is published: dbt_up@prod#41.  [default: what this project has in --env]",
)
@compatibility_options
@click.option("--compile", "compiled", is_flag=True, help="Read consumers' whole SQL again, where you may read it.")
@click.option("--verbose", is_flag=True, help="Show everything, however much it is.")
@click.option("--consumer", is_flag=True, help="The other direction: will this project still build on its upstreams?")
@click.option("--upstream", "asked", multiple=True, metavar="NAME", help="With --consumer, only this one; repeatable.")
@click.option("--strict", is_flag=True, help="With --consumer: a warning is an error.")
@click.option("--offline", is_flag=True, help="With --consumer: ask the cache alone.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="For people, for programs, or as a comment, annotations or findings of a pull request.",
)
@at_the_edge
def command(environment: str, project_dir: Path, form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Say whom publishing this project would break; exit 1 unless nobody is.

    MANIFEST, or target/manifest.json as dbt parse writes it, is held against what is published, and against the
    columns that every consumer said it reads. With --consumer, this project's files are held against what its
    upstreams publish. Nothing is written, and no warehouse is asked.
    """
    where = flags(options)
    _expect_one_direction(options)
    names.environment_name(environment, where="--env")
    opened = open_from(where, project_dir, offline=options["offline"])
    if options["consumer"]:
        return _check_consumer(opened, environment, project_dir, form, options)
    project = None if options["manifest"] else read_project(project_dir, os.environ)
    against = parse_selector(options["against"], environment) if options["against"] else None
    with progress("reading consumers") as told:
        request = ChangesRequest(
            manifest=project.manifest if project else options["manifest"],
            folder=project_dir,
            against=against,
            environments=tuple(dict.fromkeys((environment, *environments_to_read(opened.mesh, environment)))),
            terms=lambda name: replace(terms_of(opened.mesh, options, name), told=told),
            compile=options["compiled"],
        )
        checked = check_changes(request, opened.registry)
    return show_verdict(checked.verdict, form, checked.places, project_dir, verbose=options["verbose"])


def _expect_one_direction(options: Mapping[str, Any]) -> None:
    """Raises UsageError for an option of the other direction, which would say nothing there."""
    other = _UPSTREAM_SIDE if options["consumer"] else _CONSUMER_SIDE
    if wrong := [flag for name, flag in other.items() if options[name]]:
        then = f"leave {wrong[0]} out" if options["consumer"] else f"mesh check --consumer {wrong[0]}"
        raise UsageError(f"{wrong[0]} is about the other direction of the check", then=then)


def _check_consumer(opened: Opened, environment: str, project_dir: Path, form: str, options: Mapping[str, Any]) -> int:
    if form not in _CONSUMER_FORMATS:
        what = f"--consumer has no {form} report"
        raise UsageError(what, then=f"use one of {', '.join(_CONSUMER_FORMATS)}")
    project = read_project(project_dir, os.environ)
    request = CheckRequest(
        project=project,
        environment=environment,
        reads=environments_to_read(opened.mesh, environment),
        upstreams=upstreams_to_sync(opened.mesh, project.name, options["asked"]),
        today=datetime.now(UTC).date(),
        neighbours=_neighbours(opened.mesh, project.name),
        strict=options["strict"],
        readings=readings_of(project.name),
    )
    findings = check_consumer(request, opened.registry)
    if form == "json":
        show_json(finding_document(findings))
    elif form == "github":
        click.echo(annotations(findings, folder_of(project_dir)), nl=False)
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
