"""What else can be done: text that can be pasted as it is, or none at all."""

import shlex
from datetime import date
from typing import Any

import pytest
import yaml

from registry_tools.checks.advice import Situation, advise
from registry_tools.mesh.change import Change
from registry_tools.mesh.impact import Effect, Impact
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.verdict import Advice, Classified
from tests.builders import public_model

TODAY = date(2026, 11, 21)


def columns(**types: str | None) -> dict[str, Column]:
    return {name: Column(name=name, data_type=of) for name, of in types.items()}


ORDERS = public_model("orders", columns=columns(id="number", amount="number(12,2)"))
WITHOUT = public_model("orders", columns=columns(id="number"))


def ways(
    rule: str = "column-removed",
    *impacts: Impact,
    old: PublicModel | None = ORDERS,
    new: PublicModel | None = WITHOUT,
    **asked: Any,
) -> dict[str, Advice]:
    place = {"model": "orders", "column": "amount"} | asked.pop("place", {})
    siblings = asked.pop("siblings", tuple(each for each in (old, new) if each))
    situation = Situation(
        classified=Classified(change=Change(rule=rule, project="dbt_up", **place), kind="BREAKING", code="", says="so"),
        impacts=impacts,
        old=old,
        new=new,
        siblings=siblings,
        environment=asked.pop("environment", "prod"),
        today=TODAY,
    )
    return {each.way: each for each in advise(situation)}


def impact(effect: Effect = "BROKEN", consumer: str = "dbt_down", **owner: str) -> Impact:
    return Impact(consumer=consumer, environment="prod", effect=effect, owner=owner)


def test_the_cheapest_way_comes_first() -> None:
    now = public_model("orders", columns=columns(id="number", amount_usd="number(12,2)"))
    assert list(ways("column-removed", impact(), new=now)) == ["alias", "deprecate", "add-version", "talk", "approve"]
    assert list(ways("column-removed")) == ["deprecate", "add-version", "approve"]
    assert list(ways("model-removed", new=None, place={"column": None})) == ["deprecate", "approve"]
    assert list(ways("project-renamed", old=None, new=None, place={"model": None, "column": None})) == ["approve"]


# -- another name -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "paste"),
    [
        (columns(id="number", amount_usd="number(12,2)"), "amount_usd as amount"),
        ({"amount usd": Column(name="amount usd", data_type="number(12,2)")}, ""),
        (columns(id="number", amount_usd="number(10,2)"), None),
        (columns(id="number", a="number(12,2)", b="number(12,2)"), None),
        (columns(id="number"), None),
    ],
)
def test_a_column_of_the_same_type_may_be_the_same_one(now: dict[str, Column], paste: str | None) -> None:
    found = ways(new=public_model("orders", columns=now)).get("alias")
    assert (found and found.paste) == paste


def test_a_column_without_a_type_is_like_no_other() -> None:
    old, new = (public_model("orders", columns=columns(**{name: None})) for name in ("amount", "total"))
    assert "alias" not in ways(old=old, new=new)
    assert "alias" not in ways(old=public_model("orders"), new=new)


def test_a_model_of_another_name_can_be_read_under_the_old_one() -> None:
    place = {"column": None, "before": "orders", "after": "sales"}
    found = ways("model-renamed", new=None, place=place)
    assert found["alias"].paste == "select * from {{ ref('sales') }}"
    assert found["alias"].says == "keep orders as a view of sales until nobody reads it"
    assert ways("model-renamed", new=None, place=place | {"after": "sales') }}"})["alias"].paste == ""


# -- a day to leave on ------------------------------------------------------------------------------------------------


def test_a_column_gets_a_day_to_leave_on() -> None:
    found = ways()["deprecate"]
    assert found.says == "keep amount for now, and say until when: after 2027-02-19 it may go once nobody reads it"
    assert yaml.safe_load(found.paste) == {
        "models": [
            {
                "name": "orders",
                "columns": [{"name": "amount", "config": {"meta": {"deprecation_date": "2027-02-19"}}}],
            }
        ]
    }


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, {"deprecation_date": "2027-02-19"}),
        ({"deprecation_date": "2026-12-24T00:00:00+00:00"}, {"deprecation_date": "2026-12-24"}),
        ({"deprecation_date": "2026-11-20T00:00:00+00:00"}, {"deprecation_date": "2027-02-19"}),
        ({"version": 2}, {"versions": [{"v": 2, "deprecation_date": "2027-02-19"}]}),
        ({"version": "2"}, {"versions": [{"v": 2, "deprecation_date": "2027-02-19"}]}),
        ({"version": 1.5}, {"versions": [{"v": 1.5, "deprecation_date": "2027-02-19"}]}),
        ({"version": "beta"}, {"versions": [{"v": "beta", "deprecation_date": "2027-02-19"}]}),
        ({"version": "no"}, {"versions": [{"v": "no", "deprecation_date": "2027-02-19"}]}),
    ],
)
def test_a_model_gets_a_day_to_leave_on(changes: dict[str, Any], where: dict[str, Any]) -> None:
    found = ways("model-removed", old=public_model("orders", **changes), new=None, place={"column": None})
    assert yaml.safe_load(found["deprecate"].paste) == {"models": [{"name": "orders", **where}]}


