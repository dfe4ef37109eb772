"""What became of a model that is not public any more: the log knows, however it left and whatever came after."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import IntegrityError, RegistryError
from registry_tools.mesh.departure import Departure, Wanted
from registry_tools.mesh.publication import Actor, Approval, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry import departures
from registry_tools.registry.amendments import Amendment, approve, roll_back, yank
from registry_tools.registry.cache import Cache
from registry_tools.registry.departures import find_departures
from registry_tools.registry.log import Entry
from registry_tools.registry.publications import Registry
from tests.builders import interface, public_model
from tests.registry import ENVIRONMENT, PROJECT
from tests.registry.corruptions import log_key
from tests.registry.publishing import moment, publication_id, publish
from tests.registry.test_reader_cache import Counted

ORDERS = Wanted(way="ref", model="orders")
CI = Actor(system="github", repository="acme/up", ref="main", commit="1a2b3c4d5e6f" + "0" * 28)


class Told:
    """A registry whose log is written step by step, and what is found in it."""

    def __init__(self) -> None:
        self.store = Counted()
        self.registry = Registry(self.store)
        self.steps = 0

    def publish(self, *names: str, **changes: Any) -> None:
        """A publication with these models; `orders=2` is a version."""
        self.steps += 1
        models = [public_model(name) for name in names]
        models += [public_model(n, version=v, latest_version=v) for n, v in changes.pop("versions", ())]
        models += changes.pop("models", [])
        publish(self.store, self.steps, interface=interface(*models), actor=CI, **changes)

    def amendment(self) -> Amendment:
        self.steps += 1
        return Amendment(project=PROJECT, environment=ENVIRONMENT, actor=CI, time=moment(self.steps), reason="because")

    def selected(self, n: int) -> Selector:
        return Selector(project=PROJECT, environment=ENVIRONMENT, n=n)

    def roll_back(self, n: int) -> None:
        roll_back(self.registry, self.amendment(), self.selected(n), lambda _was, _now: None)

    def yank(self, n: int) -> None:
        yank(self.registry, self.amendment(), self.selected(n), lambda _was, _now: None)

    def approve(self) -> None:
        allowed = Approval(rule="model-removed", object="dbt_up.orders", until="2026-12-01", reason="agreed")
        approve(self.registry, self.amendment(), allowed)

    def give_up(self, *steps: int) -> None:
        """As mesh gc records it."""
        log = self.registry.log(PROJECT, ENVIRONMENT)
        names = tuple(publication_id(k) for k in steps)
        made = self.amendment()

        def given_up(newest: Entry | None) -> Record | None:
            return newest.followed_by("expire", names[0], CI, made.time, expired=names) if newest else None

        log.append(log.newest(), given_up)

    def find(self, *wanted: Wanted, registry: Registry | None = None) -> dict[Wanted, Departure]:
        return find_departures(registry or self.registry, PROJECT, ENVIRONMENT, wanted or (ORDERS,))

    def line(self, wanted: Wanted = ORDERS) -> str:
        return str(self.find(wanted)[wanted])


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_model_left_with_the_record_after_the_last_that_has_it(told: Told) -> None:
    for models in (["orders", "a"], ["orders", "b"], ["c"], ["d"], ["d"]):
        told.publish(*models)
    departure = told.find()[ORDERS]
    assert (departure.record, departure.time, departure.op, departure.actor) == (3, moment(3), "publish", CI)
    assert departure.model is not None
    assert departure.model.label == "orders"
    assert str(departure) == "left on 2026-01-23 with dbt_up@prod#3 (acme/up main 1a2b3c4d5e6f)"


def test_a_project_that_published_nothing_since_is_answered_too(told: Told) -> None:
    told.publish("orders")
    told.publish("a")
    assert told.find()[ORDERS].record == 2


def test_what_is_public_and_what_never_was_is_not_among_them(told: Told) -> None:
    assert told.find() == {}
    told.publish("orders", "a")
    told.publish("orders")
    assert told.find() == {}
    assert told.find(Wanted(way="ref", model="odrers")) == {}
    assert find_departures(told.registry, PROJECT, ENVIRONMENT, ()) == {}


def test_what_came_back_and_left_again_left_the_second_time(told: Told) -> None:
    told.publish("orders")
    told.publish("a")
    told.roll_back(1)
    told.approve()
    told.roll_back(2)
    departure = told.find()[ORDERS]
    assert (departure.record, departure.op) == (5, "rollback")
    assert "with the rollback dbt_up@prod#5" in str(departure)


def test_what_a_yank_took_back_may_have_been_there(told: Told) -> None:
    told.publish("a")
    told.publish("a", "orders")
    told.yank(2)
    assert told.line() == "is not public; if it ever was, it left before 2026-01-23"


def test_an_interface_that_was_withdrawn_is_not_read_again(told: Told) -> None:
    told.publish("orders")
    told.publish("b")
    told.roll_back(1)
    told.yank(1)
    assert (told.find()[ORDERS].model, told.find()[ORDERS].time) == (None, moment(4))


def test_what_was_given_up_is_passed_over(told: Told) -> None:
    told.publish("orders")
    told.publish("orders", "b")
    told.publish("c")
    told.publish("d")
    told.give_up(2, 3)
    departure = told.find()[ORDERS]
    assert (departure.record, departure.time) == (None, moment(4))
    assert departure.model is not None
    assert str(departure) == "left before 2026-01-23"
    told.give_up(1)
    assert told.find()[ORDERS].model is None


def test_an_interface_that_cannot_be_read_is_passed_over(told: Told) -> None:
    told.publish("orders")
    told.publish("b")
    for key in [key for key in told.store.keys("") if "history" in key and publication_id(1) in key]:
        told.store._objects.pop(key)  # as a hand that deletes
    assert told.find()[ORDERS].model is None


def test_the_same_interface_is_found_where_another_publication_still_has_it(told: Told) -> None:
    told.publish("orders")
    told.publish("orders")
    told.publish("b")
    told.give_up(1)
    assert told.find()[ORDERS].record == 3


@pytest.mark.parametrize(
    ("wanted", "record"),
    [
        (Wanted(way="ref", model="orders", version="1"), 2),
        (Wanted(way="source", model="orders_v1"), 2),
        (Wanted(way="ref", model="orders", version="2"), 3),
        (Wanted(way="ref", model="orders"), None),
        (Wanted(way="source", model="orders"), None),
        (Wanted(way="source", model="orders_v3"), None),
        (Wanted(way="ref", model="orders_v1"), None),
    ],
)
def test_versions_leave_one_by_one_and_are_renamed(told: Told, wanted: Wanted, record: int | None) -> None:
    told.publish(versions=[("orders", 1)])
    told.publish(versions=[("orders", 2)])
    told.publish(versions=[("orders", "2026")])
    found = told.find(wanted).get(wanted)
    assert (found and found.record) == record
    assert (found and found.instead) == (None if record is None else "orders.v2026")


@pytest.mark.parametrize(
    ("named", "instead"),
    [("orders_2", "orders_2"), ("orders_3", None), (None, None), ("dbt_other.orders", "dbt_other.orders")],
)
def test_the_last_interface_that_had_it_names_what_replaces_it(
    told: Told, named: str | None, instead: str | None
) -> None:
    told.publish(models=[public_model("orders", meta={"mesh": {"replaced_by": named}} if named else {})])
    told.publish("orders_2")
    told.publish("orders_2", "c")
    assert told.find()[ORDERS].instead == instead


# -- what it costs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def cached(told: Told, tmp_path: Path) -> Callable[..., Registry]:
    return lambda **more: Registry(told.store, cache=Cache(tmp_path / "cache"), **more)


def test_interfaces_are_read_once_each_and_then_from_the_cache(told: Told, cached: Callable[..., Registry]) -> None:
    told.publish("orders")
    for _ in range(40):
        told.publish("b")
    told.store.told()
    assert told.find(registry=cached())[ORDERS].record == 2
    calls = told.store.told()
    assert sum("/history/" in call for call in calls) == 2
    assert len(calls) <= 41 + 2 + 1 + 8
    assert told.find(registry=cached())[ORDERS].record == 2
    assert len(told.store.told()) == 1


def test_offline_the_cache_alone_is_asked(told: Told, cached: Callable[..., Registry]) -> None:
    told.publish("orders")
    told.publish("b")
    cached().current(PROJECT, ENVIRONMENT)
    cached().interface(PROJECT, ENVIRONMENT, cached().require(PROJECT, ENVIRONMENT))
    assert told.find(registry=cached(offline=True))[ORDERS].model is None
    told.find(registry=cached())
    told.store.told()
    assert told.find(registry=cached(offline=True))[ORDERS].record == 2
    assert told.store.told() == []


def test_a_log_without_end_is_walked_a_way(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departures, "_FARTHEST", 4)
    told.publish("orders")
    for name in "abcde":
        told.publish(name)
    assert told.line() == "is not public; if it ever was, it left before 2026-01-23"


def test_a_chain_that_does_not_hold_is_said(told: Told, cached: Callable[..., Registry]) -> None:
    told.publish("orders")
    told.publish("b")
    told.publish("c")
    other = Told()
    other.publish("x")
    told.store._objects[log_key(1)] = other.store._objects[log_key(1)]  # as a hand that forges
    with pytest.raises(IntegrityError, match="is not the one that is named by its hash"):
        told.find(registry=cached())


def test_nothing_is_told_where_not_even_the_current_interface_can_be_read(told: Told) -> None:
    told.publish("b")
    told.give_up(1)
    assert told.find() == {}


def test_a_registry_that_cannot_be_reached_is_no_answer(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.publish("orders")
    told.publish("b")
    stored = told.store.get

    def get(key: str) -> object:
        if publication_id(1) in key:
            raise RegistryError("no route to host", then="try again")
        return stored(key)

    monkeypatch.setattr(told.store, "get", get)
    with pytest.raises(RegistryError, match="no route"):
        told.find()


def test_offline_what_this_machine_never_read_is_passed_over(told: Told, cached: Callable[..., Registry]) -> None:
    told.publish("orders")
    told.publish("b")
    online = cached()
    newest = online.newest(PROJECT, ENVIRONMENT)
    assert newest is not None
    online.interface(PROJECT, ENVIRONMENT, newest.record)
    online.before(PROJECT, ENVIRONMENT, newest)
    assert told.find(registry=cached(offline=True))[ORDERS].model is None
