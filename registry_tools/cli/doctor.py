"""`mesh doctor`: options in, a line about everything that production rests on out, each fault with what to do."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.options import environment_option, flags, format_option, project_option, registry_options
from registry_tools.cli.output import counted, detail, show_json
from registry_tools.errors import MeshError, RegistryError, UsageError
from registry_tools.intake.project import FILE as PROJECT_FILE
from registry_tools.intake.project import read_project
from registry_tools.mesh import names
from registry_tools.mesh.observation import Observation, Verdict
from registry_tools.mesh.printable import printable
from registry_tools.registry.location import open_registry
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store
from registry_tools.settings import FILE, Flags, Mesh, environments_to_read, find_mesh, registry_root
from registry_tools.tasks.examine_mesh import REACH, ExaminationRequest, Member, examine_mesh

_MARKS: Final[dict[Verdict, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "note": ("·", "blue"),
    "warning": ("warning:", "yellow"),
    "error": ("error:", "red"),
}


@click.command("doctor", context_settings={"help_option_names": ["-h", "--help"]})
@registry_options
@environment_option
@project_option
@click.option(
    "--profiles-dir",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    help="Where profiles.yml is, as for dbt.",
)
@click.option("--target", help="The target in profiles.yml, as for dbt.")
@click.option("--read-only", is_flag=True, help="Write nothing; the store's promises stay untried.")
@format_option
@at_the_edge
def command(environment: str, project_dir: Path, form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Say whether this machine and this registry can be trusted with production.

    The store is tried below _probe/ and left as it was. Exit 1 when there are errors, 3 when the registry cannot be
    reached; warnings and notes exit 0.
    """
    where = flags(options)
    names.environment_name(environment, where="--env")
    begun: list[Observation] = []
    mesh = _mesh(project_dir, begun)
    registry = _registry(where, mesh, project_dir, begun)
    request = ExaminationRequest(
        home=mesh.file.parent if mesh.file else project_dir.resolve(),
        here=project_dir,
        members=_members(mesh, project_dir),
        reads=environments_to_read(mesh, environment),
        registry=registry,
        environment=os.environ,
        profiles=options["profiles_dir"],
        target=options["target"],
        read_only=options["read_only"],
    )
    seen = chain(begun, examine_mesh(request))
    found = list(seen) if form == "json" else list(_told(seen))
    counts = Counter(observation.verdict for observation in found)
    reached = registry is not None and not any(o.check == REACH for o in found)
    if form == "json":
        show_json(_document(found, registry, reached=reached))
    else:
        click.echo(f"\n{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}")
    if registry is not None and not reached:
        return RegistryError.exit_code
    return 1 if counts["error"] else 0


def _mesh(folder: Path, seen: list[Observation]) -> Mesh:
    try:
        mesh = find_mesh(folder, os.environ)
    except MeshError as error:
        seen.append(_failed("mesh", "mesh.yml", error))
        return Mesh(file=None)
    told = f"{mesh.file}: {counted(len(mesh.projects), 'project')}" if mesh.file else f"no {FILE} here or above"
    verdict: Verdict = "ok" if mesh.file else "note"
    seen.append(Observation(area="mesh", check="mesh.yml", verdict=verdict, what=told))
    return mesh


def _members(mesh: Mesh, folder: Path) -> tuple[Member, ...]:
    """The projects of mesh.yml, and the one in this folder if it is not among them."""
    declared = [Member(name=p.name, path=p.path, upstreams=p.upstreams) for p in mesh.projects.values()]
    if (folder / PROJECT_FILE).is_file() and all(m.path.resolve() != folder.resolve() for m in declared):
        declared.append(Member(name=_name(folder), path=folder))
    return tuple(declared)


def _name(folder: Path) -> str:
    try:
        return read_project(folder, os.environ).name
    except MeshError:
        return folder.resolve().name  # whoever examines it reads it again and says what is wrong


def _registry(where: Flags, mesh: Mesh, folder: Path, seen: list[Observation]) -> Registry | None:
    try:
        root = registry_root(where, mesh, os.environ, folder.resolve())
        registry = open_registry(root, mesh.s3)
    except MeshError as error:
        seen.append(_failed("mesh", "registry", error))
        return None
    told = f"the registry is {registry.store.root}, {_source(where, mesh, folder)}"
    seen.append(Observation(area="mesh", check="registry", verdict="ok", what=told))
    aws = mesh.platform.aws
    if aws and registry.store.root != aws.root and _is_amazons(registry):
        what = f"aws in {FILE} sets up {aws.root}, and its roles may do nothing in this registry"
        then = f"correct registry, or aws.bucket and aws.prefix, in {FILE}"
        seen.append(Observation(area="mesh", check="registry", verdict="warning", what=what, then=then))
    return registry


def _is_amazons(registry: Registry) -> bool:
    """Whether AWS answers, and not the embedded mesh or another store, of which `aws` in mesh.yml says nothing."""
    try:
        return isinstance(registry.store, S3Store) and registry.store.is_amazons()
    except RegistryError:
        return False  # whoever asks it says why


def _source(where: Flags, mesh: Mesh, folder: Path) -> str:
    """Which of the places that can name a registry did: the first that still does when the weaker ones are gone."""
    nowhere = Mesh(file=mesh.file)
    for source, environment in (("as typed", {}), ("by the environment", os.environ)):
        try:
            registry_root(where, nowhere, environment, folder)
        except UsageError:
            continue
        return source
    return f"by {FILE}"


def _told(seen: Iterable[Observation]) -> Iterator[Observation]:
    """Print each as it comes, below a heading for its area."""
    area = ""
    for observation in seen:
        if observation.area != area:
            click.secho(f"{area and chr(10)}{observation.area}", bold=True)
            area = observation.area
        mark, colour = _MARKS[observation.verdict]
        click.echo(f"{click.style(mark, fg=colour)} {printable(observation.what)}")
        if observation.then:
            detail(f"next: {observation.then}")
        yield observation


def _document(found: list[Observation], registry: Registry | None, *, reached: bool) -> dict[str, Any]:
    counts = Counter(observation.verdict for observation in found)
    return {
        "registry": registry.store.root if registry else None,
        "reached": reached,
        "errors": counts["error"],
        "warnings": counts["warning"],
        "findings": [
            {"area": o.area, "check": o.check, "verdict": o.verdict, "message": o.what, "next": o.then or None}
            for o in found
        ],
    }


def _failed(area: str, check: str, error: MeshError) -> Observation:
    what = f"{error.where}: {error.what}" if error.where else error.what
    return Observation(area=area, check=check, verdict="error", what=what, then=error.then)
