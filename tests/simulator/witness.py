"""Every write of the bucket and every answer of the product in, nothing out: it raises where a promise is broken.

The log is the order of events that everything else is held against. The witness reads records, files and digests with
code of its own, so that a fault of the product's reading cannot hide one of its writing.
"""

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import zstandard

from registry_tools.mesh.interface import Interface
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.usage import Usage
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.simulator.bucket import Bucket, Write
from tests.simulator.candidates import BY_ID, EDGE, STATES
from tests.simulator.committed import Committed, expect, expect_follows, file_key, publication_of
from tests.simulator.fates import DAY

_LOG: Final = f"{PROJECT}/{ENVIRONMENT}/log/"
_GRACE: Final = 7 * DAY
_HIGHEST: Final = 999_999_999_999


class Witness:
    """What the log says, what was answered, and what follows from both."""

    def __init__(self, clock: Callable[[], float], pinned: frozenset[str]) -> None:
        self.bucket = Bucket(clock, self.wrote)
        self.log: list[Committed] = []
        self.floor = 0  # the highest number that anybody was told
        self.latest = 0
        self.published: dict[str, int] = {}
        self.expired: dict[str, float] = {}
        self.collected: set[str] = set()
        self._clock = clock
        self._pinned = pinned
        self._claimed: set[str] = set()

    @property
    def newest(self) -> Committed | None:
        """The newest record."""
        return self.log[-1] if self.log else None

    # -- what is written ----------------------------------------------------------------------------------------------

    def wrote(self, write: Write) -> None:
        """Hear of a change. Raises Violation."""
        if write.key.startswith(_LOG):
            self._wrote_record(write)
        elif (publication := publication_of(write.key)) is not None:
            self._wrote_file(publication, write)
        elif write.key == LATEST:
            self._wrote_latest(write)

    def _wrote_record(self, write: Write) -> None:
        number = _HIGHEST - int(write.key[len(_LOG) : -len(".json")])
        content = write.content
        expect(write.before is None and content is not None, "record {} was overwritten or deleted", number)
        fields = json.loads(content or b"")
        expect(fields["n"] == number == len(self.log) + 1, "record {} after {}", number, len(self.log))
        record = Committed(number, hashlib.sha256(content or b"").hexdigest(), fields)
        expect_follows(self.newest, record, write.checked)
        if record.op == "publish":
            first = self.published.setdefault(record.current, number)
            expect(first == number, "{} is published at {} and at {}", record.current, first, number)
            expect(record.current not in self.expired, "{} was given up and is published", record.current)
            usage = self.bucket.content(file_key(record.current, "usage.json.zst"))
            entered = self.bucket.content(EDGE) is not None
            expect(
                entered or usage is None or not _reads(usage), "{} is published and its upstreams do not know", number
            )
        elif record.made == number:
            expect(record.current in self.published, "readers are led to {}, never published", record.current)
            expect(record.current not in self.expired, "readers are led to {}, given up", record.current)
        for name in record.expired:
            expect(name in self.published, "{} was given up and never published", name)
            expect(name not in self._pinned, "{} was given up and is pinned", name)
            expect(name not in self.expired, "{} was given up twice", name)
            self.expired[name] = self._clock()
        self._expect_files(record)
        self.log.append(record)

    def _expect_files(self, record: Committed) -> None:
        """Whatever a record names is there, whole, when it becomes current."""
        for file, promised in record.fields["files"].items():
            content = self.bucket.content(file_key(record.current, file))
            sha256 = None if content is None else hashlib.sha256(content).hexdigest()
            expect(sha256 == promised["sha256"], "record {} names a {} that is not there", record.n, file)

    def _wrote_file(self, publication: str, write: Write) -> None:
        if write.content is not None:
            expect(write.before is None, "{} was overwritten", write.key)
            return
        self.collected.add(publication)
        if publication in self.published:
            expect(publication in self.expired, "{} was deleted and is still kept", write.key)
            since = self._clock() - self.expired[publication]
            expect(since >= _GRACE, "{} was deleted {:.0f} s after it was given up", write.key, since)

    def _wrote_latest(self, write: Write) -> None:
        expect(write.content is not None, "the copy for plain readers was deleted")
        facts = json.loads(write.content or b"")["metadata"]["mesh"]
        n, name = facts["n"], facts["publication"]
        expect(n >= self.latest, "the copy for plain readers went from {} to {}", self.latest, n)
        expect(n <= len(self.log) and self.log[n - 1].current == name, "the copy for plain readers is no record {}", n)
        self.latest = n

    # -- what is answered ---------------------------------------------------------------------------------------------

    def acknowledged(self, name: str, publication: Publication, *, is_new: bool) -> None:
        """A publisher was told that its publication stands at this number."""
        expect(publication.n == self.published.get(name), "{} is not at {}, as was said", name, publication.n)
        expect(not is_new or name not in self._claimed, "{} was published by two runs, they were told", name)
        self._claimed |= {name} if is_new else set()
        self.floor = max(self.floor, publication.n)

    def read(self, since: int, publication: Publication | None) -> tuple[int, str | None]:
        """Somebody who began when `since` was known was told that this is current."""
        if publication is None:
            expect(since == 0, "a reader got nothing after somebody had been told of {}", since)
            return 0, None
        n = publication.n
        expect(n >= since, "a reader got {} after somebody had been told of {}", n, since)
        self._expect_was_current(publication)
        self.floor = max(self.floor, n)
        return n, publication.id

    def _expect_was_current(self, publication: Publication) -> None:
        n = publication.n
        expect(n <= len(self.log), "a reader got record {} of {}", n, len(self.log))
        record = self.log[n - 1]
        expect(publication.id == record.current, "a reader got {} at {}", publication.id, n)
        expect(publication.digest == record.fields["digest"], "a reader got another digest at {}", n)
        expect(record.made == n, "a reader got {}, which changed nothing", n)

    def read_interface(self, interface: Interface, publication: Publication) -> None:
        """The bytes that a reader got are those that were published."""
        self._expect_was_current(publication)
        expect(interface == BY_ID[publication.id].interface, "the interface of {} is another one", publication.id)

    def read_state(self, state: bytes | None, publication: Publication | None) -> None:
        """See read_interface."""
        expected = STATES[publication.id] if publication else None
        expect(state == expected, "the state of {} is {}", publication, state)

    def read_usage(self, since: int, usage: Usage | None) -> None:
        """The usage is one that was current at some time after the reader began."""
        if usage is None:
            expect(since == 0, "there was a usage to read since {}", since)
            return
        files = {r.fields["files"]["usage.json.zst"]["sha256"]: r.current for r in self.log[max(0, since - 1) :]}
        stored = (self.bucket.content(file_key(name, "usage.json.zst")) for name in files.values())
        known = (_reads(content) for content in stored if content is not None)
        late = any(name in self.collected for name in files.values())
        nodes = tuple(read.node for read in usage.reads)
        expect(nodes in known or late, "a usage that was not current since {}", since)

    def read_plain(self, since: int, content: bytes | None) -> None:
        """A reader that knows no log got this copy, when the copy of `since` had been there."""
        n = json.loads(content)["metadata"]["mesh"]["n"] if content is not None else 0
        expect(n >= since, "the copy for plain readers went back from {} to {}", since, n)

    # -- what remains -------------------------------------------------------------------------------------------------

    def may_refuse(self, name: str) -> bool:
        """Whether a publisher has to build again: it was withdrawn, is too old, or left files more than a day ago."""
        newest = self.newest
        if newest and (name in newest.yanked or name <= (newest.fields.get("horizon") or "")):
            return True
        candidate = BY_ID[name]
        files = ("manifest.json", "usage.json.zst", *(["state.json.zst"] if candidate.state else []))
        facts = (self.bucket.head(file_key(name, file)) for file in files)
        return name in self.collected or any(found and found.age > DAY for found in facts)

    def never(self, name: str) -> None:
        """A publication that every run of its job declined was never published."""
        expect(name not in self.published, "{} was declined and is published", name)

    def at_last(self, names: set[str]) -> None:
        """After the faults, everything is published and the copy for plain readers is the newest."""
        missing = sorted(name for name in names - self.published.keys() if not self.may_refuse(name))
        expect(not missing, "{} were never published", missing)
        if self.newest:
            made = self.newest.made
            expect(self.latest == made, "the copy for plain readers stays at {} of {}", self.latest, made)
        for record in self.log:
            if record.current not in self.expired:
                self._expect_files(record)


@lru_cache(maxsize=256)
def _reads(packed: bytes) -> tuple[str, ...]:
    usage: dict[str, Any] = json.loads(zstandard.ZstdDecompressor().decompress(packed))
    return tuple(read["node"] for read in usage["reads"])
