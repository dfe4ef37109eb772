"""The owner's own state: the whole manifest as dbt compares it, without what names a person or a machine."""

import json
from typing import Any

import pytest

from registry_tools.intake.own_state import extract_state
from tests.builders import Json, group, manifest, node, private, read, reader

SEED = {
    "unique_id": "seed.dbt_up.raw",
    "name": "raw",
    "resource_type": "seed",
    "package_name": "dbt_up",
    "root_path": "/home/ada/dbt_up",
    "checksum": {"name": "path", "checksum": "seeds/raw.csv"},
    "depends_on": {"macros": []},
}
EXPOSURE = reader("exposure", "board", ["model.dbt_up.orders"], "dbt_up") | {
    "owner": {"name": "Ada", "email": "ada@example.com"}
}


def _state(folder, *entries: Json, **changes: Any) -> Json:
    kept: Json = json.loads(extract_state(read(folder, manifest(*entries, **changes))))
    return kept


@pytest.mark.parametrize(
    "fact", ["env", "user_id", "invocation_id", "invocation_started_at", "send_anonymous_usage_stats", "new_in_v13"]
)
def test_a_fact_of_a_person_or_a_machine_is_dropped(tmp_path, fact: str) -> None:
    assert fact not in _state(tmp_path, metadata={fact: "ada"})["metadata"]


def test_what_dbt_reads_again_is_kept(tmp_path) -> None:
    facts = {"quoting": {"database": False}, "project_id": "0" * 32}
    kept = _state(tmp_path, metadata=facts)["metadata"]
    assert kept == {key: value for key, value in manifest(metadata=facts)["metadata"].items() if key != "env"}


def test_a_project_that_dbt_1_5_did_not_name_is_named(tmp_path) -> None:
    document = manifest(node("orders"))
    del document["metadata"]["project_name"]
    assert json.loads(extract_state(read(tmp_path, document)))["metadata"]["project_name"] == "dbt_up"


def test_the_folder_of_the_machine_that_built_a_seed_is_dropped(tmp_path) -> None:
    kept = _state(tmp_path, SEED)["nodes"]["seed.dbt_up.raw"]
    assert kept == {key: value for key, value in SEED.items() if key != "root_path"}


@pytest.mark.parametrize(("section", "entry"), [("groups", group("core")), ("exposures", EXPOSURE)])
def test_an_owner_keeps_the_name_and_loses_the_address(tmp_path, section: str, entry: Json) -> None:
    (kept,) = _state(tmp_path, entry)[section].values()
    assert kept == entry | {"owner": {"name": entry["owner"]["name"]}}


@pytest.mark.parametrize("owner", [None, "Ada", {}])
def test_an_owner_of_another_form_is_passed_on(tmp_path, owner: object) -> None:
    (kept,) = _state(tmp_path, EXPOSURE | {"owner": owner})["exposures"].values()
    assert kept["owner"] == owner


@pytest.mark.parametrize("entry", [EXPOSURE, SEED, group("core")], ids=["exposure", "seed", "group"])
def test_what_is_disabled_names_nobody_either(tmp_path, entry: Json) -> None:
    disabled = {entry["unique_id"]: [entry]}
    kept = json.dumps(_state(tmp_path, disabled=disabled)["disabled"])
    assert entry["unique_id"] in kept
    assert "@example.com" not in kept
    assert "/home/ada" not in kept


def test_a_manifest_without_disabled_nodes_stays_without(tmp_path) -> None:
    document = manifest()
    del document["disabled"]
    assert "disabled" not in json.loads(extract_state(read(tmp_path, document)))


def test_everything_that_dbt_compares_is_kept_byte_for_byte(tmp_path) -> None:
    """`state:modified` compares code, checksums and configs: a digit or a key more would mark a model as modified."""
    odd = b'{"unique_id":"model.dbt_up.x", "name":"x",  "raw_code":"\\u00e9 \xc3\xa9\\n","config":{"n":1.50,"a":1e2}}'
    document = json.dumps(manifest(node("orders"), private("stg")) | {"macros": {"macro.x": {"macro_sql": " x "}}})
    raw = document.encode().replace(b'"nodes": {', b'"nodes": {"model.dbt_up.x": ' + odd + b", ")
    state = extract_state(read(tmp_path, raw))
    assert odd in state
    whole, kept = json.loads(raw), json.loads(state)
    assert kept.keys() == whole.keys()
    assert {key for key in whole if kept[key] != whole[key]} == {"metadata"}
