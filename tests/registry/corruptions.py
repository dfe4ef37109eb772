"""Ways to corrupt a registry of three publications, and what fsck must find and can mend of each."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec
import zstandard

from registry_tools.mesh.publication import StoredFile
from registry_tools.registry import layout
from registry_tools.registry.log import encode_record
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import StoredObject
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.publishing import publication_id, publish, records

EDGE: Final = layout.edge_key("crm", PROJECT)
LOG: Final = layout.log_prefix(PROJECT, ENVIRONMENT)
MADE_UP: Final = "1" * 64
DAY: Final = 24 * 3600

Found = set[tuple[str, str]]
Keys = set[str]


def log_key(n: int) -> str:
    return layout.log_key(PROJECT, ENVIRONMENT, n)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_key(k: int, file: str = layout.MANIFEST) -> str:
    return layout.history_key(PROJECT, ENVIRONMENT, publication_id(k), file)


MANIFESTS = {k: file_key(k) for k in (1, 2, 3)}
USAGES = {k: file_key(k, layout.USAGE) for k in (1, 2, 3)}
STATES = {k: file_key(k, layout.STATE) for k in (1, 2, 3)}


class Clocked(MemoryStore):
    """A store whose hour is as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(lambda: self.now)

    def snapshot(self) -> dict[str, bytes]:
        return {key: stored.content for key, stored in self._objects.items()}

    def content(self, key: str) -> bytes:
        return self._objects[key].content

    def put(self, key: str, content: bytes) -> None:
        assert key not in self._objects or self._objects[key].content != content
        self._writes += 1
        self._written[key] = self.now
        self._objects[key] = StoredObject(content=content, tag=f"planted {self._writes}")

    def drop(self, *keys: str) -> None:
        for key in keys:
            del self._objects[key]


def forged(store: Clocked, place: int, **changes: object) -> bytes:
    """The record at this place, valid in itself, with other contents."""
    return encode_record(msgspec.structs.replace(records(store)[place - 1], **changes))


def rewrite(store: Clocked, start: int) -> None:
    """Somebody forges record `start` and all that follow, so that the chain holds again."""
    log = records(store)
    previous = log[start - 1].previous
    for record in log[start - 1 :]:
        changed = msgspec.structs.replace(record, previous=previous, reason="forged")
        store.put(log_key(record.n), encode_record(changed))
        previous = Registry(store).log(PROJECT, ENVIRONMENT).require(record.n).sha256


def go_back(store: Clocked, n: int) -> None:
    """The log ends at record n again, as a restored backup has it; the files stay."""
    store.drop(*(log_key(each) for each in range(n + 1, 4)))


def went_on(store: Clocked) -> None:
    rewrite(store, 2)
    publish(store, 4)


def swap(store: Clocked, one: str, other: str) -> None:
    first, second = store.content(one), store.content(other)
    store.put(one, second)
    store.put(other, first)


def renumber(store: Clocked, n: int) -> None:
    text = store.content(LATEST)
    store.put(LATEST, text.replace(b'"n":3', f'"n":{n}'.encode()))


def promise(store: Clocked, file: str, content: bytes) -> None:
    """The newest record names this content by its right digest: a publisher that was not mesh."""
    named = records(store)[-1].files | {file: StoredFile(size=len(content), sha256=hashlib.sha256(content).hexdigest())}
    store.put(log_key(3), forged(store, 3, files=named))
    store.put(file_key(3, file), content)


@dataclass(frozen=True)
class Row:
    """One corruption: how it is planted, what is found, and what of it can be mended, with and without a cache."""

    plant: Callable[[Clocked], object]
    found: Found
    cold: Keys = field(default_factory=set)
    warm: Keys | None = None  # everything that is found
    found_warm: Found | None = None  # the same


def altered(key: str) -> Callable[[Clocked], object]:
    return lambda store: store.put(key, store.content(key)[:-1] + b"\x00")


