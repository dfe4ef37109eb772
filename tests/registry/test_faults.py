"""Lost answers, lost writes, late writes, crashes and competitors: one record for one publication, always."""

from collections.abc import Callable

import msgspec
import pytest

from registry_tools.errors import OutcomeUnknown, Refusal
from registry_tools.mesh.publication import Actor, Approval, Record
from registry_tools.registry.amendments import Amendment, approve
from registry_tools.registry.log import Entry, Log
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.patience import Clock
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.faults import Crash, Fault, FaultyStore, at, nth
from tests.registry.publishing import (
    assert_sound,
    candidate,
    latest,
    moment,
    publication_id,
    publish,
    published,
    records,
)

WRITES = 6  # state, manifest, usage, edge, record, latest
UNANSWERED = [Fault.LOST_ACK, Fault.DROPPED]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def no_check(_current: Record | None) -> None:
    pass


def test_the_writes_of_a_publication_are_the_six_that_are_tested(store: MemoryStore) -> None:
    faulty = FaultyStore(store, lambda _n, _key: Fault.NONE)
    publish(faulty, 1)
    assert len(faulty.written) == WRITES
    assert "/log/" in faulty.written[-2]
    assert faulty.written[-1] == LATEST


@pytest.mark.parametrize("fault", UNANSWERED)
@pytest.mark.parametrize("k", range(WRITES))
@pytest.mark.parametrize("earlier", [0, 2])
def test_one_write_without_an_answer_changes_nothing(store: MemoryStore, k: int, fault: Fault, earlier: int) -> None:
    for n in range(1, earlier + 1):
        publish(store, n)
    publication, is_new = publish(FaultyStore(store, nth(k, fault)), 9)
    assert (publication.id, publication.n, is_new) == (publication_id(9), earlier + 1, True)
    assert published(store).count(publication_id(9)) == 1
    assert latest(store) == (publication_id(9), earlier + 1)
    assert_sound(store)


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("k", range(WRITES))
def test_a_crash_anywhere_is_mended_by_running_again(store: MemoryStore, k: int, fault: Fault) -> None:
    publish(store, 1)
    with pytest.raises(Crash):
        publish(FaultyStore(store, nth(k, fault)), 2)
    assert_sound(store)
    assert latest(store) in [(publication_id(1), 1), (publication_id(2), 2)]
    assert publish(store, 2)[0].n == 2
    assert published(store) == [publication_id(1), publication_id(2)]
    assert latest(store) == (publication_id(2), 2)
    assert_sound(store)


def test_a_crash_between_commit_and_refresh_is_repaired_by_a_run_that_writes_nothing_else(store: MemoryStore) -> None:
    publish(store, 1)
    with pytest.raises(Crash):
        publish(FaultyStore(store, at("/latest/", Fault.CRASH_BEFORE)), 2)
    assert latest(store) == (publication_id(1), 1)
    assert Registry(store).require(PROJECT, ENVIRONMENT).current == publication_id(2)
    repairing = FaultyStore(store, lambda _n, _key: Fault.NONE)
    assert publish(repairing, 2)[1] is False
    assert repairing.written == [LATEST]
    assert latest(store) == (publication_id(2), 2)


def test_a_write_that_lands_late_makes_nothing_twice(store: MemoryStore) -> None:
    late = FaultyStore(store, at("/log/", Fault.LATE))
    assert publish(late, 1)[0].n == 1
    publish(store, 2)
    late.land()
    assert published(store) == [publication_id(1), publication_id(2)]
    assert_sound(store)


def test_a_late_refresh_does_not_bring_latest_back(store: MemoryStore) -> None:
    publish(store, 1)
    late = FaultyStore(store, at("/latest/", *[Fault.LATE] * 9))
    with pytest.raises(OutcomeUnknown, match="is current, but the copy"):
        publish(late, 2)
    publish(store, 3)
    late.land()
    assert latest(store) == (publication_id(3), 3)


@pytest.mark.parametrize("part", ["/history/", "/log/", "/latest/", "_edges/", "_private/"])
def test_giving_up_is_bounded_and_says_what_to_do(store: MemoryStore, part: str) -> None:
    faulty = FaultyStore(store, lambda _n, key: Fault.DROPPED if part in key else Fault.NONE)
    with pytest.raises(OutcomeUnknown) as caught:
        publish(faulty, 1)
    assert "\n  next: " in str(caught.value)
    assert len(faulty.written) <= 15
    assert publish(store, 1)[0].n == 1
    assert published(store) == [publication_id(1)]
    assert latest(store) == (publication_id(1), 1)


def test_a_record_without_an_answer_is_looked_for_before_it_is_sent_again(store: MemoryStore) -> None:
    faulty = FaultyStore(store, at("/log/", Fault.LOST_ACK, *[Fault.DROPPED] * 99))
    assert publish(faulty, 1)[1] is True
    assert len([key for key in faulty.written if "/log/" in key]) == 1


def test_a_record_that_lands_after_giving_up_is_found_by_the_next_run(store: MemoryStore) -> None:
    late = FaultyStore(store, at("/log/", *[Fault.LATE] * 99))
    with pytest.raises(OutcomeUnknown):
        publish(late, 1)
    assert published(store) == []
    late.land()
    publish(store, 2)
    assert publish(store, 1, time="2030-01-01T00:00:00+00:00")[1] is False
    assert published(store) == [publication_id(1), publication_id(2)]


