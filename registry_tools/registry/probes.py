"""A store in, what it really does out: the promises of ObjectStore tried one by one, below a prefix of their own.

Publishing to a store that nobody vouches for costs one request more each time: the smallest file that this publication
has just created is created again with the same bytes, and has to be declined. A marker that remembers an earlier
success costs a request as well, needs a right outside the publisher's own prefix, and vouches for a store, a proxy or
a policy that may have been exchanged since.
"""

import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from registry_tools.errors import OutcomeUnknown, RegistryError
from registry_tools.mesh.observation import Observation, Verdict
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.patience import Clock
from registry_tools.registry.s3 import S3Store

PREFIX: Final = "_probe/"
AREA: Final = "store"
_PRIVATE: Final = "_private/"
_RIGHTS: Final = ("create", "read", "replace", "delete")
_SENDS: Final = 4
_WRITERS: Final = 16
_RACES: Final = 5
_READERS: Final = 8
_REPLACEMENTS: Final = 12
_READS: Final = 5
_NUMBERS: Final = 8
_LARGE: Final = 8 << 20
_OLD_SECONDS: Final = 300
# What stores and systems say where a role lacks a right; everything else that they say is a fault.
_FORBIDDEN: Final = ("AccessDenied", "Forbidden", "Permission denied", "Operation not permitted", "Read-only file")
_ELSEWHERE: Final = "keep the registry on AWS S3, in a directory, or on a store that keeps to conditional writes"

T = TypeVar("T")


def require_conditions(store: ObjectStore, key: str, content: bytes, clock: Clock) -> None:
    """Raise RegistryError unless the store declines to create `key`, where this publisher has just put `content`.

    AWS and directories are vouched for and asked nothing.
    """
    if not isinstance(store, S3Store) or store.is_amazons():
        return
    for _ in clock.tries(_SENDS):
        try:
            overwritten = store.create(key, content)
        except OutcomeUnknown:
            continue
        if not overwritten:
            return
        raise RegistryError(
            "this store ignores conditional writes: two publishers would overwrite each other; nothing is published",
            where=store.root,
            then=f"{_ELSEWHERE}; mesh doctor says what else this one does not keep to",
        )
    raise OutcomeUnknown("the registry does not answer", where=f"{store.root}/{key}", then="publish again")


def forbids(error: RegistryError) -> bool:
    """Whether the store was reached and declined because of a missing right."""
    return any(word in error.what for word in _FORBIDDEN)


def look_at_store(store: ObjectStore, own: frozenset[str]) -> Iterator[Observation]:
    """What can be said without writing: whether it answers, what this role may list and read, and whether it may read
    what is private to other projects than `own`. Raises RegistryError when the store cannot be reached at all.
    """
    try:
        found = store.first("")
    except RegistryError as error:
        if not forbids(error):
            raise
        yield _saw("list", "note", "answers; this role may not list the whole registry")
        found = None
    else:
        yield _saw("list", "ok", "answers; this role may list it" if found else "answers, and is empty")
    if found is not None:
        yield from _observed("read", partial(_read, store, found.key))
    yield from _observed("private", partial(_read_private, store, own))


def probe_store(store: ObjectStore) -> Iterator[Observation]:
    """Try every promise and every right with some 250 writes of a few bytes and one of 8 MB, then clean up.

    What this role may not do is told and not tried further; a probe that the store does not answer ends alone.
    """
    bench = _Bench(store)
    try:
        yield from _observed("rights", bench.rights)
        for check, probe in bench.probes():
            yield from _observed(check, probe)
    finally:
        left = bench.clean_up()
    if left:
        what = f"{left} small objects stay below {store.root}/{bench.prefix.rstrip('/')}; no reader looks there"
        yield _saw("cleaning-up", "note", what, "have them removed by a role that may delete")


