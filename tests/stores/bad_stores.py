"""Stores that break one promise each, over a store in memory that keeps them all."""

import itertools
import threading
from collections.abc import Callable, Iterator

from registry_tools.errors import OutcomeUnknown, RegistryError
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectFacts, StoredObject

DENIED = "the registry answered AccessDenied: no."


class IgnoresIfNoneMatch(MemoryStore):
    def create(self, key: str, content: bytes) -> bool:
        with self._lock:
            self._put(key, content)
        return True


class RacesAtCreation(MemoryStore):
    """Looks first and stores afterwards: whoever looked in time wins, all of them."""

    def __init__(self) -> None:
        super().__init__()
        self._looked: dict[str, set[int]] = {}

    def create(self, key: str, content: bytes) -> bool:
        if "/race/" not in key:
            return super().create(key, content)
        with self._lock:
            self._put(key, content)
            self._looked.setdefault(key, set()).add(threading.get_ident())
        return len(self._looked[key]) <= 2


class LosesTheWinner(MemoryStore):
    """Grants the first create and keeps the bytes of the last."""

    def create(self, key: str, content: bytes) -> bool:
        granted = super().create(key, content)
        if "/race/" in key:
            with self._lock:
                self._put(key, b"nobody's")
        return granted


class IgnoresIfMatchToReplace(MemoryStore):
    def replace(self, key: str, content: bytes, tag: str) -> bool:
        return super().replace(key, content, self._objects[key].tag if key in self._objects else tag)


class SaysYes(MemoryStore):
    """Keeps to conditions, and says to everybody that they held."""

    def create(self, key: str, content: bytes) -> bool:
        return super().create(key, content) or True

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        return super().replace(key, content, tag) or key in self._objects


class SaysNo(MemoryStore):
    """Overwrites, and says that it declined."""

    def create(self, key: str, content: bytes) -> bool:
        if key not in self._objects or "/twice" not in key:
            return super().create(key, content)
        with self._lock:
            self._put(key, content)
        return False


class ReplacesWhatIsNotThere(MemoryStore):
    def replace(self, key: str, content: bytes, tag: str) -> bool:
        return super().create(key, content) if key not in self._objects else super().replace(key, content, tag)


class IgnoresIfMatchToDelete(MemoryStore):
    def delete(self, key: str, tag: str) -> bool:
        return super().delete(key, self._objects[key].tag if key in self._objects else tag)


class DeletesNothing(MemoryStore):
    def delete(self, key: str, tag: str) -> bool:
        return super().head(key) is not None and bool(tag)


class ReadsStale(MemoryStore):
    """Every other read of an object that was replaced gives the bytes before."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, StoredObject] = {}
        self._turn = itertools.count()

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        if key in self._objects:
            self._before[key] = self._objects[key]
        return super().replace(key, content, tag)

    def get(self, key: str) -> StoredObject | None:
        if key in self._before and "/stale" in key and threading.current_thread() is not threading.main_thread():
            return self._before[key] if next(self._turn) % 2 else super().get(key)
        return super().get(key)


class RemembersAbsence(MemoryStore):
    """Who asked for a key before it was put is told for a while that it is not there."""

    def __init__(self) -> None:
        super().__init__()
        self._absent: set[str] = set()

    def get(self, key: str) -> StoredObject | None:
        if key not in self._objects:
            self._absent.add(key)
        return None if key in self._absent else super().get(key)


class ListsLate(MemoryStore):
    """The object that was put last is listed after the next one."""

    def keys(self, prefix: str) -> Iterator[str]:
        last = max(self._objects, key=lambda key: int(self._objects[key].tag), default="")
        return iter([key for key in super().keys(prefix) if key != last])


class ListsInTheOrderOfPutting(MemoryStore):
    def keys(self, prefix: str) -> Iterator[str]:
        return iter([key for key in self._objects if key.startswith(prefix)])


class FindsTheOldestFirst(MemoryStore):
    def first(self, prefix: str) -> ObjectFacts | None:
        *_, last = [None, *super().keys(prefix)]
        return self.head(last) if last else None


class CutsLargeObjects(MemoryStore):
    def create(self, key: str, content: bytes) -> bool:
        return super().create(key, content[: 1 << 20])


class HasAnOldClock(MemoryStore):
    def head(self, key: str) -> ObjectFacts | None:
        facts = super().head(key)
        return facts and ObjectFacts(key=key, size=facts.size, tag=facts.tag, age=3_600.0)


class Forbids(MemoryStore):
    """Grants a role all but some of the acts: names of methods."""

    def __init__(self, *acts: str) -> None:
        super().__init__()
        for act in acts:
            setattr(self, act, _denied)


class Fails(MemoryStore):
    """Answers one act with an error that is not about rights."""

    def __init__(self, act: str, where: str, kind: type[RegistryError] = RegistryError) -> None:
        super().__init__()
        inner: Callable[..., object] = getattr(self, act)

        def failing(key: str, *words: object) -> object:
            if where in key:
                raise kind("the registry answered InternalError", where="memory", then="run the same again")
            return inner(key, *words)

        setattr(self, act, failing)


class LosesAnswers(MemoryStore):
    """Creates in a race, and never says to whom."""

    def create(self, key: str, content: bytes) -> bool:
        granted = super().create(key, content)
        if "/race/" in key and granted:
            raise OutcomeUnknown("no answer", then="look")
        return granted


def _denied(*_words: object) -> None:
    raise RegistryError(DENIED, where="memory", then="give the role its rights")
