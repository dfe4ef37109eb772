"""Deferral state: the project's own manifest as published, with its upstreams where they are now."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from registry_tools.artifacts.deferral import deferral_state
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Constraint, Contract
from registry_tools.mesh.relation import quoting_of
from tests.builders import Json, foreign, interface, manifest, private, public_model, synced

NOW = interface(public_model(relation_name="PROD.NEW.ORDERS"), public_model("products"))


BARE = quoting_of("snowflake", {})


def _written(own: Json | None, *upstreams: Interface, way: str = "loom", quoting: Mapping[str, bool] = BARE) -> bytes:
    raw = None if own is None else json.dumps(own).encode()
    read = [synced(upstream, way) for upstream in upstreams]
    return deferral_state("dbt_down", raw, read, quoting=quoting)


def _state(own: Json | None, *upstreams: Interface, **settings: Any) -> Json:
    state: Json = json.loads(_written(own, *upstreams, **settings))
    return state


def test_before_the_first_publication_there_are_the_upstreams_alone() -> None:
    state = _state(None, NOW)
    assert state["nodes"].keys() == {"model.dbt_up.orders", "model.dbt_up.products"}
    assert state["metadata"]["project_name"] == "dbt_down"
    assert state["metadata"]["dbt_schema_version"].endswith("/manifest/v12.json")
    assert {"macros", "sources", "disabled", "parent_map", "child_map"} <= state.keys()


def test_without_upstreams_it_is_an_empty_manifest() -> None:
    assert _state(None)["nodes"] == {}


def test_own_nodes_and_sections_stay_as_they_were_published() -> None:
    own = manifest(private("report", "dbt_down"), project="dbt_down", macros={"macro.x": {"macro_sql": "x"}})
    state = _state(own, NOW)
    assert state["nodes"]["model.dbt_down.report"] == own["nodes"]["model.dbt_down.report"]
    assert (state["macros"], state["metadata"]) == (own["macros"], own["metadata"])


def test_an_upstream_model_that_moved_is_where_it_is_now() -> None:
    own = manifest(private("report", "dbt_down"), foreign("orders"), project="dbt_down")
    state = _state(own, NOW)
    assert state["nodes"]["model.dbt_up.orders"]["relation_name"] == "PROD.NEW.ORDERS"
    assert state["nodes"]["model.dbt_up.orders"]["schema"] == "NEW"
    assert "model.dbt_up.products" in state["nodes"]


def test_an_upstream_model_that_left_is_gone_and_others_stay() -> None:
    gone = foreign("gone"), foreign("kept", "dbt_upper"), foreign("other", "dbt_other")
    state = _state(manifest(*gone, project="dbt_down"), NOW)
    assert state["nodes"].keys() == {
        "model.dbt_up.orders",
        "model.dbt_up.products",
        "model.dbt_upper.kept",
        "model.dbt_other.other",
    }


def test_an_upstream_model_has_its_place_and_no_contract_that_dbt_would_see_dropped() -> None:
    contracted = public_model(contract=Contract(enforced=True), constraints=(Constraint(type="primary_key"),))
    node = _state(None, interface(contracted))["nodes"]["model.dbt_up.orders"]
    assert (node["contract"], node["columns"], node["constraints"]) == ({"enforced": False}, {}, [])
    assert node["relation_name"] == "PROD.MARTS.ORDERS"


def test_two_upstreams_are_both_in_it() -> None:
    other = interface(public_model("prices", "dbt_other"), project="dbt_other")
    assert _state(None, NOW, other)["nodes"].keys() >= {"model.dbt_up.orders", "model.dbt_other.prices"}


def test_the_same_publications_give_the_same_bytes() -> None:
    own = manifest(private("report", "dbt_down"), project="dbt_down")
    assert _written(own, NOW) == _written(own, NOW)


STUB = foreign("orders", original_file_path="models/orders.sql", raw_code="select 1", contract={"enforced": True})


def test_a_stub_stays_as_it_was_parsed_but_for_its_place() -> None:
    own = manifest(private("report", "dbt_down"), STUB, project="dbt_down")
    node = _state(own, NOW, way="package")["nodes"]["model.dbt_up.orders"]
    place = {"database": "PROD", "schema": "NEW", "alias": "ORDERS", "relation_name": "PROD.NEW.ORDERS"}
    before = own["nodes"]["model.dbt_up.orders"]
    assert node == before | place
    assert node != before


def test_a_stub_of_a_model_that_came_since_has_its_place_alone() -> None:
    node = _state(manifest(STUB, project="dbt_down"), NOW, way="package")["nodes"]["model.dbt_up.products"]
    assert (node["relation_name"], node["contract"]) == ("PROD.MARTS.PRODUCTS", {"enforced": False})


@pytest.mark.parametrize("way", ["loom", "package"])
@pytest.mark.parametrize(("quoted", "alias"), [(False, '"ord ers"'), (True, "ord ers")])
def test_a_name_that_dbt_does_not_quote_brings_its_quotes(way: str, quoted: bool, alias: str) -> None:  # noqa: FBT001
    there = interface(public_model(relation_name='PROD.MARTS."ord ers"'))
    quoting = dict.fromkeys(BARE, quoted)
    node = _state(manifest(STUB, project="dbt_down"), there, way=way, quoting=quoting)["nodes"]["model.dbt_up.orders"]
    assert (node["database"], node["schema"], node["alias"]) == ("PROD", "MARTS", alias)


def test_a_state_without_nodes_gets_those_of_upstream() -> None:
    """Whatever was published is some JSON, of this dbt or of another."""
    assert _state({}, NOW)["nodes"].keys() == {"model.dbt_up.orders", "model.dbt_up.products"}
