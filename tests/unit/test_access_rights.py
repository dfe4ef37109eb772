"""Whether a role may run a statement: the owner, whoever the owner's role was given to, and who has the privilege."""

import pytest

from registry_tools.checks.access.running import run
from registry_tools.errors import Refusal
from registry_tools.mesh.account import Account, Entry, Securable
from tests.accounts import BUILD, GRANTS, LEAST, account

# Besides the mesh: a plain schema of the producer's, a role with nothing, and what only ACCOUNTADMIN makes.
MORE = """
use role ACCOUNTADMIN;
create role NOBODY;
create schema UP.PLAIN;
create tag UP.PLAIN.COST;
create authentication policy UP.PLAIN.POLICY;
create storage integration LAKE type = external_stage;
create resource monitor CREDITS with credit_quota = 1;
create share OUT;
create table UP.PLAIN.T as select 1;
"""
MADE = account(LEAST, BUILD.format(copy_grants=""), GRANTS, MORE)


def lacks(statement: str, who: str, before: Account = MADE) -> str:
    with pytest.raises(Refusal) as raised:
        run(statement, before, role=who)
    return raised.value.what.removeprefix(f"ROLE {who} lacks ")


def allowed(statement: str, who: str, before: Account = MADE) -> bool:
    return run(statement, before, role=who)[0] is not None


@pytest.mark.parametrize(
    ("statement", "may", "may_not", "right"),
    [
        ("create database X", "SYSADMIN", "USERADMIN", "CREATE DATABASE on ACCOUNT, which SYSADMIN has"),
        ("create warehouse X", "SYSADMIN", "SECURITYADMIN", "CREATE WAREHOUSE on ACCOUNT"),
        ("create role X", "USERADMIN", "SYSADMIN", "CREATE ROLE on ACCOUNT, which USERADMIN has"),
        ("create user X", "SECURITYADMIN", "SYSADMIN", "CREATE USER on ACCOUNT"),
        ("create share X", "ACCOUNTADMIN", "SYSADMIN", "CREATE SHARE on ACCOUNT, which ACCOUNTADMIN has"),
        ("create storage integration X type = y", "ACCOUNTADMIN", "SYSADMIN", "CREATE INTEGRATION on ACCOUNT"),
        ("create resource monitor X", "ACCOUNTADMIN", "SYSADMIN", "CREATE RESOURCE MONITOR on ACCOUNT"),
        ("create schema UP.X", "SYSADMIN", "UP_ROLE", "CREATE SCHEMA on DATABASE UP, which SYSADMIN has"),
        ("create database role UP.X", "UP_ROLE", "DOWN_ROLE", "CREATE DATABASE ROLE on DATABASE UP"),
        ("create table UP.MARTS.X as select 1", "UP_ROLE", "DOWN_ROLE", "CREATE TABLE on SCHEMA UP.MARTS"),
        ("create temporary table UP.MARTS.X as select 1", "UP_ROLE", "NOBODY", "USAGE on SCHEMA UP.MARTS"),
        ("create or replace table UP.MARTS.ORDERS as select 1", "UP_ROLE", "DOWN_ROLE", "CREATE TABLE on SCHEMA"),
        ("create or alter warehouse WH auto_suspend = 1", "SYSADMIN", "UP_ROLE", "OWNERSHIP on WAREHOUSE WH"),
        ("create or alter warehouse X auto_suspend = 1", "SYSADMIN", "UP_ROLE", "CREATE WAREHOUSE on ACCOUNT"),
        ("drop table UP.MARTS.ORDERS", "UP_ROLE", "DOWN_ROLE", "OWNERSHIP on TABLE UP.MARTS.ORDERS, which UP_ROLE has"),
        ("drop role UP_ROLE", "USERADMIN", "UP_ROLE", "OWNERSHIP on ROLE UP_ROLE, which USERADMIN has"),
        ("alter warehouse WH set auto_suspend = 1", "SYSADMIN", "UP_ROLE", "MODIFY on WAREHOUSE WH"),
        ("alter user DOWN_SVC set type = person", "USERADMIN", "SYSADMIN", "CREATE USER on ACCOUNT"),
        ("alter share OUT add accounts = o.a", "ACCOUNTADMIN", "SYSADMIN", "OWNERSHIP on SHARE OUT"),
        ("alter account set timezone = 'UTC'", "ACCOUNTADMIN", "SYSADMIN", "MODIFY on ACCOUNT, which ACCOUNTADMIN has"),
        ("alter table UP.MARTS.ORDERS add column a int", "UP_ROLE", "NOBODY", "OWNERSHIP on TABLE UP.MARTS.ORDERS"),
        ("alter warehouse WH set resource_monitor = CREDITS", "ACCOUNTADMIN", "SYSADMIN", "ASSIGN RESOURCE MONITOR"),
        ("alter warehouse WH unset resource_monitor", "ACCOUNTADMIN", "SYSADMIN", "ASSIGN RESOURCE MONITOR on ACCOUNT"),
        ("create warehouse X resource_monitor = CREDITS", "ACCOUNTADMIN", "SYSADMIN", "ASSIGN RESOURCE MONITOR"),
        ("create warehouse X resource_monitor = null", "SYSADMIN", "UP_ROLE", "CREATE WAREHOUSE on ACCOUNT"),
        ("create stage UP.MARTS.S storage_integration = LAKE", "ACCOUNTADMIN", "UP_ROLE", "USAGE on INTEGRATION LAKE"),
        ("grant usage on warehouse WH to role NOBODY", "SYSADMIN", "UP_ROLE", "OWNERSHIP on WAREHOUSE WH or"),
        ("grant role UP_ROLE to role NOBODY", "USERADMIN", "SYSADMIN", "OWNERSHIP on ROLE UP_ROLE or MANAGE GRANTS"),
        (
            "grant database role UP.READER to role NOBODY",
            "UP_ROLE",
            "DOWN_ROLE",
            "OWNERSHIP on DATABASE ROLE UP.READER",
        ),
        ("revoke role UP_ROLE from role SYSADMIN", "SECURITYADMIN", "UP_ROLE", "OWNERSHIP on ROLE UP_ROLE"),
        ("grant apply tag on account to role NOBODY", "SECURITYADMIN", "SYSADMIN", "MANAGE GRANTS on ACCOUNT"),
        ("grant usage on database UP to share OUT", "ACCOUNTADMIN", "SYSADMIN", "OWNERSHIP on SHARE OUT"),
        ("grant database role UP.READER to share OUT", "ACCOUNTADMIN", "UP_ROLE", "OWNERSHIP on SHARE OUT"),
        ("grant ownership on future tables in database UP to UP_ROLE", "SECURITYADMIN", "SYSADMIN", "MANAGE GRANTS"),
        ("create database X tag (UP.PLAIN.COST = 'a')", "ACCOUNTADMIN", "SYSADMIN", "APPLY TAG on ACCOUNT or APPLY on"),
    ],
)
def test_a_right_is_needed_and_whoever_has_it_is_named(statement: str, may: str, may_not: str, right: str) -> None:
    assert allowed(statement, may)
    assert lacks(statement, may_not).startswith(right)


