"""A consumer and the registry in, the files it builds with out: sources, loom files, deferral state and mesh.lock."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from registry_tools.artifacts.deferral import deferral_state
from registry_tools.artifacts.files import FileChange, GeneratedFile, write_files
from registry_tools.artifacts.lock_text import lock_text
from registry_tools.artifacts.loom import CONFIG_FILE, FOLDER, loom_config, loom_manifest
from registry_tools.artifacts.sources import deprecation_notice, sources_file_name, sources_yaml
from registry_tools.errors import DocumentError, IntegrityError, MeshError
from registry_tools.intake.documents import read_bytes, read_yaml
from registry_tools.intake.project import ProjectFolder
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.lock import Lock, Pin
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.publications import Registry

LOCK: Final = "mesh.lock"
STATE: Final = "state/manifest.json"
_AT_ONCE: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncRequest:
    """What to bring up to date, from what was published in `environment`.

    `complete` says that `upstreams` are all there are, so that files of others may go.
    """

    project: ProjectFolder
    environment: str
    upstreams: Sequence[Upstream]
    complete: bool = True
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedUpstream:
    """One upstream as it was read, and the pin that stood in mesh.lock before."""

    upstream: Upstream
    publication: Publication
    interface: Interface
    before: Pin | None

    def deprecations(self) -> Iterator[str]:
        """What leaves, when, and what to use instead."""
        notices = (deprecation_notice(self.interface, model) for model in self.interface.models)
        return (notice for notice in notices if notice)


@dataclass(frozen=True, kw_only=True, slots=True)
class Synced:
    """Everything that was read and what became of the files."""

    upstreams: tuple[SyncedUpstream, ...]
    changes: tuple[FileChange, ...]
    own: Publication | None

    @property
    def drift(self) -> tuple[FileChange, ...]:
        """The files that were not as the registry has it."""
        return tuple(change for change in self.changes if change.action != "unchanged")


def sync_mesh(request: SyncRequest, registry: Registry) -> Synced:
    """Bring the consumer's files to what its upstreams have published.

    Everything is read and checked before the first file is written. Raises UsageError for an upstream or environment
    that has published nothing, IntegrityError when the registry's log went back, DocumentError when a file of a
    person stands where one of ours belongs.
    """
    lock = _read_lock(request.project.path / LOCK)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        own = pool.submit(registry.current_with_state, request.project.name, request.environment)
        read = partial(_read, registry, request.environment, lock)
        upstreams = tuple(pool.map(read, request.upstreams))
        own_publication, own_state = own.result()
    planned = list(_plan(request, upstreams, own_state, lock))
    obsolete = _obsolete(request, {file.path for file in planned})
    changes = write_files(planned, obsolete, dry_run=request.dry_run)
    return Synced(upstreams=upstreams, changes=tuple(changes), own=own_publication)


def _read(registry: Registry, environment: str, lock: Lock, upstream: Upstream) -> SyncedUpstream:
    environment = upstream.environment or environment
    record = registry.require(upstream.name, environment)
    interface, publication = registry.interface(upstream.name, environment, record)
    before = lock.pins.get(upstream.name)
    if before and before.environment == environment:
        _expect_forward(before, publication, registry)
    return SyncedUpstream(
        upstream=upstream,
        publication=publication,
        interface=interface.mapped(upstream.databases, upstream.schemas),
        before=before,
    )


def _expect_forward(before: Pin, now: Publication, registry: Registry) -> None:
    """A log only grows: one that went back, or says something else at the same number, was rewritten or replaced."""
    went_back = now.n < before.n
    if went_back or (now.n == before.n and (now.id, now.digest) != (before.publication, before.digest)):
        raise IntegrityError(
            f"{now.project}@{now.environment} was at #{before.n} and is now at #{now.n}",
            where=registry.store.root,
            details=[f"mesh.lock has {before.publication}", f"the registry has {now.id}"],
            then="find out who rewrote the registry; if it was replaced on purpose, delete mesh.lock and sync again",
        )


def _plan(
    request: SyncRequest, upstreams: tuple[SyncedUpstream, ...], own_state: bytes | None, lock: Lock
) -> Iterator[GeneratedFile]:
    folder = request.project.path
    for synced in upstreams:
        if synced.upstream.way == "sources":
            path = request.project.models / sources_file_name(synced.upstream.name)
            text = sources_yaml(synced.interface, synced.publication, tests=synced.upstream.tests)
            yield GeneratedFile(path=path, content=text.encode())
    through_loom = [synced for synced in upstreams if synced.upstream.way == "loom"]
    for synced in through_loom:
        path = folder / FOLDER / f"{synced.upstream.name}.json"
        yield GeneratedFile(path=path, content=loom_manifest(synced.interface))
    if through_loom:
        named = {synced.upstream.name for synced in through_loom}
        if not request.complete:
            named |= {path.stem for path in (folder / FOLDER).glob("*.json")}
        config = loom_config(sorted(named))
        yield GeneratedFile(path=folder / CONFIG_FILE, content=config.encode())
    state = _state(request, upstreams, own_state, lock)
    # The state is dbt's own document and has no room for our mark; the folder is ours (README, Consume).
    yield GeneratedFile(path=folder / STATE, content=state, guarded=False)
    if upstreams or lock.pins:
        pins = {} if request.complete else dict(lock.pins)
        pins |= {synced.upstream.name: _pin(synced.publication) for synced in upstreams}
        yield GeneratedFile(path=folder / LOCK, content=lock_text(Lock(pins=pins)).encode())


def _state(request: SyncRequest, upstreams: tuple[SyncedUpstream, ...], own_state: bytes | None, lock: Lock) -> bytes:
    adapter = next((synced.interface.adapter for synced in upstreams), "snowflake")
    current = [synced.interface for synced in upstreams]
    try:
        return deferral_state(request.project.name, adapter, own_state, current, _kept(request, lock))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(
            f"the published state of {request.project.name}@{request.environment} is no manifest: {error}",
            then=f"publish {request.project.name} again, then mesh sync",
        ) from None


class _Nodes(msgspec.Struct):
    nodes: dict[str, msgspec.Raw]


def _kept(request: SyncRequest, lock: Lock) -> dict[str, msgspec.Raw]:
    """Of the standing state, the nodes of upstreams that this run does not read and mesh.lock still names."""
    path = request.project.path / STATE
    if request.complete or not path.exists():
        return {}
    remedy = "remove the file and run mesh sync"
    try:
        nodes = msgspec.json.decode(read_bytes(path, noun="the deferral state", then=remedy), type=_Nodes).nodes
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"not a deferral state: {error}", where=str(path), then=remedy) from None
    others = tuple(f"model.{name}." for name in lock.pins.keys() - {upstream.name for upstream in request.upstreams})
    return {unique_id: raw for unique_id, raw in nodes.items() if unique_id.startswith(others)}


def _pin(publication: Publication) -> Pin:
    return Pin(
        environment=publication.environment,
        publication=publication.id,
        n=publication.n,
        digest=publication.digest,
    )


def _obsolete(request: SyncRequest, planned: set[Path]) -> list[Path]:
    """Files of ours that nobody asks for any more: of every upstream, or of those alone that this run is about."""
    loom, models = request.project.path / FOLDER, request.project.models
    if request.complete:
        ours = [*models.glob("_mesh_*.yml"), *loom.glob("*.json"), request.project.path / CONFIG_FILE]
    else:
        names = [upstream.name for upstream in request.upstreams]
        ours = [*(models / sources_file_name(name) for name in names), *(loom / f"{name}.json" for name in names)]
    return sorted(path for path in ours if path not in planned)


def _read_lock(path: Path) -> Lock:
    if not path.exists():
        return Lock()
    remedy = "delete mesh.lock and run mesh sync"
    document = read_yaml(path, noun="the lock", then=remedy)
    try:
        return Lock.from_dict(document)
    except MeshError as error:
        then = error.then if error.then.startswith("update") else remedy
        place = f"{path}: {error.where}" if error.where else str(path)
        raise DocumentError(error.what, where=place, then=then) from None
