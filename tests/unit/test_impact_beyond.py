"""What a change does beyond those who read it: through what consumers build of it and publish themselves."""

from typing import Any

import pytest

from registry_tools.checks.readership import Consumption
from registry_tools.mesh.impact import Impact
from registry_tools.mesh.usage import Passed
from tests.builders import interface
from tests.unit.test_impact import ORDERS, UNREAD, V1, V2, columns, consumer, drop, found, latest, other, reading, short


def passed(column: str, into: str, here: str = "", **changes: Any) -> Passed:
    fields: dict[str, Any] = {"upstream": "dbt_up", "model": "orders", "version": ""} | changes
    return Passed(column=column, into=into, column_here=here or column, **fields)


def chain(told: dict[str, tuple[Impact, ...]], key: str = "column-removed orders.amount") -> list[tuple[str, ...]]:
    return [
        (impact.consumer, r.effect, r.rule, f"{r.model}.{r.column}", *r.through)
        for impact in told.get(key, ())
        for r in impact.reasons
    ]


def third(*names: str, model: str = "shop", **changes: Any) -> Consumption:
    return consumer(reading(*names, model=model, upstream="dbt_down", **changes), name="dbt_third")


def test_a_column_that_is_passed_on_untouched_goes_for_everybody() -> None:
    down = consumer(reading(whole=("output",)), passes=(passed("amount", "shop", whole=True),))
    told = found(ORDERS, drop("amount"), down, third("amount"))
    assert chain(told) == [
        ("dbt_third", "BROKEN", "reads-column", "shop.amount", "dbt_down.shop.amount"),
        ("dbt_down", "AFFECTED", "whole-row", "orders.amount"),
    ]


def test_what_is_made_of_a_column_stays_and_is_another_thing() -> None:
    down = consumer(reading("amount"), passes=(passed("amount", "shop", "total"), passed("id", "shop")))
    told = found(
        ORDERS,
        drop("amount"),
        down,
        third("total"),
        consumer(reading("id", model="shop", upstream="dbt_down"), name="d4"),
    )
    assert chain(told) == [
        ("dbt_down", "BROKEN", "reads-column", "orders.amount"),
        ("dbt_third", "AFFECTED", "through", "shop.total", "dbt_down.shop.total"),
    ]


def test_a_chain_is_followed_to_its_end_and_a_circle_ends() -> None:
    down = consumer(
        passes=(passed("amount", "shop", whole=True), passed("t", "shop", "t", upstream="dbt_third", model="mart"))
    )
    reads = (
        reading("amount", model="shop", upstream="dbt_down"),
        reading("t", model="shop", upstream="dbt_down", node="model.dbt_third.circle"),
    )
    middle = consumer(
        *reads,
        name="dbt_third",
        passes=(
            passed("amount", "mart", "t", upstream="dbt_down", model="shop"),
            passed("t", "mart", "t", upstream="dbt_down", model="shop"),
        ),
    )
    last = consumer(reading("t", model="mart", upstream="dbt_third"), name="dbt_last")
    told = found(ORDERS, drop("amount"), down, middle, last)
    assert chain(told) == [
        ("dbt_third", "BROKEN", "reads-column", "shop.amount", "dbt_down.shop.amount"),
        ("dbt_third", "AFFECTED", "through", "shop.t", "dbt_down.shop.t", "dbt_third.mart.t", "dbt_down.shop.amount"),
        ("dbt_last", "AFFECTED", "through", "mart.t", "dbt_third.mart.t", "dbt_down.shop.amount"),
    ]


def test_a_new_column_goes_on_with_a_star_alone() -> None:
    new = other(ORDERS, columns=ORDERS.columns | columns(new="number"))
    passes = (passed("amount", "shop", whole=True), passed("id", "mart"))
    readers = [
        consumer(reading(taken=("NEW",), model=m, upstream="dbt_down"), name=n)
        for m, n in (("shop", "a"), ("mart", "b"))
    ]
    told = found(ORDERS, new, consumer(passes=passes), *readers)
    assert chain(told, "column-added orders.new") == [("a", "BROKEN", "takes-name", "shop.new", "dbt_down.shop.new")]


def test_another_order_goes_on_with_a_star_to_who_counts() -> None:
    new = other(ORDERS, columns=dict(reversed(ORDERS.columns.items())))
    down = consumer(passes=(passed("amount", "shop", whole=True),))
    by_name = consumer(reading("amount", whole=("contract",), model="shop", upstream="dbt_down"), name="dbt_by_name")
    told = found(ORDERS, new, down, third(whole=("position",)), by_name)
    assert chain(told, "columns-reordered orders") == [
        ("dbt_third", "BROKEN", "by-position", "shop.None", "dbt_down.shop")
    ]


