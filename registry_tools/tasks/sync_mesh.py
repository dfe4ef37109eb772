"""A consumer and the registry in, the files it builds with out: sources, loom files, deferral state and mesh.lock."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from registry_tools.artifacts.consumer_files import ConsumerFolder
from registry_tools.artifacts.deferral import DEFAULT_ADAPTER, deferral_state
from registry_tools.artifacts.files import FileChange, GeneratedFile, write_files
from registry_tools.artifacts.lock_text import lock_text
from registry_tools.artifacts.packages_text import with_packages
from registry_tools.checks.package_setup import left_to_do, surplus
from registry_tools.checks.uses import judge_uses
from registry_tools.errors import DocumentError, Forbidden, IntegrityError, Refusal, UsageError
from registry_tools.intake.documents import read_bytes
from registry_tools.intake.lock_file import LOCK, read_lock
from registry_tools.intake.packages import Packages, read_packages
from registry_tools.intake.project import ProjectFolder
from registry_tools.intake.references import Reference, find_references
from registry_tools.intake.state_file import STATE
from registry_tools.intake.uses import uses_in_files
from registry_tools.mesh.lock import Lock, Pin
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.relation import quoting_of
from registry_tools.mesh.upstream import STUBS_FOLDER, SyncedUpstream, Upstream
from registry_tools.mesh.use import Finding
from registry_tools.mesh.verdict import Classified
from registry_tools.registry.departures import missed_by
from registry_tools.registry.pins import read_current, read_pinned
from registry_tools.registry.publications import Registry

_AT_ONCE: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """A project's own publication, and the whole manifest that was published with it; `hidden` says that there is one
    and that this role may not read it.
    """

    publication: Publication | None = None
    manifest: bytes | None = None
    hidden: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncRequest:
    """What to bring up to date for builds in `environment`, from what was published in the first of `reads` that has
    something; where `reads` is empty, in `environment` itself.

    `complete` says that `upstreams` are all there are, so that files of others may go. `locked` reads what mesh.lock
    pins and leaves it as it is; `upgrade` names the upstreams that move while the others stay at their pins, and
    all of them move where it is empty. `write_packages` lists packages of stubs in packages.yml.
    """

    project: ProjectFolder
    environment: str
    upstreams: Sequence[Upstream]
    reads: tuple[str, ...] = ()
    complete: bool = True
    dry_run: bool = False
    locked: bool = False
    write_packages: bool = False
    upgrade: frozenset[str] | None = None

    @property
    def folder(self) -> ConsumerFolder:
        """Where the files go."""
        return ConsumerFolder(path=self.project.path, models=self.project.models, quoting=self.project.quoting)

    def environments_of(self, upstream: Upstream) -> tuple[str, ...]:
        """Where this upstream may be read, in order."""
        return upstream.environments or self.reads or (self.environment,)

    @property
    def own_environments(self) -> tuple[str, ...]:
        """Where the project's own state may come from, in order: from its own environment first, if that is read."""
        return tuple(sorted(self.reads, key=lambda name: name != self.environment)) or (self.environment,)

    def obeys(self, upstream: str) -> bool:
        """Whether this upstream stays at its pin."""
        return self.locked or bool(self.upgrade and upstream not in self.upgrade)


@dataclass(frozen=True, kw_only=True, slots=True)
class Synced:
    """Everything that was read, what became of the files, what is left to do before dbt reads them, and what is wrong
    with the places that use an upstream.

    `own` is the project's own publication that the state is of, `defers` says whether it was published with one, and
    `hidden` that this role may not read it, so that the state has nodes of upstreams alone.
    """

    upstreams: tuple[SyncedUpstream, ...]
    changes: tuple[FileChange, ...]
    own: Publication | None
    defers: bool
    hidden: bool = False
    left_to_do: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def drift(self) -> tuple[FileChange, ...]:
        """The files that were not as the registry has it."""
        return tuple(change for change in self.changes if change.action != "unchanged")


