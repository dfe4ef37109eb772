"""Lines of shell that tell somebody something, each by itself: GitHub, and who holds the webhook."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_tools.artifacts.snowflake_profiles import profiles
from registry_tools.artifacts.verdict_markdown import marker
from tests.deployments import written
from tests.workflows import fake_gh
from tests.workflows.checked import FOLDER, jobs
from tests.workflows.expressions import interpolated

OWN = "acme/shop"
UPGRADE = "upgrade-upstreams.yml"
GITHUB = {"ref_name": "main", "token": "default token", "event": {"number": 7}}


def step_of(workflow: str, job: str, name: str) -> dict[str, Any]:
    steps: list[dict[str, Any]] = dict(jobs(FOLDER / workflow))[job]["steps"]
    return next(step for step in steps if step.get("name") == name)


def told(folder: Path, step: dict[str, Any], held: dict[str, Any], /, **inputs: str) -> tuple[int, dict[str, Any]]:
    """How the step ended, and what the repository holds then."""
    tools, state = folder / "tools", folder / "github.json"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text(f'#!/bin/bash\nexec "{sys.executable}" "{fake_gh.__file__}" "$@"\n')
    (tools / "gh").chmod(0o755)
    empty = {"calls": [], "comments": [], "refs": {}, "files": {}, "pulls": [], "unreachable": False}
    state.write_text(json.dumps(empty | held))
    contexts = {"inputs": inputs, "github": GITHUB, "steps": {"app": {"outputs": {}}}}
    environment = {
        **{name: interpolated(value, contexts) for name, value in step["env"].items()},
        "PATH": f"{tools}:{os.environ['PATH']}",
        fake_gh.STATE: str(state),
        "GITHUB_REPOSITORY": OWN,
        "GITHUB_SHA": "abc",
        "GITHUB_REF_NAME": "main",
    }
    shell = ["--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else ["-e"]
    run = subprocess.run(["bash", *shell, "-c", step["run"]], cwd=folder, env=environment, check=False)
    return run.returncode, json.loads(state.read_text())


@pytest.fixture
def upgrade(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "upgrade").mkdir()
    (tmp_path / "upgrade/mesh.lock").write_text("new\n")
    (tmp_path / "upgrade/upgrade.md").write_text("what to review\n")
    return step_of(UPGRADE, "propose", "Propose the new mesh.lock")


@pytest.mark.parametrize(("folder", "lock"), [(".", "mesh.lock"), ("a/b/shop", "a/b/shop/mesh.lock")])
def test_a_lock_is_proposed_wherever_it_stands(tmp_path: Path, upgrade: dict[str, Any], folder: str, lock: str) -> None:
    code, held = told(tmp_path, upgrade, {}, project="shop", folder=folder)
    assert code == 0
    assert held["files"] == {lock: "new\n"}
    assert [pull["body"] for pull in held["pulls"]] == ["what to review\n"]


def test_what_was_proposed_is_brought_up_to_date(tmp_path: Path, upgrade: dict[str, Any]) -> None:
    stands = {
        "pulls": [{"number": 1, "head": "mesh/upgrade-shop", "body": "old"}],
        "refs": {"refs/heads/mesh/upgrade-shop": "an older commit"},
    }
    code, held = told(tmp_path, upgrade, stands, project="shop", folder="shop")
    assert code == 0
    assert [pull["body"] for pull in held["pulls"]] == ["what to review\n"]
    commit = held["made"][held["refs"]["refs/heads/mesh/upgrade-shop"]]
    assert commit["parents[]"] == "abc"
    moved = [call["words"] for call in held["calls"] if any("/git/refs" in word for word in call["words"])]
    assert [words[3] for words in moved] == ["POST", "PATCH"]
    assert all("sha=abc" not in words for words in moved), "at its base GitHub closes a pull request"


def test_a_comment_of_an_earlier_commit_does_not_stand_where_nothing_was_checked(tmp_path: Path) -> None:
    step = step_of("pr-impact.yml", "comment", "Bring the comment up to date")
    said = marker("shop", "pre-prod")
    others = [
        {"id": 1, "author": "mallory", "body": f"{said}\nyes"},
        {"id": 2, "author": fake_gh.BOT, "body": f"{marker('desk', 'pre-prod')}\nyes"},
    ]
    mine = {"id": 3, "author": fake_gh.BOT, "body": f"{said}\nyes"}
    code, held = told(tmp_path, step, {"comments": [*others, mine]}, project="shop", environment="pre-prod")
    assert code == 0
    assert held["comments"][:2] == others
    assert held["comments"][2]["body"].startswith(f"{said}\n### shop in pre-prod: not checked\n")
    (tmp_path / "found/mesh.md").unlink()
    _, held = told(tmp_path, step, {"comments": others}, project="shop", environment="pre-prod")
    assert held["comments"] == others, "nothing is said twice"


def test_one_consumer_that_cannot_be_started_keeps_none_waiting(tmp_path: Path) -> None:
    step = step_of("publish.yml", "start", "Start them")
    code, held = told(tmp_path, step, {"disabled": ["a.yml"]}, project="shop", consumers="a.yml b.yml")
    assert [call["words"][2] for call in held["calls"]] == ["a.yml", "b.yml"]
    assert code == 1
    assert told(tmp_path, step, {}, project="shop", consumers="a.yml b.yml")[0] == 0


@pytest.mark.parametrize("environment", ["ci", "pre-merge"])
def test_a_pull_request_is_built_in_the_schema_that_its_profile_reads(tmp_path: Path, environment: str) -> None:
    text = f"""\
