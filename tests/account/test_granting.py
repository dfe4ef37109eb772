"""A mesh set up by its rendered SQL, built by dbt and granted by its own producer, on the model of Snowflake's access
rules: consumers read exactly what is public, whoever it is public for.
"""

from dataclasses import replace

import pytest

from registry_tools.account.held_grants import read_held
from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.checks.access.questions import may
from registry_tools.checks.access.running import run
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import wanted_readers
from registry_tools.errors import AccountError
from registry_tools.mesh.account import Account, Securable, role
from registry_tools.mesh.deployment import Place
from registry_tools.mesh.grant_plan import GrantPlan
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Config
from registry_tools.tasks.plan_grants import apply_grants
from tests.builders import interface, public_model
from tests.deployments import deployment_in
from tests.fake_account import FakeAccount
from tests.running import REPOSITORY

OURS = deployment_in(REPOSITORY)
MARTS = "DBT_UP_PROD.MARTS"
BUILD = f"""
use role DBT_UP_ROLE;
create or replace view DBT_UP_PROD.STAGING.STG_ORDERS copy grants as (select 1 as id);
create or replace transient table {MARTS}.PUBLIC_ORDERS copy grants as (select 1 as id);
create or replace view {MARTS}.PUBLIC_PRODUCTS copy grants as (select 1 as id);
create or replace transient table {MARTS}."price_list" copy grants as (select 1 as id);
create or replace transient table {MARTS}.FCT_REFUNDS copy grants as (select 1 as id);
"""
CONSUMERS = ("DBT_DOWN_ROLE", "DBT_DOWN_LOOM_ROLE", "DBT_DOWN_PACKAGE_ROLE")
ORDERS = public_model("orders", relation_name=f"{MARTS}.PUBLIC_ORDERS")
PRODUCTS = public_model("products", relation_name=f"{MARTS}.PUBLIC_PRODUCTS", config=Config(materialized="view"))
PRICES = public_model(
    "prices", relation_name=f'{MARTS}."price_list"', meta={"mesh": {"consumers": ["dbt_down_loom.growth"]}}
)


def place() -> Place:
    found = OURS.projects[0].place("prod")
    assert found is not None
    return found


@pytest.fixture(params=[False, True], ids=["SHOW of today", "SHOW before behaviour change 2371"])
def producer(request: pytest.FixtureRequest) -> FakeAccount:
    """Logged in with the producer's own role and no other, when everything is set up and built."""
    account = Account()
    for file in snowflake_scripts(OURS):
        account, _ = run(file.content.decode(), account, role="ACCOUNTADMIN", where=file.path.name)
    account, _ = run(BUILD, account)
    return FakeAccount(account=account, role="DBT_UP_ROLE", available=("DBT_UP_ROLE",), old_names=request.param)


def planned(read: Interface, session: FakeAccount) -> GrantPlan:
    wanted = wanted_readers(read, place(), OURS)
    return plan_grants(wanted, read_held(session, place().role, place().database, wanted.readers), place(), OURS)


def granted(read: Interface, session: FakeAccount) -> FakeAccount:
    """The plan carried out; planned once more, nothing is left and nothing stands out."""
    list(apply_grants(planned(read, session), session))
    again = planned(read, session)
    assert again.is_settled
    assert again.remarks == ()
    return session


def reads(session: FakeAccount, name: str) -> set[str]:
    """What a role reads of the producer."""
    relations = (each for each in session.account.objects if each.kind in {"TABLE", "VIEW"})
    return {
        each.name[2]
        for each in relations
        if each.database == "DBT_UP_PROD" and may(session.account, role(name), "SELECT", each)
    }


def test_every_consumer_reads_exactly_the_public_models_and_writes_none(producer: FakeAccount) -> None:
    granted(interface(ORDERS, PRODUCTS), producer)
    for name in CONSUMERS:
        assert reads(producer, name) == {"PUBLIC_ORDERS", "PUBLIC_PRODUCTS"}
        table = Securable("TABLE", ("DBT_UP_PROD", "MARTS", "PUBLIC_ORDERS"))
        assert not any(may(producer.account, role(name), word, table) for word in ("INSERT", "UPDATE", "DELETE"))


def test_a_model_for_some_is_read_by_them_alone(producer: FakeAccount) -> None:
    granted(interface(ORDERS, PRICES), producer)
    assert reads(producer, "DBT_DOWN_LOOM_ROLE") == {"PUBLIC_ORDERS", "price_list"}
    assert reads(producer, "DBT_DOWN_ROLE") == {"PUBLIC_ORDERS"}


def test_what_is_public_for_others_later_is_read_by_them_and_by_nobody_who_was_taken_out(
    producer: FakeAccount,
) -> None:
    granted(interface(ORDERS, PRODUCTS, PRICES), producer)
    everybody = public_model("prices", relation_name=PRICES.relation_name)
    nobody = public_model("orders", relation_name=ORDERS.relation_name, meta={"mesh": {"consumers": ["dbt_down"]}})
    granted(interface(nobody, everybody), producer)
    assert reads(producer, "DBT_DOWN_ROLE") == {"price_list", "PUBLIC_ORDERS"}
    assert reads(producer, "DBT_DOWN_LOOM_ROLE") == {"price_list"}
    granted(interface(), producer)
    assert {name: reads(producer, name) for name in CONSUMERS} == {name: set() for name in CONSUMERS}


def test_the_setup_runs_once_more_and_takes_nothing_back(producer: FakeAccount) -> None:
    before = granted(interface(ORDERS, PRICES), producer).account
    account = before
    for file in snowflake_scripts(OURS):
        account, steps = run(file.content.decode(), account, role="ACCOUNTADMIN", where=file.path.name)
        assert [statement.text for statement, changes in steps if changes] == []
    rebuilt, _ = run(BUILD, account)
    assert rebuilt.grants == before.grants


def test_a_model_that_is_not_built_is_told_and_the_others_are_granted(producer: FakeAccount) -> None:
    late = public_model("late", relation_name=f"{MARTS}.LATE")
    made = planned(interface(ORDERS, late), producer)
    list(apply_grants(made, producer))
    assert [label for label, _ in made.unbuilt] == ["late"]
    assert reads(producer, "DBT_DOWN_ROLE") == {"PUBLIC_ORDERS"}


def test_nobody_but_the_producer_can_grant_what_it_plans(producer: FakeAccount) -> None:
    made = planned(interface(ORDERS), producer)
    consumer = replace(producer, role="DBT_DOWN_ROLE", available=("DBT_DOWN_ROLE",))
    with pytest.raises(AccountError, match="Role 'DBT_UP_ROLE' is not granted to this user"):
        list(apply_grants(made, consumer))
    with pytest.raises(AccountError, match="Snowflake declined"):
        list(apply_grants(replace(made, role="DBT_DOWN_ROLE"), consumer))
    assert reads(consumer, "DBT_DOWN_ROLE") == set()
