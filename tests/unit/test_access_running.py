"""What statements do to an account: who owns what is new, what goes with what goes, which grants stay, what is set."""

from dataclasses import replace

import pytest

from registry_tools.checks.access.questions import may
from registry_tools.checks.access.running import run
from registry_tools.errors import DocumentError, Refusal
from registry_tools.mesh.account import (
    ACCOUNT,
    Account,
    Entry,
    FutureGrant,
    Grant,
    Membership,
    Securable,
    database_role,
    role,
)
from tests.accounts import BUILD, DOWN, GRANTS, INTERNAL, LEAST, ORDERS, UP, account, changed

ADMIN, SYSADMIN = role("ACCOUNTADMIN"), role("SYSADMIN")
DATABASE, MARTS = Securable("DATABASE", ("UP",)), Securable("SCHEMA", ("UP", "MARTS"))
WAREHOUSE, READER = Securable("WAREHOUSE", ("WH",)), database_role("UP", "READER")
MADE = account(LEAST)
BUILT = account(BUILD.format(copy_grants="copy grants"), GRANTS, before=MADE)


def as_admin(script: str, before: Account = MADE) -> Account:
    return run(script, before, role="ACCOUNTADMIN")[0]


def declined(script: str, before: Account = MADE, who: str = "ACCOUNTADMIN") -> Refusal:
    with pytest.raises(Refusal) as raised:
        run(script, before, role=who)
    return raised.value


def test_what_is_missing_is_made_before_and_people_are_made_elsewhere() -> None:
    assert declined("create schema NO.S").then == "create DATABASE NO in a statement before this one"
    missing = declined("grant role UP_ROLE to user PEGGY")
    assert missing.what == "there is no USER PEGGY"
    assert missing.then.startswith("create USER PEGGY, or take it out of the developers in mesh.yml")


# -- the driver -------------------------------------------------------------------------------------------------------


def test_a_script_that_gives_way_and_then_sets_changes_nothing_when_it_runs_again() -> None:
    again, ran = run(LEAST, MADE)
    assert again == MADE
    assert [changes for _, changes in ran] == [False] * len(ran)


def test_the_second_statement_converges_where_if_not_exists_alone_does_not() -> None:
    drifted = as_admin("alter warehouse WH set auto_suspend = 600")
    assert changed("use role SYSADMIN; create warehouse if not exists WH auto_suspend = 60", drifted) == []
    assert changed(LEAST, drifted) == ["alter warehouse WH set auto_suspend = 60 comment = 'dbt'"]


def test_each_statement_is_told_with_its_line_and_whether_it_changed_anything() -> None:
    _, ran = run("use role SYSADMIN;\ncreate database if not exists UP;\n\ncreate database X;", MADE)
    assert [(statement.line, changes) for statement, changes in ran] == [(1, False), (2, False), (4, True)]


def test_what_the_model_does_not_know_is_an_error_that_says_where() -> None:
    with pytest.raises(DocumentError) as raised:
        run("use role SYSADMIN;\nexecute immediate 'drop database UP';", MADE, where="01_databases.sql")
    assert raised.value.where == "01_databases.sql:2"
    assert raised.value.exit_code == 2


def test_what_the_account_would_decline_is_an_error_that_says_where() -> None:
    error = declined("use role SYSADMIN;\ncreate role X;")
    assert error.where == "SQL:2"
    assert error.what == "ROLE SYSADMIN lacks CREATE ROLE on ACCOUNT, which USERADMIN has"
    assert error.then == "USE ROLE USERADMIN before it"


def test_a_script_says_who_runs_it_unless_it_is_told() -> None:
    with pytest.raises(Refusal, match="nobody runs it"):
        run("create database X", Account())
    assert run("use secondary roles none; use warehouse WH", Account())[0] == Account()


def test_use_role_holds_until_the_next_one() -> None:
    made = account("use role SYSADMIN; create database A; create database B; use role USERADMIN; create role C;")
    owners = {thing.path: entry.owner for thing, entry in made.objects.items()}
    assert owners == {"A": SYSADMIN, "A.PUBLIC": SYSADMIN, "B": SYSADMIN, "B.PUBLIC": SYSADMIN, "C": role("USERADMIN")}


