"""What the rendered SQL does to an account, by the model of Snowflake's access rules: it is accepted, a second run
changes nothing, and everybody can do what they should and no more.
"""

from pathlib import Path

import pytest

from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.checks.access.questions import may
from registry_tools.checks.access.running import run
from registry_tools.errors import Refusal
from registry_tools.mesh.account import Account, Entry, Securable, database_role, parse_path, role
from registry_tools.mesh.deployment import Deployment
from registry_tools.mesh.sql_script import Statement
from tests.deployments import CASES, deployment_in
from tests.running import REPOSITORY

CASE = {case.name: deployment_in(case) for case in CASES}
OURS = deployment_in(REPOSITORY)
MESHES = {"repository": OURS, **CASE}
ROLES = ("ACCOUNTADMIN", "SYSADMIN", "USERADMIN", "SECURITYADMIN")

BUILD = """
use role DBT_UP_ROLE;
create or replace transient table DBT_UP_PROD.RAW.RAW_ORDERS copy grants as (select 1 as id);
create or replace view DBT_UP_PROD.STAGING.STG_ORDERS copy grants as (select 1 as id);
create or replace transient table DBT_UP_PROD.MARTS.PUBLIC_ORDERS copy grants as (select 1 as id);
create or replace view DBT_UP_PROD.MARTS.PUBLIC_PRODUCTS copy grants as (select 1 as id);
create or replace transient table DBT_UP_PROD.MARTS.FCT_REFUNDS copy grants as (select 1 as id);
create schema if not exists DBT_UP_CI.CI_MARTS;
create or replace transient table DBT_UP_CI.CI_MARTS.PUBLIC_ORDERS copy grants as (select 1 as id);
use role DBT_DOWN_ROLE;
create or replace transient table DBT_DOWN_PROD.MARTS.DOWNSTREAM_ORDERS copy grants as (select 1 as id);
"""
# As `mesh grants apply` does, by the producer's own role.
GRANTS = """
use role DBT_UP_ROLE;
grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant select on table DBT_UP_PROD.MARTS.PUBLIC_ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant select on view DBT_UP_PROD.MARTS.PUBLIC_PRODUCTS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
"""
PUBLIC = {"DBT_UP_PROD.MARTS.PUBLIC_ORDERS", "DBT_UP_PROD.MARTS.PUBLIC_PRODUCTS"}
# As many set a mesh up: every table of the producer, and all that will be.
NAIVE = """
use role SECURITYADMIN;
grant usage on database DBT_UP_PROD to role DBT_DOWN_ROLE;
grant usage on all schemas in database DBT_UP_PROD to role DBT_DOWN_ROLE;
grant select on all tables in database DBT_UP_PROD to role DBT_DOWN_ROLE;
grant select on future tables in database DBT_UP_PROD to role DBT_DOWN_ROLE;
"""
# The same of tests/cases/deployments/exchange.
SHOP = """
use role SHOP_ROLE;
create table SHOP_PROD.LANDED.ORDERS (id int);
create table SHOP_PROD.MARTS.OPEN_ORDERS (id int);
create table SHOP_PROD.MARTS.SHUT_ORDERS (id int);
grant usage on schema SHOP_PROD.MARTS to database role SHOP_PROD.MESH_PUBLIC_READER;
grant select on table SHOP_PROD.MARTS.OPEN_ORDERS to database role SHOP_PROD.MESH_PUBLIC_READER;
"""


def ran(script: str, account: Account) -> Account:
    return run(script, account, role="ACCOUNTADMIN")[0]


def empty(deployment: Deployment) -> Account:
    """An account before anything is set up, with nobody in it but the people whom mesh.yml names."""
    people = {user for project in deployment.projects for user in project.developers}
    return Account(objects={Securable("USER", (user,)): Entry(owner=role("USERADMIN")) for user in people})


def set_up(deployment: Deployment, account: Account) -> tuple[Account, list[Statement]]:
    """The account after all files, and the statements that changed it."""
    changing = list[Statement]()
    for file in snowflake_scripts(deployment):
        account, steps = run(file.content.decode(), account, role="ACCOUNTADMIN", where=file.path.name)
        changing += (statement for statement, changes in steps if changes)
    return account, changing


@pytest.fixture(scope="module")
def built() -> Account:
    """The mesh of this repository, built by dbt and granted."""
    return ran(BUILD + GRANTS, set_up(OURS, empty(OURS))[0])


def thing(kind: str, path: str) -> Securable:
    return Securable(kind, parse_path(path))


def reads(account: Account, who: Securable) -> set[str]:
    relations = (found for found in account.objects if found.kind in ("TABLE", "VIEW"))
    return {relation.path for relation in relations if may(account, who, "SELECT", relation)}


