"""The platforms: how each of them spells, compares and quotes names, and the words that only one of them has."""

import pytest

from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import Shape
from tests.queries import outputs_of, read, told

# A platform, a query, and the columns of `orders` that it names.
NAMED = [
    ("duckdb", 'select Amount, "STATUS" from orders', "amount status"),
    ("duckdb", "from orders select amount", "amount"),
    ("duckdb", "from orders", ""),
    ("duckdb", "select details.amount.x, orders.details.y from orders", "details"),
    ("duckdb", "select list_transform(details, lambda amount: amount + status) from orders", "details status"),
    (
        "duckdb",
        "select [amount + order_id for amount in details if amount > customer_id] from orders",
        ("customer_id details order_id"),
    ),
    ("duckdb", "select {'amount': status}, struct_pack(amount := order_id) from orders", "order_id status"),
    ("duckdb", "select sum(amount) over w from orders window w as (partition by status)", "amount status"),
    (
        "duckdb",
        "select name, most from customers, (select max(amount) as most from orders where status = name)",
        ("amount status"),
    ),
    ("duckdb", "select customers.name, amount from customers semi join orders on status = name", "status"),
    ("duckdb", "select g.i from orders, generate_series(1, order_id) as g (i)", "order_id"),
    ("duckdb", "select u.x from orders, unnest(details) as u (x)", "details"),
    ("duckdb", "select (select x from customers where name = state) as y, status as state from orders", "status"),
    ("duckdb", "select sum(amount) as status from orders group by order_id having status > 1", "amount order_id"),
    ("duckdb", "select count(*) from orders as o where o is not null", ""),
    ("bigquery", "select `amount`, Status from `a-project.marts.orders`", "amount status"),
    (
        "bigquery",
        "select o.details.amount, i.status, p from marts.orders as o, o.details.items as i, unnest(o.amount) p",
        ("amount details"),
    ),
    ("bigquery", "select o.details.* from orders as o", "details"),
    (
        "bigquery",
        "select array(select as struct * from unnest(details)), struct(amount as status) from orders",
        ("amount details"),
    ),
    ("bigquery", "select * except (amount) replace (status as order_id) from orders", "amount order_id status"),
    ("bigquery", "select 1 from orders where amount in unnest(details)", "amount details"),
    ("bigquery", "select x, place from orders, unnest(details) as x with offset as place", "details"),
    ("databricks", "select y from orders lateral view explode(details) t as y where amount > 1", "amount details"),
    ("databricks", "select exists(details, x -> x > amount) from orders", "amount details"),
    ("databricks", "select stack(2, amount, status) as (a, b) from orders", "amount status"),
    ("spark", "select `AMOUNT` from orders", "amount"),
    ("redshift", "select i.x from orders as o, o.details as i", "details"),
    ("redshift", 'select AMOUNT, "Status" from orders', "amount status"),
    ("postgres", "select AMOUNT from orders", "amount"),
    ("postgres", "select distinct on (status) amount from orders", "amount status"),
    ("trino", "select a from orders cross join unnest(details) as t (a)", "details"),
    ("athena", "select amount from orders", "amount"),
    ("sqlserver", "select top 5 [amount], total = status from orders", "amount status"),
    (
        "sqlserver",
        "with r as (select 1 as x union all select x + order_id from r join orders on amount = x) select x from r",
        "amount order_id",
    ),
    ("clickhouse", "select amount from orders final prewhere status = 1", "amount status"),
    ("oracle", "select amount, level from orders where rownum < 5", "amount"),
]


@pytest.mark.parametrize(("adapter", "sql", "columns"), NAMED)
def test_a_platform_is_read_in_its_own_words(adapter: str, sql: str, columns: str) -> None:
    named = [each.partition(":")[0] for each in told(sql, adapter)["orders"].columns.split()]
    assert named == columns.split()


def test_columns_are_spelled_as_the_table_spells_them() -> None:
    def tables(_relation):
        return Shape(table="orders", columns=("Amount", "STATUS"))

    found = read_query("select amount, status, other as x, x as y from t", "bigquery", tables)
    assert found.tables["orders"].columns == {"Amount": 1, "STATUS": 1, "other": 1}
    assert found.tables["orders"].taken == {"x"}
    exact = read_query('select "Amount", status, "aMount" from t', "snowflake", tables)
    assert exact.tables["orders"].columns == {"Amount": 1, "STATUS": 1, "aMount": 1}


def test_a_table_is_asked_for_as_the_warehouse_stores_its_name() -> None:
    asked = []

    def tables(relation):
        asked.append(relation)

    sql = 'select 1 from Db.Marts."Orders", marts.customers, events, db.marts.fn(1)'
    read_query(sql, "snowflake", tables)
    assert asked == [("DB", "MARTS", "Orders"), (None, "MARTS", "CUSTOMERS"), (None, None, "EVENTS")]
    asked.clear()
    read_query("select 1 from `a-b.Marts.Orders`", "bigquery", tables)
    assert asked == [("a-b", "Marts", "Orders")]


def test_taken_names_are_in_lower_case_where_case_means_nothing() -> None:
    assert read("select *, 1 as One from orders", "duckdb").tables["orders"].taken == {"one"}
    assert read('select *, 1 as One, 2 as "two" from orders').tables["orders"].taken == {"ONE", "two"}


@pytest.mark.parametrize(
    ("adapter", "sql", "whole"),
    [
        ("duckdb", "select o from orders as o", "value"),
        ("duckdb", "select count(o) from orders as o", "value"),
        ("postgres", "select row_to_json(o) from orders as o", "value"),
        ("bigquery", "select to_json_string(o) from orders as o", "value"),
        ("bigquery", "select as struct * from orders", "output value"),
        ("bigquery", "select array(select as struct * from orders) as rows_of_it", "position value"),
        ("duckdb", "select * from orders where exists (from orders)", "output"),
        ("duckdb", "select * from customers semi join orders using (customer_id)", ""),
        ("duckdb", "select * from orders anti join customers using (customer_id)", "output"),
    ],
)
def test_a_row_as_one_value(adapter: str, sql: str, whole: str) -> None:
    assert told(sql, adapter)["orders"].whole == whole


def test_databricks_merges_whole_rows_by_their_names() -> None:
    merge = "merge into target as t using orders as s on t.order_id = s.order_id when matched then update set *"
    assert told(merge, "databricks")["orders"].whole == "output"
    insert = "merge into target as t using orders as s on t.order_id = s.order_id when not matched then insert *"
    assert told(insert, "databricks")["orders"].whole == "output"


def test_a_struct_or_a_function_gives_columns_that_nobody_can_list() -> None:
    assert outputs_of("select details.*, amount from orders", "bigquery") == "amount<orders.amount"
    assert outputs_of("select col0 from (values (1, 2))", "duckdb") == "col0<"
    assert outputs_of("select stack(2, amount, status) as (a, b) from orders", "databricks") == (
        "a<orders.amount+orders.status, b<orders.amount+orders.status"
    )
