"""What an account has that the files do not say, and the other way round; what is not ours is none of our business."""

from dataclasses import replace

import pytest

from registry_tools.checks.access.deviations import Deviation, Scope, deviations
from registry_tools.checks.access.mending import granting, setting
from registry_tools.checks.access.running import run
from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable, database_role, role
from tests.accounts import BUILD, DOWN, GRANTS, LEAST, ORDERS, UP, account

GOVERNED = """
use role SYSADMIN;
create tag UP.PUBLIC.COST;
create authentication policy UP.PUBLIC.POLICY authentication_methods = ('KEYPAIR');
use role ACCOUNTADMIN;
create resource monitor CREDITS with credit_quota = 1 triggers on 80 percent do notify;
alter warehouse WH set resource_monitor = CREDITS;
alter warehouse WH set tag UP.PUBLIC.COST = 'it''s';
alter user DOWN_SVC set authentication policy UP.PUBLIC.POLICY;
alter user DOWN_SVC set rsa_public_key = 'MIIB' type = service;
create share OUT;
alter share OUT set accounts = o.a, o.b;
alter account set timezone = 'UTC';
"""
WANTED = account(LEAST, GOVERNED)
WAREHOUSE, SERVICE = Securable("WAREHOUSE", ("WH",)), Securable("USER", ("DOWN_SVC",))
MARTS, READER = Securable("SCHEMA", ("UP", "MARTS")), database_role("UP", "READER")
ADMIN, PUBLIC = role("SYSADMIN"), role("PUBLIC")


def after(script: str, before: Account = WANTED) -> Account:
    return run(script, before, role="ACCOUNTADMIN")[0]


def told(found: Account, scope: Scope | None = None, wanted: Account = WANTED) -> list[tuple[str, str]]:
    return [(one.kind, one.says) for one in deviations(wanted, found, scope)]


def test_an_account_that_is_as_the_files_say_has_none() -> None:
    assert deviations(WANTED, WANTED) == ()


def test_what_dbt_builds_is_no_deviation() -> None:
    assert told(after(BUILD.format(copy_grants=""))) == []


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        ("alter warehouse WH set auto_suspend = 600", "AUTO_SUSPEND of WAREHOUSE WH is 600, and should be 60"),
        ("alter warehouse WH unset comment", "COMMENT of WAREHOUSE WH is not set, and should be dbt"),
        ("alter warehouse WH unset resource_monitor", "RESOURCE_MONITOR of WAREHOUSE WH is not set"),
        (
            "alter warehouse WH set tag UP.PUBLIC.COST = 'x'",
            "TAG UP.PUBLIC.COST of WAREHOUSE WH is x, and should be it's",
        ),
        (
            "alter resource monitor CREDITS triggers on 90 percent do notify",
            "is ON 90 PERCENT DO NOTIFY, and should be",
        ),
        (
            "alter schema UP.MARTS disable managed access",
            "MANAGED ACCESS of SCHEMA UP.MARTS is FALSE, and should be TRUE",
        ),
        (
            "alter schema UP.PUBLIC enable managed access",
            "MANAGED ACCESS of SCHEMA UP.PUBLIC is TRUE, and should be FALSE",
        ),
        ("alter user DOWN_SVC unset authentication policy", "AUTHENTICATION POLICY of USER DOWN_SVC is not set"),
        ("alter user DOWN_SVC set type = person", "TYPE of USER DOWN_SVC is PERSON, and should be SERVICE"),
        ("alter user DOWN_SVC unset rsa_public_key", "RSA_PUBLIC_KEY of USER DOWN_SVC is not set, and should be MIIB"),
        ("alter share OUT add accounts = o.c", "ACCOUNTS of SHARE OUT is O.A, O.B, O.C, and should be O.A, O.B"),
        (
            "alter authentication policy UP.PUBLIC.POLICY set authentication_methods = ('PASSWORD')",
            "is ('PASSWORD'), and",
        ),
        ("alter account set timezone = 'CET'", "TIMEZONE of ACCOUNT is CET, and should be UTC"),
    ],
)
def test_what_is_set_another_way_is_told_and_mended(drift: str, says: str) -> None:
    found = after(drift)
    (one,) = deviations(WANTED, found)
    assert one.kind == "other-setting"
    assert says in one.says
    assert deviations(WANTED, after(one.mend or "", found)) == ()


def test_what_only_creation_says_is_not_asked_for_afterwards() -> None:
    assert "INITIALLY_SUSPENDED" in WANTED.objects[WAREHOUSE].settings
    assert told(after("alter warehouse WH unset initially_suspended")) == []


