"""gc: what nobody needs goes, after its grace and by the store's clock; what somebody may need never does."""

from collections.abc import Callable, Collection

import msgspec
import pytest

from registry_tools.errors import IntegrityError, MeshError, Refusal, UsageError
from registry_tools.mesh.publication import Actor, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry import layout
from registry_tools.registry.amendments import Amendment, roll_back, yank
from registry_tools.registry.cache import Cache
from registry_tools.registry.collection import GRACE, Plan, Retention, collect, plan_collection
from registry_tools.registry.inspection import inspect
from registry_tools.registry.log import encode_record
from registry_tools.registry.patience import Clock
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.corruptions import DAY, MANIFESTS, STATES, USAGES, Clocked, file_key, forged, log_key
from tests.registry.faults import Crash, Fault, FaultyStore, at
from tests.registry.publishing import candidate, moment, publication_id, publish, records

YEAR = 365 * DAY
STRICT = Retention(publications=1, days=180)
ME = Actor(run="gc")


@pytest.fixture
def store() -> Clocked:
    """Three publications, a year old, and a fourth of today."""
    clocked = Clocked()
    for k in (1, 2, 3):
        publish(clocked, k)
    clocked.now = float(YEAR)
    publish(clocked, 4)
    return clocked


def plan(store: Clocked, retention: Retention = STRICT, pinned: Collection[str] = ()) -> Plan:
    return plan_collection(Registry(store), PROJECT, ENVIRONMENT, retention, pinned)


def run(store: Clocked, retention: Retention = STRICT, pinned: Collection[str] = ()) -> tuple[Record | None, int]:
    return collect(Registry(store), plan(store, retention, pinned), ME, moment(3000))


def amendment(reason: str = "because") -> Amendment:
    return Amendment(project=PROJECT, environment=ENVIRONMENT, actor=Actor(), time=moment(3500), reason=reason)


def chosen(n: int) -> Selector:
    return Selector(project=PROJECT, environment=ENVIRONMENT, n=n)


def ids(*ks: int) -> tuple[str, ...]:
    return tuple(publication_id(k) for k in ks)


def files(k: int) -> set[str]:
    return {MANIFESTS[k], USAGES[k], STATES[k]} if k < 4 else {file_key(k, file) for file in layout.FILES}


def no_check(_before: Record, _after: Record) -> None:
    pass


# -- giving up ---------------------------------------------------------------------------------------------------------


def test_what_is_old_and_not_among_the_newest_is_given_up_oldest_first(store: Clocked) -> None:
    assert plan(store).give_up == ids(1, 2, 3)
    assert plan(store, Retention(publications=2, days=180)).give_up == ids(1, 2)
    assert plan(store, Retention(publications=4, days=1)).give_up == ()
    assert plan(store, Retention(publications=1, days=366)).give_up == ()
    assert plan(store).kept == 1
    assert plan(store, Retention(publications=2, days=180)).kept == 2


def test_the_defaults_keep_fifty_and_half_a_year(store: Clocked) -> None:
    assert (Retention().publications, Retention().days) == (50, 180)
    assert plan(store, Retention()).give_up == ()


def test_the_days_are_those_of_the_store_and_the_last_one_counts(store: Clocked) -> None:
    store.now = 180.0 * DAY - 1
    assert plan(store).give_up == ()
    store.now += 1
    assert plan(store).give_up == ids(1, 2, 3)


def test_giving_up_is_a_record_that_changes_nothing_for_readers(store: Clocked) -> None:
    before, copy = records(store)[-1], store.content(LATEST)
    record, deleted = run(store)
    assert record is not None
    assert (record.n, record.op, record.expired, record.horizon) == (5, "expire", ids(1, 2, 3), publication_id(3))
    assert (record.current, record.files, record.digest) == (before.current, before.files, before.digest)
    assert (record.made_current, record.actor, record.reason) == (4, ME, None)
    assert deleted == 0
    assert store.content(LATEST) == copy
    assert all(key in store.snapshot() for k in (1, 2, 3) for key in files(k))
    assert records(store)[-1] == record