def test_grants_are_copied_by_whoever_manages_grants_or_will_own_the_thing() -> None:
    """GRANT OWNERSHIP, COPY."""
    statement = "grant ownership on warehouse WH to role {} copy current grants"
    assert lacks(statement.format("NOBODY"), "SYSADMIN").startswith("MANAGE GRANTS on ACCOUNT or the role NOBODY")
    assert allowed(statement.format("NOBODY"), "SECURITYADMIN")
    assert allowed(statement.format("UP_ROLE"), "SYSADMIN"), "which has UP_ROLE"
    assert lacks(statement.format("UP_ROLE"), "UP_ROLE").startswith("OWNERSHIP on WAREHOUSE WH or MANAGE GRANTS")


def test_the_next_thing_to_do_is_told() -> None:
    with pytest.raises(Refusal) as raised:
        run("grant select on table UP.MARTS.ORDERS to role NOBODY", MADE, role="NOBODY")
    assert raised.value.what.endswith("which SECURITYADMIN and UP_ROLE have")
    assert raised.value.then == "USE ROLE SECURITYADMIN before it"


def test_a_right_that_nobody_has_is_told_as_such() -> None:
    """An account of which not everything is known: nobody there owns the user."""
    made = Account(objects={Securable("USER", ("ANNA",)): Entry()})
    assert lacks("alter user ANNA set comment = 'x'", "SYSADMIN", made).startswith("CREATE USER on ACCOUNT")
    with pytest.raises(Refusal) as raised:
        run("alter user ANNA set comment = 'x'", made, role="USERADMIN")
    assert raised.value.what == "ROLE USERADMIN lacks OWNERSHIP on USER ANNA, which no role has"
    assert raised.value.then == "GRANT OWNERSHIP on USER ANNA first"


# -- containers -------------------------------------------------------------------------------------------------------


