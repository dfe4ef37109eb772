"""A model under another name is one change where its columns and its place say so, and two where they do not."""

from typing import Any

import pytest

from registry_tools.checks.comparison import compare
from registry_tools.mesh.public_model import Column, PublicModel
from tests.builders import interface, public_model

THREE = {name: Column(name=name, data_type="int") for name in ("id", "day", "amount")}
TWO = {name: THREE[name] for name in ("id", "day")}


def model(name: str, relation: str | None = None, **facts: Any) -> PublicModel:
    return public_model(name, relation_name=relation or f"PROD.MARTS.{name.upper()}", **{"columns": THREE} | facts)


def told(old: list[PublicModel], new: list[PublicModel]) -> list[tuple[str, str | None, str | None]]:
    return [(change.rule, change.before, change.after) for change in compare(interface(*old), interface(*new))]


def test_the_same_columns_in_the_same_schema_are_the_same_model() -> None:
    assert told([model("a")], [model("b")]) == [("model-renamed", "a", "b")]


def test_the_same_relation_is_the_same_model_however_few_columns_it_has() -> None:
    for columns in (TWO, {}):
        old, new = model("a", columns=columns), model("b", '"PROD"."MARTS"."A"', columns=columns)
        assert told([old], [new]) == [("model-renamed", "a", "b")]


def test_the_same_relation_counts_more_than_the_same_schema() -> None:
    assert told([model("a"), model("b")], [model("c", "PROD.MARTS.A"), model("d")]) == [
        ("model-renamed", "a", "c"),
        ("model-renamed", "b", "d"),
    ]


def test_versions_are_renamed_one_by_one() -> None:
    old, new = ([model(name, version=n, latest_version=2) for n in (1, 2)] for name in ("a", "b"))
    assert told(old, new) == [("model-renamed", "a.v1", "b.v1"), ("model-renamed", "a.v2", "b.v2")]


@pytest.mark.parametrize(
    "other",
    [
        model("b", columns=TWO),
        model("b", columns=dict(reversed(THREE.items()))),
        model("b", columns=THREE | {"id": Column(name="id", data_type="varchar")}),
        model("b", "PROD.OTHER.B"),
        model("b", "PROD..B"),
        model("b", version=1, latest_version=1),
    ],
)
def test_another_model_is_another_model(other: PublicModel) -> None:
    assert [rule for rule, *_ in told([model("a")], [other])] == ["model-removed", "model-added"]


def test_of_two_that_would_do_neither_is_called_the_same() -> None:
    rules = [rule for rule, *_ in told([model("a")], [model("b"), model("c")])]
    assert sorted(rules) == ["model-added", "model-added", "model-removed"]


def test_a_name_that_others_keep_is_not_renamed() -> None:
    old = [model("a", version=1, latest_version=1), model("a", "PROD.MARTS.A2", version=2, latest_version=1)]
    new = [old[1], model("b", version=1, latest_version=1)]
    assert sorted(rule for rule, *_ in told(old, new)) == ["model-added", "version-removed"]


def test_a_name_is_what_its_own_warehouse_makes_of_it() -> None:
    """BigQuery tells `a` from `A`, and in Snowflake they are one; whichever of the two came first."""
    two = interface(*(model(name, f"PROD.MARTS.{name}", columns=TWO) for name in ("a", "A")), adapter="bigquery")
    one = interface(model("b", "PROD.MARTS.a", columns=TWO))
    for pair, pairs in (((two, one), ("A", "b")), ((one, two), ("b", "A"))):
        found = [(c.before, c.after) for c in compare(*pair) if c.rule == "model-renamed"]
        assert found == [pairs]