def test_the_files_go_seven_days_after_the_record_and_not_before(store: Clocked) -> None:
    run(store)
    store.now += GRACE - 1
    assert run(store) == (None, 0)
    store.now += 1
    going = plan(store)
    assert {waste.facts.key for waste in going.delete} == files(1) | files(2) | files(3)
    assert {waste.why for waste in going.delete} == {"given up"}
    assert going.size == sum(len(store.content(waste.facts.key)) for waste in going.delete)
    assert run(store) == (None, 9)
    assert {key for key in store.keys("") if publication_id(4) in key} == files(4)
    assert list(inspect(Registry(store), PROJECT, ENVIRONMENT)) == []
    assert run(store) == (None, 0)


def test_the_log_itself_stays(store: Clocked) -> None:
    run(store)
    store.now += YEAR
    run(store)
    assert [record.n for record in records(store)] == [1, 2, 3, 4, 5]


def test_a_plan_changes_nothing(store: Clocked) -> None:
    before = store.snapshot()
    plan(store)
    assert store.snapshot() == before


def test_what_a_consumer_was_built_against_stays(store: Clocked) -> None:
    assert plan(store, pinned=ids(2)).give_up == ids(1, 3)
    run(store, pinned=ids(2))
    store.now += YEAR
    run(store, pinned=ids(2))
    assert files(2) <= store.snapshot().keys()
    assert not (files(1) | files(3)) & store.snapshot().keys()


def test_what_readers_get_stays_however_old(store: Clocked) -> None:
    roll_back(Registry(store), amendment(), chosen(1), no_check)
    store.now += YEAR
    assert plan(store).give_up == ids(2, 3)
    run(store)
    store.now += YEAR
    run(store)
    assert Registry(store).interface(PROJECT, ENVIRONMENT, records(store)[-1])[1].id == publication_id(1)


def test_whoever_was_yanked_leaves_the_list_when_it_is_given_up(store: Clocked) -> None:
    yank(Registry(store), amendment("leaks"), chosen(2), no_check)
    yank(Registry(store), amendment("wrong"), chosen(3), no_check)
    run(store, pinned=ids(3))
    assert records(store)[-1].yanked == {publication_id(3): "wrong"}
    assert records(store)[-1].expired == ids(1, 2)


def test_an_id_from_a_wrong_clock_does_not_become_the_horizon(store: Clocked) -> None:
    """A runner in the year 2099 published once; given up, it would decline every manifest of this century."""
    future = "20990101T000000Z-ffffffffffff"
    odd = Clocked()
    publish(odd, 1, id=future)
    publish(odd, 2)
    odd.now = float(YEAR)
    publish(odd, 3)
    assert plan(odd).give_up == ids(2)
    run(odd)
    assert publish(odd, 4)[1]
    assert plan(store).give_up == ids(1, 2, 3)