def test_a_right_is_no_use_to_those_who_do_not_reach_the_thing() -> None:
    granted = account("use role UP_ROLE; grant create table on schema UP.MARTS to role NOBODY", before=MADE)
    with pytest.raises(Refusal) as raised:
        run("create table UP.MARTS.X as select 1", granted, role="NOBODY")
    assert raised.value.what == "ROLE NOBODY has no privilege on DATABASE UP, and so does not reach SCHEMA UP.MARTS"
    assert raised.value.then == "GRANT USAGE ON DATABASE UP TO ROLE NOBODY first"
    reached = account("use role SYSADMIN; grant usage on database UP to role NOBODY", before=granted)
    assert allowed("create table UP.MARTS.X as select 1", "NOBODY", reached)


def test_the_first_container_that_is_not_reached_is_named() -> None:
    made = account(INSIDE, before=MADE)
    for lost, named in (
        ("usage, create schema on database UP", "DATABASE UP"),
        ("create table on schema UP.MARTS", "SCHEMA"),
    ):
        fewer = account(f"use role SECURITYADMIN; revoke {lost} from role NOBODY", before=made)
        with pytest.raises(Refusal, match=f"no privilege on {named}.*, and so does not reach TABLE UP.MARTS.OWN"):
            run("drop table UP.MARTS.OWN", fewer, role="NOBODY")


# -- managed access ---------------------------------------------------------------------------------------------------

INSIDE = """
use role UP_ROLE;
grant create table on schema UP.MARTS to role NOBODY;
use role SYSADMIN;
grant usage, create schema on database UP to role NOBODY;
use role NOBODY;
create table UP.MARTS.OWN as select 1;
create schema UP.PERSONAL;
create table UP.PERSONAL.OWN as select 1;
"""


def test_an_object_owner_grants_nothing_in_managed_access() -> None:
    made = account(INSIDE, before=MADE)
    statement = "grant select on table UP.MARTS.OWN to role DOWN_ROLE"
    assert lacks(statement, "NOBODY", made).startswith("OWNERSHIP on SCHEMA UP.MARTS or MANAGE GRANTS on ACCOUNT")
    assert allowed(statement, "UP_ROLE", made), "the schema's owner decides instead"
    assert allowed(statement.replace("MARTS", "PERSONAL"), "NOBODY", made), "elsewhere the table's owner does"
    assert lacks(statement.replace("MARTS", "PERSONAL"), "UP_ROLE", made).startswith("OWNERSHIP on TABLE")


def test_turning_managed_access_on_takes_the_owner_and_manage_grants() -> None:
    """ALTER SCHEMA, Usage notes."""
    on, off = (f"alter schema UP.PERSONAL {what} managed access" for what in ("enable", "disable"))
    made = account(INSIDE, before=MADE)
    assert lacks(on, "NOBODY", made).startswith("MANAGE GRANTS on ACCOUNT, which SECURITYADMIN has")
    both = account(
        f"use role SECURITYADMIN; grant role NOBODY to role SYSADMIN; use role ACCOUNTADMIN; {on};", before=made
    )
    assert allowed(off, "NOBODY", both)
    future = "use role NOBODY; grant select on future tables in schema UP.PERSONAL to role DOWN_ROLE;"
    assert lacks(off, "NOBODY", account(future, before=both)).startswith("MANAGE GRANTS on ACCOUNT")
    assert lacks(off, "UP_ROLE", both).startswith("OWNERSHIP on SCHEMA UP.PERSONAL")


def test_future_grants_take_manage_grants_outside_of_managed_access() -> None:
    """GRANT <privileges> ... TO ROLE, Access control requirements."""
    statement = "grant select on future tables in {} to role DOWN_ROLE"
    assert lacks(statement.format("database UP"), "SYSADMIN").startswith("MANAGE GRANTS on ACCOUNT")
    assert lacks(statement.format("schema UP.PLAIN"), "SYSADMIN").startswith("MANAGE GRANTS on ACCOUNT")
    assert allowed(statement.format("schema UP.MARTS"), "UP_ROLE")
    assert allowed(statement.format("database UP"), "SECURITYADMIN")


def test_what_is_there_takes_no_right_to_what_is_to_come() -> None:
    for statement in (
        "grant select on all tables in {} to role DOWN_ROLE",
        "grant ownership on all tables in {} to role R",
    ):
        made = account("use role USERADMIN; create role R; use role SYSADMIN; create schema UP.EMPTY", before=MADE)
        run(statement.format("schema UP.EMPTY"), made, role="SYSADMIN")
        with pytest.raises(Refusal, match="lacks MANAGE GRANTS"):
            run(statement.replace("all", "future").format("schema UP.EMPTY"), made, role="SYSADMIN")


