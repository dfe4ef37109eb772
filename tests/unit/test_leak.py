"""The leak test: one marker in every private place of a manifest, and none of them in what others may read."""

import json

import msgspec
import pytest

from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry
from tests.builders import Json, column, data_test, group, manifest, node, private, publish, reader, source

MARK = "zq7secret"


def _marked(place: str) -> str:
    return f"{MARK}_{place}"


def _secretive() -> Json:
    orders = node(
        "orders",
        group="core",
        path=_marked("path"),
        original_file_path=_marked("file"),
        patch_path=_marked("patch"),
        build_path=_marked("build"),
        compiled_path=_marked("compiled_path"),
        root_path=_marked("root"),
        raw_code=_marked("raw"),
        compiled_code=_marked("compiled"),
        extra_ctes=[{"id": "x", "sql": _marked("cte")}],
        unrendered_config={"alias": _marked("unrendered")},
        docs={"show": True, "node_color": _marked("docs")},
        refs=[{"name": _marked("ref")}],
        sources=[[_marked("source"), "t"]],
        fqn=["dbt_up", _marked("fqn")],
        doc_blocks=[_marked("block")],
        checksum={"name": "sha256", "checksum": _marked("checksum")},
        contract={"enforced": True, "alias_types": True, "checksum": _marked("contract")},
        config={
            "access": "public",
            "materialized": "incremental",
            "pre-hook": [{"sql": _marked("hook")}],
            "grants": {"select": [_marked("grant")]},
            "unique_key": _marked("key"),
            "snowflake_warehouse": _marked("warehouse"),
        },
        constraints=[
            {"type": "check", "expression": _marked("check")},
            {"type": "foreign_key", "columns": ["id"], "to": f"P.M.{_marked('to')}", "to_columns": [_marked("col")]},
        ],
        columns={
            "id": column(
                "id",
                policy_tags=[_marked("policy")],
                constraints=[{"type": "custom", "expression": _marked("column_check")}],
                config={"inner": _marked("column_config")},
            )
        },
        depends_on={"macros": [_marked("macro")], "nodes": [f"model.dbt_up.{_marked('private')}"]},
    )
    inner = private(
        _marked("private"),
        description=_marked("description"),
        columns={_marked("column"): column(_marked("column"))},
        group=_marked("group"),
        depends_on={"macros": [], "nodes": [f"source.dbt_up.{_marked('raw_source')}"]},
    )
    guard = data_test("unique", f"model.dbt_up.{_marked('private')}", _marked("tested"))
    own_test = data_test("accepted_values", "model.dbt_up.orders", "id")
    own_test["test_metadata"]["kwargs"] = {"values": [_marked("value")]}
    return manifest(
        orders,
        inner,
        guard,
        own_test,
        group("core", email=f"{_marked('email')}@example.com", phone=_marked("phone")),
        group(_marked("group")),
        source("orders", f"A.B.{_marked('relation')}", "dbt_up"),
        reader("exposure", _marked("exposure"), ["model.dbt_up.orders"], "dbt_up"),
        metadata={
            "env": {"DBT_X": _marked("env")},
            "user_id": _marked("user"),
            "invocation_id": _marked("invocation"),
            "project_id": _marked("project_id"),
            "adapter_type": "snowflake",
        },
        macros={"macro.dbt_up.m": {"macro_sql": _marked("macro_sql")}},
        docs={"doc.dbt_up.d": {"block_contents": _marked("doc")}},
        disabled={"model.dbt_up.d": [{"raw_code": _marked("disabled")}]},
        parent_map={_marked("parent"): []},
        selectors={"s": _marked("selector")},
    )


@pytest.fixture
def readable(tmp_path) -> dict[str, bytes]:
    """Everything that a publication puts where others may read, unpacked."""
    store = MemoryStore()
    registry = Registry(store)
    publish(tmp_path, registry, _secretive())
    found = {key: store.get(key) for key in store.keys("") if not key.startswith("_private/")}
    usage = msgspec.json.encode(registry.usage("dbt_up", "prod"))
    return {key: stored.content for key, stored in found.items() if stored} | {"usage": usage}


def test_the_marker_is_planted_in_many_places() -> None:
    assert json.dumps(_secretive()).count(MARK) > 45


def test_nothing_private_is_published(readable: dict[str, bytes]) -> None:
    assert {"dbt_up/prod/latest/manifest.json", "usage"} <= readable.keys()
    assert {key: _around(content) for key, content in readable.items() if MARK.encode() in content} == {}
    assert not any(MARK in key for key in readable)


def test_what_is_public_is_there(readable: dict[str, bytes]) -> None:
    """Otherwise the leak test would pass on an empty document."""
    assert b"model.dbt_up.orders" in readable["dbt_up/prod/latest/manifest.json"]
    assert b"Core Data" in readable["dbt_up/prod/latest/manifest.json"]


def test_no_address_and_no_home_is_published(readable: dict[str, bytes], tmp_path) -> None:
    everything = b"".join(readable.values())
    assert b"example.com" not in everything
    assert str(tmp_path).encode() not in everything


def _around(content: bytes) -> bytes:
    at = content.find(MARK.encode())
    return content[max(0, at - 60) : at + 60]