def cut(key: str) -> Callable[[Clocked], object]:
    return lambda store: store.put(key, store.content(key)[: len(store.content(key)) // 2])


def longer(key: str) -> Callable[[Clocked], object]:
    return lambda store: store.put(key, store.content(key) + b" ")


def gone(*keys: str) -> Callable[[Clocked], object]:
    return lambda store: store.drop(*keys)


def file_rows() -> dict[str, Row]:
    """Each kind of file, of each publication, in each way. Without a cache only the current interface has a copy."""
    rows = {}
    for k in (1, 2, 3):
        for kind, keys in (("interface", MANIFESTS), ("usage", USAGES), ("state", STATES)):
            key = keys[k]
            cold = {key} if kind == "interface" and k == 3 else set()
            for way, act in (("altered", altered), ("cut", cut), ("longer", longer)):
                rows[f"{kind} {k} {way}"] = Row(act(key), {("damaged-file", key)}, cold)
            rows[f"{kind} {k} gone"] = Row(gone(key), {("missing-file", key)}, cold)
    return rows


def record_rows() -> dict[str, Row]:
    """Each record, in each way; only a machine that has read it has a copy."""
    rows = {}
    for n in (1, 2, 3):
        key = log_key(n)
        for way, act in (("altered", altered), ("cut", cut), ("longer", longer)):
            rows[f"record {n} {way}"] = Row(act(key), {("damaged-record", key)})
        # the newest one has no successor that names its hash
        cold: Found = {("damaged-record", key)} if n < 3 else set()
        rows[f"record {n} forged and sealed"] = Row(forge(n), cold, set(), {key}, {("damaged-record", key)})
    for n in (1, 2):
        rows[f"record {n} gone"] = Row(gone(log_key(n)), {("missing-record", log_key(n))})
    return rows


def forge(n: int) -> Callable[[Clocked], object]:
    return lambda store: store.put(log_key(n), forged(store, n, reason="another"))


VIEW_ROWS: dict[str, Row] = {
    "latest gone": Row(gone(LATEST), {("stale-latest", LATEST)}, {LATEST}),
    "latest altered": Row(altered(LATEST), {("stale-latest", LATEST)}, {LATEST}),
    "latest cut": Row(cut(LATEST), {("stale-latest", LATEST)}, {LATEST}),
    "latest emptied": Row(lambda s: s.put(LATEST, b""), {("stale-latest", LATEST)}, {LATEST}),
    "latest is nothing of ours": Row(lambda s: s.put(LATEST, b"[1]"), {("stale-latest", LATEST)}, {LATEST}),
    "latest nested without end": Row(lambda s: s.put(LATEST, b"[" * 100_000), {("stale-latest", LATEST)}, {LATEST}),
    "latest says more than it was given": Row(
        lambda s: s.put(LATEST, s.content(LATEST)[:-1] + b',"macros":{"macro.x.y":{}}}'),
        {("stale-latest", LATEST)},
        {LATEST},
    ),
    "latest of an older publication": Row(
        lambda s: s.put(LATEST, s.content(MANIFESTS[1])), {("stale-latest", LATEST)}, {LATEST}
    ),
    "latest in the future": Row(lambda s: renumber(s, 7), {("stale-latest", LATEST)}, {LATEST}),
    "latest in the future, of no publication": Row(
        lambda s: s.put(LATEST, b'{"metadata": {"mesh": {"n": 7}}}'), {("stale-latest", LATEST)}, {LATEST}
    ),
    "latest in the past": Row(lambda s: renumber(s, 1), {("stale-latest", LATEST)}, {LATEST}),
    "latest at another time": Row(
        lambda s: s.put(LATEST, s.content(LATEST).replace(b"2026-01-23T07", b"2027-01-23T07")),
        {("stale-latest", LATEST)},
        {LATEST},
    ),
    "latest of a publication that never was, in the future": Row(
        lambda s: s.put(
            LATEST,
            s.content(LATEST)
            .replace(b'"n":3', b'"n":9')
            .replace(publication_id(3).encode(), publication_id(9).encode()),
        ),
        {("stale-latest", LATEST)},
        {LATEST},
    ),
    "edge gone": Row(gone(EDGE), {("missing-edge", EDGE)}, {EDGE}),
    "latest and the current interface gone": Row(
        gone(LATEST, MANIFESTS[3]),
        {("missing-file", MANIFESTS[3])},
        set(),
        {LATEST, MANIFESTS[3]},
        {("missing-file", MANIFESTS[3]), ("stale-latest", LATEST)},
    ),
    "current interface and edge gone": Row(
        gone(EDGE, MANIFESTS[3]), {("missing-file", MANIFESTS[3]), ("missing-edge", EDGE)}, {MANIFESTS[3], EDGE}
    ),
    "usage and edge gone": Row(
        gone(EDGE, USAGES[3]),
        {("missing-file", USAGES[3])},
        set(),
        {EDGE, USAGES[3]},
        {("missing-file", USAGES[3]), ("missing-edge", EDGE)},
    ),
}

SWAP_ROWS: dict[str, Row] = {
    f"{kind} of two publications swapped": Row(
        partial(swap, one=keys[1], other=keys[2]),
        {("damaged-file", keys[1]), ("damaged-file", keys[2])},
    )
    for kind, keys in (("interface", MANIFESTS), ("usage", USAGES), ("state", STATES))
} | {
    "interface of another instead of the current one": Row(
        lambda s: s.put(MANIFESTS[3], s.content(MANIFESTS[1])), {("damaged-file", MANIFESTS[3])}, {MANIFESTS[3]}
    ),
    "records 1 and 2 swapped": Row(
        lambda s: swap(s, log_key(1), log_key(2)), {("damaged-record", log_key(1)), ("damaged-record", log_key(2))}
    ),
}

UNMENDED: Keys = set()
LOG_ROWS: dict[str, Row] = {
    "a key in the log that is no record": Row(
        lambda s: s.put(f"{LOG}000-notes.txt", b"hello"), {("stranger", f"{LOG}000-notes.txt")}, warm=UNMENDED
    ),
    "a record with the number nought": Row(
        lambda s: s.put(f"{LOG}999999999999.json", s.content(log_key(1))),
        {("stranger", f"{LOG}999999999999.json")},
        warm=UNMENDED,
    ),
    "a record that calls itself otherwise": Row(
        lambda s: s.put(log_key(2), forged(s, 2, n=1)), {("damaged-record", log_key(2))}
    ),
    "a record that follows nothing": Row(
        lambda s: s.put(log_key(3), forged(s, 3, previous=None)),
        {("broken-chain", log_key(3))},
        set(),
        {log_key(3)},
        {("damaged-record", log_key(3))},
    ),
    "a first record that follows something": Row(
        lambda s: s.put(log_key(1), forged(s, 1, previous=MADE_UP)),
        {("damaged-record", log_key(1)), ("broken-chain", log_key(1))},
        set(),
        {log_key(1)},
        {("damaged-record", log_key(1))},
    ),
    "a predecessor that is no hash": Row(
        lambda s: s.put(log_key(3), forged(s, 3, previous="\0../../etc/passwd")), {("damaged-record", log_key(3))}
    ),
    "a number far away, of junk": Row(
        lambda s: s.put(f"{LOG}000000000000.json", b"{}"),
        {("damaged-record", f"{LOG}000000000000.json"), ("missing-record", log_key(999_999_999_998))},
        warm=UNMENDED,
    ),
    "a gap below the newest": Row(
        lambda s: s.put(log_key(9), forged(s, 3, n=9, previous=MADE_UP)),
        {("missing-record", log_key(8))},
        warm=UNMENDED,
    ),
    "the newest record gone": Row(
        gone(log_key(3)), {("missing-record", log_key(3))}, set(), {log_key(3)}, {("missing-record", log_key(3))}
    ),
    "the log gone back to its beginning": Row(
        lambda s: go_back(s, 1),
        {("missing-record", log_key(3))},
        set(),
        {log_key(2), log_key(3)},
        {("missing-record", log_key(2)), ("missing-record", log_key(3))},
    ),
    "the whole log gone": Row(
        lambda s: go_back(s, 0),
        {("missing-record", log_key(3))},
        set(),
        {log_key(1), log_key(2), log_key(3)},
        {("missing-record", log_key(n)) for n in (1, 2, 3)},
    ),
    "a rewritten chain": Row(
        lambda s: rewrite(s, 2),
        set(),
        set(),
        {log_key(2), log_key(3)},
        {("damaged-record", log_key(2)), ("damaged-record", log_key(3))},
    ),
    "a rewritten chain that went on": Row(went_on, set(), set(), set(), {("rewritten-log", log_key(3))}),
}

CONTENT_ROWS: dict[str, Row] = {
    "no interface under its right digest": Row(
        lambda s: promise(s, layout.MANIFEST, b'{"nodes": 1}'), {("wrong-content", MANIFESTS[3])}, warm=UNMENDED
    ),
    "another interface under its right digest": Row(
        lambda s: promise(s, layout.MANIFEST, s.content(MANIFESTS[1])), {("wrong-content", MANIFESTS[3])}
    ),
    "a usage that is no zstandard": Row(
        lambda s: promise(s, layout.USAGE, b"{}"), {("wrong-content", USAGES[3])}, warm=UNMENDED
    ),
    "a usage that is none": Row(
        lambda s: promise(s, layout.USAGE, zstandard.compress(b"[\xff]")), {("wrong-content", USAGES[3])}
    ),
    "a state that is no zstandard": Row(
        lambda s: promise(s, layout.STATE, b"\x28\xb5\x2f\xfd"), {("wrong-content", STATES[3])}
    ),
}

STRANGER_ROWS: dict[str, Row] = {
    name: Row(partial(Clocked.put, key=key, content=b"?"), {("stranger", key)}, warm=UNMENDED)
    for name, key in {
        "beside the log": f"{PROJECT}/{ENVIRONMENT}/notes.txt",
        "in the history": f"{PROJECT}/{ENVIRONMENT}/history/readme.md",
        "in a publication": f"{PROJECT}/{ENVIRONMENT}/history/{publication_id(1)}/extra.json",
        "below a publication's file": f"{MANIFESTS[1]}/x",
        "in the private part": f"_private/{PROJECT}/{ENVIRONMENT}/{publication_id(1)}",
        "beside latest": f"{PROJECT}/{ENVIRONMENT}/latest/manifest.json.bak",
        "with a name that is none": f"{PROJECT}/{ENVIRONMENT}/history/../manifest.json",
    }.items()
}

ROWS = file_rows() | record_rows() | VIEW_ROWS | SWAP_ROWS | LOG_ROWS | STRANGER_ROWS
