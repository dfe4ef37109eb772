"""What SHOW answers of reader roles is understood, in the forms in which Snowflake and its stand-in write it."""

import pytest

from registry_tools.account.held_grants import read_held, told_account
from registry_tools.errors import AccountError
from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable, database_role, role
from registry_tools.mesh.grant_plan import ReaderRole
from tests.snowflake_account import Rows, SnowflakeAccount

DB = "DBT_UP_PROD"
READER = database_role(DB, "MESH_PUBLIC_READER")
OWN = database_role(DB, "MESH_READER_PRICE LIST")
SCHEMA = Securable("SCHEMA", (DB, "MARTS"))
ORDERS = Securable("TABLE", (DB, "MARTS", "ORDERS"))
ODD = Securable("VIEW", (DB, "my marts", 'a "b".c'))
WANTED = [ReaderRole(role=READER, relations={ORDERS: "orders", ODD: "odd"})]


def account() -> SnowflakeAccount:
    made = SnowflakeAccount()
    made.build(ORDERS.path)
    made.build("OTHER.MARTS.ORDERS")
    made.build(ODD.path, kind="VIEW")
    made.objects |= {each: Entry(owner=role("DBT_UP_ROLE")) for each in (READER, OWN, database_role(DB, "REPORTING"))}
    made.grants |= {Grant("SELECT", each, READER) for each in (ORDERS, ODD)}
    made.grants |= {Grant("USAGE", SCHEMA, OWN), Grant("SELECT", ORDERS, database_role(DB, "REPORTING"))}
    made.future.add(FutureGrant("SELECT", "TABLE", SCHEMA, OWN))
    made.memberships |= {Membership(READER, role("odd role")), Membership(READER, Securable("SHARE", ("S",)))}
    return made


def test_everything_about_reader_roles_is_read_and_nothing_else() -> None:
    made = account()
    held = read_held(made, "DBT_UP_ROLE", DB, WANTED)
    mine = {READER, OWN}
    assert held.account.grants == {grant for grant in made.grants if grant.to in mine}
    assert held.account.future == made.future
    assert held.account.memberships == made.memberships
    assert held.relations == {ORDERS.name, ODD.name}
    assert held.listed == {SCHEMA, Securable("SCHEMA", (DB, "my marts"))}
    assert held.account.objects[READER].owner == role("DBT_UP_ROLE")
    assert made.ran == ["use role DBT_UP_ROLE"]


def test_a_schema_that_is_not_there_is_known_not_to_be() -> None:
    held = read_held(SnowflakeAccount(), "DBT_UP_ROLE", DB, WANTED)
    assert held.account == Account()
    assert held.lacks(SCHEMA)


def test_of_a_schema_with_more_than_snowflake_shows_nothing_is_missing() -> None:
    made = account()
    made.objects |= {Securable("TABLE", (DB, "MARTS", f"T{number}")): Entry() for number in range(10_000)}
    held = read_held(made, "DBT_UP_ROLE", DB, WANTED)
    assert held.listed == {Securable("SCHEMA", (DB, "my marts"))}


def test_an_answer_of_another_kind_is_no_empty_answer() -> None:
    class Odd(SnowflakeAccount):
        def run(self, statement: str) -> Rows:
            return [{"status": "fine"}] if statement.startswith("show") else []

    with pytest.raises(AccountError, match="the answer cannot be understood: a row has status") as caught:
        read_held(Odd(), "DBT_UP_ROLE", DB, WANTED)
    assert caught.value.details == ("in show database roles in database DBT_UP_PROD",)


@pytest.mark.parametrize("grantee", ["MESH_PUBLIC_READER", "DBT_UP_PROD.MESH_PUBLIC_READER"])
@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("DBT_UP_PROD.MARTS.ORDERS", ORDERS),
        ('DBT_UP_PROD."my marts"."a ""b"".c"', Securable("TABLE", ODD.name)),
        ("DBT_UP_PROD.MARTS.orders", Securable("TABLE", (DB, "MARTS", "orders"))),
    ],
)
def test_names_and_grantees_are_read_as_they_are_written(grantee: str, name: str, relation: Securable) -> None:
    row = {"privilege": "SELECT", "granted_on": "TABLE", "name": name}
    told = told_account([{**row, "granted_to": "DATABASE_ROLE", "grantee_name": grantee}], DB)
    assert told.grants == {Grant("SELECT", relation, READER)}


def test_ownership_is_no_grant_and_usage_of_a_role_is_being_in_it() -> None:
    to = {"granted_to": "DATABASE_ROLE", "grantee_name": "MESH_PUBLIC_READER"}
    owned = {"privilege": "OWNERSHIP", "granted_on": "TABLE", "name": ORDERS.path, **to}
    inside = {"privilege": "USAGE", "granted_on": "DATABASE_ROLE", "name": "DBT_UP_PROD.ALL_OF_IT", **to}
    told = told_account([owned, inside], DB)
    assert told == Account(memberships=frozenset({Membership(database_role(DB, "ALL_OF_IT"), READER)}))


@pytest.mark.parametrize("name", ["MESH_PUBLIC_READER", "DBT_UP_PROD.MESH_PUBLIC_READER"])
def test_who_has_a_role_is_read_whether_or_not_the_role_is_named_with_its_database(name: str) -> None:
    row = {"created_on": "", "role": name, "granted_to": "ROLE", "grantee_name": "DBT_DOWN_ROLE", "granted_by": ""}
    assert told_account([row], DB).memberships == {Membership(READER, role("DBT_DOWN_ROLE"))}


def test_future_grants_are_read_for_schemas_and_for_databases() -> None:
    to = {"grant_to": "DATABASE_ROLE", "grantee_name": "MESH_PUBLIC_READER", "privilege": "SELECT"}
    rows = [
        {"grant_on": "TABLE", "name": "DBT_UP_PROD.MARTS.<TABLE>", **to},
        {"grant_on": "DYNAMIC_TABLE", "name": "DBT_UP_PROD.<DYNAMIC TABLE>", **to},
    ]
    assert told_account(rows, DB).future == {
        FutureGrant("SELECT", "TABLE", SCHEMA, READER),
        FutureGrant("SELECT", "DYNAMIC TABLE", Securable("DATABASE", (DB,)), READER),
    }
