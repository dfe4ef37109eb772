"""Who can do what: the same questions to a setup that gives the least, and to one that leaks."""

import pytest

from registry_tools.checks.access.questions import Access, matrix, may
from registry_tools.mesh.account import ACCOUNT, Account, Grant, Membership, Securable, database_role, role
from tests.accounts import BUILD, DOWN, GRANTS, INTERNAL, LEAST, NAIVE, ORDERS, STG_ORDERS, UP, account

COPYING = BUILD.format(copy_grants="copy grants")
SERVICE = Securable("USER", ("DOWN_SVC",))
MARTS = Securable("SCHEMA", ("UP", "MARTS"))


def test_least_privilege_reads_exactly_what_is_public() -> None:
    made = account(LEAST, COPYING, GRANTS)
    assert _read_of(made, DOWN) == [ORDERS]


def test_grants_on_whatever_comes_leak_what_is_not_public() -> None:
    made = account(NAIVE, COPYING)
    assert _read_of(made, DOWN) == [ORDERS, INTERNAL, STG_ORDERS]


def _read_of(made: Account, who: Securable) -> list[Securable]:
    return [table for table in (ORDERS, INTERNAL, STG_ORDERS) if may(made, who, "SELECT", table)]


def test_grants_that_are_inherited_leak_what_is_there_and_what_comes() -> None:
    inherited = """
    use role SECURITYADMIN;
    grant usage on database UP to role DOWN_ROLE;
    grant inherited usage on all schemas in database UP to role DOWN_ROLE;
    grant inherited select on all tables in database UP to role DOWN_ROLE;
    """
    build = BUILD.format(copy_grants="")
    for scripts in ((LEAST, build, GRANTS, inherited), (LEAST, inherited, build, GRANTS)):
        made = account(*scripts)
        assert [may(made, DOWN, "SELECT", table) for table in (ORDERS, INTERNAL, STG_ORDERS)] == [True] * 3
        assert not any(grant.to == DOWN and grant.on == INTERNAL for grant in made.grants)
        gone = account(inherited.replace("grant", "revoke").replace(" to ", " from "), before=made)
        assert [may(gone, DOWN, "SELECT", table) for table in (ORDERS, INTERNAL)] == [True, False]


def test_a_reader_writes_nothing_and_creates_nothing() -> None:
    made = account(LEAST, COPYING, GRANTS)
    assert not any(may(made, DOWN, privilege, ORDERS) for privilege in ("INSERT", "UPDATE", "DELETE", "OWNERSHIP"))
    assert not may(made, DOWN, "CREATE TABLE", MARTS)
    assert not may(made, DOWN, "USAGE", Securable("WAREHOUSE", ("WH",)))
    assert may(made, UP, "USAGE", Securable("WAREHOUSE", ("WH",)))


def test_the_producer_sees_nothing_of_its_consumer() -> None:
    made = account(LEAST, "use role DOWN_ROLE; create table DOWN.MARTS.T as select 1;")
    assert not may(made, UP, "SELECT", Securable("TABLE", ("DOWN", "MARTS", "T")))
    assert [row.database for row in matrix(made, [UP])] == ["UP"]


@pytest.mark.parametrize(("clause", "kept"), [("copy grants", True), ("", False)])
def test_a_rebuild_keeps_grants_only_where_it_copies_them(clause: str, kept: bool) -> None:  # noqa: FBT001
    made = account(LEAST, COPYING, GRANTS, BUILD.format(copy_grants=clause))
    assert may(made, DOWN, "SELECT", ORDERS) is kept


def test_a_user_may_what_its_roles_may() -> None:
    made = account(LEAST, COPYING, GRANTS)
    assert may(made, SERVICE, "SELECT", ORDERS)
    assert not may(made, SERVICE, "SELECT", INTERNAL)


def test_what_everybody_may_each_role_and_user_may_but_no_share() -> None:
    shared = "use role ACCOUNTADMIN; create share S; grant usage on database UP to role PUBLIC;"
    made = account(LEAST, shared)
    database = Securable("DATABASE", ("UP",))
    assert may(made, SERVICE, "USAGE", database)
    assert not may(made, Securable("SHARE", ("S",)), "USAGE", database)


def test_who_is_above_a_role_may_what_it_may() -> None:
    made = account(LEAST, COPYING)
    assert may(made, role("SYSADMIN"), "SELECT", INTERNAL)
    assert may(made, role("ACCOUNTADMIN"), "OWNERSHIP", INTERNAL)
    assert not may(made, role("SECURITYADMIN"), "SELECT", INTERNAL)


def test_a_table_is_reached_through_its_schema_and_its_database() -> None:
    made = account(LEAST, COPYING, "use role UP_ROLE; grant select on table UP.MARTS.ORDERS to role DOWN_ROLE")
    assert may(made, DOWN, "SELECT", ORDERS)
    reader = database_role("UP", "READER")
    for lost in (
        Membership(reader, DOWN),
        Grant("USAGE", MARTS, reader),
        Grant("USAGE", Securable("DATABASE", ("UP",)), reader),
    ):
        less = Account(objects=made.objects, grants=made.grants - {lost}, memberships=made.memberships - {lost})
        assert not may(less, DOWN, "SELECT", ORDERS)


