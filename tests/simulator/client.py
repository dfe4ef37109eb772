"""The product's requests in, answers and faults out: the store as one run of one job meets it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from registry_tools.errors import OutcomeUnknown, RegistryError
from registry_tools.registry.objects import ObjectFacts, StoredObject
from tests.simulator.bucket import Bucket
from tests.simulator.fates import Fate, Fates, Harsh
from tests.simulator.schedule import Schedule

Answer = TypeVar("Answer")
Line = tuple[float, str, str, str, object]


class Crash(BaseException):
    """The process is gone; nothing of it runs on."""


class Client:
    """An ObjectStore; every request lets others go first.

    `suffered` and `damaged` say what its user may complain of, `spared` what its user does not withstand yet.
    """

    root = identity = "s3://simulated"

    def __init__(self, schedule: Schedule, bucket: Bucket, fates: Fates, trace: list[Line]) -> None:
        self.who = schedule.task.name
        self.checked = 0
        self.suffered = False
        self.damaged = False
        self.spared: frozenset[Harsh] = frozenset()
        self._schedule = schedule
        self._bucket = bucket
        self._fates = fates
        self._trace = trace

    def create(self, key: str, content: bytes) -> bool:
        """See ObjectStore."""
        checked = self.checked
        return self._write("create", key, lambda: self._bucket.create(self.who, key, content, checked))

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        """See ObjectStore."""
        return self._write("replace", key, lambda: self._bucket.replace(self.who, key, content, tag))

    def delete(self, key: str, tag: str) -> bool:
        """See ObjectStore."""
        return self._write("delete", key, lambda: self._bucket.delete(self.who, key, tag))

    def overwrite(self, key: str, content: bytes) -> bool:
        """A PUT without a condition, for mutants."""
        checked = self.checked
        return self._write("overwrite", key, lambda: self._bucket.overwrite(self.who, key, content, checked))

    def get(self, key: str) -> StoredObject | None:
        """See ObjectStore."""
        self._before("get", key)
        fate = self._fates.of_body(key)
        if fate in {Fate.TRUNCATED, Fate.CORRUPTED}:
            stored = self._bucket.get(key)
            if stored is not None and stored.content:
                self.suffered = self.damaged = True
                content = self._fates.damaged(stored.content, fate)
                self._note("get", key, (fate.name, content))
                return StoredObject(content=content, tag=stored.tag)
            fate = Fate.FINE
        return self._read(fate, "get", key, lambda: self._bucket.get(key))

    def head(self, key: str) -> ObjectFacts | None:
        """See ObjectStore."""
        self._before("head", key)
        return self._read(self._fates.of_facts(), "head", key, lambda: self._bucket.head(key))

    def first(self, prefix: str) -> ObjectFacts | None:
        """See ObjectStore."""
        self._before("first", prefix)
        return self._read(self._fates.of_facts(), "first", prefix, lambda: self._bucket.first(prefix))

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore. Every page is a request of its own, and others write between two pages."""
        page: Sequence[str] = ("",)
        while page:
            after = page[-1]
            self._before("keys", prefix)
            page = self._read(self._fates.of_facts(), "keys", prefix, lambda: self._bucket.page(prefix, after))  # noqa: B023  # called at once
            yield from page

    def folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        self._before("folders", prefix)
        return self._read(self._fates.of_facts(), "folders", prefix, lambda: self._bucket.folders(prefix))

    def _read(self, fate: Fate, verb: str, key: str, act: Callable[[], Answer]) -> Answer:
        if fate is Fate.FINE:
            answer = act()
            self._note(verb, key, answer)
            return answer
        self._note(verb, key, fate.name)
        self._suffer(fate)
        raise RegistryError("no answer", where=self.root, then="run the same again")

    def _write(self, verb: str, key: str, act: Callable[[], bool]) -> bool:
        decisive = verb == "delete" or "/log/" in key
        self._before(verb, key, decisive=decisive)
        fate = self._fates.of_write(decisive=decisive, spared=self.spared)
        done: bool | None = None
        if fate in {Fate.FINE, Fate.LOST_ACK, Fate.DUPLICATED, Fate.ECHOED, Fate.CRASH_AFTER}:
            done = act()
        self._note(verb, key, (fate.name, done))
        if fate is Fate.FINE:
            return done is True
        if fate in {Fate.DELAYED, Fate.DUPLICATED}:
            self._schedule.later(self._fates.landing(), lambda: self._land(verb, key, act))
        if fate is Fate.ECHOED:
            self._before(verb, key)
            done = act()
            self._note(verb, key, done)
        self._suffer(fate)
        if fate is Fate.REFUSED:
            raise RegistryError(fate.value, where=self.root, then="run the same again")
        if fate in {Fate.DUPLICATED, Fate.ECHOED}:
            return done is True
        raise OutcomeUnknown(fate.value, where=self.root, then="look")

    def _land(self, verb: str, key: str, act: Callable[[], bool]) -> None:
        self._trace.append((self._schedule.now, self.who, f"{verb} lands", key, act()))

    def _before(self, verb: str, key: str, *, decisive: bool = False) -> None:
        self._schedule.wait()
        if stall := self._fates.stall(decisive=decisive, spared=self.spared):
            self.suffered = True
            self._note(verb, key, f"stalls for {stall:.0f} s")
            self._schedule.wait(stall)

    def _suffer(self, fate: Fate) -> None:
        self.suffered = True
        if fate in {Fate.CRASH_BEFORE, Fate.CRASH_AFTER}:
            raise Crash

    def _note(self, verb: str, key: str, outcome: object) -> None:
        self._trace.append((self._schedule.now, self.who, verb, key, outcome))
