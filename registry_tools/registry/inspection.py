"""A project's environment in, everything that is not as its log says out, and what can be put right put right.

The log is walked record by record, every file of every publication that is still kept is held against its digest,
and the views (the plain readers' copy, the edges) against what they are views of. Lost bytes are restored where a copy
with the promised digest is at hand: in this machine's cache, or in the plain readers' copy.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
import zstandard

from registry_tools.errors import IntegrityError, OutcomeUnknown, RegistryError, UsageError
from registry_tools.mesh.interface import read_interface
from registry_tools.mesh.publication import Record, StoredFile
from registry_tools.mesh.usage import Usage
from registry_tools.registry import layout
from registry_tools.registry.cache import Head
from registry_tools.registry.log import Entry
from registry_tools.registry.packing import unpacked
from registry_tools.registry.publications import Registry, document_bytes, latest_number

_AT_ONCE: Final = 16
_KNOWN: Final = (layout.MANIFEST, layout.USAGE, layout.STATE)
_LOST: Final = "no copy is at hand: run mesh fsck --repair where it was read before, or restore the object's version"

# Made once and here, because readers run in threads (see mesh.interface).
_USAGE: Final = msgspec.json.Decoder(Usage)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """Bytes to put at a key: in place of the object that has this tag, or where there is none."""

    key: str
    content: bytes
    tag: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is not as it must be: a rule's stable name, the key, what is wrong, and what mends it."""

    rule: str
    key: str
    what: str
    then: str
    repair: Repair | None = None


def inspect(registry: Registry, project: str, environment: str) -> Iterator[Fault]:
    """Every fault of the log, its files and its views. Raises RegistryError when the store cannot be read."""
    inspection = _Inspection(registry, project, environment)
    entries, faults = inspection.walk()
    yield from faults
    yield from inspection.files(entries)
    if entries:
        yield from inspection.latest(entries[0])
        yield from inspection.edges(entries[0].record)
    yield from inspection.strangers(entries)


def repair(registry: Registry, fault: Fault) -> bool:
    """Put it right: True when it is. What changed since it was found stays as it is, and so does what has no copy."""
    if fault.repair is None:
        return False
    key, content, tag = fault.repair.key, fault.repair.content, fault.repair.tag
    try:
        return registry.store.create(key, content) if tag is None else registry.store.replace(key, content, tag)
    except OutcomeUnknown:
        standing = registry.store.get(key)
        return standing is not None and standing.content == content