version: 1
environments: {{prod: {{reads: prod}}, {environment}: {{reads: prod}}}}
projects: {{shop: {{snowflake: {{database: "SHOP_{{ENV}}", warehouse: SHOP_WH, role: SHOP_ROLE}}}}}}
"""
    (file,) = profiles(written(tmp_path, text))
    said: dict[str, str] = dict(jobs(FOLDER / "sync-and-build.yml"))["build"]["env"]
    (name,) = (name for name, value in said.items() if "format('pr_{0}', github.event.number)" in value)
    assert f"schema: \"{{{{ env_var('{name}', " in file.content.decode()


@pytest.mark.parametrize("identity", ["aws", "key_pair"])
def test_a_job_that_runs_dbt_has_the_variables_that_its_profile_needs(tmp_path: Path, identity: str) -> None:
    text = f"""\
version: 1
environments: {{prod: {{reads: prod}}}}
snowflake: {{identity: {identity}}}
projects: {{shop: {{snowflake: {{database: SHOP, warehouse: SHOP_WH, role: SHOP_ROLE}}}}}}
"""
    (file,) = profiles(written(tmp_path, text))
    profile = yaml.safe_load(file.content)["shop"]["outputs"]["prod"]
    needed = set(re.findall(r"env_var\('(\w+)'\)", str(profile)))
    assert "SNOWFLAKE_ACCOUNT" in needed
    lacking = {
        path.name: needed - set(job["env"])
        for path in sorted(FOLDER.glob("*.yml"))
        for _, job in jobs(path)
        if any("dbt " in step.get("run", "") for step in job.get("steps", [])) and "DBT_MESH_ENV" in job.get("env", {})
    }
    assert lacking == {
        name: set() for name in ("drift.yml", "pr-impact.yml", "publish.yml", "sync-and-build.yml", UPGRADE)
    }


@pytest.mark.parametrize(
    ("day", "hook", "told"),
    [
        ("1", "https://hooks.example/1", ["notify shop@prod --leaving"]),
        ("2", "https://hooks.example/1", []),
        ("1", "", []),
    ],
)
def test_what_leaves_is_told_on_mondays_where_somebody_wants_to_know(
    tmp_path: Path, day: str, hook: str, told: list[str]
) -> None:
    step = step_of("drift.yml", "drift", "On Mondays, tell what leaves soon")
    for tool, does in (("date", f"echo {day}"), ("mesh", f'echo "$*" >> {tmp_path / "told"}; exit 3')):
        (tmp_path / tool).write_text(f"#!/bin/bash\n{does}\n")
        (tmp_path / tool).chmod(0o755)
    given = {"DBT_MESH_WEBHOOK": hook, "MESH_PROJECT": "shop", "DBT_MESH_ENV": "prod"}
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **given}
    run = subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, check=False)
    assert run.returncode == 0, "nobody's drift is that nobody was told"
    assert ((tmp_path / "told").read_text().splitlines() if told else []) == told
    assert (tmp_path / "told").exists() == bool(told)
