"""A project in, everybody who reads it out, and whoever reads those in turn: what each said of its reads, and when.

Whoever reads a project left a marker when it published, so that a check reads the consumers of one project and not the
whole registry.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from registry_tools.errors import Forbidden
from registry_tools.mesh.progress import Told, unheard
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.usage import Usage
from registry_tools.registry.reading import Reading

_AT_ONCE: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """A project as it stands in one environment, and what it reads of others."""

    publication: Publication
    usage: Usage

    def __str__(self) -> str:
        return f"{self.publication.project}@{self.publication.environment}"


def consumers_of(registry: Reading, upstream: str) -> tuple[Consumer, ...]:
    """Everybody who has ever said that it reads `upstream`, with what it says now, by project and environment."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return _consumers(registry, [upstream], pool)


def consumers_beyond(registry: Reading, upstream: str, told: Told = unheard) -> tuple[Consumer, ...]:
    """The same, and with them the consumers of those that pass a column on, as far as that leads. Circles end.

    `told` hears how many of those that are known by now have been read.
    """
    found: dict[str, Consumer] = {}
    asked: set[str] = set()
    waiting = {upstream}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while waiting:
            asked |= waiting
            come = _consumers(registry, sorted(waiting), pool, told)
            found |= {str(consumer): consumer for consumer in come}
            waiting = {one.publication.project for one in come if one.usage.passes} - asked
    return tuple(found[name] for name in sorted(found))


def _consumers(
    registry: Reading,
    upstreams: Iterable[str],
    pool: ThreadPoolExecutor,
    told: Told = unheard,
) -> tuple[Consumer, ...]:
    names = sorted({name for found in pool.map(registry.consumers, upstreams) for name in found})
    folders = zip(names, pool.map(partial(_folders, registry), names), strict=True)
    places = [(name, environment) for name, environments in folders for environment in environments]
    found = []
    for done, one in enumerate(pool.map(lambda place: _consumer(registry, *place), places), start=1):
        told(done, len(places))
        found.append(one)
    return tuple(filter(None, found))


def _folders(registry: Reading, consumer: str) -> list[str]:
    try:
        return registry.folders_of(consumer)
    except Forbidden as forbidden:
        raise Forbidden(
            f"{consumer} has said that it reads this project or a reader of it, and this role may not see {consumer}",
            where=f"{registry.store.root}/{consumer}/",
            details=[forbidden.what],
            then=f"list {consumer} in mesh.yml, then mesh terraform-vars and terraform apply; or, when it is gone for "
            f"good, have an administrator delete its markers, _edges/<upstream>/{consumer}",
        ) from None


def _consumer(registry: Reading, project: str, environment: str) -> Consumer | None:
    entry = registry.newest(project, environment)
    if entry is None:
        return None
    usage = registry.usage_at(project, environment, entry.record)
    return Consumer(publication=entry.record.publication_in(project, environment), usage=usage)
