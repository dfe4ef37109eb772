"""The variables of aws_setup/: each project's role, whom it reads, who reads it, and which tokens prove it."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry_tools.artifacts.terraform_vars import PATH, terraform_variables
from registry_tools.errors import UsageError
from registry_tools.settings import deployment_of, read_mesh
from tests.running import REPOSITORY

TERMS = 'aws: {account: "123456789012", region: eu-central-1, bucket: acme}\n'
GITHUB = "github: {repository: acme/mesh}\n"
PROD = "environments: {prod: {reads: prod}, ci: {reads: prod}}\n"


def project(name: str, *upstreams: str, **more: str) -> str:
    read = ", ".join(f"{upstream}: {{as: sources}}" for upstream in upstreams)
    lines = [
        f"  {name}:",
        f"    snowflake: {{database: '{name}_{{ENV}}', warehouse: WH, role: {name}_ROLE}}",
        f"    upstreams: {{{read}}}",
        *(f"    {key}: {value}" for key, value in more.items()),
    ]
    return "\n".join([*lines, ""])


def rendered(folder: Path, *projects: str, top: str = PROD + TERMS + GITHUB) -> dict[str, Any]:
    path = folder / "mesh.yml"
    path.write_text(f"version: 1\n{top}projects:\n{''.join(projects)}", encoding="utf-8")
    (file,) = terraform_variables(deployment_of(read_mesh(path, {})))
    assert (file.path, file.guarded) == (PATH, False)
    text = file.content.decode()
    found: dict[str, Any] = json.loads(text)
    assert text == json.dumps(found, indent=2, sort_keys=True) + "\n"
    return found


def test_each_project_has_a_role_for_its_own_lasting_environments(tmp_path: Path) -> None:
    found = rendered(tmp_path, project("up"), project("down", "up"))
    assert found == {
        "account": "123456789012",
        "region": "eu-central-1",
        "bucket": "acme",
        "prefix": "registry",
        "projects": {
            "up": {
                "role": "dbt-mesh-up",
                "subjects": ["repo:acme/mesh:environment:up-prod"],
                "upstreams": [],
                "consumers": ["down"],
            },
            "down": {
                "role": "dbt-mesh-down",
                "subjects": ["repo:acme/mesh:environment:down-prod"],
                "upstreams": ["up"],
                "consumers": [],
            },
        },
        "pull_requests": {"role": "dbt-registry-pull-request", "subjects": ["repo:acme/mesh:pull_request"]},
    }


def test_two_projects_that_differ_in_case_alone_would_have_one_role(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Up and up would have one AWS role") as caught:
        rendered(tmp_path, project("Up"), project("up").replace("up_ROLE", "OTHER").replace("'up_", "'other_"))
    assert str(caught.value.where).endswith("mesh.yml")
    assert caught.value.then.endswith("in projects.up")


def test_every_environment_that_somebody_reads_may_publish(tmp_path: Path) -> None:
    several = "environments: {prod: {reads: prod}, staging: {reads: staging}, ci: {reads: [staging, prod]}}\n"
    found = rendered(tmp_path, project("up"), top=several + TERMS + GITHUB)
    assert found["projects"]["up"]["subjects"] == [
        "repo:acme/mesh:environment:up-prod",
        "repo:acme/mesh:environment:up-staging",
    ]


def test_subjects_are_those_that_are_written(tmp_path: Path) -> None:
    top = PROD + TERMS + "github: {repository: acme/mesh, subject: 'repo:acme@1/mesh@2'}\n"
    own = project("own", repository="acme/own"), project("moved", subject="'repo:acme@1/moved@3'")
    found = rendered(tmp_path, project("up"), *own, top=top)
    assert {name: each["subjects"] for name, each in found["projects"].items()} == {
        "up": ["repo:acme@1/mesh@2:environment:up-prod"],
        "own": ["repo:acme/own:environment:own-prod"],
        "moved": ["repo:acme@1/moved@3:environment:moved-prod"],
    }
    assert found["pull_requests"]["subjects"] == [
        "repo:acme/own:pull_request",
        "repo:acme@1/mesh@2:pull_request",
        "repo:acme@1/moved@3:pull_request",
    ]


def test_readers_of_readers_are_asked_too_and_circles_end(tmp_path: Path) -> None:
    chain = [project("a", "d"), project("b", "a"), project("c", "b"), project("d", "c"), project("e")]
    found = rendered(tmp_path, *chain)["projects"]
    assert found["a"]["consumers"] == ["b", "c", "d"]
    assert found["e"]["consumers"] == []


def test_a_consumer_without_a_database_has_no_role_and_is_still_read(tmp_path: Path) -> None:
    bare = "  bare:\n    upstreams: {up: {as: sources}}\n"
    found = rendered(tmp_path, project("up"), bare)
    assert found["projects"]["up"]["consumers"] == ["bare"]
    assert set(found["projects"]) == {"up"}


@pytest.mark.parametrize(
    ("top", "name", "what", "then"),
    [
        (PROD + GITHUB, "up", "'aws' is missing", 'aws: {account: "123456789012"'),
        (PROD + TERMS, "up", "nothing says which repository up is published from", "github: {repository: owner/name}"),
        ("environments: {dev: {reads: prod}}\n" + TERMS + GITHUB, "up", "nobody reads any environment", "prod: {reads"),
        (PROD + TERMS + GITHUB, "u" * 60, "69 characters, and AWS takes 64", "shorter name"),
    ],
)
def test_what_mesh_yml_does_not_say_is_asked_for(tmp_path: Path, top: str, name: str, what: str, then: str) -> None:
    with pytest.raises(UsageError) as caught:
        rendered(tmp_path, project(name), top=top)
    assert what in caught.value.what
    assert then in caught.value.then
    assert "mesh.yml" in str(caught.value.where)


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")]
)
def test_roles_are_of_the_regions_partition(tmp_path: Path, region: str, partition: str) -> None:
    (tmp_path / "mesh.yml").write_text(f"version: 1\n{TERMS.replace('eu-central-1', region)}projects:\n{project('up')}")
    aws = deployment_of(read_mesh(tmp_path / "mesh.yml", {})).aws
    assert aws is not None
    assert aws.role_arn("dbt_up") == f"arn:{partition}:iam::123456789012:role/dbt-mesh-dbt-up"
    assert aws.pull_request_role_arn == f"arn:{partition}:iam::123456789012:role/dbt-registry-pull-request"


def test_what_is_committed_is_as_the_repositorys_mesh_has_it() -> None:
    (file,) = terraform_variables(deployment_of(read_mesh(REPOSITORY / "mesh.yml", {})))
    assert (REPOSITORY / PATH).read_bytes() == file.content, "run mesh terraform-vars and commit"
