"""Usage of what has no SQL of its own: exposures, unit tests, semantic models; and where in a YAML file it stands."""

from pathlib import Path

import pytest

from registry_tools.mesh.usage import EVERY, Read
from tests.builders import Json, data_test, foreign, reader, source
from tests.unit.test_column_usage import ORDERS, STAGED, STAR, orders, reads_of, sql


def _one(folder: Path, entry: Json, *others: Json, project: Path | None = None) -> Read | None:
    """What this entry reads, if it reads anything."""
    return reads_of(folder, orders(), *others, entry, project=project).get(entry["name"])


# -- exposures --------------------------------------------------------------------------------------------------------


def _exposure(parent: str, meta: object = None) -> Json:
    return reader("exposure", "board", [parent]) | {"meta": meta}


def test_an_exposure_may_read_every_column(tmp_path: Path) -> None:
    found = _one(tmp_path, _exposure(ORDERS))
    assert found
    assert (found.columns, found.unread) == (EVERY, "an exposure names no columns")


@pytest.mark.parametrize("place", ["meta", "config"])
def test_an_exposure_reads_what_its_meta_names(tmp_path: Path, place: str) -> None:
    meta = {"mesh": {"columns": {"orders": ["ID", "amount"]}}}
    told = {"meta": meta} if place == "meta" else {"config": {"meta": meta}}
    found = _one(tmp_path, reader("exposure", "board", [ORDERS]) | told)
    assert found
    assert (found.columns, found.unread) == (("amount", "id"), "")


@pytest.mark.parametrize(
    "meta", [{}, {"mesh": None}, {"mesh": {"columns": ["id"]}}, {"mesh": {"columns": {"other": ["id"]}}}]
)
def test_whatever_else_stands_there_names_nothing(tmp_path: Path, meta: object) -> None:
    found = _one(tmp_path, _exposure(ORDERS, meta))
    assert found
    assert found.columns == EVERY


def test_an_exposure_of_an_own_model_reads_what_a_star_passed_to_it(tmp_path: Path) -> None:
    named = _exposure(STAGED, {"mesh": {"columns": {"stg": ["id"]}}})
    found = _one(tmp_path, named, sql("stg", STAR))
    assert found
    assert found.columns == ("id",)
    assert _one(tmp_path, named, sql("stg", "select id as id from PROD.MARTS.ORDERS")) is None
    silent = _one(tmp_path, _exposure(STAGED), sql("stg", STAR))
    assert silent
    assert silent.columns == EVERY


def test_an_exposure_of_another_project_is_not_ours(tmp_path: Path) -> None:
    assert _one(tmp_path, _exposure(ORDERS) | {"package_name": "pkg"}) is None


# -- semantic models --------------------------------------------------------------------------------------------------


def _semantic(**parts: object) -> Json:
    return reader("semantic_model", "sem", [ORDERS]) | parts


def test_a_semantic_model_reads_its_expressions(tmp_path: Path) -> None:
    entry = _semantic(
        entities=[{"name": "id", "type": "primary"}],
        dimensions=[{"name": "state", "expr": "status"}],
        measures=[{"name": "rows", "expr": "1"}, {"name": "flag", "expr": True}, {"name": "total", "expr": "AMOUNT"}],
    )
    found = _one(tmp_path, entry)
    assert found
    assert (found.columns, found.unread) == (("amount", "id", "status"), "")


def test_an_expression_that_is_no_name_may_read_every_column(tmp_path: Path) -> None:
    found = _one(tmp_path, _semantic(measures=[{"name": "total", "expr": "amount * 2"}]))
    assert found
    assert (found.columns, found.unread) == (EVERY, "an expression of a semantic model")


# -- unit tests -------------------------------------------------------------------------------------------------------


def _unit_test(*given: Json, expect: object = None, model: str = "a") -> Json:
    told = {"given": list(given), "expect": {"rows": expect}, "model": model}
    return reader("unit_test", "checks", [f"model.dbt_down.{model}"]) | told


@pytest.mark.parametrize(
    "rows", [[{"id": 1}, {"id": 2, "amount": 3}], "id,amount\n1,2\n", "\n id , amount \n1,2", '"id","amount"']
)
def test_a_unit_test_reads_the_columns_whose_values_it_gives(tmp_path: Path, rows: object) -> None:
    found = _one(tmp_path, _unit_test({"input": "source('dbt_up', 'orders')", "rows": rows}))
    assert found
    assert (found.columns, found.unread) == (("amount", "id"), "")


def test_rows_in_sql_may_name_every_column(tmp_path: Path) -> None:
    found = _one(tmp_path, _unit_test({"input": "source('dbt_up', 'orders')", "rows": "select 1 as id"}))
    assert found
    assert (found.columns, found.unread) == (EVERY, "rows of a unit test in SQL")


def test_an_input_without_rows_reads_no_column(tmp_path: Path) -> None:
    found = _one(tmp_path, _unit_test({"input": "source('dbt_up', 'orders')", "rows": None}))
    assert found
    assert found.columns == ()