def test_what_gives_way_need_not_be_owned() -> None:
    made = account("use role SYSADMIN; grant create schema on database UP to role DOWN_ROLE", before=MADE)
    assert run("create schema if not exists UP.MARTS", made, role="DOWN_ROLE")[0] == made


def test_inherited_grants_take_manage_grants_also_of_an_owner() -> None:
    """Managing access with inherited grants: container ownership alone does not authorize the creation."""
    statement = "grant inherited select on all tables in schema UP.MARTS to role DOWN_ROLE"
    assert lacks(statement, "UP_ROLE").startswith("MANAGE GRANTS on ACCOUNT")
    assert allowed(statement, "SECURITYADMIN")


def test_future_grants_to_a_database_role_take_its_database_too() -> None:
    statement = "grant select on future tables in schema UP.MARTS to database role UP.READER"
    assert lacks(statement, "SECURITYADMIN").startswith("USAGE on DATABASE UP")
    assert allowed(statement, "UP_ROLE")


# -- tags, policies, integrations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["set tag UP.PLAIN.COST = 'a'", "unset tag UP.PLAIN.COST"])
def test_a_tag_is_set_by_whoever_may_set_all_or_owns_the_thing_and_may_set_this_one(statement: str) -> None:
    """Object tagging, Summary of DDL commands, operations, and privileges."""
    statement = f"alter warehouse WH {statement}"
    given = """
    use role ACCOUNTADMIN;
    grant usage on schema UP.PLAIN to role {0};
    grant apply on tag UP.PLAIN.COST to role {0};
    """
    assert lacks(statement, "SYSADMIN").startswith("APPLY TAG on ACCOUNT or APPLY on TAG UP.PLAIN.COST")
    assert allowed(statement, "SYSADMIN", account(given.format("SYSADMIN"), before=MADE))
    not_its = account(given.format("DOWN_ROLE"), before=MADE)
    assert lacks(statement, "DOWN_ROLE", not_its).startswith("APPLY TAG on ACCOUNT or OWNERSHIP on WAREHOUSE WH")
    every = account("use role ACCOUNTADMIN; grant apply tag on account to role NOBODY", before=MADE)
    assert allowed(statement, "NOBODY", every)


def test_an_authentication_policy_takes_a_privilege_that_the_users_owner_has_not() -> None:
    statement = "alter user DOWN_SVC set authentication policy UP.PLAIN.POLICY"
    assert lacks(statement, "USERADMIN").endswith("on USER DOWN_SVC, which ACCOUNTADMIN has")
    given = "use role ACCOUNTADMIN; grant apply authentication policy on {} to role NOBODY"
    for on in ("account", "user DOWN_SVC"):
        assert allowed(statement, "NOBODY", account(given.format(on), before=MADE))


def test_a_stage_takes_the_use_of_its_integration_whenever_it_is_set() -> None:
    stage = account("use role UP_ROLE; create stage UP.MARTS.S", before=MADE)
    statement = "alter stage UP.MARTS.S set storage_integration = LAKE"
    assert lacks(statement, "UP_ROLE", stage).startswith("USAGE on INTEGRATION LAKE")
    usable = account("use role ACCOUNTADMIN; grant usage on integration LAKE to role UP_ROLE", before=stage)
    assert allowed(statement, "UP_ROLE", usable)
    assert allowed("alter stage UP.MARTS.S unset storage_integration", "UP_ROLE", stage)


def test_whoever_replaces_something_must_own_it() -> None:
    given = "use role UP_ROLE; grant create table on schema UP.MARTS to role DOWN_ROLE"
    made = account(given, before=MADE)
    statement = "create or replace table UP.MARTS.ORDERS as select 1"
    assert lacks(statement, "DOWN_ROLE", made).startswith("OWNERSHIP on TABLE UP.MARTS.ORDERS")
    assert lacks(statement.replace("replace", "alter"), "DOWN_ROLE", made).startswith("OWNERSHIP on TABLE")


def test_modify_is_enough_to_set_a_warehouse_and_not_to_drop_it() -> None:
    made = account("use role SYSADMIN; grant modify on warehouse WH to role NOBODY", before=MADE)
    assert allowed("alter warehouse WH set auto_suspend = 1", "NOBODY", made)
    assert lacks("drop warehouse WH", "NOBODY", made).startswith("OWNERSHIP on WAREHOUSE WH")