def test_use_role_needs_a_role() -> None:
    assert declined("use role NOBODY").what == "there is no ROLE NOBODY"


# -- what comes -------------------------------------------------------------------------------------------------------


def test_a_database_comes_with_its_public_schema() -> None:
    made = as_admin(
        "create database X with tag (a.b.c = 'd')", as_admin("create database a; create schema a.b; create tag a.b.c")
    )
    assert made.objects[Securable("DATABASE", ("X",))] == Entry(owner=ADMIN, settings={"TAG A.B.C": "d"})
    assert Securable("SCHEMA", ("X", "PUBLIC")) in made.objects


def test_a_database_role_may_use_its_database_from_the_first() -> None:
    """CREATE DATABASE ROLE, General usage notes."""
    made = as_admin("create database role UP.OTHER")
    assert made.grants - MADE.grants == {Grant("USAGE", DATABASE, database_role("UP", "OTHER"))}


def test_create_or_replace_takes_all_grants_along() -> None:
    replaced = as_admin("use role UP_ROLE; create or replace table UP.MARTS.ORDERS as select 1", BUILT)
    assert BUILT.grants - replaced.grants == {Grant("SELECT", ORDERS, READER)}
    assert replaced.objects == BUILT.objects


def test_copy_grants_keeps_them() -> None:
    script = "use role UP_ROLE; create or replace table UP.MARTS.ORDERS copy grants as select 1"
    after, ran = run(script, BUILT)
    assert after == BUILT
    assert [changes for _, changes in ran] == [False, True], "what takes something's place is another thing"


def test_a_replaced_database_loses_all_that_is_in_it() -> None:
    made = as_admin("create or replace database UP", BUILT)
    assert [t.path for t in made.objects if t.database == "UP"] == ["UP", "UP.PUBLIC"]
    assert not any(grant.on.database == "UP" or grant.to.database == "UP" for grant in made.grants)


def test_create_or_alter_sets_what_it_says_and_unsets_what_it_does_not() -> None:
    script = "use role SYSADMIN; create or alter warehouse WH auto_suspend = 30 warehouse_size = 'XSMALL'"
    tagged = as_admin("create tag UP.PUBLIC.T; alter warehouse WH set tag UP.PUBLIC.T = 'v'")
    expected = {"AUTO_SUSPEND": "30", "WAREHOUSE_SIZE": "XSMALL"}
    assert account(script).objects[WAREHOUSE].settings == expected
    altered = account(script, before=tagged)
    assert altered.objects[WAREHOUSE].settings == {"TAG UP.PUBLIC.T": "v"} | expected
    assert altered.grants == tagged.grants
    assert changed(script, altered) == []


def test_what_is_temporary_leaves_no_trace() -> None:
    script = """
    use role UP_ROLE;
    create or replace temporary table UP.MARTS.TMP as (select 1);
    drop table if exists UP.MARTS.TMP;
    """
    assert changed(script, MADE) == []


