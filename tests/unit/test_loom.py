"""The files for dbt-loom: a config that names each upstream once, and manifests without what nobody needs."""

import json

import pytest
import yaml

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.loom import loom_config, loom_manifest, unnamed
from registry_tools.mesh.relation import quoting_of
from tests.builders import interface, public_model, team

BARE = quoting_of("snowflake", {})
QUOTED = quoting_of("postgres", {})


def test_the_config_names_a_file_for_every_upstream() -> None:
    text = loom_config(["dbt_other", "dbt_up"])
    assert text.startswith(f"# {MARK}")
    document = yaml.safe_load(text)
    assert document["enable_telemetry"] is False
    assert [(m["name"], m["type"], m["config"]["path"]) for m in document["manifests"]] == [
        ("dbt_other", "file", ".mesh/loom/dbt_other.json"),
        ("dbt_up", "file", ".mesh/loom/dbt_up.json"),
    ]


def test_the_manifest_says_who_wrote_it_near_its_head() -> None:
    content = loom_manifest(interface(public_model()), BARE)
    assert b'"written_by": "mesh sync"' in content[:512]


def test_versions_and_groups_are_in_it() -> None:
    two = (public_model("p", version=v, latest_version=2, group="core") for v in (1, 2))
    document = json.loads(loom_manifest(interface(*two, groups=(team(),)), BARE))
    assert [(n["version"], n["latest_version"]) for n in document["nodes"].values()] == [(1, 2), (2, 2)]
    assert document["groups"]["group.dbt_up.core"]["owner"] == {"name": "Core Data", "slack": "#core"}


def test_the_same_interface_gives_the_same_bytes() -> None:
    assert loom_manifest(interface(public_model()), BARE) == loom_manifest(interface(public_model()), BARE)


@pytest.mark.parametrize(
    ("relation", "quoting", "database", "schema"),
    [
        ("PROD.MARTS.ORDERS", BARE, "PROD", "MARTS"),
        ('"Prod-1"."marts".ORDERS', BARE, '"Prod-1"', '"marts"'),
        ('"Prod-1"."marts"."Orders 1"', QUOTED, "Prod-1", "marts"),
        ('"PROD"."MARTS"."ORDERS"', BARE, '"PROD"', '"MARTS"'),
        ("MARTS.ORDERS", BARE, None, "MARTS"),
        ('"a.b"."c.d"."ORDERS"', QUOTED, "a.b", "c.d"),
    ],
)
def test_a_reference_finds_the_table_whatever_dbt_quotes_by_itself(relation, quoting, database, schema) -> None:
    (node,) = json.loads(loom_manifest(interface(public_model(relation_name=relation)), quoting))["nodes"].values()
    assert (node["database"], node["schema"], node["relation_name"]) == (database, schema, relation)


@pytest.mark.parametrize(
    ("relation", "quoting"),
    [
        ('P.M."orders"', BARE),
        ('P.M."ORDERS 1"', BARE),
        ('P.M."1"', BARE),
        ('P.M."a.b"', QUOTED),
        ('P.M."a""b"', QUOTED),
        ('P.M."a[b]"', QUOTED),
        ('P.M."a`b"', QUOTED),
        ("ORDERS", BARE),
    ],
)
def test_a_table_that_dbt_loom_would_look_for_elsewhere_is_left_out_and_told(relation, quoting) -> None:
    """dbt-loom 0.9 would have `ref` read P.M.orders, which on Snowflake is P.M.ORDERS."""
    there = interface(public_model(relation_name=relation), public_model("prices"))
    assert list(json.loads(loom_manifest(there, quoting))["nodes"]) == ["model.dbt_up.prices"]
    (told,) = unnamed(there, quoting)
    left_out = "dbt_up.orders is left out; read dbt_up as package or as sources"
    assert told == f"dbt-loom cannot name {relation}: {left_out}"


def test_of_tables_that_dbt_loom_finds_nothing_is_told() -> None:
    assert list(unnamed(interface(public_model()), BARE)) == []


@pytest.mark.parametrize(("written", "read"), [("2027-01-01", "2027-01-01"), ("soon", None)])
def test_a_date_that_dbt_loom_would_stop_at_is_left_out(written: str, read: str | None) -> None:
    (node,) = json.loads(loom_manifest(interface(public_model(deprecation_date=written)), BARE))["nodes"].values()
    assert node["deprecation_date"] == read
