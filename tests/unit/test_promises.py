"""What readers are promised beside a model's columns: the values of a column, who is granted, metrics and exposures."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from registry_tools.checks.comparison import compare
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.public_model import Asset, Config, Promise
from tests.builders import Json, data_test, interface, manifest, node, private, public_model, read

PUBLIC = {"meta": {"mesh": {"public": True}}}


def accepting(values: Any, model: str = "orders", name: str = "id", **changes: Any) -> Json:
    found = data_test("accepted_values", f"model.dbt_up.{model}", name, **changes)
    found["test_metadata"]["kwargs"] = {"values": values} if values is not None else None
    return found


def granting(grants: Any) -> Json:
    return node("orders", config={"materialized": "table", "access": "public", "grants": grants})


def extracted(folder: Path, *entries: Json, **sections: Any) -> Interface:
    return extract_interface(read(folder, manifest(*entries, **sections)))


def promise(folder: Path, *entries: Json) -> Promise:
    return extracted(folder, *entries).models[0].config.mesh


def test_values_are_known_by_tokens_alone(tmp_path: Path) -> None:
    found = extracted(tmp_path, node("orders"), accepting(["placed", "shipped"]))
    (tokens,) = (found.models[0].config.mesh.accepted_values or {}).values()
    assert len(tokens) == 2
    assert list(tokens) == sorted(tokens)
    assert "placed" not in msgspec.json.encode(found).decode()
    assert promise(tmp_path, node("orders"), accepting(["shipped", "placed"])).accepted_values == {"id": tokens}
    assert promise(tmp_path, node("orders"), accepting(["placed", 1])).accepted_values != {"id": tokens}


def test_of_two_tests_the_values_count_that_both_allow(tmp_path: Path) -> None:
    two = accepting(["b", "c"]) | {"unique_id": "test.dbt_up.other.1"}
    both = promise(tmp_path, node("orders"), accepting(["a", "b"]), two)
    assert both.accepted_values == promise(tmp_path, node("orders"), accepting(["b"])).accepted_values


@pytest.mark.parametrize(
    "test",
    [
        accepting(None),
        accepting("{{ var('statuses') }}"),
        accepting(["a"], name="not_listed"),
        accepting(["a"], model="private"),
        accepting(["a"], config={"severity": "WARN"}),
        accepting(["a"], config={"where": "id > 1"}),
        accepting(["a"]) | {"column_name": None},
        accepting(
            ["a"], test_metadata={"name": "accepted_values", "namespace": "dbt_utils", "kwargs": {"values": [1]}}
        ),
    ],
)
def test_values_that_nobody_is_promised(tmp_path: Path, test: Json) -> None:
    found = extracted(tmp_path, node("orders"), private("private"), test)
    assert found == extracted(tmp_path, node("orders"))


def test_grantees_are_known_by_tokens_alone(tmp_path: Path) -> None:
    one = promise(tmp_path, granting({"select": "somebody@example.com"}))
    assert one == promise(tmp_path, granting({"select": ["somebody@example.com", "somebody@example.com"]}))
    assert b"somebody" not in msgspec.json.encode(one)
    assert [len(token) for token in (one.grants or {})["select"]] == [12]


@pytest.mark.parametrize("grants", [None, {}, "all", {"select": []}, {"select": None}, {"a@b.c": ["x"]}])
def test_grants_that_grant_nothing(tmp_path: Path, grants: Any) -> None:
    assert promise(tmp_path, granting(grants)) == Promise()


def test_assets_that_are_marked_are_promised(tmp_path: Path) -> None:
    def entries(kind: str, **marks: Any) -> Json:
        return {f"{kind}.dbt_up.{name}": {"package_name": "dbt_up"} | mark for name, mark in marks.items()}

    found = extracted(
        tmp_path,
        metrics=entries("metric", b={"config": PUBLIC}, a=PUBLIC, c={}, d={"meta": {"mesh": {"public": "yes"}}}),
        saved_queries=entries("saved_query", q=PUBLIC, n={"meta": None, "config": None}, m={"meta": {"mesh": None}}),
        semantic_models=entries("semantic_model", s=PUBLIC) | {"semantic_model.other.s": PUBLIC},
        exposures=entries("exposure", e=PUBLIC),
    )
    assert [(asset.kind, asset.name) for asset in found.assets or ()] == [
        ("exposure", "e"),
        ("metric", "a"),
        ("metric", "b"),
        ("saved_query", "q"),
        ("semantic_model", "s"),
    ]
    document = msgspec.json.encode(found.to_manifest({"publication": "x"}))
    assert read_interface(document) == (found, {"publication": "x"})
    assert read_interface(document)[0].digest == found.digest


def test_an_interface_without_any_of_it_is_written_as_before() -> None:
    """The digests of what was published before there was any of it stay what they were."""
    written = msgspec.json.decode(msgspec.json.encode(interface()))
    assert written == {"project": "dbt_up", "adapter": "snowflake", "models": [], "groups": []}
    assert msgspec.to_builtins(Promise()) == {"tests": {}}
    assert "mesh_assets" not in json.dumps(interface().to_manifest({}))


@pytest.mark.parametrize("field", ["accepted_values", "grants"])
def test_nothing_is_not_written_down_as_something(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"{field} is empty"):
        msgspec.json.decode(f'{{"{field}": {{}}}}', type=Promise)
    with pytest.raises(ValueError, match="mesh_assets is empty"):
        interface(assets=())


def promised(**facts: Any) -> Interface:
    """An interface whose only model promises this."""
    return interface(public_model(config=Config(materialized="table", access="public", mesh=Promise(**facts))))


def test_numbers_are_told_and_never_the_values() -> None:
    old = promised(accepted_values={"id": ("a", "b"), "day": ("c",)}, grants={"select": ("a", "b"), "insert": ("c",)})
    new = promised(accepted_values={"id": ("a",), "day": ("c",)}, grants={"select": ("a", "c")})
    assert [(c.rule, c.before, c.after) for c in compare(old, new)] == [
        ("grants-reduced", "insert to 1, select to 2", "select to 2"),
        ("accepted-values-changed", "2 values, 1 of them gone", "1 value"),
    ]
    again = promised(accepted_values={"id": ("b", "a"), "day": ("c",)}, grants={"select": ("b", "a"), "insert": ("c",)})
    assert {change.rule for change in compare(old, again)} == {"guards-rewritten"}


def test_an_asset_that_comes_and_one_that_goes() -> None:
    sides = (interface(assets=(Asset(kind="metric", name=name),)) for name in ("costs", "revenue"))
    assert [(c.rule, c.object, c.sign) for c in compare(*sides)] == [
        ("promise-removed", "dbt_up.metric:costs", "-"),
        ("promise-added", "dbt_up.metric:revenue", "+"),
    ]


@pytest.mark.parametrize(
    ("now", "rule"),
    [({"select": ("a",)}, "grants-reduced"), ({"select": ("a", "b", "c")}, "grants-widened"), (None, "grants-reduced")],
)
def test_who_loses_a_grant_counts_more_than_who_gets_one(now: dict[str, tuple[str, ...]] | None, rule: str) -> None:
    before = Promise(grants={"select": ("a", "b")})
    sides = (
        interface(public_model(config=Config(mesh=promised)))
        for promised in (before, Promise(grants=now or msgspec.UNSET))
    )
    assert [change.rule for change in compare(*sides)] == [rule]


def test_a_value_that_other_hands_listed_twice_is_one_value() -> None:
    """As drawn by the law of the way back: it was told as two values of which one is new, and back as one gone."""
    twice, nothing = promised(accepted_values={"id": ("a", "a")}), promised()
    (come,), (gone,) = compare(nothing, twice), compare(twice, nothing)
    assert (come.rule, come.before, come.after) == ("accepted-values-changed", None, "1 value")
    assert (gone.before, gone.after) == ("1 value", None)
