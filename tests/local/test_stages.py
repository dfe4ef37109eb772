"""What Snowflake does with files in S3, asked of the local one by Snowflake's own connector."""

import gzip
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from snowflake.connector.errors import DatabaseError, ProgrammingError

from registry_tools.artifacts.snowflake_exchange import ingestion
from registry_tools.errors import EmbeddedMeshError
from registry_tools.local import servers
from registry_tools.local.landing import LocalFiles, local_files
from registry_tools.mesh.deployment import Landing
from registry_tools.mesh.sql_script import statements
from tests.deployments import deployment_in
from tests.running import REPOSITORY

from .conftest import connect_to, rows

Run = Callable[[str], list[tuple[Any, ...]]]
NOTHING = [("Copy executed with 0 files processed.",)]
BY_NAME = "match_by_column_name = case_insensitive on_error = abort_statement"
PARQUET = f"pattern = '.*[.]parquet' file_format = (type = parquet use_logical_type = true) {BY_NAME}"
HEADED = "type = csv parse_header = true error_on_column_count_mismatch = false"
CSV = f"file_format = ({HEADED} escape_unenclosed_field = none field_optionally_enclosed_by = '\"') {BY_NAME}"
NOT_LOADED = (
    (b"", "The file has no header"),
    (b"id,name\n1,a\n\n2,b\n", "End of record reached.*line 3"),
    (b"# of the shop\nid,name\n1,a\n", "Number of columns in file.*line 2"),
    (b"id,name\n1\n", r"Number of columns in file \(1\)"),
    (b"id,ID\n1,2\n", "more than one column ID"),
    (b"id,name\r1,a\r", "new-line character"),
    (b"id,name\n1,\xe9\n", "Invalid UTF8"),
    (b"id,name\n1,more than twenty letters\n", r"length limit \(20\) exceeded"),
    (b"id\n1_000\n", "'1_000' is not recognized"),
    (b'id,name\n1,"a\n', "unexpected end of data"),
    (b'id\n""\n', "Could not convert string"),
)


def packed(*ids: int, **more: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"id": list(ids), **more}), sink)
    return sink.getvalue()


@pytest.fixture
def files(mesh) -> LocalFiles:
    return local_files(mesh.home)


@pytest.fixture
def prefix(run: Run, request: pytest.FixtureRequest) -> str:
    """A folder of the test's own in the bucket, with a stage on it, and a table to load."""
    folder = request.node.name
    run(f"create stage landing url = 's3://dbt-mesh/{folder}/' storage_integration = NOBODY_CHECKS")
    run("create table orders (id number(10, 0), amount number(12, 2), name varchar(20))")
    return f"{folder}/"


def loaded(run: Run, sql: str) -> list[tuple[str, int]]:
    """The last part of each loaded file's name, and its rows."""
    return [(row[0].rpartition("/")[2], row[3]) for row in run(sql) if len(row) > 1]


def test_an_integration_is_accepted_and_a_stage_names_it(run):
    run(
        "create storage integration if not exists SHOP_LANDING type = external_stage storage_provider = 'S3' "
        "enabled = true storage_aws_role_arn = 'arn:aws:iam::123456789012:role/x' "
        "storage_allowed_locations = ('s3://dbt-mesh/landing/')"
    )
    run("grant usage on integration SHOP_LANDING to role TRANSFORMER")
    assert run("create stage if not exists s url = 's3://dbt-mesh/x/' storage_integration = SHOP_LANDING") == [
        ("Stage area S successfully created.",)
    ]
    assert "already exists" in run("create stage if not exists s url = 's3://dbt-mesh/x/'")[0][0]


def test_a_stage_can_be_pointed_elsewhere(run, files, prefix):
    files.put(f"{prefix}moved/1.csv", b"id\n1\n")
    run(f"alter stage landing set url='s3://dbt-mesh/{prefix}moved/' storage_integration = X")
    run("grant usage on stage landing to role REPORTER")
    assert loaded(run, f"copy into orders from @landing/1 {CSV}") == [("1.csv", 1)]
    run("alter stage if exists nowhere set url = 's3://dbt-mesh/'")
    with pytest.raises(ProgrammingError, match=r"Stage '.*NOWHERE' does not exist"):
        run("alter stage nowhere set url = 's3://dbt-mesh/'")


