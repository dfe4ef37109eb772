"""A command of `mesh` in, run in a process of its own and killed by SIGKILL at its k-th boundary; what came of it out.

A boundary is the moment before, or in the middle of, anything that the outside can see. In a folder that is every
system call that makes, opens to write, links, renames or removes a file, as Python's own audit reports them whoever
makes the call, and half-way through the bytes and before the sync of each file. On S3 it is each request that writes,
before it is sent and after it was answered. The processes are forks of one that has everything imported.
"""

import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final, Self

import boto3
from botocore.client import BaseClient

from registry_tools.cli import app, history
from registry_tools.cli.app import mesh

CONTEXT: Final = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__, "tests.registry.crowd"])
LOADED: Final = (history, [app.load(name) for name in ("publish", "rollback", "gc")])
# Reading the SDK's description of S3 takes longer than the rest of a run; whoever takes this session shares it.
SESSION: Final = boto3.Session()
SESSION.client("s3", region_name="us-east-1", aws_access_key_id="nobody", aws_secret_access_key="nothing")

_PATIENCE: Final = 120
_COUNTING: Final = Lock()  # whoever starts a process looks after all others, and an exit code can be read once
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGING: Final = frozenset(
    {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.symlink", "os.truncate", "os.utime"}
)
_SENDING: Final = frozenset({"PutObject", "DeleteObject"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A command that went through: its exit code, what it printed, and how many boundaries it has."""

    code: int
    printed: str
    boundaries: int


def run(words: Sequence[str], environment: Mapping[str, str], folder: Path, kill_at: int | None = None) -> Ended | None:
    """Run `mesh` with these words; None when it was killed at boundary `kill_at`, counted from 0."""
    receiving, sending = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_run, args=(list(words), dict(environment), folder, kill_at, sending))
    with _COUNTING:
        process.start()
    sending.close()
    try:
        ended: Ended | None = receiving.recv() if receiving.poll(_PATIENCE) else None
    except EOFError:
        ended = None
    with _COUNTING:
        process.join(_PATIENCE)
    assert process.exitcode == (0 if ended else -signal.SIGKILL), process.exitcode
    return ended


def _run(
    words: list[str], environment: Mapping[str, str], folder: Path, kill_at: int | None, sending: Connection
) -> None:
    reached = 0

    def boundary() -> None:
        nonlocal reached
        if reached == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        reached += 1

    sys.settrace(None)  # whoever is killed cannot tell coverage anything
    os.environ.update(environment)
    os.chdir(folder)
    boto3.Session = lambda: SESSION  # type: ignore[assignment,misc]
    code, printed = 0, io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        if any(word.startswith("s3://") for word in words):
            _watch_requests(boundary)
        else:
            _watch_folder(boundary, folder)
        try:
            mesh(words, prog_name="mesh")
        except SystemExit as ending:
            code = int(ending.code or 0)
    sending.send(Ended(code=code, printed=printed.getvalue(), boundaries=reached))


def _watch_folder(boundary: Callable[[], None], folder: Path) -> None:
    inside = f"{folder}{os.sep}"

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        changing = event in _CHANGING or (event == "open" and arguments[2] & _WRITING)
        if changing and any(str(each).startswith(inside) for each in arguments):
            boundary()

    open_handle = os.fdopen

    def syncing(_handle: int) -> None:
        boundary()  # and no more: what a process leaves when it is killed, the system has, synced or not

    def half_writing(handle: int, *args: Any, **options: Any) -> Any:
        file = open_handle(handle, *args, **options)
        return _HalfWriter(file, boundary) if args == ("wb",) else file

    os.fsync, os.fdopen = syncing, half_writing  # type: ignore[assignment]
    sys.addaudithook(audit)


def _watch_requests(boundary: Callable[[], None]) -> None:
    send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def sending(client: Any, operation: str, arguments: Any) -> Any:
        if operation not in _SENDING:
            return send(client, operation, arguments)
        boundary()
        try:
            return send(client, operation, arguments)
        finally:
            boundary()

    BaseClient._make_api_call = sending  # type: ignore[attr-defined]


class _HalfWriter:
    """Half of the bytes reach the file before the boundary, the other half after it."""

    def __init__(self, file: BinaryIO, boundary: Callable[[], None]) -> None:
        self._file = file
        self._boundary = boundary

    def write(self, content: bytes) -> None:
        half = len(content) // 2
        self._file.write(content[:half])
        self._file.flush()
        self._boundary()
        self._file.write(content[half:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()
