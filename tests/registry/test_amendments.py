"""Rollback, yank and approve: one record each, judged upon what is newest, and nothing for what holds already."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import IntegrityError, OutcomeUnknown, Refusal, UsageError
from registry_tools.mesh.publication import Actor, Approval, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry.amendments import Amended, Amendment, approve, roll_back, yank
from registry_tools.registry.cache import Cache
from registry_tools.registry.inspection import inspect
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.corruptions import MANIFESTS, STATES, USAGES, Clocked, log_key
from tests.registry.faults import Crash, Fault, FaultyStore, at
from tests.registry.publishing import latest, moment, publication_id, publish, records

Amend = Callable[[Registry], Amended]
ALLOWED = Approval(rule="column-removed", object="dbt_up.orders.amount", until="2026-02-01", reason="agreed")


@pytest.fixture
def store() -> Clocked:
    """Three publications."""
    clocked = Clocked()
    for k in (1, 2, 3):
        publish(clocked, k)
    return clocked


def no_check(_before: Record, _after: Record) -> None:
    pass


def amendment(**changes: Any) -> Amendment:
    fields: dict[str, Any] = {"actor": Actor(run="me"), "time": moment(3500), "reason": "because"}
    return Amendment(project=PROJECT, environment=ENVIRONMENT, **fields | changes)


def chosen(n: int | None = None, **changes: Any) -> Selector:
    return Selector(project=PROJECT, environment=ENVIRONMENT, n=n, **changes)


def rolling(n: int, **changes: Any) -> Amend:
    return lambda registry: roll_back(registry, amendment(**changes), chosen(n), no_check)


def yanking(n: int | None, **changes: Any) -> Amend:
    return lambda registry: yank(registry, amendment(**changes), chosen(n), no_check)


def approving(approval: Approval = ALLOWED, **changes: Any) -> Amend:
    return lambda registry: approve(registry, amendment(**changes), approval)


AMENDS: dict[str, Amend] = {
    "rollback": rolling(1),
    "yank the current one": yanking(3),
    "yank an earlier one": yanking(2),
    "approve": approving(),
}
CURRENT = {"rollback": 1, "yank the current one": 2, "yank an earlier one": 3, "approve": 3}


@pytest.fixture(params=AMENDS)
def amend(request: pytest.FixtureRequest) -> Amend:
    return AMENDS[request.param]


def assert_served(store: Clocked, k: int) -> None:
    """Every reader gets publication k, whole, and nothing is wrong anywhere."""
    newest = records(store)[-1]
    assert newest.current == publication_id(k)
    interface, publication = Registry(store).interface(PROJECT, ENVIRONMENT, newest)
    assert interface.digest == newest.digest == publication.digest
    assert latest(store) == (publication_id(k), newest.made_current)
    assert list(inspect(Registry(store), PROJECT, ENVIRONMENT)) == []


# -- what each of them does -------------------------------------------------------------------------------------------


def test_a_rollback_makes_an_earlier_publication_current(store: Clocked) -> None:
    amended = rolling(1)(Registry(store))
    first, newest = records(store)[0], records(store)[-1]
    assert amended.is_new
    assert amended.record == newest
    assert (newest.n, newest.op, newest.publication, newest.reason) == (4, "rollback", publication_id(1), "because")
    assert (newest.files, newest.digest, newest.made_current) == (first.files, first.digest, 4)
    assert (amended.publication.n, amended.publication.id, newest.actor) == (4, publication_id(1), Actor(run="me"))
    assert_served(store, 1)


def test_a_rollback_and_forth_again(store: Clocked) -> None:
    rolling(1)(Registry(store))
    rolling(3)(Registry(store))
    assert [record.made_current for record in records(store)] == [1, 2, 3, 4, 5]
    assert_served(store, 3)


def test_publishing_after_a_rollback_goes_on(store: Clocked) -> None:
    rolling(1)(Registry(store))
    publish(store, 4)
    assert_served(store, 4)


@pytest.mark.parametrize(
    "selector",
    [
        chosen(1),
        chosen(publication=publication_id(1)),
        chosen(digest="prefix"),
    ],
)
def test_a_rollback_takes_every_way_to_select(store: Clocked, selector: Selector) -> None:
    if selector.digest:
        selector = chosen(digest=records(store)[0].digest[:12])
    assert roll_back(Registry(store), amendment(), selector, no_check).publication.id == publication_id(1)


def test_a_yank_of_the_current_one_gives_readers_the_one_before(store: Clocked) -> None:
    amended = yanking(3, reason="leaks")(Registry(store))
    newest = records(store)[-1]
    assert (newest.op, newest.publication, newest.yanked) == ("yank", publication_id(3), {publication_id(3): "leaks"})
    assert (amended.publication.id, amended.publication.n, newest.made_current) == (publication_id(2), 4, 4)
    assert_served(store, 2)


def test_a_yank_without_a_selection_means_what_is_current(store: Clocked) -> None:
    assert yanking(None)(Registry(store)).publication.id == publication_id(2)


def test_a_yank_of_an_earlier_one_leaves_readers_alone(store: Clocked) -> None:
    copy = store.content(LATEST)
    amended = yanking(2)(Registry(store))
    assert (amended.publication.id, amended.publication.n, amended.record.n) == (publication_id(3), 3, 4)
    assert store.content(LATEST) == copy
    assert_served(store, 3)


def test_a_yank_falls_back_past_what_was_yanked_before(store: Clocked) -> None:
    yanking(2)(Registry(store))
    yanking(3)(Registry(store))
    assert records(store)[-1].yanked.keys() == {publication_id(2), publication_id(3)}
    assert_served(store, 1)


def test_a_yank_after_a_rollback_falls_back_to_what_readers_had_before(store: Clocked) -> None:
    rolling(1)(Registry(store))
    yanking(1)(Registry(store))
    assert_served(store, 3)


def test_the_last_publication_that_readers_could_get_is_not_yanked(store: Clocked) -> None:
    for n in (1, 2):
        yanking(n)(Registry(store))
    before = store.snapshot()
    with pytest.raises(Refusal, match="has no other publication that readers could get") as caught:
        yanking(3)(Registry(store))
    assert "publish a mended build first" in caught.value.then
    assert store.snapshot() == before


def test_what_was_yanked_is_neither_rolled_back_to_nor_published_again(store: Clocked) -> None:
    yanking(2, reason="leaks")(Registry(store))
    before = store.snapshot()
    with pytest.raises(Refusal, match="dbt_up@prod#2 was yanked: leaks"):
        rolling(2)(Registry(store))
    with pytest.raises(Refusal, match=f"{publication_id(2)} was yanked: leaks"):
        publish(store, 2)
    assert store.snapshot() == before


def test_an_approval_stands_beside_what_readers_get(store: Clocked) -> None:
    amended = approving()(Registry(store))
    newest = records(store)[-1]
    assert (newest.op, newest.approvals, newest.made_current) == ("approve", (ALLOWED,), 3)
    assert (amended.publication.n, amended.record.n) == (3, 4)
    assert_served(store, 3)
    publish(store, 4)
    assert records(store)[-1].approvals == (ALLOWED,)


def test_a_later_approval_of_the_same_takes_its_place_and_others_stay(store: Clocked) -> None:
    other = Approval(rule="column-removed", object="dbt_up.orders.id", until="2026-02-01", reason="agreed")
    longer = Approval(rule=ALLOWED.rule, object=ALLOWED.object, until="2026-03-01", reason="still")
    for approval in (ALLOWED, other, longer):
        approving(approval)(Registry(store))
    assert records(store)[-1].approvals == (other, longer)


@pytest.mark.parametrize(("day", "stays"), [("2026-02-01", True), ("2026-02-02", False)])
def test_an_approval_holds_on_its_last_day_and_then_leaves_the_list(store: Clocked, *, day: str, stays: bool) -> None:
    other = Approval(rule="model-removed", object="dbt_up.orders", until="2026-12-31", reason="agreed")
    approving()(Registry(store))
    approving(other, time=f"{day}T23:59:59+00:00")(Registry(store))
    assert records(store)[-1].approvals == ((ALLOWED, other) if stays else (other,))


@pytest.mark.parametrize("amend", [rolling(1), yanking(1), approving()])
def test_before_the_first_publication_there_is_nothing_to_amend(amend: Amend) -> None:
    empty = Clocked()
    with pytest.raises(UsageError, match="the registry is empty"):
        amend(Registry(empty))
    assert empty.snapshot() == {}


@pytest.mark.parametrize("amend", [rolling(4), yanking(4), rolling(999_999_999_998)])
def test_what_was_never_published_is_not_amended(store: Clocked, amend: Amend) -> None:
    with pytest.raises(UsageError, match="was never published"):
        amend(Registry(store))


# -- what holds already ------------------------------------------------------------------------------------------------


def test_asking_for_what_holds_writes_nothing(store: Clocked, amend: Amend) -> None:
    first = amend(Registry(store))
    before = store.snapshot()
    again = amend(Registry(store))
    assert (again.is_new, again.publication, again.record) == (False, first.publication, first.record)
    assert store.snapshot() == before


def test_a_yank_is_not_given_another_reason(store: Clocked) -> None:
    yanking(2, reason="")(Registry(store))
    assert not yanking(2, reason="another")(Registry(store)).is_new
    assert records(store)[-1].yanked == {publication_id(2): ""}


def test_a_yank_without_a_reason_holds_as_well(store: Clocked) -> None:
    yanking(2, reason=None)(Registry(store))
    with pytest.raises(Refusal, match="was yanked"):
        rolling(2)(Registry(store))
    with pytest.raises(Refusal, match="was yanked"):
        publish(store, 2)


# -- declined ---------------------------------------------------------------------------------------------------------


def declining(_before: Record, _after: Record) -> None:
    raise Refusal("somebody reads it", then="leave it")


@pytest.mark.parametrize("act", [roll_back, yank])
def test_a_check_that_declines_writes_nothing(store: Clocked, act: Callable[..., Amended]) -> None:
    before = store.snapshot()
    with pytest.raises(Refusal, match="somebody reads it"):
        act(Registry(store), amendment(), chosen(1) if act is roll_back else chosen(3), declining)
    assert store.snapshot() == before


def test_a_yank_that_moves_nobody_is_not_judged(store: Clocked) -> None:
    assert yank(Registry(store), amendment(), chosen(1), declining).is_new


def test_the_check_gets_what_readers_have_and_what_they_would_have(store: Clocked) -> None:
    seen: list[tuple[str, str, int]] = []

    def check(before: Record, after: Record) -> None:
        seen.append((before.current, after.current, after.n))

    roll_back(Registry(store), amendment(), chosen(1), check)
    yank(Registry(store), amendment(), chosen(1), check)
    assert seen == [(publication_id(3), publication_id(1), 4), (publication_id(1), publication_id(3), 5)]


@pytest.mark.parametrize("key", [MANIFESTS[2], USAGES[2], STATES[2]])
@pytest.mark.parametrize("amend", [rolling(2), yanking(3)], ids=["rollback", "yank"])
@pytest.mark.parametrize("damage", ["gone", "altered"])
def test_nobody_is_led_to_files_that_only_a_cache_has(
    store: Clocked, tmp_path: Path, amend: Amend, key: str, damage: str
) -> None:
    registry = Registry(store, cache=Cache(tmp_path))
    record = registry.resolve(chosen(2)).record
    for file in record.files:
        registry.file(PROJECT, ENVIRONMENT, record, file)
    store.drop(key) if damage == "gone" else store.put(key, b"other bytes")
    before = store.snapshot()
    with pytest.raises(IntegrityError, match="mesh fsck --repair"):
        amend(registry)
    assert store.snapshot() == before


# -- answers that are lost, and others who are faster -----------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.LOST_ACK, Fault.DROPPED, Fault.LATE])
@pytest.mark.parametrize("part", ["/log/", "/latest/"])
@pytest.mark.parametrize("name", AMENDS)
def test_a_write_without_an_answer_changes_nothing(store: Clocked, name: str, part: str, fault: Fault) -> None:
    faulty = FaultyStore(store, at(part, fault))
    amended = AMENDS[name](Registry(faulty))
    faulty.land()
    assert amended.is_new
    assert len(records(store)) == 4
    assert amended.record == records(store)[-1]
    assert_served(store, CURRENT[name])


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("part", ["/log/", "/latest/"])
@pytest.mark.parametrize("name", ["rollback", "yank the current one"])
def test_a_crash_is_mended_by_running_again(store: Clocked, name: str, part: str, fault: Fault) -> None:
    with pytest.raises(Crash):
        AMENDS[name](Registry(FaultyStore(store, at(part, fault))))
    AMENDS[name](Registry(store))
    assert len(records(store)) == 4
    assert_served(store, CURRENT[name])


def test_a_registry_that_never_answers_is_said_and_running_again_finds_out(store: Clocked, amend: Amend) -> None:
    silent = FaultyStore(store, at("/log/", *[Fault.LATE] * 99))
    with pytest.raises(OutcomeUnknown, match="did not say whether it took record 4") as caught:
        amend(Registry(silent))
    assert "run the same again" in caught.value.then
    silent.land()
    assert not amend(Registry(store)).is_new
    assert len(records(store)) == 4


def meanwhile(store: Clocked, *acts: Callable[[], object]) -> Registry:
    """The registry in which these happen, one each time, just before a record is created."""
    waiting = list(acts)

    def before(_k: int, key: str) -> Fault:
        if "/log/" in key and waiting:
            waiting.pop(0)()
        return Fault.NONE

    return Registry(FaultyStore(store, before))


def test_whoever_comes_second_is_judged_upon_what_is_newest(store: Clocked) -> None:
    seen: list[str] = []
    busy = meanwhile(store, lambda: publish(store, 4), lambda: publish(store, 5))
    amended = roll_back(busy, amendment(), chosen(1), lambda before, _after: seen.append(before.current))
    assert seen == [publication_id(k) for k in (3, 4, 5)]
    assert (amended.record.n, amended.publication.id) == (6, publication_id(1))
    assert_served(store, 1)


def test_a_yank_overtaken_by_a_publication_leaves_that_one(store: Clocked) -> None:
    amended = yanking(3)(meanwhile(store, lambda: publish(store, 4)))
    assert amended.publication.id == publication_id(4)
    assert records(store)[-1].yanked.keys() == {publication_id(3)}
    assert_served(store, 4)


def test_two_that_do_the_same_write_one_record(store: Clocked, amend: Amend) -> None:
    told: list[bool] = []
    told.append(amend(meanwhile(store, lambda: told.append(amend(Registry(store)).is_new))).is_new)
    assert told == [True, False]
    assert len(records(store)) == 4


def test_a_rollback_to_what_is_yanked_at_that_moment_is_declined(store: Clocked) -> None:
    with pytest.raises(Refusal, match="was yanked"):
        rolling(2)(meanwhile(store, lambda: yanking(2)(Registry(store))))
    assert_served(store, 3)


def test_a_yank_of_what_is_rolled_back_to_at_that_moment_falls_back_once_more(store: Clocked) -> None:
    yanking(1)(meanwhile(store, lambda: rolling(1)(Registry(store))))
    assert_served(store, 3)


def test_a_publisher_whose_publication_is_yanked_meanwhile_is_told(store: Clocked) -> None:
    """It committed without an answer; the yank came before it looked."""
    publish(store, 4)
    yanking(4)(Registry(store))
    with pytest.raises(Refusal, match="was yanked"):
        publish(store, 4)
    assert_served(store, 3)


def test_approvals_of_two_at_once_both_stand(store: Clocked) -> None:
    other = Approval(rule="model-removed", object="dbt_up.orders", until="2026-12-31", reason="agreed")
    approving()(meanwhile(store, lambda: approving(other)(Registry(store))))
    assert records(store)[-1].approvals == (other, ALLOWED)


def test_a_record_that_would_be_too_large_is_declined_before_it_is_written(store: Clocked) -> None:
    before = store.snapshot()
    with pytest.raises(UsageError, match="a registry takes 65,536") as caught:
        approving(Approval(rule="r", object="o", until="2026-12-31", reason="x" * 70_000))(Registry(store))
    assert "shorten the reason" in caught.value.then
    assert store.snapshot() == before


@pytest.mark.parametrize("n", [1, 2])
def test_a_log_that_does_not_hold_is_not_amended(store: Clocked, n: int) -> None:
    store.drop(log_key(n))
    before = store.snapshot()
    with pytest.raises(IntegrityError, match="is gone"):
        rolling(1)(Registry(store))
    assert store.snapshot() == before