def test_a_setting_that_show_may_not_tell_is_compared_where_it_is_told() -> None:
    stage = Securable("STAGE", ("UP", "MARTS", "S"))
    wanted = after("create stage UP.MARTS.S url = 's3://b/'")
    untold, other = (
        replace(wanted, objects={**wanted.objects, stage: Entry(owner=role("ACCOUNTADMIN"), settings=settings)})
        for settings in ({}, {"URL": "s3://c/"})
    )
    assert told(untold, wanted=wanted) == []
    assert told(other, wanted=wanted) == [("other-setting", f"URL of {stage} is s3://c/, and should be s3://b/")]


def test_a_list_of_allowed_values_is_mended_by_hand() -> None:
    assert setting(Securable("TAG", ("A", "B", "C")), "ALLOWED_VALUES", "a, b") is None


@pytest.mark.parametrize(
    ("key", "value", "statement"),
    [
        ("DEFAULT_ROLE", '"Odd role"', 'DEFAULT_ROLE = "Odd role"'),
        ("COMMENT", "WORD", "COMMENT = 'WORD'"),
        ("COMMENT", r"a\b", r"COMMENT = 'a\\b'"),
        ("WAREHOUSE_SIZE", "XSMALL", "WAREHOUSE_SIZE = XSMALL"),
        ("X", "lower", "X = 'lower'"),
        ("X", "('a', 'b')", "X = ('a', 'b')"),
        ("X", "(()", "X = '(()'"),
    ],
)
def test_values_are_spelled_as_alter_takes_them(key: str, value: str, statement: str) -> None:
    mend = setting(WAREHOUSE, key, value)
    assert mend == f"ALTER WAREHOUSE WH SET {statement}"
    assert after(mend).objects[WAREHOUSE].settings[key] == value


# -- objects ----------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_told_once_and_not_with_all_that_would_be_on_it() -> None:
    assert told(after("drop schema UP.MARTS")) == [("missing-object", "there is no SCHEMA UP.MARTS")]
    assert told(after("drop database role UP.READER")) == [("missing-object", "there is no DATABASE ROLE UP.READER")]


def test_another_owner_is_told_and_mended() -> None:
    found = after("grant ownership on schema UP.MARTS to role DOWN_ROLE copy current grants")
    (one,) = deviations(WANTED, found)
    assert one == Deviation(
        kind="other-owner",
        about=MARTS,
        says="SCHEMA UP.MARTS is owned by ROLE DOWN_ROLE, and should be by ROLE UP_ROLE",
        mend="GRANT OWNERSHIP ON SCHEMA UP.MARTS TO ROLE UP_ROLE COPY CURRENT GRANTS",
    )
    assert deviations(WANTED, after(one.mend or "", found)) == ()


def test_an_owner_of_whom_nothing_is_known_is_not_told() -> None:
    found = replace(WANTED, objects={**WANTED.objects, MARTS: replace(WANTED.objects[MARTS], owner=None)})
    assert told(found) == []


def test_strangers_things_in_our_databases_are_told() -> None:
    found = after("create schema UP.MINE; create database THEIRS; create schema THEIRS.MINE")
    says = "SCHEMA UP.MINE is owned by ROLE ACCOUNTADMIN: the files do not make it, nor let that role make it"
    assert told(found) == [("extra-object", says)]
    unknown = replace(found, objects={**found.objects, Securable("SCHEMA", ("UP", "MINE")): Entry()})
    assert told(unknown) == []


def test_what_a_role_of_ours_owns_where_the_files_let_it_make_nothing_is_told() -> None:
    built = after(BUILD.format(copy_grants=""))
    assert told(replace(built, objects={**built.objects, ORDERS: Entry(owner=DOWN)})) == [
        ("extra-object", f"{ORDERS} is owned by {DOWN}: the files do not make it, nor let that role make it")
    ]
    other = database_role("UP", "OTHER")
    for owner, is_told in ((UP, False), (DOWN, True), (READER, True)):
        found = replace(WANTED, objects={**WANTED.objects, other: Entry(owner=owner)})
        assert bool(told(found)) is is_told


def test_in_a_schema_that_the_files_do_not_make_its_owner_makes_what_it_likes() -> None:
    wanted = after("grant create schema on database UP to role UP_ROLE")
    found = after("use role UP_ROLE; create schema UP.PR_1; create table UP.PR_1.T (a int)", wanted)
    assert told(found, wanted=wanted) == []
    taken = replace(found, objects={**found.objects, Securable("TABLE", ("UP", "PR_1", "T")): Entry(owner=DOWN)})
    assert [kind for kind, _ in told(taken, wanted=wanted)] == ["extra-object"]


