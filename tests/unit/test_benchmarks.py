"""The benchmarks measure what they say: their manifests are as described, and a row comes out of two processes."""

import json
import re
from dataclasses import replace

import pytest

from benchmarks.__main__ import judge
from benchmarks.consumers import write_consumer
from benchmarks.manifests import Shape, write_manifest
from benchmarks.measures import rows
from benchmarks.timing import Measured
from benchmarks.workshop import Workshop
from registry_tools.intake.column_usage import read_usage
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.readings import Readings

SHAPE = Shape(models=50)


def test_a_generated_manifest_has_the_models_it_was_asked_for(tmp_path):
    write_manifest(tmp_path / "manifest.json", SHAPE)
    manifest = read_manifest(tmp_path / "manifest.json")
    interface = extract_interface(manifest)
    models = [node for node in manifest.nodes if node.startswith("model.")]
    tests = [node for node in manifest.nodes if node.startswith("test.")]
    assert len(models) == 51  # one of them in two versions
    assert len(tests) / len(models) == pytest.approx(2.4, abs=0.05)
    assert len(manifest.sources) == SHAPE.staging == 15
    assert len({model.name for model in interface.models}) == SHAPE.public_names == 5
    assert len(interface.models) == SHAPE.public_nodes == 6
    assert all(model.contract.enforced and model.group and len(model.columns) == 16 for model in interface.models)


def test_a_generated_manifest_is_the_same_every_time_and_its_interface_at_every_size(tmp_path):
    once, again, larger = (tmp_path / name for name in ("once.json", "again.json", "larger.json"))
    write_manifest(once, SHAPE)
    write_manifest(again, SHAPE)
    write_manifest(larger, replace(SHAPE, models=150, public=SHAPE.public_names))
    assert once.read_bytes() == again.read_bytes()
    assert extract_interface(read_manifest(once)).digest == extract_interface(read_manifest(larger)).digest


def test_a_generated_manifest_is_as_large_as_a_compiled_one(tmp_path):
    """As dbt 1.12 does it: 2.2 MB for 100 models, 615 KB of them dbt's own macros, and compiled code on top."""
    write_manifest(tmp_path / "manifest.json", replace(SHAPE, models=100))
    document = json.loads((tmp_path / "manifest.json").read_bytes())
    compiled = sum(len(json.dumps(node["compiled_code"])) for node in document["nodes"].values())
    size = (tmp_path / "manifest.json").stat().st_size
    assert size == pytest.approx(2.22e6 + compiled, rel=0.05)
    assert len(json.dumps(document["macros"])) == pytest.approx(615e3, rel=0.05)
    assert compiled / (size - 615e3) > 0.1


def test_a_row_is_a_ratio_of_two_processes(tmp_path):
    row = next(rows([SHAPE.models]))
    with Workshop(tmp_path, runs=1) as workshop:
        measured = row.measure(workshop)
    assert measured.value > 0
    assert re.fullmatch(r"[\d.]+ / [\d.]+ s, \d+ / \d+ MiB", measured.detail)
    assert row.target is None  # nothing is promised for a manifest as small as this


@pytest.mark.parametrize(("value", "verdict"), [(0.3, "yes"), (0.36, "noise"), (0.38, "no")])
def test_a_target_is_missed_by_more_than_the_stated_noise(value, verdict):
    assert judge(0.35, Measured(value=value, noise=0.02)) == verdict
    assert judge(None, Measured(value=value, noise=0.02)) == ""


def test_a_generated_consumer_is_read_to_the_last_query(tmp_path):
    write_consumer(tmp_path / "manifest.json", 40)
    manifest = read_manifest(tmp_path / "manifest.json")
    with Readings(manifest.adapter, processes=1) as readings:
        reads = read_usage(manifest, {}, readings).reads
    assert len([node for node in manifest.nodes if node.startswith("model.")]) == 40
    assert readings.cold == 40
    assert [found for found in reads if found.unread] == []
    staging = {found.node for found in reads if ".stg_" in found.node and found.node.startswith("model.")}
    assert len(staging) == 12
    assert {way for found in reads for way in found.whole} == {"output"}