def test_any_privilege_on_a_schema_is_a_way_into_it() -> None:
    """Access control privileges: whoever may create in a schema resolves its names."""
    more = """
    use role UP_ROLE;
    grant create view on schema UP.MARTS to database role UP.READER;
    revoke usage on schema UP.MARTS from database role UP.READER;
    """
    made = account(LEAST, COPYING, GRANTS, more)
    assert may(made, DOWN, "SELECT", ORDERS)


def test_what_is_called_like_a_role_of_the_system_is_none() -> None:
    made = account("use role SYSADMIN; create database SECURITYADMIN; create database role SECURITYADMIN.R")
    assert not may(made, database_role("SECURITYADMIN", "R"), "MANAGE GRANTS", ACCOUNT)
    assert not may(made, role("ACCOUNTADMIN"), "USAGE", Securable("WAREHOUSE", ("SYSADMIN",)))


def test_nobody_may_anything_with_what_is_not_there() -> None:
    made = account(LEAST)
    assert not may(made, role("ACCOUNTADMIN"), "SELECT", ORDERS)
    assert not may(made, role("ACCOUNTADMIN"), "USAGE", Securable("WAREHOUSE", ("NO",)))


@pytest.mark.parametrize(
    ("who", "privilege", "is_so"),
    [
        ("SYSADMIN", "CREATE DATABASE", True),
        ("SYSADMIN", "CREATE ROLE", False),
        ("USERADMIN", "CREATE ROLE", True),
        ("SECURITYADMIN", "CREATE USER", True),
        ("SECURITYADMIN", "MANAGE GRANTS", True),
        ("ACCOUNTADMIN", "CREATE INTEGRATION", True),
        ("PUBLIC", "CREATE DATABASE", False),
    ],
)
def test_the_systems_roles_may_what_they_may_everywhere(who: str, privilege: str, is_so: bool) -> None:  # noqa: FBT001
    assert may(Account(), role(who), privilege, ACCOUNT) is is_so


def test_whoever_manages_warehouses_may_change_them_and_not_use_them() -> None:
    made = account(LEAST, "use role ACCOUNTADMIN; grant manage warehouses on account to role DOWN_ROLE")
    warehouse = Securable("WAREHOUSE", ("WH",))
    assert may(made, DOWN, "MODIFY", warehouse)
    assert not may(made, DOWN, "USAGE", warehouse)
    assert not may(made, DOWN, "MODIFY", Securable("DATABASE", ("UP",)))


# -- the matrix -------------------------------------------------------------------------------------------------------


def test_the_matrix_is_the_architectures() -> None:
    rows = matrix(account(LEAST, COPYING, GRANTS))
    assert [(row.who.path, row.database, row.says) for row in rows] == [
        ("DOWN_ROLE", "DOWN", "Full (CREATE, SELECT, INSERT, UPDATE, DELETE) in MARTS"),
        ("DOWN_ROLE", "UP", "Read-only (SELECT), 1 relation"),
        ("UP_ROLE", "UP", "Full (CREATE, SELECT, INSERT, UPDATE, DELETE) in MARTS, STAGING"),
    ]


def test_the_matrix_shows_a_leak_before_there_is_anything_to_read() -> None:
    row = next(row for row in matrix(account(NAIVE), [DOWN]) if row.database == "UP")
    assert row == Access(who=DOWN, database="UP", reads_more=True)
    assert row.says == "Read-only (SELECT), 0 relations and all that come"


def test_what_comes_in_one_schema_comes_in_its_database() -> None:
    made = account(LEAST, "use role UP_ROLE; grant select on future views in schema UP.MARTS to role DOWN_ROLE")
    assert [row.reads_more for row in matrix(made, [DOWN])] == [False, True]


def test_a_row_tells_own_schemas_and_what_is_changed_elsewhere() -> None:
    more = """
    use role ACCOUNTADMIN;
    grant create schema on database UP to role DOWN_ROLE;
    grant insert, select on table UP.MARTS.ORDERS to role DOWN_ROLE;
    """
    row = next(row for row in matrix(account(LEAST, COPYING, more), [DOWN]) if row.database == "UP")
    assert (row.opens, row.reads, row.writes) == (True, (ORDERS,), (ORDERS,))
    assert row.says == "own schemas (CREATE SCHEMA); Read-only (SELECT), 1 relation; writes 1 of them"


def test_whoever_only_sees_a_database_has_a_row_that_says_so() -> None:
    row = next(row for row in matrix(account(LEAST), [DOWN]) if row.database == "UP")
    assert row.says == "sees the database, reads nothing"
