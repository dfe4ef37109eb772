"""A consumer and the registry in, what it reads of each upstream and from where out; nothing is written."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from registry_tools.intake.lock_file import LOCK, read_lock
from registry_tools.intake.project import ProjectFolder
from registry_tools.mesh.lock import Lock
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.upstream import SyncedUpstream, Upstream
from registry_tools.registry.pins import read_as_locked
from registry_tools.registry.publications import Registry

_AT_ONCE: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolveRequest:
    """Whose upstreams to look at, when it is built in `environment` and each is read in the first of `reads` that has
    something.
    """

    project: ProjectFolder
    environment: str
    reads: tuple[str, ...]
    upstreams: Sequence[Upstream]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedUpstream:
    """An upstream as this consumer sees it. `pinned` says that mesh.lock decided, and `current` what a sync without
    --locked would read in the same environment.
    """

    synced: SyncedUpstream
    environments: tuple[str, ...]
    pinned: bool
    current: Publication | None


def resolve_mesh(request: ResolveRequest, registry: Registry) -> tuple[ResolvedUpstream, ...]:
    """Each upstream as mesh.lock pins it, where it pins one that may be read here, else as it is current.

    Raises UsageError for an upstream that has published nothing where it may be read.
    """
    lock = read_lock(request.project.path / LOCK)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(partial(_resolved, registry, request, lock), request.upstreams))


def _resolved(registry: Registry, request: ResolveRequest, lock: Lock, declared: Upstream) -> ResolvedUpstream:
    upstream, environments = declared.built_in(request.environment), declared.environments or request.reads
    pin = lock.pins.get(upstream.name)
    synced = read_as_locked(registry, request.project.name, upstream, environments, pin)
    pinned = pin is not None and pin.environment in environments
    current = registry.current(upstream.name, pin.environment) if pin and pinned else synced.publication
    return ResolvedUpstream(synced=synced, environments=environments, pinned=pinned, current=current)
