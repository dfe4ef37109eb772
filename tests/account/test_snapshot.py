"""What SHOW tells of an account is the account, as far as it is ours or a way to ours."""

from dataclasses import replace

import pytest

from registry_tools.account import snapshot
from registry_tools.account.snapshot import Scope, read_account
from registry_tools.errors import AccountError
from registry_tools.mesh.account import Entry, Grant, Membership, Securable, role
from registry_tools.tasks.see_account import see_live
from tests.account.conftest import Setting
from tests.accounts import shown
from tests.fake_account import FakeAccount

LOOSE = """
use role accountadmin;
create role STRANGER; create role AUDITOR; create role AUDITORS; create role OTHER; create user ZOE;
create database THEIRS; create schema THEIRS.S; create table THEIRS.S.T (a int);
grant usage on database DBT_UP_PROD to role STRANGER;
grant role STRANGER to role AUDITORS; grant role AUDITOR to role AUDITORS; grant role AUDITORS to user ZOE;
grant usage on schema DBT_UP_PROD.MARTS to role AUDITOR;
grant usage on database THEIRS to role OTHER; grant usage on database THEIRS to role STRANGER;
grant usage on database THEIRS to role DBT_UP_ROLE;
"""
BUILT = """
use role DBT_UP_ROLE;
create table DBT_UP_PROD.MARTS.PUBLIC_ORDERS (a int); create secure view DBT_UP_PROD.MARTS.RECENT as select 1 as a;
create table DBT_UP_PROD.MARTS."Price List" (a int);
grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant select on table DBT_UP_PROD.MARTS.PUBLIC_ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant select on view DBT_UP_PROD.MARTS.RECENT to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant select on table DBT_UP_PROD.MARTS."Price List" to database role DBT_UP_PROD.MESH_PUBLIC_READER;
"""


def run(fake: FakeAccount, script: str) -> None:
    fake.available = (*fake.available, "DBT_UP_ROLE")
    for statement in script.split(";"):
        if statement.strip():
            fake.run(statement.strip())
    fake.role = "ACCOUNTADMIN"
    fake.log.clear()


@pytest.mark.parametrize("old_names", [False, True])
def test_what_was_set_up_and_built_is_read_back_whole(setting: Setting, *, old_names: bool) -> None:
    fake = setting.set_up()
    run(fake, BUILT)
    fake.old_names = old_names
    seen = see_live(fake, setting.deployment)
    wanted = shown(fake.account)
    assert dict(seen.account.objects) == dict(wanted.objects)
    assert seen.account.grants == wanted.grants
    assert seen.account.future == wanted.future
    assert seen.account.memberships == wanted.memberships
    assert (seen.name, seen.role) == ("FAKE", "ACCOUNTADMIN")


