"""Manifests: every file that is not one says why, with its place; every dbt since 1.5 is understood."""

import gc
import json
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import DocumentError
from registry_tools.intake import manifest as module
from registry_tools.intake.manifest import collector_off, read_manifest
from registry_tools.intake.own_state import extract_state
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.usage import extract_usage
from tests.builders import Json, data_test, foreign, group, manifest, node, private, read, reader, source


def _schema(version: object) -> str:
    return f"https://schemas.getdbt.com/dbt/manifest/v{version}.json"


def test_a_manifest_is_read_with_its_nodes_undecoded(tmp_path) -> None:
    found = read(tmp_path, manifest(node("orders"), group("core")))
    assert (found.project, found.adapter, list(found.nodes), list(found.groups)) == (
        "dbt_up",
        "snowflake",
        ["model.dbt_up.orders"],
        ["group.dbt_up.core"],
    )


def test_the_publication_id_is_the_time_in_utc_and_the_bytes(tmp_path) -> None:
    document = manifest(metadata={"generated_at": "2026-01-23T08:45:41.999999+02:00"})
    found = read(tmp_path, document)
    assert found.publication_id == f"20260123T064541Z-{found.sha256[:12]}"
    assert read(tmp_path, document).publication_id == found.publication_id
    assert read(tmp_path, json.dumps(document, indent=1).encode()).publication_id != found.publication_id


def test_a_time_without_zone_is_utc(tmp_path) -> None:
    found = read(tmp_path, manifest(metadata={"generated_at": "2026-01-23T06:45:41"}))
    assert found.publication_id.startswith("20260123T064541Z-")


def test_a_missing_manifest_says_how_to_get_one(tmp_path) -> None:
    with pytest.raises(DocumentError, match="the dbt manifest is missing") as caught:
        read_manifest(tmp_path / "target/manifest.json")
    assert "dbt build" in caught.value.then


@pytest.mark.parametrize("content", [b"", b" \n\t"])
def test_an_empty_manifest_is_said(tmp_path, content: bytes) -> None:
    with pytest.raises(DocumentError, match="is empty"):
        read(tmp_path, content)


@pytest.mark.parametrize("content", [b"[]", b"1", b'"x"', b"null", b"{}", b'{"metadata": {}}', b'{"metadata": []}'])
def test_json_of_something_else_is_said(tmp_path, content: bytes) -> None:
    with pytest.raises(DocumentError, match="this JSON is no dbt manifest"):
        read(tmp_path, content)


@pytest.mark.parametrize("kind", ["run-results", "catalog", "sources", "semantic_manifest"])
def test_another_artifact_of_dbt_is_said(tmp_path, kind: str) -> None:
    schema = f"https://schemas.getdbt.com/dbt/{kind}/v6.json"
    with pytest.raises(DocumentError, match=f"its schema is .*{kind}.*, not a manifest's"):
        read(tmp_path, {"metadata": {"dbt_schema_version": schema}, "results": []})


@pytest.mark.parametrize("version", [9, 10, 11, 12, 13, 20])
def test_every_schema_with_public_models_is_understood(tmp_path, version: int) -> None:
    found = read(tmp_path, manifest(node("orders"), metadata={"dbt_schema_version": _schema(version)}))
    assert len(extract_interface(found).models) == 1


@pytest.mark.parametrize("version", [1, 8])
def test_a_dbt_without_public_models_is_told_to_update(tmp_path, version: int) -> None:
    with pytest.raises(DocumentError, match=f"manifest schema v{version} has no public models") as caught:
        read(tmp_path, manifest(metadata={"dbt_schema_version": _schema(version)}))
    assert "dbt-core 1.5" in caught.value.then


@pytest.mark.parametrize(
    "schema", ["", "v12", "https://example.com/dbt/manifest/v12.json", _schema("x"), _schema(12) + "/"]
)
def test_a_schema_that_is_no_manifests_is_said(tmp_path, schema: str) -> None:
    with pytest.raises(DocumentError, match="not a manifest's"):
        read(tmp_path, manifest(metadata={"dbt_schema_version": schema}))


def test_dbt_1_5_names_no_project_and_the_nodes_tell(tmp_path) -> None:
    assert read(tmp_path, manifest(node("orders"), metadata={"project_name": None})).project == "dbt_up"


@pytest.mark.parametrize("nodes", [(), (node("a", "one"), node("b", "two"))])
def test_a_project_that_nobody_names_is_said(tmp_path, nodes: tuple[Json, ...]) -> None:
    with pytest.raises(DocumentError, match=r"metadata\.project_name is missing"):
        read(tmp_path, manifest(*nodes, metadata={"project_name": None}))


@pytest.mark.parametrize("time", [None, "", "yesterday", "2026-13-01T00:00:00Z", "1769150741", "2026-01-23T25:00:00Z"])
def test_a_time_that_is_none_is_said(tmp_path, time: str | None) -> None:
    with pytest.raises(DocumentError, match=r"metadata\.generated_at is .*, not a time"):
        read(tmp_path, manifest(metadata={"generated_at": time}))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"])
