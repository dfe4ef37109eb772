"""The SQL that sets a Snowflake account up: as expected, understood by Snowflake's grammar, and readable as a change.

`UPDATE_CASES=1 pytest tests/unit/test_snowflake_scripts.py` writes the expected files again; read the diff before
committing it. What the statements do to an account is tested in test_snowflake_setup.py.
"""

from pathlib import Path

import pytest
from sqlfluff.core import FluffConfig, Linter

from registry_tools.artifacts.files import RENDERED
from registry_tools.artifacts.snowflake_profiles import profiles
from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.errors import UsageError
from registry_tools.mesh.account import quoted
from registry_tools.mesh.deployment import Deployment
from registry_tools.mesh.sql_script import statements
from tests.deployments import CASES, deployment_in, told, written
from tests.golden import assert_stands
from tests.running import REPOSITORY

SHOP = """\
version: 1
environments: {prod: {reads: prod}}
snowflake: {identity: key_pair}
projects:
  shop:
    snowflake: {database: SHOP, warehouse: SHOP_WH, role: SHOP_ROLE}
"""


@pytest.fixture(params=[REPOSITORY, *CASES], ids=["repository", *(case.name for case in CASES)])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    return deployment_in(request.param)


def lines(deployment: Deployment) -> list[str]:
    """Every statement on a line, in the order in which they run."""
    return [line.on_one_line for file in snowflake_scripts(deployment) for line in statements(file.content.decode())]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_files_are_the_expected_ones(case: Path) -> None:
    deployment = deployment_in(case)
    assert_stands(case / "expected/snowflake.txt", told((*snowflake_scripts(deployment), *profiles(deployment))))


def test_the_files_of_this_repository_are_rendered_of_its_mesh() -> None:
    deployment = deployment_in(REPOSITORY)
    for file in (*snowflake_scripts(deployment), *profiles(deployment)):
        assert_stands(REPOSITORY / file.path, file.content.decode())


def test_each_file_says_what_wrote_it(deployment: Deployment) -> None:
    for file in (*snowflake_scripts(deployment), *profiles(deployment)):
        first = file.content.decode().splitlines()[0]
        assert first.lstrip("#- ") == f"{RENDERED} from mesh.yml. Change that, and run mesh render."


def unparsed(script: str) -> list[str]:
    """What sqlfluff's grammar of Snowflake makes nothing of, and every statement that it does not see as one."""
    parsed = Linter(config=FluffConfig(overrides={"dialect": "snowflake"})).parse_string(script)
    left = [found.raw for found in parsed.tree.recursive_crawl("unparsable")]
    seen = sum(1 for _ in parsed.tree.recursive_crawl("statement"))
    return left or [f"{seen} statements"] * (seen != len(list(statements(script))))


def test_every_statement_is_one_of_snowflakes(deployment: Deployment) -> None:
    for file in snowflake_scripts(deployment):
        assert unparsed(file.content.decode()) == []


def test_what_is_longer_than_a_line_is_still_a_statement(tmp_path: Path) -> None:
    partners = ", ".join(f"ORGANIZATION.PARTNER_{number}" for number in range(9))
    long = SHOP.replace("SHOP_WH", "W" * 150).replace("SHOP_ROLE", f"{'R' * 150}, shared_with: [{partners}]")
    for file in snowflake_scripts(written(tmp_path, long.replace("SHOP,", f"{'D' * 150},"))):
        assert unparsed(file.content.decode()) == []


def test_a_tag_takes_no_more_than_256_characters(tmp_path: Path) -> None:
    more = "".join(
        f"  {'shop' * 10}{n}: {{snowflake: {{database: SHOP{n}, warehouse: SHOP_WH, role: ROLE{n}}}}}\n"
        for n in range(7)
    )
    tags = [line for line in lines(written(tmp_path, SHOP + more)) if "set tag" in line]
    assert "MESH_PROJECT = '8 projects', MESH_GOVERNANCE.TAGS.MESH_ENVIRONMENT = 'prod'" in tags[0]
    assert f"MESH_PROJECT = '{'shop' * 10}6'" in tags[-1]


@pytest.mark.parametrize(
    ("statement", "typo"),
    [
        ("copy current grants", "copy current grant"),
        ("create schema if not exists", "create schema if not existing"),
        ("enable managed access", "enable manage access"),
        ("start_timestamp = immediately", "start_timestamp = soon;"),
    ],
)
def test_a_slip_would_be_noticed(statement: str, typo: str) -> None:
    whole = "".join(file.content.decode() for file in snowflake_scripts(deployment_in(REPOSITORY)))
    assert statement in whole
    assert unparsed(whole.replace(statement, typo, 1))


