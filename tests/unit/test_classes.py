"""Classes that no manifest of dbt leads to, and what the golden cases of tests/cases/changes leave open."""

from typing import Any

import pytest

from registry_tools.checks.class_table import RULINGS
from registry_tools.checks.classes import between, classified, classify
from registry_tools.checks.comparison import compare, compare_models
from registry_tools.mesh.change import RULES
from registry_tools.mesh.public_model import Column, Config, Constraint, Contract, PublicModel
from registry_tools.mesh.verdict import Classified
from tests.builders import interface, public_model


def told(old: PublicModel, new: PublicModel, adapter: str = "snowflake") -> dict[str, Classified]:
    sides = interface(old, adapter=adapter), interface(new, adapter=adapter)
    return {one.change.rule: one for one in classified(compare(*sides), *sides)}


def columns(**quoted: bool | None) -> dict[str, Column]:
    return {name: Column(name=name, data_type="int", quote=quote) for name, quote in quoted.items()}


def test_every_rule_has_a_class_and_every_line_of_the_table_a_rule() -> None:
    assert RULINGS.keys() == RULES.keys()
    for rule, rulings in RULINGS.items():
        codes = {ruling.code for ruling in rulings.values()} - {""}
        # why a model is gone is not seen from here
        assert codes == set(RULES[rule].codes) - ({"M02", "M07"} if rule == "model-removed" else set())
        assert all(ruling.when for ruling in rulings.values()) == (len(rulings) > 1)
        assert all(ruling.kind == "SAFE" for ruling in rulings.values() if not ruling.code)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("public", "protected", "BREAKING"),
        ("protected", "private", "BREAKING"),
        ("private", "public", "SAFE"),
        ("public", None, "BREAKING"),
        (None, "public", "SAFE"),
    ],
)
def test_access_is_narrowed_or_widened(before: str | None, after: str | None, kind: str) -> None:
    old, new = (public_model(access=access, config=Config(access=access)) for access in (before, after))
    assert told(old, new)["access-changed"].kind == kind


def test_access_that_is_written_in_one_place_only_is_the_same() -> None:
    assert told(public_model(), public_model(access=None))["access-changed"].kind == "SAFE"


def test_an_ephemeral_model_has_no_table() -> None:
    (found,) = told(public_model(), public_model(config=Config(materialized="ephemeral", access="public"))).values()
    assert (found.kind, found.code) == ("BREAKING", "M07")


@pytest.mark.parametrize(
    ("constraints", "contract", "kind", "expected"),
    [
        (("unique",), True, "view", "BREAKING"),
        (("unique",), True, "dynamic_table", "BREAKING"),
        (("unique",), False, "view", "DANGEROUS"),
        ((), True, "view", "DANGEROUS"),
        (("unique",), True, "incremental", "SAFE"),
    ],
)
def test_a_view_enforces_nothing(constraints: tuple[str, ...], contract: bool, kind: str, expected: str) -> None:  # noqa: FBT001  # drawn
    facts: dict[str, Any] = {"contract": Contract(enforced=contract)}
    facts["constraints"] = tuple(Constraint(type=name, columns=("id",)) for name in constraints)
    old, new = (public_model(config=Config(materialized=to, access="public"), **facts) for to in ("table", kind))
    assert told(old, new)["materialization-changed"].kind == expected


@pytest.mark.parametrize(
    ("adapter", "constraint", "code"),
    [
        ("snowflake", "not_null", "C05"),
        ("snowflake", "primary_key", "M13"),
        ("postgres", "foreign_key", "M12"),
        ("databricks", "check", "M12"),
        ("databricks", "unique", "M13"),
        ("spark", "check", "M13"),
    ],
)
def test_what_an_adapter_does_not_enforce_is_only_promised(adapter: str, constraint: str, code: str) -> None:
    guarded = public_model(contract=Contract(enforced=True), constraints=(Constraint(type=constraint),))
    bare = public_model(contract=Contract(enforced=True))
    assert told(guarded, bare, adapter)["constraint-removed"].code == code


@pytest.mark.parametrize(
    ("adapter", "old", "new", "kind"),
    [
        ("snowflake", columns(day=None), columns(DAY=None), "SAFE"),
        ("snowflake", columns(day=True), columns(DAY=True), "BREAKING"),
        ("snowflake", columns(day=None), columns(DAY=True), "SAFE"),
        ("postgres", columns(day=True), columns(DAY=None), "SAFE"),
        ("bigquery", columns(day=True), columns(DAY=True), "SAFE"),
        ("duckdb", columns(day=True), columns(DAY=None), "SAFE"),
        ("clickhouse", columns(day=None), columns(DAY=None), "BREAKING"),
    ],
)
def test_cases_count_where_the_warehouse_counts_them(
    adapter: str, old: dict[str, Column], new: dict[str, Column], kind: str
) -> None:
    found = told(public_model(columns=old), public_model(columns=new), adapter)
    assert {one.kind for one in found.values()} == {kind}


def test_a_type_and_a_case_that_change_at_once() -> None:
    old = public_model(columns={"day": Column(name="day", data_type="varchar(5)")})
    new = public_model(columns={"x": Column(name="x"), "DAY": Column(name="DAY", data_type="varchar(9)")})
    assert told(old, new)["column-type-changed"].kind == "SAFE"


@pytest.mark.parametrize(
    ("names", "more"),
    [(("id", "total"), "; total, of the same type"), (("id",), "gone."), (("id", "id2", "x"), "; id2")],
)
def test_what_stands_in_a_removed_columns_place_is_named(names: tuple[str, ...], more: str) -> None:
    old = public_model(columns=columns(id=None, amount=None))
    assert more in told(old, public_model(columns=columns(**dict.fromkeys(names))))["column-removed"].says


def test_another_type_in_a_removed_columns_place_is_another_column() -> None:
    old, new = columns(id=None, amount=None), {"id": Column(name="id"), "note": Column(name="note", data_type="text")}
    assert told(public_model(columns=old), public_model(columns=new))["column-removed"].says.endswith("is gone.")
    kept = {"amount": Column(name="amount"), "id": Column(name="id")}
    gone = public_model(columns=columns(id=None, day=None, amount=None))
    assert told(gone, public_model(columns=kept))["column-removed"].says.endswith("is gone.")


def test_one_model_in_the_place_of_another() -> None:
    first = public_model(version=1, latest_version=1, columns=columns(id=None, amount=None))
    second = public_model(version=2, latest_version=1, columns=columns(id=None), description="Newer.")
    assert [change.object for change in compare_models("dbt_up", first, second, "snowflake")] == [
        "dbt_up.orders.v1",
        "dbt_up.orders.v1.amount",
    ]
    assert [(one.kind, one.change.rule) for one in between("dbt_up", first, second, "snowflake")] == [
        ("BREAKING", "column-removed"),
        ("SAFE", "description-changed"),
    ]


def test_a_single_change_is_judged_as_it_is_among_others() -> None:
    old, new = (
        interface(public_model(columns=columns(a=None, b=None))),
        interface(public_model(columns=columns(a=None))),
    )
    (change,) = compare(old, new)
    assert classify(change, old, new) == classified([change], old, new)[0]


def test_a_sentence_shows_nothing_that_acts_on_a_terminal() -> None:
    name = "x\x1b[31m{model}"
    old, new = interface(public_model(columns={name: Column(name=name)})), interface(public_model(columns={}))
    (found,) = classified(compare(old, new), old, new)
    assert found.says == r"orders.x\x1b[31m{model}, no type, is gone."
