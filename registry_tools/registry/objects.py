"""The store that a registry stands on: keys and bytes in and out, the same for a bucket and for a directory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from registry_tools.errors import IntegrityError

# No object of a registry comes near it; whoever reads does not hold more of one that somebody else put there.
MAX_OBJECT: Final = 1 << 30


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """An object's bytes, and the tag that a guarded replacement has to name."""

    content: bytes
    tag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectFacts:
    """What a store says of an object without sending it.

    `age` is in seconds and by the store's own clock, so that whoever asks may have a wrong one. `tag` is what a
    guarded replacement or deletion has to name; other bytes have another tag.
    """

    key: str
    size: int
    tag: str
    age: float


def too_large(place: str, limit: int) -> IntegrityError:
    """What a reader says of an object with more bytes than it is prepared to hold; it has not read them."""
    then = "find out who writes to the registry other than with mesh"
    return IntegrityError(f"more than {limit:,} bytes", where=place, then=then)


class ObjectStore(Protocol):
    """Keys are relative, separated by '/'; a put is atomic: a reader sees the old bytes or the new ones, never a mix.

    Every call raises RegistryError when the store cannot be reached or refuses. Writes raise OutcomeUnknown when
    they were sent and no answer came; the caller looks before it sends again, because the SDK's own retries would
    hide a lost acknowledgement.
    """

    @property
    def root(self) -> str:
        """How people name this store: `s3://bucket/prefix` or a path."""
        ...

    @property
    def identity(self) -> str:
        """What tells this store from every other one of this machine, so that what was seen of it can be kept."""
        ...

    def create(self, key: str, content: bytes) -> bool:
        """Put an object that is not there yet: True when this call made it, False when the key was taken."""
        ...

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        """Put over the object that has this tag: False when it has another one by now."""
        ...

    def get(self, key: str) -> StoredObject | None:
        """The object, or None where there is none. Raises IntegrityError when it is larger than MAX_OBJECT bytes."""
        ...

    def delete(self, key: str, tag: str) -> bool:
        """Remove the object that has this tag: False when it has another one by now, or is gone already."""
        ...

    def head(self, key: str) -> ObjectFacts | None:
        """What the object is, or None where there is none."""
        ...

    def first(self, prefix: str) -> ObjectFacts | None:
        """The object with the first key below `prefix` in the order of keys, in one request however many there are."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key below `prefix`, in order."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """The names directly below `prefix` that have keys below themselves, in order."""
        ...