class _Bench:
    """A prefix that nobody else uses, and the probes that are made there. Probes ask for rights that were seen."""

    def __init__(self, store: ObjectStore) -> None:
        self.prefix = f"{PREFIX}{uuid.uuid4().hex}/"
        self._store = store
        self._made: set[str] = set()
        self._may: set[str] = set()

    def probes(self) -> Iterator[tuple[str, Callable[[], Iterable[Observation]]]]:
        """Those that this role's rights allow, the ones that a registry stands or falls with first."""
        if "create" not in self._may:
            return
        yield "conditional-create", self._create_twice
        yield "race", self._race
        if "replace" in self._may:
            yield "conditional-replace", self._replace_stale
            yield "stale-reads", self._read_replaced
        if "delete" in self._may:
            yield "conditional-delete", self._delete_stale
            yield "large-object", self._large_object
        yield "read-after-write", self._read_created
        yield "listing", self._list_created
        if isinstance(self._store, S3Store):
            yield "checksum", partial(self._wrong_checksum, self._store)
            yield "overwriting", partial(self._overwrite, self._store)

    def clean_up(self) -> int:
        """How many objects could not be removed."""
        made = sorted(self._made)
        for batch in (made[start : start + _WRITERS] for start in range(0, len(made), _WRITERS)):
            gone = _at_once([partial(self._remove, key) for key in batch])
            self._made -= {key for key, is_gone in zip(batch, gone, strict=True) if is_gone}
        if isinstance(self._store, DirectoryStore) and not self._made:
            shutil.rmtree(Path(self._store.root) / self.prefix, ignore_errors=True)  # folders and locks are no keys
        return len(self._made)

    def _remove(self, key: str) -> bool:
        try:
            standing = self._store.head(key)
            return standing is None or self._store.delete(key, standing.tag)
        except RegistryError:
            return False

    def rights(self) -> Iterator[Observation]:
        """What this role may do below our prefix. Without the rights to create and to read nothing can be tried."""
        for right, attempt in self._attempts().items():
            try:
                attempt()
            except RegistryError as error:
                if not forbids(error):
                    raise
                self._made = self._made if self._may else set()
                if right in {"create", "read"}:
                    break
            else:
                self._may.add(right)
        if not self._may >= {"create", "read"}:
            what = f"this role may not create and read below {PREFIX}, so nothing was tried"
            yield _saw("rights", "warning", what, "run mesh doctor once as a role that may, or add --read-only")
            return
        may, lacks = (", ".join(r for r in _RIGHTS if (r in self._may) is has) for has in (True, False))
        then = "publishers need not delete: leave that to the role that collects garbage"
        yield _saw("rights", "note", f"this role may {may}{lacks and f'; not {lacks}'}", "" if lacks else then)

    def _attempts(self) -> dict[str, Callable[[], object]]:
        key = f"{self.prefix}rights"
        return {
            "create": lambda: self._make("rights", b"first"),
            "read": lambda: self._tag(key),
            "replace": lambda: self._store.replace(key, b"second", self._tag(key)),
            "delete": lambda: self._store.delete(key, self._tag(key)),
        }

    # -- probes -------------------------------------------------------------------------------------------------------

    def _create_twice(self) -> Iterator[Observation]:
        key = self._make("twice", b"first")
        again = self._store.create(key, b"second")
        yield _judged(
            "conditional-create",
            not again and self._content(key) == b"first",
            "a second create of one key is declined",
            "a second create of one key is not declined: publishers overwrite each other, and publish refuses",
        )

    def _race(self) -> Iterator[Observation]:
        for number in range(_RACES):
            key = self._key(f"race/{number}")
            bodies = [f"writer {writer}".encode() for writer in range(_WRITERS)]
            results = _at_once([partial(self._store.create, key, body) for body in bodies])
            won = [body for body, result in zip(bodies, results, strict=True) if result is True]
            unknown = [body for body, result in zip(bodies, results, strict=True) if result is None]
            if len(won) > 1 or self._content(key) not in (won or unknown):
                yield _saw(
                    "race", "error", f"{len(won)} of {_WRITERS} creates of one key at once were granted", _ELSEWHERE
                )
                return
        yield _saw("race", "ok", f"of {_WRITERS} creates of one key at once, one is granted ({_RACES} races)")

    def _replace_stale(self) -> Iterator[Observation]:
        key, absent = self._make("replaced", b"first"), self._key("absent")
        stale = self._tag(key)
        granted = self._store.replace(key, b"second", stale)
        ignored = self._store.replace(key, b"third", stale)
        yield _judged(
            "conditional-replace",
            granted and not ignored and self._content(key) == b"second",
            "a replacement is declined when its tag is stale",
            "a replacement with a stale tag is not declined: a slow publisher brings latest/ back to an older state",
        )
        if self._store.replace(absent, b"made", stale):
            yield _saw("conditional-replace", "error", "a replacement of an absent key creates it", _ELSEWHERE)

    def _delete_stale(self) -> Iterator[Observation]:
        key, other = self._make("deleted", b"first"), self._make("other", b"second")
        ignored = self._store.delete(key, self._tag(other))
        kept = self._content(key) == b"first"
        gone = not kept or (self._store.delete(key, self._tag(key)) and self._content(key) is None)
        yield _judged(
            "conditional-delete",
            not ignored and kept and gone,
            "a deletion is declined when its tag is stale",
            "a deletion with a stale tag is not declined: collecting garbage can remove what was just replaced",
        )

    def _read_created(self) -> Iterator[Observation]:
        age = 0.0
        for number in range(_READS):
            key = self._key(f"read/{number}")
            if self._content(key) is not None or not self._store.create(key, b"new"):
                yield _saw("read-after-write", "error", "a key that was never put is said to be taken", _ELSEWHERE)
                return
            facts = self._store.head(key)
            if self._content(key) != b"new" or facts is None or facts.size != len(b"new"):
                yield _saw("read-after-write", "error", "an object that was just put is not found", _ELSEWHERE)
                return
            age = max(age, facts.age)
        yield _saw("read-after-write", "ok", "an object is read as soon as it is put")
        if age > _OLD_SECONDS:
            then = "set the clocks of this machine and of the store: garbage is judged by its age"
            yield _saw("age", "warning", f"an object that was just put is said to be {age:.0f} s old", then)

    def _list_created(self) -> Iterator[Observation]:
        made: list[str] = []
        for number in range(_NUMBERS):
            # Record numbers count down in keys, so the newest has to come first.
            made.insert(0, self._make(f"list/{999_999_999_999 - number:012d}.json", b"{}"))
            listed, first = list(self._store.keys(f"{self.prefix}list/")), self._store.first(f"{self.prefix}list/")
            if set(listed) != set(made) or first is None:
                yield _saw("listing", "error", "a listing lacks an object that was just put", _ELSEWHERE)
                return
            if listed != made or first.key != made[0]:
                yield _saw(
                    "listing", "error", "keys are not listed in their order: the newest record is missed", _ELSEWHERE
                )
                return
        yield _saw("listing", "ok", "a listing has every object that was put, in the order of keys")

    def _read_replaced(self) -> Iterator[Observation]:
        key = self._make("stale", b"0")
        for number in range(1, _REPLACEMENTS + 1):
            expected = str(number).encode()
            self._store.replace(key, expected, self._tag(key))
            read = _at_once([partial(self._content, key) for _ in range(_READERS)])
            if stale := sum(content != expected for content in read):
                what = f"{stale} of {_READERS} readers got old bytes after a replacement was acknowledged"
                yield _saw("stale-reads", "error", what, _ELSEWHERE)
                return
        yield _saw(
            "stale-reads",
            "ok",
            f"{_READERS} readers at once get the new bytes after each of {_REPLACEMENTS} replacements",
        )

    def _large_object(self) -> Iterator[Observation]:
        content = os.urandom(_LARGE)
        facts = self._store.head(key := self._make("large", content))
        back = self._content(key) or b""
        whole = hashlib.sha256(back).digest() == hashlib.sha256(content).digest()
        yield _judged(
            "large-object",
            whole and facts is not None and facts.size == _LARGE,
            f"{_LARGE >> 20} MB come back as they were put",
            f"{_LARGE >> 20} MB do not come back as they were put",
        )

    def _wrong_checksum(self, bucket: S3Store) -> Iterator[Observation]:
        if bucket.accepts_wrong_checksum(self._key("checksum")):
            then = f"readers notice, because every file is checked against the log; better {_ELSEWHERE}"
            yield _saw("checksum", "warning", "bytes that are not what their SHA-256 says are stored", then)
        else:
            yield _saw("checksum", "ok", "bytes that are not what their SHA-256 says are refused")

    def _overwrite(self, bucket: S3Store) -> Iterator[Observation]:
        if bucket.overwrites_unasked(self._make("overwritten", b"first"), b"second"):
            then = "have the bucket's policy deny s3:PutObject without s3:if-none-match or s3:if-match"
            yield _saw("overwriting", "note", "this role may overwrite objects without a condition", then)
        else:
            yield _saw("overwriting", "ok", "overwriting without a condition is forbidden")

    # -- tools --------------------------------------------------------------------------------------------------------

    def _key(self, name: str) -> str:
        """A key of ours; it counts as made from now on, because an answer may get lost."""
        self._made.add(f"{self.prefix}{name}")
        return f"{self.prefix}{name}"

    def _make(self, name: str, content: bytes) -> str:
        key = self._key(name)
        if not self._store.create(key, content):
            raise RegistryError(
                "a create of a key that was never put is declined", where=self._store.root, then=_ELSEWHERE
            )
        return key

    def _content(self, key: str) -> bytes | None:
        return stored.content if (stored := self._store.get(key)) else None

    def _tag(self, key: str) -> str:
        stored = self._store.get(key)
        if stored is None:
            raise RegistryError("an object that was just put is not found", where=self._store.root, then=_ELSEWHERE)
        return stored.tag