def test_a_stage_is_dropped_with_its_grants_and_with_its_schema(run, prefix):
    run("grant read on stage landing to role REPORTER")
    run("drop stage landing")
    assert run("show grants on stage landing") == []
    with pytest.raises(ProgrammingError, match=r"Stage '.*LANDING' does not exist"):
        run("drop stage landing")
    run("drop stage if exists landing")
    run("create schema gone")
    run(f"create stage gone.landing url = 's3://dbt-mesh/{prefix}'")
    run("drop schema gone cascade")
    run("create schema gone")
    with pytest.raises(ProgrammingError, match=r"Stage '.*GONE.LANDING' does not exist"):
        run("list @gone.landing")


def test_list_names_every_file_below_however_deep(run, files, prefix):
    files.put(f"{prefix}a/1.csv", b"id\n1\n")
    files.put(f"{prefix}a/2026/11/Two=2.csv", b"id\n2\n")
    files.put(f"{prefix}b.parquet", packed(1))
    files.put(f"{prefix}a/empty/", b"")
    listed = run("list @landing")
    bucket = f"s3://dbt-mesh/{prefix}"
    assert [row[0] for row in listed] == [f"{bucket}a/1.csv", f"{bucket}a/2026/11/Two=2.csv", f"{bucket}b.parquet"]
    assert listed[0][1:3] == (5, hashlib.md5(b"id\n1\n", usedforsecurity=False).hexdigest())
    assert listed[0][3].endswith(" GMT")
    assert [row[0] for row in run("ls @landing/a/2026/")] == [f"{bucket}a/2026/11/Two=2.csv"]
    assert [row[0] for row in run("ls @landing/ pattern = '.*[.]parquet' /* dbt's comment */")] == [
        f"{bucket}b.parquet"
    ]


def test_hundreds_of_files_are_listed_and_loaded(run, files, prefix):
    for number in range(300):
        files.put(f"{prefix}{number:05}.csv", b"id\n1\n")
    assert len(run("list @landing")) == 300
    assert len(run(f"copy into orders from @landing {CSV}")) == 300
    assert run("select count(*), sum(id) from orders") == [(300, 300)]
    assert run(f"copy into orders from @landing {CSV}") == NOTHING


def test_a_listing_longer_than_a_page_is_whole(files):
    for number in range(1_001):
        files.put(f"long/{number:05}", b"")
    assert len(list(files.below("long/"))) == 1_001


def test_parquet_is_loaded_once_and_a_new_file_alone(run, files, prefix):
    files.put(f"{prefix}orders/1.parquet", packed(1, 2, AMOUNT=[1.5, None]))
    files.put(f"{prefix}orders/later/2.parquet", packed(3))
    copy = f"copy into orders from @landing/orders/ {PARQUET}"
    first = run(copy)
    assert first[0] == (f"s3://dbt-mesh/{prefix}orders/1.parquet", "LOADED", 2, 2, 1, 0, None, None, None, None)
    assert run(copy) == NOTHING
    files.put(f"{prefix}orders/3.parquet", packed(4, 5))
    assert loaded(run, copy) == [("3.parquet", 2)]
    assert run("select count(*), sum(id), sum(amount), count(name) from orders") == [(5, 15, 1.5, 0)]
    history = run("select row_count, status from information_schema.load_history where schema_name = current_schema()")
    assert sorted(history) == [(1, "LOADED"), (2, "LOADED"), (2, "LOADED")]


def test_csv_is_loaded_by_the_names_of_its_header(run, files, prefix):
    text = b'NAME,unknown,id,amount\n" O\'Hara, Ann ",x,1,2.50\n,x,2,\n'
    files.put(f"{prefix}1.csv", text)
    files.put(f"{prefix}2.csv.gz", gzip.compress(b"id\n3\n"))
    assert loaded(run, f"copy into orders from @landing {CSV}") == [("1.csv", 2), ("2.csv.gz", 1)]
    told = run("select id, to_varchar(amount), name from orders order by id")
    assert told == [(1, "2.50", " O'Hara, Ann "), (2, None, None), (3, None, None)]


def test_csv_that_snowflake_would_not_load_is_refused_with_its_place(run, files, prefix):
    for text, told in NOT_LOADED:
        files.put(f"{prefix}1.csv", text)
        with pytest.raises(ProgrammingError, match=rf"(?s){told}.*File '.*1\.csv'"):
            run(f"copy into orders from @landing {CSV}")
    assert run("select count(*) from orders") == [(0,)]


