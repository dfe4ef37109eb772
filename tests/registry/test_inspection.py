"""fsck: every planted corruption is found by its rule and key, mended where there is a copy, and never made worse."""

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from registry_tools.errors import OutcomeUnknown
from registry_tools.registry import layout
from registry_tools.registry.cache import Cache, Head
from registry_tools.registry.inspection import Fault, inspect, repair
from registry_tools.registry.log import encode_record
from registry_tools.registry.objects import StoredObject
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.corruptions import (
    CONTENT_ROWS,
    DAY,
    EDGE,
    MANIFESTS,
    ROWS,
    STATES,
    USAGES,
    Clocked,
    Found,
    Keys,
    forged,
    log_key,
    sha256,
)
from tests.registry.faults import Fault as StoreFault
from tests.registry.faults import FaultyStore, at
from tests.registry.publishing import publication_id, publish, records


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """The cache of a machine that has read every record and every file, and what the registry holds.

    Published once: a record is another one each time that it is written.
    """
    read, seen = Cache(tmp_path_factory.mktemp("warm") / "cache"), Clocked()
    for k in (1, 2, 3):
        publish(seen, k)
        registry = Registry(seen, cache=read)
        record = registry.require(PROJECT, ENVIRONMENT)
        for file in record.files:
            registry.file(PROJECT, ENVIRONMENT, record, file)
    return read.folder, seen.snapshot()


@pytest.fixture
def store(warm: tuple[Path, dict[str, bytes]]) -> Clocked:
    """Three publications, a year old."""
    clocked = Clocked()
    for key, content in warm[1].items():
        clocked.put(key, content)
    clocked.now = 365.0 * DAY
    return clocked


@pytest.fixture
def cache(tmp_path: Path, warm: tuple[Path, dict[str, bytes]]) -> Cache:
    """That machine's cache, for one test."""
    return Cache(shutil.copytree(warm[0], tmp_path / "cache"))


def faults(registry: Registry) -> list[Fault]:
    return list(inspect(registry, PROJECT, ENVIRONMENT))


def names(found: list[Fault]) -> Found:
    assert len({(fault.rule, fault.key) for fault in found}) == len(found)
    assert all(fault.what and fault.then for fault in found)
    return {(fault.rule, fault.key) for fault in found}


def assert_mended_as_told(
    store: Clocked, registry: Registry, right: dict[str, bytes], found: Found, mend: Keys
) -> None:
    """What is said is found, what is said is mended, what was right stays, and the next look tells what is left."""
    planted = store.snapshot()
    told = faults(registry)
    assert store.snapshot() == planted
    assert names(told) == found
    mended = {fault.key for fault in inspect(registry, PROJECT, ENVIRONMENT) if repair(registry, fault)}
    assert mended == mend
    after = store.snapshot()
    assert {key for key in right if planted.get(key) == right[key] != after.get(key)} == set()
    assert {key for key in mend if after[key] != right[key]} == set()
    assert after.keys() - planted.keys() <= mend
    left = names(faults(registry))
    assert {key for _, key in left} & mend == set()
    if {key for _, key in found} == mend and mend:
        assert (left, after) == (set(), right)
    else:
        assert left >= {(rule, key) for rule, key in found if key not in mend}


@pytest.mark.parametrize("name", ROWS)
def test_without_a_cache(store: Clocked, name: str) -> None:
    row, right = ROWS[name], store.snapshot()
    row.plant(store)
    assert_mended_as_told(store, Registry(store), right, row.found, row.cold)


@pytest.mark.parametrize("name", ROWS)
def test_with_a_warm_cache(store: Clocked, cache: Cache, name: str) -> None:
    row, right = ROWS[name], store.snapshot()
    row.plant(store)
    found = row.found if row.found_warm is None else row.found_warm
    mend = {key for _, key in found} if row.warm is None else row.warm
    assert_mended_as_told(store, Registry(store, cache=cache), right, found, mend)


@pytest.mark.parametrize("name", CONTENT_ROWS)
def test_a_wrong_content_under_its_right_digest(store: Clocked, name: str) -> None:
    row, right = CONTENT_ROWS[name], store.snapshot()
    row.plant(store)
    assert_mended_as_told(store, Registry(store), right, row.found, set())


# -- what is healthy, and what is on its way ---------------------------------------------------------------------------


def test_a_healthy_registry_has_no_fault_and_nothing_is_written(store: Clocked, cache: Cache) -> None:
    before = store.snapshot()
    assert faults(Registry(store)) == faults(Registry(store, cache=cache)) == []
    assert store.snapshot() == before


def test_nothing_at_all_is_no_fault() -> None:
    assert faults(Registry(Clocked())) == []


