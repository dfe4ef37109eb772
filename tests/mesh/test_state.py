"""What `mesh state` says is what dbt compiles, with and without --defer, in a target where nothing is built."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.running import RunningMesh

pytestmark = pytest.mark.mesh

TARGET = ("--target", "local_dev")


def explained(demo: RunningMesh, project: str, code: int) -> dict[str, Any]:
    run = demo.run(project, "mesh", "state", "--format", "json")
    assert run.returncode == code, run.stdout
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def compiled(demo: RunningMesh, project: str, folder: str, *flags: str) -> dict[str, str]:
    """The SQL of every model of the project, by unique_id."""
    run = demo.run(project, "dbt", "compile", *TARGET, "--target-path", folder, *flags)
    assert run.returncode == 0, run.stdout
    manifest = json.loads((demo.root / project / folder / "manifest.json").read_text())
    own = (node for uid, node in manifest["nodes"].items() if uid.startswith(f"model.{project}."))
    return {node["unique_id"]: node["compiled_code"] for node in own}


def parents(demo: RunningMesh, project: str) -> dict[str, list[str]]:
    manifest = json.loads((demo.root / project / "target/manifest.json").read_text())
    return {uid: node["depends_on"]["nodes"] for uid, node in manifest["nodes"].items() if uid.startswith("model.")}


# What reads stubs alone reads them in one place, deferred or not.
STUBS_ALONE = "dbt_down_package"


@pytest.fixture(params=["dbt_down_loom", STUBS_ALONE, "dbt_up"])
def parsed(request: pytest.FixtureRequest, demo: RunningMesh) -> str:
    """A project of the demo, synced for dev and parsed for an empty schema."""
    project: str = request.param
    line = f"sync_mesh --env dev && dbt --quiet parse {' '.join(TARGET)}"
    run = demo.shell(project, line)
    assert run.returncode == 0, run.stdout
    return project


def test_a_node_is_read_where_it_is_said_to_be(demo: RunningMesh, parsed: str) -> None:
    found = explained(demo, parsed, 0)
    standings = {node["unique_id"]: node for node in found["nodes"]}
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(compiled, demo, parsed, "target_plain")
        deferred = pool.submit(compiled, demo, parsed, "target_deferred", "--defer", "--state", "state")
    moved = 0
    for unique_id, above in parents(demo, parsed).items():
        if unique_id not in plain.result():
            continue
        expected = plain.result()[unique_id]
        for parent in (standings[name] for name in above if standings[name]["fate"] == "defers"):
            assert parent["target"] in expected
            expected = re.sub(rf"{re.escape(parent['target'])}\b", parent["deferred"], expected)
            moved += parent["target"] != parent["deferred"]
        assert deferred.result()[unique_id] == expected
    assert bool(moved) == (parsed != STUBS_ALONE)


def test_a_state_of_another_project_is_told_where_dbt_says_nothing(demo: RunningMesh) -> None:
    run = demo.shell("dbt_down", f"sync_mesh --env dev && dbt --quiet parse {' '.join(TARGET)}")
    assert run.returncode == 0, run.stdout
    assert demo.run("dbt_up", "sync_mesh", "--env", "dev").returncode == 0
    theirs = demo.root / "dbt_up/state/manifest.json"
    shutil.copy(theirs, demo.root / "dbt_down/state/manifest.json")
    findings = explained(demo, "dbt_down", 1)["findings"]
    assert "foreign-state" in [finding["check"] for finding in findings]
    flags = ("--defer", "--favor-state", "--state", "state")
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(compiled, demo, "dbt_down", "target_plain")
        deferred = pool.submit(compiled, demo, "dbt_down", "target_foreign", *flags)
    assert plain.result() == deferred.result()
