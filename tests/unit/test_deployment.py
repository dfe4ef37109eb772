"""Where a mesh runs, out of mesh.yml: each project in each environment, with names and readers of its own."""

from pathlib import Path

import pytest

from registry_tools.errors import DocumentError, UsageError
from registry_tools.mesh.deployment import AwsTerms, Deployment, Landing, Place, Reader, SnowflakeTerms
from registry_tools.settings import Mesh, deployment_of, read_mesh
from tests.running import REPOSITORY

TWO = """\
version: 1
environments: {prod: {reads: prod}, ci: {reads: prod}, dev: {reads: prod}}
projects:
  up:
    snowflake: {database: "up_{ENV}", warehouse: up_wh, role: up_role}
  down:
    path: teams/down
    snowflake: {database: "DOWN_{ENV}", warehouse: UP_WH, role: DOWN_ROLE, developers: [ada]}
    upstreams: {up: {as: package}}
"""


def deployed(folder: Path, text: str) -> Deployment:
    (folder / "mesh.yml").write_text(text, encoding="utf-8")
    return deployment_of(read_mesh(folder / "mesh.yml", {}))


def test_every_project_is_placed_in_every_environment(tmp_path: Path) -> None:
    deployment = deployed(tmp_path, TWO)
    placed = [(project.name, place.environment, place.database, place.lasting) for project, place in deployment.placed]
    assert placed == [
        ("up", "prod", "UP_PROD", True),
        ("up", "ci", "UP_CI", False),
        ("up", "dev", "UP_DEV", False),
        ("down", "prod", "DOWN_PROD", True),
        ("down", "ci", "DOWN_CI", False),
        ("down", "dev", "DOWN_DEV", False),
    ]
    up, down = deployment.projects
    assert up.places[0] == Place(
        environment="prod",
        database="UP_PROD",
        warehouse="UP_WH",
        role="UP_ROLE",
        user="UP_SVC",
        developer_role="UP_DEVELOPER",
        lasting=True,
        readers=(Reader(project="down", role="DOWN_ROLE"), Reader(project="down", role="DOWN_DEVELOPER")),
    )
    assert up.places[1].readers == ()
    assert (up.consumers, up.upstreams, up.folder, up.needs_deps) == (("down",), (), "up", False)
    assert (down.consumers, down.upstreams, down.folder, down.needs_deps) == ((), ("up",), "teams/down", True)
    assert (down.schemas, down.size, down.credits) == (("RAW", "STAGING", "MARTS"), "XSMALL", 10)
    assert deployment.snowflake == SnowflakeTerms()
    assert deployment.aws is None
    assert deployment.project("up") is up
    assert deployment.project("sideways") is None
    assert up.place("ci") is up.places[1]
    assert up.place("staging") is None
    assert down.github_environment("prod") == "down-prod"


def test_a_role_for_each_environment_reads_what_that_environment_reads(tmp_path: Path) -> None:
    text = TWO.replace("role: DOWN_ROLE", 'role: "DOWN_{ENV}_ROLE"').replace("ci: {reads: prod}", "ci: {reads: ci}")
    up, down = deployed(tmp_path, text).projects
    assert up.places[1].lasting
    assert [reader.role for reader in up.places[0].readers] == ["DOWN_PROD_ROLE", "DOWN_DEV_ROLE", "DOWN_DEV_DEVELOPER"]
    assert [reader.role for reader in up.places[1].readers] == ["DOWN_CI_ROLE"]
    assert [place.user for place in down.places] == ["DOWN_PROD_SVC", "DOWN_CI_SVC", "DOWN_DEV_SVC"]


def test_an_upstream_with_an_environment_of_its_own_is_read_there(tmp_path: Path) -> None:
    up = deployed(tmp_path, TWO.replace("{as: package}", "{environment: ci}")).projects[0]
    assert [bool(place.readers) for place in up.places] == [False, True, False]


def test_what_one_consumer_alone_reads_lasts_and_the_same_environment_of_others_does_not(tmp_path: Path) -> None:
    up, down = deployed(tmp_path, TWO.replace("{as: package}", "{environment: ci}")).projects
    assert [place.lasting for place in up.places] == [True, True, False]
    assert [place.lasting for place in down.places] == [True, False, False]


