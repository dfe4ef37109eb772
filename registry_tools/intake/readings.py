"""Pieces of SQL in, what each of them reads out: kept on this machine, and the new ones read by all of its cores."""

import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from registry_tools.disk import write_whole
from registry_tools.intake.known_tables import Tables
from registry_tools.intake.sql.reading import QueryReading
from registry_tools.intake.sql.reading import Tables as AnyTables
from registry_tools.mesh.public_model import Value

# One query as registry_tools.intake.sql reads it: the SQL, the adapter, and what its relations are.
ReadQuery = Callable[[str, str, AnyTables], QueryReading]

# A process that reads SQL takes half a second to start, and a query 10 ms to read.
_WORTH_PROCESSES: Final = 60
_MOST_KEPT: Final = 5_000
_DAYS_KEPT: Final = 30
_DAY: Final = 24 * 3600
_SHARES: Final = 4  # pieces of work for each process, as some queries take longer than others
_READER: Final = Path(__file__).parent / "sql"


class _Kept(Value, frozen=True, array_like=True):
    day: int
    reading: msgspec.Raw


class _File(Value, frozen=True):
    readings: dict[str, _Kept]


# Made once and here, because readers run in threads (see mesh.interface).
_FILE: Final = msgspec.msgpack.Decoder(_File)
_READING: Final = msgspec.msgpack.Decoder(QueryReading)
_ENCODER: Final = msgspec.msgpack.Encoder()


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One piece of SQL, and what is known of the tables that it may name."""

    sql: str
    tables: Tables


def readings_file(cache: Path, project: str) -> Path:
    """Where a project's readings are kept in this machine's cache. Each has its own file, as all of it is read."""
    return cache / "readings" / f"{hashlib.sha256(project.encode()).hexdigest()[:16]}.msgpack"


class Readings:
    """Reads SQL, and what it has read before out of `file`. Whatever is wrong with the file counts as nothing kept.

    Used in a `with`, at whose end the processes stop and the file is written: with what was asked for now, and what
    was in the last month, up to 5,000 queries. `read` is another reader than this project's own; it reads here alone.
    """

    def __init__(
        self, adapter: str, file: Path | None = None, *, processes: int | None = None, read: ReadQuery | None = None
    ) -> None:
        self.cold = 0
        self._adapter = adapter
        self._file = file
        self._processes = (processes or os.cpu_count() or 1) if read is None else 1
        self._read = read
        self._version = _version() if read is None else f"{read.__module__}.{read.__qualname__}"
        self._today = int(time.time() // _DAY)
        self._kept = _kept(file)
        self._used: dict[str, _Kept] = {}
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        if kind is None:
            self._keep()

    def of(self, queries: Sequence[Query], told: Callable[[int], None] = lambda _count: None) -> list[QueryReading]:
        """What each of the queries reads; `told` hears of every few that are done."""
        keys = [self._key(query) for query in queries]
        found = {key: reading for key in dict.fromkeys(keys) if (reading := self._known(key)) is not None}
        missing = {key: query for key, query in zip(keys, queries, strict=True) if key not in found}
        told(len(found))
        for key, content in self._read_all(missing, told):
            found[key] = _READING.decode(content)
            self._used[key] = _Kept(day=self._today, reading=msgspec.Raw(content))
        return [found[key] for key in keys]

    def _known(self, key: str) -> QueryReading | None:
        """What was read before, in this run or on another day; None where that is not there, or is no reading."""
        kept = self._used.get(key) or self._kept.get(key)
        try:
            reading = _READING.decode(kept.reading) if kept else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if kept and reading:
            self._used[key] = _Kept(day=self._today, reading=kept.reading)
        return reading

    def _key(self, query: Query) -> str:
        asked = (self._version, self._adapter, query.sql, query.tables.shapes, query.tables.in_any_case)
        return hashlib.sha256(_ENCODER.encode(asked)).hexdigest()

    def _read_all(self, missing: dict[str, Query], told: Callable[[int], None]) -> Iterator[tuple[str, bytes]]:
        self.cold += len(missing)
        waiting = dict(missing)
        if self._processes > 1 and len(missing) > 1 and self.cold > _WORTH_PROCESSES:
            with suppress(OSError, ImportError, BrokenProcessPool):  # a machine without semaphores, or without memory
                for key, content in self._read_beside(missing):
                    told(1)
                    yield key, content
                    del waiting[key]
        if not waiting:
            return
        with _collector_on():
            for key, query in waiting.items():
                told(1)
                yield key, _read_one(query, self._adapter, self._read)

    def _read_beside(self, missing: dict[str, Query]) -> Iterator[tuple[str, bytes]]:
        if self._pool is None:
            import multiprocessing

            # a fork of a process with threads, as publishing has them, may hang
            spawned = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, mp_context=spawned)
        items = list(missing.items())
        size = max(1, len(items) // (self._processes * _SHARES))
        shares = [items[at : at + size] for at in range(0, len(items), size)]
        work = [([query for _, query in share], self._adapter) for share in shares]
        for share, contents in zip(shares, self._pool.map(_read_share, work), strict=True):
            for (key, _), content in zip(share, contents, strict=True):
                yield key, content

    def _keep(self) -> None:
        if self._file is None or not self._used:
            return
        oldest = self._today - _DAYS_KEPT
        others = [key for key, kept in self._kept.items() if key not in self._used and kept.day >= oldest]
        others.sort(key=lambda key: -self._kept[key].day)
        staying = others[: max(0, _MOST_KEPT - len(self._used))]
        readings = self._used | {key: self._kept[key] for key in staying}
        if _days(readings) != _days(self._kept):
            with suppress(OSError):  # without a cache, everything is read again
                write_whole(self._file, _ENCODER.encode(_File(readings=readings)))


@contextmanager
def _collector_on() -> Iterator[None]:
    """The syntax tree of every query is a circle, and all of them together are more than a machine has."""
    was_on = gc.isenabled()
    gc.enable()
    try:
        yield
    finally:
        if not was_on:
            gc.disable()


def _read_share(work: tuple[list[Query], str]) -> list[bytes]:
    """What one process reads at a time."""
    queries, adapter = work
    return [_read_one(query, adapter, None) for query in queries]


def _read_one(query: Query, adapter: str, read: ReadQuery | None) -> bytes:
    if read is None:
        from registry_tools.intake.sql.query import read_query

        read = read_query
    return _ENCODER.encode(read(query.sql, adapter, query.tables))


def _days(readings: dict[str, _Kept]) -> dict[str, int]:
    return {key: kept.day for key, kept in readings.items()}


def _kept(file: Path | None) -> dict[str, _Kept]:
    try:
        return _FILE.decode(file.read_bytes()).readings if file else {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _version() -> str:
    """What reads the SQL: the bytes of its files, and the release of sqlglot, which is not imported for it."""
    from importlib.metadata import PackageNotFoundError, version

    digest = hashlib.sha256()
    for path in sorted(_READER.glob("*.py")):
        digest.update(path.read_bytes())
    with suppress(PackageNotFoundError):
        digest.update(version("sqlglot").encode())
    return digest.hexdigest()
