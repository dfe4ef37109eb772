"""Usage of what dbt itself compiled: every query of the demo is read, and every line is where people find it."""

import re

import pytest

from registry_tools.intake.column_usage import read_usage
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.readings import Readings
from registry_tools.mesh.usage import Usage
from tests.running import RunningMesh

pytestmark = pytest.mark.mesh

CONSUMERS = ("dbt_down", "dbt_down_loom", "dbt_down_package")


@pytest.fixture(scope="module", params=CONSUMERS)
def consumer(request: pytest.FixtureRequest, demo: RunningMesh) -> tuple[str, Usage]:
    """A project of the demo and its usage."""
    name: str = request.param
    upstream = extract_interface(read_manifest(demo.root / "dbt_up/target/manifest.json"))
    # other tests parse here without compiling, and build parts
    compiled = demo.run(name, "dbt", "compile", "--target", "local", "--target-path", "target_usage")
    assert compiled.returncode == 0, compiled.stdout
    manifest = read_manifest(demo.root / name / "target_usage/manifest.json")
    with Readings(manifest.adapter, processes=1) as readings:
        return name, read_usage(manifest, {"dbt_up": upstream}, readings, folder=demo.root / name)


def test_nothing_of_the_demo_is_unread(consumer: tuple[str, Usage]) -> None:
    _, usage = consumer
    assert usage.reads
    assert [found for found in usage.reads if found.unread or found.is_every] == []


def test_every_column_is_named_on_its_line(demo: RunningMesh, consumer: tuple[str, Usage]) -> None:
    name, usage = consumer
    for found in usage.reads:
        lines = (demo.root / name / found.path).read_text().split("\n")
        for column, line in zip(found.columns, found.lines, strict=True):
            assert re.search(rf"\b{column}\b", lines[line - 1]), (found.node, column, line)


def test_every_model_is_referred_to_on_its_line(demo: RunningMesh, consumer: tuple[str, Usage]) -> None:
    name, usage = consumer
    for found in usage.reads:
        line = (demo.root / name / found.path).read_text().split("\n")[found.line - 1]
        entry = found.node.split(".")[-1] if found.path.endswith(".yml") else found.model
        assert entry in line, (found.node, found.line)
