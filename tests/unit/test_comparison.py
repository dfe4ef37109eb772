"""Every field of an interface has a rule, and what is alike is not told as a change."""

from typing import Any

import msgspec
import pytest

from registry_tools.checks.comparison import compare
from registry_tools.mesh.change import RULES, Change
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import (
    Asset,
    Column,
    Config,
    Constraint,
    Contract,
    DependsOn,
    Group,
    Owner,
    Promise,
    PublicModel,
)
from tests.builders import interface, public_model, team

KEY = Constraint(type="primary_key", columns=("id",), name="pk")
# kind of value -> field -> another value, and the rule that tells of it
FIELDS: dict[type[msgspec.Struct], dict[str, tuple[Any, str]]] = {
    Interface: {
        "project": ("dbt_sales", "project-renamed"),
        "adapter": ("bigquery", "adapter-changed"),
        "models": ((), "model-removed"),
        "groups": ((), "group-removed"),
        "assets": ((Asset(kind="metric", name="revenue"),), "promise-added"),
    },
    PublicModel: {
        "unique_id": ("model.dbt_up.Orders", "identity-changed"),
        "name": ("returns", "model-renamed"),
        "package_name": ("other", "identity-changed"),
        "alias": ("O", "relation-requoted"),
        "relation_name": ("PROD.MARTS.O", "relation-moved"),
        "database": ("OTHER", "relation-requoted"),
        "schema": ("OTHER", "relation-requoted"),
        "access": ("protected", "access-changed"),
        "description": ("Some orders.", "description-changed"),
        "columns": ({}, "column-removed"),
        "constraints": ((), "constraint-removed"),
        "contract": (Contract(enforced=True), "contract-added"),
        "config": (Config(materialized="view", access="public"), "materialization-changed"),
        "primary_key": (("id",), "primary-key-changed"),
        "group": (None, "group-changed"),
        "tags": (("daily",), "tags-changed"),
        "meta": ({"tier": 1}, "meta-changed"),
        "version": (1, "model-versioned"),
        "latest_version": (2, "latest-version-moved"),
        "deprecation_date": ("2027-01-01T00:00:00+00:00", "deprecation-set"),
        "depends_on": (DependsOn(nodes=("model.dbt_up.customers",)), "lineage-changed"),
    },
    Column: {
        "name": ("ID", "column-case-changed"),
        "description": ("The id.", "description-changed"),
        "data_type": ("varchar", "column-type-changed"),
        "constraints": ((Constraint(type="not_null"),), "constraint-added"),
        "quote": (True, "column-quoting-changed"),
        "tags": (("pii",), "protection-changed"),
        "meta": ({"masked": True}, "protection-changed"),
    },
    Constraint: {
        "type": ("unique", "constraint-removed"),
        "name": (None, "constraint-renamed"),
        "columns": (("id", "day"), "constraint-removed"),
        "to": ("PROD.MARTS.CUSTOMERS", "constraint-removed"),
        "to_columns": (("id",), "constraint-removed"),
    },
    Contract: {
        "enforced": (True, "contract-added"),
        "alias_types": (False, "contract-aliases-changed"),
    },
    Config: {
        "materialized": ("view", "materialization-changed"),
        "access": ("protected", "access-changed"),
        "meta": ({"tier": 1}, "meta-changed"),
        "mesh": (Promise(tests={"id": ("unique",)}), "test-added"),
    },
    Promise: {
        "tests": ({"id": ("unique",)}, "test-added"),
        "accepted_values": ({"id": ("3f9a2c41e07b",)}, "accepted-values-changed"),
        "grants": ({"select": ("3f9a2c41e07b",)}, "grants-widened"),
    },
    DependsOn: {"nodes": (("model.dbt_up.customers",), "lineage-changed")},
    Group: {
        "name": ("finance", "group-removed"),
        "unique_id": ("group.dbt_up.Core", "identity-changed"),
        "package_name": ("other", "identity-changed"),
        "owner": (Owner(name="Finance"), "owner-changed"),
        "description": ("Who pays.", "description-changed"),
    },
    Asset: {"kind": ("exposure", "promise-removed"), "name": ("costs", "promise-removed")},
    Owner: {"name": ("Finance", "owner-changed"), "slack": ("#finance", "owner-changed")},
}
CASES = [(kind, field, *told) for kind, fields in FIELDS.items() for field, told in fields.items()]


def standing(kind: type[msgspec.Struct] | None = None) -> Interface:
    assets = (Asset(kind="metric", name="revenue"),) if kind is Asset else msgspec.UNSET
    return interface(public_model(group="core", constraints=(KEY,)), groups=(team(),), assets=assets)


