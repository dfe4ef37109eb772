"""dbt-core 1.10, 1.11, 1.12 and v2, each through sources, dbt-loom and a package: every cell of that table."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import pytest

from registry_tools.mesh.upstream import WAYS
from tests.matrix.conftest import WITHOUT_PLUGIN, Cell, Upstreams
from tests.matrix.engines import OURS, V1, V2
from tests.matrix.observation import OUT_OF_REACH, Observed, nodes_of_upstream
from tests.matrix.table import RECORDED

pytestmark = pytest.mark.mesh

Matrix = Mapping[Cell, Observed]

# dbt-loom is a plugin of v1, and v2 has no plugins.
CELLS = [(version, way) for version in (*V1, V2) for way in WAYS if (version, way) != (V2, "loom")]
IDS = [f"{version}-{way}" for version, way in CELLS]
WITH_COLUMNS = [cell for cell in CELLS if cell[1] != "loom"]
every_cell = pytest.mark.parametrize("cell", CELLS, ids=IDS)

EXPECTED = {
    "reads_orders": "select order_id, amount from SHOP_PROD.STAGING_MARTS.ORDERS",
    "reads_customers": 'select customer_id, "Full Name" from SHOP_PROD.STAGING_MARTS.CLIENTS',
    "reads_ledger": "select order_id, amount from SHOP_FINANCE.STAGING_LEDGER.LEDGER",
    "reads_net_orders": "select order_id, net_amount from SHOP_PROD.STAGING_MARTS.NET_ORDERS",
    "reads_products": "select product_id, unit_price from SHOP_PROD.STAGING_MARTS.PRODUCTS_CURRENT",
    "reads_products_v1": "select product_id, product_name from SHOP_PROD.STAGING_MARTS.PRODUCTS_V1",
    "reads_products_v2": "select product_id, unit_price from SHOP_PROD.STAGING_MARTS.PRODUCTS_CURRENT",
    "reads_old_orders": "select order_id from SHOP_PROD.STAGING_MARTS.OLD_ORDERS",
    "reads_prices": 'select "Product Id", "Name" from "Legacy"."Marts"."Price List"',
    "joins_all": (
        'select orders.order_id, orders.amount, ledger.amount as booked, prices."Name" as product\n'
        "from READER_PROD.MARTS.reads_orders as orders\n"
        "inner join SHOP_FINANCE.STAGING_LEDGER.LEDGER as ledger on orders.order_id = ledger.order_id\n"
        'cross join "Legacy"."Marts"."Price List" as prices'
    ),
}


def replaced(sql: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        sql = sql.replace(old, new)
    return sql


@every_cell
def test_dbt_parses_it_without_a_warning_that_upstream_did_not_ask_for(matrix: Matrix, cell: Cell) -> None:
    observed = matrix[cell]
    assert observed.parsed.succeeded, observed.parsed.text
    asked_for = {"DeprecatedModel", "DeprecatedReference", "UpcomingReferenceDeprecation"}
    names = {event.name for event in observed.parsed.warnings}
    names |= set(re.findall(r"\[(?:warning|error)\] \[(\w+)", observed.parsed.text))  # as v2 has them
    assert names <= asked_for, observed.parsed.text


@every_cell
def test_every_way_compiles_to_the_same_sql(matrix: Matrix, cell: Cell) -> None:
    assert matrix[cell].compiled == EXPECTED


@every_cell
def test_another_name_of_a_database_changes_every_reference_and_nothing_else(matrix: Matrix, cell: Cell) -> None:
    names = {"SHOP_PROD.": "SHARED_SHOP.", '"Legacy".': '"Shared_Legacy".'}
    assert matrix[cell].renamed == {name: replaced(sql, names) for name, sql in EXPECTED.items()}


@every_cell
def test_only_what_upstream_publishes_can_be_referenced(matrix: Matrix, cell: Cell) -> None:
    assert matrix[cell].facts["out_of_reach"] == list(OUT_OF_REACH)
    known = {node["name"] for node in nodes_of_upstream(matrix[cell].manifest)}
    assert known.isdisjoint(OUT_OF_REACH.values())


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell[0] in V1], ids="-".join)
def test_a_sync_that_changes_nothing_leaves_partial_parsing_warm(matrix: Matrix, cell: Cell) -> None:
    assert matrix[cell].facts["warm"] is True


@pytest.mark.parametrize("way", WAYS)
def test_it_builds_on_the_embedded_mesh(matrix: Matrix, way: str) -> None:
    assert matrix[OURS, way].facts["builds"] is True


@pytest.mark.parametrize("version", V1)
def test_a_unit_test_mocks_an_upstream_model_but_through_dbt_loom(matrix: Matrix, version: str) -> None:
    """dbt-core makes a model of each mocked input that is protected, and dbt-loom lets nobody refer to one."""
    results = {way: matrix[version, way].facts["unit_test"] for way in WAYS}
    assert results == {"sources": "passes", "loom": "protected", "package": "passes"}


@pytest.mark.parametrize("cell", WITH_COLUMNS, ids="-".join)
def test_types_tags_meta_and_constraints_arrive_as_upstream_has_them(matrix: Matrix, cell: Cell) -> None:
    read = {node["name"]: node for node in nodes_of_upstream(matrix[cell].manifest)}
    orders, tags = read["orders"], read["orders"].get("tags") or read["orders"]["config"]["tags"]
    assert sorted(tags) == ["core", "nightly"]
    meta = orders["config"]["meta"]
    assert (meta["pii"], meta["mesh"]["contract"], meta["mesh"]["owner"]) == (False, "enforced", "Core Data")
    assert meta["mesh"]["constraints"] == ["primary_key: order_id"]
    assert {name: column["data_type"] for name, column in orders["columns"].items()} == {
        "order_id": "number(18,0)",
        "customer_id": "number(18,0)",
        "amount": "number(12,2)",
        "ordered_at": "timestamp_ntz",
    }
    amount = orders["columns"]["amount"]
    assert (amount["config"]["tags"], amount["config"]["meta"]) == (["money"], {"unit": "EUR"})


@pytest.mark.parametrize("cell", WITH_COLUMNS, ids="-".join)
def test_descriptions_of_any_characters_arrive_as_upstream_wrote_them(
    matrix: Matrix, upstreams: Upstreams, cell: Cell
) -> None:
    wrote = upstreams.manifest("shop")["nodes"]["model.shop.customers"]
    read = next(node for node in nodes_of_upstream(matrix[cell].manifest) if node["name"] == "customers")
    assert str(wrote["description"]).startswith("Kunden")
    assert "顧客 🛒" in str(wrote["description"])
    assert read["description"].strip() == str(wrote["description"]).strip()
    columns = {name.strip('"'): column for name, column in read["columns"].items()}
    assert columns["Full Name"]["description"].strip() == 'line one: "quoted"\n{{ line }} two'


def test_the_matrix_is_the_one_that_is_recorded(matrix: Matrix) -> None:
    """`UPDATE_MATRIX=1 pytest tests/matrix` writes it and the README's table again; read the diff before committing."""
    observed = {version: {way: recorded(matrix, version, way) for way in WAYS} for version in (*V1, V2)}
    text = json.dumps(observed, indent=1) + "\n"
    if os.environ.get("UPDATE_MATRIX"):
        RECORDED.write_text(text)
    assert RECORDED.read_text() == text


def recorded(matrix: Matrix, version: str, way: str) -> dict[str, Any]:
    """The facts of a cell, with those that take another cell to find out."""
    observed = matrix[version, way]
    if not observed.facts["works"]:
        return observed.facts
    without = matrix[version, WITHOUT_PLUGIN if way == "loom" else way]
    return observed.facts | {"needs_plugin": not without.facts["works"]}


def test_dbt_v2_has_no_plugins_and_so_no_dbt_loom(matrix: Matrix) -> None:
    assert matrix[V2, "loom"].facts == {"works": False}
    assert "not found" in matrix[V2, "loom"].parsed.text
