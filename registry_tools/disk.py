"""Bytes and a path in, a file on the disk out that nobody ever sees half of. Raises OSError alone."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def finished_file(folder: Path, content: bytes) -> Iterator[Path]:
    """A temporary file with the content, safely on the disk, in the folder that it is for; gone at the end."""
    make_folder(folder)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Put the content at `path`: readers see the old bytes or the new ones, also after a power cut."""
    with finished_file(path.parent, content) as temporary:
        temporary.replace(path)
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make the folder and those above it, each one's name brought to the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Bring the folder's own entries to the disk, so that a new name survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