def test_a_session_of_dbt_is_run_as_it_is() -> None:
    script = """
    use role UP_ROLE;
    alter session set query_tag = 'dbt';
    create or replace view UP.MARTS.V ("ID" comment $$the id$$) copy grants as (select 1 as id);
    comment on view UP.MARTS.V is $$words$$;
    create table UP.MARTS.INCREMENTAL (id int);
    alter table UP.MARTS.INCREMENTAL add column "A" int;
    grant select on UP.MARTS.V to DOWN_ROLE;
    revoke select on UP.MARTS.V from DOWN_ROLE;
    drop view if exists UP.MARTS.V cascade;
    """
    after = account(script, before=MADE)
    assert after.objects.keys() - MADE.objects.keys() == {Securable("TABLE", ("UP", "MARTS", "INCREMENTAL"))}
    assert after.grants == MADE.grants


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("create database UP", "DATABASE UP is there already"),
        ("create role SYSADMIN", "ROLE SYSADMIN is there already"),
        ("create schema NO.S", "there is no DATABASE NO"),
        ("create table UP.NO.T as select 1", "there is no SCHEMA UP.NO"),
        ("create temporary table UP.NO.T as select 1", "there is no SCHEMA UP.NO"),
        ("create view UP.MARTS.ORDERS as select 1", "VIEW UP.MARTS.ORDERS is there already, as a TABLE"),
        ("create or replace view UP.MARTS.ORDERS as select 1", "VIEW UP.MARTS.ORDERS is there already, as a TABLE"),
        ("create stage UP.MARTS.S storage_integration = NO", "there is no INTEGRATION NO"),
        ("create warehouse X resource_monitor = NO", "there is no RESOURCE MONITOR NO"),
        ("alter warehouse WH set resource_monitor = NO", "there is no RESOURCE MONITOR NO"),
        ("alter warehouse WH set tag UP.MARTS.NO = 'v'", "there is no TAG UP.MARTS.NO"),
        ("alter user DOWN_SVC set authentication policy UP.MARTS.NO", "there is no AUTHENTICATION POLICY UP.MARTS.NO"),
        ("alter warehouse NO set auto_suspend = 1", "there is no WAREHOUSE NO"),
        ("drop database NO", "there is no DATABASE NO"),
        ("alter share NO add accounts = o.a", "there is no SHARE NO"),
        ("grant usage on database NO to role UP_ROLE", "there is no DATABASE NO"),
        ("grant usage on database UP to role NO", "there is no ROLE NO"),
        ("grant usage on all schemas in database NO to role UP_ROLE", "there is no DATABASE NO"),
        ("grant select on UP.MARTS.NO to role UP_ROLE", "there is no TABLE UP.MARTS.NO"),
        ("grant select on view UP.MARTS.ORDERS to role UP_ROLE", "there is no VIEW UP.MARTS.ORDERS"),
        ("grant role NO to role UP_ROLE", "there is no ROLE NO"),
        ("grant ownership on database UP to role NO", "there is no ROLE NO"),
    ],
)
def test_what_is_not_there_or_there_already_is_declined(script: str, says: str) -> None:
    assert declined(script, BUILT).what == says


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(DocumentError, match="RESOURCE_MONITOR: '5' is no name"):
        run("alter warehouse WH set resource_monitor = 5", MADE, role="ACCOUNTADMIN")


def test_if_exists_leaves_nothing_to_do() -> None:
    script = """
    drop database if exists NO;
    alter warehouse if exists NO set auto_suspend = 1;
    drop share if exists NO;
    alter share if exists NO add accounts = o.a;
    """
    assert as_admin(script) == MADE


# -- what goes --------------------------------------------------------------------------------------------------------


def test_a_schema_goes_with_its_tables_and_their_grants() -> None:
    gone = as_admin("drop schema UP.MARTS", BUILT)
    assert not any(thing == MARTS or thing.is_within(MARTS) for thing in gone.objects)
    assert not any(grant.on == MARTS or grant.on.is_within(MARTS) for grant in gone.grants)
    assert Securable("TABLE", ("UP", "STAGING", "STG_ORDERS")) in gone.objects


def test_a_role_goes_with_what_it_was_given_and_leaves_what_it_owned() -> None:
    """DROP ROLE, Usage notes: ownership goes to the role that drops it."""
    future = "grant select on future tables in schema UP.MARTS to role UP_ROLE"
    gone = as_admin("drop role UP_ROLE", as_admin(future, BUILT))
    assert gone.objects[ORDERS].owner == ADMIN
    assert gone.future == frozenset()
    assert not any(UP in (m.role, m.to) for m in gone.memberships)
    assert not any(grant.to == UP for grant in gone.grants)


def test_a_role_takes_no_database_along_that_is_called_as_it_is() -> None:
    made = as_admin("create role UP", BUILT)
    assert as_admin("drop role UP", made) == BUILT


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_set_and_unset() -> None:
    settings = as_admin("alter warehouse WH set auto_suspend = 1 a = b; alter warehouse WH unset comment").objects[
        WAREHOUSE
    ]
    assert settings.settings == {"INITIALLY_SUSPENDED": "TRUE", "AUTO_SUSPEND": "1", "A": "B"}
    assert settings.owner == SYSADMIN