def put(value: Any, kind: type[msgspec.Struct], field: str, other: Any) -> Any:
    """The value, with `other` in this field of everything in it that is of this kind."""
    match value:
        case msgspec.Struct():
            parts = {name: put(getattr(value, name), kind, field, other) for name in value.__struct_fields__}
            return type(value)(**parts | ({field: other} if isinstance(value, kind) else {}))
        case tuple():
            return tuple(put(item, kind, field, other) for item in value)
        case dict():
            return {key: put(item, kind, field, other) for key, item in value.items()}
        case _:
            return value


def told(old: Interface, new: Interface) -> list[tuple[str, str]]:
    return [(change.rule, change.object) for change in compare(old, new)]


@pytest.mark.parametrize(("kind", "field", "other", "rule"), CASES, ids=[f"{c[0].__name__}.{c[1]}" for c in CASES])
def test_a_field_that_changes_alone_is_told(kind: type[msgspec.Struct], field: str, other: Any, rule: str) -> None:
    old = standing(kind)
    new = put(old, kind, field, other)
    assert new.digest != old.digest
    changes = compare(old, new)
    assert rule in {change.rule for change in changes}
    assert all(change.before != change.after for change in changes)


def test_no_field_is_without_a_rule() -> None:
    """A field that an interface gets one day needs a rule in checks.comparison, and a line above."""
    assert {kind: set(kind.__struct_fields__) for kind in FIELDS} == {
        kind: set(found) for kind, found in FIELDS.items()
    }
    assert {rule for fields in FIELDS.values() for _, rule in fields.values()} <= RULES.keys()


def test_the_compatibility_table_is_covered_as_far_as_an_interface_reaches() -> None:
    """M16 is about what an interface has no field for: a model's SQL."""
    codes = {code for rule in RULES.values() for code in rule.codes}
    models = {f"M{number:02}" for number in range(1, 18)} - {"M16"}
    assert codes == models | {f"C{number:02}" for number in range(1, 13)} | {"S01"}
    assert all(rule.means for rule in RULES.values())


def test_a_number_and_its_text_are_not_the_same_version() -> None:
    old = interface(public_model(version=1, latest_version=1))
    new = interface(public_model(version="1", latest_version="1"))
    assert [(c.rule, c.before, c.after) for c in compare(old, new)] == [
        ("latest-version-moved", "1", '"1"'),
        ("identity-changed", '{"version":1}', '{"version":"1"}'),
    ]


def test_the_latest_version_moves_also_where_no_version_stays() -> None:
    old = interface(public_model(version=1, latest_version=1))
    new = interface(public_model(version=2, latest_version=2))
    assert told(old, new) == [
        ("latest-version-moved", "dbt_up.orders"),
        ("version-removed", "dbt_up.orders.v1"),
        ("version-added", "dbt_up.orders.v2"),
    ]


def test_true_and_one_are_not_the_same_meta() -> None:
    changes = compare(interface(public_model(meta={"pii": 1})), interface(public_model(meta={"pii": True})))
    assert [(c.before, c.after) for c in changes] == [('{"pii":1}', '{"pii":true}')]


def test_true_and_one_are_not_the_same_meta_of_a_column() -> None:
    """What is equal to Python is found also where nothing else differs."""
    old, new = (interface(public_model(columns={"id": Column(name="id", meta={"tier": t})})) for t in (1, True))
    assert told(old, new) == [("meta-changed", "dbt_up.orders.id")]
    old, new = (interface(public_model(config=Config(meta={"tier": tier}))) for tier in (1, 1.0))
    assert told(old, new) == [("meta-changed", "dbt_up.orders")]


def test_no_text_and_empty_text_are_told_apart() -> None:
    changes = compare(interface(public_model(description=None)), interface(public_model(description="")))
    assert [(c.rule, c.before, c.after) for c in changes] == [("description-changed", "null", '""')]


def columns(*names: str) -> dict[str, Column]:
    return {name: Column(name=name) for name in names}


def test_columns_that_differ_by_case_alone_are_not_paired_where_there_are_several() -> None:
    old = interface(public_model(columns=columns("day", "Day")))
    assert told(old, interface(public_model(columns=columns("DAY")))) == [
        ("column-added", "dbt_up.orders.DAY"),
        ("column-removed", "dbt_up.orders.Day"),
        ("column-removed", "dbt_up.orders.day"),
    ]