def test_a_publication_without_a_state_misses_none() -> None:
    store = Clocked()
    publish(store, 1, state=None)
    assert faults(Registry(store)) == []


def left_files(store: Clocked, k: int) -> list[str]:
    """The files of a publisher that died before its commit."""
    with pytest.raises(OutcomeUnknown):
        publish(FaultyStore(store, at("/log/", *[StoreFault.DROPPED] * 99)), k)
    return sorted(key for key in store.keys("") if publication_id(k) in key)


def test_files_that_can_still_be_committed_are_no_fault_and_later_they_are_orphans(store: Clocked) -> None:
    left = left_files(store, 4)
    assert len(left) == 3
    assert faults(Registry(store)) == []
    store.now += 1.5 * DAY
    assert names(faults(Registry(store))) == {("orphan", key) for key in left}
    assert all(fault.repair is None for fault in faults(Registry(store)))


def test_nobody_is_called_an_orphan_whose_record_may_be_the_lost_one(store: Clocked) -> None:
    left_files(store, 4)
    store.now += 1.5 * DAY
    store.drop(log_key(2))
    assert names(faults(Registry(store))) == {("missing-record", log_key(2))}


def test_files_that_were_given_up_are_not_missed(store: Clocked) -> None:
    expire = {"n": 4, "op": "expire", "previous": _sha(store, 3), "since": 3, "expired": (publication_id(1),)}
    store.put(log_key(4), forged(store, 3, **expire))
    store.drop(MANIFESTS[1], USAGES[1], STATES[1])
    assert faults(Registry(store)) == []


def _sha(store: Clocked, n: int) -> str:
    return Registry(store).log(PROJECT, ENVIRONMENT).require(n).sha256