def test_the_account_is_set_too() -> None:
    made = as_admin("alter account set timezone = 'UTC'", Account())
    assert made.objects == {ACCOUNT: Entry(settings={"TIMEZONE": "UTC"})}


def test_managed_access_is_there_or_not() -> None:
    off = as_admin("alter schema UP.MARTS disable managed access")
    assert off.objects[MARTS].settings == {}
    assert as_admin("alter schema UP.MARTS enable managed access", off) == MADE


def test_managed_access_waits_until_there_are_no_future_grants() -> None:
    """ALTER SCHEMA, Usage notes."""
    script = """
    alter schema UP.MARTS disable managed access;
    grant select on future tables in schema UP.MARTS to role DOWN_ROLE;
    """
    open_ = as_admin(script)
    assert "has future grants" in declined("alter schema UP.MARTS enable managed access", open_).what
    assert changed("use role ACCOUNTADMIN; alter schema UP.STAGING enable managed access", open_) == []


def test_a_user_has_one_authentication_policy() -> None:
    policies = """
    create authentication policy UP.MARTS.A;
    create authentication policy UP.MARTS.B;
    alter user DOWN_SVC set authentication policy UP.MARTS.A;
    """
    made = as_admin(policies)
    assert (
        "has an authentication policy"
        in declined("alter user DOWN_SVC set authentication policy UP.MARTS.B", made).what
    )
    forced = as_admin("alter user DOWN_SVC set authentication policy UP.MARTS.B force", made)
    user = Securable("USER", ("DOWN_SVC",))
    assert forced.objects[user].settings["AUTHENTICATION POLICY"] == "UP.MARTS.B"
    unset = as_admin("alter user DOWN_SVC unset authentication policy", forced)
    assert unset.objects[user] == MADE.objects[user]


def test_accounts_come_to_a_share_and_leave_it() -> None:
    share = Securable("SHARE", ("S",))
    made = as_admin("create share S; alter share S add accounts = o.b, o.a; alter share S add accounts = o.b")
    assert made.objects[share].settings == {"ACCOUNTS": "O.A, O.B"}
    fewer = as_admin("alter share S remove accounts = o.a", made)
    assert fewer.objects[share].settings == {"ACCOUNTS": "O.B"}
    assert as_admin("alter share S set accounts = o.c", fewer).objects[share].settings == {"ACCOUNTS": "O.C"}


# -- grants -----------------------------------------------------------------------------------------------------------


def test_all_is_whatever_there_is() -> None:
    made = as_admin("grant select on all tables in schema UP.MARTS to role DOWN_ROLE", BUILT)
    given = made.grants - BUILT.grants
    assert sorted(grant.on.name[2] for grant in given) == ["INTERNAL", "ORDERS"]
    assert as_admin("revoke select on all tables in schema UP.MARTS from role DOWN_ROLE", made) == BUILT


FUTURE = "grant {} on future tables in {} to role {};"


def test_what_is_to_come_gets_its_grants_when_it_comes() -> None:
    made = as_admin(FUTURE.format("select", "database UP", "DOWN_ROLE"), BUILT)
    assert not may(made, DOWN, "SELECT", Securable("TABLE", ("UP", "STAGING", "STG_ORDERS")))
    made = as_admin("create table UP.MARTS.N as select 1; create view UP.MARTS.V as select 1", made)
    assert made.grants - BUILT.grants == {Grant("SELECT", Securable("TABLE", ("UP", "MARTS", "N")), DOWN)}
    assert as_admin("revoke select on future tables in database UP from role DOWN_ROLE", made).future == frozenset()


