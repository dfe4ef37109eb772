"""A project's environment in, everything that is not as its log says out, and what can be put right put right.

The log is walked record by record, every file of every publication that is still kept is held against its digest,
and the views (the plain readers' copy, the edges) against what they are views of. Lost bytes are restored where a copy
with the promised digest is at hand: in this machine's cache, or in the plain readers' copy.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import zstandard

from registry_tools.errors import IntegrityError, MeshError, OutcomeUnknown, UsageError
from registry_tools.mesh import names
from registry_tools.mesh.interface import read_interface
from registry_tools.mesh.publication import Record, StoredFile
from registry_tools.mesh.usage import Usage
from registry_tools.registry import layout
from registry_tools.registry.cache import Head
from registry_tools.registry.log import INTEGRITY, Entry
from registry_tools.registry.packing import unpacked
from registry_tools.registry.publications import (
    OLDEST_FILE,
    Registry,
    document_bytes,
    facts_of_copy,
    facts_without_copy,
    latest_number,
)

_AT_ONCE: Final = 16
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
    walked = inspection.walk()
    yield from walked.faults
    yield from inspection.files(walked)
    lost = inspection.lost_record(walked)
    if lost is not None:
        yield lost
    if newest := walked.newest:
        yield from inspection.latest(newest, walked) if lost is None else ()
        yield from inspection.edges(newest.record)
    yield from inspection.strangers(walked, orphans=walked.whole and lost is None)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walked:
    """A log as it was walked from record `top` down: the records that could be read, newest first, and the faults.

    `proven` are the numbers of those that a hash vouches for; of the others nothing may be concluded that would write
    over something.
    """

    top: int
    entries: list[Entry]
    faults: list[Fault]
    proven: set[int]

    @property
    def newest(self) -> Entry | None:
        """The newest record, where it can be trusted: no other than itself may be missing below it."""
        newest = [each for each in self.entries if self.top - 2 < each.record.n]
        return newest[0] if self.top in self.proven and len(newest) == min(self.top, 2) else None

    @property
    def whole(self) -> bool:
        """Whether every record is there, so that what no record names was never committed."""
        return self.top == len(self.entries) == len(self.proven)

    @property
    def published(self) -> set[str]:
        """Every publication that a record is about or leads readers to."""
        return {name for each in self.entries for name in (each.record.current, each.record.publication)}


class _Inspection:
    def __init__(self, registry: Registry, project: str, environment: str) -> None:
        self._registry = registry
        self._store = registry.store
        self._project = project
        self._environment = environment
        self._log = registry.log(project, environment)

    # -- the log ------------------------------------------------------------------------------------------------------

    def walk(self) -> _Walked:
        """The log from its newest record down, or from the one that this machine has seen where that is gone."""
        standing, seen = self._numbers(), self._seen()
        known = {*standing, seen.n} if seen else set(standing)
        n = top = max(known, default=0)
        expected, proven = None, True
        walked = _Walked(top=top, entries=[], faults=[], proven=set())
        while n > 0:
            if seen is not None and n == seen.n and not (proven and expected):
                expected, proven = seen.sha256, True
            entry, fault = self._record(n, expected, vouched=proven)
            sound = entry is not None and (fault is None or fault.repair is not None)
            if entry is None and n not in standing:
                below = max((one for one in known if one < n), default=0)
                fault, n = self._gone(below + 1, n), below + 1
            walked.faults.extend([fault] if fault else [])
            if entry is not None:
                walked.entries.append(entry)
                walked.proven.update([n] if sound and proven else [])
                walked.faults.extend(self._links(entry, seen if fault is None else None))
            expected = entry.record.previous if entry and sound else None
            proven = proven and expected is not None
            n -= 1
        if any(fault.rule == "rewritten-log" for fault in walked.faults):
            walked.proven.clear()
        return walked

    def _links(self, entry: Entry, seen: Head | None) -> Iterator[Fault]:
        """Whether the record names a predecessor as it must, and is the one that this machine saw."""
        n, key = entry.record.n, self._log_key(entry.record.n)
        if (entry.record.previous is None) != (n == 1):
            none = entry.record.previous is None
            what = "it names no predecessor" if none else "the first record names a predecessor"
            yield self._fault("broken-chain", key, what)
        if seen is not None and n == seen.n and entry.sha256 != seen.sha256:
            what = f"since this machine saw record {n} it was rewritten, and so were the records that follow it"
            yield Fault(rule="rewritten-log", key=key, what=what, then=INTEGRITY)

    def _record(self, n: int, expected: str | None, *, vouched: bool) -> tuple[Entry | None, Fault | None]:
        """Record n and what is wrong with it; in its place a copy, where the hash that is expected is vouched for."""
        key = self._log_key(n)
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
        kept = self._kept(n, expected) if vouched else None
        if kept is None:
            return entry, self._fault(rule, key, problem)
        mending = Repair(key=key, content=kept.content, tag=stored.tag if stored else None)
        return kept, self._fault(rule, key, problem, mending)

    def _kept(self, n: int, expected: str | None) -> Entry | None:
        """Record n as this machine's cache has it."""
        cache = self._registry.cache
        content = cache.blob(expected) if cache and expected else None
        try:
            return None if content is None else self._log.decode(content, n)
        except IntegrityError:
            return None

    def _gone(self, first: int, last: int) -> Fault:
        """Records without a copy; one fault for all of them, however many numbers somebody skipped."""
        what = f"records {first} to {last} are gone" if first < last else "a record that was there is gone"
        return self._fault("missing-record", self._log_key(last), what)

    def _numbers(self) -> set[int]:
        keys = self._store.keys(layout.log_prefix(self._project, self._environment))
        return {n for n in map(layout.number_of, keys) if n is not None}

    def _seen(self) -> Head | None:
        cache = self._registry.cache
        return cache.head(self._store.identity, self._project, self._environment) if cache else None

    # -- the files ----------------------------------------------------------------------------------------------------

    def files(self, walked: _Walked) -> Iterator[Fault]:
        """The faults of every file of every publication that is still kept."""
        gone = {name for entry in walked.entries for name in entry.record.expired}
        named: dict[str, tuple[Record, str, bool]] = {}
        for proven in (True, False):
            for record in (each.record for each in walked.entries if (each.record.n in walked.proven) is proven):
                for file in layout.FILES if record.current not in gone else ():
                    if file in record.files:
                        named.setdefault(self._key(record.current, file), (record, file, proven))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for fault in pool.map(lambda item: self._file(item[0], *item[1]), named.items()):
                yield from fault

    def _file(self, key: str, record: Record, file: str, proven: bool) -> list[Fault]:  # noqa: FBT001  # a row of named
        stored, promised = self._store.get(key), record.files[file]
        if stored is not None and hashlib.sha256(stored.content).hexdigest() == promised.sha256:
            return self._content(key, record, file, stored.content)
        if stored is None:
            rule, what = "missing-file", f"record {record.n} names this file, and it is not there"
        else:
            rule, what = "damaged-file", f"its bytes are not those that record {record.n} names"
        copy = self._copy(file, promised) if proven or stored is None else None
        mending = Repair(key=key, content=copy, tag=stored.tag if stored else None) if copy is not None else None
        return [self._fault(rule, key, what, mending)]

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
        content = document_bytes(interface, facts_without_copy(facts))
        return content if hashlib.sha256(content).hexdigest() == promised.sha256 else None

    # -- the views ----------------------------------------------------------------------------------------------------

    def latest(self, newest: Entry, walked: _Walked) -> Iterator[Fault]:
        """Whether plain readers get what the log says."""
        record, n = newest.record, newest.record.made_current
        key = layout.latest_key(self._project, self._environment)
        try:
            interface, facts = self._registry.document(self._project, self._environment, record)
            content = self._registry.file(self._project, self._environment, record, layout.MANIFEST)
        except MeshError:
            return  # the file's own fault has been told; the copy can only follow once it is mended
        standing = self._store.get(key)
        times = {each.record.time for each in walked.entries if each.record.made_current == n}
        if standing is not None and _shown(standing.content) in [_shown(content, n, time) for time in times]:
            return
        if max(self._numbers(), default=0) > record.n:
            return  # somebody published meanwhile, and brings the copy forward himself
        if standing is None:
            what = f"plain readers find nothing; #{n} is current"
        elif (told := latest_number(standing.content)) in {None, n}:
            what = f"its bytes are not those of #{n}"
        else:
            what = f"plain readers get #{told}; #{n} is current"
        right = document_bytes(interface, facts_of_copy(facts, n, record.time))
        mending = Repair(key=key, content=right, tag=standing.tag if standing else None)
        yield self._fault("stale-latest", key, what, mending)

    def lost_record(self, walked: _Walked) -> Fault | None:
        """The record that plain readers' copy is of and the log has not, where the publication's files are there."""
        latest = self._store.get(layout.latest_key(self._project, self._environment))
        n = latest_number(latest.content) if latest else None
        if latest is None or n is None or n <= walked.top:
            return None
        try:
            publication = names.publication_id(str(read_interface(latest.content)[1].get("publication")))
        except (ValueError, RecursionError, UsageError):
            return None
        if publication in walked.published or n in self._numbers():
            return None
        if self._store.head(self._key(publication, layout.MANIFEST)) is None:
            return None
        what = f"plain readers get {publication} as #{n}, and the log ends at #{walked.top}"
        return self._fault("missing-record", self._log_key(n), what)

    def edges(self, record: Record) -> Iterator[Fault]:
        """Whether every upstream that the project reads would find it when it checks a change."""
        try:
            usage = self._registry.usage(self._project, self._environment)
        except MeshError:
            return  # told already
        for upstream in usage.upstreams if usage else ():
            key = layout.edge_key(upstream, self._project)
            if self._store.head(key) is None:
                what = f"{self._project} reads {upstream} since record {record.n}, and {upstream} would not find it"
                yield self._fault("missing-edge", key, what, Repair(key=key, content=b"", tag=None))

    def strangers(self, walked: _Walked, *, orphans: bool) -> Iterator[Fault]:
        """Objects that no publisher of ours puts there, and files whose publisher can no longer commit them."""
        latest = layout.latest_key(self._project, self._environment)
        private = layout.history_prefixes(self._project, self._environment)[1]
        for key in (*self._store.keys(f"{self._project}/{self._environment}/"), *self._store.keys(private)):
            if key == latest or layout.number_of(key) is not None:
                continue
            publication = layout.publication_of(self._project, self._environment, key)
            if publication is None:
                yield Fault(rule="stranger", key=key, what="mesh did not put this here", then="look who did, remove it")
            elif orphans and publication not in walked.published and self._is_left(key):
                what = f"{publication} was never committed"
                yield Fault(rule="orphan", key=key, what=what, then="mesh gc removes it when it is seven days old")

    def _is_left(self, key: str) -> bool:
        facts = self._store.head(key)
        return facts is not None and facts.age > OLDEST_FILE

    def _key(self, publication: str, file: str) -> str:
        return layout.history_key(self._project, self._environment, publication, file)

    def _log_key(self, n: int) -> str:
        return layout.log_key(self._project, self._environment, n)

    def _fault(self, rule: str, key: str, what: str, mending: Repair | None = None) -> Fault:
        then = "mesh fsck --repair" if mending else _LOST
        return Fault(rule=rule, key=key, what=what, then=then, repair=mending)


def _shown(document: bytes, n: int | None = None, time: str = "") -> Any:  # noqa: ANN401  # any JSON
    """A document as plain readers understand it; with these facts, the copy that is made of it."""
    try:
        read = msgspec.json.decode(document)
        if n is not None:
            read["metadata"]["mesh"] = facts_of_copy(read["metadata"]["mesh"], n, time)
    except (ValueError, RecursionError):
        return document
    return read
