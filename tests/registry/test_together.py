"""Many publishers and readers at once: nobody's publication is lost, and nobody reads half of one."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from registry_tools.mesh.publication import Publication
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, PROJECT
from tests.registry.faults import Fault, FaultyStore
from tests.registry.publishing import assert_sound, latest, moment, publication_id, publish, published, records

AT_ONCE = 8


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Threads change places five hundred times more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "registry")


def at_once(work: Callable[[int], tuple[Publication, bool]]) -> list[tuple[Publication, bool]]:
    gate = Barrier(AT_ONCE)

    def start(worker: int) -> tuple[Publication, bool]:
        gate.wait()
        return work(worker)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(start, range(AT_ONCE)))


def test_different_publications_all_commit(store: ObjectStore) -> None:
    results = at_once(lambda worker: publish(store, worker))
    assert sorted(publication.n for publication, _ in results) == list(range(1, AT_ONCE + 1))
    assert all(is_new for _, is_new in results)
    assert sorted(published(store)) == sorted(publication_id(worker) for worker in range(AT_ONCE))
    assert latest(store) == (published(store)[-1], AT_ONCE)
    assert_sound(store)


def test_one_publication_by_eight_commits_once(store: ObjectStore) -> None:
    publish(store, 1)
    results = at_once(lambda worker: publish(store, 2, time=f"2026-01-23T08:00:0{worker}+00:00"))
    assert [publication.n for publication, _ in results] == [2] * AT_ONCE
    assert [is_new for _, is_new in results].count(True) == 1
    assert published(store) == [publication_id(1), publication_id(2)]
    assert_sound(store)


def test_two_runs_of_each_publication_commit_each_once(store: ObjectStore) -> None:
    for round_ in range(6):
        at_once(lambda worker, base=10 * round_: publish(store, base + worker // 2, time=moment(worker)))  # type: ignore[misc]
    assert len(published(store)) == 6 * AT_ONCE // 2
    assert_sound(store)


def test_every_second_answer_lost_still_commits_each_once() -> None:
    store = MemoryStore()
    unreliable = FaultyStore(store, lambda n, _key: Fault.LOST_ACK if n % 2 else Fault.NONE)
    at_once(lambda worker: publish(unreliable, worker, usage=_nobody()))
    assert sorted(published(store)) == sorted(publication_id(worker) for worker in range(AT_ONCE))
    assert_sound(store)


def test_readers_meet_whole_publications_only(store: ObjectStore) -> None:
    publish(store, 0)
    over = Event()

    def read(_reader: int) -> int:
        """Whatever is read is complete (its digest holds), and nothing goes back."""
        seen = plain = reads = 0
        while not over.is_set() or not reads:
            record = Registry(store).require(PROJECT, ENVIRONMENT)
            interface, publication = Registry(store).interface(PROJECT, ENVIRONMENT, record)
            assert interface.digest == publication.digest
            assert publication.n >= seen
            assert Registry(store).usage(PROJECT, ENVIRONMENT) is not None
            assert Registry(store).current_with_state(PROJECT, ENVIRONMENT)[1] is not None
            now = latest(store)
            assert now is not None
            assert now[1] >= plain
            seen, plain, reads = publication.n, now[1], reads + 1
            over.wait(0.02)  # readers that never rest would keep the publishers from Python's one lock for minutes
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, reader) for reader in range(4)]
        try:
            for batch in range(3):
                at_once(lambda worker, batch=batch: publish(store, 1 + batch * AT_ONCE + worker))  # type: ignore[misc]
        finally:
            over.set()
        assert all(reader.result() >= 1 for reader in readers)
    assert len(records(store)) == 1 + 3 * AT_ONCE
    assert_sound(store)


def _nobody() -> object:
    from registry_tools.mesh.usage import Usage

    return Usage(project=PROJECT)
