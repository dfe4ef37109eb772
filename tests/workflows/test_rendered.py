"""The workflow of each project, out of mesh.yml: as expected, and by what it means.

`UPDATE_CASES=1 pytest tests/workflows/test_rendered.py` writes the expected files again; read the diff before
committing it. That they are sound, the files of this repository show (test_lint.py), and these (below).
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_tools.artifacts.workflow_files import workflows
from registry_tools.errors import UsageError
from tests.deployments import deployment_in, told, written
from tests.golden import assert_stands
from tests.running import REPOSITORY
from tests.workflows.expressions import holds
from tests.workflows.test_lint import assert_linted, tool

CASES = REPOSITORY / "tests/cases"
AWS = 'aws: {account: "123456789012", region: eu-central-1, bucket: acme-mesh}'
FIVE = CASES / "deployments/five_projects"
REPOSITORIES = CASES / "workflows/repositories"
ONE = """\
version: 1
environments: {prod: {reads: prod}}
github: {repository: acme/shop}
projects:
  shop: {path: %s, snowflake: {database: SHOP, warehouse: SHOP_WH, role: SHOP_ROLE}}
"""


def rendered(folder: Path) -> dict[str, dict[Any, Any]]:
    return {file.path.name: yaml.safe_load(file.content) for file in workflows(deployment_in(folder))}


def test_the_workflows_of_this_repository_are_as_mesh_yml_has_them() -> None:
    files = workflows(deployment_in(REPOSITORY))
    assert len(files) == 4
    for file in files:
        assert (REPOSITORY / file.path).read_bytes() == file.content, "mesh render workflows"


@pytest.mark.parametrize("folder", [FIVE, REPOSITORIES], ids=lambda folder: folder.name)
def test_workflows_are_as_expected(folder: Path) -> None:
    assert_stands(CASES / "workflows" / folder.name / "expected.txt", told(workflows(deployment_in(folder))))


def test_a_project_more_is_a_file_more_and_a_consumer_more(tmp_path: Path) -> None:
    text = (FIVE / "mesh.yml").read_text()
    smaller, board, _ = text.partition("  board:\n")
    assert board
    before = {file.path.name: file.content.decode() for file in workflows(written(tmp_path, smaller))}
    after = {file.path.name: file.content.decode() for file in workflows(written(tmp_path, text))}
    assert set(after) - set(before) == {"board.yml"}
    changed = {name for name, content in before.items() if after[name] != content}
    assert changed == {"finance.yml"}  # which it reads
    gone = set(before["finance.yml"].splitlines()) - set(after["finance.yml"].splitlines())
    come = set(after["finance.yml"].splitlines()) - set(before["finance.yml"].splitlines())
    assert (gone, come) == (set(), {"      consumers: board.yml"})


def test_each_job_that_publishes_has_its_own_role_and_its_own_environment() -> None:
    for name, document in rendered(FIVE).items():
        given = document["jobs"]["publish-prod"]["with"]
        project = name.removesuffix(".yml")
        assert given["github-environment"] == f"{project}-prod"
        assert given["aws-role"] == f"arn:aws:iam::123456789012:role/dbt-mesh-{project.replace('_', '-')}"
        impact = document["jobs"]["impact-prod"]
        assert "github-environment" not in impact["with"]
        assert "secrets" not in impact
        assert impact["with"]["aws-role"].endswith(":role/dbt-registry-pull-request")


def test_consumers_of_this_repository_are_started_and_others_are_told() -> None:
    files = rendered(REPOSITORIES)
    assert set(files) == {"project-publish.yml", "on.yml"}  # elsewhere renders its own
    jobs = files["project-publish.yml"]["jobs"]
    assert jobs["publish-prod"]["with"]["consumers"] == "on.yml"
    assert jobs["publish-prod"]["with"]["project"] == "publish"
    assert files["on.yml"]["jobs"]["publish-prod"]["with"]["project"] == "on"
    assert files["on.yml"]["name"] == "on"
    assert "consumers" not in files["on.yml"]["jobs"]["publish-prod"]["with"]


def test_every_environment_that_lasts_is_published_to_and_no_other() -> None:
    jobs = rendered(REPOSITORIES)["on.yml"]["jobs"]
    assert [name for name in jobs if name.startswith("publish-")] == ["publish-prod", "publish-staging"]
    assert [name for name in jobs if name.startswith("build-")] == ["build-pre-merge"]
    assert jobs["publish-staging"]["with"]["github-environment"] == "on-staging"
    assert jobs["upgrade"]["with"]["target"] == "pre-merge"  # the same role builds there
    assert "target" not in rendered(REPOSITORIES)["project-publish.yml"]["jobs"]["upgrade"]["with"]


def test_news_of_one_environment_build_what_reads_it() -> None:
    files = rendered(REPOSITORIES)
    jobs = files["on.yml"]["jobs"]
    told = {"event_name": "workflow_dispatch", "ref": "refs/heads/main", "event": {}}
    for environment, built in (
        ("prod", {"publish-prod", "publish-staging"}),
        ("staging", {"publish-staging"}),
        ("dev", set()),
        ("", {"publish-prod", "publish-staging"}),
    ):
        contexts = {
            "github": told,
            "vars": {"SNOWFLAKE_ACCOUNT": "acme"},
            "job": {"status": "success"},
            "inputs": {"chain": "/publish/", "environment": environment},
        }
        publishing = {name for name in jobs if name.startswith("publish-") and holds(jobs[name]["if"], contexts)}
        assert publishing == built
    assert "environment" in files["on.yml"][True]["workflow_dispatch"]["inputs"]


def test_what_is_merged_into_the_named_branch_is_published(tmp_path: Path) -> None:
    text = (ONE % "shop").replace("acme/shop}", "acme/shop, branch: release/next}")
    (file,) = workflows(written(tmp_path, text))
    document = yaml.safe_load(file.content)
    assert document[True]["push"]["branches"] == ["release/next"]
    assert "github.ref == 'refs/heads/release/next'" in document["jobs"]["publish-prod"]["if"]


def test_keys_are_handed_on_where_there_are_keys() -> None:
    jobs = rendered(REPOSITORIES)["on.yml"]["jobs"]
    assert jobs["publish-prod"]["with"]["authenticator"] == "snowflake_jwt"
    assert jobs["publish-prod"]["with"]["user"] == "ONLINE_SVC"
    assert "SNOWFLAKE_PRIVATE_KEY" in jobs["build-pre-merge"]["secrets"]
    without = rendered(FIVE)["dbt_down.yml"]["jobs"]
    assert "secrets" not in without["build-ci"]
    assert not any("SNOWFLAKE" in secret for secret in without["publish-prod"]["secrets"])


def test_without_a_repository_or_an_account_nothing_or_less_is_said(tmp_path: Path) -> None:
    assert workflows(written(tmp_path, (ONE % "shop").replace("github", "# github"))) == ()
    (file,) = workflows(written(tmp_path, ONE % "shop"))
    jobs = yaml.safe_load(file.content)["jobs"]
    assert {"registry", "aws-role", "aws-region"} & set(jobs["publish-prod"]["with"]) == set()
    contexts = {
        "github": {"event_name": "push", "ref": "refs/heads/main", "event": {}},
        "inputs": {},
        "job": {"status": "success"},
    }
    for registry, runs in (("s3://acme/mesh", True), ("", False)):  # a folder would be gone with the job
        known = {"SNOWFLAKE_ACCOUNT": "acme", "DBT_MESH_REGISTRY": registry}
        assert holds(jobs["publish-prod"]["if"], {**contexts, "vars": known}) == runs


@pytest.mark.parametrize("folder", ["'a b'", "'sh*p'", "'${{ github.token }}'", "../shop", "'!shop'", "'-shop'"])
def test_a_folder_that_no_filter_can_name_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match="no path filter of a workflow could name"):
        workflows(written(tmp_path, ONE % folder))


def mesh(*projects: str, head: str = AWS, environments: str = "prod: {reads: prod}, ci: {reads: prod}") -> str:
    """A mesh.yml with these projects, each as `name path upstream...`."""
    lines = ["version: 1", f"environments: {{{environments}}}", head, "github: {repository: acme/shop}", "projects:"]
    for name, path, *upstreams in map(str.split, projects):
        place = f'database: "{name}_{{ENV}}", warehouse: WH, role: "{name}_{{ENV}}_ROLE"'
        read = ", ".join(f"{upstream}: {{as: package}}" for upstream in upstreams)
        lines.append(f'  "{name}": {{path: "{path}", snowflake: {{{place}}}, upstreams: {{{read}}}}}')
    return "\n".join(lines)


MESHES = {
    "at the root": mesh("shop ."),
    "three deep": mesh("shop teams/online/shop"),
    "capitals and digits": mesh("Shop2Go Shop2Go"),
    "names of ours and of YAML's": mesh(*(f"{name} {name}" for name in ("ci", "publish", "setup", "on", "y"))),
    "several that last": mesh(
        "up up",
        "down down up",
        environments="prod: {reads: prod}, staging: {reads: [staging, prod]}, qa-1: {reads: prod}",
    ),
    "by key pair": mesh("up up", "down down up", head=f"{AWS}\nsnowflake: {{identity: key_pair}}"),
    "both read each other": mesh("up up down", "down down up"),
    "forty": mesh("p0 p0", *(f"p{number} p{number} p{number - 1}" for number in range(1, 40))),
    "without AWS": mesh("up up", "down down up", head=""),
    "below a prefix": mesh("up up", head=AWS.replace("}", ", prefix: a/b}")),
    "nothing passes": mesh("up up", environments="prod: {reads: prod}"),
    "another branch": mesh("up up").replace("acme/shop}", "acme/shop, branch: release/2.x}"),
}


@pytest.mark.parametrize("name", MESHES)
def test_jobs_are_told_apart_and_the_nights_are_shared(tmp_path: Path, name: str) -> None:
    files = {file.path.name: yaml.safe_load(file.content) for file in workflows(written(tmp_path, MESHES[name]))}
    assert files
    minutes = [document[True]["schedule"][0]["cron"] for document in files.values()]
    assert len(set(minutes)) == len(files)
    for document in files.values():
        crons = {entry["cron"] for entry in document[True]["schedule"]}
        asked = set(re.findall(r"github.event.schedule == '([^']*)'", str(document["jobs"])))
        assert asked == crons, "each hour has its job, and each job its hour"
        for called, job in document["jobs"].items():
            assert re.fullmatch(r"[a-z][a-z0-9-]*", called)
            assert set(job.get("with", {}).get("consumers", "").split()) <= set(files)


def test_what_is_rendered_of_any_mesh_is_sound(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    meshes = {**MESHES, "repositories": (REPOSITORIES / "mesh.yml").read_text()}
    for number, text in enumerate(meshes.values()):
        for file in workflows(written(tmp_path, text)):
            (folder / f"{number}-{file.path.name}").write_bytes(file.content)
    files = sorted(folder.iterdir())
    assert len(files) > 60
    assert_linted(files, tmp_path)
    for run in (
        tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files),
        tool("zizmor", "--offline", "--no-progress", tmp_path),
    ):
        assert run.returncode == 0, run.stdout