def of(prefix: str, paths: set[str]) -> set[str]:
    return {path for path in paths if path.startswith(prefix)}


@pytest.mark.parametrize("deployment", MESHES.values(), ids=MESHES)
def test_an_empty_account_is_set_up_and_a_second_run_changes_nothing(deployment: Deployment) -> None:
    once, changing = set_up(deployment, empty(deployment))
    assert changing
    again, changing = set_up(deployment, once)
    assert changing == []
    assert again == once


def test_a_run_after_builds_and_grants_changes_nothing(built: Account) -> None:
    again, changing = set_up(OURS, built)
    assert (changing, again) == ([], built)


def test_what_somebody_changed_is_set_again() -> None:
    once = set_up(OURS, empty(OURS))[0]
    changed = ran(
        "use role SYSADMIN; alter warehouse DBT_UP_WH set auto_suspend = 0 warehouse_size = XLARGE;"
        "use role USERADMIN; alter user DBT_UP_SVC set default_role = SYSADMIN;"
        "use role ACCOUNTADMIN; alter schema DBT_UP_PROD.MARTS disable managed access;"
        "alter resource monitor DBT_UP_WH_MONITOR set credit_quota = 5000;"
        "alter user DBT_UP_SVC unset authentication policy;"
        "grant ownership on schema DBT_UP_PROD.RAW to role SYSADMIN copy current grants;"
        "revoke database role DBT_UP_PROD.MESH_PUBLIC_READER from role DBT_DOWN_ROLE;",
        once,
    )
    assert changed != once
    assert set_up(OURS, changed)[0] == once


@pytest.mark.parametrize("deployment", MESHES.values(), ids=MESHES)
def test_every_statement_runs_in_a_role_that_it_needs(deployment: Deployment) -> None:
    """Whichever of the roles is taken away, something is declined; and nobody stands in for ACCOUNTADMIN."""
    whole = "\n".join(file.content.decode() for file in snowflake_scripts(deployment))
    used = [name for name in ROLES if f"use role {name};" in whole]
    assert used[:3] == list(ROLES[:3])
    for name, instead in (*((name, "PUBLIC") for name in used), *(("ACCOUNTADMIN", name) for name in ROLES[1:])):
        with pytest.raises(Refusal):
            ran(whole.replace(f"use role {name};", f"use role {instead};"), empty(deployment))


@pytest.mark.parametrize("deployment", MESHES.values(), ids=MESHES)
def test_a_project_decides_by_itself_what_its_schemas_grant(deployment: Deployment) -> None:
    account = set_up(deployment, empty(deployment))[0]
    for project, place in deployment.placed:
        for schema in project.schemas:
            entry = account.objects[thing("SCHEMA", f"{place.database}.{schema}")]
            assert (entry.owner, entry.settings["MANAGED ACCESS"]) == (role(place.role), "TRUE")
        assert account.objects[thing("DATABASE", place.database)].owner == role("SYSADMIN")
        may_open = may(account, role(place.role), "CREATE SCHEMA", thing("DATABASE", place.database))
        assert may_open is not place.lasting


def test_a_consumer_reads_exactly_the_public_models(built: Account) -> None:
    for name in ("DBT_DOWN_ROLE", "DBT_DOWN_LOOM_ROLE", "DBT_DOWN_PACKAGE_ROLE"):
        assert of("DBT_UP", reads(built, role(name))) == PUBLIC
    assert reads(built, role("DBT_DOWN_ROLE")) - PUBLIC == {"DBT_DOWN_PROD.MARTS.DOWNSTREAM_ORDERS"}


def test_nobody_reads_before_something_is_granted() -> None:
    ungranted = ran(BUILD, set_up(OURS, empty(OURS))[0])
    assert of("DBT_UP", reads(ungranted, role("DBT_DOWN_ROLE"))) == set()


def test_the_same_question_shows_that_naive_grants_leak(built: Account) -> None:
    leaking = ran(NAIVE, built)
    leaked = of("DBT_UP", reads(leaking, role("DBT_DOWN_ROLE"))) - PUBLIC
    assert leaked == {"DBT_UP_PROD.RAW.RAW_ORDERS", "DBT_UP_PROD.MARTS.FCT_REFUNDS"}
    tomorrow = ran("use role DBT_UP_ROLE; create table DBT_UP_PROD.STAGING.NEW (id int);", leaking)
    assert "DBT_UP_PROD.STAGING.NEW" in reads(tomorrow, role("DBT_DOWN_ROLE"))
    careful = ran("use role DBT_UP_ROLE; create table DBT_UP_PROD.STAGING.NEW (id int);", built)
    assert "DBT_UP_PROD.STAGING.NEW" not in reads(careful, role("DBT_DOWN_ROLE"))


