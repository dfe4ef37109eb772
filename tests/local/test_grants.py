"""Roles and grants are recorded and shown, and follow tables as they do in Snowflake. Nothing is enforced."""

from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError


def shown(rows: list[Any]) -> set[tuple[Any, ...]]:
    """Privilege, kind and name of the thing, kind and name of the grantee; without the owner's line."""
    return {row[1:6] for row in rows if row[1] != "OWNERSHIP"}


@pytest.fixture
def table(run):
    run("create table t (id int)")
    (schema,) = run("select current_schema()")[0]
    return f"SHOP.{schema}.T"


def test_a_grant_on_a_table_is_shown_until_it_is_revoked(run, table):
    run(f"grant select, insert on {table} to reporter")  # as dbt says it: without TABLE, without ROLE
    assert shown(run(f"show grants on {table}")) == {
        ("SELECT", "TABLE", table, "ROLE", "REPORTER"),
        ("INSERT", "TABLE", table, "ROLE", "REPORTER"),
    }
    run(f'/* dbt */ revoke select on {table}\n from "REPORTER" ;-- as dbt quotes it')
    assert shown(run(f"show grants on table {table}")) == {("INSERT", "TABLE", table, "ROLE", "REPORTER")}


def test_all_is_every_privilege_but_ownership(run, table):
    run(f"grant select, insert on {table} to role reporter")
    run(f"grant ownership on {table} to role keeper copy current grants")
    run(f"revoke all privileges on table {table} from role reporter")
    run(f"revoke all on table {table} from role keeper")
    assert [row[1:6] for row in run(f"show grants on {table}")] == [("OWNERSHIP", "TABLE", table, "ROLE", "KEEPER")]
    run(f"grant all on table {table} to role reporter")
    assert {row[0] for row in shown(run(f"show grants on {table}"))} >= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    run(f"revoke insert on table {table} from role reporter")
    assert "INSERT" not in {row[0] for row in shown(run(f"show grants on {table}"))}


def test_a_grant_on_a_view_may_be_made_and_shown_without_saying_view(run, table):
    run("create view v as select * from t")
    view = table.removesuffix(".T") + ".V"
    run(f"grant select on {view} to reporter")
    assert shown(run(f"show grants on {view}")) == {("SELECT", "VIEW", view, "ROLE", "REPORTER")}


def test_a_grant_on_what_does_not_exist_is_refused(run):
    with pytest.raises(ProgrammingError, match=r"T_MISSING' does not exist or not authorized"):
        run("grant select on table t_missing to role reporter")


@pytest.mark.parametrize(("copy_grants", "left"), [("", 0), ("copy grants", 1)])
def test_replacing_a_table_keeps_its_grants_only_with_copy_grants(connect, copy_grants, left):
    run = connect(schema="REPLACED").cursor().execute
    run("create or replace table t as select 1 as id")
    run("grant select on t to reporter")
    run(f"create or replace table t {copy_grants} as select 2 as id")
    assert len(shown(run("show grants on t").fetchall())) == left


def test_grants_follow_a_renamed_table_and_end_with_a_dropped_one(run, table):
    run(f"grant select on {table} to reporter")
    run("alter table t rename to u")
    moved = table.removesuffix(".T") + ".U"
    assert shown(run("show grants on u")) == {("SELECT", "TABLE", moved, "ROLE", "REPORTER")}
    run("drop table u")
    run("create table u (id int)")
    assert shown(run("show grants on u")) == set()


def test_a_future_grant_takes_effect_on_what_is_created_later(run, table):
    schema = table.removesuffix(".T")
    run(f"grant select on future tables in schema {schema} to role reader")
    run("create table later (id int)")
    run("create view later_view as select * from later")
    assert shown(run("show grants on later")) == {("SELECT", "TABLE", f"{schema}.LATER", "ROLE", "READER")}
    assert shown(run("show grants on later_view")) == set()
    assert shown(run(f"show grants on {table}")) == set()
    assert [row[1:4] for row in run(f"show future grants in schema {schema}")] == [
        ("SELECT", "TABLE", f"{schema}.<TABLE>")
    ]


def test_a_database_role_carries_what_consumers_may_read(run, table):
    run("create database role if not exists shop.mesh_public_reader")
    run(f"grant select on table {table} to database role shop.mesh_public_reader")
    run("grant database role shop.mesh_public_reader to role down_role")
    role = "SHOP.MESH_PUBLIC_READER"
    assert ("SELECT", "TABLE", table, "DATABASE_ROLE", role) in shown(run(f"show grants to database role {role}"))
    assert shown(run("show grants to role down_role")) == {("USAGE", "DATABASE_ROLE", role, "ROLE", "DOWN_ROLE")}
    assert [row[3] for row in run(f"show grants of database role {role}")] == ["DOWN_ROLE"]
    assert [row[1] for row in run("show database roles in database shop")] == ["MESH_PUBLIC_READER"]


def test_grants_on_all_tables_reach_those_that_exist(run, table):
    run("create view v as select * from t")
    schema = table.removesuffix(".T")
    run(f"grant select on all tables in schema {schema} to role all_reader")
    assert shown(run("show grants to role all_reader")) == {("SELECT", "TABLE", table, "ROLE", "ALL_READER")}


def test_the_setup_of_an_account_runs_twice(run):
    setup = (
        "create role if not exists setup_role comment = 'it''s ours'",
        "create warehouse if not exists setup_wh with warehouse_size = xsmall auto_suspend = 60",
        "create user if not exists setup_user type = service default_role = setup_role",
        "alter user setup_user set rsa_public_key = 'MII'",
        "create resource monitor if not exists setup_rm with credit_quota = 1 triggers on 90 percent do suspend",
        "create network policy if not exists setup_np allowed_ip_list = ('10.0.0.0/8')",
        "create database if not exists setup_db",
        "create schema if not exists setup_db.marts with managed access",
        "grant usage, operate on warehouse setup_wh to role setup_role",
        "grant usage on database setup_db to role setup_role",
        "grant usage, create table on schema setup_db.marts to role setup_role",
        "grant role setup_role to user setup_user",
        "comment on role setup_role is 'x'",
    )
    for statement in (*setup, *setup):
        run(statement)
    assert shown(run("show grants to role setup_role")) == {
        ("USAGE", "WAREHOUSE", "SETUP_WH", "ROLE", "SETUP_ROLE"),
        ("OPERATE", "WAREHOUSE", "SETUP_WH", "ROLE", "SETUP_ROLE"),
        ("USAGE", "DATABASE", "SETUP_DB", "ROLE", "SETUP_ROLE"),
        ("USAGE", "SCHEMA", "SETUP_DB.MARTS", "ROLE", "SETUP_ROLE"),
        ("CREATE TABLE", "SCHEMA", "SETUP_DB.MARTS", "ROLE", "SETUP_ROLE"),
    }
    assert [row[1] for row in run("show grants to user setup_user")] == ["USAGE"]
    assert [row[1] for row in run("show roles like 'setup%'")] == ["SETUP_ROLE"]


def test_a_dropped_role_is_gone_and_missed(run):
    run("create role short_lived")
    with pytest.raises(ProgrammingError, match="already exists"):
        run("create role short_lived")
    run("grant role short_lived to role sysadmin")
    run("drop role short_lived")
    assert run("show roles like 'short_lived'") == []
    assert run("show grants of role short_lived") == []
    with pytest.raises(ProgrammingError, match="does not exist or not authorized"):
        run("drop role short_lived")
    run("drop role if exists short_lived")
