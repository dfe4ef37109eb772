"""Every workflow, carried out on the embedded mesh with the real commands: what is done, in which order, by whom."""

import json
import re
import shutil
import stat
import subprocess
from typing import Any

import pytest

from tests.running import REPOSITORY
from tests.workflows.fake_gh import BOT
from tests.workflows.world import World, pull_request

pytestmark = pytest.mark.mesh

APP = {"MESH_APP_ID": "12"}
KEY = {"MESH_APP_KEY": "the key of the App"}
BUILDER = REPOSITORY / "tests/workflows/fake_uv.py"
EVERYTHING = "dbt |mesh |sync_mesh |publish_manifest "
NIGHTLY = {"dbt_down": "7 4 * * *", "dbt_down_package": "21 4 * * *"}
PROD = ("arn:aws:iam::123456789012:role/dbt-mesh-dbt-up", "dbt_up-prod")


def patched(world: World, name: str) -> None:
    """A branch with one of the pull requests that the demo shows."""
    world.branch(name)
    patch = REPOSITORY / "examples/pull_requests" / f"{name}.patch"
    subprocess.run(["git", "apply", str(patch)], cwd=world.repository, check=True)
    world.commit()


def published(world: World, selector: str) -> int:
    """How many records the log of `dbt_up@prod` has, as the registry of the runs has it."""
    environment = world.demo.environment | {"DBT_MESH_REGISTRY": "s3://dbt-mesh/workflows"}
    shown = subprocess.run(
        ["mesh", "history", selector, "--format", "json"],
        cwd=world.repository,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return len(json.loads(shown.stdout)["records"])


def test_a_merge_builds_publishes_grants_and_then_tells_everybody_who_reads_it(world: World) -> None:
    elsewhere(world, "acme/growth", "acme/gone")
    before = published(world, "dbt_up@prod")
    jobs = world.run("dbt_up.yml", "push", variables=APP, secrets=KEY)
    publish = jobs["publish-prod / publish"]
    assert publish.result == "success", publish.steps
    assert set(jobs) == {
        "publish-prod / publish",
        "publish-prod / start",
        "publish-prod / tell (acme, gone)",
        "publish-prod / tell (acme, growth)",
    }
    assert [call for call in world.calls if not call.startswith("python")] == [
        "sync_mesh --env prod --locked",
        "dbt parse --target prod",
        "mesh check --format github",
        "dbt build --defer --state state --target prod",
        "publish_manifest --env prod",
        "mesh grants apply --env prod",
        "mesh consumers dbt_up --format repositories",
    ]
    assert published(world, "dbt_up@prod") == before + 1
    assert world.roles == [PROD]
    assert publish.printed("Let those read it who may").splitlines()[-1].startswith("✓ dbt_up@prod#")
    assert "### dbt_up in prod" in publish.summary
    assert "    ✓ published dbt_up@prod#" in publish.summary
    told = [(call["words"], call["token"]) for call in world.github["calls"]]
    assert [(words[2], words[-1], token) for words, token in told[:3]] == [
        (f"dbt_down{which}.yml", "chain=/dbt_up/", "default token") for which in ("", "_loom", "_package")
    ]
    assert [(words[3], token) for words, token in told[3:]] == [
        ("repos/acme/gone/dispatches", "token for acme/gone"),
        ("repos/acme/growth/dispatches", "token for acme/growth"),
    ]
    assert "event_type=mesh-published" in told[4][0]
    assert "client_payload[project]=dbt_up" in told[4][0]


def elsewhere(world: World, *repositories: str) -> None:
    """Consumers of dbt_up that publish from repositories of their own."""
    for number, name in enumerate(repositories):
        job = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "1", "GITHUB_SHA": "a" * 40, "GITHUB_REPOSITORY": name}
        run = subprocess.run(
            ["mesh", "publish", "--env", f"other{number}", "--usage-only", "--registry", "s3://dbt-mesh/workflows"],
            cwd=world.demo.root / "dbt_down_loom",
            env=world.demo.environment | job,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr


def test_what_is_refused_stops_before_anything_is_built_published_granted_or_told(world: World) -> None:
    patched(world, "drop_amount")
    before = published(world, "dbt_up@prod")
    hook = {"DBT_MESH_WEBHOOK": "https://hooks.example/1"}
    jobs = world.run("dbt_up.yml", "push", variables=APP, secrets=KEY | hook)
    (publish,) = jobs.values()
    assert publish.result == "failure"
    outcomes = publish.outcomes()
    assert outcomes["Look whom it would break"] == "failure"
    for name in ("Build", "Publish", "Let those read it who may", "Find out who reads it"):
        assert outcomes[name] == "skipped"
    assert published(world, "dbt_up@prod") == before
    assert "::error" in publish.printed("Look whom it would break")
    assert "Nothing was published." in publish.summary
    assert "column-removed" in publish.summary
    assert world.asked("mesh")[-1].startswith("notify --refused ")
    assert world.github["calls"] == []


def test_grants_that_fail_stop_the_news_and_leave_the_publication(world: World) -> None:
    jobs = world.run("dbt_up.yml", "push", faked=EVERYTHING, failing="mesh grants", variables=APP, secrets=KEY)
    (publish,) = jobs.values()
    outcomes = publish.outcomes()
    assert publish.result == outcomes["Let those read it who may"] == "failure"
    assert (outcomes["Publish"], outcomes["Find out who reads it"]) == ("success", "skipped")
    assert world.github["calls"] == []


def called(project: str, environment: str = "prod") -> dict[str, Any]:
    """The inputs of a reusable workflow for one project."""
    return {
        "project": project,
        "folder": project,
        "environment": environment,
        "github-environment": f"{project}-{environment}",
        "registry": "s3://dbt-mesh/workflows",
        "aws-role": f"arn:aws:iam::123456789012:role/{project}",
        "aws-region": "us-east-1",
    }


def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(world: World) -> None:
    patched(world, "drop_amount")
    stranger = {"id": 1, "author": "mallory", "body": "<!-- mesh-check dbt_up@prod -->\nlooks fine to me"}
    other = {"id": 2, "author": BOT, "body": "<!-- mesh-check dbt_down@prod -->\nanother project's"}
    world.change_github(comments=[stranger, other])
    jobs = world.run("dbt_up.yml", "pull_request")
    check, comment = jobs["impact-prod / check"], jobs["impact-prod / comment"]
    assert (check.result, comment.result) == ("failure", "success")
    assert world.roles == [("arn:aws:iam::123456789012:role/dbt-registry-pull-request", "")]
    assert "::error file=dbt_up/models/marts/public_orders.yml,line=" in check.printed(
        "Check what it does to its consumers"
    )
    assert check.permissions == {"contents": "read", "id-token": "write"}
    assert comment.permissions == {"pull-requests": "write"}
    first, second, written = world.github["comments"]
    assert (first, second) == (stranger, other)
    assert written["body"].startswith("<!-- mesh-check dbt_up@prod -->\n### ")
    assert "downstream_orders" in written["body"]
    assert check.summary == written["body"]

    patched(world, "drop_created_at")
    jobs = world.run("dbt_up.yml", "pull_request")
    assert {job.result for job in jobs.values()} == {"success"}
    *_, mended = world.github["comments"]
    assert mended["id"] == written["id"]
    assert ": yes, 1 change may go on" in mended["body"]
    assert len(world.github["comments"]) == 3


def test_a_forks_pull_request_runs_nothing_of_it_and_gets_no_rights(world: World) -> None:
    jobs = world.run(
        "dbt_up.yml", "pull_request", payload=pull_request("mallory/dbt-mesh"), variables={"MESH_BUILD_IN_CI": "true"}
    )
    assert set(jobs) == {"impact-prod / fork"}
    (fork,) = jobs.values()
    assert fork.permissions == {}
    assert "gh pr checkout 7" in fork.summary
    assert world.calls == []
    assert world.roles == []


def test_nothing_runs_before_the_account_is_named_and_no_branch_publishes(world: World) -> None:
    for event in ("push", "pull_request", "workflow_dispatch"):
        assert world.run("dbt_up.yml", event, variables={"SNOWFLAKE_ACCOUNT": ""}) == {}
    assert world.run("dbt_down.yml", "schedule", payload={"schedule": "1 1 1 1 1"}) == {}


def test_news_that_are_not_of_an_upstream_or_come_round_again_start_nothing(world: World) -> None:
    for payload in (
        {"project": "dbt_other", "chain": "/dbt_other/"},
        {"project": "dbt_up", "chain": "/dbt_down/dbt_up/"},
    ):
        assert world.run("dbt_down.yml", "repository_dispatch", payload={"client_payload": payload}) == {}
    assert world.run("dbt_down.yml", "workflow_dispatch", chain="/dbt_down/dbt_up/") == {}


def test_a_pull_request_builds_what_it_changed_where_somebody_wanted_that(world: World) -> None:
    wanted, trusted = {"MESH_BUILD_IN_CI": "true"}, {"dbt_down_package-ci": {"AWS_ROLE_ARN": "arn:ci"}}
    jobs = world.run("dbt_down_package.yml", "pull_request", faked=EVERYTHING, variables=wanted, environments=trusted)
    assert set(jobs) == {"build-ci / build", "impact-prod / check", "impact-prod / comment"}
    build = jobs["build-ci / build"]
    assert build.environment == "dbt_down_package-ci"
    assert ("arn:ci", "dbt_down_package-ci") in world.roles
    assert "publish_manifest --env ci --usage-only" not in world.calls
    nightly = world.run(
        "dbt_down_package.yml",
        "schedule",
        payload={"schedule": NIGHTLY["dbt_down_package"]},
        faked=EVERYTHING,
        variables=wanted,
        environments=trusted,
    )
    assert [name for name in nightly if name.startswith("prune")] == ["prune-ci / prune"]
    assert world.asked("mesh")[-1] == "snowflake prune --env ci --yes"
    assert world.roles[-1] == ("arn:ci", "dbt_down_package-ci")
    assert "The check wrote no report" in jobs["impact-prod / comment"].printed("Bring the comment up to date")
    assert set(world.run("dbt_down_package.yml", "pull_request", faked=EVERYTHING)) == set(jobs) - {"build-ci / build"}


def test_a_project_builds_what_changed_and_says_what_it_reads(world: World) -> None:
    world.branch("change")
    model = world.repository / "dbt_down_package/models/marts/customer_cards.sql"
    model.write_text(model.read_text() + "\n-- changed\n")
    world.commit()
    jobs = world.run("sync-and-build.yml", "schedule", **called("dbt_down_package", "ci"), usage=True, deps=True)
    (build,) = jobs.values()
    assert build.result == "success", build.steps
    assert [call for call in world.calls if not call.startswith("python")] == [
        "sync_mesh --env ci --locked",
        "dbt deps",
        "dbt build --select state:modified+ --defer --state state --target ci",
        "dbt compile --defer --state state --target ci",
        "publish_manifest --env ci --usage-only",
    ]
    assert re.search(r"### dbt_down_package in ci\n\n.*\d+ (?:pass|success)", build.summary)
    assert "shelf_prices" not in build.printed("Build what changed")


def test_an_upgrade_is_proposed_once_and_then_brought_up_to_date(world: World) -> None:
    """Upstream published since mesh.lock was written: a branch, a commit of that one file, a pull request."""
    fresh = world.demo.root / "dbt_up"
    manifest = json.loads((fresh / "target/manifest.json").read_text())
    manifest["metadata"]["generated_at"] = "2099-01-01T00:00:00Z"
    later = world.folder / "later/target/manifest.json"
    later.parent.mkdir(parents=True, exist_ok=True)
    later.write_text(json.dumps(manifest))
    shutil.copy(fresh / "dbt_project.yml", later.parents[1])
    told = world.demo.environment | {"DBT_MESH_REGISTRY": "s3://dbt-mesh/workflows"}
    subprocess.run(
        ["mesh", "publish", "--env", "prod"], cwd=later.parents[1], env=told, check=True, capture_output=True
    )

    weekly = world.run(
        "dbt_down.yml", "schedule", payload={**pull_request("x"), "schedule": "7 5 * * 1"}, faked="dbt build"
    )
    assert {name: job.result for name, job in weekly.items()} == {
        "upgrade / upgrade": "success",
        "upgrade / propose": "success",
    }
    assert "dbt build --select state:modified+ --defer --state state --target ci" in world.calls
    assert "sync_mesh --env prod --upgrade" in world.calls
    held = world.github
    (commit,) = (held["made"][sha] for name, sha in held["refs"].items() if name == "refs/heads/mesh/upgrade-dbt_down")
    assert commit["parents[]"] == world.git("rev-parse", "HEAD")
    assert set(held["files"]) == {"dbt_down/mesh.lock"}
    assert held["files"]["dbt_down/mesh.lock"] != (world.repository / "dbt_down/mesh.lock").read_text()
    (pull,) = held["pulls"]
    assert pull["body"].startswith("dbt_down reads its upstreams as they are published now.")
    assert "| dbt build | success |" in pull["body"]
    assert {call["token"] for call in held["calls"]} == {"default token"}

    again = world.run(
        "upgrade-upstreams.yml", "schedule", payload=pull_request("x"), **called("dbt_down"), faked="dbt "
    )
    assert {job.result for job in again.values()} == {"success"}
    assert len(world.github["pulls"]) == 1
    assert "| dbt build | skipped |" in world.github["pulls"][0]["body"]

    (world.repository / "dbt_down/mesh.lock").write_text(held["files"]["dbt_down/mesh.lock"])
    world.branch("merged")
    world.commit()
    settled = world.run(
        "upgrade-upstreams.yml", "schedule", payload=pull_request("x"), **called("dbt_down"), faked="dbt "
    )
    assert set(settled) == {"upgrade"}
    assert settled["upgrade"].outcomes()["Parse"] == "skipped"


def test_drift_is_looked_for_to_the_end_and_is_an_error(world: World) -> None:
    nightly = {"schedule": NIGHTLY["dbt_down"]}
    jobs = world.run("dbt_down.yml", "schedule", payload=nightly, failing="mesh grants plan")
    (drift,) = jobs.values()
    assert drift.environment == "dbt_down-prod"
    outcomes = drift.outcomes()
    assert outcomes["It will build on what its upstreams publish now"] == "success", drift.steps
    assert outcomes["Its log, files and views are whole"] == "success"
    assert outcomes["Its consumers may read what is public, and nothing else"] == "failure"
    assert drift.result == "failure"
    assert world.asked("mesh") == [
        "render --check",
        "check --consumer --format github",
        "fsck dbt_down@prod",
        "grants plan --env prod --check",
    ]


def test_the_setup_is_planned_in_a_pull_request_and_applied_on_main(world: World) -> None:
    state = world.repository / "aws_setup/backend.tf"
    state.parent.mkdir(exist_ok=True)
    world.branch("setup")
    state.write_text("terraform {}\n")
    world.commit()
    account = {"AWS_ROLE_ARN": "arn:setup"}
    jobs = world.run("setup.yml", "pull_request", variables=account, faked="mesh ")
    assert {name: job.environment for name, job in jobs.items()} == {"rendered": "", "plan": "mesh-setup-plan"}
    assert world.asked("terraform")[-1] == "plan -input=false -lock=false -no-color"
    jobs = world.run("setup.yml", "push", variables=account, faked="mesh ")
    assert {name: job.environment for name, job in jobs.items()} == {"rendered": "", "apply": "mesh-setup"}
    assert [line.split()[0] for line in world.asked("terraform")] == ["init", "plan", "apply"]
    assert world.asked("terraform")[-1].endswith(" setup.tfplan")
    jobs = world.run("setup.yml", "push", variables=account, failing="mesh render")
    assert {name: job.result for name, job in jobs.items()} == {"rendered": "failure"}
    jobs = world.run("setup.yml", "schedule", variables=account, faked="mesh ")
    assert set(jobs) == {"rendered", "plan"}
    jobs = world.run("setup.yml", "schedule", variables=account | {"MESH_CHECK_ACCOUNT": "true"}, faked="mesh ")
    assert set(jobs) == {"rendered", "plan", "account"}
    assert world.asked("terraform")[-1].endswith("-detailed-exitcode")
    fork = pull_request("mallory/dbt-mesh")
    assert set(world.run("setup.yml", "pull_request", payload=fork, variables=account, faked="mesh ")) == {"rendered"}


def example(world: World, name: str, event: str, **given: Any) -> list[str]:
    """The names of the jobs of an example that ran, in order, nothing of them done for real."""
    shutil.copy(REPOSITORY / "examples/workflows" / name, world.repository / ".github/workflows")
    return list(world.run(name, event, faked=EVERYTHING, **given))


def test_sequential_builds_whoever_reads_after_what_it_reads_and_not_without_it(world: World) -> None:
    projects = ["dbt_up / publish", "dbt_down / publish", "dbt_down_package / publish"]
    assert example(world, "sequential.yml", "push") == projects
    assert example(world, "sequential.yml", "push", failing="dbt build") == projects[:1]


def test_independent_schedules_build_one_project_each(world: World) -> None:
    ran = {
        cron: example(world, "independent-schedules.yml", "schedule", payload={"schedule": cron})
        for cron in ("0 * * * *", "*/15 * * * *")
    }
    assert list(ran.values()) == [["upstream / publish"], ["downstream / build"]]
    assert world.calls[-2].startswith("publish_manifest --env prod --usage-only")


def test_on_demand_upstream_starts_whoever_reads_it(world: World) -> None:
    assert example(world, "on-demand.yml", "workflow_dispatch") == ["dbt_up / publish", "dbt_up / start"]
    assert [call["words"][2] for call in world.github["calls"]] == ["dbt_down.yml", "dbt_down_package.yml"]
    elsewhere = "in-a-repository-of-its-own.yml"
    for project, chain, ran in (
        ("dbt_up", "/dbt_up/", ["publish / publish"]),
        ("dbt_other", "/dbt_other/", []),
        ("dbt_up", "/dbt_finance/dbt_up/", []),
    ):
        payload = {"client_payload": {"project": project, "environment": "prod", "chain": chain}}
        assert example(world, elsewhere, "repository_dispatch", payload=payload) == ran


def test_a_release_is_built_once_and_only_of_a_tag_on_main(world: World) -> None:
    """The build is a stand-in that makes a wheel of one module; it is installed and asked for its version for real."""
    (world.repository / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (world.repository / "CHANGELOG.md").write_text("## 1.2.3\n")
    (world.repository / "Makefile").write_text(f"install:\n\tmkdir -p .venv/bin && cp {BUILDER} .venv/bin/uv\n")
    world.commit()
    jobs = world.run("release.yml", "push", tag="v1.2.3")
    assert {name: job.result for name, job in jobs.items()} == dict.fromkeys(("build", "attest", "publish"), "success")
    assert jobs["publish"].environment == "pypi"
    assert jobs["publish"].permissions == {"id-token": "write"}
    assert [path.name for path in (jobs["publish"].workspace / "dist").iterdir()] == ["mini-1.2.3-py3-none-any.whl"]
    assert set(world.run("release.yml", "push", tag="v1.2.4")) == {"build"}
    world.branch("elsewhere")
    world.commit()
    refused = world.run("release.yml", "push", tag="v1.2.3")
    assert {name: job.result for name, job in refused.items()} == {"build": "failure"}


def test_a_private_key_lies_where_one_user_reads_it_and_nowhere_else(world: World) -> None:
    secrets = {"SNOWFLAKE_PRIVATE_KEY": "-----BEGIN KEY-----\nabc", "SNOWFLAKE_KEY_PASSPHRASE": "a phrase"}
    jobs = world.run("publish.yml", "push", **called("dbt_up"), secrets=secrets, faked=EVERYTHING)
    publish = jobs["publish"]
    key = publish.workspace.with_name("workspace.p8")
    assert key.read_text() == "-----BEGIN KEY-----\nabc\n"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not any("a phrase" in step.printed or "BEGIN KEY" in step.printed for step in publish.steps)
    without = world.run("publish.yml", "push", **called("dbt_up"), faked=EVERYTHING)["publish"]
    assert without.outcomes()["Lay the private key where this user alone reads it"] == "skipped"