def test_more_than_a_record_holds_goes_in_several_runs(store: Clocked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_tools.registry.collection._AT_ONCE", 2)
    first, _ = run(store)
    second, _ = run(store)
    assert [record.expired if record else None for record in (first, second)] == [ids(1, 2), ids(3)]
    assert run(store) == (None, 0)


# -- what was given up does not come back -----------------------------------------------------------------------------


def test_publishing_it_again_is_declined_before_and_after_its_files_went(store: Clocked) -> None:
    run(store)
    for _ in range(2):
        before = store.snapshot()
        with pytest.raises(Refusal, match="older than what is still kept") as caught:
            publish(store, 2)
        assert "next: run dbt build" in str(caught.value)
        assert store.snapshot() == before
        store.now += YEAR
        run(store)


def test_a_manifest_older_than_the_horizon_that_was_never_published_is_declined(store: Clocked) -> None:
    run(store)
    with pytest.raises(Refusal, match="older than what is still kept"):
        publish(store, 0)


def test_what_is_kept_although_it_is_older_is_already_published(store: Clocked) -> None:
    run(store, pinned=ids(2))
    publication, is_new = publish(store, 2)
    assert (publication.id, publication.n, is_new) == (publication_id(2), 2, False)


@pytest.mark.parametrize("amend", [roll_back, yank])
@pytest.mark.parametrize("later", [0, YEAR])
def test_nobody_is_led_to_it_and_it_is_not_withdrawn(store: Clocked, amend: Callable[..., object], later: int) -> None:
    run(store)
    store.now += later
    run(store)
    before = store.snapshot()
    with pytest.raises(MeshError, match="is no longer kept since") as caught:
        amend(Registry(store), amendment(), chosen(2), no_check)
    assert "mesh history" in str(caught.value)
    assert caught.value.exit_code < 3
    assert store.snapshot() == before


def test_reading_it_says_when_it_was_given_up(store: Clocked) -> None:
    run(store)
    store.now += YEAR
    run(store)
    with pytest.raises(UsageError, match=f"{publication_id(2)} is no longer kept since 2026-01-23"):
        Registry(store).interface(PROJECT, ENVIRONMENT, Registry(store).resolve(chosen(2)).record)


def test_a_yank_falls_back_below_what_was_given_up(store: Clocked) -> None:
    run(store, pinned=ids(1))
    amended = yank(Registry(store), amendment(), chosen(4), no_check)
    assert amended.publication.id == publication_id(1)


def test_a_yank_with_nothing_left_below_is_declined(store: Clocked) -> None:
    run(store)
    with pytest.raises(Refusal, match="has no other publication"):
        yank(Registry(store), amendment(), chosen(4), no_check)


# -- orphans -----------------------------------------------------------------------------------------------------------


def crashed(store: Clocked, k: int) -> set[str]:
    """The files of a publisher that died before its commit."""
    with pytest.raises(Crash):
        publish(FaultyStore(store, at("/log/", Fault.CRASH_BEFORE)), k)
    return files(k)


def test_orphans_go_after_seven_days_each_by_its_own_age(store: Clocked) -> None:
    left = crashed(store, 5)
    assert len(left) == 3
    store.now += GRACE - 1
    assert plan(store, Retention()).delete == ()
    store.now += 1
    assert {waste.facts.key for waste in plan(store, Retention()).delete} == left
    assert {waste.why for waste in plan(store, Retention()).delete} == {"never committed"}
    assert run(store, Retention()) == (None, 3)
    assert not left & store.snapshot().keys()


def test_a_publisher_that_returns_to_what_it_left_the_same_day_commits_it(store: Clocked) -> None:
    crashed(store, 5)
    store.now += DAY
    assert publish(store, 5)[1]


def test_a_publisher_that_returns_later_builds_again(store: Clocked) -> None:
    crashed(store, 5)
    store.now += DAY + 1
    with pytest.raises(Refusal, match="left this file more than a day ago"):
        publish(store, 5)


def test_a_publisher_that_returns_after_its_files_were_collected_uploads_them_again(store: Clocked) -> None:
    crashed(store, 5)
    store.now += GRACE
    run(store, Retention())
    assert publish(store, 5)[1]
    assert list(inspect(Registry(store), PROJECT, ENVIRONMENT)) == []


@pytest.mark.parametrize(("asleep", "says"), [(1.5 * DAY, "left this file"), (8.0 * DAY, "this file is gone")])
def test_a_publisher_that_slept_between_upload_and_commit_does_not_commit(
    store: Clocked, asleep: float, says: str
) -> None:
    """Its laptop was closed just before the record went out; somebody else committed, and gc ran."""
    slept = [0.0]

    def sleep() -> None:
        if not slept[0]:
            slept[0] = asleep
            store.now += asleep
            publish(store, 6)
            run(store, Retention())

    def plan_(_k: int, key: str) -> Fault:
        if "/log/" in key:
            sleep()
        return Fault.NONE

    clock = Clock(pause=lambda _seconds: None, elapsed=lambda: slept[0])
    registry = Registry(FaultyStore(store, plan_), clock=clock)
    with pytest.raises(MeshError, match=says):
        registry.publish(candidate(5), lambda _current: None)
    assert [record.publication for record in records(store)] == list(ids(1, 2, 3, 4, 6))


def test_of_two_collectors_the_slower_leaves_what_was_published_meanwhile(store: Clocked) -> None:
    """The same bytes have the same tag in a bucket and in a directory."""
    crashed(store, 5)
    store.now += GRACE
    slow = plan(store, Retention())
    run(store, Retention())
    publish(store, 5)
    for waste in slow.delete:
        standing = store._objects[waste.facts.key]
        store._objects[waste.facts.key] = type(standing)(content=standing.content, tag=waste.facts.tag)
    assert collect(Registry(store), slow, ME, moment(3000)) == (None, 0)
    assert files(5) <= store.snapshot().keys()


def test_what_changed_since_the_plan_stays(store: Clocked) -> None:
    left = crashed(store, 5)
    store.now += GRACE
    stale = plan(store, Retention())
    one = min(left)
    store.put(one, b"another")
    store.now += GRACE
    assert collect(Registry(store), stale, ME, moment(3000)) == (None, 2)
    assert store.content(one) == b"another"


@pytest.mark.parametrize(("fault", "gone"), [(Fault.LOST_ACK, 3), (Fault.DROPPED, 2)])
def test_a_deletion_without_an_answer_is_looked_for(store: Clocked, fault: Fault, gone: int) -> None:
    crashed(store, 5)
    store.now += GRACE
    registry = Registry(FaultyStore(store, at("/history/", fault)))
    assert collect(registry, plan(store, Retention()), ME, moment(3000)) == (None, gone)
    run(store, Retention())
    assert not files(5) & store.snapshot().keys()


@pytest.mark.parametrize(
    "key",
    [
        f"{PROJECT}/{ENVIRONMENT}/history/readme.md",
        f"{PROJECT}/{ENVIRONMENT}/history/{publication_id(1)}/notes.txt",
        f"{PROJECT}/{ENVIRONMENT}/history/{publication_id(9)}/notes.txt",
        f"{PROJECT}/{ENVIRONMENT}/history/{publication_id(9)}",
        f"{PROJECT}/{ENVIRONMENT}/history/{publication_id(9)}.json.zst",
        f"{PROJECT}/{ENVIRONMENT}/history/{publication_id(9)}/manifest.json/x",
        f"{PROJECT}/{ENVIRONMENT}/history/latest/manifest.json",
        f"_private/{PROJECT}/{ENVIRONMENT}/{publication_id(9)}",
        f"_private/{PROJECT}/{ENVIRONMENT}/{publication_id(9)}/state.json.zst",
        f"_private/{PROJECT}/{ENVIRONMENT}/notes.json.zst",
        f"{PROJECT}/{ENVIRONMENT}/notes.txt",
    ],
)
def test_what_mesh_did_not_put_there_stays(store: Clocked, key: str) -> None:
    store.put(key, b"a person's")
    run(store)
    store.now += YEAR
    run(store)
    assert store.content(key) == b"a person's"


# -- a log that does not hold ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [(1,), (2,), (4,), (3, 4), (1, 2, 3, 4)])
def test_a_log_with_a_hole_or_without_its_end_collects_nothing(store: Clocked, gone: tuple[int, ...]) -> None:
    """Otherwise the files of the lost records would count as never committed."""
    store.drop(*map(log_key, gone))
    store.now += YEAR
    before = store.snapshot()
    with pytest.raises(IntegrityError, match="next: "):
        run(store, Retention())
    assert store.snapshot() == before


def test_a_log_that_lost_its_end_and_the_copy_of_it_is_known_from_the_cache(store: Clocked, tmp_path) -> None:
    cache = Cache(tmp_path)
    Registry(store, cache=cache).newest(PROJECT, ENVIRONMENT)
    store.drop(log_key(4), LATEST)
    store.now += YEAR
    with pytest.raises(IntegrityError, match="was rewritten"):
        plan_collection(Registry(store, cache=cache), PROJECT, ENVIRONMENT, Retention())


def test_a_forged_record_collects_nothing(store: Clocked) -> None:
    store.put(log_key(2), forged(store, 2, expired=ids(4)))
    store.now += YEAR
    with pytest.raises(IntegrityError):
        run(store)


def test_a_record_that_gives_up_what_readers_get_deletes_nothing_of_it(store: Clocked) -> None:
    newest = Registry(store).log(PROJECT, ENVIRONMENT).require(4)
    record = msgspec.structs.replace(newest.record, n=5, previous=newest.sha256, op="expire", since=4, expired=ids(4))
    store.put(log_key(5), encode_record(record))
    store.now += YEAR
    run(store)
    assert files(4) <= store.snapshot().keys()


def test_an_environment_without_anything_has_no_plan_to_carry_out() -> None:
    empty = Clocked()
    nothing = plan(empty)
    assert (nothing.give_up, nothing.delete, nothing.kept, nothing.size) == ((), (), 0, 0)
    assert collect(Registry(empty), nothing, ME, moment(1)) == (None, 0)
    assert empty.snapshot() == {}


def test_a_log_that_vanished_since_the_plan_is_not_begun_anew(store: Clocked) -> None:
    stale = plan(store)
    store.drop(*(log_key(n) for n in (1, 2, 3, 4)))
    before = store.snapshot()
    assert collect(Registry(store), stale, ME, moment(3000)) == (None, 0)
    assert store.snapshot() == before


# -- somebody else meanwhile -------------------------------------------------------------------------------------------


def test_what_became_current_since_the_plan_is_not_given_up(store: Clocked) -> None:
    stale = plan(store)
    roll_back(Registry(store), amendment(), chosen(2), no_check)
    record, _ = collect(Registry(store), stale, ME, moment(3000))
    assert record is not None
    assert record.expired == ids(1, 3)
    assert record.current == publication_id(2)


def test_what_another_collector_gave_up_is_not_given_up_twice(store: Clocked) -> None:
    stale = plan(store)
    run(store)
    assert collect(Registry(store), stale, ME, moment(3000)) == (None, 0)
    assert len(records(store)) == 5


def meanwhile(store: Clocked, act: Callable[[], object]) -> FaultyStore:
    """The store on which this happens once, just before a record is created."""
    waiting = [act]

    def before(_k: int, key: str) -> Fault:
        if "/log/" in key and waiting:
            waiting.pop()()
        return Fault.NONE

    return FaultyStore(store, before)


def test_a_rollback_that_is_faster_keeps_its_publication(store: Clocked) -> None:
    busy = meanwhile(store, lambda: roll_back(Registry(store), amendment(), chosen(2), no_check))
    record, _ = collect(Registry(busy), plan(store), ME, moment(3000))
    assert record is not None
    assert (record.n, record.expired) == (6, ids(1, 3))


def test_a_collector_that_is_faster_stops_the_rollback(store: Clocked) -> None:
    busy = meanwhile(store, lambda: run(store))
    with pytest.raises(Refusal, match="is no longer kept"):
        roll_back(Registry(busy), amendment(), chosen(2), no_check)
    assert records(store)[-1].current == publication_id(4)


@pytest.mark.parametrize("fault", [Fault.LOST_ACK, Fault.DROPPED, Fault.LATE])
def test_an_expiry_without_an_answer_is_recorded_once(store: Clocked, fault: Fault) -> None:
    faulty = FaultyStore(store, at("/log/", fault))
    record, _ = collect(Registry(faulty), plan(store), ME, moment(3000))
    faulty.land()
    assert record == records(store)[-1]
    assert [record.op for record in records(store)] == ["publish"] * 4 + ["expire"]
