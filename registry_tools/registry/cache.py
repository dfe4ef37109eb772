"""What was read of registries in, the same bytes again out: shared between projects, kept by what the bytes are.

Blobs stand under their own sha256, so whoever asks gets exactly what a record promised or nothing. Beside them stands
the head of every log that was seen: the number of its newest record and that record's hash, from which a log that was
rewritten is told.
"""

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from registry_tools.disk import write_whole
from registry_tools.mesh.public_model import Value

FOLDER_VARIABLE: Final = "DBT_MESH_CACHE"


_DAY: Final = 24 * 3600
_UNREAD: Final = 30 * _DAY


class Head(Value, frozen=True):
    """The newest record of a log as it was seen: its number, its sha256, the store's tag for it, and when."""

    n: int
    sha256: str
    tag: str
    seen: float

    @property
    def age(self) -> float:
        """Seconds since it was seen, by this machine's clock."""
        return max(0.0, time.time() - self.seen)


# Made once and here, because readers run in threads (see mesh.interface).
_HEAD: Final = msgspec.json.Decoder(Head)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Where the cache stands: DBT_MESH_CACHE, else where the XDG base directory specification puts it."""
    if named := environment.get(FOLDER_VARIABLE):
        return Path(named)
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "dbt-mesh"


class Cache:
    """A folder of blobs and heads. Whatever is wrong with a file of it counts as not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def blob(self, sha256: str) -> bytes | None:
        """The bytes that have this digest, proven; None where they are not kept."""
        path = self._blob_path(sha256)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        with suppress(OSError):  # a cache that may be read alone is one all the same
            if _age(path) > _DAY:
                os.utime(path)
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def keep(self, sha256: str, content: bytes) -> None:
        """Keep the bytes that have this digest; what nobody has read for a month beside them goes."""
        path = self._blob_path(sha256)
        _write(path, content)
        with suppress(OSError):
            for other in path.parent.iterdir():
                if _age(other) > _UNREAD:
                    other.unlink()

    def head(self, store: str, project: str, environment: str) -> Head | None:
        """The head of this log as it was seen last; None where it was not."""
        try:
            return _HEAD.decode(self.head_path(store, project, environment).read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def remember(self, store: str, project: str, environment: str, head: Head) -> None:
        """Keep the head as it was just seen."""
        _write(self.head_path(store, project, environment), msgspec.json.encode(head))

    def head_path(self, store: str, project: str, environment: str) -> Path:
        """The file of this log's head: whoever replaced a registry on purpose removes it."""
        return self.folder / "heads" / hashlib.sha256(store.encode()).hexdigest()[:16] / project / f"{environment}.json"

    def _blob_path(self, sha256: str) -> Path:
        return self.folder / "sha256" / sha256[:2] / sha256


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _write(path: Path, content: bytes) -> None:
    """Write the file, if that can be done. Where it cannot, everything is read from the registry again and only
    mesh.lock knows what was seen before; `mesh doctor` says so.
    """
    with suppress(OSError):
        write_whole(path, content)
