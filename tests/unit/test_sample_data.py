"""The raw files of the shop: the same for a seed, each run the beginning of a longer one, as untidy as they claim."""

import csv
import hashlib
import io
import runpy
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from registry_tools.errors import UsageError
from registry_tools.local.sample_data import FORMATS, Folder, SampleFile, as_csv, as_parquet, sample_files
from registry_tools.local.shop import SEEDS, Delivery, deliveries

DBT_UP = Path(__file__).resolve().parents[2] / "dbt_up"
# Of all files of `--seed 7 --rows 1`, one after the other. Parquet says in each file which pyarrow has written it.
CSV_OF_SEVEN = "b5b9a908ba1779ac1ee63b108629e00279a0cf870dfdb945405d1e2faaa847a9"
PARQUET_OF_SEVEN = {"26.0.1": "54cdd137af7fb66309a40be0d382083064045263676e21c80ad3af60798e718d"}
KEYS = {
    "raw_customers": "customer_id",
    "raw_products": "product_id",
    "raw_orders": "order_id",
    "raw_order_items": "order_item_id",
    "raw_payments": "payment_id",
}


def first(seed: int, count: int) -> list[Delivery]:
    return list(islice(deliveries(seed), count))


def together(some: list[Delivery], table: str) -> list[dict[str, Any]]:
    return [row for delivery in some for row in delivery.get(table, [])]


def digest(form: str) -> str:
    return hashlib.sha256(b"".join(file.content for file in sample_files(7, 1, [form]))).hexdigest()


def test_the_seeds_of_dbt_up_are_the_first_delivery_byte_for_byte(tmp_path: Path) -> None:
    script = runpy.run_path(str(DBT_UP / "scripts" / "generate_seeds.py"))
    script["main"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in (DBT_UP / "seeds").glob("*.csv")}
    assert len(written) == len(KEYS)
    again = {file.table: file.content for file in sample_files(SEEDS, 1, ["csv"])}
    assert {f"{table}.csv": content for table, content in again.items()} == written


def test_a_seed_gives_these_bytes_on_every_machine() -> None:
    assert digest("csv") == CSV_OF_SEVEN
    assert digest("parquet") == PARQUET_OF_SEVEN[pa.__version__], "pyarrow has moved: its files have other bytes"


def test_more_rows_are_the_same_files_and_further_ones() -> None:
    short = {file.name: file.content for file in sample_files(7, 1, FORMATS)}
    long = {file.name: file.content for file in sample_files(7, 5_000, FORMATS)}
    assert len(short) < len(long)
    assert long == long | short
    assert {file.name: file.content for file in sample_files(8, 1, FORMATS)}.items().isdisjoint(short.items())


@settings(max_examples=20)
@given(st.integers(1, 12_000))
def test_there_are_at_least_so_many_rows_and_no_delivery_more(rows: int) -> None:
    files = list(sample_files(7, rows, ["csv"]))
    last = max(file.name.partition("/")[2] for file in files)
    before = sum(file.rows for file in files if not file.name.endswith(last))
    assert before < rows <= sum(file.rows for file in files)


def test_parquet_holds_what_csv_holds_with_types_and_nothing_of_its_making() -> None:
    (delivery,) = first(7, 1)
    for table, rows in delivery.items():
        written = parquet.ParquetFile(io.BytesIO(as_parquet(rows)))
        assert written.read().to_pylist() == rows, table
        assert written.metadata.metadata is None
    orders = parquet.read_schema(io.BytesIO(as_parquet(delivery["raw_orders"])))
    assert orders.field("ordered_at").type == pa.timestamp("us")
    items = parquet.read_schema(io.BytesIO(as_parquet(delivery["raw_order_items"])))
    assert (items.field("unit_price").type, items.field("quantity").type) == (pa.decimal128(12, 2), pa.int32())
    read = list(csv.DictReader(io.StringIO(as_csv(delivery["raw_products"]).decode())))
    assert [row["product_name"] for row in read] == [row["product_name"] for row in delivery["raw_products"]]


