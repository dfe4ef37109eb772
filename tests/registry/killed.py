"""`python -m tests.registry.killed <k> <report> publish ...`: the command, killed by SIGKILL before its k-th boundary.

A boundary is the moment before, or in the middle of, anything that the outside can see: a system call that makes,
fills, syncs, links, renames or removes a file, and a request to S3 before it is sent and after it was answered. With a
k beyond the last one the command runs through and writes the number of its boundaries to <report>.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Self

from registry_tools.cli.app import mesh

_reached = 0


def main() -> None:
    kill_at, report, words = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]

    def boundary() -> None:
        global _reached  # noqa: PLW0603  # one process, one thread, one count
        if _reached == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        _reached += 1

    _patch(boundary, s3=any(word.startswith("s3://") for word in words))
    try:
        mesh(words, prog_name="mesh")
    finally:
        Path.write_text(report, str(_reached))


def _patch(boundary: Callable[[], None], *, s3: bool) -> None:
    def guarded(act: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            boundary()
            try:
                return act(*args, **options)
            finally:
                if after:
                    boundary()

        return run

    for owner, name in ((os, "fsync"), (os, "link"), (os, "replace"), (tempfile, "mkstemp")):
        setattr(owner, name, guarded(getattr(owner, name)))
    for name in ("mkdir", "chmod", "unlink"):
        setattr(Path, name, guarded(getattr(Path, name)))
    open_handle = os.fdopen

    def half_writing(handle: int, *args: Any, **options: Any) -> Any:
        file = open_handle(handle, *args, **options)
        return _HalfWriter(file, boundary) if args == ("wb",) else file

    os.fdopen = half_writing  # type: ignore[assignment]
    if not s3:
        return
    from botocore.client import BaseClient

    send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def put(client: Any, operation: str, arguments: Any) -> Any:
        return (guarded(send, after=True) if operation == "PutObject" else send)(client, operation, arguments)

    BaseClient._make_api_call = put  # type: ignore[attr-defined]


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


if __name__ == "__main__":
    main()