def _read(store: ObjectStore, key: str) -> Iterator[Observation]:
    store.get(key)
    yield _saw("read", "ok", "this role may read it")


def _read_private(store: ObjectStore, own: frozenset[str]) -> Iterator[Observation]:
    names = store.folders(_PRIVATE)
    readable = [name for name in names if name not in own and _is_readable(store, f"{_PRIVATE}{name}/")]
    if readable:
        then = f"their owners' roles alone need to read below {_PRIVATE}; a directory cannot keep them apart"
        yield _saw("private", "note", f"this role may read the whole manifests of {', '.join(readable)}", then)


def _is_readable(store: ObjectStore, prefix: str) -> bool:
    try:
        return (found := store.first(prefix)) is not None and store.get(found.key) is not None
    except RegistryError as error:
        if forbids(error):
            return False
        raise


def _observed(check: str, probe: Callable[[], Iterable[Observation]]) -> Iterator[Observation]:
    """What the probe saw, or that the store did not let it come to an end."""
    try:
        yield from probe()
    except RegistryError as error:
        if forbids(error):
            yield _saw(check, "note", f"this role may not: {error.what}")
        else:
            yield _saw(check, "error", error.what, error.then)


def _judged(check: str, fine: bool, good: str, bad: str) -> Observation:  # noqa: FBT001  # the verdict itself
    return _saw(check, "ok", good) if fine else _saw(check, "error", bad, _ELSEWHERE)


def _saw(check: str, verdict: Verdict, what: str, then: str = "") -> Observation:
    return Observation(area=AREA, check=check, verdict=verdict, what=what, then=then)


def _at_once(acts: Sequence[Callable[[], T]]) -> list[T | None]:
    """The results of all acts, begun in the same moment; None where the store did not say. Raises RegistryError.

    The threads are daemons: one that waits for a store that hangs does not hold up the end of the process.
    """
    results: list[T | None] = [None] * len(acts)
    errors: list[RegistryError] = []
    start = threading.Barrier(len(acts))

    def run(place: int) -> None:
        start.wait()
        try:
            results[place] = acts[place]()
        except OutcomeUnknown:
            pass
        except RegistryError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,), daemon=True) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