@pytest.mark.parametrize("table", KEYS)
def test_a_key_stands_twice_only_where_it_was_loaded_again(table: str) -> None:
    some = first(7, 3)
    rows, key = together(some, table), KEYS[table]
    loads = Counter(row[key] for row in rows)
    assert set(loads.values()) == {1, 2}
    branches = 1 if table == "raw_products" else 6
    again = {"raw_customers": 9, "raw_products": 6, "raw_orders": 15, "raw_order_items": 12, "raw_payments": 9}[table]
    assert sum(count == 2 for count in loads.values()) == again * branches
    for delivery in some:
        assert sorted(delivery.get(table, []), key=lambda row: row["_loaded_at"]) == delivery.get(table, [])


def test_everything_refers_to_something_that_is_there() -> None:
    some = first(7, 3)
    keys = {table: {row[key] for row in together(some, table)} for table, key in KEYS.items()}
    assert {row["customer_id"] for row in together(some, "raw_orders")} - {None} <= keys["raw_customers"]
    for table in ("raw_order_items", "raw_payments"):
        assert {row["order_id"] for row in together(some, table)} <= keys["raw_orders"]
    assert {row["product_id"] for row in together(some, "raw_order_items")} <= keys["raw_products"]


def test_settled_payments_are_what_the_items_cost() -> None:
    some = first(7, 3)
    prices = {row["product_id"]: row["unit_price"] for row in together(some, "raw_products")}
    lines = {row["order_item_id"]: row for row in together(some, "raw_order_items")}
    cost, paid = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for line in lines.values():
        cost[line["order_id"]] += line["quantity"] * (line["unit_price"] or prices[line["product_id"]])
    for payment in {row["payment_id"]: row for row in together(some, "raw_payments")}.values():
        if payment["status"].strip().lower() == "settled":
            paid[payment["order_id"]] += payment["amount"]
    assert len(paid) > 1_000
    assert all(total == cost[order] for order, total in paid.items())


def test_the_rows_are_as_untidy_as_real_loads() -> None:
    (delivery,) = first(7, 1)
    late = [row for row in delivery["raw_orders"] if (row["_loaded_at"] - row["ordered_at"]).days >= 3]
    assert 0 < len(late) < 100
    assert {row["customer_id"] for row in delivery["raw_orders"]} >= {None}
    assert any(row["unit_price"] is None for row in delivery["raw_order_items"])
    assert any(row["status"] != row["status"].strip().lower() for row in delivery["raw_payments"])
    assert any(row["amount"] < Decimal(0) for row in delivery["raw_payments"])


def test_every_delivery_was_loaded_after_all_before_it() -> None:
    some = first(7, 4)
    loads = [[row["_loaded_at"] for rows in delivery.values() for row in rows] for delivery in some]
    assert all(max(before) < min(after) for before, after in pairwise(loads))
    events = {"raw_customers": "signed_up_at", "raw_orders": "ordered_at", "raw_payments": "paid_at"}
    for table, event in events.items():
        assert all(row[event] < row["_loaded_at"] for row in together(some, table))


def test_no_delivery_grows_past_what_one_machine_holds() -> None:
    sizes = [sum(map(len, delivery.values())) for delivery in islice(deliveries(7), 27)]
    assert sizes[1] > sizes[0]
    assert 45_000 < sizes[24] < 49_000
    assert 45_000 < sizes[26] < 49_000


def test_a_file_that_holds_other_rows_is_never_written_over(tmp_path: Path) -> None:
    file = SampleFile(table="t", name="t/0001.csv", rows=1, content=b"a\n1\n")
    other = SampleFile(table="t", name="t/0001.csv", rows=1, content=b"a\n2\n")
    folder = Folder(path=tmp_path)
    assert folder.put(file)
    assert not folder.put(file)
    with pytest.raises(UsageError, match="holds other rows") as refused:
        folder.put(other)
    assert refused.value.where == str(tmp_path / "t/0001.csv")
    assert (tmp_path / "t/0001.csv").read_bytes() == file.content


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--output"):
        Folder(path=tmp_path / "file").put(SampleFile(table="t", name="t/0001.csv", rows=1, content=b""))