def test_a_schemas_future_grants_are_taken_instead_of_its_databases() -> None:
    """GRANT <privileges> ... TO ROLE, Future grants: for whomever either are."""
    both = FUTURE.format("select", "database UP", "DOWN_ROLE") + FUTURE.format("insert", "schema UP.MARTS", "UP_ROLE")
    made = as_admin(both + "create table UP.MARTS.N as select 1; create table UP.STAGING.N as select 1")
    near, far = (Securable("TABLE", ("UP", schema, "N")) for schema in ("MARTS", "STAGING"))
    assert made.grants - MADE.grants == {Grant("INSERT", near, UP), Grant("SELECT", far, DOWN)}


def test_what_copies_grants_takes_no_future_ones() -> None:
    made = as_admin(FUTURE.format("select", "database UP", "DOWN_ROLE"), BUILT)
    copied = "create or replace table UP.MARTS.ORDERS copy grants as select 1"
    assert as_admin(copied, made).grants == BUILT.grants
    assert Grant("SELECT", ORDERS, DOWN) in as_admin(copied.replace("copy grants", ""), made).grants


def test_an_inherited_grant_hides_no_future_one_and_comes_to_none() -> None:
    both = """
    use role SECURITYADMIN;
    grant select on future tables in database UP to role UP_ROLE;
    grant inherited select on all tables in schema UP.MARTS to role DOWN_ROLE;
    """
    made = account(LEAST, both, BUILD.format(copy_grants=""))
    assert {grant.to for grant in made.grants if grant.on == ORDERS} == {UP}


def test_with_a_privilege_goes_the_right_to_pass_it_on() -> None:
    database = Securable("DATABASE", ("UP",))
    held = {Grant(f"{option}USAGE", database, DOWN) for option in ("", "GRANT OPTION FOR ")}
    made = account(LEAST)
    passing = replace(made, grants=made.grants | held)
    revoke = "use role SYSADMIN; revoke {}usage on database UP from role DOWN_ROLE"
    assert account(revoke.format(""), before=passing) == made
    kept = account(revoke.format("grant option for "), before=passing)
    assert kept.grants == made.grants | {Grant("USAGE", database, DOWN)}


def test_future_schemas_are_foreseen_too() -> None:
    made = as_admin("grant usage on future schemas in database UP to role DOWN_ROLE; create schema UP.NEW")
    assert Grant("USAGE", Securable("SCHEMA", ("UP", "NEW")), DOWN) in made.grants


def test_members_come_and_go() -> None:
    made = as_admin("grant role UP_ROLE to role DOWN_ROLE")
    assert made.memberships - MADE.memberships == {Membership(UP, DOWN)}
    assert as_admin("revoke role UP_ROLE from role DOWN_ROLE", made) == MADE


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("grant role SYSADMIN to role UP_ROLE", "ROLE SYSADMIN has ROLE UP_ROLE already"),
        ("grant role UP_ROLE to role UP_ROLE", "ROLE UP_ROLE has ROLE UP_ROLE already"),
        ("grant role UP_ROLE to database role UP.READER", "DATABASE ROLE UP.READER cannot have ROLE UP_ROLE"),
        ("grant database role UP.READER to database role DOWN.OTHER", "can have nothing outside of its database"),
        ("grant usage on database DOWN to database role UP.READER", "and so not DATABASE DOWN"),
        ("grant usage on warehouse WH to database role UP.READER", "and so not WAREHOUSE WH"),
        ("grant usage on all schemas in database DOWN to database role UP.READER", "and so not DATABASE DOWN"),
        ("grant ownership on schema DOWN.MARTS to database role UP.READER", "and so not SCHEMA DOWN.MARTS"),
    ],
)
def test_roles_that_cannot_have_each_other_are_declined(script: str, says: str) -> None:
    assert says in declined(script, as_admin("create database role DOWN.OTHER")).what


def test_everybody_can_have_a_role() -> None:
    made = as_admin("grant role UP_ROLE to role PUBLIC", BUILT)
    assert may(made, DOWN, "DELETE", ORDERS)


# -- owners -----------------------------------------------------------------------------------------------------------


