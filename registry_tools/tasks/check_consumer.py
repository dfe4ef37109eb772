"""A consumer and the registry in, what is wrong with the places that use an upstream out; nothing is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from registry_tools.checks.groups import private_reads, unlisted_groups
from registry_tools.checks.upgrade import judge_upgrade
from registry_tools.checks.uses import dynamic_references, judge_uses, with_access
from registry_tools.errors import DocumentError
from registry_tools.intake.lock_file import LOCK, read_lock
from registry_tools.intake.manifest import Manifest, read_manifest
from registry_tools.intake.project import ProjectFolder
from registry_tools.intake.references import find_references
from registry_tools.intake.usage import extract_usage
from registry_tools.intake.uses import access_in, consumer_nodes, uses_in_files, uses_in_manifest
from registry_tools.mesh.lock import Lock
from registry_tools.mesh.upstream import SyncedUpstream, Upstream
from registry_tools.mesh.use import Finding
from registry_tools.registry.departures import missed_by
from registry_tools.registry.log import Entry
from registry_tools.registry.pins import read_as_locked
from registry_tools.registry.publications import Registry

_AT_ONCE: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRequest:
    """Whose uses to check when it is built in `environment`, and upstreams are read in the first of `reads` that has
    something. `neighbours` are projects whose manifests can be looked into on this machine; with `strict` a warning is
    an error. What the SQL reads is kept in the file `readings`.
    """

    project: ProjectFolder
    environment: str
    reads: tuple[str, ...]
    upstreams: Sequence[Upstream]
    today: date
    neighbours: Mapping[str, ProjectFolder] = field(default_factory=dict)
    strict: bool = False
    readings: Path | None = None


def check_consumer(request: CheckRequest, registry: Registry) -> tuple[Finding, ...]:
    """Everything that is wrong with the uses, by file and line, then what only the manifest tells.

    An upstream is read as mesh.lock pins it, where it does, and else as it is current. Raises UsageError for one that
    has published nothing, DocumentError for a manifest that is not this project's.
    """
    lock = read_lock(request.project.path / LOCK)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        upstreams = tuple(pool.map(partial(_read, registry, request, lock), request.upstreams))
    manifest = _manifest(request.project)
    nodes = consumer_nodes(manifest) if manifest else ()
    uses = uses_in_files(find_references(request.project, {synced.upstream.name for synced in upstreams}))
    usage = extract_usage(manifest) if manifest else None
    made = uses_in_manifest(manifest, usage, request.project.path, nodes, uses) if manifest and usage else ()
    name = request.project.name
    judged = judge_uses(name, upstreams, (*uses, *made), partial(missed_by, registry), request.today)
    found = (
        *with_access(judged, _access(request, manifest)),
        *unlisted_groups(name, upstreams, usage, nodes),
        *private_reads(nodes),
        *_upgrades(request, registry, manifest, upstreams),
        *dynamic_references(upstreams, uses),
    )
    return tuple(map(_as_error, found)) if request.strict else found


def _upgrades(
    request: CheckRequest, registry: Registry, manifest: Manifest | None, upstreams: Sequence[SyncedUpstream]
) -> Iterator[Finding]:
    """What the SQL of the last build reads that an upstream which is pinned has changed since."""
    moved = [(synced, entry) for synced in upstreams if (entry := _moved(registry, synced))]
    if manifest is None or not moved:
        return
    # what reads SQL is loaded by whoever asks for it
    from registry_tools.intake.column_usage import read_usage
    from registry_tools.intake.readings import Readings

    pinned = {synced.upstream.name: synced.published for synced, _ in moved}
    with Readings(manifest.adapter, request.readings) as readings:
        usage = read_usage(manifest, pinned, readings, folder=request.project.path)
    for synced, entry in moved:
        now, publication = registry.interface(synced.upstream.name, synced.pin.environment, entry.record)
        yield from judge_upgrade(request.environment, usage, synced.published, now, str(publication))


def _moved(registry: Registry, synced: SyncedUpstream) -> Entry | None:
    """The upstream's newest record, where readers get something else now than what is pinned."""
    newest = registry.newest(synced.upstream.name, synced.pin.environment)
    return newest if newest and newest.record.digest != synced.pin.digest else None


def _as_error(finding: Finding) -> Finding:
    return replace(finding, level="error") if finding.level == "warning" else finding


def _read(registry: Registry, request: CheckRequest, lock: Lock, declared: Upstream) -> SyncedUpstream:
    upstream, environments = declared.built_in(request.environment), declared.environments or request.reads
    return read_as_locked(registry, request.project.name, upstream, environments, lock.pins.get(upstream.name))


def _manifest(project: ProjectFolder) -> Manifest | None:
    """The manifest that dbt wrote here; None before the first dbt parse."""
    if not project.manifest.exists():
        return None
    manifest = read_manifest(project.manifest)
    if manifest.project != project.name:
        raise DocumentError(
            f"this is the manifest of {manifest.project}, not of {project.name}",
            where=str(manifest.path),
            then="run dbt parse here again",
        )
    return manifest


def _access(request: CheckRequest, own: Manifest | None) -> Callable[[str, str], str | None]:
    """Who knows what is not public: the consumer's own manifest, and an upstream's beside it. Each is read once."""
    known: dict[str, Mapping[str, str]] = {}

    def access(upstream: str, model: str) -> str | None:
        if upstream not in known:
            beside = _manifest(request.neighbours[upstream]) if upstream in request.neighbours else None
            known[upstream] = {
                name: told
                for manifest in (own, beside)
                if manifest
                for name, told in access_in(manifest, upstream).items()
            }
        return known[upstream].get(model)

    return access
