"""Interfaces from files: what dbt wrote, what was published, and nothing that is less than that."""

import json
from pathlib import Path

import msgspec
import pytest

from registry_tools.artifacts.loom import loom_manifest
from registry_tools.errors import DocumentError
from registry_tools.intake.interface_file import read_interface_file
from registry_tools.mesh.relation import quoting_of
from tests.builders import Json, data_test, interface_of, manifest, node

ENTRIES = (node("orders"), data_test("unique", "model.dbt_up.orders", "id"))


def written(folder: Path, content: bytes | Json) -> Path:
    path = folder / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_what_dbt_wrote_and_what_was_published_of_it_are_the_same(tmp_path: Path) -> None:
    expected = interface_of(tmp_path, *ENTRIES)
    assert read_interface_file(tmp_path / "manifest.json") == expected
    for facts in ({"digest": expected.digest, "n": 3}, {"n": 3}):
        published = msgspec.json.encode(expected.to_manifest(facts))
        assert read_interface_file(written(tmp_path, published)) == expected


def test_the_file_of_dbt_loom_is_no_whole_interface(tmp_path: Path) -> None:
    path = written(tmp_path, loom_manifest(interface_of(tmp_path, *ENTRIES), quoting_of("snowflake", {})))
    with pytest.raises(DocumentError, match="not the whole interface") as caught:
        read_interface_file(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        (b"", "is empty"),
        (b"{", "not JSON"),
        (b"[]", "no dbt manifest"),
        (b"\xff{}", "not JSON"),
        (b"[" * 100_000, "no dbt manifest"),
        (b'{"metadata": {"mesh": {}}}', "not an interface"),
        (b'{"metadata": {"mesh": 1, "project_name": "a", "adapter_type": "b"}, "nodes": {}, "groups": {}}', "mesh"),
        ({"metadata": {"mesh": {}, "project_name": "../a", "adapter_type": "b"}, "nodes": {}, "groups": {}}, "'../a'"),
        ({**manifest(), "nodes": 1}, "no dbt manifest"),
    ],
)
def test_a_file_that_is_neither_is_named_with_its_fault(tmp_path: Path, content: bytes | Json, needle: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DocumentError) as caught:
        read_interface_file(path)
    assert str(path) in str(caught.value)
    assert needle in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="is missing"):
        read_interface_file(tmp_path / "none.json")
