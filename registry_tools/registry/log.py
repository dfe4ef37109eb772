"""Records in, the same records out, numbered and chained: the only truth of a registry about one project's environment.

A record is created once under the next number; whoever creates it has committed. Nothing is ever overwritten, so a
reader needs the newest record alone, and two publishers cannot both get the same number.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

import msgspec

from registry_tools.errors import IntegrityError, OutcomeUnknown, RegistryError, UsageError
from registry_tools.mesh import names
from registry_tools.mesh.publication import FORMAT, Actor, Operation, Record
from registry_tools.registry import layout
from registry_tools.registry.objects import ObjectFacts, ObjectStore
from registry_tools.registry.patience import CLOCK, Clock

MAX_RECORD: Final = 64 * 1024
_SENDS: Final = 6
_READS: Final = 3
_ROUNDS: Final = 100


# Made once and here, because readers run in threads (see mesh.interface).
_DECODER: Final = msgspec.json.Decoder(Record)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A record, its bytes, and their sha256, which the next record names."""

    record: Record
    content: bytes
    sha256: str

    def followed_by(self, op: Operation, publication: str, actor: Actor, time: str, **changes: Any) -> Record:  # noqa: ANN401  # any of Record's fields
        """The record that comes upon this one: what holds goes on to hold, readers get what they have, and nothing is
        given up, unless `changes` say otherwise.
        """
        before = self.record
        news = {"reason": None, "since": before.made_current, "expired": (), "nonce": "", **changes}
        return msgspec.structs.replace(
            before,
            n=before.n + 1,
            previous=self.sha256,
            op=op,
            publication=publication,
            actor=actor,
            time=time,
            **news,
        )


# Asked for the record that comes upon the newest one, or None when there is nothing left to write.
Make = Callable[[Entry | None], Record | None]