def test_ownership_is_not_handed_over_with_grants_that_nobody_mentions() -> None:
    """GRANT OWNERSHIP, Usage notes."""
    script = "grant ownership on table UP.MARTS.ORDERS to role UP_SUB"
    before = as_admin("create role UP_SUB; grant role UP_SUB to role UP_ROLE", BUILT)
    assert declined(script, before).what == "there are grants on TABLE UP.MARTS.ORDERS"
    copied = as_admin(f"{script} copy current grants", before)
    assert (copied.objects[ORDERS].owner, copied.grants) == (role("UP_SUB"), before.grants)
    revoked = as_admin(f"{script} revoke current grants", before)
    assert before.grants - revoked.grants == {Grant("SELECT", ORDERS, READER)}
    alone = replace(before, grants=frozenset())
    assert as_admin(script, alone).objects[ORDERS].owner == role("UP_SUB")


def test_in_managed_access_only_a_role_of_the_schemas_owner_comes_to_own() -> None:
    """GRANT <privileges> ... TO ROLE, Usage notes."""
    script = "grant ownership on table UP.MARTS.ORDERS to role DOWN_ROLE copy current grants"
    says = "SCHEMA UP.MARTS has managed access, so that only a role that ROLE UP_ROLE has can own what is in it"
    assert declined(script, BUILT).what == says
    assert declined("grant ownership on future tables in schema UP.MARTS to role DOWN_ROLE").what == says
    assert as_admin(f"alter schema UP.MARTS disable managed access; {script}", BUILT).objects[ORDERS].owner == DOWN


def test_a_managed_schema_waits_until_nothing_to_come_has_another_owner() -> None:
    """GRANT <privileges> ... TO ROLE, Future grants."""
    made = as_admin("grant ownership on future tables in schema UP.MARTS to role UP_ROLE")
    script = "grant ownership on schema UP.MARTS to role {} copy current grants"
    assert (
        declined(script.format("SYSADMIN"), made).what == "what comes to SCHEMA UP.MARTS is to be owned by ROLE UP_ROLE"
    )
    assert as_admin(script.format("UP_ROLE"), made) == made
    revoked = as_admin("revoke ownership on future tables in schema UP.MARTS from role UP_ROLE", made)
    assert as_admin(script.format("SYSADMIN"), revoked).objects[MARTS].owner == SYSADMIN


def test_everything_of_a_kind_changes_its_owner_at_once() -> None:
    script = """
    alter schema UP.MARTS disable managed access;
    grant ownership on all tables in schema UP.MARTS to role DOWN_ROLE copy current grants;
    """
    made = as_admin(script, BUILT)
    assert {
        entry.owner for thing, entry in made.objects.items() if thing.kind == "TABLE" and thing.is_within(MARTS)
    } == {DOWN}


def test_what_is_to_come_has_one_owner() -> None:
    script = "grant ownership on future tables in database UP to role {}"
    made = as_admin(script.format("DOWN_ROLE"))
    assert made.future == {FutureGrant("OWNERSHIP", "TABLE", DATABASE, DOWN)}
    assert as_admin(script.format("DOWN_ROLE"), made) == made
    assert "is to be owned by ROLE DOWN_ROLE already" in declined(script.format("UP_ROLE"), made).what


def test_a_databases_future_owner_owns_nothing_in_managed_access() -> None:
    """GRANT <privileges> ... TO ROLE, Future grants."""
    made = as_admin(
        """
        grant ownership on future tables in database UP to role DOWN_ROLE;
        create table UP.MARTS.N as select 1;
        create table UP.PUBLIC.N as select 1;
        """
    )
    owners = {thing.name[1]: entry.owner for thing, entry in made.objects.items() if thing.kind == "TABLE"}
    assert owners == {"MARTS": ADMIN, "PUBLIC": DOWN}


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("grant ownership on share S to role UP_ROLE", "a SHARE cannot be owned by a ROLE"),
        ("grant ownership on database UP to share S", "a DATABASE cannot be owned by a SHARE"),
    ],
)
def test_a_share_owns_nothing_and_stays_whose_it_is(script: str, says: str) -> None:
    assert declined(script, as_admin("create share S")).what == says


# -- shares -----------------------------------------------------------------------------------------------------------