def interrupted(store: MemoryStore, *competitors: Callable[[], object]) -> FaultyStore:
    """The store where these happen, one each time, just before a record is created."""
    waiting = list(competitors)

    def plan(_n: int, key: str) -> Fault:
        if "/log/" in key and waiting:
            waiting.pop(0)()
        return Fault.NONE

    return FaultyStore(store, plan)


def test_whoever_comes_second_gets_the_next_number_and_is_checked_again(store: MemoryStore) -> None:
    publish(store, 1)
    seen: list[str | None] = []
    registry = Registry(interrupted(store, lambda: publish(store, 2), lambda: publish(store, 3)))
    publication, is_new = registry.publish(candidate(4), lambda r: seen.append(r.current if r else None))
    assert (publication.n, is_new) == (4, True)
    assert seen == [publication_id(k) for k in (1, 2, 3)]
    assert published(store) == [publication_id(k) for k in (1, 2, 3, 4)]
    assert_sound(store)


def test_a_check_that_declines_the_competitors_record_commits_nothing(store: MemoryStore) -> None:
    def check(current: Record | None) -> None:
        if current is not None:
            raise Refusal("it breaks what is there now", then="mend it")

    with pytest.raises(Refusal):
        Registry(interrupted(store, lambda: publish(store, 2))).publish(candidate(1), check)
    assert published(store) == [publication_id(2)]


def test_the_same_publication_by_another_run_counts_as_ours(store: MemoryStore) -> None:
    other = interrupted(store, lambda: publish(store, 1, time="2026-01-23T07:59:00+00:00"))
    publication, is_new = publish(other, 1)
    assert (publication.n, is_new) == (1, False)
    assert published(store) == [publication_id(1)]


def test_of_two_runs_with_the_same_bytes_only_one_says_that_it_published(store: MemoryStore) -> None:
    """Two runs of one job within a second write the same record; the one that was answered no did not make it."""
    told: list[bool] = []
    told.append(publish(interrupted(store, lambda: told.append(publish(store, 1)[1])), 1)[1])
    assert told == [True, False]


def test_our_other_run_is_found_below_records_that_came_after_it(store: MemoryStore) -> None:
    """While this run waits, somebody else, our other run and somebody else again commit, in this order."""

    def meanwhile() -> None:
        for k in (2, 1, 3):
            publish(store, k)

    publication, is_new = publish(interrupted(store, meanwhile), 1)
    assert published(store) == [publication_id(k) for k in (2, 1, 3)]
    assert (publication.n, is_new) == (2, False)
    assert latest(store) == (publication_id(3), 3)


def test_a_slower_publisher_does_not_bring_latest_back(store: MemoryStore) -> None:
    publish(store, 1)
    overtaken = FaultyStore(store, lambda _n, key: _overtake(store) if key == LATEST else Fault.NONE)
    publish(overtaken, 2)
    assert latest(store) == (publication_id(3), 3)


def _overtake(store: MemoryStore) -> Fault:
    if publication_id(3) not in published(store):
        publish(store, 3)
    return Fault.NONE


def test_it_gives_up_when_everybody_else_is_faster(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_tools.registry.log._ROUNDS", 3)
    waiting = iter(range(2, 99))
    faster = FaultyStore(store, lambda _n, key: _once(key, lambda: publish(store, next(waiting))))
    with pytest.raises(Exception, match="3 other publishers were faster") as caught:
        publish(faster, 1)
    assert "next: publish again" in str(caught.value)


def _once(key: str, act: Callable[[], object]) -> Fault:
    if "/log/" in key:
        act()
    return Fault.NONE


def test_the_first_answer_decides_and_never_a_later_number(store: MemoryStore) -> None:
    """Without an answer the same number is sent again with the same bytes, until it is known who has it."""
    faulty = FaultyStore(store, at("/log/", Fault.DROPPED, Fault.LATE, Fault.DROPPED))

    publish(store, 1)
    template = records(store)[0]

    def make(base: Entry | None) -> Record:
        n = base.record.n + 1 if base else 1
        return msgspec.structs.replace(template, n=n, previous=base.sha256 if base else None)

    Log(faulty, PROJECT, "log_alone", Clock(pause=lambda _seconds: None)).append(None, make)
    assert set(faulty.written) == {f"{PROJECT}/log_alone/log/999999999998.json"}
    faulty.land()
    assert [e.record.n for e in Log(store, PROJECT, "log_alone").entries()] == [1]


def test_a_run_that_died_before_the_plain_copy_brings_it_whatever_came_upon_its_record(store: MemoryStore) -> None:
    """Nobody judges again what readers have already, and an approval in between moves nothing."""
    publish(store, 1)
    with pytest.raises(Crash):
        publish(FaultyStore(store, at("/latest/", Fault.CRASH_BEFORE)), 2)
    approval = Approval(rule="column-removed", object="dbt_up.customers", until="2030-01-01", reason="agreed")
    amendment = Amendment(project=PROJECT, environment=ENVIRONMENT, actor=Actor(), time=moment(9), reason="agreed")
    with pytest.raises(Crash):
        approve(Registry(FaultyStore(store, at("/latest/", Fault.CRASH_BEFORE))), amendment, approval)
    assert latest(store) == (publication_id(1), 1)

    def decline(_current: Record | None) -> None:
        raise Refusal("it would break somebody", then="mend it")

    publication, is_new = Registry(store).publish(candidate(2), decline)
    assert (publication.n, is_new) == (2, False)
    assert latest(store) == (publication_id(2), 2)
