"""What the real dbt-snowflake needs of the local Snowflake, asked over HTTP by Snowflake's own connector."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from snowflake.connector.errors import DatabaseError, IntegrityError, ProgrammingError

from .conftest import rows

CONTRACT = "(id number(18,0) not null, name varchar(10), primary key (id))"


def test_a_temporary_table_may_have_a_qualified_name(run):
    run("create schema if not exists shop.tmp")
    run("create or replace temporary table SHOP.TMP.X__dbt_tmp as select 1 as id")
    run("create or replace temporary view SHOP.TMP.Y__dbt_tmp as select id + 1 as id from SHOP.TMP.X__dbt_tmp")
    assert run("select id from shop.tmp.y__dbt_tmp") == [(2,)]


def test_merge_answers_how_many_rows_it_inserted_and_updated(run):
    run("create table t as select 1 as id, 'a' as v union all select 2, 'b'")
    counts = run("""
        merge into t as DBT_INTERNAL_DEST
        using (select 2 as id, 'z' as v union all select 3, 'c' union all select 4, 'd') as DBT_INTERNAL_SOURCE
        on DBT_INTERNAL_SOURCE.id = DBT_INTERNAL_DEST.id
        when matched then update set v = DBT_INTERNAL_SOURCE.v
        when not matched then insert (id, v) values (id, v)
    """)
    assert counts == [(2, 1)]
    assert run("select * from t order by id") == [(1, "a"), (2, "z"), (3, "c"), (4, "d")]


def test_merge_refuses_two_source_rows_for_one_target_row(run):
    run("create table t as select 1 as id, 'a' as v")
    with pytest.raises(ProgrammingError, match="Duplicate row detected"):
        run(
            "merge into t using (select 1 as id, 'x' as v union all select 1, 'y') as s on s.id = t.id "
            "when matched then update set v = s.v"
        )
    assert run("select v from t") == [("a",)]


def test_a_table_with_a_contract_keeps_its_types_and_its_not_null(run):
    query = "(select id, name from (select '7' as id, 'a' as name) as model_subq)"
    run(f"create or replace transient table t {CONTRACT} as {query}")
    described = {name: (kind, null) for name, kind, _, null, *_ in run("describe table t")}
    assert described == {"ID": ("NUMBER(18,0)", "N"), "NAME": ("VARCHAR(10)", "Y")}
    assert run("select * from t") == [(7, "a")]


def test_a_null_against_the_contract_is_refused_within_seconds_and_leaves_the_old_table(run):
    run(f"create or replace table t {CONTRACT} as select 1 as id, 'old' as name")
    started = time.monotonic()
    with pytest.raises(IntegrityError, match="NULL result in a non-nullable column") as refused:
        run(f"create or replace table t {CONTRACT} as select null as id, 'new' as name")
    with pytest.raises(IntegrityError, match="NULL result in a non-nullable column"):
        run("insert into t select null, 'new'")
    assert time.monotonic() - started < 5
    assert refused.value.errno == 100072
    assert run("select name from t") == [("old",)]


def test_what_nobody_foresaw_is_an_error_within_seconds_and_not_a_hang(run):
    started = time.monotonic()
    with pytest.raises(DatabaseError, match="its log says why"):
        run("select 1 $$")  # no SQL at all: it fails before any cursor sees it
    assert time.monotonic() - started < 5


def test_an_apostrophe_in_a_description_arrives_as_it_was_written(run):
    run("create table t (id int, name varchar)")
    run("comment on table t is $$the customer's table$$")
    run('alter table t alter "ID" COMMENT $$it\'s a key$$, "NAME" COMMENT $$$$')
    run("comment on column t.name is 'who''s who'")
    comments = "select comment from shop.information_schema.{} where table_schema = current_schema()"
    assert run(comments.format("tables")) == [("the customer's table",)]
    assert run(comments.format("columns") + " order by ordinal_position") == [("it's a key",), ("who's who",)]


def test_a_failed_statement_does_not_poison_the_session(run):
    run(f"create table t {CONTRACT} as select 1 as id, 'a' as name")
    run("begin")
    with pytest.raises(IntegrityError):
        run("insert into t select null, 'b'")
    assert run("select count(*) from t") == [(1,)]
    run("begin")  # the aborted one is over
    run("insert into t select 2, 'b'")
    run("commit")
    assert run("select count(*) from t") == [(2,)]


def test_a_syntax_error_keeps_what_the_transaction_did(run):
    run("create table t (id int)")
    run("begin")
    run("insert into t values (1)")
    with pytest.raises(ProgrammingError, match="001003"):
        run("select from where")
    run("commit")
    assert run("select * from t") == [(1,)]


def test_null_timestamps_stay_null(run):
    sql = "select null::timestamp_ntz, '2020-01-02 03:04:05.678'::timestamp_ntz, null::timestamp_tz"
    moment = datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC).replace(tzinfo=None)
    assert run(sql) == [(None, moment, None)]
    both = (
        "select column1::timestamp_ntz from (values (null), ('2020-01-02 03:04:05.678'), (null)) order by 1 nulls last"
    )
    assert run(both) == [(moment,), (None,), (None,)]


def test_the_query_tag_is_the_sessions_own(connect):
    show = "show parameters like 'query_tag' in session"
    tagged = connect(session_parameters={"QUERY_TAG": "from the profile"}).cursor()
    other = connect().cursor()
    assert tagged.execute(show).fetchone()[1] == "from the profile"
    tagged.execute("alter session set query_tag = 'it''s a model'")
    assert tagged.execute(show).fetchone()[1] == "it's a model"
    assert other.execute(show).fetchone()[1] == ""
    tagged.execute("alter session unset query_tag")
    assert tagged.execute(show).fetchone()[1] == ""


def test_a_session_knows_its_role_user_and_warehouse(run):
    asked = "select current_role(), current_user(), current_warehouse()"
    assert run(asked) == [("TRANSFORMER", "ANNA", "WH")]
    run("use role reader")
    run("use warehouse other_wh")
    run("use secondary roles all")
    assert run(asked) == [("READER", "ANNA", "OTHER_WH")]


def test_a_dropped_database_is_gone_and_can_be_made_again(run):
    run("create database gone")
    run("create schema gone.marts")
    run("create table gone.marts.t as select 1 as id")
    run("drop database gone")
    with pytest.raises(ProgrammingError, match="'GONE' does not exist"):
        run("drop database gone")
    run("drop database if exists gone")
    run("create database gone")
    with pytest.raises(ProgrammingError, match="does not exist"):
        run("select * from gone.marts.t")


def test_two_sessions_that_write_one_table_both_succeed(connect):
    connect(schema="RACE").cursor().execute("create or replace table shop.race.t as select 0 as id")
    sessions = [connect(schema="RACE").cursor() for _ in range(4)]

    def replace(cursor):
        for n in range(5):
            cursor.execute(f"create or replace table shop.race.t as select {n} as id")

    with ThreadPoolExecutor(len(sessions)) as pool:
        list(pool.map(replace, sessions))
    assert sessions[0].execute("select * from shop.race.t").fetchall() == [(4,)]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("create schema if not exists MAIN", "a schema named MAIN"),
        ('create schema SHOP."main" with managed access', "a schema named MAIN"),
        ("with m__dbt_sp as procedure () returns string language python as $$ x $$ call m__dbt_sp()", "a Python model"),
        ("remove @landing/orders", "files of a stage removed or fetched"),
    ],
)
def test_what_nobody_here_can_run_is_declined_by_name(connect, sql, what):
    with pytest.raises(DatabaseError, match=f"Unsupported feature '{what}'"):
        rows(connect(), sql)


def test_several_statements_in_one_are_refused_and_none_is_run(run):
    run("create table t (id int)")
    with pytest.raises(ProgrammingError, match="Actual statement count 2"):
        run("insert into t values (1); insert into t values (2);")
    assert run("select * from t") == []


def test_no_statement_waits_for_a_delayed_acknowledgement(run):
    def seconds() -> float:
        started = time.monotonic()
        run("use role reader")
        return time.monotonic() - started

    assert min(seconds() for _ in range(10)) < 0.03  # 0.045 with Nagle's algorithm, 0.005 without


def test_a_table_of_another_database_is_described_as_one_of_ones_own(connect):
    """dbt describes an upstream table whenever a unit test mocks it."""
    rows(connect(database="UPSTREAM"), "create or replace table orders as select 1::number(12,2) as amount")
    described = rows(connect(database="SHOP"), "describe table UPSTREAM.MARTS.ORDERS")
    assert [column[:2] for column in described] == [("AMOUNT", "NUMBER(12,2)")]
