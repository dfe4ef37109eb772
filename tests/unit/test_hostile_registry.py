"""A registry that somebody else wrote to: every forgery is an IntegrityError, and nothing is written anywhere."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from registry_tools.errors import IntegrityError
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Config, Promise
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry import layout
from registry_tools.registry.log import sealed
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry
from registry_tools.tasks.sync_mesh import SyncRequest, sync_mesh
from tests.builders import Json, candidate, files_below, interface, project_folder, public_model

GOOD = interface(public_model())
ID = candidate(GOOD).id
RECORD = layout.log_key("dbt_up", "prod", 1)
INTERFACE = layout.history_key("dbt_up", "prod", ID, layout.MANIFEST)


@pytest.fixture
def forged(store: MemoryStore):
    """Puts other bytes under a key, and optionally records them as what was published."""

    def forge(key: str, content: bytes, *, recorded: bool = False, **changes: Any) -> None:
        _put(store, key, content)
        if recorded or changes:
            standing = store.get(RECORD)
            assert standing is not None
            record: Json = msgspec.json.decode(standing.content)
            promise = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            _put(store, RECORD, resealed(record | {"files": {layout.MANIFEST: promise}} | changes))

    Registry(store).publish(candidate(GOOD), lambda _current: None)
    return forge


def resealed(record: Json) -> bytes:
    """A record as somebody would forge it who knows how records are sealed."""
    return sealed(msgspec.json.encode({key: value for key, value in record.items() if key != "seal"}))


def _put(store: MemoryStore, key: str, content: bytes) -> None:
    standing = store.get(key)
    assert store.replace(key, content, standing.tag) if standing else store.create(key, content)


@pytest.fixture
def expect_refusal(tmp_path: Path, store: MemoryStore) -> Callable[[], IntegrityError]:
    """The IntegrityError of a sync with dbt_up, after which every file is as it was."""

    def sync() -> IntegrityError:
        project = project_folder(tmp_path, "dbt_down")
        before = files_below(tmp_path)
        readings = [Upstream(name="dbt_up", environments=("prod",), way=way) for way in ("sources", "loom")]
        with pytest.raises(IntegrityError) as caught:
            sync_mesh(SyncRequest(project=project, environment="prod", upstreams=readings), Registry(store))
        assert files_below(tmp_path) == before
        assert caught.value.exit_code == 3
        assert str(caught.value.where).startswith("memory")
        return caught.value

    return sync


def _as_recorded(forged, document: Interface | Json) -> None:
    """Publish a forgery with digest and size in order, as somebody who may write would."""
    manifest = document.to_manifest({}) if isinstance(document, Interface) else document
    digest = document.digest if isinstance(document, Interface) else GOOD.digest
    forged(INTERFACE, msgspec.json.encode(manifest), recorded=True, digest=digest)


@pytest.mark.parametrize(
    "model",
    [
        {"name": "../../x", "unique_id": "model.dbt_up.../../x"},
        {"name": "/etc/x", "unique_id": "model.dbt_up./etc/x"},
        {"name": "x\n", "unique_id": "model.dbt_up.x\n"},
        {"name": "{{ x }}", "unique_id": "model.dbt_up.{{ x }}"},
        {"unique_id": "model.dbt_down.orders", "package_name": "dbt_down"},
        {"unique_id": "macro.dbt_up.orders"},
        {"version": "1/../x", "unique_id": "model.dbt_up.orders.v1/../x"},
        {"relation_name": "a.b.c.d"},
        {"relation_name": "PROD.MARTS.x; drop table y"},
        {"config": Config(mesh=Promise(tests={"id": ("x) }}{{ evil(",)}))},
        {"meta": {"mesh": {"loaded_at_field": 1}}},
    ],
)
def test_a_name_that_is_more_than_a_name(forged, expect_refusal, model: Json) -> None:
    _as_recorded(forged, interface(public_model(**model)))
    assert "not an interface" in expect_refusal().what


@pytest.mark.parametrize("project", ["dbt_down", "../dbt_up", ""])
def test_the_interface_of_another_project(forged, expect_refusal, project: str) -> None:
    _as_recorded(forged, interface(project=project))
    expect_refusal()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["nodes"]["model.dbt_up.orders"].update(columns=[]),
        lambda m: m["nodes"]["model.dbt_up.orders"].update(name=1),
        lambda m: m["nodes"]["model.dbt_up.orders"].update(version={}),
        lambda m: m["nodes"]["model.dbt_up.orders"].pop("unique_id"),
        lambda m: m.update(nodes=[]),
        lambda m: m.pop("groups"),
        lambda m: m.update(metadata=None),
        lambda m: m["metadata"].update(mesh="x"),
        lambda m: m["nodes"].update(twin=m["nodes"]["model.dbt_up.orders"]),
        lambda m: m["nodes"]["model.dbt_up.orders"].update(description="Other."),
        lambda m: m.clear(),
    ],
)
def test_a_document_of_other_types(forged, expect_refusal, change: Callable[[Json], Any]) -> None:
    document = GOOD.to_manifest({})
    change(document)
    _as_recorded(forged, document)
    expect_refusal()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b'{"metadata": {"project_name": "\xff", "adapter_type": "", "mesh": {}}, "nodes": {}, "groups": {}}',
        b'{"x": ' + b"[" * 100_000,
    ],
)
def test_bytes_that_are_no_interface(forged, expect_refusal, content: bytes) -> None:
    forged(INTERFACE, content, recorded=True)
    assert "not an interface" in expect_refusal().what


@pytest.mark.parametrize("content", [b"", b"{}", b"x" * 1000])
def test_bytes_that_were_not_recorded(forged, expect_refusal, content: bytes) -> None:
    forged(INTERFACE, content)
    assert "its bytes are not those that record 1 names" in expect_refusal().what


def test_an_interface_of_another_digest(forged, expect_refusal) -> None:
    other = interface(public_model(description="Other."))
    forged(INTERFACE, msgspec.json.encode(other.to_manifest({})), recorded=True)
    assert "not the one that was recorded" in expect_refusal().what


@pytest.mark.parametrize("files", [{}, {"../../etc/passwd": {"size": 1, "sha256": "x"}}])
def test_a_record_that_names_no_interface(forged, expect_refusal, store: MemoryStore, files: Json) -> None:
    content = store.get(INTERFACE)
    assert content is not None
    forged(INTERFACE, content.content, files=files)
    expect_refusal()


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 2},
        {"n": -1},
        {"n": "1"},
        {"format": 2},
        {"op": "destroy"},
        {"current": "../../other"},
        {"publication": "../../other"},
        {"current": "20260123T064541Z-ffffffffffff"},
        {"files": []},
        {"digest": 1},
        {"actor": "x" * 100_000},
        {"actor": None},
    ],
)
def test_a_record_that_is_none(forged, expect_refusal, store: MemoryStore, changes: Json) -> None:
    content = store.get(INTERFACE)
    assert content is not None
    forged(INTERFACE, content.content, recorded=True, **changes)
    expect_refusal()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"oops", b"\xff\xfe", b'{"x":' + b"[" * 50_000, b" " * 102_400])
def test_bytes_that_are_no_record(forged, expect_refusal, content: bytes) -> None:
    forged(RECORD, content)
    expect_refusal()


def test_a_record_of_a_hundred_kilobytes_is_not_even_decoded(forged, expect_refusal) -> None:
    forged(RECORD, b'{"padding": "' + b"x" * 102_400 + b'"}')
    assert "a record of 102,4" in expect_refusal().what


@pytest.mark.parametrize(
    "name", ["000-first.json", "0", "0/999999999998.json", "99999999999.json", "00000000000a.json"]
)
def test_a_key_in_the_log_that_is_no_record(forged, expect_refusal, name: str) -> None:
    forged(layout.log_prefix("dbt_up", "prod") + name, b"{}")
    expect_refusal()


@pytest.mark.parametrize("name", ["\u0660" * 12 + ".json", "x.json", "999999999998"])
def test_a_key_beside_no_record_is_not_an_empty_log(store: MemoryStore, name: str) -> None:
    store.create(layout.log_prefix("dbt_up", "prod") + name, b"{}")
    with pytest.raises(IntegrityError):
        Registry(store).current("dbt_up", "prod")


@pytest.mark.parametrize(
    "content",
    [
        b"no zstandard",
        zstandard.compress(b"{")[:-2],
        zstandard.compress(b"{"),
        zstandard.compress(b"[]"),
        zstandard.compress(b"\xff"),
        zstandard.compress(b'{"nodes": []}'),
    ],
    ids=["no-zstd", "cut", "half-a-document", "list", "no-utf-8", "other-types"],
)
@pytest.mark.parametrize("kind", [layout.STATE, layout.USAGE])
def test_a_state_or_a_usage_that_is_none(store: MemoryStore, tmp_path, kind: str, content: bytes) -> None:
    own = interface(project="dbt_down")
    registry = Registry(store)
    registry.publish(candidate(own, state=b"{}"), lambda _current: None)
    key, record_key = layout.history_key("dbt_down", "prod", ID, kind), layout.log_key("dbt_down", "prod", 1)
    standing = store.get(record_key)
    assert standing is not None
    record: Json = msgspec.json.decode(standing.content)
    record["files"][kind] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    _put(store, key, content)
    _put(store, record_key, resealed(record))
    project = project_folder(tmp_path, "dbt_down")
    before = files_below(tmp_path)
    read: dict[str, Callable[[], object]] = {
        layout.USAGE: lambda: registry.usage("dbt_down", "prod"),
        layout.STATE: lambda: sync_mesh(SyncRequest(project=project, environment="prod", upstreams=[]), registry),
    }
    with pytest.raises(IntegrityError):
        read[kind]()
    assert files_below(tmp_path) == before