# -- a version of its own ---------------------------------------------------------------------------------------------


def test_what_is_new_becomes_the_second_version() -> None:
    new = public_model(
        "orders",
        columns=columns(id="varchar(10)", total="number(12, 2)", loose=None)
        | {"on": Column(name="on", data_type="timestamp_ntz(9)", quote=True)},
    )
    found = ways(new=new)["add-version"]
    assert found.says == (
        "leave orders as it was, and give what is new a version of its own: its SQL goes into orders_v2.sql"
    )
    assert yaml.safe_load(found.paste) == {
        "models": [
            {
                "name": "orders",
                "latest_version": 1,
                "versions": [
                    {"v": 1, "defined_in": "orders", "config": {"alias": "ORDERS"}},
                    {
                        "v": 2,
                        "defined_in": "orders_v2",
                        "columns": [
                            {"include": "all", "exclude": ["id", "amount"]},
                            {"name": "id", "data_type": "varchar(10)"},
                            {"name": "total", "data_type": "number(12, 2)"},
                            {"name": "loose"},
                            {"name": "on", "data_type": "timestamp_ntz(9)", "quote": True},
                        ],
                    },
                ],
            }
        ]
    }


def test_the_next_version_stands_beside_those_that_are_there() -> None:
    v2 = public_model("orders", version=2, latest_version=2, columns=ORDERS.columns)
    v9 = public_model("orders", version="9", latest_version=2)
    now = public_model("orders", version=2, latest_version=2, columns=ORDERS.columns | columns(more="date"))
    found = ways("column-added", old=v2, new=now, siblings=(v2, v9, now))["add-version"]
    (model,) = yaml.safe_load(found.paste)["models"]
    assert (model["latest_version"], [each["v"] for each in model["versions"]]) == (2, [10])
    assert model["versions"][0]["columns"] == [{"include": "all"}, {"name": "more", "data_type": "date"}]


def test_versions_that_are_no_numbers_are_left_to_people() -> None:
    old = public_model("orders", version="beta", latest_version="beta", columns=ORDERS.columns)
    assert ways(old=old)["add-version"].paste == ""


ODD = ["a b", "a: b", "{{ x }}", "a\n- name: b", 'a"', "ä", "1a", "", "a#b", "${X}"]


@pytest.mark.parametrize("odd", ODD)
def test_a_name_that_could_be_read_as_more_is_not_pasted(odd: str) -> None:
    column = {odd: Column(name=odd, data_type="date")}
    place = {"column": odd}
    assert ways(old=public_model("orders", columns=column), place=place)["deprecate"].paste == ""
    assert ways(old=public_model(odd))["add-version"].paste == ""
    assert ways(new=public_model("orders", columns=column))["add-version"].paste == ""
    assert ways(old=public_model("orders", columns=column))["add-version"].paste == ""
    assert ways(old=public_model("orders", alias=odd))["add-version"].paste == ""
    assert ways("model-removed", old=public_model(odd), place={"column": None})["deprecate"].paste == ""


@pytest.mark.parametrize("odd", ['number"', "{{ x }}", "number\n", "a: b", "{a: b}", "struct<a int>"])
def test_a_type_that_could_be_read_as_more_is_not_pasted(odd: str) -> None:
    assert ways(new=public_model("orders", columns=columns(x=odd)))["add-version"].paste == ""


# -- people -----------------------------------------------------------------------------------------------------------


def test_whom_to_talk_to_is_who_is_hit_the_hardest() -> None:
    down, crm = impact(team="Orders", contact="#orders"), impact(consumer="crm")
    unknown, affected = impact("UNKNOWN", "dwh", contact="#dwh"), impact("AFFECTED", "ml\n", team="M\x1bL")
    assert ways("column-removed", down, crm, unknown, affected)["talk"].says == (
        "talk to those who read it: crm, dbt_down (Orders, #orders)"
    )
    assert ways("column-removed", unknown, affected)["talk"].says == "talk to those who read it: dwh (#dwh)"
    assert ways("column-removed", affected)["talk"].says == "talk to those who read it: ml\\n (M\\x1bL)"
    many = [impact(consumer=f"c{number}") for number in range(7)]
    assert ways("column-removed", *many)["talk"].says == "talk to those who read it: c0, c1, c2, c3, c4, 2 more"


# -- an exception -----------------------------------------------------------------------------------------------------


def test_an_exception_is_one_command() -> None:
    paste = ways(environment="staging")["approve"].paste
    assert paste == ('mesh approve column-removed dbt_up.orders.amount --env staging --reason "..." --until 2026-12-05')


def test_the_command_is_one_for_any_name() -> None:
    paste = ways(place={"model": "my $orders", "column": None})["approve"].paste
    assert shlex.split(paste)[3] == "dbt_up.my $orders"


@pytest.mark.parametrize("odd", ["a;b", "a`b`", "a\nb", "a'b", "group:core"])
def test_what_cannot_be_approved_by_a_command_is_not_pasted(odd: str) -> None:
    assert ways(place={"column": odd})["approve"].paste == ""