def test_a_wider_type_goes_on_into_contracts_and_into_nothing_that_is_computed() -> None:
    wider = other(ORDERS, columns=columns(id="number", amount="number(38,2)"))
    old = other(ORDERS, columns=columns(id="number", amount="number(12,2)"))
    for whole, expected in ((True, ["AFFECTED own-contract 3"]), (False, [])):
        down = consumer(passes=(passed("amount", "shop", whole=whole),))
        told = short(found(old, wider, down, third(whole=("contract",))))
        assert told.get("column-type-changed orders.amount", []) == expected


def test_of_what_is_made_of_a_model_that_is_gone_everything_is_stale() -> None:
    down = consumer(reading("id"), passes=(passed("amount", "shop", "total"), passed("id", "shop", whole=True)))
    told = found(interface(ORDERS), interface(), down, third("total", "id"), third("id", model="elsewhere"))
    assert chain(told, "model-removed orders") == [
        ("dbt_down", "BROKEN", "reads-model", "orders.None"),
        ("dbt_third", "AFFECTED", "through", "shop.id", "dbt_down.shop.id"),
        ("dbt_third", "AFFECTED", "through", "shop.total", "dbt_down.shop.total"),
    ]


def test_what_could_not_be_read_may_pass_on_anything() -> None:
    down = consumer(reading(**UNREAD), passes=(passed("*", "shop"),))
    read = reading("x", model="shop", upstream="dbt_down")
    middle = consumer(read, name="dbt_third", passes=(passed("x", "mart", upstream="dbt_down", model="shop"),))
    last = consumer(reading("x", model="mart", upstream="dbt_third"), name="dbt_last")
    assert chain(found(ORDERS, drop("amount"), down, middle, last)) == [
        ("dbt_down", "UNKNOWN", "unread", "orders.amount"),
        ("dbt_last", "UNKNOWN", "through", "mart.None", "dbt_third.mart", "dbt_down.shop"),
        ("dbt_third", "UNKNOWN", "through", "shop.None", "dbt_down.shop"),
    ]


def test_what_is_made_of_a_version_that_was_named_is_not_made_of_another_latest_one() -> None:
    for version, expected in (("", ["AFFECTED"]), ("1", [])):
        down = consumer(passes=(passed("amount", "shop", "total", version=version),))
        told = found(interface(V1, V2), interface(latest(V1, 2), latest(V2, 2)), down, third("total"))
        assert [i.effect for i in told.get("latest-version-moved orders", ())] == expected


def test_what_is_built_upon_another_environment_of_a_consumer_is_not_reached() -> None:
    down = consumer(passes=(passed("amount", "shop", whole=True),))
    mart = (passed("amount", "mart", upstream="dbt_down", model="shop", whole=True),)
    last = consumer(reading("amount", model="mart", upstream="dbt_third"), name="dbt_last")
    for environment, reached in (("prod", True), ("dev", False)):
        middle = consumer(name="dbt_third", passes=mart, environments={"dbt_down": environment})
        assert bool(found(ORDERS, drop("amount"), down, middle, last)) is reached


def test_of_two_ways_of_one_length_the_first_by_name_is_told() -> None:
    down = consumer(passes=(passed("amount", "b", "x"), passed("amount", "a", "x")))
    middle = consumer(
        name="dbt_third",
        passes=tuple(passed("x", "mart", "t", upstream="dbt_down", model=model) for model in ("b", "a")),
    )
    last = consumer(reading("t", model="mart", upstream="dbt_third"), name="dbt_last")
    assert chain(found(ORDERS, drop("amount"), down, middle, last)) == [
        ("dbt_last", "AFFECTED", "through", "mart.t", "dbt_third.mart.t", "dbt_down.a.x")
    ]


@pytest.mark.parametrize(("there", "reached"), [({"dbt_down": "prod"}, True), ({"dbt_down": "dev"}, False), ({}, True)])
def test_who_reads_another_environment_of_the_consumer_is_not_reached(there: dict[str, str], *, reached: bool) -> None:
    down = consumer(passes=(passed("amount", "shop", whole=True),))
    read = reading("amount", model="shop", upstream="dbt_down")
    told = found(ORDERS, drop("amount"), down, consumer(read, name="dbt_third", environments=there))
    assert bool(chain(told)) is reached


@pytest.mark.parametrize(("version", "reached"), [("", True), ("1", True), ("2", False)])
def test_of_the_versions_of_a_consumer_the_latest_may_be_any(version: str, *, reached: bool) -> None:
    down = consumer(passes=(passed("amount", "shop.v1", whole=True),))
    assert bool(chain(found(ORDERS, drop("amount"), down, third("amount", version=version)))) is reached


def test_what_is_unread_behind_another_is_unknown() -> None:
    down = consumer(passes=(passed("amount", "shop", "total"),))
    assert chain(found(ORDERS, drop("amount"), down, third(**UNREAD))) == [
        ("dbt_third", "UNKNOWN", "unread", "shop.total", "dbt_down.shop.total")
    ]
