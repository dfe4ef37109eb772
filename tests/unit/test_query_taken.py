"""The names that a new column of `orders` must not have: it would be ambiguous, or be read instead of another."""

import pytest

from tests.queries import told

TAKEN = {
    # bare names that mean a column of another source
    "select amount, name from orders join customers as c on c.customer_id = orders.customer_id": "name",
    "select orders.amount, c.name from orders join customers as c on c.customer_id = orders.customer_id": "",
    "select amount, name from (select amount from orders) join customers on true": "",
    "select amount, name from (select * from orders) join customers on true": "name",
    "with o as (select * from orders) select o.amount from o, customers where region = 'a'": "region",
    "with o as (select amount from orders) select o.amount from o, customers where region = 'a'": "",
    "select amount from orders, others where thing = 1": "thing",
    "select value, index from orders, lateral flatten(details) as f": "index value",
    "select f.value from orders, lateral flatten(details) as f": "",
    "select total from orders, (select max(region) as total from customers)": "total",
    # bare names of the query around
    "select name from customers where exists (select 1 from orders where amount = region)": "region",
    "select name from customers where exists (select 1 from orders where amount = customers.region)": "",
    "select name from customers as c where exists (select 1 from others where thing in "
    "(select amount from orders where status = c.region))": "",
    "select name from customers, lateral (select max(amount) as m from orders where status = region)": "region",
    # columns that USING makes one
    "select name from customers join orders using (customer_id)": "name",
    "select customer_id from customers join orders using (customer_id)": "",
    "select name, others.a from orders, customers join others using (region)": "name region",
    # names that the select list gives, where a column would come first
    "select amount as total from orders where total > 1": "total",
    "select date_trunc('month', ordered_at) as month, sum(amount) from orders group by month": "month",
    "select sum(amount) as total from orders having total > 1": "total",
    "select row_number() over (order by amount) as rn from orders qualify rn = 1": "rn",
    "select amount as a, a + 1 as b from orders": "a",
    "select amount as total from orders order by total": "",
    "select amount as total from orders order by abs(total)": "total",
    "select amount as status from orders where status = 'a'": "",
    # columns beside a star
    "select *, 1 as one from orders": "one",
    "select count(*) from (select *, 1 as one from orders)": "",
    "with o as (select *, 1 as one from orders) select one, amount from o": "one",
    "with o as (select *, 1 as one from orders) select o.one from o": "one",
    "with o as (select *, 1 as one from orders) select amount from o": "",
    "with o as (select *, 1 as one, 2 as two from orders) select * exclude (two) from o where one = 1": "one two",
    "select * rename (amount as total) from orders": "total",
    "select * replace (amount + 1 as amount) from orders": "",
    "select orders.*, name from orders join customers using (customer_id)": "name",
    "select o.*, c.* exclude (customer_id) from orders as o, customers as c": "name region",
    "with q as (select o.*, c.name from orders as o, customers as c) select name from q": "name",
    "select * from orders join customers using (customer_id)": "name region",
    "select count(*) from orders natural join customers": "name region",
    """select p."'a'" from orders pivot (sum(amount) for status in ('a', 'b')) as p""": "'a'",
    "select val from orders unpivot (val for nam in (amount, status))": "val",
    "select *, 1 as one from orders union all select *, 2 as one from orders": "one",
    "insert into target by name select *, 1 as one from orders": "one",
}


@pytest.mark.parametrize("sql", TAKEN)
def test_a_name_that_means_something_else_is_taken(sql: str) -> None:
    assert told(sql)["orders"].taken == TAKEN[sql]


def test_a_name_that_may_be_of_two_tables_is_taken_in_both() -> None:
    found = told("select thing from events, others")
    assert (found["events"].columns, found["events"].taken) == ("thing:1", "thing")


def test_a_name_that_can_only_be_of_the_table_is_free() -> None:
    assert told("select thing, e.other from events as e")["events"].taken == ""
    assert told("select gone from orders")["orders"].taken == ""


def test_a_name_that_another_table_is_sure_to_have_is_taken_in_an_open_one() -> None:
    assert told("select amount from events, orders")["events"].taken == "amount"


def test_a_column_that_is_known_is_no_new_one() -> None:
    assert told("select customer_id from orders join customers using (customer_id)")["orders"].taken == ""
    assert told("select o.*, c.customer_id from orders as o, customers as c")["orders"].taken == ""


def test_what_having_means_by_an_alias_on_duckdb_is_ambiguous_with_two_columns_all_the_same() -> None:
    alone = "select status, sum(amount) as total from orders group by status having total > 1"
    assert told(alone, "duckdb")["orders"].taken == ""
    beside = "select o.status, sum(o.amount) as name from orders as o, customers group by all having name <> ''"
    assert told(beside, "duckdb")["orders"].taken == "name"
    twice = "select a.status, sum(b.amount) as total from orders as a, orders as b group by all having total > 1"
    assert told(twice, "duckdb")["orders"].taken == "total"
