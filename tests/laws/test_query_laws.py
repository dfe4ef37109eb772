"""Laws of reading SQL: nothing in it makes the reader fail, and what does not change a query changes nothing."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.queries import read
from tests.unit.test_query_columns import ON_ONE_LINE
from tests.unit.test_query_platforms import NAMED
from tests.unit.test_query_stars import OUTPUTS, WHOLE
from tests.unit.test_query_taken import TAKEN

QUERIES = sorted({*ON_ONE_LINE, *WHOLE, *OUTPUTS, *TAKEN, *(sql for _, sql, _ in NAMED)})
WORDS = [re.findall(r"\w+|'[^']*'|\"[^\"]*\"|\s+|.", sql) for sql in QUERIES]
ALL_WORDS = sorted({word for words in WORDS for word in words})
ADAPTERS = ("snowflake", "bigquery", "duckdb", "postgres", "databricks", "redshift", "trino", "sqlserver", "clickhouse")


@st.composite
def nearly_sql(draw: st.DrawFn) -> str:
    """A query of the tests with some of its words left out, doubled, or replaced by words of other queries."""
    words = list(draw(st.sampled_from(WORDS)))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(words)))
        words[place : place + draw(st.integers(0, 2))] = draw(st.lists(st.sampled_from(ALL_WORDS), max_size=3))
    return draw(st.sampled_from(("", " "))).join(words)


@settings(max_examples=max(300, settings().max_examples))
@given(sql=nearly_sql(), adapter=st.sampled_from(ADAPTERS))
def test_no_text_makes_the_reader_fail(sql: str, adapter: str) -> None:
    reading = read(sql, adapter)
    assert not reading.unread or not (reading.tables or reading.outputs)
    for table in reading.tables.values():
        assert all(0 < line <= sql.count("\n") + 1 for line in table.columns.values())
    assert read(sql, adapter) == reading


@given(sql=st.text(max_size=60), adapter=st.sampled_from(ADAPTERS))
def test_not_even_what_is_no_sql_at_all(sql: str, adapter: str) -> None:
    assert isinstance(read(sql, adapter).unread, str)


@given(sql=st.sampled_from(QUERIES), lines=st.integers(1, 9))
def test_a_comment_moves_lines_and_nothing_else(sql: str, lines: int) -> None:
    before, after = read(sql), read("-- a comment\n" * lines + sql)
    if before.unread:
        return
    assert (after.outputs, after.open, after.unread) == (before.outputs, before.open, before.unread)
    for name, table in before.tables.items():
        moved = after.tables[name]
        assert (moved.whole, moved.taken) == (table.whole, table.taken)
        assert moved.columns == {column: line + lines for column, line in table.columns.items()}


@given(sql=st.sampled_from(QUERIES))
def test_a_query_reads_the_same_in_the_midst_of_another(sql: str) -> None:
    """A query that nobody uses is compiled all the same; nothing leaves it."""
    alone, within = read(sql), read(f"with q as ({sql}) select 1 as one")
    if alone.unread or within.unread:
        return
    for name, table in alone.tables.items():
        assert within.tables[name].columns == table.columns
        assert within.tables[name].whole == table.whole - {"output"}
        assert within.tables[name].taken <= table.taken


@given(sql=st.sampled_from(QUERIES))
def test_case_of_unquoted_names_means_nothing(sql: str) -> None:
    if '"' in sql or "'" in sql or "$" in sql:
        return
    assert read(sql.upper()).tables == read(sql).tables
