"""A folder as an object store: atomic, durable, and safe between processes on one machine.

A key is created by linking a finished temporary file to its final name, which the system refuses when the name is
taken; that is the directory's answer to S3's `If-None-Match: *`.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from registry_tools.disk import finished_file, sync_folder, write_whole
from registry_tools.errors import RegistryError
from registry_tools.registry.objects import MAX_OBJECT, ObjectFacts, StoredObject, too_large


class DirectoryStore:
    """Objects are files below `folder`; names that begin with a dot are ours and never keys.

    `limit` is how many bytes of one object a reader takes at most.
    """

    def __init__(self, folder: Path, *, limit: int = MAX_OBJECT) -> None:
        self._folder = folder
        self._limit = limit

    @property
    def root(self) -> str:
        """See ObjectStore."""
        return str(self._folder)

    @property
    def identity(self) -> str:
        """See ObjectStore."""
        return str(self._folder.resolve())

    def create(self, key: str, content: bytes) -> bool:
        """See ObjectStore."""
        path = self._file(key)
        with self._failures(), finished_file(path.parent, content) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            sync_folder(path.parent)
            return True

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        """See ObjectStore."""
        return self._guarded(key, tag, lambda path: write_whole(path, content))

    def delete(self, key: str, tag: str) -> bool:
        """See ObjectStore. A folder that is left empty stays: somebody may be writing into it."""

        def remove(path: Path) -> None:
            path.unlink()
            sync_folder(path.parent)

        return self._guarded(key, tag, remove)

    def get(self, key: str) -> StoredObject | None:
        """See ObjectStore."""
        with self._failures():
            path = self._path(key)
            try:
                if path.stat().st_size > self._limit:
                    raise too_large(str(path), self._limit)
                content = path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            return StoredObject(content=content, tag=hashlib.sha256(content).hexdigest())

    def head(self, key: str) -> ObjectFacts | None:
        """See ObjectStore. The age is by this machine's clock and the file's own time."""
        stored = self.get(key)
        if stored is None:
            return None
        try:
            written = self._path(key).stat().st_mtime
        except FileNotFoundError:
            return None
        age = max(0.0, time.time() - written)
        return ObjectFacts(key=key, size=len(stored.content), tag=stored.tag, age=age)

    def first(self, prefix: str) -> ObjectFacts | None:
        """See ObjectStore."""
        return next(filter(None, map(self.head, self.keys(prefix))), None)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        with self._failures():
            yield from self._below(prefix)

    def folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        with self._failures():
            try:
                entries = list(os.scandir(self._path(prefix)))
            except (FileNotFoundError, NotADirectoryError):
                return []
            names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
            return [name for name in names if next(self._below(f"{prefix}{name}/"), None)]

    def _below(self, prefix: str) -> Iterator[str]:
        try:
            entries = sorted(
                os.scandir(self._path(prefix)), key=lambda entry: f"{entry.name}/" if entry.is_dir() else entry.name
            )
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from self._below(f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}"

    def _guarded(self, key: str, tag: str, act: Callable[[Path], None]) -> bool:
        path = self._file(key)
        with self._failures():
            if not path.parent.is_dir():
                return False
            with _locked(path.parent):
                standing = self.get(key)
                if standing is None or standing.tag != tag:
                    return False
                act(path)
                return True

    def _file(self, key: str) -> Path:
        if not key or key.endswith("/"):
            raise RegistryError(f"{key!r} is not a key", where=self.root, then="report this: no name should lead here")
        return self._path(key)

    def _path(self, key: str) -> Path:
        steps = key.rstrip("/").split("/") if key else []
        if any(step.startswith(".") or not step or "\\" in step or "\0" in step for step in steps):
            raise RegistryError(f"{key!r} is not a key", where=self.root, then="report this: no name should lead here")
        return self._folder.joinpath(*steps)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RegistryError(
                f"the registry's directory: {error.strerror or error}",
                where=error.filename or self.root,
                then="check that the directory exists and may be written, or name another with --registry",
            ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One replacement or deletion at a time; the system lets go of the lock when the process ends, however it ends."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