def test_an_upstream_reads_nothing_of_its_consumers(built: Account) -> None:
    assert of("DBT_DOWN", reads(built, role("DBT_UP_ROLE"))) == set()
    for database in ("DBT_DOWN_PROD", "DBT_DOWN_CI", "DBT_DOWN_LOOM_PROD", "DBT_DOWN_PACKAGE_DEV"):
        assert not may(built, role("DBT_UP_ROLE"), "USAGE", thing("DATABASE", database))


@pytest.mark.parametrize(
    "attempt",
    [
        "create table DBT_UP_PROD.MARTS.MINE (id int)",
        "create or replace table DBT_UP_PROD.MARTS.PUBLIC_ORDERS as select 1 as id",
        "create schema DBT_UP_PROD.MINE",
        "create schema DBT_UP_CI.MINE",
        "drop table DBT_UP_PROD.MARTS.PUBLIC_ORDERS",
        "grant select on table DBT_UP_PROD.MARTS.PUBLIC_ORDERS to role DBT_DOWN_LOOM_ROLE",
        "grant select on table DBT_UP_PROD.MARTS.FCT_REFUNDS to role DBT_DOWN_ROLE",
        "grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_UP_ROLE",
        "alter warehouse DBT_UP_WH set warehouse_size = XLARGE",
        "create schema DBT_DOWN_PROD.BESIDE",
        "alter schema DBT_DOWN_PROD.MARTS enable managed access",
        "create role MINE",
        "create database MINE",
    ],
)
def test_a_consumer_can_do_no_more(built: Account, attempt: str) -> None:
    with pytest.raises(Refusal):
        ran(f"use role DBT_DOWN_ROLE; {attempt};", built)


def test_a_consumer_writes_nothing_of_its_upstream(built: Account) -> None:
    for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "OWNERSHIP"):
        for path in PUBLIC:
            kind = "VIEW" if path.endswith("PRODUCTS") else "TABLE"
            assert not may(built, role("DBT_DOWN_ROLE"), privilege, thing(kind, path))
    assert not may(built, role("DBT_DOWN_ROLE"), "USAGE", thing("WAREHOUSE", "DBT_UP_WH"))
    assert may(built, role("DBT_DOWN_ROLE"), "USAGE", thing("WAREHOUSE", "DBT_DOWN_WH"))


def test_a_job_opens_schemas_where_nothing_lasts(built: Account) -> None:
    ours = "use role DBT_DOWN_ROLE; create schema DBT_DOWN_CI.PR_7; create table DBT_DOWN_CI.PR_7.T (id int);"
    assert "DBT_DOWN_CI.PR_7.T" in reads(ran(ours, built), role("DBT_DOWN_ROLE"))


def test_a_service_user_can_do_what_its_role_can(built: Account) -> None:
    for project in OURS.projects:
        for place in project.places:
            user = thing("USER", place.user)
            assert reads(built, user) == reads(built, role(place.role))
            entry = built.objects[user]
            assert (entry.settings["TYPE"], entry.settings["DEFAULT_ROLE"]) == ("SERVICE", place.role)
            assert entry.settings["DEFAULT_SECONDARY_ROLES"] == "()"


@pytest.mark.parametrize(("copied", "kept"), [("copy grants ", PUBLIC), ("", set())])
def test_what_is_built_again_is_read_again_where_grants_are_copied(built: Account, copied: str, kept: set[str]) -> None:
    again = ran(BUILD.replace("copy grants ", copied), built)
    assert of("DBT_UP", reads(again, role("DBT_DOWN_ROLE"))) == kept


def test_a_producer_makes_readers_of_its_own_for_models_with_an_allow_list(built: Account) -> None:
    listed = ran(
        "use role DBT_UP_ROLE; create database role DBT_UP_PROD.MESH_READER_FCT_REFUNDS;"
        "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_READER_FCT_REFUNDS;"
        "grant select on table DBT_UP_PROD.MARTS.FCT_REFUNDS to database role DBT_UP_PROD.MESH_READER_FCT_REFUNDS;"
        "grant database role DBT_UP_PROD.MESH_READER_FCT_REFUNDS to role DBT_DOWN_LOOM_ROLE;",
        built,
    )
    assert of("DBT_UP", reads(listed, role("DBT_DOWN_LOOM_ROLE"))) == {*PUBLIC, "DBT_UP_PROD.MARTS.FCT_REFUNDS"}
    assert of("DBT_UP", reads(listed, role("DBT_DOWN_ROLE"))) == PUBLIC
    assert set_up(OURS, listed) == (listed, [])


