"""A store that loses answers, loses writes, delivers late and crashes, exactly where a test says."""

from collections.abc import Callable, Iterator
from enum import Enum

from registry_tools.errors import OutcomeUnknown
from registry_tools.registry.objects import ObjectFacts, ObjectStore, StoredObject


class Fault(Enum):
    """What becomes of one write."""

    NONE = "answered as it should be"
    LOST_ACK = "carried out, and the answer is lost"
    DROPPED = "never carried out, and no answer comes"
    LATE = "no answer comes, and it is carried out later"
    CRASH_BEFORE = "the publisher dies before it is sent"
    CRASH_AFTER = "the publisher dies after it was carried out"


class Crash(BaseException):
    """The publisher is gone."""


class FaultyStore:
    """The store `inner`, where `plan` says what becomes of the k-th write (from 0) to a key."""

    def __init__(self, inner: ObjectStore, plan: Callable[[int, str], Fault]) -> None:
        self._inner = inner
        self._plan = plan
        self._late: list[Callable[[], bool]] = []
        self.written: list[str] = []

    @property
    def root(self) -> str:
        return self._inner.root

    @property
    def identity(self) -> str:
        return self._inner.identity

    def create(self, key: str, content: bytes) -> bool:
        return self._write(key, lambda: self._inner.create(key, content))

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        return self._write(key, lambda: self._inner.replace(key, content, tag))

    def get(self, key: str) -> StoredObject | None:
        return self._inner.get(key)

    def delete(self, key: str, tag: str) -> bool:
        return self._write(key, lambda: self._inner.delete(key, tag))

    def head(self, key: str) -> ObjectFacts | None:
        return self._inner.head(key)

    def first(self, prefix: str) -> ObjectFacts | None:
        return self._inner.first(prefix)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._inner.keys(prefix)

    def folders(self, prefix: str) -> list[str]:
        return self._inner.folders(prefix)

    def land(self) -> None:
        """What was on its way arrives now."""
        while self._late:
            self._late.pop(0)()

    def _write(self, key: str, act: Callable[[], bool]) -> bool:
        fault = self._plan(len(self.written), key)
        self.written.append(key)
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        if fault is Fault.LATE:
            self._late.append(act)
        done = act() if fault in {Fault.NONE, Fault.LOST_ACK, Fault.CRASH_AFTER} else False
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is not Fault.NONE:
            raise OutcomeUnknown(fault.value, then="look")
        return done


def nth(k: int, fault: Fault) -> Callable[[int, str], Fault]:
    """`fault` at the k-th write and at no other."""
    return lambda n, _key: fault if n == k else Fault.NONE


def at(part: str, *faults: Fault) -> Callable[[int, str], Fault]:
    """These faults, one after the other, at the writes to keys that contain `part`."""
    left = list(faults)
    return lambda _n, key: left.pop(0) if part in key and left else Fault.NONE
