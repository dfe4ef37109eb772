"""Where `*` leads whole rows, and what the columns of a query are made of."""

import pytest

from registry_tools.intake.sql.reading import Origin
from tests.queries import outputs_of, read, told

# A query and what becomes of whole rows of `orders`.
WHOLE = {
    # picked by name, counted, or only asked whether it is there
    "select amount from (select * from orders)": "",
    "select count(*) from orders": "",
    "select name from customers where exists (select * from orders)": "",
    "with o as (select * from orders) select count(*) from o group by status": "",
    # output
    "select * from orders": "output",
    "select o.*, 1 as one from orders as o": "output",
    "select * exclude (amount) from orders": "output",
    "with o as (select * from orders), p as (select *, 1 as one from o) select * from p": "output",
    "select * from orders union all select * from orders": "output",
    "select *, 1 as a from orders union all select *, 2 as a from orders": "output",
    "select * from orders union all by name select * from customers": "output",
    "create table target as select * from orders": "output",
    "create table target as (select * from orders)": "output",
    "insert into target by name select * from orders": "output",
    "select status, * from orders order by 1": "output",
    # position
    "select * from orders order by 1": "output position",
    "select * from orders order by all": "output position",
    "select *, status from orders order by 2": "output position",
    "select count(*) from (select *, 1 as one from orders order by 7)": "position",
    "select amount from orders union all select * from orders": "position",
    "select * from orders union all select amount from customers": "output position",
    "select * from orders union all select * from customers": "output position",
    "select * exclude (amount) from orders union all select * exclude (status) from orders": "output position",
    "select *, 1 as a from orders union all select 2 as a, * from orders": "output position",
    "select amount from (select * from orders union all select * from customers)": "position",
    "select * from orders union all select * from orders order by 1": "output position",
    "select name from customers where customer_id in (select * from orders)": "position",
    "select name from customers where customer_id = (select * from orders)": "position",
    "select (select * from orders) as one": "position",
    "insert into target select * from orders": "output position",
    "create view target (a, b) as select * from orders": "output position",
    "select a from orders as o (a, b)": "position",
    "select a from (select * from orders) as o (a, b)": "position",
    "with o (a, b) as (select * from orders) select a from o": "position",
    "select $1 from orders": "position",
    "select o.$2 from orders as o": "position",
    # value
    "select distinct * from orders": "output value",
    "select count(*) from (select distinct * from orders)": "value",
    "select amount from (select * from orders union select * from orders)": "value",
    "select amount from (select * from orders except select * from orders)": "value",
    "select *, count(*) as n from orders group by all": "output value",
    "select hash(*) as h from orders": "value",
    "select count(distinct *) as n from orders": "value",
    "select count(orders.*) as n from orders": "value",
    "select object_construct(o.*) as v from orders as o": "value",
    "select {*} as v from orders": "value",
    "select p.a from orders pivot (sum(amount) for status in ('a', 'b')) as p (order_id, customer_id, d, e, a, b)": (
        "position value"
    ),
    "select val from orders unpivot (val for nam in (amount, status))": "",
    "select * from orders unpivot (val for nam in (amount, status))": "output",
    "select name from customers natural join orders": "value",
}


@pytest.mark.parametrize("sql", WHOLE)
def test_whole_rows_are_followed_to_where_they_matter(sql: str) -> None:
    assert told(sql)["orders"].whole == WHOLE[sql]


