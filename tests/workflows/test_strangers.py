"""What others copy out of examples/, in a repository of their own, every line carried out on the embedded mesh."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from tests.running import REPOSITORY
from tests.workflows.test_runs import called
from tests.workflows.world import World, embed

pytestmark = pytest.mark.mesh

GITLAB = yaml.safe_load((REPOSITORY / "examples/gitlab/mesh.gitlab-ci.yml").read_text())
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
REGISTRY = "s3://dbt-mesh/workflows"
OWN = """\
version: 1
registry: ${DBT_MESH_REGISTRY:-s3://acme-dbt-mesh/registry}
environments: {prod: {reads: prod}}
aws: {account: "123456789012", region: eu-central-1, bucket: acme-dbt-mesh}
projects:
  dbt_down:
    path: .
    snowflake: {database: "DBT_DOWN_{ENV}", warehouse: DBT_DOWN_WH, role: DBT_DOWN_ROLE}
    upstreams:
      dbt_up: {as: sources}
"""


@pytest.fixture
def stranger(world: World) -> World:
    """dbt_down at the root of a repository of its own, with its own mesh.yml, rendered by the real command."""
    world.branch("stranger")
    for name in ("dbt_up", "dbt_down_loom", "dbt_down_package", "snowflake_setup"):
        shutil.rmtree(world.repository / name)
    for file in (world.repository / "dbt_down").iterdir():
        shutil.move(file, world.repository / file.name)
    (world.repository / "dbt_down").rmdir()
    (world.repository / "mesh.yml").write_text(OWN)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    for words in (["snowflake", "render"], ["snowflake", "render", "--check"]):
        command = [str(Path(sys.executable).parent / "mesh"), *words]
        subprocess.run(command, cwd=world.repository, env=environment, check=True)
    embed(world.repository)
    world.commit()
    return world


def test_a_project_in_a_repository_of_its_own_is_published_upon_its_upstreams_news(stranger: World) -> None:
    """What it calls is another repository's, which stands for itself here."""
    name = "in-a-repository-of-its-own.yml"
    text = (REPOSITORY / "examples/workflows" / name).read_text().replace("dbt_finance", "dbt_down")
    text = text.replace("s3://acme-dbt-mesh/registry", REGISTRY)
    (stranger.repository / ".github/workflows" / name).write_text(text)
    news = {"client_payload": {"project": "dbt_up", "environment": "prod", "chain": "/dbt_up/"}}
    jobs = stranger.run(name, "repository_dispatch", payload=news)
    (publish,) = jobs.values()
    assert publish.result == "success", [(step.name, step.outcome, step.printed) for step in publish.steps]
    assert "published dbt_down@prod#" in publish.summary
    elsewhere = {"client_payload": news["client_payload"] | {"environment": "staging"}}
    assert stranger.run(name, "repository_dispatch", payload=elsewhere) == {}


def carried_out(world: World, job: str, **given: str) -> subprocess.CompletedProcess[str]:
    """The job's script and what comes before it, as a runner of GitLab's runs them."""
    checkout = world.folder / "builds" / job
    shutil.rmtree(checkout, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(world.repository), str(checkout)], check=True)
    for tool in ("curl", "apt-get"):
        (world.folder / "tools" / tool).write_text("#!/bin/bash\n")
        (world.folder / "tools" / tool).chmod(0o755)
    ours = {"MESH_PROJECT": "dbt_down", "MESH_FOLDER": ".", "DBT_MESH_REGISTRY": REGISTRY, "SNOWFLAKE_ACCOUNT": "acme"}
    known = {"CI_PROJECT_DIR": str(checkout), "CI_JOB_ID": "1", "GITLAB_CI": "true", **ours, **given}
    variables: dict[str, Any] = {**GITLAB["variables"], **GITLAB[job].get("variables", {}), **known}
    environment = {name: Template(str(value)).safe_substitute(known) for name, value in variables.items()}
    script = "\n".join([*GITLAB[".mesh"]["before_script"], *GITLAB[job]["script"]])
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=checkout,
        env=world.machine() | world.credentials | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_gitlab_judges_a_merge_request_and_publishes_what_is_merged(stranger: World) -> None:
    run = carried_out(stranger, "mesh-impact")
    assert run.returncode == 0, run.stdout + run.stderr
    report = (stranger.folder / "builds/mesh-impact/mesh.md").read_text()
    assert report.startswith("<!-- mesh-check dbt_down@prod -->\n")
    run = carried_out(stranger, "mesh-publish")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "published dbt_down@prod#" in run.stdout + run.stderr


def test_the_hooks_pass_where_everything_is_in_order_and_stop_a_push_where_not(stranger: World) -> None:
    environment = stranger.machine() | stranger.credentials | {"DBT_MESH_REGISTRY": REGISTRY, "SNOWFLAKE_ACCOUNT": "a"}
    environment |= {"DBT_PROFILES_DIR": str(stranger.repository / "snowflake_setup")}

    def run(*words: str) -> int:
        return subprocess.run(words, cwd=stranger.repository, env=environment, check=False).returncode

    assert run("sync_mesh") == 0
    assert run("dbt", "parse", "--target", "prod") == 0
    entries = {hook["id"]: shlex.split(hook["entry"]) for hook in HOOKS}
    assert [run(*entries[name]) for name in ("mesh-sync-check", "mesh-check")] == [0, 0]
    (generated,) = (stranger.repository / "models").glob("_mesh_*.yml")
    generated.unlink()
    assert run(*entries["mesh-sync-check"]) == 1


def test_the_first_publication_ever_needs_nothing_that_stands(world: World) -> None:
    first = called("dbt_up") | {"registry": f"{REGISTRY}-fresh"}
    jobs = world.run("publish.yml", "push", **first)
    assert jobs["publish"].result == "success", [(step.name, step.printed) for step in jobs["publish"].steps]
    assert "published dbt_up@prod#1" in jobs["publish"].summary
