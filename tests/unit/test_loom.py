"""The files for dbt-loom: a config that names each upstream once, and manifests without what nobody needs."""

import json

import yaml

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.loom import loom_config, loom_manifest
from tests.builders import interface, public_model, team


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
    content = loom_manifest(interface(public_model()))
    assert b'"written_by": "mesh sync"' in content[:512]


def test_versions_and_groups_are_in_it() -> None:
    two = (public_model("p", version=v, latest_version=2, group="core") for v in (1, 2))
    document = json.loads(loom_manifest(interface(*two, groups=(team(),))))
    assert [(n["version"], n["latest_version"]) for n in document["nodes"].values()] == [(1, 2), (2, 2)]
    assert document["groups"]["group.dbt_up.core"]["owner"] == {"name": "Core Data", "slack": "#core"}


def test_the_same_interface_gives_the_same_bytes() -> None:
    assert loom_manifest(interface(public_model())) == loom_manifest(interface(public_model()))