def test_a_script_begins_without_secondary_roles_and_names_the_role_of_every_statement(deployment: Deployment) -> None:
    for file in snowflake_scripts(deployment):
        first, second, *_ = (statement.on_one_line for statement in statements(file.content.decode()))
        assert first == "use secondary roles none"
        assert second.startswith("use role ")


def test_what_is_created_may_be_there_already(deployment: Deployment) -> None:
    created = [line for line in lines(deployment) if line.startswith("create ")]
    assert created
    assert [line for line in created if " if not exists " not in line and not line.startswith("create or alter ")] == []


def test_a_project_more_adds_lines_and_changes_none(tmp_path: Path) -> None:
    whole = (REPOSITORY / "tests/cases/deployments/five_projects/mesh.yml").read_text()
    smaller, board, _ = whole.partition("  board:\n")
    assert board
    before, after = lines(written(tmp_path, smaller)), lines(written(tmp_path, whole))
    rest = iter(after)
    assert [line for line in before if line not in rest] == []
    added = [line for line in after if line not in before]
    assert added
    assert [line for line in added if "BOARD" not in line] == []


def test_a_warehouse_of_several_projects_is_as_large_as_the_largest_asks_for() -> None:
    five = lines(deployment_in(REPOSITORY / "tests/cases/deployments/five_projects"))
    made = [line for line in five if "DBT_DOWN_WH" in line and ("size" in line or "quota" in line)]
    assert len(made) == 4
    assert all("= SMALL" in line or "credit_quota = 25" in line for line in made)


def test_production_alone_is_set_up_with_people_who_only_read(tmp_path: Path) -> None:
    people = written(tmp_path, SHOP.replace("SHOP_ROLE}", "SHOP_ROLE, developers: [ada]}"))
    run = lines(people)
    assert "grant role SHOP_DEVELOPER to user ADA" in run
    assert "grant select on future views in schema SHOP.MARTS to role SHOP_DEVELOPER" in run
    assert [line for line in run if "create schema on" in line or "ADA_DEV" in line] == []
    assert "nothing comes and goes" in told(snowflake_scripts(people))


def test_where_nobody_reads_nothing_lasts(tmp_path: Path) -> None:
    """Another repository's production is read, and what is built here is for pull requests alone."""
    run = lines(written(tmp_path, SHOP.replace("prod: {reads: prod}", "ci: {reads: prod}")))
    assert "grant usage, create schema on database SHOP to role SHOP_ROLE" in run
    assert [line for line in run if "database role" in line] == []
    whole = told(snowflake_scripts(written(tmp_path, SHOP.replace("prod: {reads: prod}", "ci: {reads: prod}"))))
    assert "Nothing here is read by others; in ci each job" in whole
    assert "the role creates schemas as it likes" in whole


def test_nothing_secret_and_no_table_is_named(deployment: Deployment) -> None:
    for line in lines(deployment):
        assert "password" not in line
        assert "rsa_public_key" not in line
        assert not line.startswith("grant select on table")


LANDING = '{url: "s3://files/", role_arn: "arn:aws:iam::123456789012:role/files"}'
AWS = 'identity: aws}\naws: {account: "123456789012", region: eu-central-1, bucket: acme'


@pytest.mark.parametrize(
    ("instead", "what", "then"),
    [
        ({"key_pair": "aws"}, "'aws' is missing", "write aws: "),
        (
            {"SHOP_ROLE}": f"SHOP_ROLE, landing: {LANDING}, schemas: [MARTS]}}"},
            "files of shop land in the schema RAW",
            "add RAW to projects.shop.snowflake.schemas",
        ),
        (
            {"identity: key_pair": AWS, "prod}}": "prod}, ci: {reads: prod}}"}
            | {"database: SHOP": 'database: "SHOP_{ENV}"', "SHOP_ROLE": '"SHOP_{ENV}_ROLE"'},
            "shop has one AWS role, and would have 2 service users",
            "name one user for all: projects.shop.snowflake.user",
        ),
    ],
    ids=["no AWS", "no RAW", "two users"],
)
def test_what_cannot_be_set_up_is_declined(tmp_path: Path, instead: dict[str, str], what: str, then: str) -> None:
    changed = SHOP
    for was, now in instead.items():
        assert was in changed
        changed = changed.replace(was, now)
    with pytest.raises(UsageError) as raised:
        snowflake_scripts(written(tmp_path, changed))
    assert what in raised.value.what
    assert raised.value.where == "mesh.yml"
    assert raised.value.then.startswith(then)


def test_a_text_stays_within_its_quotes() -> None:
    assert quoted("it's a \\ b") == r"'it''s a \\ b'"