def test_an_empty_field_is_null_and_an_enclosed_one_is_empty(run, files, prefix):
    files.put(f"{prefix}1.csv", b'id,name\n1,\n2,""\n3,NULL\n4,"NULL"\n5,\\N\n')
    run(f"copy into orders from @landing {CSV}")
    assert run("select name from orders order by id") == [(None,), ("",), ("NULL",), ("NULL",), (None,)]
    run("truncate table orders")
    as_null = CSV.replace(HEADED, f"{HEADED} null_if = ('NULL')")
    run(f"copy into orders from @landing {as_null}")
    assert run("select name from orders order by id") == [(None,), ("",), (None,), (None,), ("\\N",)]


def test_what_snowflake_would_read_otherwise_is_refused(run, files, prefix):
    files.put(f"{prefix}1.csv", b"id,name,,\n1,C:\\temp,#,\n")
    copy = f"copy into orders from @landing {CSV}"
    with pytest.raises(ProgrammingError, match="a backslash in CSV without ESCAPE_UNENCLOSED_FIELD = NONE"):
        run(copy.replace("escape_unenclosed_field = none", ""))
    with pytest.raises(ProgrammingError, match="more than one column "):
        run(copy)
    files.put(f"{prefix}1.csv", b"id,name,\n1,C:\\temp,#\n")
    with pytest.raises(ProgrammingError, match=r"Number of columns in file \(3\) .* table \(4\)"):
        run("alter table orders add column more int") and run(copy.replace("= false", "= true"))
    run(copy)
    assert run("select id, name from orders") == [(1, "C:\\temp")]


def test_parquet_is_not_bent_to_fit(run, files, prefix):
    run("create table texts (id int, text varchar, v variant)")
    copy = f"copy into texts from @landing {PARQUET}"
    files.put(f"{prefix}1.parquet", packed(1, v=[{"a": 1}]))
    assert loaded(run, copy) == [("1.parquet", 1)]
    files.put(f"{prefix}2.parquet", packed(1, text=[{"a": 1}]))
    with pytest.raises(ProgrammingError, match="nested values of a file to VARCHAR of TEXT"):
        run(copy)
    files.put(f"{prefix}2.parquet", packed(1, ID=[2]))
    with pytest.raises(ProgrammingError, match="more than one column ID"):
        run(copy)
    files.put(f"{prefix}2.parquet", packed(1, seen_at=pa.array([0], pa.timestamp("us"))))
    with pytest.raises(ProgrammingError, match="the times of column seen_at without USE_LOGICAL_TYPE"):
        run(copy.replace("use_logical_type = true", ""))
    assert loaded(run, copy) == [("2.parquet", 1)]


def test_csv_without_names_is_loaded_by_position_and_must_fit(run, files, prefix):
    files.put(f"{prefix}1.csv", b"id;amount;name\n1;NULL;x\n")
    run("create file format semicolons type = csv field_delimiter = ';' skip_header = 1 null_if = ('NULL')")
    run("copy into orders from @landing file_format = (format_name = semicolons)")
    assert run("select * from orders") == [(1, None, "x")]
    run("create table narrow (id int)")
    with pytest.raises(ProgrammingError, match=r"Number of columns in file \(3\) does not match"):
        run("copy into narrow from @landing file_format = (format_name = semicolons)")


def test_one_bad_file_undoes_the_statement_and_is_named(run, files, prefix):
    files.put(f"{prefix}1.csv", b"id\n1\n")
    files.put(f"{prefix}2.csv", b"id\none\n")
    copy = f"copy into orders from @landing {CSV}"
    with pytest.raises(ProgrammingError, match="one") as refused:
        run(copy)
    assert refused.value.errno == 100038
    assert f"File '{prefix}2.csv'" in str(refused.value)
    assert run("select count(*) from orders") == [(0,)]
    files.put(f"{prefix}2.csv", b"of_another_table\n1\n")
    with pytest.raises(ProgrammingError, match=r"No column of the file \(of_another_table\)"):
        run(copy)
    assert run("select count(*) from orders") == [(0,)]
    files.put(f"{prefix}2.csv", b"id\n2\n")
    assert loaded(run, copy) == [("1.csv", 1), ("2.csv", 1)]


def test_a_file_that_has_changed_is_loaded_again_and_force_loads_everything(run, files, prefix):
    copy = f"copy into orders from @landing {CSV}"
    files.put(f"{prefix}1.csv", b"id\n1\n")
    assert loaded(run, copy) == [("1.csv", 1)]
    files.put(f"{prefix}1.csv", b"id\n1\n")  # the same bytes
    assert run(copy) == NOTHING
    files.put(f"{prefix}1.csv", b"id\n1\n2\n")
    assert loaded(run, copy) == [("1.csv", 2)]
    assert run(copy) == NOTHING
    assert loaded(run, f"{copy} force = true") == [("1.csv", 2)]