class Log:
    """The log of one project in one environment."""

    def __init__(self, store: ObjectStore, project: str, environment: str, clock: Clock = CLOCK) -> None:
        self._store = store
        self._project = project
        self._environment = environment
        self._clock = clock

    def head(self) -> tuple[int, ObjectFacts] | None:
        """The number of the newest record and what the store says of it, by one LIST; None before the first one."""
        found = self._store.first(layout.log_prefix(self._project, self._environment))
        if found is None:
            return None
        n = layout.number_of(found.key)
        if n is None:
            raise IntegrityError(
                "this key stands in a log and is no record", where=self._place(found.key), then=INTEGRITY
            )
        return n, found

    def newest(self) -> Entry | None:
        """The newest record; None before the first publication."""
        head = self.head()
        return None if head is None else self.require(head[0])

    def entry(self, n: int) -> Entry | None:
        """Record n, proven to be a record and to be the n-th; None where there is none.

        Bytes that do not keep to their own seal may have been bent on their way, and are asked for again.
        """
        key = layout.log_key(self._project, self._environment, n)
        stored = self._store.get(key)
        for _ in self._clock.tries(_READS):
            if stored is None or is_sealed(stored.content):
                break
            stored = self._store.get(key)
        return None if stored is None else self.decode(stored.content, n)

    def require(self, n: int) -> Entry:
        """Record n, which something else says is there. Raises IntegrityError when it is not."""
        entry = self.entry(n)
        if entry is None:
            raise IntegrityError("a record that was there is gone", where=self.place(n), then=INTEGRITY)
        return entry

    def entries(self, start: Entry | None = None) -> Iterator[Entry]:
        """All records, newest first or from `start`, each checked against the hash that its successor names."""
        entry = start or self.newest()
        while entry is not None:
            yield entry
            n, expected = entry.record.n, entry.record.previous
            if (expected is None) != (n == 1):
                raise IntegrityError("it names the wrong predecessor", where=self.place(n), then=INTEGRITY)
            entry = self.require(n - 1) if n > 1 else None
            if entry is not None and entry.sha256 != expected:
                raise IntegrityError(
                    "its bytes are not those that the next record names", where=self.place(n - 1), then=INTEGRITY
                )

    def since(self, newest: Entry, n: int) -> Iterator[Entry]:
        """The records from `newest` down to the one after record n."""
        return takewhile(lambda entry: entry.record.n > n, self.entries(newest))

    def expiry(self, newest: Entry, publication: str, oldest: int) -> Record | None:
        """The record up to `newest` that gave the publication up, if one did after record `oldest`."""
        return next((e.record for e in self.since(newest, oldest) if publication in e.record.expired), None)

    def append(self, base: Entry | None, make: Make) -> tuple[Entry | None, bool]:
        """Commit the record that `make` builds upon the newest one; True with it when this call made it.

        When somebody else was faster, `make` is asked again upon the newest record, so that whatever it checks is
        checked against what is current; once it gives None, that newest record comes back with False.
        Raises OutcomeUnknown when the store never said whether it took the record: running again resolves that.
        """
        nonce = f"{random.getrandbits(64):016x}"  # not a secret: bytes that are the same are ours
        for _ in range(_ROUNDS):
            record = make(base)
            if record is None:
                return base, False
            content = encode_record(msgspec.structs.replace(record, nonce=nonce))
            mine = self._place_record(record.n, content)
            there = self.require(record.n)
            if mine:
                return there, True
            base = self._newest_from(there)
        raise RegistryError(
            f"{_ROUNDS} other publishers were faster",
            where=self._place(""),
            then="publish again when fewer run at once",
        )

    def decode(self, content: bytes, n: int) -> Entry:
        """The bytes of record n as an entry. Raises IntegrityError for what is not that record."""
        where = self.place(n)
        if len(content) > MAX_RECORD:
            raise IntegrityError(f"a record of {len(content):,} bytes", where=where, then=INTEGRITY)
        if not is_sealed(content):
            raise IntegrityError("not a record: its seal is missing or broken", where=where, then=INTEGRITY)
        try:
            record = _DECODER.decode(content)
            for publication in (record.current, record.publication, *record.yanked, *record.expired):
                names.publication_id(publication)
            _ = record.moment
            for digest in (record.digest, record.previous or record.digest):
                names.sha256(digest)
            for file in record.files.values():
                names.sha256(file.sha256)
        except (msgspec.DecodeError, ValueError, RecursionError, UsageError) as error:
            raise IntegrityError(f"not a record: {error}", where=where, then=INTEGRITY) from None
        if record.format != FORMAT:
            raise IntegrityError(f"format {record.format} is not known", where=where, then="update registry-tools")
        if record.n != n:
            raise IntegrityError(f"the record calls itself {record.n}", where=where, then=INTEGRITY)
        if not 0 < record.made_current <= n:
            raise IntegrityError(f"it follows upon record {record.made_current}", where=where, then=INTEGRITY)
        return Entry(record=record, content=content, sha256=hashlib.sha256(content).hexdigest())

    def place(self, n: int) -> str:
        """How people find record n."""
        return self._place(layout.log_key(self._project, self._environment, n))

    def _place_record(self, n: int, content: bytes) -> bool:
        """Create record n with these bytes: True, or False when the number is taken. Never another number or bytes.

        Nobody else writes the same bytes (see Record.nonce). So they are ours also when the store says no to them,
        because the network sent them twice, or after no answer came.
        """
        key = layout.log_key(self._project, self._environment, n)
        for _ in self._clock.tries(_SENDS):
            with suppress(OutcomeUnknown):  # whether it was taken is looked up
                if self._store.create(key, content):
                    return True
            standing = self._store.get(key)
            if standing is not None:
                return standing.content == content
        raise OutcomeUnknown(
            f"the registry did not say whether it took record {n}",
            where=self._place(key),
            then="run the same again: it finds its own record if it was taken",
        )

    def _newest_from(self, entry: Entry) -> Entry:
        newest = self.newest()
        return newest if newest is not None and newest.record.n > entry.record.n else entry

    def _place(self, key: str) -> str:
        return f"{self._store.root}/{key}".rstrip("/")


def encode_record(record: Record) -> bytes:
    """The record's bytes: JSON whose last key is the sha256 of the same document without it, so that a record can be
    told from a bent one before anything follows it. Raises UsageError for one that readers would refuse for its size.
    """
    content = sealed(msgspec.json.encode(record))
    if len(content) > MAX_RECORD:
        raise UsageError(
            f"the record would have {len(content):,} bytes; a registry takes {MAX_RECORD:,}",
            then="shorten the reason, or let approvals run out and expire yanked publications with mesh gc",
        )
    return content


def sealed(document: bytes) -> bytes:
    """A JSON object with its seal as the last key."""
    return document[:-1] + _seal(document)


def is_sealed(content: bytes) -> bool:
    """Whether the bytes are those that `encode_record` made."""
    document = content[:-_SEAL_LENGTH] + b"}"
    return content.endswith(_seal(document))


def _seal(document: bytes) -> bytes:
    return b',"seal":"' + hashlib.sha256(document).hexdigest().encode() + b'"}'


_SEAL_LENGTH: Final = len(_seal(b""))
INTEGRITY: Final = "stop publishing there, run mesh fsck, and find out who wrote to the registry other than with mesh"