def test_what_holds_for_all_projects_and_for_one(tmp_path: Path) -> None:
    text = (
        TWO.replace("projects:\n", "")
        + """\
    repository: other/down
"""
    )
    head = """\
snowflake: {identity: key_pair, statement_timeout: 60, governance: gov}
aws: {account: "123456789012", region: eu-central-1, bucket: acme-mesh, prefix: a/b}
github: {repository: acme/mesh, subject: "repo:acme@1/mesh@2"}
projects:
"""
    text = text.replace("  up:\n", head + "  up:\n", 1).replace(
        "role: up_role}",
        "role: up_role, size: SMALL, credits: 3, schemas: [raw, core], shared_with: [ORG.PARTNER],"
        ' user: robot, developer_role: people, landing: {url: "s3://land/shop/", role_arn:'
        ' "arn:aws:iam::123456789012:role/snowflake"}}',
    )
    deployment = deployed(tmp_path, text)
    up, down = deployment.projects
    assert deployment.snowflake == SnowflakeTerms(identity="key_pair", statement_timeout=60, governance="GOV")
    assert deployment.aws == AwsTerms(account="123456789012", region="eu-central-1", bucket="acme-mesh", prefix="a/b")
    assert deployment.aws.role_arn("dbt_up") == "arn:aws:iam::123456789012:role/dbt-mesh-dbt-up"
    assert (up.repository, up.subject) == ("acme/mesh", "repo:acme@1/mesh@2")
    assert (down.repository, down.subject) == ("other/down", "repo:other/down")
    assert (up.size, up.credits, up.schemas, up.shared_with) == ("SMALL", 3, ("RAW", "CORE"), ("ORG.PARTNER",))
    assert up.landing == Landing(url="s3://land/shop/", role_arn="arn:aws:iam::123456789012:role/snowflake")
    assert (up.places[0].user, up.places[0].developer_role) == ("ROBOT", "PEOPLE")


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('"up_{ENV}"', "up", "up in prod and up in ci would have one database, UP"),
        ("DOWN_ROLE", "up_role", "up and down would have one role, UP_ROLE"),
        ("role: DOWN_ROLE", "role: DOWN_ROLE, user: up_svc", "up and down would have one user, UP_SVC"),
        ("DOWN_ROLE", "up_developer", "people of up and down would have one role, UP_DEVELOPER"),
        ("[ada]", "[ada], developer_role: down_role", "down and people of down would have one role, DOWN_ROLE"),
        ("[ada]", "[ada], developer_role: up_developer", "people of up and people of down would have one role"),
        ("[ada]", "[ada, up_svc]", "up and people would have one user, UP_SVC"),
        ("[ada]", "[ada], schemas: [RAW, ADA_DEV]", "would have one schema, down.ADA_DEV"),
        ("DOWN_{ENV}", "{ENV}_GOVERNANCE", "tags and policies and down in mesh would have one database"),
        (", role: DOWN_ROLE", "", "'projects.down.snowflake.role' is missing"),
        ('database: "DOWN_{ENV}", ', "", "'projects.down.snowflake.database' is missing"),
        ("warehouse: up_wh, ", "", "'projects.up.snowflake.warehouse' is missing"),
    ],
)
def test_what_would_be_two_projects_is_declined(tmp_path: Path, written: str, instead: str, told: str) -> None:
    environments = ", mesh: {reads: prod}}\nprojects" if "tags" in told else "}\nprojects"
    with pytest.raises(UsageError, match=told) as raised:
        deployed(tmp_path, TWO.replace("}\nprojects", environments).replace(written, instead))
    assert raised.value.where == str(tmp_path / "mesh.yml")
    assert "snowflake" in raised.value.then


@pytest.mark.parametrize(
    ("template", "environment", "told"),
    [
        ("{ENV}_UP", "2026", "'projects.up.snowflake.database' is '2026_UP' in 2026"),
        ("{ENV}", "order", "'projects.up.snowflake.database' is 'ORDER' in order"),
        ("{ENV}", "sysadmin", "'projects.up.snowflake.database' is 'SYSADMIN' in sysadmin"),
        ("{ENV}", "snowflake", "'projects.up.snowflake.database' is 'SNOWFLAKE' in snowflake"),
        ("{ENV}_" * 6, "x" * 60, r"'projects.up.snowflake.database' is 'X+_X.*\.\.\.' in x"),
    ],
)
def test_what_an_environment_makes_of_a_name_is_a_name(
    tmp_path: Path, template: str, environment: str, told: str
) -> None:
    text = TWO.replace("up_{ENV}", template).replace("ci: {", f'"{environment}": {{')
    with pytest.raises(UsageError, match=told) as raised:
        deployed(tmp_path, text)
    assert raised.value.where == str(tmp_path / "mesh.yml")


def test_projects_that_differ_in_case_alone_are_one_to_aws_and_github(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="up and UP would have one AWS role and GitHub environment, up"):
        deployed(tmp_path, TWO.replace("  down:", "  UP:"))


@pytest.mark.parametrize(
    ("written", "instead", "told", "place"),
    [
        ("ci: {reads: prod}", "ci: {reads: [ci, qa]}", "down in ci reads up in qa", "environments.ci.reads"),
        ("{as: package}", "{environment: qa}", "down in prod reads up in qa", "projects.down.upstreams.up.environment"),
        ("prod: {reads: prod}, ", "", "down in ci reads up in prod", "environments.ci.reads"),
    ],
)
def test_what_is_read_is_an_environment_of_the_mesh(
    tmp_path: Path, written: str, instead: str, told: str, place: str
) -> None:
    with pytest.raises(UsageError, match=told) as raised:
        deployed(tmp_path, TWO.replace(written, instead))
    assert place in raised.value.then


