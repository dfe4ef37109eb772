"""Which columns a query names, and on which line first: wherever in it, and by whatever way they came there."""

import pytest

from tests.queries import read, told

# A query and the columns of `orders` that it names; it stands on one line.
ON_ONE_LINE = {
    # clauses
    "select amount from orders": "amount",
    "select orders.amount from orders": "amount",
    "select o.amount from shop.marts.orders as o": "amount",
    "select shop.marts.orders.amount from shop.marts.orders": "amount",
    "select marts.orders.amount from shop.marts.orders": "amount",
    "select 1 from orders where amount > 10 and not status is null": "amount status",
    "select count(*) from orders": "",
    "select count(*) from orders group by status having max(amount) > 1 order by min(ordered_at)": (
        "amount ordered_at status"
    ),
    "select 1 from orders group by grouping sets ((status), (customer_id)), cube (amount)": "amount customer_id status",
    "select 1 from orders qualify row_number() over (partition by customer_id order by amount) = 1": (
        "amount customer_id"
    ),
    "select distinct on (status) amount from orders": "amount status",
    "select 1 from orders order by amount desc nulls last limit 10": "amount",
    "select 1 from orders start with order_id is null connect by prior order_id = customer_id": "customer_id order_id",
    "select sum(amount) over (order by ordered_at rows between 1 preceding and current row) from orders": (
        "amount ordered_at"
    ),
    "select 1 from orders sample (10) where amount > 1": "amount",
    "select amount from orders at(timestamp => '2026-01-01'::timestamp) as o": "amount",
    "select amount from orders before(statement => 'x') as o": "amount",
    # values
    "select iff(status = 'a', amount, 0) from orders": "amount status",
    "select case status when 'a' then amount else customer_id end from orders": "amount customer_id status",
    "select dateadd(day, 1, ordered_at), date_trunc('month', ordered_at) from orders": "ordered_at",
    "select date_part(epoch_second, ordered_at), extract(year from ordered_at) from orders": "ordered_at",
    "select cast(amount as number(10, 2)), try_cast(status as int), ordered_at::date from orders": (
        "amount ordered_at status"
    ),
    "select details:items[0].amount::number from orders": "details",
    "select o.details:amount.status from orders as o": "details",
    "select details['amount'], get_path(details, 'status') from orders": "details",
    "select listagg(distinct status, ',') within group (order by amount) from orders": "amount status",
    "select array_agg(amount) filter (where status = 'a') from orders": "amount status",
    "select max_by(status, amount), first_value(order_id) ignore nulls over (order by ordered_at) from orders": (
        "amount order_id ordered_at status"
    ),
    "select filter(details, amount -> amount:x > order_id) from orders": "details order_id",
    "select reduce(details, 0, (acc, val) -> acc + val + amount) from orders": "amount details",
    "select identifier('amount') from orders": "amount",
    "select amount from identifier('shop.marts.orders')": "amount",
    "select amount from table('shop.marts.orders')": "amount",
    "select amount from table(identifier('shop.marts.orders'))": "amount",
    "select seq.nextval, amount from orders": "amount",
    "select x from 'file.csv', orders, @stage": "",
    "select $1, orders.amount from @stage, orders": "amount",
    'select "AMOUNT", "amount" from orders': "AMOUNT amount",
    'select "amount" from "ORDERS"': "amount",
    # what is not there, but can be nothing else
    "select gone from orders": "gone",
    "select o.gone from orders as o": "gone",
    # queries in queries
    "select (select max(amount) from orders) as most": "amount",
    "select name from customers where exists (select 1 from orders where status = name)": "status",
    "select name from customers as c where exists (select * from orders as o where status = c.name)": "status",
    "select name from customers where customer_id in (select customer_id from orders where amount > 1)": (
        "amount customer_id"
    ),
    "select name from customers where (name, region) in (select status, amount from orders)": "amount status",
    "select name from customers where name = any (select status from orders)": "status",
    "select amount from (select * from orders)": "amount",
    "select q.amount from (select o.* from orders as o) as q": "amount",
    "select total from (select amount as total from orders)": "amount",
    "(select amount from orders) limit 1": "amount",
    "select amount from (((select * from orders)))": "amount",
    "select name, most from customers as c, lateral (select max(amount) as most from orders where status = c.name)": (
        "amount status"
    ),
    # WITH
    "with o as (select * from orders) select amount from o": "amount",
    "with o as (select * from orders), p as (select * from o where status = 'a') select p.amount from p": (
        "amount status"
    ),
    "with o as (select amount, status from orders) select amount from o": "amount status",
    "with o as (select * from orders), unused as (select status from o) select amount from o": "amount status",
    "with orders as (select * from shop.marts.orders) select amount from orders": "amount",
    "with orders as (select 1 as amount) select amount from orders": None,
    "with o as (select * from orders) (with o as (select status from o) select * from o)": "status",
    "with o (a, b) as (select amount, status from orders) select a from o": "amount status",
    "with o (a, b) as (select * from orders) select b from o": "customer_id",
    "with recursive t as (select order_id, amount from orders union all "
    "select t.order_id + 1, orders.amount from t join orders on t.order_id = customer_id) select amount from t": (
        "amount customer_id order_id"
    ),
    # sets
    "select amount from orders union all select status from orders": "amount status",
    "select amount from (select * from orders union all select * from orders)": "amount",
    "select amount from orders minus select name from customers": "amount",
    "select amount from orders union select status from orders order by amount": "amount status",
    "select status from (select * from orders union all by name select * from customers)": "status",
    # joins
    "select name from customers join orders using (customer_id)": "customer_id",
    "select * from customers natural join orders": "customer_id",
    "select name from customers as c left join orders as o on c.customer_id = o.customer_id and amount > 1": (
        "amount customer_id"
    ),
    "select name from customers as c, orders as o where c.customer_id = o.customer_id (+)": "customer_id",
    "select name from (customers as c join orders as o on c.customer_id = o.order_id)": "order_id",
    "select q.amount from (customers as c cross join orders as o) as q": "amount",
    "select name from customers asof join orders match_condition (name >= ordered_at) on region = status": (
        "ordered_at status"
    ),
    "select o.value from orders, lateral flatten(input => details:items) as o": "details",
    "select value from orders, table(flatten(orders.details)) as f": "details",
    "select f.k from orders, table(flatten(details)) as f (seq, k, path, ix, value, this)": "details",
    "select g.value from orders, lateral flatten(details) as f, lateral flatten(f.value:x) as g": "details",
    "select s.value from orders, lateral split_to_table(status, ',') as s": "status",
    "select amount from orders, table(generator(rowcount => 10))": "amount",
    # stars
    "select * exclude (amount) from orders": "amount",
    "select * exclude amount rename (status as state) from orders": "amount status",
    "select o.* replace (amount / 100 as amount) from orders as o": "amount",
    "select * replace (status as amount) from orders": "amount status",
    "select orders.* exclude (orders.amount) from orders": "amount",
    "select hash(* exclude (amount)) from orders": "amount",
    "select * ilike '%id' from orders": "",
    "select order_id from (select * ilike '%id' from orders)": "order_id",
    "select state from (select * rename (status as state) from orders)": "status",
    # pivots
    "select * from orders pivot (sum(amount) for status in ('a', 'b')) as p": "amount status",
    "select p.order_id from orders pivot (sum(amount) for status in (any order by status)) as p": (
        "amount order_id status"
    ),
    "select * from orders unpivot (val for nam in (amount, status))": "amount status",
    # names of the query's own
    "select amount as total from orders where total > 1 group by total having total > 2 order by total": "amount",
    "select amount as a, a + 1 as b, b + status as c from orders": "amount status",
    "select amount as status from orders where status = 'a'": "amount status",
    "select amount as status from orders order by status": "amount",
    "select order_id, max(amount) from orders group by 1 order by 2": "amount order_id",
    # what is written
    "insert into target (a, b) select amount, status from orders": "amount status",
    "create table target as select amount from orders": "amount",
    "create or replace view target as with o as (select * from orders) select amount from o": "amount",
    "merge into target as t using (select * from orders) as s on t.id = s.order_id "
    "when matched and s.status = 'x' then update set t.total = s.amount "
    "when not matched then insert (id, total) values (s.order_id, s.customer_id)": (
        "amount customer_id order_id status"
    ),
    "merge into orders using customers on orders.customer_id = customers.customer_id "
    "when matched then update set amount = 1 when not matched then insert (order_id) values (1)": (
        "amount customer_id order_id"
    ),
    "update target set total = orders.amount from orders where orders.order_id = target.id": "amount order_id",
    "delete from target using orders where orders.order_id = target.id": "order_id",
}


