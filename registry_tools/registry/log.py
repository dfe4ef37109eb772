"""Records in, the same records out, numbered and chained: the only truth of a registry about one project's environment.

A record is created once under the next number; whoever creates it has committed. Nothing is ever overwritten, so a
reader needs the newest record alone, and two publishers cannot both get the same number.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from registry_tools.errors import IntegrityError, OutcomeUnknown, RegistryError, UsageError
from registry_tools.mesh import names
from registry_tools.mesh.publication import FORMAT, Record
from registry_tools.registry import layout
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.patience import Pause, tries

MAX_RECORD: Final = 64 * 1024
_SENDS: Final = 6
_ROUNDS: Final = 100


# Made once and here, because readers run in threads (see mesh.interface).
_DECODER: Final = msgspec.json.Decoder(Record)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A record and the sha256 of its bytes, which the next record names."""

    record: Record
    sha256: str


class Log:
    """The log of one project in one environment."""

    def __init__(self, store: ObjectStore, project: str, environment: str, pause: Pause = time.sleep) -> None:
        self._store = store
        self._project = project
        self._environment = environment
        self._pause = pause

    def newest(self) -> Entry | None:
        """The newest record, found by one LIST; None before the first publication."""
        found = self._store.first(layout.log_prefix(self._project, self._environment))
        if found is None:
            return None
        n = layout.number_of(found.key)
        if n is None:
            place = self._place(found.key)
            raise IntegrityError("this key stands in a log and is no record", where=place, then=_INTEGRITY)
        return self.entry(n)

    def entry(self, n: int) -> Entry | None:
        """Record n, proven to be a record and to be the n-th; None where there is none."""
        key = layout.log_key(self._project, self._environment, n)
        stored = self._store.get(key)
        return None if stored is None else self._decode(stored.content, n, key)

    def entries(self) -> Iterator[Entry]:
        """All records, newest first, each checked against the hash that its successor names."""
        entry, expected = self.newest(), None
        while entry is not None:
            if expected is not None and entry.sha256 != expected:
                key = layout.log_key(self._project, self._environment, entry.record.n)
                raise IntegrityError(
                    "its bytes are not those that the next record names", where=self._place(key), then=_INTEGRITY
                )
            yield entry
            n, expected = entry.record.n, entry.record.previous
            if (expected is None) != (n == 1):
                key = layout.log_key(self._project, self._environment, n)
                raise IntegrityError("it names the wrong predecessor", where=self._place(key), then=_INTEGRITY)
            entry = self.entry(n - 1) if n > 1 else None
            if entry is None and n > 1:
                raise self._vanished(n - 1)

    def append(self, base: Entry | None, make: Callable[[Entry | None], Record]) -> tuple[Entry, bool]:
        """Commit the record that `make` builds upon the newest one; True with it when this call made it.

        When somebody else was faster, `make` is asked again upon their record, so that whatever it checks is checked
        against what is current. A record of the same publication by another run of the same job counts as ours.
        Raises OutcomeUnknown when the store never said whether it took the record: running again resolves that.
        """
        for _ in range(_ROUNDS):
            record = make(base)
            content = msgspec.json.encode(record)
            mine = self._place_record(record.n, content)
            there = self.entry(record.n)
            if there is None:
                raise self._vanished(record.n)
            if there.record.publication == record.publication and there.record.op == record.op:
                return there, mine
            base = self._newest_from(there)
            if earlier := self._since(there, record):
                return earlier, False
        raise RegistryError(
            f"{_ROUNDS} other publishers were faster",
            where=self._place(""),
            then="publish again when fewer run at once",
        )

    def _place_record(self, n: int, content: bytes) -> bool:
        """Create record n with these bytes: True, or False when the number is taken. Never another number or bytes."""
        key = layout.log_key(self._project, self._environment, n)
        unanswered = False
        for _ in tries(_SENDS, self._pause):
            try:
                if self._store.create(key, content):
                    return True
            except OutcomeUnknown:
                unanswered = True
            standing = self._store.get(key)
            if standing is not None:
                return unanswered and standing.content == content
        raise OutcomeUnknown(
            f"the registry did not say whether it took record {n}",
            where=self._place(key),
            then="publish again: it finds its own record if it was taken",
        )

    def _since(self, lost_to: Entry, record: Record) -> Entry | None:
        """The record of the same publication that another run committed after the one that we lost to."""
        for entry in self.entries():
            if entry.record.n <= lost_to.record.n:
                return None
            if entry.record.publication == record.publication and entry.record.op == record.op:
                return entry
        return None

    def _newest_from(self, entry: Entry) -> Entry:
        newest = self.newest()
        return newest if newest is not None and newest.record.n > entry.record.n else entry

    def _decode(self, content: bytes, n: int, key: str) -> Entry:
        if len(content) > MAX_RECORD:
            raise IntegrityError(f"a record of {len(content):,} bytes", where=self._place(key), then=_INTEGRITY)
        try:
            record = _DECODER.decode(content)
            names.publication_id(record.current)
            names.publication_id(record.publication)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UsageError) as error:
            raise IntegrityError(f"not a record: {error}", where=self._place(key), then=_INTEGRITY) from None
        if record.format != FORMAT:
            raise IntegrityError(
                f"format {record.format} is not known", where=self._place(key), then="update registry-tools"
            )
        if record.n != n:
            raise IntegrityError(f"the record calls itself {record.n}", where=self._place(key), then=_INTEGRITY)
        return Entry(record=record, sha256=hashlib.sha256(content).hexdigest())

    def _vanished(self, n: int) -> IntegrityError:
        key = layout.log_key(self._project, self._environment, n)
        return IntegrityError("a record that was there is gone", where=self._place(key), then=_INTEGRITY)

    def _place(self, key: str) -> str:
        return f"{self._store.root}/{key}".rstrip("/")


_INTEGRITY: Final = "stop publishing there and find out who wrote to the registry other than with mesh"