@pytest.mark.parametrize(
    "column", ["granted_on", "grantee_name", "privilege", "name", "grant_to", "options", "database_name"]
)
def test_an_answer_without_a_column_that_matters_is_an_error(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """What was renamed would else be read as if nobody held anything."""
    fake = setting.set_up()
    fake.run("grant usage on future schemas in database DBT_UP_PROD to role DBT_UP_ROLE")
    run = FakeAccount.run

    def renamed(self: FakeAccount, statement: str) -> list[dict[str, object]]:
        rows = run(self, statement)
        return [{f"{key}_2" if key == column else key: value for key, value in row.items()} for row in rows]

    monkeypatch.setattr(FakeAccount, "run", renamed)
    with pytest.raises(AccountError, match=f"the answer has no column {column}") as caught:
        see_live(fake, setting.deployment)
    assert (caught.value.where or "").startswith("show ")


def test_reading_changes_nothing_and_takes_a_bounded_number_of_statements(setting: Setting) -> None:
    fake = setting.set_up()
    told: list[tuple[int, int]] = []
    see_live(fake, setting.deployment, lambda done, total: told.append((done, total)))
    assert fake.changes == []
    scope = Scope.of(setting.deployment)
    roles = sum(thing.kind in {"ROLE", "DATABASE ROLE"} for thing in fake.account.objects)
    users = len(scope.users | scope.people)
    assert len(fake.log) <= 14 + 7 * len(scope.databases) + 2 * len(scope.warehouses) + 5 * users + 3 * roles
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert all(done <= total for done, total in told)


def test_an_empty_account_takes_a_handful_of_statements(setting: Setting) -> None:
    seen = see_live(FakeAccount(), setting.deployment)
    assert dict(seen.account.objects) == {}
    assert seen.account.grants == frozenset()


def test_whoever_could_reach_what_is_ours_is_read_with_the_roles_around_them(setting: Setting) -> None:
    fake = setting.set_up()
    run(fake, LOOSE)
    found = see_live(fake, setting.deployment).account
    database = Securable("DATABASE", ("DBT_UP_PROD",))
    marts = Securable("SCHEMA", ("DBT_UP_PROD", "MARTS"))
    assert Grant("USAGE", database, role("STRANGER")) in found.grants
    assert Membership(role("STRANGER"), role("AUDITORS")) in found.memberships
    assert Membership(role("AUDITORS"), Securable("USER", ("ZOE",))) in found.memberships
    # AUDITORS reach the database through one role and the schema through another one
    assert Grant("USAGE", marts, role("AUDITOR")) in found.grants


def test_what_is_others_own_is_left_out_but_for_what_our_roles_hold_of_it(setting: Setting) -> None:
    fake = setting.set_up()
    run(fake, LOOSE)
    found = see_live(fake, setting.deployment).account
    theirs = Securable("DATABASE", ("THEIRS",))
    assert not [thing for thing in found.objects if thing.name[0] == "THEIRS"]
    assert Grant("USAGE", theirs, role("DBT_UP_ROLE")) in found.grants
    assert {grant.to for grant in found.grants if grant.on == theirs} == {role("DBT_UP_ROLE")}
    assert role("OTHER") not in {held.to for held in found.grants} | {held.to for held in found.memberships}


def test_whoever_may_do_everything_is_read(setting: Setting) -> None:
    fake = setting.set_up()
    run(fake, "use role accountadmin; create role BOSS; grant manage grants on account to role BOSS")
    found = see_live(fake, setting.deployment).account
    assert [(grant.privilege, grant.to) for grant in found.grants if grant.on.kind == "ACCOUNT"] == [
        ("MANAGE GRANTS", role("BOSS"))
    ]


def test_system_roles_are_not_followed(setting: Setting) -> None:
    fake = setting.set_up()
    see_live(fake, setting.deployment)
    asked = [line for line in fake.log if "ADMIN" in line]
    assert asked == []


def test_what_snowflake_gives_everybody_is_left_out_and_what_of_ours_everybody_has_is_not(setting: Setting) -> None:
    fake = setting.set_up()
    run(fake, "use role accountadmin; grant usage on database DBT_UP_PROD to role PUBLIC")
    viewer = Securable("DATABASE ROLE", ("SNOWFLAKE", "OBJECT_VIEWER"))
    given = fake.account.memberships | {Membership(viewer, role("PUBLIC"))}
    fake.account = replace(fake.account, memberships=given)
    found = see_live(fake, setting.deployment).account
    assert viewer not in {held.role for held in found.memberships}
    assert not [line for line in fake.log if "OBJECT_VIEWER" in line]
    assert Grant("USAGE", Securable("DATABASE", ("DBT_UP_PROD",)), role("PUBLIC")) in found.grants


def test_nothing_of_people_is_read_but_that_they_are_there(setting: Setting) -> None:
    fake = setting.set_up()
    anna = Securable("USER", ("ANNA",))
    held = {**fake.account.objects, anna: Entry(settings={"RSA_PUBLIC_KEY": "MIIB", "LOGIN_NAME": "ANNA"})}
    fake.account = type(fake.account)(objects=held, grants=fake.account.grants)
    found = see_live(fake, setting.deployment).account
    assert found.objects[anna] == Entry()
    assert "describe user ANNA" not in fake.log


def test_more_tables_than_show_tells_of_are_read_in_pages(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = setting.set_up()
    made = "".join(f"create table DBT_UP_PROD.STAGING.T{number} (a int);" for number in range(7))
    run(fake, f'{BUILT} {made} create table DBT_UP_PROD.STAGING."It\'s" (a int)')
    monkeypatch.setattr(snapshot, "_PAGE", 3)
    found = see_live(fake, setting.deployment).account
    tables = {thing for thing in fake.account.objects if thing.kind in {"TABLE", "VIEW"}}
    assert {thing for thing in found.objects if thing.kind in {"TABLE", "VIEW"}} == tables
    assert len(tables) == 11
    # tables that no page had would not be missed above: SHOW GRANTS tells of what somebody owns
    pages = [statement for statement in fake.log if " in schema DBT_UP_PROD.STAGING limit 3" in statement]
    assert [statement.partition(" limit 3")[2] for statement in pages] == ["", " from 'T1'", " from 'T4'"]


def test_an_answer_that_is_cut_off_is_an_error_and_no_account(setting: Setting) -> None:
    class Long(FakeAccount):
        def run(self, statement: str) -> list[dict[str, object]]:
            rows = super().run(statement)
            return rows * 10_000 if statement == "show roles" else rows

    with pytest.raises(AccountError, match="10,000 rows at most") as caught:
        read_account(Long(), Scope.of(setting.deployment))
    assert caught.value.where == "show roles"