def test_people_read_what_is_theirs_and_what_their_upstreams_publish() -> None:
    mesh = CASE["exchange"]
    account = ran(
        SHOP + "use role CRM_ROLE; create view CRM_PROD.STAGING.OURS as select 1 as id;",
        set_up(mesh, empty(mesh))[0],
    )
    ada, grace = thing("USER", "ADA"), thing("USER", "GRACE")
    assert reads(account, grace) == {"SHOP_PROD.MARTS.OPEN_ORDERS", "CRM_PROD.STAGING.OURS"}
    assert reads(account, ada) == {*reads(account, grace), "SHOP_PROD.MARTS.SHUT_ORDERS", "SHOP_PROD.LANDED.ORDERS"}
    assert not may(account, ada, "USAGE", thing("DATABASE", "SHOP_CI"))
    mine = "use role CRM_DEVELOPER; create table CRM_DEV.GRACE_DEV.T (id int); create schema CRM_DEV.GRACE_DEV_MARTS;"
    assert "CRM_DEV.GRACE_DEV.T" in reads(ran(mine, account), grace)
    for attempt in (
        "create schema CRM_PROD.MINE",
        "create table CRM_PROD.MARTS.T (id int)",
        "create schema SHOP_DEV.M",
    ):
        with pytest.raises(Refusal):
            ran(f"use role CRM_DEVELOPER; {attempt};", account)


def test_a_partner_reads_through_the_share_what_consumers_read() -> None:
    mesh = CASE["exchange"]
    account = ran(SHOP, set_up(mesh, empty(mesh))[0])
    share = thing("SHARE", "SHOP_PROD_SHARE")
    assert reads(account, share) == {"SHOP_PROD.MARTS.OPEN_ORDERS"}
    assert account.objects[share].settings["ACCOUNTS"] == "ACME.PARTNER, OTHERORG.SUPPLIER"
    assert may(account, role("SHOP_ROLE"), "USAGE", thing("STAGE", "SHOP_PROD.RAW.LANDING"))
    assert not may(account, role("CRM_ROLE"), "USAGE", thing("STAGE", "SHOP_PROD.RAW.LANDING"))
    assert not may(account, role("SHOP_ROLE"), "USAGE", thing("INTEGRATION", "SHOP_LANDING"))


def test_two_more_projects_get_their_part_of_everything() -> None:
    mesh = CASE["five_projects"]
    account = ran(
        "use role FINANCE_ROLE; create table FINANCE_PROD.MARTS.LEDGER (id int);"
        "create table FINANCE_PROD.STAGING.DRAFT (id int);"
        "grant usage on schema FINANCE_PROD.MARTS to database role FINANCE_PROD.MESH_PUBLIC_READER;"
        "grant select on table FINANCE_PROD.MARTS.LEDGER to database role FINANCE_PROD.MESH_PUBLIC_READER;",
        ran(BUILD + GRANTS, set_up(mesh, empty(mesh))[0]),
    )
    assert reads(account, role("BOARD_ROLE")) == {"FINANCE_PROD.MARTS.LEDGER"}
    assert of("DBT_", reads(account, role("FINANCE_ROLE"))) == PUBLIC
    assert of("FINANCE", reads(account, role("DBT_UP_ROLE"))) == set()
    assert may(account, role("FINANCE_ROLE"), "USAGE", thing("WAREHOUSE", "DBT_DOWN_WH"))
    reader = database_role("DBT_DOWN_PROD", "MESH_PUBLIC_READER")
    assert account.objects[reader].owner == role("DBT_DOWN_ROLE")


def test_with_a_role_for_each_environment_jobs_read_what_lasts_and_change_nothing_of_it() -> None:
    mesh = CASE["environments"]
    account = ran("use role CRM_PROD_ROLE; create table CRM_PROD.MARTS.PEOPLE (id int);", set_up(mesh, empty(mesh))[0])
    assert reads(account, role("CRM_PRE_MERGE_ROLE")) == {"CRM_PROD.MARTS.PEOPLE"}
    assert reads(account, role("CRM_STAGING_ROLE")) == set()
    with pytest.raises(Refusal):
        ran("use role CRM_PRE_MERGE_ROLE; create table CRM_PROD.MARTS.MINE (id int);", account)


def test_files_are_run_in_the_order_of_their_numbers() -> None:
    names = [file.path.name for file in snowflake_scripts(CASE["exchange"])]
    assert names == sorted(names)
    assert Path(names[0]).stem == "01_databases_and_warehouses"
