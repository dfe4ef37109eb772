"""Small Snowflake accounts for tests: the setup of a mesh of two projects as it should be, and as it should not."""

from registry_tools.checks.access.running import run
from registry_tools.mesh.account import Account, Entry, Securable, role

UP, DOWN = role("UP_ROLE"), role("DOWN_ROLE")

# What both ways of setting up begin with: databases, roles under SYSADMIN, and each role in its own database.
_BOTH = """
use role SYSADMIN;
create database if not exists UP;
create schema if not exists UP.STAGING with managed access;
create schema if not exists UP.MARTS with managed access;
create database if not exists DOWN;
create schema if not exists DOWN.MARTS with managed access;
create warehouse if not exists WH initially_suspended = true;
alter warehouse WH set auto_suspend = 60 comment = 'dbt';
use role USERADMIN;
create role if not exists UP_ROLE;
create role if not exists DOWN_ROLE;
grant role UP_ROLE to role SYSADMIN;
grant role DOWN_ROLE to role SYSADMIN;
create user if not exists DOWN_SVC type = service default_role = DOWN_ROLE;
grant role DOWN_ROLE to user DOWN_SVC;
use role SYSADMIN;
grant usage, create database role on database UP to role UP_ROLE;
grant usage on database DOWN to role DOWN_ROLE;
grant usage on warehouse WH to role UP_ROLE;
grant ownership on schema UP.STAGING to role UP_ROLE copy current grants;
grant ownership on schema UP.MARTS to role UP_ROLE copy current grants;
grant ownership on schema DOWN.MARTS to role DOWN_ROLE copy current grants;
"""

LEAST = f"""{_BOTH}
use role UP_ROLE;
create database role if not exists UP.READER;
grant usage on schema UP.MARTS to database role UP.READER;
grant database role UP.READER to role DOWN_ROLE;
"""

NAIVE = f"""{_BOTH}
use role SECURITYADMIN;
grant usage on database UP to role DOWN_ROLE;
grant usage on all schemas in database UP to role DOWN_ROLE;
grant select on all tables in database UP to role DOWN_ROLE;
grant select on future tables in database UP to role DOWN_ROLE;
"""

# What dbt emits for three models, of which the first is public; {copy_grants} as the project's +copy_grants says.
BUILD = """
use role UP_ROLE;
create or replace transient table UP.MARTS.ORDERS {copy_grants} as (select 1 as id);
create or replace transient table UP.MARTS.INTERNAL {copy_grants} as (select 1 as id);
create or replace transient table UP.STAGING.STG_ORDERS {copy_grants} as (select 1 as id);
"""
GRANTS = "use role UP_ROLE; grant select on table UP.MARTS.ORDERS to database role UP.READER;"

ORDERS, INTERNAL, STG_ORDERS = (
    Securable("TABLE", ("UP", *name))
    for name in (("MARTS", "ORDERS"), ("MARTS", "INTERNAL"), ("STAGING", "STG_ORDERS"))
)


def account(*scripts: str, before: Account | None = None) -> Account:
    """The account after these scripts, run one after the other in an empty one or in `before`."""
    made = before or Account()
    for script in scripts:
        made, _ = run(script, made)
    return made


def changed(script: str, before: Account) -> list[str]:
    """The statements of this script that change this account."""
    return [statement.on_one_line for statement, changes in run(script, before)[1] if changes]


def shown(account: Account) -> Account:
    """The account without what SHOW has no column for: how something was created, and what system roles are."""
    dropped = {"INITIALLY_SUSPENDED", "START_TIMESTAMP", "IS_SECURE"}
    return Account(
        objects={
            thing: Entry(owner=e.owner, settings={k: v for k, v in e.settings.items() if k not in dropped})
            for thing, e in account.objects.items()
        },
        grants=account.grants,
        future=account.future,
        memberships=account.memberships,
    )
