"""Names for which a warehouse would decline a query, and those for which it would not."""

import pytest

from tests.queries import read

FAULTS = {
    "select amount from orders": "",
    "select gone from orders": "gone is not to be found in line 1",
    "select 1\nfrom orders as o\nwhere o.gone > 1": "gone is not to be found in line 3",
    "select customer_id from orders, customers": "customer_id is ambiguous in line 1",
    "select customer_id from orders join customers using (customer_id)": "",
    "select order_id from customers join orders using (order_id)": "order_id is not to be found in line 1",
    "select one from (select *, 1 as one, 2 as one from orders)": "one is ambiguous in line 1",
    "select amount from (select status from orders)": "amount is not to be found in line 1",
    "select a.total from (select amount as total from orders) as a where total > 1 order by total": "",
    "select sum(gone) as gone from orders": "gone is not to be found in line 1",
    # there is more than we know of
    "select thing, e.other from events as e": "",
    "select thing from orders, others": "",
    "select o.thing from others as o": "",
    "select thing from orders, 'file.csv'": "",
    "select thing from orders, table(some_function(amount)) as f": "",
    "select name from customers where exists (select 1 from others where thing = 1)": "",
    "select f.value, index from orders, lateral flatten(details) as f": "",
    "merge into target using orders on id = order_id when not matched then insert (id) values (order_id)": "",
    "update target set total = orders.amount from orders where orders.order_id = target.id": "",
    # what is no column
    "select level from orders connect by prior order_id = customer_id": "",
    "select orders.metadata$action, metadata$isupdate from orders": "",
    "select trunc(ordered_at, month), dateadd(day, 1, ordered_at) from orders": "",
    "select seq.nextval, current_date, current_timestamp from orders": "",
}


@pytest.mark.parametrize("sql", FAULTS)
def test_a_fault_is_a_name_that_means_nothing_or_two_things(sql: str) -> None:
    reading = read(sql)
    assert reading.unread == ""
    assert "; ".join(f"{fault} in line {fault.line}" for fault in reading.faults) == FAULTS[sql]


def test_every_query_of_an_engine_that_runs_is_without_fault() -> None:
    assert (
        read("select x, p from orders, unnest(details) as x, unnest(order_id) as p with offset", "bigquery").faults
        == ()
    )
    assert read("select orders.details.a, col0 from orders, (values (1))", "duckdb").faults == ()
    assert read("select user, ctid, xmin from orders", "postgres").faults == ()
    assert read("select sum(amount) as status from orders group by order_id having status > 1", "duckdb").faults == ()