def test_what_was_loaded_is_remembered_by_table_until_it_is_emptied_or_made_anew(run, files, prefix):
    copy = f"copy into orders from @landing {CSV}"
    files.put(f"{prefix}1.csv", b"id\n1\n")
    run(copy)
    run("create table others (id int)")
    said = run("create table if not exists orders (id int)")
    assert said == [("ORDERS already exists, statement succeeded.",)]
    assert run(copy) == NOTHING
    assert loaded(run, f"copy into others from @landing {CSV}") == [("1.csv", 1)]
    run("truncate table orders")
    assert loaded(run, copy) == [("1.csv", 1)]
    run("create or replace table orders (id int)")
    assert loaded(run, copy) == [("1.csv", 1)]
    assert run(f"copy into others from @landing {CSV}") == NOTHING


def test_loads_go_with_a_table_that_gets_another_name(run, files, prefix):
    copy = f"copy into orders from @landing {CSV}"
    files.put(f"{prefix}1.csv", b"id\n1\n")
    run(copy)
    run("alter table orders rename to bought")
    assert run(copy.replace("orders", "bought")) == NOTHING
    run("drop table bought")
    run("create table anew (id int)")
    run("alter table anew rename to bought")
    assert loaded(run, copy.replace("orders", "bought")) == [("1.csv", 1)]


def test_a_load_inside_a_transaction_is_part_of_it(run, files, prefix):
    copy = f"copy into orders from @landing {CSV}"
    files.put(f"{prefix}1.csv", b"id\n1\n")
    run(copy)
    files.put(f"{prefix}2.csv", b"id\n2\n")
    run("begin")
    assert loaded(run, copy) == [("2.csv", 1)]
    run("rollback")
    assert loaded(run, copy) == [("2.csv", 1)]


def test_two_loads_at_once_load_a_file_once(connect, files):
    files.put("at_once/1.csv", b"id\n" + b"1\n" * 50_000)
    sessions = [connect(schema="AT_ONCE") for _ in range(4)]
    rows(sessions[0], "create stage landing url = 's3://dbt-mesh/at_once/'")
    rows(sessions[0], "create table orders (id int)")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda session: rows(session, f"copy into orders from @landing {CSV}"), sessions))
    assert sorted(len(answer[0]) for answer in answers) == [1, 1, 1, 10]
    assert rows(sessions[0], "select count(*) from orders") == [(50_000,)]


def test_the_setup_of_an_account_makes_the_stage_here_too(run, files):
    deployment = deployment_in(REPOSITORY)
    shop, *others = deployment.projects
    landing = Landing(url="s3://dbt-mesh/setup/", role_arn="arn:aws:iam::123456789012:role/reads")
    script = ingestion(replace(deployment, projects=(replace(shop, landing=landing), *others)))
    assert script
    run("create database if not exists DBT_UP_PROD")
    run("create schema if not exists DBT_UP_PROD.RAW")
    for _ in range(2):
        for statement in statements(script.content.decode()):
            run(statement.text)
    files.put("setup/raw_orders/1.csv", b"id\n1\n")
    assert run("list @DBT_UP_PROD.RAW.LANDING")[0][0] == "s3://dbt-mesh/setup/raw_orders/1.csv"


