"""The lines of docs/setup.md that add a project, in the mesh.yml of this repository: what comes of them."""

import json
import re
from pathlib import Path

import pytest

from registry_tools.account.held_grants import read_held
from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.artifacts.terraform_vars import terraform_variables
from registry_tools.artifacts.workflow_files import workflows
from registry_tools.checks.access.questions import matrix, may
from registry_tools.checks.access.running import run
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import wanted_readers
from registry_tools.mesh.account import Account, Securable, role
from registry_tools.mesh.deployment import Deployment
from registry_tools.tasks.plan_grants import apply_grants
from tests.builders import interface, public_model
from tests.deployments import written
from tests.fake_account import FakeAccount
from tests.running import REPOSITORY

BUILD = """
use role DBT_UP_ROLE;
create or replace transient table DBT_UP_PROD.MARTS.PUBLIC_ORDERS copy grants as (select 1 as id);
create or replace transient table DBT_UP_PROD.MARTS.FCT_REFUNDS copy grants as (select 1 as id);
use role DBT_DOWN_ROLE;
create or replace transient table DBT_DOWN_PROD.MARTS.DOWNSTREAM_ORDERS copy grants as (select 1 as id);
use role DBT_FINANCE_ROLE;
create or replace transient table DBT_FINANCE_PROD.MARTS.LEDGER copy grants as (select 1 as id);
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    found = re.search(r"<!-- project -->\n```yaml\n(.*?)```", (REPOSITORY / "docs/setup.md").read_text(), re.DOTALL)
    assert found
    assert len(found[1].splitlines()) <= 10
    return written(tmp_path, f"{(REPOSITORY / 'mesh.yml').read_text().rstrip()}\n\n{found[1]}")


@pytest.fixture
def account(deployment: Deployment) -> Account:
    """Set up from nothing, built by every project, and granted by dbt_up."""
    account = Account()
    for file in snowflake_scripts(deployment):
        account, _ = run(file.content.decode(), account, role="ACCOUNTADMIN", where=file.path.name)
    account, _ = run(BUILD, account)
    session = FakeAccount(account=account, role="DBT_UP_ROLE", available=("DBT_UP_ROLE",))
    place = deployment.projects[0].place("prod")
    assert place
    public = interface(public_model("orders", relation_name="DBT_UP_PROD.MARTS.PUBLIC_ORDERS"))
    wanted = wanted_readers(public, place, deployment)
    held = read_held(session, place.role, place.database, wanted.readers)
    list(apply_grants(plan_grants(wanted, held, place, deployment), session))
    return session.account


def test_it_reads_the_public_models_builds_in_its_own_database_and_does_nothing_else(account: Account) -> None:
    finance = role("DBT_FINANCE_ROLE")
    relations = [each for each in account.objects if each.kind in {"TABLE", "VIEW"}]
    assert {each.path for each in relations if may(account, finance, "SELECT", each)} == {
        "DBT_UP_PROD.MARTS.PUBLIC_ORDERS",
        "DBT_FINANCE_PROD.MARTS.LEDGER",
    }
    assert not may(account, finance, "INSERT", Securable("TABLE", ("DBT_UP_PROD", "MARTS", "PUBLIC_ORDERS")))
    assert may(account, finance, "CREATE TABLE", Securable("SCHEMA", ("DBT_FINANCE_PROD", "MARTS")))
    assert not may(account, finance, "CREATE SCHEMA", Securable("DATABASE", ("DBT_FINANCE_PROD",)))
    assert may(account, finance, "USAGE", Securable("WAREHOUSE", ("DBT_FINANCE_WH",)))
    assert not may(account, finance, "USAGE", Securable("WAREHOUSE", ("DBT_UP_WH",)))


def test_nobody_else_can_do_more_than_before(account: Account) -> None:
    ledger = Securable("TABLE", ("DBT_FINANCE_PROD", "MARTS", "LEDGER"))
    others = ("DBT_UP_ROLE", "DBT_DOWN_ROLE", "DBT_DOWN_LOOM_ROLE", "DBT_DOWN_PACKAGE_ROLE")
    assert [name for name in others if may(account, role(name), "SELECT", ledger)] == []
    rows = matrix(account, [role(name) for name in (*others, "DBT_FINANCE_ROLE")])
    assert {row.who.path for row in rows if row.database == "DBT_FINANCE_PROD"} == {"DBT_FINANCE_ROLE"}


def test_it_gets_a_role_in_aws_and_a_workflow(deployment: Deployment) -> None:
    (variables,) = terraform_variables(deployment)
    projects = json.loads(variables.content)["projects"]
    assert projects["dbt_finance"] == {
        "role": "dbt-mesh-dbt-finance",
        "subjects": ["repo:acme/dbt-mesh:environment:dbt_finance-prod"],
        "upstreams": ["dbt_up"],
        "consumers": [],
    }
    assert "dbt_finance" in projects["dbt_up"]["consumers"]
    texts = {file.path.name: file.content.decode() for file in workflows(deployment)}
    assert '- "dbt_finance/**"' in texts["dbt_finance.yml"]
    assert "dbt_finance.yml" in texts["dbt_up.yml"]
