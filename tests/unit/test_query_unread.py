"""What cannot be read is said so, in a few words; nothing is ever raised."""

import logging

import pytest

from registry_tools.intake.sql.reading import QueryReading
from tests.queries import read

UNREAD = {
    "": "it is empty",
    "  -- nothing but a comment": "it is empty",
    "select 1; select 2": "it has 2 statements",
    "select amount\nfrom orders\nwhere (": "it cannot be parsed in line 3",
    "select 'amount": "it cannot be parsed",
    "call procedure()": "a statement that is no query: command",
    "alter table orders add column x int": "a statement that is no query: alter",
    "((orders))": "a statement that is no query: paren",
    "with a as (orders) select * from a": "Column as a query is not understood",
    "select " + "(select " * 1_500 + "amount" + ")" * 1_500 + " from orders": "it is nested too deeply",
    "amount": "a statement that is no query: column",
    "select amount from identifier($table)": "identifier() of something that is computed",
    "select identifier($column) from orders": "identifier() of something that is computed",
    "select amount from identifier('a.b.c.d.e.')": "identifier() of something that is no name",
    "select amount from table($x)": "the name of a table is computed",
    "select amount from $x": "the name of a table is computed",
    "select * from orders match_recognize (partition by order_id order by amount measures status as s "
    "pattern (a b) define a as amount > 1)": "match_recognize is not understood",
    "select " + "(" * 5_000 + "amount" + ")" * 5_000 + " from orders": "it is nested too deeply",
    "select " + "-1 + " * 300_000 + "1": "it is longer than 1,000,000 characters",
    "select * replace (amount as ) from orders": "it is not understood",
    "with a as (select 1) insert into target select * from a": "with before insert is not understood",
    "with a as (select 1) delete from target using a where true": "with before delete is not understood",
    "select * from orders" + ", orders" * 4_000: "stars of it make more than 20,000 columns",
}


@pytest.mark.parametrize("sql", UNREAD, ids=lambda sql: sql[:40])
def test_what_cannot_be_read_says_why(sql: str) -> None:
    assert read(sql) == QueryReading(unread=UNREAD[sql])


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select columns('a.*') from orders", "columns() is not understood"),
        ("pivot orders on status using sum(amount)", "a statement that is no query: pivot"),
        ("select 1 from from orders", "Select in FROM is not understood"),
    ],
)
def test_what_duckdb_alone_has(sql: str, reason: str) -> None:
    assert read(sql, "duckdb").unread == reason


def test_an_unknown_platform_has_no_dialect() -> None:
    assert read("select 1", "sap_hana").unread == "no SQL dialect is known for sap_hana"
    assert read("select 1", "").unread == "no SQL dialect is known for an adapter without a name"


def test_a_semicolon_at_the_end_and_a_comment_are_no_second_statement() -> None:
    assert read("select amount from orders;\n-- done\n;").unread == ""


def test_what_macros_nest_is_read() -> None:
    nested = "replace(" * 80 + "status" + ", 'a', 'b')" * 80
    assert set(read(nested.join(("select ", " from orders"))).tables["orders"].columns) == {"STATUS"}
    queries = "(select * from " * 80, "orders", ")" * 80
    assert set(read(" ".join(("select amount from", *queries))).tables["orders"].columns) == {"AMOUNT"}


def test_five_hundred_queries_below_each_other_are_read() -> None:
    assert read(" union all ".join(["select amount from orders"] * 500)).unread == ""


def test_queries_that_read_themselves_within_each_other_are_each_read_once() -> None:
    nested = "with recursive a as (" * 40 + "select 1 as x" + " union all select x + 1 from a) select x from a" * 40
    assert read(nested).unread == ""


def test_what_the_parser_gives_up_on_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read("call procedure()")
    assert caplog.records == []
