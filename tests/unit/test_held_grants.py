"""What SHOW answers of reader roles is understood, in the forms in which Snowflake and its stand-in write it."""

from collections.abc import Sequence

import pytest

from registry_tools.account.held_grants import questions, read_held, told_by, unanswered
from registry_tools.account.shown import Row
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


def told(rows: Sequence[Row]) -> Account:
    return told_by([rows], DB, []).account


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
    assert held.relations == {ORDERS, ODD}
    assert held.listed == {SCHEMA, Securable("SCHEMA", (DB, "my marts"))}
    assert held.account.objects[READER].owner == role("DBT_UP_ROLE")
    assert made.ran == ["use role DBT_UP_ROLE"]


def test_a_schema_that_is_not_there_is_known_not_to_be() -> None:
    held = read_held(SnowflakeAccount(), "DBT_UP_ROLE", DB, WANTED)
    assert held.account == Account()
    assert held.lacks(SCHEMA)


def test_a_schema_with_more_than_snowflake_shows_at_once_is_read_to_its_end() -> None:
    made = account()
    made.objects |= {Securable("TABLE", (DB, "MARTS", f"it's {number:05}")): Entry() for number in range(10_000)}
    made.objects |= {Securable("TABLE", (DB, "MARTS", f"z{number:05}")): Entry() for number in range(9_999)}
    held = read_held(made, "DBT_UP_ROLE", DB, WANTED)
    assert held.listed == {SCHEMA, Securable("SCHEMA", (DB, "my marts"))}
    assert len(held.relations) == 1 + 19_999 + 1


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
    found = told([{**row, "granted_to": "DATABASE_ROLE", "grantee_name": grantee}])
    assert found.grants == {Grant("SELECT", relation, READER)}


def test_ownership_is_no_grant_and_usage_of_a_role_is_being_in_it() -> None:
    to = {"granted_to": "DATABASE_ROLE", "grantee_name": "MESH_PUBLIC_READER"}
    owned = {"privilege": "OWNERSHIP", "granted_on": "TABLE", "name": ORDERS.path, **to}
    inside = {"privilege": "USAGE", "granted_on": "DATABASE_ROLE", "name": "DBT_UP_PROD.ALL_OF_IT", **to}
    found = told([owned, inside])
    assert found == Account(memberships=frozenset({Membership(database_role(DB, "ALL_OF_IT"), READER)}))


@pytest.mark.parametrize("name", ["MESH_PUBLIC_READER", "DBT_UP_PROD.MESH_PUBLIC_READER"])
def test_who_has_a_role_is_read_whether_or_not_the_role_is_named_with_its_database(name: str) -> None:
    row = {"created_on": "", "role": name, "granted_to": "ROLE", "grantee_name": "DBT_DOWN_ROLE", "granted_by": ""}
    assert told([row]).memberships == {Membership(READER, role("DBT_DOWN_ROLE"))}


def test_future_grants_are_read_for_schemas_and_for_databases() -> None:
    to = {"grant_to": "DATABASE_ROLE", "grantee_name": "MESH_PUBLIC_READER", "privilege": "SELECT"}
    rows = [
        {"grant_on": "TABLE", "name": "DBT_UP_PROD.MARTS.<TABLE>", **to},
        {"grant_on": "DYNAMIC_TABLE", "name": "DBT_UP_PROD.<DYNAMIC TABLE>", **to},
    ]
    assert told(rows).future == {
        FutureGrant("SELECT", "TABLE", SCHEMA, READER),
        FutureGrant("SELECT", "DYNAMIC TABLE", Securable("DATABASE", (DB,)), READER),
    }


def test_a_name_without_quotes_is_the_role_that_was_asked_about() -> None:
    on = {"privilege": "SELECT", "granted_on": "TABLE", "name": ORDERS.path}
    see = {"privilege": "USAGE", "granted_on": "SCHEMA", "name": "DBT_UP_PROD.my marts"}
    to = {"granted_to": "DATABASE_ROLE", "grantee_name": "MESH_READER_PRICE LIST"}
    member = {"role": "MESH_READER_PRICE LIST", "granted_to": "ROLE", "grantee_name": "CRM_ROLE"}
    wanted = [ReaderRole(role=OWN, relations={ORDERS: "orders"})]
    for name in (to["grantee_name"], f"DBT_UP_PROD.{to['grantee_name']}"):
        rows = [{**each, **to, "grantee_name": name} for each in (on, see)]
        assert told_by([rows], DB, wanted).account.grants == {
            Grant("SELECT", ORDERS, OWN),
            Grant("USAGE", Securable("SCHEMA", (DB, "my marts")), OWN),
        }
    assert told([member]).memberships == {Membership(OWN, role("CRM_ROLE"))}