def test_a_column_is_told_to_be_the_same_when_it_is_written_in_other_cases() -> None:
    """The key under which it stands counts, whatever the entry calls itself."""
    old = interface(public_model(columns={"day": Column(name="day")}))
    new = interface(public_model(columns={"DAY": Column(name="day")}))
    assert [(c.rule, c.before, c.after) for c in compare(old, new)] == [("column-case-changed", "day", "DAY")]


def test_an_order_of_columns_is_one_change_that_the_digest_does_not_see() -> None:
    names = [f"c{number}" for number in range(100)]
    old, new = (interface(public_model(columns=columns(*order))) for order in (names, reversed(names)))
    (change,) = compare(old, new)
    assert (change.rule, change.object) == ("columns-reordered", "dbt_up.orders")
    assert old.digest == new.digest


def test_a_column_in_between_moves_no_other() -> None:
    old, new = (
        interface(public_model(columns=columns("a", "b"))),
        interface(public_model(columns=columns("a", "x", "b"))),
    )
    assert told(old, new) == [("column-added", "dbt_up.orders.x")]


def test_constraints_that_differ_in_their_names_alone_are_renamed_one_by_one() -> None:
    def keyed(*names: str | None) -> Interface:
        return interface(public_model(constraints=[Constraint(type="unique", columns=("id",), name=n) for n in names]))

    assert told(keyed("a", "b"), keyed("c", "b")) == [("constraint-renamed", "dbt_up.orders")]
    assert told(keyed("a", "b"), keyed("b")) == [("constraint-removed", "dbt_up.orders")]
    (swapped,) = compare(keyed("a", "b"), keyed("b", "a"))
    assert swapped.rule == "guards-rewritten"
    assert swapped.before != swapped.after


def test_tests_in_another_order_are_written_in_another_way() -> None:
    def tested(*tests: str) -> Interface:
        return interface(public_model(config=Config(mesh=Promise(tests={"id": tests}))))

    assert told(tested("unique", "not_null"), tested("not_null", "unique")) == [("guards-rewritten", "dbt_up.orders")]


def test_a_relation_that_is_none_is_compared_as_text() -> None:
    old, new = (interface(public_model(relation_name=text)) for text in ("a.b.c.d", "a..b"))
    assert told(old, new) == [("relation-moved", "dbt_up.orders")]


def test_a_relation_on_an_adapter_without_databases() -> None:
    old, new = (interface(public_model(relation_name=text)) for text in ('"A".B', "A.B"))
    assert told(old, new) == [("relation-requoted", "dbt_up.orders")]


def test_meta_that_is_not_what_freshness_expects() -> None:
    old, new = (interface(public_model(meta={"mesh": mesh})) for mesh in ("daily", {"freshness": None, "more": 1}))
    assert {rule for rule, _ in told(old, new)} == {"freshness-changed", "meta-changed"}


def test_a_group_without_an_owner_belongs_to_nobody() -> None:
    (change,) = compare(interface(), interface(groups=(team(owner=Owner()),)))
    assert (change.rule, change.object, change.before, change.after) == (
        "group-added",
        "dbt_up.group:core",
        None,
        "nobody",
    )


@pytest.mark.parametrize("length", [79, 80, 81, 100, 10_000])
def test_long_texts_are_shown_where_they_begin_to_differ(length: int) -> None:
    text = "x" * length
    (change,) = compare(interface(public_model(description=text)), interface(public_model(description=text + "!")))
    assert change.before != change.after
    assert change.after
    assert change.after.endswith("!")
    assert len(change.after) <= 80


def test_a_long_text_that_comes_is_cut_at_its_end() -> None:
    (change,) = compare(interface(public_model(description=None)), interface(public_model(description="y" * 500)))
    assert (change.before, change.after) == (None, "y" * 79 + "…")


def test_ten_thousand_models_that_are_the_same() -> None:
    def many(**changes: Any) -> Interface:
        return interface(*(public_model(f"m{number}", **changes) for number in range(10_000)))

    assert compare(many(), many()) == ()
    assert len(compare(many(), many(description="x"))) == 10_000


@pytest.mark.parametrize(
    ("change", "sign", "name"),
    [
        (Change(rule="model-added", project="up", model="a", after="x"), "+", "up.a"),
        (Change(rule="column-removed", project="up", model="a.v1", column="b", before="x"), "-", "up.a.v1.b"),
        (Change(rule="owner-changed", project="up", group="g", before="x", after="y"), "~", "up.group:g"),
        (Change(rule="adapter-changed", project="up", before="x", after="y"), "~", "up"),
    ],
)
def test_a_change_names_its_object_and_its_direction(change: Change, sign: str, name: str) -> None:
    assert (change.sign, change.object) == (sign, name)
    assert change.means == RULES[change.rule].means
