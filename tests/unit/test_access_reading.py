"""Statements as a mesh and dbt write them are read for what they ask; every other one is refused, and says at what."""

import pytest

from registry_tools.checks.access.actions import (
    Action,
    Alter,
    AlterAccounts,
    Create,
    Drop,
    Many,
    Member,
    Ownership,
    Privileges,
    UseOther,
    UseRole,
)
from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.checks.access.reading import read, tag_of
from registry_tools.mesh.account import ACCOUNT, Securable, database_role, role

DATABASE, SCHEMA = Securable("DATABASE", ("D",)), Securable("SCHEMA", ("D", "S"))
TABLE, VIEW = Securable("TABLE", ("D", "S", "T")), Securable("VIEW", ("D", "S", "T"))
WAREHOUSE, USER = Securable("WAREHOUSE", ("W",)), Securable("USER", ("U",))
MONITOR, SHARE = Securable("RESOURCE MONITOR", ("M",)), Securable("SHARE", ("S",))
TAG, POLICY = Securable("TAG", ("D", "S", "T")), Securable("AUTHENTICATION POLICY", ("D", "S", "P"))
R, READER = role("R"), database_role("D", "R")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("USE ROLE sysadmin", UseRole(role=role("SYSADMIN"))),
        ('use\n  role "Odd ""Role"""', UseRole(role=role('Odd "Role"'))),
        ("USE SECONDARY ROLES NONE", UseOther()),
        ("use warehouse w", UseOther()),
        ("use database d", UseOther()),
        ("use schema d.s", UseOther()),
        ("alter session set query_tag = 'dbt'", UseOther()),
    ],
)
def test_a_session_is_read(text: str, asked: Action) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("create database d", Create(what=DATABASE)),
        ("CREATE DATABASE IF NOT EXISTS D", Create(what=DATABASE, gives_way=True)),
        ("create or replace transient database d", Create(what=DATABASE, replaces=True)),
        ("create or alter database d", Create(what=DATABASE, alters=True)),
        ("create schema d.s with managed access", Create(what=SCHEMA, settings={"MANAGED ACCESS": "TRUE"})),
        ("create role r comment = 'it''s'", Create(what=R, settings={"COMMENT": "it's"})),
        (r"create role r comment = 'it\'s'", Create(what=R, settings={"COMMENT": "it's"})),
        ("create role r comment = $$it's$$", Create(what=R, settings={"COMMENT": "it's"})),
        ("create database role d.r", Create(what=READER)),
        (
            "create warehouse w with warehouse_size = 'XSMALL', auto_suspend=60 auto_resume = true",
            Create(what=WAREHOUSE, settings={"WAREHOUSE_SIZE": "XSMALL", "AUTO_SUSPEND": "60", "AUTO_RESUME": "TRUE"}),
        ),
        (
            "create warehouse w with tag (d.s.t = 'a', d.s.\"u\" = 'b')",
            Create(what=WAREHOUSE, settings={"TAG D.S.T": "a", 'TAG D.S."u"': "b"}),
        ),
        (
            "create user u type = service default_role = \"R r\" workload_identity = (type = aws arn='a:b') days = -1",
            Create(
                what=USER,
                settings={
                    "TYPE": "SERVICE",
                    "DEFAULT_ROLE": '"R r"',
                    "WORKLOAD_IDENTITY": "(TYPE = AWS ARN = 'a:b')",
                    "DAYS": "-1",
                },
            ),
        ),
        (
            """create resource monitor m with credit_quota = 5.5 frequency = monthly start_timestamp = immediately
            triggers on 80 percent do notify on 110 percent do suspend_immediate""",
            Create(
                what=MONITOR,
                settings={
                    "CREDIT_QUOTA": "5.5",
                    "FREQUENCY": "MONTHLY",
                    "START_TIMESTAMP": "IMMEDIATELY",
                    "TRIGGERS": "ON 80 PERCENT DO NOTIFY ON 110 PERCENT DO SUSPEND_IMMEDIATE",
                },
            ),
        ),
        (
            "create tag d.s.t allowed_values 'a', 'b' comment = 'c'",
            Create(what=TAG, settings={"ALLOWED_VALUES": "a, b", "COMMENT": "c"}),
        ),
        (
            "create authentication policy d.s.p authentication_methods = ('KEYPAIR','PASSWORD')",
            Create(what=POLICY, settings={"AUTHENTICATION_METHODS": "('KEYPAIR', 'PASSWORD')"}),
        ),
        (
            "create storage integration i type = external_stage storage_allowed_locations = ('s3://b/p/')",
            Create(
                what=Securable("INTEGRATION", ("I",)),
                settings={"TYPE": "EXTERNAL_STAGE", "STORAGE_ALLOWED_LOCATIONS": "('s3://b/p/')"},
            ),
        ),
        (
            "create stage d.s.t url = 's3://b/p/' storage_integration = i file_format = (format_name = 'd.s.f')",
            Create(
                what=Securable("STAGE", ("D", "S", "T")),
                settings={"URL": "s3://b/p/", "STORAGE_INTEGRATION": "I", "FILE_FORMAT": "(FORMAT_NAME = 'd.s.f')"},
            ),
        ),
        (
            "create file format d.s.t type = parquet",
            Create(what=Securable("FILE FORMAT", TABLE.name), settings={"TYPE": "PARQUET"}),
        ),
        ("create share s", Create(what=SHARE)),
    ],
)
def test_what_is_created_is_read(text: str, asked: Action) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "create or replace transient table D.S.T\n    copy grants copy tags\n    as (select ')' as a, (1) from x)",
            Create(what=TABLE, replaces=True, copies_grants=True),
        ),
        ("create or replace temporary table d.s.t as (select 1)", Create(what=TABLE, replaces=True, temporary=True)),
        ("create table d.s.t (id int, n number(38, 0)) cluster by (id)", Create(what=TABLE)),
        (
            'create or replace secure view d.s.t ( "ID" COMMENT $$)$$ ) copy grants as (with a as (select 1) select 2)',
            Create(what=VIEW, replaces=True, copies_grants=True),
        ),
        (
            "create dynamic table d.s.t target_lag = '1 hour' warehouse = w with tag (d.s.t = 'x') as (select 1)",
            Create(what=Securable("DYNAMIC TABLE", TABLE.name), settings={"TARGET_LAG": "1 hour", "WAREHOUSE": "W"}),
        ),
        ("create view d.s.t as select 1", Create(what=VIEW, settings={"IS_SECURE": "FALSE"})),
        (
            "create materialized view d.s.t as select 1",
            Create(what=Securable("MATERIALIZED VIEW", TABLE.name), settings={"IS_SECURE": "FALSE"}),
        ),
        ("drop table if exists d.s.t cascade", Drop(what=TABLE, if_exists=True)),
        ("drop dynamic table d.s.t", Drop(what=Securable("DYNAMIC TABLE", TABLE.name))),
        ('alter table d.s.t add column "A" int', Alter(what=TABLE)),
        ("comment on view d.s.t IS $$words$$", Alter(what=VIEW, sets={"COMMENT": "words"})),
    ],
)
def test_what_dbt_emits_is_read(text: str, asked: Action) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "alter warehouse if exists w set auto_suspend = 60, comment = 'c'",
            Alter(what=WAREHOUSE, sets={"AUTO_SUSPEND": "60", "COMMENT": "c"}, if_exists=True),
        ),
        ("alter warehouse w unset comment, auto_suspend", Alter(what=WAREHOUSE, unsets=("COMMENT", "AUTO_SUSPEND"))),
        (
            "alter database d set tag d.s.t = 'a', x.y.z = 'b'",
            Alter(what=DATABASE, sets={"TAG D.S.T": "a", "TAG X.Y.Z": "b"}),
        ),
        ("alter database d unset tag d.s.t, x.y.z", Alter(what=DATABASE, unsets=("TAG D.S.T", "TAG X.Y.Z"))),
        ("alter schema d.s enable managed access", Alter(what=SCHEMA, sets={"MANAGED ACCESS": "TRUE"})),
        ("alter schema d.s disable managed access", Alter(what=SCHEMA, sets={"MANAGED ACCESS": "FALSE"})),
        ("alter user u set authentication policy d.s.p", Alter(what=USER, sets={"AUTHENTICATION POLICY": "D.S.P"})),
        (
            "alter user u set authentication policy d.s.p force",
            Alter(what=USER, sets={"AUTHENTICATION POLICY": "D.S.P"}, forced=True),
        ),
        ("alter user u unset authentication policy", Alter(what=USER, unsets=("AUTHENTICATION POLICY",))),
        (
            "alter resource monitor m set credit_quota = 1 triggers on 5 percent do suspend",
            Alter(what=MONITOR, sets={"CREDIT_QUOTA": "1", "TRIGGERS": "ON 5 PERCENT DO SUSPEND"}),
        ),
        (
            "alter resource monitor m triggers on 5 percent do suspend",
            Alter(what=MONITOR, sets={"TRIGGERS": "ON 5 PERCENT DO SUSPEND"}),
        ),
        ("alter account set timezone = 'UTC'", Alter(what=ACCOUNT, sets={"TIMEZONE": "UTC"})),
        ("alter share s set comment = 'c'", Alter(what=SHARE, sets={"COMMENT": "c"})),
        ("alter share s add accounts = o.b, o.a", AlterAccounts(what=SHARE, how="ADD", accounts=("O.A", "O.B"))),
        ("alter share s set accounts = o.a", AlterAccounts(what=SHARE, how="SET", accounts=("O.A",))),
        (
            "alter share if exists s remove accounts = o.a",
            AlterAccounts(what=SHARE, how="REMOVE", accounts=("O.A",), if_exists=True),
        ),
    ],
)
def test_what_is_altered_is_read(text: str, asked: Action) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "grant select, insert on table d.s.t to role r",
            Privileges(privileges=("SELECT", "INSERT"), on=TABLE, to=R),
        ),
        (
            "grant create database role on database d to r",
            Privileges(privileges=("CREATE DATABASE ROLE",), on=DATABASE, to=R),
        ),
        (
            "grant select on d.s.t to r",
            Privileges(privileges=("SELECT",), on=Securable("RELATION", TABLE.name), to=R),
        ),
        (
            "grant all privileges on warehouse w to role r",
            Privileges(privileges=("USAGE", "OPERATE", "MODIFY", "MONITOR"), on=WAREHOUSE, to=R),
        ),
        ("grant all on view d.s.t to user u", Privileges(privileges=("SELECT", "REFERENCES"), on=VIEW, to=USER)),
        (
            "grant apply tag on account to role r",
            Privileges(privileges=("APPLY TAG",), on=ACCOUNT, to=R),
        ),
        (
            "grant usage on all schemas in database d to database role d.r",
            Privileges(privileges=("USAGE",), on=Many(kind="SCHEMA", within=DATABASE, future=False), to=READER),
        ),
        (
            "grant select on future dynamic tables in schema d.s to role r",
            Privileges(privileges=("SELECT",), on=Many(kind="DYNAMIC TABLE", within=SCHEMA, future=True), to=R),
        ),
        (
            "revoke select on all views in database d from role r restrict",
            Privileges(privileges=("SELECT",), on=Many(kind="VIEW", within=DATABASE, future=False), to=R, revoked=True),
        ),
        (
            "revoke ownership on future tables in schema d.s from role r",
            Privileges(
                privileges=("OWNERSHIP",), on=Many(kind="TABLE", within=SCHEMA, future=True), to=R, revoked=True
            ),
        ),
        (
            "grant reference_usage on database d to share s",
            Privileges(privileges=("REFERENCE_USAGE",), on=DATABASE, to=SHARE),
        ),
        (
            "grant usage on integration i to role r",
            Privileges(privileges=("USAGE",), on=Securable("INTEGRATION", ("I",)), to=R),
        ),
        (
            "grant inherited select on all dynamic tables in account to role r",
            Privileges(
                privileges=("SELECT",),
                on=Many(kind="DYNAMIC TABLE", within=ACCOUNT, future=True),
                to=R,
                inherited=True,
            ),
        ),
        (
            "revoke inherited usage on all schemas in database d from role r",
            Privileges(
                privileges=("USAGE",),
                on=Many(kind="SCHEMA", within=DATABASE, future=True),
                to=R,
                revoked=True,
                inherited=True,
            ),
        ),
        (
            "revoke grant option for usage, monitor on database d from role r",
            Privileges(
                privileges=("GRANT OPTION FOR USAGE", "GRANT OPTION FOR MONITOR"), on=DATABASE, to=R, revoked=True
            ),
        ),
        (
            "revoke apply masking policy on account from role r",
            Privileges(privileges=("APPLY MASKING POLICY",), on=ACCOUNT, to=R, revoked=True),
        ),
        ("grant ownership on schema d.s to role r", Ownership(on=SCHEMA, to=R)),
        ("grant ownership on schema d.s to role r copy current grants", Ownership(on=SCHEMA, to=R, grants="COPY")),
        (
            "grant ownership on all tables in schema d.s to database role d.r revoke current grants",
            Ownership(on=Many(kind="TABLE", within=SCHEMA, future=False), to=READER, grants="REVOKE"),
        ),
        ("grant role r to user u", Member(role=R, to=USER)),
        ("grant database role d.r to share s", Member(role=READER, to=SHARE)),
        ("revoke role r from role sysadmin", Member(role=R, to=role("SYSADMIN"), revoked=True)),
    ],
)
def test_grants_are_read(text: str, asked: Action) -> None:
    assert read(text) == asked


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select 1", "expects ALTER or COMMENT or CREATE or DROP or GRANT or REVOKE or USE, not SELECT"),
        ("", "not the end"),
        ("use secondary roles all", "expects DATABASE or SCHEMA or WAREHOUSE after USE, not SECONDARY"),
        ("create function d.s.f() returns int", "not FUNCTION"),
        ("create table t as select 1", "the name of TABLE T has to be written with three parts"),
        ("create database d clone e", "expects = after CREATE DATABASE D CLONE, not E"),
        ("create table d.s.t clone d.s.u copy grants", "expects = after S.T CLONE, not D"),
        ("create warehouse w auto_suspend 60", "AUTO_SUSPEND, not 60"),
        ("create role 'r'", "expects a name after CREATE ROLE, not a text"),
        ("create user u password = 'secret' now", "expects = after PASSWORD = a text NOW, not the end"),
        ("create user u workload_identity = (type = aws", r"expects \) after .*, not the end"),
        ("drop table d.s.t now", "the end after S.T, not NOW"),
        ("alter table d.s.t rename to d.s.u", "expects SET or UNSET"),
        ("alter table d.s.t drop all row access policies", "the end after DROP ALL ROW ACCESS, not POLICIES"),
        ("alter table d.s.t modify column c unset masking policy", "not POLICY"),
        ("alter account unset timezone", "expects SET after ALTER ACCOUNT, not UNSET"),
        ("alter resource monitor m triggers", "expects ON"),
        ("alter resource monitor m triggers on x percent do notify", "expects a number"),
        ("grant selct on table d.s.t to role r", "SELCT is nothing that can be granted on a TABLE"),
        ("revoke ownership on table d.s.t from role r", "OWNERSHIP is nothing that can be granted on a TABLE"),
        ("revoke ownership on all tables in schema d.s from role r", "OWNERSHIP is nothing that can be granted"),
        ("grant usage on share s to role r", "USAGE is nothing that can be granted on a SHARE"),
        ("grant insert on view d.s.t to role r", "INSERT is nothing that can be granted on a VIEW"),
        ("grant usage on database d to role r with grant option", "expects the end after D TO ROLE R, not WITH"),
        ("grant select on future tables in warehouse w to role r", "expects DATABASE or SCHEMA"),
        ("grant usage on future schemas in schema d.s to role r", "expects DATABASE after"),
        ("grant grant option for usage on database d to role r", "GRANT OPTION FOR USAGE is nothing that can be"),
        ("grant apply masking policy on account to role r", "APPLY MASKING POLICY is nothing that can be granted"),
        ("grant inherited select on future tables in database d to role r", "expects ALL after GRANT INHERITED SELECT"),
        ("grant inherited usage on all schemas in schema d.s to role r", "expects something that has a SCHEMA in it"),
        ("grant select on t to role r", "the name of RELATION T has to be written with three parts"),
        ("grant role d.r to role s", "the name of ROLE D.R has to be written with one part"),
        ("grant database role r to role s", "the name of DATABASE ROLE R has to be written with two parts"),
        ("grant application role r to role s", "expects a word"),
    ],
)
def test_whatever_else_is_refused_and_says_at_what(text: str, says: str) -> None:
    with pytest.raises(UnknownStatementError, match=says):
        read(text)


def test_no_error_repeats_a_text_in_quotes() -> None:
    for text in ("create user u password = 'secret' now", "create role 'secret'", "create user u password 'secret'"):
        with pytest.raises(UnknownStatementError) as raised:
            read(text)
        assert "secret" not in str(raised.value)


def test_a_setting_says_of_which_tag_it_is() -> None:
    assert tag_of('TAG D.S."t"') == Securable("TAG", ("D", "S", "t"))
    assert tag_of("COMMENT") is None