@pytest.mark.parametrize("sql", ON_ONE_LINE)
def test_every_column_that_is_named_is_found(sql: str) -> None:
    reading = read(sql)
    assert reading.unread == ""
    found = reading.tables.get("orders")
    expected = ON_ONE_LINE[sql]
    exact = '"' in sql
    named = None if found is None else sorted(name if exact else name.lower() for name in found.columns)
    assert named == (None if expected is None else sorted(expected.split()))
    assert found is None or (set(found.columns.values()) <= {1} and found.line == 1)


def test_a_line_is_where_the_column_is_named_first() -> None:
    found = told("""with o as (
    select * from orders
),
p as (
    select
        o.amount,
        -- amount
        o
            .status as state
    from o
)
select amount, state
from p
join o on o.amount = p.amount
where o.customer_id > 1
""")
    assert found["orders"].columns == "amount:6 customer_id:15 status:9"


def test_a_table_stands_on_the_line_of_its_first_mention() -> None:
    reading = read("select name\nfrom customers\njoin orders using (customer_id)\njoin orders as o on true")
    assert {name: each.line for name, each in reading.tables.items()} == {"customers": 2, "orders": 3}


def test_a_name_of_a_table_that_is_not_all_known_may_be_any_of_its_columns() -> None:
    assert told("select anything, e.other from events as e")["events"].columns == "anything:1 other:1"


