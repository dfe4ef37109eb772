"""Publishers and readers, each in a process of its own; what they were told by a registry comes back as values."""

import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final

import boto3

from registry_tools.errors import IntegrityError, RegistryError
from registry_tools.registry.cache import Cache
from registry_tools.registry.location import open_registry
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, PROJECT, killed
from tests.registry.publishing import candidate, latest, moment

_PATIENCE: Final = 6 * 3600
_WARMING: Final = 300
# A CI job that is told that the outcome is unknown is run again; nobody does that so often.
_RUNS: Final = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledged:
    """Publication k was answered with the record's number `n`; `told_new` counts the runs that said they made it."""

    k: int
    n: int
    told_new: int
    runs: int


@dataclass(kw_only=True, slots=True)
class Seen:
    """What one reader got: the publication and digest at each number, how often it read, how often it could not."""

    at: dict[int, tuple[str, str]] = field(default_factory=dict)
    reads: int = 0
    failures: int = 0


class Crowd:
    """Processes that begin together: everybody is connected before the first one starts."""

    def __init__(self, root: str, environment: Mapping[str, str], size: int) -> None:
        self._root = root
        self._environment = dict(environment)
        self._gate = killed.CONTEXT.Barrier(size + 1)
        self._publishers: list[tuple[ForkServerProcess, Connection]] = []
        self._readers: list[tuple[ForkServerProcess, Connection]] = []

    def add_publisher(self, numbers: Sequence[int]) -> None:
        """One that publishes these, one after the other, each until it is told that it stands."""
        self._publishers.append(self._start(_publish_all, list(numbers)))

    def add_readers(self, cache: Path, threads: int, rest: float) -> None:
        """So many readers in one process, the half of them with a cache; each rests up to `rest` seconds in between."""
        self._readers.append(self._start(_read_all, (cache, threads, rest)))

    def go(self) -> float:
        """Let everybody begin; how many seconds passed until the last publisher had ended."""
        self._gate.wait(_WARMING)
        begun = time.monotonic()
        for process, connection in self._publishers:
            assert connection.poll(_PATIENCE), process
        return time.monotonic() - begun

    def results(self) -> tuple[list[Acknowledged], list[Seen]]:
        """What everybody was told. Fails with the traceback of whoever failed."""
        acknowledged = [each for publisher in self._publishers for each in _result(*publisher)]
        for _, connection in self._readers:
            connection.send("it is over")
        return acknowledged, [each for reader in self._readers for each in _result(*reader)]

    def _start(self, work: Callable[..., Any], task: object) -> tuple[ForkServerProcess, Connection]:
        ours, theirs = killed.CONTEXT.Pipe()
        arguments = (work, self._root, self._environment, self._gate, task, theirs)
        process = killed.CONTEXT.Process(target=_work, args=arguments)
        process.start()
        theirs.close()
        return process, ours


def _result(process: ForkServerProcess, connection: Connection) -> list[Any]:
    try:
        told = connection.recv()
    except EOFError:
        told = "it died"
    process.join(_WARMING)
    assert isinstance(told, list), (told, process.exitcode)
    return told


def _work(
    work: Callable[..., Any], root: str, environment: dict[str, str], gate: Barrier, task: object, test: Connection
) -> None:
    """Do the work and tell the test; once there is something to read of the test, or the test has died, it is over."""
    sys.settrace(None)  # coverage cannot be told from here, and would only slow down what is timed
    os.environ.update(environment)
    boto3.Session = lambda: killed.SESSION  # type: ignore[assignment,misc]
    try:
        registry = open_registry(root)
        _connect(registry)
        gate.wait(_WARMING)
        test.send(work(registry, task, test))
    except BaseException:  # noqa: BLE001  # it is told to the test, which fails with it
        test.send(traceback.format_exc())


def _publish_all(registry: Registry, numbers: list[int], test: Connection) -> list[Acknowledged]:
    return [_publish_until_told(registry, k) for k in numbers if not test.poll()]


def _publish_until_told(registry: Registry, k: int) -> Acknowledged:
    for run in range(1, _RUNS):
        try:
            publication, is_new = registry.publish(candidate(k, time=moment(10_000 * run + k)), lambda _current: None)
        except IntegrityError:
            raise
        except RegistryError:
            continue
        return Acknowledged(k=k, n=publication.n, told_new=int(is_new), runs=run)
    raise AssertionError(f"publication {k} was not told in {_RUNS} runs")


def _connect(registry: Registry) -> None:
    """Until it is answered once."""
    while True:
        try:
            registry.newest(PROJECT, ENVIRONMENT)
        except IntegrityError:
            raise
        except RegistryError:
            continue
        return


def _read_all(registry: Registry, task: tuple[Path, int, float], test: Connection) -> list[Seen]:
    cache, threads, rest = task
    readers = [Registry(registry.store, cache=Cache(cache) if n % 2 else None) for n in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda reader: _read_until(reader, rest, test), readers))


def _read_until(registry: Registry, rest: float, test: Connection) -> Seen:
    """Everything that is read is proven, and neither the log nor the plain copy ever goes back."""
    seen, newest, plain = Seen(), 0, 0
    while not test.poll(random.uniform(0, rest)):  # noqa: S311  # no secret
        try:
            entry = registry.newest(PROJECT, ENVIRONMENT)
            if entry is not None:
                interface, publication = registry.interface(PROJECT, ENVIRONMENT, entry.record)
                assert publication.n >= newest
                assert interface.digest == publication.digest
                newest = publication.n
                seen.at[newest] = (publication.id, interface.digest)
                copy = latest(registry.store)
                assert copy is None or copy[1] >= plain
                plain = copy[1] if copy else plain
            seen.reads += 1
        except IntegrityError:
            raise
        except RegistryError:
            seen.failures += 1
    return seen
