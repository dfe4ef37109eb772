"""mesh.lock: read as it was written, and every form that it cannot have says which key is wrong."""

from typing import Any

import pytest
import yaml

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.lock_text import lock_text
from registry_tools.errors import UsageError
from registry_tools.mesh.lock import Lock, Pin

PIN = Pin(environment="prod", publication="20260123T064541Z-0123456789ab", n=3, record="b" * 64, digest="a" * 64)
WRONG: tuple[object, ...] = (None, 1.5, [])
ENTRY: dict[str, object] = {
    "environment": "prod",
    "publication": "20260123T064541Z-0123456789ab",
    "n": 3,
    "record": "sha256:" + "b" * 64,
    "digest": "sha256:" + "a" * 64,
}


def test_upstreams_stand_in_the_order_of_their_names() -> None:
    document = Lock(pins={"b": PIN, "a": PIN}).to_dict()
    assert list(document["upstreams"]) == ["a", "b"]
    assert document["upstreams"]["a"] == ENTRY


def test_the_file_says_who_writes_it_and_reads_back() -> None:
    text = lock_text(Lock(pins={"dbt_up": PIN}))
    assert text.startswith(f"# {MARK}")
    assert Lock.from_dict(yaml.safe_load(text)) == Lock(pins={"dbt_up": PIN})


def test_an_empty_lock_reads_back() -> None:
    assert Lock.from_dict(yaml.safe_load(lock_text(Lock()))) == Lock()


@pytest.mark.parametrize("version", [None, 0, 2, "1", True])
def test_another_version_asks_for_an_update(version: object) -> None:
    with pytest.raises(UsageError, match=r"version .* is not known here") as caught:
        Lock.from_dict({"version": version, "upstreams": {}})
    assert "update" in caught.value.then


@pytest.mark.parametrize("upstreams", [None, [], "dbt_up", 1])
def test_upstreams_that_are_no_mapping_are_named(upstreams: object) -> None:
    with pytest.raises(UsageError, match="'upstreams' is not"):
        Lock.from_dict({"version": 1, "upstreams": upstreams})


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in ENTRY.items() if name != key}


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        "prod",
        *(_without(key) for key in ENTRY),
        *(ENTRY | dict.fromkeys([key], wrong) for key in ENTRY for wrong in WRONG),
        ENTRY | {"n": "3"},
    ],
)
def test_an_entry_that_is_none_is_named(entry: object) -> None:
    with pytest.raises(UsageError, match=r"'upstreams\.dbt_up' is not what mesh sync writes"):
        Lock.from_dict({"version": 1, "upstreams": {"dbt_up": entry}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"environment": "../prod"},
        {"environment": "Prod"},
        {"publication": "../../etc"},
        {"publication": ""},
        {"n": 0},
        {"n": -1},
        {"n": True},
        {"digest": ""},
        {"digest": "sha256:../x"},
        {"digest": "md5:" + "a" * 64},
    ],
)
def test_a_value_that_cannot_be_names_its_upstream(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        Lock.from_dict({"version": 1, "upstreams": {"dbt_up": ENTRY | wrong}})
    assert "upstreams.dbt_up" in str(caught.value)


@pytest.mark.parametrize("name", ["../up", "_edges", "", 1])
def test_an_upstream_that_is_no_project_is_refused(name: object) -> None:
    with pytest.raises(UsageError, match="is not a project name"):
        Lock.from_dict({"version": 1, "upstreams": {name: ENTRY}})