SHARED = "create share S; grant usage on database UP to share S; grant database role UP.READER to share S;"


def test_a_share_reads_what_its_database_role_reads() -> None:
    made = as_admin(SHARED, BUILT)
    assert may(made, Securable("SHARE", ("S",)), "SELECT", ORDERS)
    assert (
        as_admin("revoke database role UP.READER from share S; revoke usage on database UP from share S", made).grants
        == BUILT.grants
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            "grant insert on table UP.MARTS.ORDERS to database role UP.READER",
            "DATABASE ROLE UP.READER is shared and cannot have INSERT",
        ),
        ("grant select on future tables in schema UP.MARTS to database role UP.READER", "SHARE S is shared"),
        ("grant create table on schema UP.MARTS to share S", "SHARE S is shared and cannot have CREATE TABLE"),
        ("grant role UP_ROLE to share S", "a share cannot have ROLE UP_ROLE"),
        ("grant database role UP.WRITER to share S", "UP.WRITER is shared and cannot have CREATE SCHEMA"),
        ("grant database role UP.COMER to share S", "UP.COMER has future grants and cannot be shared"),
    ],
)
def test_a_share_gets_nothing_that_writes_or_is_to_come(script: str, says: str) -> None:
    """GRANT DATABASE ROLE ... TO SHARE, Usage notes."""
    more = """
    create database role UP.WRITER; grant create schema on database UP to database role UP.WRITER;
    create database role UP.COMER; grant select on future tables in schema UP.MARTS to database role UP.COMER;
    """
    assert says in declined(script, as_admin(SHARED + more, BUILT)).what


VIEW = "create or replace {} UP.MARTS.V copy grants as (select 1);"
SELECT = "grant select on view UP.MARTS.V to database role UP.READER;"


def test_a_share_has_secure_views_alone_unless_it_says_otherwise() -> None:
    """Share data in non-secure views."""
    plain, secure = (as_admin(VIEW.format(kind)) for kind in ("view", "secure view"))
    assert declined(SHARED + SELECT, plain).what == "VIEW UP.MARTS.V is not a secure view, and SHARE S takes no other"
    assert declined(SELECT + SHARED, plain).what == "VIEW UP.MARTS.V is not a secure view, and SHARE S takes no other"
    open_ = SHARED.replace("share S;", "share S secure_objects_only = false;", 1)
    for script, before in ((SHARED + SELECT, secure), (SELECT + SHARED, secure), (open_ + SELECT, plain)):
        assert may(
            as_admin(script, before), Securable("SHARE", ("S",)), "SELECT", Securable("VIEW", ("UP", "MARTS", "V"))
        )


def test_of_a_view_that_was_there_before_it_is_not_known_whether_it_is_secure() -> None:
    view = Securable("VIEW", ("UP", "MARTS", "V"))
    found = replace(MADE, objects={**MADE.objects, view: Entry(owner=UP)})
    assert may(as_admin(SHARED + SELECT, found), Securable("SHARE", ("S",)), "SELECT", view)


def test_a_share_that_is_known_by_its_members_alone_is_a_share() -> None:
    """SHOW SHARES tells it to few; SHOW GRANTS OF the database role to whoever sees the role."""
    known = replace(
        BUILT,
        memberships=BUILT.memberships | {Membership(database_role("UP", "READER"), Securable("SHARE", ("HIDDEN",)))},
    )
    grant = "grant select on table UP.MARTS.INTERNAL to database role UP.READER"
    assert as_admin(grant, known).grants - known.grants == {Grant("SELECT", INTERNAL, database_role("UP", "READER"))}
    with pytest.raises(Refusal, match="cannot have INSERT"):
        as_admin(grant.replace("select", "insert"), known)


def test_what_a_shared_role_should_never_have_had_can_be_revoked() -> None:
    script = "revoke insert on table UP.MARTS.ORDERS from database role UP.READER"
    wrong = Grant("INSERT", ORDERS, READER)
    made = as_admin(SHARED, BUILT)
    assert as_admin(script, replace(made, grants=made.grants | {wrong})) == made