def test_a_time_at_the_edge_of_the_calendar_is_said(tmp_path, time: str) -> None:
    with pytest.raises(DocumentError, match=r"metadata\.generated_at is .*, not a time"):
        read(tmp_path, manifest(metadata={"generated_at": time}))


@pytest.mark.parametrize(
    ("content", "place"),
    [(b'{"metadata":\n  oops}', ":2:3"), (b'{"a": 1', ":1:8"), (b"{", ":1:2"), (b'{"a": "\n', ":"), (b"\xff", ":1:1")],
)
def test_what_is_no_json_is_said_with_line_and_column(tmp_path, content: bytes, place: str) -> None:
    with pytest.raises(DocumentError, match="not JSON, or cut off") as caught:
        read(tmp_path, content)
    assert str(caught.value.where).startswith(f"{tmp_path}/manifest.json{place}")


@pytest.mark.parametrize("section", ["nodes", "sources", "groups", "exposures", "unit_tests"])
@pytest.mark.parametrize("wrong", [None, [], "x", 1])
def test_a_section_of_another_kind_is_named(tmp_path, section: str, wrong: object) -> None:
    with pytest.raises(DocumentError, match=section):
        read(tmp_path, manifest() | {section: wrong})


def _everything(folder: Path, document: Json | bytes) -> None:
    found = read(folder, document)
    extract_interface(found)
    extract_usage(found)
    extract_state(found)


def _said(folder: Path, document: Json | bytes) -> str | None:
    """None when everything could be read, else the place that the error names."""
    try:
        _everything(folder, document)
    except DocumentError as error:
        return str(error.where)
    return None


FULL = (
    node("orders", group="core", version=1, latest_version=1, constraints=[{"type": "primary_key", "columns": ["id"]}]),
    private("stg"),
    foreign("products", "dbt_other"),
    data_test("unique", "model.dbt_up.orders.v1", "id"),
    group("core"),
    reader("exposure", "board", ["model.dbt_other.products"], "dbt_up"),
    source("x", "A.B.C", "dbt_up"),
)


def _places(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(value, dict):
        return [path, *(place for key, item in value.items() for place in _places(item, (*path, key)))]
    return [path]


@pytest.mark.parametrize("wrong", [None, 1, "x", [1], {"x": 1}, True, -1e300], ids=repr)
def test_a_wrong_type_anywhere_is_read_or_said_and_never_a_traceback(tmp_path, wrong: object) -> None:
    for place in _places(manifest(*FULL))[1:]:
        document = json.loads(json.dumps(manifest(*FULL)))
        inner = document
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = wrong
        where = _said(tmp_path, document)
        assert where is None or str(tmp_path) in where, place


def test_an_entry_of_a_wrong_type_is_named_with_its_field(tmp_path) -> None:
    found = read(tmp_path, manifest(node("orders", columns={"id": {"name": 1}})))
    with pytest.raises(DocumentError, match=r"model\.dbt_up\.orders: Expected `str`.*columns") as caught:
        extract_interface(found)
    assert caught.value.where == str(tmp_path / "manifest.json")


@pytest.mark.parametrize(
    "document",
    [
        json.dumps(manifest(node("orders"))).encode().replace(b"All orders.", b"\xff"),
        json.dumps(manifest(node("orders"))).encode().replace(b"model.dbt_up.orders", b"model.dbt_up.\xff"),
        json.dumps(manifest(group("core"))).encode().replace(b"Core Data", b"\xff"),
        json.dumps(manifest(metadata={"adapter_type": "snow"})).encode().replace(b"snow", b"\xff"),
    ],
)
def test_text_that_is_not_utf_8_is_said(tmp_path, document: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        _everything(tmp_path, document)
    assert str(caught.value.where).startswith(str(tmp_path / "manifest.json"))


@pytest.mark.parametrize("piece", [4, 5, 6, 7, 1 << 20])
def test_text_is_checked_in_pieces_that_part_no_character(tmp_path, monkeypatch, piece: int) -> None:
    monkeypatch.setattr(module, "_PIECE", piece)
    text = json.dumps(manifest(node("orders", description="aé\u20ac\U0001f680" * 9)), ensure_ascii=False).encode()
    assert extract_interface(read(tmp_path, text)).models[0].description == "aé\u20ac\U0001f680" * 9
    at = text.index("\U0001f680".encode()) + 3
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, text[:at] + b"a" + text[at + 1 :])
    assert caught.value.where == f"{tmp_path}/manifest.json:1:{at - 2}"


@pytest.mark.parametrize("depth", [200, 900, 100_000])
@pytest.mark.parametrize("place", [b'"odd": 1', b'"meta": {}'])
def test_a_bomb_of_brackets_is_read_or_said(tmp_path, depth: int, place: bytes) -> None:
    bomb = b'"meta": {"x": ' + b"[" * depth + b"]" * depth + b"}"
    document = json.dumps(manifest(node("orders"), odd=1)).encode()
    assert place in document
    where = _said(tmp_path, document.replace(place, bomb))
    assert where is None or str(tmp_path) in where


def test_the_garbage_collector_is_left_as_it_was() -> None:
    with collector_off():
        assert not gc.isenabled()
        with collector_off():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