def test_answers_about_two_databases_are_told_apart_by_their_order() -> None:
    far = database_role("SHARED", "MESH_PUBLIC_READER")
    wanted = [ReaderRole(role=READER, relations={}), ReaderRole(role=far, relations={})]
    there, to = {"name": "MESH_PUBLIC_READER"}, {"granted_to": "DATABASE_ROLE", "grantee_name": "MESH_PUBLIC_READER"}
    entered = {"privilege": "USAGE", "granted_on": "DATABASE", "name": "SHARED", **to}
    member = {"role": "MESH_PUBLIC_READER", "granted_to": "ROLE", "grantee_name": "CRM_ROLE"}
    answers = [[], [there], [], [], [], [entered], [], [member]]
    held = told_by(answers, DB, wanted).account
    assert set(held.objects) == {far}
    assert held.memberships == {Membership(far, role("CRM_ROLE"))}
    assert told_by([[]], DB, wanted).account == Account()
    with pytest.raises(
        ValueError, match="8 questions, and does not say which are about DBT_UP_PROD and which about SH"
    ):
        told_by([[row for rows in answers for row in rows]], DB, wanted)


def test_answers_about_something_else_are_refused() -> None:
    on = {"privilege": "SELECT", "granted_on": "TABLE", "granted_to": "DATABASE_ROLE"}
    wanted = [ReaderRole(role=database_role(name, "MESH_PUBLIC_READER"), relations={}) for name in (DB, "SHARED")]
    other = {**on, "name": ORDERS.path, "grantee_name": "REPORTING"}
    with pytest.raises(ValueError, match="a row is about REPORTING, and DATABASE ROLE DBT_UP_PROD"):
        told_by([[], [], [other], *[[]] * 5], DB, wanted)
    elsewhere = {**on, "name": "OTHER.MARTS.ORDERS", "grantee_name": "MESH_PUBLIC_READER"}
    with pytest.raises(ValueError, match=r"a row is about TABLE OTHER\.MARTS\.ORDERS, where DATABASE ROLE"):
        told_by([[], [], [elsewhere], *[[]] * 5], DB, wanted)


def test_a_role_that_is_there_holds_something_or_was_not_asked_about() -> None:
    roles = [{"name": "MESH_PUBLIC_READER"}, {"name": "MESH_READER_OLD"}, {"name": "REPORTING"}]
    to = {"granted_to": "DATABASE_ROLE", "grantee_name": "MESH_PUBLIC_READER"}
    held = {"privilege": "USAGE", "granted_on": "DATABASE", "name": DB, **to}
    assert unanswered(told_by([[*roles, held]], DB, [])) == (
        "show grants to database role DBT_UP_PROD.MESH_READER_OLD",
        "show future grants to database role DBT_UP_PROD.MESH_READER_OLD",
        "show grants of database role DBT_UP_PROD.MESH_READER_OLD",
    )
    assert unanswered(told_by([[held, *roles[::2]]], DB, [])) == ()


def test_who_holds_more_than_snowflake_shows_is_known_to() -> None:
    made = account()
    made.grants |= {Grant("SELECT", Securable("TABLE", (DB, "MARTS", f"T{n}")), READER) for n in range(9_998)}
    held = read_held(made, "DBT_UP_ROLE", DB, WANTED)
    assert held.cut == {READER}
    assert len(held.account.grants) == 10_001
    answers = [made.run(question.sql) for question in questions(DB, WANTED)]
    assert told_by([[row for rows in answers for row in rows]], DB, WANTED).cut == {READER}


def test_reader_roles_of_the_owner_in_other_databases_are_found() -> None:
    made, left = account(), database_role("SHARED", "MESH_PUBLIC_READER")
    made.objects |= {left: Entry(owner=role("DBT_UP_ROLE")), database_role("X", "MESH_READER_Y"): Entry()}
    held = read_held(made, "DBT_UP_ROLE", DB, WANTED).account
    assert {each for each in held.objects if each.name[0] not in {DB, "OTHER"}} == {left}
    assert held.objects[left].owner == role("DBT_UP_ROLE")