# A query and its columns; of `events` not all columns are known.
OUTPUTS = {
    "select amount, status as state, 1 as one from orders": "amount<orders.amount, state<orders.status, one<",
    "select amount + order_id as total from orders where status = 'a'": "total<orders.amount+orders.order_id",
    "select * from customers": "*customer_id, *name, *region",
    "select $2 as second, c.$3 as third from customers as c": "second<customers.name, third<customers.region",
    "select customers.* from orders, customers": "*customer_id, *name, *region",
    "with c as (select * from customers) select *, name as n from c": (
        "*customer_id, *name, *region, n<customers.name"
    ),
    "select * exclude (name) from customers": "*customer_id, *region",
    "select * rename (name as title) from customers": "*customer_id, title<customers.name, *region",
    "select * replace (name || region as region) from customers": (
        "*customer_id, *name, region<customers.name+customers.region"
    ),
    "select * ilike '%_E%' from customers": "*customer_id, *name, *region",
    "select * ilike 'N%' from customers": "*name",
    "select a.total from (select sum(amount) as total from orders) as a": "total<orders.amount",
    "select sum(amount) over (partition by status) as s from orders": "s<orders.amount+orders.status",
    "select (select max(amount) from orders where status = name) as most from customers": "most<orders.amount",
    "select exists (select amount from orders) as any_there from customers": "any_there<",
    "select amount as a, a + 1 as b from orders": "a<orders.amount, b<orders.amount",
    "select b + 1 as a, amount as b from orders": "a<, b<orders.amount",
    "select name from customers union all select status from orders": "name<customers.name+orders.status",
    "select * from customers union all select * from customers": "*customer_id, *name, *region",
    "select * from customers union all select 1, status, 2 from orders": (
        "customer_id<customers.customer_id, name<customers.name+orders.status, region<customers.region"
    ),
    "select name from customers union all by name select status as s, amount as name from orders": (
        "name<customers.name+orders.amount, s<orders.status"
    ),
    "select * from customers join (select customer_id, amount from orders) using (customer_id)": (
        "customer_id<customers.customer_id+orders.customer_id, *name, *region, amount<orders.amount"
    ),
    "select customer_id from customers join orders using (customer_id)": (
        "customer_id<customers.customer_id+orders.customer_id"
    ),
    "select * from customers as c (a, b)": "a<customers.customer_id, b<customers.name, *region",
    "with c (a) as (select name from customers) select a from c": "a<customers.name",
    "with recursive r as (select order_id as i, amount from orders union all select i + 1, amount from r) "
    "select * from r": "i<orders.order_id, amount<orders.amount",
    "select f.value from orders, lateral flatten(details) as f": "value<orders.details",
    "select * from customers unpivot (val for nam in (name, region))": (
        "*customer_id, nam<customers.name+customers.region, val<customers.name+customers.region"
    ),
    "select * from (select name, region, customer_id from customers) pivot (max(customer_id) for region in ('a'))": (
        "name<customers.name, 'a'<customers.customer_id+customers.region"
    ),
    "select column1, a from (values (1, 2)), (select 3 as a)": "column1<, a<",
    "select v.a from (values (1, 2)) as v (a, b)": "a<",
    "select a.b from (select 1 as b) as a": "b<",
    "values (1, 2)": "column1<, column2<",
    "insert into target select amount from orders": "amount<orders.amount",
    "merge into target using orders on true when not matched then insert (a) values (amount)": "",
    "select orders.* ilike 'amount%', orders.order_id from orders": "*amount, order_id<orders.order_id",
    "select table1.* from table1": "",
}


@pytest.mark.parametrize("sql", OUTPUTS)
def test_what_the_columns_of_a_query_are_made_of(sql: str) -> None:
    assert outputs_of(sql) == OUTPUTS[sql]


def test_there_may_be_more_outputs_of_a_table_that_is_not_all_known() -> None:
    reading = read("with e as (select * from events) select e.*, orders.amount from e, orders")
    assert reading.open == {"events"}
    assert [each.name for each in reading.outputs] == ["EVENT_ID", "PAYLOAD", "AMOUNT"]
    assert reading.outputs[0].passed == Origin(table="events", column="EVENT_ID")
    assert read("select payload from (select * from events)").open == frozenset()


def test_stars_of_a_table_that_is_not_all_known_are_the_same_only_at_the_same_place() -> None:
    assert told("select * from events union all select * from events")["events"].whole == "output"
    moved = "select *, 1 as one from events union all select 1 as one, * from events"
    assert told(moved)["events"].whole == "output position"


def test_a_query_without_a_table_reads_nothing() -> None:
    reading = read("select 1 as one")
    assert (dict(reading.tables), reading.open) == ({}, frozenset())