def test_the_owner_of_a_share_is_no_statement_s_to_change() -> None:
    out = Securable("SHARE", ("OUT",))
    found = replace(WANTED, objects={**WANTED.objects, out: replace(WANTED.objects[out], owner=DOWN)})
    (one,) = deviations(WANTED, found)
    assert (one.kind, one.mend) == ("other-owner", None)


# -- grants -----------------------------------------------------------------------------------------------------------

STRANGER = after("create role STRANGER; create database THEIRS; create table THEIRS.PUBLIC.T as select 1")


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("extra-grant", "GRANT USAGE ON DATABASE UP TO ROLE STRANGER"),
        ("extra-grant", "GRANT SELECT ON TABLE THEIRS.PUBLIC.T TO ROLE DOWN_ROLE"),
        ("extra-grant", "GRANT SELECT ON FUTURE TABLES IN DATABASE UP TO ROLE DOWN_ROLE"),
        ("extra-grant", "GRANT SELECT ON FUTURE VIEWS IN SCHEMA UP.MARTS TO ROLE STRANGER"),
        ("extra-grant", "GRANT CREATE DATABASE ON ACCOUNT TO ROLE UP_ROLE"),
        ("extra-membership", "GRANT ROLE UP_ROLE TO ROLE STRANGER"),
        ("extra-membership", "GRANT ROLE STRANGER TO USER DOWN_SVC"),
        ("extra-membership", "GRANT DATABASE ROLE UP.READER TO ROLE STRANGER"),
    ],
)
def test_what_others_can_do_with_ours_and_ours_with_theirs_is_told_and_mended(kind: str, statement: str) -> None:
    found = after(statement, STRANGER)
    (one,) = deviations(WANTED, found)
    assert (one.kind, one.says) == (kind, f"not in the files: {statement}")
    assert one.mend
    assert after(one.mend, found) == STRANGER


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (
            FutureGrant("SELECT", "EXTERNAL TABLE", MARTS, DOWN),
            "GRANT SELECT ON FUTURE EXTERNAL TABLES IN SCHEMA UP.MARTS TO ROLE DOWN_ROLE",
        ),
        (
            FutureGrant("APPLY", "MASKING POLICY", MARTS, DOWN),
            "GRANT APPLY ON FUTURE MASKING POLICIES IN SCHEMA UP.MARTS TO ROLE DOWN_ROLE",
        ),
        (
            Grant("USAGE", Securable("FUNCTION", ("UP", "MARTS", "F(A NUMBER):NUMBER")), DOWN),
            'GRANT USAGE ON FUNCTION UP.MARTS."F(A NUMBER):NUMBER" TO ROLE DOWN_ROLE',
        ),
    ],
)
def test_what_is_held_on_kinds_that_the_model_does_not_know_is_told(held: FutureGrant | Grant, says: str) -> None:
    if isinstance(held, Grant):
        found = replace(WANTED, grants=WANTED.grants | {held})
    else:
        found = replace(WANTED, future=WANTED.future | {held})
    (one,) = deviations(WANTED, found)
    assert (one.says, one.mend) == (f"not in the files: {says}", None)


def test_that_everybody_has_a_role_of_administrators_is_told() -> None:
    (one,) = deviations(WANTED, replace(WANTED, memberships=WANTED.memberships | {Membership(ADMIN, PUBLIC)}))
    assert one.mend == "REVOKE ROLE SYSADMIN FROM ROLE PUBLIC"
    assert told(replace(WANTED, memberships=WANTED.memberships | {Membership(ADMIN, role("DBA"))})) == []


def test_what_others_can_do_with_theirs_is_not_told() -> None:
    theirs = """
    grant usage on database THEIRS to role STRANGER;
    grant select on future tables in database THEIRS to role STRANGER;
    grant role STRANGER to role SYSADMIN;
    grant create database on account to role STRANGER;
    """
    assert told(after(theirs, STRANGER)) == []


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("missing-grant", "GRANT USAGE ON WAREHOUSE WH TO ROLE UP_ROLE"),
        ("missing-membership", "GRANT DATABASE ROLE UP.READER TO ROLE DOWN_ROLE"),
        ("missing-grant", "GRANT SELECT ON FUTURE TABLES IN SCHEMA UP.MARTS TO ROLE DOWN_ROLE"),
    ],
)
def test_what_is_not_granted_is_told_and_mended(kind: str, statement: str) -> None:
    wanted = after(statement)
    found = after(statement.replace("GRANT", "REVOKE").replace(" TO ", " FROM "), wanted)
    assert deviations(wanted, found) == (
        Deviation(kind=kind, about=DOWN if "DOWN" in statement else UP, says=f"missing: {statement}", mend=statement),  # type: ignore[arg-type]  # one of its kinds
    )


