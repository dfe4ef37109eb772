"""An object store in memory: the reference that the other stores are held against, and what unit tests publish to."""

import threading
from collections.abc import Iterator

from registry_tools.registry.objects import StoredObject


class MemoryStore:
    """Keys and bytes in a dict, safe between threads."""

    root = "memory"

    def __init__(self) -> None:
        self._objects: dict[str, StoredObject] = {}
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
            if key not in self._objects or self._objects[key].tag != tag:
                return False
            self._put(key, content)
            return True

    def get(self, key: str) -> StoredObject | None:
        """See ObjectStore."""
        return self._objects.get(key)

    def first(self, prefix: str) -> str | None:
        """See ObjectStore."""
        return next(self.keys(prefix), None)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        return iter(found)

    def folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        below = (key[len(prefix) :] for key in self.keys(prefix))
        return sorted({key.split("/", 1)[0] for key in below if "/" in key})

    def _put(self, key: str, content: bytes) -> None:
        self._writes += 1
        self._objects[key] = StoredObject(content=content, tag=str(self._writes))
