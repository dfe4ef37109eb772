"""Types as the warehouses have them: what is one type, what holds more, and what is not known is not called safe."""

import pytest

from registry_tools.mesh.datatypes import RELATIONS, Relation, relation_of

CASES: dict[str, list[tuple[str, str, Relation]]] = {
    "snowflake": [
        ("number", "NUMBER(38, 0)", "same"),
        ("int", "number(38,0)", "same"),
        ("tinyint", "bigint", "same"),
        ("decimal(10)", "numeric(10,0)", "same"),
        ("number(10,2)", "number(12,2)", "wider"),
        ("number(12,2)", "number(10,2)", "narrower"),
        ("number(12,2)", "number(14,3)", "apart"),
        ("number", "float", "other"),
        ("float", "double  precision", "same"),
        ("float", "decfloat", "other"),
        ("varchar", "string(16777216)", "same"),
        ("char", "varchar(1)", "same"),
        ("char varying(9)", "varchar ( 9 )", "same"),
        ("varchar(20)", "text", "wider"),
        ("text", "varchar(20)", "narrower"),
        ("varchar(20)", "varchar(20) collate 'en-ci'", "apart"),
        ("varchar COLLATE 'en-ci'", "text collate en-ci", "same"),
        ("varchar collate 'en-ci'", "varchar collate 'de'", "apart"),
        ("binary", "varbinary(8388608)", "same"),
        ("binary(10)", "binary(20)", "wider"),
        ("timestamp", "datetime", "same"),
        ("timestamp_ntz", "timestamp_ntz(9)", "same"),
        ("timestamp(3) with time zone", "timestamp_tz(3)", "same"),
        ("timestamp_ntz", "timestamp_ltz", "apart"),
        ("timestamp_ltz", "timestamp_tz", "apart"),
        ("time", "time(3)", "narrower"),
        ("date", "timestamp_ntz", "other"),
        ("variant", "object", "other"),
        ("array", "array(number)", "other"),
        ("array(number(10,0))", "array(number(12,0))", "wider"),
        ("map(varchar, int)", "map(string, number)", "same"),
        ("object(a int, b varchar(5))", "object(a number, b varchar(6))", "wider"),
        ('object("A b" int)', 'object("a b" int)', "other"),
        ("object(a int)", "object(int)", "unknown"),
        ("object(a int)", "object(a hyperloglog)", "unknown"),
        ("vector(float, 256)", "vector(float,256)", "same"),
        ("vector(float, 256)", "vector(float, 128)", "unknown"),
        ("hyperloglog", "HyperLogLog", "same"),
        ("hyperloglog", "varchar", "unknown"),
        ("varchar(max)", "varchar", "unknown"),
        ("date(3)", "date", "unknown"),
        ("'", "date", "unknown"),
    ],
    "postgres": [
        ("int4", "integer", "same"),
        ("int", "bigint", "wider"),
        ("integer", "numeric", "other"),
        ("numeric(10,2)", "numeric", "apart"),
        ("character varying(10)", "varchar(20)", "wider"),
        ("varchar(10)", "text", "wider"),
        ("char(10)", "varchar(10)", "apart"),
        ("timestamp without time zone", "timestamp", "same"),
        ("timestamp", "timestamptz", "apart"),
        ("json", "jsonb", "other"),
        ("integer[]", "bigint[]", "wider"),
        ("integer[]", "integer[][]", "other"),
    ],
    "redshift": [("varchar", "varchar(256)", "same"), ("bpchar", "char(256)", "same"), ("super", "json", "other")],
    "bigquery": [
        ("int64", "INTEGER", "same"),
        ("string(10)", "string", "wider"),
        ("numeric", "bignumeric", "apart"),
        ("datetime", "timestamp", "apart"),
        ("array<struct<a int64, b string(5)>>", "array<struct<a int, b string(6)>>", "wider"),
        ("array<struct<a int64, b string(5)>>", "array<struct<a int, b string(4)>>", "narrower"),
        ("struct<a string(5), b string(5)>", "struct<a string(6), b string(4)>", "apart"),
        ("struct<a string(5), b string(5)>", "struct<a string(6), b int64>", "other"),
        ("struct<a int64>", "struct<a int64, b string>", "other"),
    ],
    "duckdb": [
        ("varchar(10)", "text", "same"),
        ("float", "double", "wider"),
        ("hugeint", "bigint", "narrower"),
        ("uinteger", "integer", "other"),
        ("struct(a integer)", "struct(a bigint)", "wider"),
    ],
    "databricks": [("struct<a:int>", "STRUCT<a: BIGINT>", "wider"), ("timestamp", "timestamp_ntz", "apart")],
    "trino": [("row(a integer)", "row(a bigint)", "wider"), ("timestamp(6)", "timestamp", "narrower")],
    "oracle": [("number", " NUMBER ", "same"), ("number(10)", "number(12)", "unknown")],
}
FLAT = [(adapter, *case) for adapter, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(("adapter", "before", "after", "relation"), FLAT)
def test_how_a_type_relates_to_the_one_before(adapter: str, before: str, after: str, relation: Relation) -> None:
    assert relation_of(before, after, adapter) == relation
    back = {"wider": "narrower", "narrower": "wider"}.get(relation, relation)
    assert relation_of(after, before, adapter) == back


def test_the_cases_show_every_relation() -> None:
    assert {relation for *_, relation in FLAT} == set(RELATIONS)


def test_what_is_not_written_down_is_unknown() -> None:
    assert relation_of(None, None, "snowflake") == "same"
    assert relation_of(None, "number", "snowflake") == relation_of("number", None, "snowflake") == "unknown"


@pytest.mark.parametrize("text", ["array<" * 5_000, "array(" * 40 + "int" + ")" * 40, "x(" + "(" * 1_000, "a " * 2_000])
def test_a_hostile_type_is_unknown_and_takes_no_time(text: str) -> None:
    assert relation_of(text, "int", "snowflake") == "unknown"
    assert relation_of(text, text, "snowflake") == "same"