def test_what_future_grants_came_to_is_expected() -> None:
    wanted = after("grant select on future tables in database UP to role DOWN_ROLE")
    found = after(BUILD.format(copy_grants=""), wanted)
    assert Grant("SELECT", ORDERS, DOWN) in found.grants
    assert told(found, wanted=wanted) == []
    assert told(after("grant insert on table UP.MARTS.ORDERS to role DOWN_ROLE", found), wanted=wanted) == [
        ("extra-grant", "not in the files: GRANT INSERT ON TABLE UP.MARTS.ORDERS TO ROLE DOWN_ROLE")
    ]


def test_what_future_grants_of_one_schema_came_to_is_expected_there_alone() -> None:
    wanted = after("grant select on future tables in schema UP.STAGING to role DOWN_ROLE")
    found = after(BUILD.format(copy_grants="") + "grant select on table UP.MARTS.ORDERS to role DOWN_ROLE", wanted)
    assert told(found, wanted=wanted) == [
        ("extra-grant", "not in the files: GRANT SELECT ON TABLE UP.MARTS.ORDERS TO ROLE DOWN_ROLE")
    ]


def test_what_mesh_grants_plans_is_not_told() -> None:
    other = database_role("UP", "MESH_READER_ORDERS")
    more = """
    use role UP_ROLE;
    create database role UP.MESH_READER_ORDERS;
    grant usage on schema UP.MARTS to database role UP.MESH_READER_ORDERS;
    grant database role UP.MESH_READER_ORDERS to role DOWN_ROLE;
    """
    found = after(BUILD.format(copy_grants="") + GRANTS + more)
    assert told(found, Scope(planned=frozenset({READER, other}))) == []
    assert sorted(kind for kind, _ in told(found)) == ["extra-grant", "extra-grant", "extra-membership"]


def test_what_mesh_grants_does_not_plan_is_told() -> None:
    """Neither what reader roles can do besides reading, nor who has them besides our roles and shares."""
    other = database_role("UP", "MESH_READER_ORDERS")
    found = after("use role UP_ROLE; create database role UP.MESH_READER_ORDERS;" + BUILD.format(copy_grants=""))
    held: list[Grant | Membership] = [
        Grant("INSERT", ORDERS, READER),
        Grant("CREATE TABLE", MARTS, READER),
        Membership(other, PUBLIC),
        Membership(other, role("STRANGER")),
        Membership(other, READER),
    ]
    scope = Scope(planned=frozenset({READER, other}))
    for one in held:
        grants, members = ({one}, set()) if isinstance(one, Grant) else (set(), {one})
        more = replace(found, grants=found.grants | grants, memberships=found.memberships | members)
        assert told(more, scope) == [
            ("extra-grant" if grants else "extra-membership", f"not in the files: {granting(one)}")
        ]
    fine = {Membership(other, DOWN), Membership(other, Securable("SHARE", ("OUT",)))}
    assert told(replace(found, memberships=found.memberships | fine), scope) == []


def test_who_has_the_reader_that_the_files_make_is_what_the_files_say() -> None:
    found = replace(WANTED, memberships=WANTED.memberships | {Membership(READER, role("PUBLIC"))})
    assert told(found, Scope(planned=frozenset({READER}))) == [
        ("extra-membership", "not in the files: GRANT DATABASE ROLE UP.READER TO ROLE PUBLIC")
    ]


def test_what_snowflake_gives_by_itself_is_not_told() -> None:
    """SHOW GRANTS tells a managed schema's owner with MANAGE GRANTS (behaviour change 1397)."""
    own = {Grant("MANAGE GRANTS", MARTS, UP), Grant("USAGE", Securable("DATABASE", ("UP",)), database_role("UP", "X"))}
    assert told(replace(WANTED, grants=WANTED.grants | own)) == []
    another = Grant("MANAGE GRANTS", MARTS, DOWN)
    assert len(told(replace(WANTED, grants=WANTED.grants | {another}))) == 1
    not_own = Grant("MONITOR", Securable("DATABASE", ("UP",)), database_role("UP", "X"))
    assert len(told(replace(WANTED, grants=WANTED.grants | {not_own}))) == 1


def test_a_person_is_not_ours_and_what_the_files_give_them_is() -> None:
    anna = Securable("USER", ("ANNA",))
    found = replace(STRANGER, objects={**STRANGER.objects, anna: Entry(owner=role("USERADMIN"))})
    found = after("grant role STRANGER to user ANNA", found)
    wanted = replace(WANTED, objects={**WANTED.objects, anna: Entry()})
    assert told(found, wanted=wanted) == []
    granted = after("grant role DOWN_ROLE to user ANNA", wanted)
    assert told(found, wanted=granted) == [("missing-membership", "missing: GRANT ROLE DOWN_ROLE TO USER ANNA")]