def test_a_mesh_without_databases_is_not_deployed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no project has a database"):
        deployed(tmp_path, "version: 1\nprojects: {up: }\n")
    with pytest.raises(UsageError, match=r"there is no mesh\.yml"):
        deployment_of(Mesh(file=None))


def test_a_project_that_is_only_named_is_not_placed(tmp_path: Path) -> None:
    deployment = deployed(tmp_path, TWO + "  stranger:\n    upstreams: {up: }\n")
    assert [project.name for project in deployment.projects] == ["up", "down"]
    assert deployment.projects[0].consumers == ("down", "stranger")
    assert {reader.project for reader in deployment.projects[0].places[0].readers} == {"down"}


def test_without_environments_there_is_production(tmp_path: Path) -> None:
    text = TWO.replace(TWO.splitlines()[1] + "\n", "")
    assert [place.environment for _, place in deployed(tmp_path, text).placed] == ["prod", "prod"]


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ('snowflake: {role: "a b"}', "projects.up.snowflake.role"),
        ("snowflake: {role: sysadmin}", "projects.up.snowflake.role"),
        ("snowflake: {warehouse: Table}", "projects.up.snowflake.warehouse"),
        ("snowflake: {schemas: [raw, order]}", "projects.up.snowflake.schemas"),
        ("snowflake: {database: 'a;drop'}", "projects.up.snowflake.database"),
        ("snowflake: {size: HUGE}", "projects.up.snowflake.size"),
        ("snowflake: {credits: 0}", "projects.up.snowflake.credits"),
        ("snowflake: {credits: true}", "projects.up.snowflake.credits"),
        ("snowflake: {role: orgadmin}", "projects.up.snowflake.role"),
        ("snowflake: {schemas: [information_schema]}", "projects.up.snowflake.schemas"),
        ("snowflake: {schemas: MARTS}", "projects.up.snowflake.schemas"),
        ("snowflake: {schemas: [MARTS, marts]}", "projects.up.snowflake.schemas"),
        ('snowflake: {developers: ["ada@x.org"]}', "projects.up.snowflake.developers[0]"),
        ("snowflake: {shared_with: [PARTNER]}", "projects.up.snowflake.shared_with[0]"),
        ('snowflake: {landing: {url: "https://x"}}', "projects.up.snowflake.landing.url"),
        ('snowflake: {landing: {url: "s3://land/"}}', "projects.up.snowflake.landing.role_arn"),
        ("snowflake: {landing: {uri: x}}", "projects.up.snowflake.landing.uri"),
        ("repository: acme", "projects.up.repository"),
        ('subject: "repo:*"', "projects.up.subject"),
    ],
)
def test_what_is_wrong_in_a_project_is_said_with_its_place(tmp_path: Path, entry: str, place: str) -> None:
    with pytest.raises(DocumentError) as raised:
        deployed(tmp_path, f"version: 1\nprojects:\n  up:\n    {entry}\n")
    assert place in raised.value.what


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("snowflake: {identity: password}", "snowflake.identity"),
        ("snowflake: {statement_timeout: soon}", "snowflake.statement_timeout"),
        ("snowflake: {governance: 'a b'}", "snowflake.governance"),
        ("snowflake: {governance: 'gov_{ENV}'}", "snowflake.governance"),
        ("snowflake: {statement_timeout: 604801}", "snowflake.statement_timeout"),
        ("snowflake: {account: x}", "snowflake.account"),
        ("aws: {account: 123456789012, region: eu-central-1, bucket: acme}", "aws.account"),
        ('aws: {account: "1", region: eu-central-1, bucket: acme}', "aws.account"),
        ('aws: {account: "123456789012", region: Frankfurt, bucket: acme}', "aws.region"),
        ('aws: {account: "123456789012", region: eu-central-1}', "aws.bucket"),
        ('aws: {account: "123456789012", region: eu-central-1, bucket: "s3://acme"}', "aws.bucket"),
        ('aws: {account: "123456789012", region: eu-central-1, bucket: acme, prefix: /x/}', "aws.prefix"),
        ("github: {organisation: acme}", "github.organisation"),
        ("github: {repository: a/b/c}", "github.repository"),
        ("github: {branch: 'release/**'}", "github.branch"),
        ("github: {branch: \"a' || 'b\"}", "github.branch"),
    ],
)
def test_what_is_wrong_for_all_is_said_with_its_place(tmp_path: Path, entry: str, place: str) -> None:
    with pytest.raises(DocumentError) as raised:
        deployed(tmp_path, f"version: 1\n{entry}\n")
    assert place in raised.value.what


def test_the_mesh_of_this_repository_is_placed() -> None:
    deployment = deployment_of(read_mesh(REPOSITORY / "mesh.yml", {}))
    assert [project.name for project in deployment.projects] == [
        "dbt_up",
        "dbt_down",
        "dbt_down_loom",
        "dbt_down_package",
    ]
    assert all(place.database.startswith("DBT_") for _, place in deployment.placed)
