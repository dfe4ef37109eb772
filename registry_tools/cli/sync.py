"""`mesh sync`: options in, the consumer's files brought up to date and a line about each upstream out."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.artifacts.change_report import change_entry
from registry_tools.artifacts.finding_report import finding_entries
from registry_tools.cli.changes import show_changes
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import Opened, open_from
from registry_tools.cli.options import environment_option, flags, format_option, project_option, registry_options
from registry_tools.cli.output import ago, counted, detail, done, show_json, warn
from registry_tools.errors import UsageError
from registry_tools.intake.project import read_project
from registry_tools.mesh import names
from registry_tools.mesh.upstream import STUBS_FOLDER, SyncedUpstream, Upstream
from registry_tools.mesh.use import Finding
from registry_tools.settings import environments_to_read, upstreams_to_sync
from registry_tools.tasks.sync_mesh import Synced, SyncRequest, sync_mesh

_ALL: Final = "*"


@click.command("sync", context_settings={"help_option_names": ["-h", "--help"]})
@registry_options
@environment_option
@click.option("--upstream", "asked", multiple=True, metavar="NAME", help="Only this upstream; may be repeated.")
@project_option
@click.option("--locked", is_flag=True, help="Read what mesh.lock pins, and fail when it does not name every upstream.")
@click.option(
    "--upgrade",
    "upgrade",
    is_flag=False,
    flag_value=_ALL,
    multiple=True,
    metavar="[NAME]",
    help="Move this upstream alone, or all of them, and show what changes for you; may be repeated.",
)
@click.option(
    "--write-packages", is_flag=True, help="List packages of stubs in packages.yml, which is otherwise left alone."
)
@click.option("--used-only", is_flag=True, help="Write only the models that this project's files refer to.")
@click.option("--offline", is_flag=True, help="Ask the cache alone, and say how old it is.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not as the registry has it.")
@format_option
@at_the_edge
def command(environment: str, project_dir: Path, form: str, asked: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401  # click's
    """Write sources or loom files, the state for --defer, and mesh.lock, from what upstreams have published."""
    where = flags(options)
    names.environment_name(environment, where="--env")
    project = read_project(project_dir, os.environ)
    opened = open_from(where, project_dir, offline=options["offline"])
    request = SyncRequest(
        project=project,
        environment=environment,
        reads=environments_to_read(opened.mesh, environment),
        upstreams=_narrowed(upstreams_to_sync(opened.mesh, project.name, asked), used_only=options["used_only"]),
        complete=not asked,
        dry_run=options["check"],
        locked=options["locked"],
        write_packages=options["write_packages"],
        upgrade=_upgrade(options["upgrade"], locked=options["locked"]),
    )
    _expect_known(request)
    synced = sync_mesh(request, opened.registry)
    if form == "json":
        show_json(_document(synced))
    else:
        _show(synced, request, opened)
    return 1 if request.dry_run and synced.drift else 0


def _narrowed(upstreams: Sequence[Upstream], *, used_only: bool) -> tuple[Upstream, ...]:
    return tuple(replace(upstream, used_only=upstream.used_only or used_only) for upstream in upstreams)


def _upgrade(typed: tuple[str, ...], *, locked: bool) -> frozenset[str] | None:
    if typed and locked:
        raise UsageError("--locked keeps every pin and --upgrade moves them", then="use one of the two")
    return frozenset(name for name in typed if name != _ALL) if typed else None


def _expect_known(request: SyncRequest) -> None:
    known = {upstream.name for upstream in request.upstreams}
    if unknown := sorted((request.upgrade or frozenset()) - known):
        raise UsageError(
            f"{unknown[0]!r} is no upstream of {request.project.name}",
            where="--upgrade",
            then=f"use one of {', '.join(sorted(known)) or '(there is none)'}, or --upgrade alone for all",
        )


def _show(synced: Synced, request: SyncRequest, opened: Opened) -> None:
    for read in synced.upstreams:
        _show_upstream(read, synced.findings, opened)
    for finding in synced.findings:
        warn(f"{finding.what}{finding.then and f'; {finding.then}'}", map(str, finding.places))
    if not synced.upstreams:
        done(f"{request.project.name} reads no upstream")
    if synced.hidden:
        what = f"this role may not read the whole manifest of {synced.own}"
        warn(f"{what}: state/manifest.json has upstream nodes alone, which is enough for checks and not for --defer")
    else:
        detail(f"state/manifest.json: {_origin(synced, request)}")
    for line in _drift(synced, request):
        detail(line)
    if not synced.drift:
        detail("all files were up to date")
    for step in synced.left_to_do:
        warn(step)


def _drift(synced: Synced, request: SyncRequest) -> Iterator[str]:
    """A line for each file; one for all the files of a package of stubs."""
    shown: Counter[tuple[str, str]] = Counter()
    for change in synced.drift:
        path = Path(_short(change.path, request.project.path))
        stub = len(path.parts) > 2 and path.parts[0] == STUBS_FOLDER  # noqa: PLR2004  # below the package's folder
        shown[change.action, str(Path(*path.parts[:2])) if stub else str(path)] += 1
    for (action, name), files in shown.items():
        verb = f"would be {action}" if request.dry_run else action
        yield f"{verb} {name}" + (f" ({counted(files, 'file')})" if name.startswith(f"{STUBS_FOLDER}/") else "")


def _show_upstream(read: SyncedUpstream, findings: Sequence[Finding], opened: Opened) -> None:
    done(f"{read.publication} as {read.upstream.way}: {_models(read)}{_moved(read)}{_age(read, opened)}")
    for environment in read.passed_over:
        nothing = f"{read.upstream.name} has published nothing in {environment}"
        detail(f"{nothing}: {read.publication.environment} is read instead")
    if read.changes and read.before:
        show_changes(
            read.changes, f"  {read.upstream.name}@{read.before.environment}#{read.before.n} -> {read.publication}"
        )
    if read.yanked is not None:
        warn(f"{read.publication} was yanked: {read.yanked}; mesh sync --upgrade {read.upstream.name} moves on")
    told = {finding.what for finding in findings}
    for notice in (*read.upstream.idle(read.published), *read.interface.deprecations()):
        if notice not in told:
            warn(notice)
    for line in _withheld(read, findings):
        detail(line)


def _withheld(read: SyncedUpstream, findings: Sequence[Finding]) -> Iterator[str]:
    """The models that this project may not read and does not use, by whom to ask for them."""
    used = {finding.what for finding in findings if finding.rule == "not-a-consumer"}
    for withheld in read.withheld:
        label = f"{read.upstream.name}.{withheld.model.label}"
        if not any(what.startswith(f"{label} ") for what in used):
            yield f"withheld: {label}, of {withheld.owner or read.upstream.name}"


def _models(read: SyncedUpstream) -> str:
    here, there = len(read.interface.models), len(read.published.models)
    return counted(here, "model") if here == there else f"{here} of {counted(there, 'model')}"


def _origin(synced: Synced, request: SyncRequest) -> str:
    if synced.own is None:
        return f"{request.project.name} has not published yet: everything is new"
    if not synced.defers:
        return f"{synced.own} was published without its state: everything is new"
    return f"defers to {synced.own}"


def _moved(read: SyncedUpstream) -> str:
    before, now = read.before, read.publication
    if before is None or (before.environment, before.n) == (now.environment, now.n):
        return ""
    return f" (was {'' if before.environment == now.environment else before.environment}#{before.n})"


def _age(read: SyncedUpstream, opened: Opened) -> str:
    if not opened.registry.offline:
        return ""
    age = opened.registry.seen(read.upstream.name, read.publication.environment)
    return f", offline, as seen {ago(age)}" if age is not None else ", offline"


def _short(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _document(synced: Synced) -> dict[str, Any]:
    own = None if synced.hidden else synced.own
    return {
        "upstreams": [
            {
                "upstream": read.upstream.name,
                "environment": read.publication.environment,
                "passed_over": list(read.passed_over),
                "publication": read.publication.id,
                "n": read.publication.n,
                "digest": f"sha256:{read.publication.digest}",
                "as": read.upstream.way,
                "models": [model.label for model in read.interface.models],
                "deprecations": list(read.interface.deprecations()),
                "idle_rules": list(read.upstream.idle(read.published)),
                "withheld": [
                    {"model": withheld.model.label, "owner": withheld.owner or read.upstream.name}
                    for withheld in read.withheld
                ],
                "yanked": read.yanked,
                "changes": [change_entry(one) for one in read.changes],
            }
            for read in synced.upstreams
        ],
        "left_to_do": list(synced.left_to_do),
        "findings": finding_entries(synced.findings),
        "state": own.id if own else None,
        "state_environment": own.environment if own else None,
        "files": [{"path": str(change.path), "action": change.action} for change in synced.changes],
    }