@pytest.mark.parametrize(
    "call", ["source('dbt_up', 'gone')", "ref('a')", "ref('dbt_down', 'a')", "this", "", "ref()", "not a call("]
)
def test_other_inputs_are_no_read(tmp_path: Path, call: str) -> None:
    other = sql("a", "select 1 as id", "model.dbt_down.none")
    assert _one(tmp_path, _unit_test({"input": call, "rows": [{"id": 1}]}), other) is None


@pytest.mark.parametrize(
    ("call", "version"),
    [
        ("ref('products')", ""),
        ("ref('dbt_up', 'products')", ""),
        ("ref('products', v=1)", "1"),
        ("ref('products', v=2)", "2"),
    ],
)
def test_an_input_means_the_version_that_it_names_or_the_latest(tmp_path: Path, call: str, version: str) -> None:
    products = [foreign("products", version=at, latest_version=2, relation_name=f"P.M.P{at}") for at in (1, 2)]
    found = _one(tmp_path, _unit_test({"input": call, "rows": [{"id": 1}]}), *products)
    assert found
    assert (found.model, found.version, found.columns) == ("products", version, ("id",))


def test_several_inputs_are_read_each(tmp_path: Path) -> None:
    given = [{"input": "source('dbt_up', 'orders')", "rows": [{name: 1}]} for name in ("id", "amount")]
    entry = _unit_test(*given, {"input": "ref('b')", "rows": [{"x": 1}]})
    entry["depends_on"]["nodes"] += ["model.dbt_down.b", ORDERS]
    found = _one(tmp_path, entry, sql("b", "select 1 as x", "model.dbt_down.none"))
    assert found
    assert found.columns == ("amount", "id")


def test_what_it_expects_of_the_model_is_read_where_a_star_passed_it_on(tmp_path: Path) -> None:
    entry = _unit_test(expect=[{"amount": 1, "made": 2}], model="stg")
    found = _one(tmp_path, entry, sql("stg", "select *, 1 as made from PROD.MARTS.ORDERS"))
    assert found
    assert found.columns == ("amount",)


def test_a_unit_test_that_depends_on_a_table_without_giving_rows_may_read_all_of_it(tmp_path: Path) -> None:
    found = _one(tmp_path, reader("unit_test", "checks", [ORDERS]))
    assert found
    assert found.unread == "a unit test without inputs"


# -- where it stands --------------------------------------------------------------------------------------------------

YAML = """\
version: 2
models:
  - name: other
    columns:
      - name: id
  - name: stg
    description: The id of an order, and its amount.
    columns:
      - name: "id"  # the key
        data_tests: [not_null]
      - name: amount
unit_tests:
  - name: checks
    model: stg
    given:
      - input: source('dbt_up', 'orders')
        rows:
          - {id: 1, amount: 2}
"""


def _project(root: Path) -> Path:
    (root / "project/models").mkdir(parents=True)
    (root / "project/models/stg.yml").write_text(YAML)
    return root / "project"


@pytest.mark.parametrize(("name", "line"), [("id", 9), ("amount", 11), ("status", 0)])
def test_a_test_stands_at_the_column_that_it_tests(tmp_path: Path, name: str, line: int) -> None:
    tested = data_test("not_null", STAGED, name, "dbt_down") | {"original_file_path": "models/stg.yml", "name": "t"}
    found = reads_of(tmp_path, orders(), sql("stg", STAR), tested, project=_project(tmp_path))
    (read,) = [each for each in found.values() if each.node.startswith("test.")]
    assert (read.path, read.lines, read.line) == ("models/stg.yml", (line,), 6)


def test_a_unit_test_stands_at_its_name_and_its_columns_where_they_are_given(tmp_path: Path) -> None:
    rows = [{"id": 1, "amount": 2}]
    entry = _unit_test({"input": "source('dbt_up', 'orders')", "rows": rows}, model="stg")
    found = _one(tmp_path, entry | {"original_file_path": "models/stg.yml"}, project=_project(tmp_path))
    assert found
    assert (found.path, found.lines, found.line) == ("models/stg.yml", (18, 18), 13)


def test_a_file_is_read_once_for_all_that_stands_in_it(tmp_path: Path) -> None:
    project, where = _project(tmp_path), {"original_file_path": "models/stg.yml"}
    tests = [data_test(kind, STAGED, "id", "dbt_down") | where for kind in ("not_null", "unique")]
    found = reads_of(tmp_path, orders(), sql("stg", STAR), *tests, project=project)
    assert [each.lines for each in found.values() if each.path == "models/stg.yml"] == [(9,), (9,)]


def test_what_is_not_in_the_file_has_no_line(tmp_path: Path) -> None:
    entry = _exposure(ORDERS, {"mesh": {"columns": {"orders": ["id"]}}}) | {"original_file_path": "models/stg.yml"}
    found = _one(tmp_path, entry, project=_project(tmp_path))
    assert found
    assert (found.path, found.lines, found.line) == ("models/stg.yml", (0,), 0)


def test_an_input_may_be_an_own_source_with_the_table_of_an_upstream(tmp_path: Path) -> None:
    other = source("raw", "RAW.SHOP.RAW")
    assert _one(tmp_path, _unit_test({"input": "source('dbt_up', 'raw')", "rows": [{"id": 1}]}), other) is None