class _Inspection:
    def __init__(self, registry: Registry, project: str, environment: str) -> None:
        self._registry = registry
        self._store = registry.store
        self._project = project
        self._environment = environment
        self._log = registry.log(project, environment)

    # -- the log ------------------------------------------------------------------------------------------------------

    def walk(self) -> tuple[list[Entry], list[Fault]]:
        """The records that can be trusted or at least read, newest first, and what is wrong with the others."""
        seen = self._seen()
        n, expected = self._newest_number(), None
        if seen is not None and seen.n >= n:
            n, expected = seen.n, seen.sha256
        entries: list[Entry] = []
        faults: list[Fault] = []
        while n > 0:
            entry, fault = self._record(n, expected)
            faults += [fault] if fault else []
            entries += [entry] if entry else []
            expected = entry.record.previous if entry else None
            if entry is not None and (expected is None) != (n == 1):
                what = "it names no predecessor" if expected is None else "the first record names a predecessor"
                faults.append(self._fault("broken-chain", layout.log_key(self._project, self._environment, n), what))
            n -= 1
        return entries, faults

    def _record(self, n: int, expected: str | None) -> tuple[Entry | None, Fault | None]:
        key = layout.log_key(self._project, self._environment, n)
        stored = self._store.get(key)
        entry, problem = None, "a record that was there is gone"
        if stored is not None:
            try:
                entry, problem = self._log.decode(stored.content, n), ""
            except IntegrityError as error:
                problem = error.what
        if entry is not None and expected in {None, entry.sha256}:
            return entry, None
        rule = "missing-record" if stored is None else "damaged-record"
        problem = problem or "its bytes are not those that were seen or that the next record names"
        kept = self._registry.cache.blob(expected) if self._registry.cache and expected else None
        if kept is None:
            return entry, self._fault(rule, key, problem)
        mending = Repair(key=key, content=kept, tag=stored.tag if stored else None)
        return self._log.decode(kept, n), self._fault(rule, key, problem, mending)

    def _newest_number(self) -> int:
        numbers = (
            layout.number_of(key) for key in self._store.keys(layout.log_prefix(self._project, self._environment))
        )
        return next((n for n in numbers if n is not None), 0)

    def _seen(self) -> Head | None:
        cache = self._registry.cache
        return cache.head(self._store.identity, self._project, self._environment) if cache else None

    # -- the files ----------------------------------------------------------------------------------------------------

    def files(self, entries: list[Entry]) -> Iterator[Fault]:
        """The faults of every file of every publication that is still kept."""
        gone = {name for entry in entries for name in entry.record.expired}
        named: dict[str, tuple[Record, str, StoredFile]] = {}
        for record in (entry.record for entry in entries if entry.record.current not in gone):
            for file, promised in record.files.items():
                if file in _KNOWN:
                    named.setdefault(self._key(record.current, file), (record, file, promised))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for fault in pool.map(lambda item: self._file(item[0], *item[1]), named.items()):
                yield from fault

    def _file(self, key: str, record: Record, file: str, promised: StoredFile) -> list[Fault]:
        stored = self._store.get(key)
        if stored is not None and hashlib.sha256(stored.content).hexdigest() == promised.sha256:
            return self._content(key, record, file, stored.content)
        what = f"record {record.n} names this file, and it is not there"
        if stored is not None:
            what = f"its bytes are not those that record {record.n} names"
        copy = self._copy(file, promised)
        mending = Repair(key=key, content=copy, tag=stored.tag if stored else None) if copy is not None else None
        return [self._fault("missing-file" if stored is None else "damaged-file", key, what, mending)]

    def _content(self, key: str, record: Record, file: str, content: bytes) -> list[Fault]:
        """Bytes that are as promised and still no interface, usage or state: whoever published them was not mesh."""
        try:
            if file == layout.USAGE:
                _USAGE.decode(unpacked(content))
            elif file == layout.STATE:
                unpacked(content)
            else:
                interface = read_interface(content)[0].checked()
                if (interface.project, interface.digest) == (self._project, record.digest):
                    return []
                return [self._fault("wrong-content", key, "it is not the interface that the record names")]
        except (ValueError, RecursionError, zstandard.ZstdError, UsageError) as error:
            return [self._fault("wrong-content", key, str(error))]
        return []

    def _copy(self, file: str, promised: StoredFile) -> bytes | None:
        """The promised bytes, from this machine's cache or, for the current interface, from the plain readers' copy."""
        cache = self._registry.cache
        if cache is not None and (content := cache.blob(promised.sha256)) is not None:
            return content
        latest = self._store.get(layout.latest_key(self._project, self._environment))
        if latest is None or file != layout.MANIFEST:
            return None
        try:
            interface, facts = read_interface(latest.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        content = document_bytes(interface, {k: v for k, v in facts.items() if k not in {"n", "published_at"}})
        return content if hashlib.sha256(content).hexdigest() == promised.sha256 else None

    # -- the views ----------------------------------------------------------------------------------------------------

    def latest(self, newest: Entry) -> Iterator[Fault]:
        """Whether plain readers get what the log says."""
        record = newest.record
        key = layout.latest_key(self._project, self._environment)
        try:
            interface, facts = self._registry.document(self._project, self._environment, record)
        except IntegrityError:
            return  # the file's own fault has been told; the copy can only follow once it is mended
        expected = document_bytes(interface, {**facts, "n": record.made_current, "published_at": ""})
        standing = self._store.get(key)
        if standing is not None and _without_time(standing.content) == _without_time(expected):
            return
        n = record.made_current
        if standing is None:
            what = f"plain readers find nothing; #{n} is current"
        elif latest_number(standing.content) == n:
            what = f"its bytes are not those of #{n}"
        else:
            what = f"plain readers get #{latest_number(standing.content)}; #{n} is current"
        content = document_bytes(interface, {**facts, "n": n, "published_at": record.time})
        mending = Repair(key=key, content=content, tag=standing.tag if standing else None)
        yield self._fault("stale-latest", key, what, mending)

    def edges(self, record: Record) -> Iterator[Fault]:
        """Whether every upstream that the project reads would find it when it checks a change."""
        try:
            usage = self._registry.usage(self._project, self._environment)
        except RegistryError:
            return  # told already
        for upstream in usage.upstreams if usage else ():
            key = layout.edge_key(upstream, self._project)
            if self._store.head(key) is None:
                what = f"{self._project} reads {upstream} since record {record.n}, and {upstream} would not find it"
                yield self._fault("missing-edge", key, what, Repair(key=key, content=b"", tag=None))

    def strangers(self, entries: Iterable[Entry]) -> Iterator[Fault]:
        """Objects that no publisher of ours puts there, and files whose publisher never committed."""
        published = {entry.record.current for entry in entries} | {e.record.publication for e in entries}
        prefix = f"{self._project}/{self._environment}/"
        known = {layout.latest_key(self._project, self._environment)}
        histories = layout.history_prefixes(self._project, self._environment)
        for key in (*self._store.keys(prefix), *self._store.keys(histories[1])):
            if key in known or layout.number_of(key) is not None:
                continue
            home = next((h for h in histories if key.startswith(h)), None)
            publication = key[len(home) :].partition("/")[0].removesuffix(".json.zst") if home else ""
            if home is None or key not in map(partial(self._key, publication), _KNOWN):
                yield Fault(rule="stranger", key=key, what="mesh did not put this here", then="look who did, remove it")
            elif publication not in published:
                what = f"{publication} was never committed"
                yield Fault(rule="orphan", key=key, what=what, then="mesh gc removes it when it is seven days old")

    def _key(self, publication: str, file: str) -> str:
        return layout.history_key(self._project, self._environment, publication, file)

    def _fault(self, rule: str, key: str, what: str, mending: Repair | None = None) -> Fault:
        then = "mesh fsck --repair" if mending else _LOST
        return Fault(rule=rule, key=key, what=what, then=then, repair=mending)


def _without_time(latest: bytes) -> bytes:
    """The copy's bytes but for when it was published, which depends on which record made it so."""
    try:
        interface, facts = read_interface(latest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return latest
    return document_bytes(interface, {**facts, "published_at": ""})