def sync_mesh(request: SyncRequest, registry: Registry) -> Synced:
    """Bring the consumer's files to what its upstreams have published, or to what mesh.lock pins of them.

    Everything is read and checked before the first file is written. Raises UsageError for an upstream or environment
    that has published nothing, or that is the project itself, IntegrityError when the registry's log went back, Refusal
    when mesh.lock should be obeyed and does not name exactly the upstreams, DocumentError when a file of a person
    stands where one of ours belongs.
    """
    _expect_others(request)
    lock = read_lock(request.project.path / LOCK)
    if request.locked:
        _expect_complete(request, lock)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        own = pool.submit(_own, registry, request)
        looking = pool.submit(find_references, request.project, [upstream.name for upstream in request.upstreams])
        upstreams = tuple(pool.map(partial(_read, registry, request, lock), request.upstreams))
        published = own.result()
        references = looking.result()
    findings = _findings(request, registry, upstreams, references)
    upstreams = _used(upstreams, references)
    stubbed = [synced.upstream.name for synced in upstreams if synced.upstream.way == "package"]
    packages = read_packages(request.project.path)
    planned = [*_plan(request, upstreams, published, lock), *_listing(request, packages, stubbed)]
    obsolete = request.folder.obsolete({file.path for file in planned}, upstreams, complete=request.complete)
    changes = write_files(planned, obsolete, dry_run=request.dry_run)
    steps = (*_left_to_do(request, packages, stubbed), *request.folder.unnamed(upstreams))
    return Synced(
        upstreams=upstreams,
        changes=tuple(changes),
        own=published.publication,
        defers=published.manifest is not None,
        hidden=published.hidden,
        left_to_do=steps,
        findings=findings,
    )


def _listing(request: SyncRequest, packages: Packages, stubbed: Sequence[str]) -> Iterator[GeneratedFile]:
    """packages.yml with the packages of stubs that it lacks, where that is asked for."""
    missing = [path for name in stubbed if (path := f"{STUBS_FOLDER}/{name}") not in packages.local]
    if not request.write_packages or not missing:
        return
    try:
        text = with_packages(packages.text, missing)
    except ValueError as error:
        then = f"write it by hand: - local: {missing[0]}"
        raise DocumentError(str(error), where=str(packages.path), then=then) from None
    yield GeneratedFile(path=packages.path, content=text.encode(), guarded=False)


def _left_to_do(request: SyncRequest, packages: Packages, stubbed: Sequence[str]) -> Iterator[str]:
    listing = packages.path.name
    for name in stubbed:
        yield from left_to_do(
            name,
            listed=request.write_packages or f"{STUBS_FOLDER}/{name}" in packages.local,
            installed=(request.project.installed / name).exists(),
            listing=listing,
            materialized=request.project.materialized,
        )
    if request.complete:
        yield from surplus(packages.local, stubbed, listing)


def _findings(
    request: SyncRequest, registry: Registry, upstreams: Sequence[SyncedUpstream], references: Sequence[Reference]
) -> tuple[Finding, ...]:
    """What is wrong with the places that use an upstream: the log is asked only for models that are missing."""
    today = datetime.now(UTC).date()
    return judge_uses(request.project.name, upstreams, uses_in_files(references), partial(missed_by, registry), today)


def _used(upstreams: tuple[SyncedUpstream, ...], references: Sequence[Reference]) -> tuple[SyncedUpstream, ...]:
    """The upstreams, those of which only that is wanted to which the project's files refer without the rest."""
    named: dict[str | None, list[Reference]] = {}
    for reference in references:
        named.setdefault(reference.model, []).append(reference)
    return tuple(_narrowed(synced, named) if synced.upstream.used_only else synced for synced in upstreams)


def _narrowed(synced: SyncedUpstream, named: Mapping[str | None, Sequence[Reference]]) -> SyncedUpstream:
    """The upstream with the models, and of sources the tables, that are read in its way.

    A reference whose model is computed when dbt runs may mean each of them.
    """
    upstream = synced.upstream

    def may_mean(name: str) -> list[Reference]:
        found = (*named.get(None, ()), *named.get(name, ()))
        return [each for each in found if each.way == upstream.function and each.may_be(upstream.name, name)]

    if upstream.function == "ref":

        def used(model: PublicModel) -> bool:
            meant = may_mean(model.name)
            return any(each.dynamic or model.answers(model.name, each.version, as_source=False) for each in meant)

        return replace(synced, interface=synced.interface.kept(used))
    interface = synced.interface.kept(lambda model: any(map(may_mean, model.called)))
    called = (name for model in interface.models for name in model.called)
    return replace(synced, interface=interface, tables=frozenset(filter(may_mean, called)))


def _own(registry: Registry, request: SyncRequest) -> Own:
    found = (_own_in(registry, request.project.name, name) for name in request.own_environments)
    return next((own for own in found if own.publication), Own())


def _own_in(registry: Registry, project: str, environment: str) -> Own:
    """Whoever checks a pull request needs the files of upstreams, and may not read what is private to the project."""
    try:
        publication, manifest = registry.current_with_state(project, environment)
    except Forbidden:
        return Own(publication=registry.current(project, environment), hidden=True)
    return Own(publication=publication, manifest=manifest)