class Busy(FaultyStore):
    """A store on which something happens once, just before this key is read."""

    def __init__(self, inner: Clocked, key: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(inner, lambda _n, _key: StoreFault.NONE)
        self._key, self._meanwhile = key, [meanwhile]

    def get(self, key: str) -> StoredObject | None:
        if key == self._key and self._meanwhile:
            self._meanwhile.pop()()
        return super().get(key)


@pytest.mark.parametrize("reads", [LATEST, MANIFESTS[3], log_key(3), log_key(1)])
def test_a_publisher_that_commits_meanwhile_is_no_fault_and_is_not_undone(store: Clocked, reads: str) -> None:
    busy = Busy(store, reads, lambda: publish(store, 4))
    assert [(fault, repair(Registry(busy), fault)) for fault in inspect(Registry(busy), PROJECT, ENVIRONMENT)] == []
    assert faults(Registry(store)) == []


# -- mending -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [StoreFault.LOST_ACK, StoreFault.DROPPED])
@pytest.mark.parametrize("key", [LATEST, EDGE, MANIFESTS[3]])
def test_a_repair_without_an_answer_is_looked_for(store: Clocked, key: str, answer: StoreFault) -> None:
    right = store.snapshot()
    store.drop(key)
    faulty = Registry(FaultyStore(store, at(key, answer)))
    (fault,) = inspect(faulty, PROJECT, ENVIRONMENT)
    assert repair(faulty, fault) is (answer is StoreFault.LOST_ACK)
    assert (store.snapshot() == right) is (answer is StoreFault.LOST_ACK)


def test_what_changed_since_it_was_found_stays(store: Clocked) -> None:
    store.put(LATEST, b"torn")
    (fault,) = faults(Registry(store))
    store.put(LATEST, b"somebody else's")
    assert not repair(Registry(store), fault)
    assert store.content(LATEST) == b"somebody else's"
    (fault,) = faults(Registry(store))
    store.drop(LATEST)
    assert not repair(Registry(store), fault)
    assert LATEST not in store.snapshot()


def test_what_came_back_since_it_was_found_stays(store: Clocked) -> None:
    store.drop(EDGE)
    (fault,) = faults(Registry(store))
    store.put(EDGE, b"")
    assert not repair(Registry(store), fault)


def test_a_forged_record_does_not_make_good_files_be_written_over(store: Clocked, cache: Cache) -> None:
    """Record 2 names the bytes of another publication, which this machine has; its own copy of record 2 is gone."""
    cache._blob_path(_sha(store, 2)).unlink()
    record = records(store)[1]
    other = records(store)[2].files[layout.MANIFEST]
    store.put(log_key(2), forged(store, 2, files=record.files | {layout.MANIFEST: other}))
    before, registry = store.snapshot(), Registry(store, cache=cache)
    told = faults(registry)
    assert names(told) == {("damaged-record", log_key(2)), ("damaged-file", MANIFESTS[2])}
    assert not any(repair(registry, fault) for fault in told)
    assert store.snapshot() == before


def test_a_forged_predecessor_does_not_make_a_good_record_be_written_over(store: Clocked, cache: Cache) -> None:
    """Record 3 names a record 2 of another project, which this machine has; its own copy of record 3 is gone."""
    foreign = forged(store, 2, reason="of another project")
    cache.keep(sha256(foreign), foreign)
    cache._blob_path(_sha(store, 3)).unlink()
    store.put(log_key(3), forged(store, 3, previous=sha256(foreign)))
    before, registry = store.snapshot(), Registry(store, cache=cache)
    told = faults(registry)
    assert names(told) == {("damaged-record", log_key(3))}
    assert not any(repair(registry, fault) for fault in told)
    assert store.snapshot() == before


def test_below_a_record_that_cannot_be_trusted_nothing_is_written_over(store: Clocked, cache: Cache) -> None:
    """Record 3 is junk and has no copy; record 2 was forged to name a record 1 of another project."""
    foreign = forged(store, 1, reason="of another project")
    cache.keep(sha256(foreign), foreign)
    cache._blob_path(_sha(store, 3)).unlink()
    store.put(log_key(2), forged(store, 2, previous=sha256(foreign)))
    store.put(log_key(3), b"{}")
    before, registry = store.snapshot(), Registry(store, cache=cache)
    told = faults(registry)
    assert names(told) == {("damaged-record", log_key(3)), ("damaged-record", log_key(1))}
    assert not any(repair(registry, fault) for fault in told)
    assert store.snapshot() == before


def test_a_rewritten_log_does_not_make_good_files_be_written_over(store: Clocked, cache: Cache) -> None:
    """Its record 2 names the bytes of another publication, which this machine has."""
    log = records(store)
    other = {layout.MANIFEST: log[2].files[layout.MANIFEST]}
    store.put(log_key(2), forged(store, 2, files=log[1].files | other))
    store.put(log_key(3), encode_record(msgspec.structs.replace(log[2], previous=_sha(store, 2))))
    publish(store, 4)
    before, registry = store.snapshot(), Registry(store, cache=cache)
    told = faults(registry)
    assert names(told) == {("rewritten-log", log_key(3)), ("damaged-file", MANIFESTS[2])}
    assert not any(repair(registry, fault) for fault in told)
    assert store.snapshot() == before


def test_a_copy_in_the_cache_that_is_no_record_mends_nothing(store: Clocked, cache: Cache) -> None:
    """A head that was written by hand names bytes that are no record."""
    cache.keep(sha256(b"{}"), b"{}")
    cache.remember("memory", PROJECT, ENVIRONMENT, Head(n=3, sha256=sha256(b"{}"), tag="", seen=0.0))
    registry = Registry(store, cache=cache)
    told = faults(registry)
    assert names(told) == {("damaged-record", log_key(3))}
    assert not any(repair(registry, fault) for fault in told)


def test_below_a_damaged_record_what_this_machine_saw_is_proof_again(store: Clocked, cache: Cache) -> None:
    publish(store, 4)
    publish(store, 5)
    store.put(log_key(4), b"{}")
    store.drop(STATES[1], log_key(2))
    registry = Registry(store, cache=cache)
    found = {("damaged-record", log_key(4)), ("missing-record", log_key(2)), ("missing-file", STATES[1])}
    assert names(faults(registry)) == found
    mended = {fault.key for fault in inspect(registry, PROJECT, ENVIRONMENT) if repair(registry, fault)}
    assert mended == {log_key(2), STATES[1]}


def test_the_copy_of_a_newer_publication_is_evidence_and_is_kept(store: Clocked) -> None:
    store.drop(log_key(3))
    before = store.snapshot()
    told = faults(Registry(store))
    assert names(told) == {("missing-record", log_key(3))}
    assert f"plain readers get {publication_id(3)} as #3, and the log ends at #2" in told[0].what
    assert not any(repair(Registry(store), fault) for fault in told)
    assert store.snapshot() == before


def test_a_rollback_names_files_that_are_looked_at_once(store: Clocked) -> None:
    first, third = records(store)[0], records(store)[2]
    changes = {
        "n": 4, "op": "rollback", "previous": _sha(store, 3), "publication": first.current,
        "current": first.current, "files": first.files, "digest": first.digest,
    }  # fmt: skip
    assert third.current != first.current
    store.put(log_key(4), forged(store, 3, **changes))
    store.drop(MANIFESTS[1])
    assert names(faults(Registry(store))) == {("missing-file", MANIFESTS[1])}