def test_named_files_alone_are_loaded_and_must_be_there(run, files, prefix):
    for number in (1, 2):
        files.put(f"{prefix}{number}.csv", b"id\n1\n")
    assert loaded(run, f"copy into orders from @landing/ files = ('2.csv', '2.csv') {CSV}") == [("2.csv", 1)]
    with pytest.raises(ProgrammingError, match=r"Remote file 's3://dbt-mesh/.*/3\.csv' was not found") as refused:
        run(f"copy into orders from @landing/ files = ('3.csv') {CSV}")
    assert refused.value.errno == 91016


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (f"copy into orders from @nowhere {CSV}", "Stage '.*NOWHERE' does not exist or not authorized"),
        (f"copy into nothing from @landing {CSV}", "Table '.*NOTHING' does not exist or not authorized"),
        (f"copy into orders from 's3://elsewhere/x/' {CSV}", r"Failure using stage area.*Error Code: NoSuchBucket"),
        ("list @nowhere", "Stage '.*NOWHERE' does not exist or not authorized"),
        ("copy into orders from @landing", "Unsupported feature 'COPY INTO without FILE_FORMAT"),
        ("copy into orders from @landing file_format = (type = json)", "Unsupported feature 'TYPE = JSON"),
        ("copy into orders from @landing file_format = (type = csv trim_space = true)", "Unsupported.*TRIM_SPACE"),
        (f"copy into orders from @landing {CSV.replace('parse_header = true', '')}", "PARSE_HEADER.*need each other"),
        (f"copy into orders from @landing file_format = ({HEADED})", "PARSE_HEADER.*need each other"),
        (f"copy into orders from @landing {CSV.replace('= false', '= false skip_header = 1')}", "exclude each other"),
        (f"copy into orders from @landing {CSV.replace('= false', '= maybe')}", r"invalid value \[maybe\]"),
        (f"copy into orders from @landing force = maybe {CSV}", r"invalid value \[MAYBE\]"),
        ("copy into orders from @landing file_format = semicolons", "without FILE_FORMAT = "),
        (
            "copy into orders from @landing file_format = (type = csv error_on_column_count_mismatch = false)",
            "Unsupported.*MISMATCH = FALSE without",
        ),
        ("copy into orders from @landing file_format = (type = csv field_delimiter = '||')", "Unsupported.*DELIMITER"),
        ("copy into orders from @landing file_format = (type = csv compression = zstd)", "Unsupported.*ZSTD"),
        ("copy into orders from 'gcs://x/' file_format = (type = csv)", "Unsupported.*stages at gcs://"),
        ("copy into orders from @landing file_format = (type = parquet null_if = (''))", "Unsupported.*NULL_IF"),
        ("copy into orders from @landing file_format = (type = parquet)", "PARQUET file format can produce one"),
        (f"copy into orders from @landing {CSV.replace('abort_statement', 'continue')}", "Unsupported.*ON_ERROR"),
        (f"copy into orders from @landing purge = true {CSV}", "Unsupported.*PURGE"),
        (f"copy into orders from @landing size_limit = 1 {CSV}", "Unsupported.*SIZE_LIMIT"),
        (f"copy into orders (id) from @landing {CSV}", "Unsupported.*a list of columns"),
        ("copy into orders from (select $1:a from @landing) file_format = (type = parquet)", "Unsupported.*transform"),
        (f"copy into orders from @landing pattern = '*(' {CSV}", "Invalid regular expression"),
        (
            CSV.join(["copy into orders from @landing ", ""]).replace("insensitive", "wild"),
            r"invalid value \[CASE_WILD\]",
        ),
        (f"copy into orders from @landing pattern = '.*parquet' {CSV}", "No column of the file|Invalid"),
    ],
)
def test_what_cannot_be_done_is_refused_as_snowflake_would_within_seconds(connect, files, sql, says):
    connection = connect(schema="REFUSED")
    rows(connection, "create stage if not exists landing url = 's3://dbt-mesh/refused/'")
    rows(connection, "create table if not exists orders (id int)")
    files.put("refused/1.parquet", packed(1))
    with pytest.raises(DatabaseError, match=says):
        rows(connection, sql)


def test_a_stage_of_fakesnows_own_is_left_to_it(run, tmp_path):
    file = tmp_path / "1.csv"
    file.write_text("1\n")
    run("create stage inside")
    run("create table t (id int)")
    run(f"put file://{file} @inside")
    assert [row[0] for row in run("list @inside")] == ["inside/1.csv.gz"]
    run("copy into t from @inside")
    assert run("select * from t") == [(1,)]


def test_loads_are_remembered_when_the_servers_were_restarted(home):
    mesh = servers.start(home)
    local_files(home).put("x/1.csv", b"id\n1\n")
    connection = connect_to(mesh.warehouse.port)
    rows(connection, "create stage landing url = 's3://dbt-mesh/x/'")
    rows(connection, "create table t (id int)")
    copy = f"copy into t from @landing {CSV}"
    assert len(rows(connection, copy)[0]) > 1
    servers.stop(home)
    with pytest.raises(EmbeddedMeshError, match="the embedded mesh does not run"):
        local_files(home)
    again = servers.start(home)
    connection = connect_to(again.warehouse.port)
    assert rows(connection, "list @landing") == []  # the bucket lives in memory
    local_files(home).put("x/1.csv", b"id\n1\n")
    assert rows(connection, copy) == NOTHING


def test_a_bucket_that_does_not_answer_is_said(files):
    nobody = LocalFiles(1)
    with pytest.raises(EmbeddedMeshError, match="the local S3 does not answer"):
        list(nobody.below(""))
    with pytest.raises(LookupError, match="NoSuchKey"):
        files.fetch("nothing/there", io.BytesIO())
