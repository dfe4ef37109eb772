"""Deferral state: the project's own manifest as published, with its upstreams where they are now."""

import json

from registry_tools.artifacts.deferral import deferral_state
from registry_tools.mesh.interface import Constraint, Contract
from tests.builders import Json, foreign, interface, manifest, private, public_model

NOW = interface(public_model(relation_name="PROD.NEW.ORDERS"), public_model("products"))


def _state(own: Json | None, *upstreams: object) -> Json:
    raw = None if own is None else json.dumps(own).encode()
    state: Json = json.loads(deferral_state("dbt_down", "snowflake", raw, upstreams))  # type: ignore[arg-type]
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
    assert state["nodes"]["model.dbt_up.orders"]["schema"] == "MARTS"
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
    own = json.dumps(manifest(private("report", "dbt_down"), project="dbt_down")).encode()
    assert deferral_state("dbt_down", "snowflake", own, [NOW]) == deferral_state("dbt_down", "snowflake", own, [NOW])
