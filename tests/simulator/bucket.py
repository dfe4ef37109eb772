"""Requests in, S3's answers out: strongly consistent, atomic per key, with its own clock, and watched by a witness."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from registry_tools.registry.objects import ObjectFacts, StoredObject

_PAGE: Final = 8  # S3's are of 1,000


class Write(NamedTuple):
    """One change of the bucket. `content` is None for a deletion, `before` for a creation."""

    who: str
    key: str
    before: bytes | None
    content: bytes | None
    checked: int  # the record that its client had last checked against when it sent the request


@dataclass(frozen=True, slots=True)
class _Version:
    stored: StoredObject
    written: float


class Bucket:
    """Objects that are what S3 says they are; `watch` hears of every change in the order in which they happen.

    A tag is the digest of the bytes, as an ETag is: an object that was deleted and created again has its old tag.
    """

    def __init__(self, clock: Callable[[], float], watch: Callable[[Write], None]) -> None:
        self._clock = clock
        self._watch = watch
        self._objects: dict[str, _Version] = {}

    def create(self, who: str, key: str, content: bytes, checked: int) -> bool:
        """PUT with If-None-Match: *."""
        return key not in self._objects and self.overwrite(who, key, content, checked)

    def replace(self, who: str, key: str, content: bytes, tag: str) -> bool:
        """PUT with If-Match."""
        return self._has(key, tag) and self.overwrite(who, key, content, 0)

    def delete(self, who: str, key: str, tag: str) -> bool:
        """DELETE with If-Match."""
        if not self._has(key, tag):
            return False
        before = self._objects.pop(key).stored.content
        self._watch(Write(who, key, before, None, 0))
        return True

    def overwrite(self, who: str, key: str, content: bytes, checked: int) -> bool:
        """PUT without any condition, which the product must never send."""
        before = self.content(key)
        tag = hashlib.sha256(content).hexdigest()[:32]
        self._objects[key] = _Version(StoredObject(content=content, tag=tag), self._clock())
        self._watch(Write(who, key, before, content, checked))
        return True

    def get(self, key: str) -> StoredObject | None:
        """GET."""
        found = self._objects.get(key)
        return found.stored if found else None

    def content(self, key: str) -> bytes | None:
        """The bytes that stand there, for whoever checks."""
        found = self._objects.get(key)
        return found.stored.content if found else None

    def standing(self) -> list[tuple[str, bytes]]:
        """Everything that is there."""
        return sorted((key, version.stored.content) for key, version in self._objects.items())

    def head(self, key: str) -> ObjectFacts | None:
        """HEAD."""
        found = self._objects.get(key)
        if found is None:
            return None
        age = self._clock() - found.written
        return ObjectFacts(key=key, size=len(found.stored.content), tag=found.stored.tag, age=age)

    def first(self, prefix: str) -> ObjectFacts | None:
        """LIST with max-keys=1."""
        key = min((key for key in self._objects if key.startswith(prefix)), default=None)
        return None if key is None else self.head(key)

    def page(self, prefix: str, after: str) -> list[str]:
        """LIST with start-after: so many keys in order, and none when there are no more."""
        return sorted(key for key in self._objects if key.startswith(prefix) and key > after)[:_PAGE]

    def folders(self, prefix: str) -> list[str]:
        """LIST with a delimiter."""
        below = (key[len(prefix) :] for key in self._objects if key.startswith(prefix))
        return sorted({name for name, slash, _ in (key.partition("/") for key in below) if slash})

    def _has(self, key: str, tag: str) -> bool:
        found = self._objects.get(key)
        return found is not None and found.stored.tag == tag
