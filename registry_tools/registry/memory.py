"""An object store in memory: the reference that the other stores are held against, and what unit tests publish to."""

import threading
import time
from collections.abc import Callable, Iterator

from registry_tools.registry.objects import MAX_OBJECT, ObjectFacts, StoredObject, too_large


class MemoryStore:
    """Keys and bytes in a dict, safe between threads. `clock` is the store's own, in seconds; `limit` is how many bytes
    of one object a reader takes at most.
    """

    root = identity = "memory"

    def __init__(self, clock: Callable[[], float] = time.time, *, limit: int = MAX_OBJECT) -> None:
        self._clock = clock
        self._limit = limit
        self._objects: dict[str, StoredObject] = {}
        self._written: dict[str, float] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def create(self, key: str, content: bytes) -> bool:
        """See ObjectStore."""
        with self._lock:
            if key in self._objects:
                return False
            self._put(key, content)
            return True

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        """See ObjectStore."""
        with self._lock:
            stands = self._stands(key, tag)
            if stands:
                self._put(key, content)
            return stands

    def get(self, key: str) -> StoredObject | None:
        """See ObjectStore."""
        stored = self._objects.get(key)
        if stored is not None and len(stored.content) > self._limit:
            raise too_large(f"{self.root}/{key}", self._limit)
        return stored

    def delete(self, key: str, tag: str) -> bool:
        """See ObjectStore."""
        with self._lock:
            stands = self._stands(key, tag)
            if stands:
                del self._objects[key]
            return stands

    def first(self, prefix: str) -> ObjectFacts | None:
        """See ObjectStore."""
        return next(filter(None, map(self.head, self.keys(prefix))), None)

    def head(self, key: str) -> ObjectFacts | None:
        """See ObjectStore."""
        with self._lock:
            stored = self._objects.get(key)
            if stored is None:
                return None
            age = max(0.0, self._clock() - self._written[key])
            return ObjectFacts(key=key, size=len(stored.content), tag=stored.tag, age=age)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        return iter(found)

    def folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        below = (key[len(prefix) :] for key in self.keys(prefix))
        return sorted({key.split("/", 1)[0] for key in below if "/" in key})

    def _stands(self, key: str, tag: str) -> bool:
        return key in self._objects and self._objects[key].tag == tag

    def _put(self, key: str, content: bytes) -> None:
        self._writes += 1
        self._written[key] = self._clock()
        self._objects[key] = StoredObject(content=content, tag=str(self._writes))