def _expect_others(request: SyncRequest) -> None:
    """A project that read itself would lose its own nodes in the state to those that it shows to others."""
    if any(upstream.name == request.project.name for upstream in request.upstreams):
        raise UsageError(
            f"{request.project.name} is named as an upstream of itself",
            then="take it out of its upstreams in mesh.yml, or name another --upstream",
        )


def _expect_complete(request: SyncRequest, lock: Lock) -> None:
    wanted = {upstream.name for upstream in request.upstreams}
    surplus = lock.pins.keys() - wanted if request.complete else set()
    if not wanted <= lock.pins.keys() or surplus:
        raise Refusal(
            f"mesh.lock does not name exactly the upstreams of {request.project.name}",
            where=str(request.project.path / LOCK),
            details=[
                *(f"it does not name {name}" for name in sorted(wanted - lock.pins.keys())),
                *(f"it names {name}, which is no upstream" for name in sorted(surplus)),
            ],
            then="run mesh sync without --locked and commit mesh.lock",
        )


def _read(registry: Registry, request: SyncRequest, lock: Lock, declared: Upstream) -> SyncedUpstream:
    upstream, environments = declared.built_in(request.environment), request.environments_of(declared)
    pin = lock.pins.get(upstream.name)
    pinned_here = pin is not None and pin.environment in environments
    if pin is not None and not pinned_here and request.locked:
        raise Refusal(
            f"mesh.lock pins {upstream.name}@{pin.environment}, and {' or '.join(environments)} was asked for",
            where=str(request.project.path / LOCK),
            then="run mesh sync without --locked, or ask for the environment that is pinned",
        )
    if pin is not None and pinned_here and request.obeys(upstream.name):
        return read_pinned(registry, request.project.name, upstream, pin)
    synced = read_current(registry, request.project.name, upstream, environments, pin)
    if pin is None or not pinned_here or request.upgrade is None or pin.digest == synced.pin.digest:
        return synced
    return replace(synced, changes=_changes(registry, request.project.name, synced, pin))


def _changes(registry: Registry, consumer: str, now: SyncedUpstream, pin: Pin) -> tuple[Classified, ...]:
    """What an upgrade from the pin changes; nothing is told where what it named is no longer kept."""
    try:
        was = read_pinned(registry, consumer, now.upstream, pin).interface
    except UsageError:
        return ()
    # as slow as all of the rest, and most runs have nothing to compare
    from registry_tools.checks.classes import classified
    from registry_tools.checks.comparison import compare

    return classified(compare(was, now.interface), was, now.interface)


def _plan(request: SyncRequest, upstreams: tuple[SyncedUpstream, ...], own: Own, lock: Lock) -> Iterator[GeneratedFile]:
    folder = request.project.path
    yield from request.folder.planned(upstreams, complete=request.complete)
    pins = {} if request.complete else dict(lock.pins)
    pins |= {synced.upstream.name: synced.pin for synced in upstreams}
    state = _state(request, upstreams, own, _kept(request, lock), pins)
    # The state is dbt's own document and a guard would stop at one of dbt's; the folder is ours (README, Consume).
    yield GeneratedFile(path=folder / STATE, content=state, guarded=False)
    if (upstreams or lock.pins) and not request.locked:
        yield GeneratedFile(path=folder / LOCK, content=lock_text(Lock(pins=pins)).encode())


def _state(
    request: SyncRequest,
    upstreams: tuple[SyncedUpstream, ...],
    own: Own,
    kept: dict[str, msgspec.Raw],
    pins: dict[str, Pin],
) -> bytes:
    """The state, and in it where it is from: what changes with every publication of an upstream is left out."""
    publication, manifest = own.publication, own.manifest
    adapter = next((synced.interface.adapter for synced in upstreams), DEFAULT_ADAPTER)
    quoting = quoting_of(adapter, request.project.quoting)
    facts = {
        "publication": f"{publication} {publication.id}" if publication and manifest is not None else None,
        "upstreams": {name: pin.digest for name, pin in sorted(pins.items())},
    }
    try:
        return deferral_state(request.project.name, manifest, upstreams, quoting=quoting, facts=facts, kept=kept)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError(
            f"the published state of {publication} is no manifest: {error}",
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
    read = {request.project.name, *(upstream.name for upstream in request.upstreams)}
    others = tuple(f"model.{name}." for name in lock.pins.keys() - read)
    return {unique_id: raw for unique_id, raw in nodes.items() if unique_id.startswith(others)}