def test_a_name_goes_to_the_table_that_has_it() -> None:
    found = told("select payload, amount from events, orders")
    assert (found["events"].columns, found["orders"].columns) == ("payload:1", "amount:1")


def test_a_name_that_no_known_table_has_is_one_of_a_table_that_is_not_all_known() -> None:
    found = told("select anything from events, orders")
    assert (found["events"].columns, found["orders"].columns) == ("anything:1", "")


def test_a_name_within_an_open_table_may_be_one_of_the_query_around() -> None:
    found = told("select 1 from orders where exists (select 1 from events where amount = event_id)")
    assert (found["events"].columns, found["orders"].columns) == ("amount:1 event_id:1", "amount:1")


def test_a_table_is_mentioned_first_where_the_select_list_does_so() -> None:
    reading = read("select\n(select max(amount) from orders) as most\nfrom customers\njoin orders using (customer_id)")
    assert {name: each.line for name, each in reading.tables.items()} == {"customers": 3, "orders": 2}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select sum(amount) as amount from events", "amount:1"),
        ("select coalesce(a, b) as a, c as b from events", "a:1 b:1 c:1"),
        ("select upper(a) as a from events where a > 1", "a:1"),
        ("select a as z from events\nwhere z > 1", "a:1 z:2"),
        ("select a as z from events\norder by z", "a:1"),
    ],
)
def test_a_name_that_the_select_list_gives_may_be_a_column_that_nobody_told_of(sql: str, columns: str) -> None:
    assert told(sql)["events"].columns == columns


def test_nobody_hears_of_tables_that_nobody_asks_about() -> None:
    assert told("select a, b.c from others as a join b using (d)") == {}


def test_a_bare_name_beside_an_unknown_table_is_not_ours() -> None:
    assert told("select thing from orders join others on others.id = orders.order_id")["orders"].columns == "order_id:1"


def test_an_ambiguous_name_is_of_both() -> None:
    found = told("select customer_id from orders, customers")
    assert {each.columns for each in found.values()} == {"customer_id:1"}
