"""Planned files in, the same files on disk out: written whole or not at all, and only where something changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from registry_tools.disk import write_whole
from registry_tools.errors import DocumentError
from registry_tools.mesh.upstream import STUBS_FOLDER

MARK: Final = "Written by mesh sync"
RENDERED: Final = "Written by mesh render"
_JSON_MARK: Final = '"written_by": "mesh sync"'

Action = Literal["written", "unchanged", "removed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratedFile:
    """A file that is ours to write. `guarded` ones carry our mark; a person's file of that name is left alone."""

    path: Path
    content: bytes
    guarded: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """What became of a file, or would become of it."""

    path: Path
    action: Action


def write_files(planned: Iterable[GeneratedFile], obsolete: Iterable[Path], *, dry_run: bool) -> list[FileChange]:
    """Bring the disk to the plan. Nothing is written when one of the files is a person's: raises DocumentError.

    An unchanged file is not touched, so that dbt's partial parsing stays warm. With `dry_run` nothing is.
    """
    try:
        return _bring(list(planned), obsolete, dry_run=dry_run)
    except OSError as error:
        raise DocumentError(
            f"cannot be read or removed: {error.strerror or error}",
            where=str(error.filename) if error.filename else None,
            then="check the folder's permissions",
        ) from error


def _bring(plan: list[GeneratedFile], obsolete: Iterable[Path], *, dry_run: bool) -> list[FileChange]:
    for file in plan:
        _refuse_foreign(file)
    changes = [FileChange(path=f.path, action="unchanged" if _same(f) else "written") for f in plan]
    gone = [path for path in obsolete if path.is_file() and is_ours(path)]
    if not dry_run:
        for file, change in zip(plan, changes, strict=True):
            if change.action == "written":
                _write(file.path, file.content)
        for path in gone:
            path.unlink()
            _prune(path.parent)
    return [*changes, *(FileChange(path=path, action="removed") for path in gone)]


def _prune(folder: Path) -> None:
    """Remove a folder of stubs that is empty now, and those above it; no other folder is ours."""
    while STUBS_FOLDER in folder.parts and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise DocumentError(
            f"cannot be written: {error.strerror or error}", where=str(path), then="check the folder's permissions"
        ) from error


def is_ours(path: Path) -> bool:
    """Whether the file carries our mark in its first lines."""
    with path.open("rb") as file:
        head = file.read(512)
    return any(mark.encode() in head for mark in (MARK, RENDERED, _JSON_MARK))


def _same(file: GeneratedFile) -> bool:
    return file.path.is_file() and file.path.read_bytes() == file.content


def _refuse_foreign(file: GeneratedFile) -> None:
    command = "mesh render" if RENDERED.encode() in file.content else "mesh sync"
    if blocking := _blocking(file.path):
        raise DocumentError(
            f"cannot be written: {blocking.name} is no {'file' if blocking == file.path else 'folder'}",
            where=str(file.path),
            then=f"move it away (mv {blocking.name} {blocking.name}.bak) and run {command} again",
        )
    if file.guarded and file.path.is_file() and file.path.stat().st_size and not is_ours(file.path):
        raise DocumentError(
            f"this file was not written by {command} and is left alone",
            where=str(file.path),
            then=f"move it away (mv {file.path.name} {file.path.name}.bak) and run {command} again",
        )


def _blocking(path: Path) -> Path | None:
    """What stands where the file should, or one of its folders, and is none."""
    if path.exists() and not path.is_file():
        return path
    standing = next(folder for folder in path.parents if folder.exists())
    return None if standing.is_dir() else standing
