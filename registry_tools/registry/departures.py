"""Names that a consumer uses and that are not public in, what the log tells of them out: when each left, and with whom.

Nothing is written down for this. The log is walked back from the current record to the one at which the model was last
public, and the record after it is the one with which it left. So it is known of what left before anybody asked.
"""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from registry_tools.errors import IntegrityError, RegistryError, UsageError
from registry_tools.mesh.departure import Departure, Wanted
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.publication import Record
from registry_tools.mesh.upstream import SyncedUpstream
from registry_tools.registry.cache import Cache
from registry_tools.registry.log import Entry, Log
from registry_tools.registry.reading import Reading

# Requests at once, and the most records that are read: whoever publishes every hour for six weeks is still answered.
_AT_ONCE: Final = 16
_FETCHED: Final = 32
_FARTHEST: Final = 1024


def find_departures(
    registry: Reading, project: str, environment: str, wanted: Collection[Wanted]
) -> dict[Wanted, Departure]:
    """What became of each of `wanted`; what was never public is not among them, nor what is public now.

    An interface that was given up, was withdrawn or cannot be read is passed over: then it is only said before when the
    model left. Raises IntegrityError for a log whose chain does not hold.
    """
    newest = registry.newest(project, environment)
    if newest is None or not wanted:
        return {}
    search = _Search(registry=registry, project=project, environment=environment, missing=set(wanted))
    search.gone.update(newest.record.yanked)
    records = islice(_back(registry, project, environment, newest), _FARTHEST)
    size = 1
    while search.missing and (batch := list(islice(records, size))):
        search.go_on(batch)
        size = min(2 * size, _FETCHED)  # what left, left mostly of late
    return search.found | search.unsure()


def missed_by(registry: Reading, synced: SyncedUpstream, wanted: Collection[Wanted]) -> dict[Wanted, Departure]:
    """The same for a consumer that misses `wanted` in the environment in which it reads this upstream."""
    return find_departures(registry, synced.upstream.name, synced.publication.environment, wanted)


@dataclass(kw_only=True, slots=True)
class _Search:
    """The walk: what is still looked for, and since when each of it is known to be gone."""

    registry: Reading
    project: str
    environment: str
    missing: set[Wanted]
    found: dict[Wanted, Departure] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    current: Interface | None = None
    # the record that was looked at before, the oldest one that is known to lack what is missing, whether some were
    # passed over since, and the newest one before which some were ever
    after: Record | None = None
    lacking: Record | None = None
    gap: bool = False
    doubt: Record | None = None

    def go_on(self, batch: Sequence[Record]) -> None:
        for record in batch:
            self.gone.update(record.expired)
        interfaces = self._read(batch)
        for record in batch:
            if interface := interfaces.get(record.digest):
                self._look(interface, record)
            if record.digest in self.seen:
                self.lacking, self.gap = record, False
            else:
                self.gap = True
                self.doubt = self.doubt or self.lacking
            self.after = record

    def _look(self, interface: Interface, record: Record) -> None:
        if self.current is None:
            self.current = interface
        self.seen.add(record.digest)
        for wanted in [each for each in self.missing if each.find(interface)]:
            self.missing.remove(wanted)
            if self.lacking is not None:
                self.found[wanted] = self._departure(wanted, interface, self.lacking)

    def _departure(self, wanted: Wanted, interface: Interface, lacking: Record) -> Departure:
        model = wanted.find(interface)
        left = None if self.gap else self.after
        return Departure(
            project=self.project,
            environment=self.environment,
            time=(left or lacking).time,
            model=model,
            record=left.n if left else None,
            op=left.op if left else "publish",
            actor=left.actor if left else lacking.actor,
            instead=self.current.instead_of(model) if self.current and model else None,
        )

    def unsure(self) -> dict[Wanted, Departure]:
        """What was not found, where not every older publication could be looked at."""
        ended = self.after is not None and self.after.n == 1
        since = self.doubt or (None if ended else self.lacking)
        if since is None:
            return {}
        told = Departure(project=self.project, environment=self.environment, time=since.time, actor=since.actor)
        return dict.fromkeys(self.missing, told)

    def _read(self, records: Sequence[Record]) -> dict[str, Interface]:
        """The interfaces of these records, several at once; the same interface is read once, from whoever has it."""
        unread = {r.digest: r for r in records if r.digest not in self.seen and r.current not in self.gone}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            read = zip(unread, pool.map(self._interface, unread.values()), strict=True)
            return {digest: interface for digest, interface in read if interface is not None}

    def _interface(self, record: Record) -> Interface | None:
        try:
            return self.registry.interface(self.project, self.environment, record)[0]
        except (IntegrityError, UsageError):  # damaged, or given up
            return None
        except RegistryError:
            if self.registry.offline:  # never read on this machine
                return None
            raise


def _back(registry: Reading, project: str, environment: str, newest: Entry) -> Iterator[Record]:
    """The records from the newest one back; those that are not in the cache are fetched ahead into it.

    Offline it ends where the cache does.
    """
    entry = newest
    yield entry.record
    while entry.record.n > 1:
        kept = registry.cache and registry.cache.blob(entry.record.previous or "")
        if not kept and registry.offline:
            return
        if not kept and registry.cache:
            _fetch(registry.cache, registry.log(project, environment), entry.record.n - 1)
        entry = registry.before(project, environment, entry)
        yield entry.record


def _fetch(cache: Cache, log: Log, first: int) -> None:
    """Records from `first` down into the cache. Whoever reads them there by their hashes proves them."""

    def keep(n: int) -> None:
        if entry := log.entry(n):
            cache.keep(entry.sha256, entry.content)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(keep, range(first, max(0, first - _FETCHED), -1)))
