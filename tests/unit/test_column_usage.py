"""Usage by column: what each node names of an upstream's models, what `*` leads where, and what cannot be told."""

from pathlib import Path

import pytest

from registry_tools.errors import DocumentError
from registry_tools.intake.column_usage import read_usage
from registry_tools.intake.readings import Readings
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, Contract
from registry_tools.mesh.usage import EVERY, Passed, Read, Usage
from tests.builders import (
    Json,
    column,
    data_test,
    foreign,
    interface,
    manifest,
    node,
    private,
    public_model,
    read,
    reader,
    source,
)

ORDERS = "source.dbt_down.dbt_up.orders"
HELD = {"enforced": True, "alias_types": True}
MARK = {"project": "dbt_up", "model": "orders", "contract": "enforced"}


def orders(**changes: object) -> Json:
    """The source that mesh sync writes for three columns of orders."""
    columns = {name: column(name) for name in ("id", "amount", "status")}
    return source("orders", "PROD.MARTS.ORDERS", mesh=MARK) | {"columns": columns} | changes


def sql(name: str, compiled: str | None, *parents: str, **changes: object) -> Json:
    """A model of dbt_down that was compiled to this."""
    place = {"relation_name": f"DOWN.MARTS.{name}", "original_file_path": f"models/{name}.sql", "columns": {}}
    code = {"compiled_code": compiled, "raw_code": compiled, "depends_on": {"nodes": list(parents or [ORDERS])}}
    return private(name, "dbt_down", **place | code | changes)


def usage_of(
    folder: Path, *entries: Json, interfaces: tuple[Interface, ...] = (), project: Path | None = None, **metadata: str
) -> Usage:
    """What these entries come to."""
    found = read(folder, manifest(*entries, project="dbt_down", metadata=metadata))
    with Readings(found.adapter, processes=1) as readings:
        return read_usage(found, {each.project: each for each in interfaces}, readings, folder=project)


def reads_of(folder: Path, *entries: Json, **asked: object) -> dict[str, Read]:
    """The reads by the name of the node, each of which reads one model."""
    reads = usage_of(folder, *entries, **asked).reads  # type: ignore[arg-type]
    found = {each.node.split(".", 2)[2]: each for each in reads}
    assert len(found) == len(reads)
    return found


# -- by name ----------------------------------------------------------------------------------------------------------


def test_columns_are_those_that_the_sql_names(tmp_path: Path) -> None:
    found = reads_of(tmp_path, orders(), sql("a", "select\n    id,\n    Amount * 2 as x\nfrom prod.marts.orders"))["a"]
    assert (found.columns, found.lines, found.whole, found.unread) == (("amount", "id"), (3, 2), (), "")
    assert (found.upstream, found.model, found.version, found.via) == ("dbt_up", "orders", "", "source")
    assert (found.path, found.line) == ("models/a.sql", 4)


def test_a_column_is_spelled_as_the_interface_has_it(tmp_path: Path) -> None:
    columns = {"Id": Column(name="Id"), "Total Amount": Column(name="Total Amount", quote=True)}
    model = public_model(columns=columns, contract=Contract(enforced=True))
    query = 'select id, "Total Amount" from PROD.MARTS.ORDERS'
    found = reads_of(tmp_path, orders(), sql("a", query), interfaces=(interface(model),))
    assert found["a"].columns == ("Id", "Total Amount")


def test_of_a_table_without_a_contract_columns_are_read_that_nobody_declares(tmp_path: Path) -> None:
    found = reads_of(
        tmp_path,
        orders(meta={"mesh": {"project": "dbt_up", "model": "orders"}}),
        sql("a", "select extra from PROD.MARTS.ORDERS"),
    )
    assert found["a"].columns == ("extra",)


def test_a_node_that_reads_rows_alone_reads_no_column(tmp_path: Path) -> None:
    found = reads_of(tmp_path, orders(), sql("a", "select count(*) as n from PROD.MARTS.ORDERS"))["a"]
    assert (found.columns, found.unread) == ((), "")


def test_a_bare_name_is_told_by_the_columns_of_a_neighbour(tmp_path: Path) -> None:
    """Upstream declares all of its columns, so that the other one can only be the raw table's."""
    raw = source("raw", "RAW.SHOP.RAW") | {"columns": {"price": column("price")}}
    query = "select amount, price from PROD.MARTS.ORDERS join RAW.SHOP.RAW on true"
    found = reads_of(tmp_path, orders(), raw, sql("a", query, ORDERS, raw["unique_id"]))
    assert found["a"].columns == ("amount",)


def test_so_it_is_by_those_of_a_seed_and_of_an_own_model(tmp_path: Path) -> None:
    """Of the injected model no column is known, so that every name that is nobody else's may be its own."""
    bare = foreign("orders", columns={}, relation_name="PROD.MARTS.ORDERS")
    seed = sql("rates", None, "model.dbt_down.none", columns={"rate": column("rate")})
    seed |= {"unique_id": "seed.dbt_down.rates", "resource_type": "seed"}
    own = sql("days", "select day from RAW.X.DAYS", "model.dbt_down.none")
    query = "select amount, rate, day from PROD.MARTS.ORDERS, DOWN.MARTS.rates, DOWN.MARTS.days"
    entry = sql("a", query, bare["unique_id"], "seed.dbt_down.rates", "model.dbt_down.days")
    assert reads_of(tmp_path, bare, seed, own, entry)["a"].columns == ("amount",)


def test_a_table_may_have_a_name_that_is_no_word(tmp_path: Path) -> None:
    odd = orders(relation_name='PROD.MARTS."All orders"')
    assert reads_of(tmp_path, odd, sql("a", 'select id from prod.marts."All orders"'))["a"].columns == ("id",)


@pytest.mark.parametrize("code", ["model", "snapshot", "analysis", "test", "operation"])
def test_whatever_dbt_compiles_reads_columns(tmp_path: Path, code: str) -> None:
    entry = reader(code, "x", [ORDERS]) | {"compiled_code": "select id from PROD.MARTS.ORDERS"}
    assert reads_of(tmp_path, orders(), entry)["x"].columns == ("id",)


def test_a_relation_that_is_named_without_ref_is_read_all_the_same(tmp_path: Path) -> None:
    hard = sql("a", "select id from PROD.MARTS.ORDERS", depends_on={"nodes": []})
    found = reads_of(tmp_path, hard, interfaces=(interface(public_model()),))
    assert (found["a"].model, found["a"].columns) == ("orders", ("id",))
    assert reads_of(tmp_path, orders(), hard)["a"].columns == ("id",)


def test_a_relation_may_leave_its_database_to_the_session(tmp_path: Path) -> None:
    assert reads_of(tmp_path, orders(), sql("a", "select id from marts.orders"))["a"].columns == ("id",)


def test_a_name_that_sql_takes_is_told(tmp_path: Path) -> None:
    raw = source("raw", "RAW.SHOP.RAW") | {"columns": {"price": column("price")}}
    query = "select price, id from {} join RAW.SHOP.RAW on true"
    staged = sql("stg", query.format("PROD.MARTS.ORDERS").replace("price, id", "ORDERS.*"), ORDERS, raw["unique_id"])
    later = sql("a", query.format("DOWN.MARTS.stg"), "model.dbt_down.stg", raw["unique_id"])
    assert reads_of(tmp_path, orders(), staged, later)["a"].taken == ("price",)


# -- which model ------------------------------------------------------------------------------------------------------


def _products() -> list[Json]:
    return [
        foreign("products", version=1, latest_version=2, relation_name="PROD.MARTS.P1"),
        foreign("products", version=2, latest_version=2, relation_name="PROD.MARTS.P2"),
    ]


@pytest.mark.parametrize(("ref", "version"), [(None, ""), (2, "2"), ("2", "2")])
def test_a_ref_without_a_version_reads_the_latest(tmp_path: Path, ref: object, version: str) -> None:
    asked = [{"name": "products", "package": "dbt_up", "version": ref}]
    entry = sql("a", "select id from PROD.MARTS.P2", "model.dbt_up.products.v2", refs=asked)
    found = reads_of(tmp_path, *_products(), entry)["a"]
    assert (found.version, found.columns) == (version, ("id",))


def test_a_ref_to_an_old_version_names_it(tmp_path: Path) -> None:
    asked = [{"name": "products", "package": "dbt_up", "version": 1}]
    entry = sql("a", "select id from PROD.MARTS.P1", "model.dbt_up.products.v1", refs=asked)
    assert reads_of(tmp_path, *_products(), entry)["a"].version == "1"


def test_a_node_that_refers_to_both_versions_reads_both(tmp_path: Path) -> None:
    asked = [{"name": "products", "version": 1}, {"name": "products", "version": None}, ["old", "form"]]
    query = "select p1.id, p2.status from PROD.MARTS.P1 as p1, PROD.MARTS.P2 as p2"
    entry = sql("a", query, "model.dbt_up.products.v1", "model.dbt_up.products.v2", refs=asked)
    found = usage_of(tmp_path, *[each | {"columns": {}} for each in _products()], entry).reads
    assert [(each.version, each.columns) for each in found] == [("", ("status",)), ("1", ("id",))]


def test_of_two_sources_at_one_relation_a_node_reads_the_one_it_depends_on(tmp_path: Path) -> None:
    mark = MARK | {"model": "products"}
    latest = source("products", "PROD.MARTS.P2", mesh=mark)
    second = source("products_v2", "PROD.MARTS.P2", mesh=mark | {"version": 2})
    query = "select id from PROD.MARTS.P2"
    found = reads_of(
        tmp_path, latest, second, sql("a", query, latest["unique_id"]), sql("b", query, second["unique_id"])
    )
    assert (found["a"].version, found["b"].version) == ("", "2")


def test_a_source_that_a_person_wrote_is_known_by_its_relation(tmp_path: Path) -> None:
    mine = source("mine", "prod.marts.orders")
    entry = sql("a", "select id from prod.marts.orders", mine["unique_id"])
    found = reads_of(tmp_path, mine, entry, interfaces=(interface(public_model()),))
    assert (found["a"].model, found["a"].columns) == ("orders", ("id",))


def test_what_dbt_loom_injects_has_no_columns_and_is_read_by_name(tmp_path: Path) -> None:
    bare = foreign("orders", columns={}, relation_name="PROD.MARTS.ORDERS")
    found = reads_of(tmp_path, bare, sql("a", "select id, amount from PROD.MARTS.ORDERS", bare["unique_id"]))
    assert (found["a"].via, found["a"].columns) == ("ref", ("amount", "id"))


def test_a_relation_that_is_none_is_read_in_every_column(tmp_path: Path) -> None:
    odd = orders(relation_name="a.b.c.d")
    assert reads_of(tmp_path, odd, sql("a", "select id from PROD.MARTS.ORDERS"))["a"].columns == EVERY


def test_names_are_stored_as_duckdb_does(tmp_path: Path) -> None:
    """Any case of the letters is the same there, and nothing is folded."""
    mine = orders(relation_name='"prod"."marts"."orders"')
    found = reads_of(tmp_path, mine, sql("a", "select ID from PROD.marts.ORDERS"), adapter_type="duckdb")
    assert found["a"].columns == ("id",)


# -- by star ----------------------------------------------------------------------------------------------------------

STAGED = "model.dbt_down.stg"
STAR = "select * from PROD.MARTS.ORDERS"


def test_a_star_reads_whole_rows(tmp_path: Path) -> None:
    found = reads_of(tmp_path, orders(), sql("stg", STAR))["stg"]
    assert (found.columns, found.whole) == ((), ("output",))


def test_a_star_into_an_own_contract_is_held_by_it(tmp_path: Path) -> None:
    held = sql("stg", STAR, config={"contract": HELD}, columns={"id": column("id")})
    assert reads_of(tmp_path, orders(), held)["stg"].whole == ("contract",)


def test_what_a_star_passed_on_is_read_by_whoever_names_it(tmp_path: Path) -> None:
    later = sql("a", "select\n    amount\nfrom DOWN.MARTS.stg", STAGED)
    found = reads_of(tmp_path, orders(), sql("stg", STAR), later)["a"]
    assert (found.columns, found.lines, found.path, found.line) == (("amount",), (2,), "models/a.sql", 3)


def test_so_it_is_three_models_on(tmp_path: Path) -> None:
    middle = sql("mid", "select * from DOWN.MARTS.stg", STAGED)
    last = sql("a", "select amount from DOWN.MARTS.mid", "model.dbt_down.mid")
    found = reads_of(tmp_path, orders(), sql("stg", STAR), middle, last)
    assert (found["mid"].whole, found["mid"].columns) == (("output",), ())
    assert found["a"].columns == ("amount",)


def test_what_was_renamed_on_the_way_is_the_own_projects(tmp_path: Path) -> None:
    renamed = sql("stg", "select amount as amount, id as key from PROD.MARTS.ORDERS")
    later = sql("a", "select amount, key from DOWN.MARTS.stg", STAGED)
    assert list(reads_of(tmp_path, orders(), renamed, later)) == ["stg"]


def test_a_table_with_columns_unknown_passes_them_on_too(tmp_path: Path) -> None:
    bare = foreign("orders", columns={}, relation_name="PROD.MARTS.ORDERS")
    entries = sql("stg", STAR, bare["unique_id"]), sql("a", "select amount from DOWN.MARTS.stg", STAGED)
    assert reads_of(tmp_path, bare, *entries)["a"].columns == ("amount",)


def test_whole_rows_go_on_until_a_contract_holds_them(tmp_path: Path) -> None:
    held = sql("stg", STAR, config={"contract": HELD}, columns={"id": column("id"), "amount": column("amount")})
    united = "select * from DOWN.MARTS.stg union all select 1, 2, 3"
    later = sql("a", united, STAGED)
    assert "position" in reads_of(tmp_path, orders(), sql("stg", STAR), later)["a"].whole
    assert list(reads_of(tmp_path, orders(), held, later)) == ["stg"]


def test_a_model_that_reads_itself_is_no_circle(tmp_path: Path) -> None:
    query = "select * from PROD.MARTS.ORDERS where id > (select max(id) from DOWN.MARTS.stg)"
    found = reads_of(tmp_path, orders(), sql("stg", query))["stg"]
    assert (found.columns, found.whole) == (("id",), ("output",))


def test_what_it_reads_of_itself_is_its_own(tmp_path: Path) -> None:
    query = "select * from PROD.MARTS.ORDERS where id > (select max(status) from DOWN.MARTS.stg)"
    entry = sql("stg", query, columns={"status": column("status")})
    assert reads_of(tmp_path, orders(), entry)["stg"].columns == ("id",)


def test_whoever_names_only_what_was_made_on_the_way_reads_nothing_of_upstream(tmp_path: Path) -> None:
    staged = sql("stg", "select *, 1 as made from PROD.MARTS.ORDERS")
    assert list(reads_of(tmp_path, orders(), staged, sql("a", "select made from DOWN.MARTS.stg", STAGED))) == ["stg"]


def test_a_column_that_comes_by_two_ways_is_named_first_where_it_is_named_first(tmp_path: Path) -> None:
    query = "select\n    mid.id as one,\n    stg.id as two\nfrom DOWN.MARTS.stg, DOWN.MARTS.mid"
    entries = sql("stg", STAR), sql("mid", STAR), sql("a", query, STAGED, "model.dbt_down.mid")
    assert reads_of(tmp_path, orders(), *entries)["a"].lines == (2,)


def test_the_columns_of_a_contract_are_all_that_a_model_has(tmp_path: Path) -> None:
    """Of the injected model no column is known, and of a model in Python those that it promises."""
    bare = foreign("orders", columns={}, relation_name="PROD.MARTS.ORDERS")
    made = {"language": "python", "config": {"contract": HELD}, "columns": {"day": column("day")}}
    own = sql("days", "def model(dbt, session): ...", "model.dbt_down.none", **made)
    entry = sql(
        "a", "select day, amount from PROD.MARTS.ORDERS, DOWN.MARTS.days", bare["unique_id"], "model.dbt_down.days"
    )
    assert reads_of(tmp_path, bare, own, entry)["a"].columns == ("amount",)


def test_a_model_with_a_star_of_something_unknown_may_have_any_column(tmp_path: Path) -> None:
    own = sql("days", "select * from RAW.X.DAYS", "model.dbt_down.none")
    entry = sql("a", "select id, price from DOWN.MARTS.stg, DOWN.MARTS.days", STAGED, "model.dbt_down.days")
    found = reads_of(tmp_path, orders(), sql("stg", STAR), own, entry)["a"]
    assert (found.columns, found.unread) == (("id",), "")


def test_the_sql_of_an_ephemeral_model_stands_in_its_readers(tmp_path: Path) -> None:
    inner = sql("eph", STAR, config={"materialized": "ephemeral"}, relation_name=None)
    cte = f" __dbt__cte__eph as (\n{STAR}\n)"
    outer = f"with {cte.strip()}\nselect\n    amount\nfrom __dbt__cte__eph"
    raw = "select\n    amount\nfrom {{ ref('eph') }}"
    later = sql("a", outer, "model.dbt_down.eph", raw_code=raw, extra_ctes=[{"id": "model.dbt_down.eph", "sql": cte}])
    found = reads_of(tmp_path, orders(), inner, later)
    assert (found["a"].columns, found["a"].lines, found["a"].line) == (("amount",), (2,), 3)
    assert found["eph"].whole == ("output",)


def test_a_deferred_parent_is_known_by_the_relation_of_the_other_environment(tmp_path: Path) -> None:
    staged = sql("stg", STAR, defer_relation={"relation_name": "DOWN.PROD.stg"})
    assert reads_of(tmp_path, orders(), staged, sql("a", "select id from DOWN.PROD.stg", STAGED))["a"].columns == (
        "id",
    )


def test_a_model_of_an_installed_package_passes_on_and_is_no_reader(tmp_path: Path) -> None:
    packaged = sql("stg", STAR) | {"unique_id": "model.pkg.stg", "package_name": "pkg"}
    later = sql("a", "select id from DOWN.MARTS.stg", "model.pkg.stg")
    assert list(reads_of(tmp_path, orders(), packaged, later)) == ["a"]


def test_what_a_config_names_of_a_passed_row_is_read(tmp_path: Path) -> None:
    config = {"unique_key": "id || '-' || status", "check_cols": ["AMOUNT", "nobody"], "partition_by": {"field": "x"}}
    assert reads_of(tmp_path, orders(), sql("stg", STAR, config=config))["stg"].columns == ("amount", "id", "status")


def test_a_snapshot_adds_columns_of_its_own(tmp_path: Path) -> None:
    entry = sql("s", STAR, config={"hard_deletes": "new_record", "snapshot_meta_column_names": {"dbt_scd_id": "scd"}})
    snapshot = entry | {"unique_id": "snapshot.dbt_down.s", "resource_type": "snapshot"}
    later = sql("a", "select id, scd, dbt_valid_to, dbt_is_deleted from DOWN.MARTS.s", "snapshot.dbt_down.s")
    assert reads_of(tmp_path, orders(), snapshot, later)["a"].columns == ("id",)


# -- tests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["AMOUNT", '"AMOUNT"', "amount"])
def test_a_test_of_dbt_reads_what_it_tests_without_being_compiled(tmp_path: Path, written: str) -> None:
    tested = data_test("not_null", ORDERS, written, "dbt_down")
    (found,) = reads_of(tmp_path, orders(), tested).values()
    assert (found.columns, found.unread) == (("amount",), "")


def test_of_an_own_model_it_reads_what_a_star_passed_on(tmp_path: Path) -> None:
    tests = [data_test("unique", STAGED, name, "dbt_down") for name in ("id", "made")]
    staged = sql("stg", "select *, 1 as made from PROD.MARTS.ORDERS")
    found = reads_of(tmp_path, orders(), staged, *tests)
    assert {name.split(".")[0]: each.columns for name, each in found.items()} == {"stg": (), "unique_stg_id": ("id",)}


@pytest.mark.parametrize("changes", [{"column_name": "lower(status)"}, {"config": {"where": "amount > 0"}}])
def test_a_test_with_an_expression_is_read_as_sql(tmp_path: Path, changes: Json) -> None:
    tested = data_test("not_null", ORDERS, "status", "dbt_down") | changes
    compiled = {"compiled_code": "select status from PROD.MARTS.ORDERS where amount > 0"}
    (found,) = reads_of(tmp_path, orders(), tested | compiled).values()
    assert found.columns == ("amount", "status")
    (bare,) = reads_of(tmp_path, orders(), tested).values()
    assert (bare.columns, bare.unread) == (EVERY, "not compiled")


# -- unread -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"compiled_code": None}, "not compiled"),
        ({"compiled_code": ""}, "not compiled"),
        ({"compiled_code": "def model(dbt, session): ...", "language": "python"}, "Python"),
        ({"compiled_code": "select 1 as id"}, "referred to outside its SQL"),
    ],
)
def test_what_cannot_be_read_may_read_every_column(tmp_path: Path, changes: Json, why: str) -> None:
    found = reads_of(tmp_path, orders(), sql("a", STAR, **changes))["a"]
    assert (found.columns, found.lines, found.unread) == (EVERY, (), why)


def test_sql_that_does_not_parse_says_so(tmp_path: Path) -> None:
    found = reads_of(tmp_path, orders(), sql("a", "select from where from PROD.MARTS.ORDERS ((("))["a"]
    assert found.columns == EVERY
    assert found.unread


def test_whoever_follows_an_unread_model_is_no_reader_of_more(tmp_path: Path) -> None:
    """The unread model is said to read every column already, and nobody knows what it gives on."""
    later = sql("a", "select amount from DOWN.MARTS.stg", STAGED)
    assert list(reads_of(tmp_path, orders(), sql("stg", None), later)) == ["stg"]


def test_a_model_of_two_unread_ones_comes_after_both(tmp_path: Path) -> None:
    stars = "select * from DOWN.MARTS.stg, DOWN.MARTS.mid"
    entries = sql("mid", STAR), sql("stg", STAR, ORDERS, "model.dbt_down.mid")
    found = reads_of(tmp_path, orders(), *entries, sql("a", stars, STAGED, "model.dbt_down.mid"))
    assert found["a"].whole == ("output",)


def test_an_unread_model_reads_every_column_that_a_star_passes_to_it(tmp_path: Path) -> None:
    found = reads_of(tmp_path, orders(), sql("stg", STAR), sql("a", None, STAGED))
    assert (found["a"].columns, found["a"].unread) == (EVERY, "not compiled")


def test_compiled_sql_may_stand_in_the_file_that_the_manifest_names(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "target").mkdir(parents=True)
    (project / "target/a.sql").write_text("select id from PROD.MARTS.ORDERS")
    (tmp_path / "outside.sql").write_text("select id from PROD.MARTS.ORDERS")
    entries = [orders(), sql("a", None, compiled_path="target/a.sql")]
    assert reads_of(tmp_path, *entries, project=project)["a"].columns == ("id",)
    assert reads_of(tmp_path, *entries)["a"].columns == EVERY
    for path in ("../outside.sql", "target/gone.sql", "target", "\0"):
        assert reads_of(tmp_path, orders(), sql("a", None, compiled_path=path), project=project)["a"].columns == EVERY


def test_a_circle_that_dbt_would_refuse_ends(tmp_path: Path) -> None:
    one = sql("one", "select id from PROD.MARTS.ORDERS, DOWN.MARTS.two", ORDERS, "model.dbt_down.two")
    two = sql("two", "select * from DOWN.MARTS.one", "model.dbt_down.one", "model.dbt_down.two")
    inner = {"config": {"materialized": "ephemeral"}, "relation_name": None}
    assert reads_of(tmp_path, orders(), one, two)["one"].columns == ("id",)
    assert "one" in reads_of(tmp_path, orders(), one | inner, two | inner)


def test_a_project_that_reads_nobody_has_an_empty_usage(tmp_path: Path) -> None:
    assert usage_of(tmp_path, sql("a", "select 1 as id", "model.dbt_down.b")) == Usage(project="dbt_down")


def test_dbt_v2_writes_null_where_nobody_wrote_anything(tmp_path: Path) -> None:
    nulls = dict.fromkeys(("refs", "extra_ctes", "meta", "tags", "contract"))
    entries = [
        orders() | {"source_description": None, "config": {"meta": {"mesh": MARK}, "event_time": None}},
        sql("a", STAR, config={"unique_key": None, "contract": None}) | nulls,
        reader("exposure", "board", [ORDERS]) | nulls,
        reader("semantic_model", "sem", [ORDERS]) | dict.fromkeys(("entities", "dimensions", "measures")),
    ]
    found = reads_of(tmp_path, *entries, dbt_version="2.0.0")
    assert {name: read.unread for name, read in found.items()} == {
        "a": "",
        "board": "an exposure names no columns",
        "sem": "",
    }
    with pytest.raises(DocumentError, match=r"model\.dbt_down\.a"):
        reads_of(tmp_path, *entries)


# -- what is passed on ------------------------------------------------------------------------------------------------


def _passes(folder: Path, *entries: Json) -> list[tuple[str, str, str, bool]]:
    return [(p.column, p.into, p.column_here, p.whole) for p in usage_of(folder, *entries).passes]


def _shown(name: str, compiled: str | None, *parents: str, **changes: object) -> Json:
    private_one = sql(name, compiled, *parents)
    return node(
        name,
        "dbt_down",
        **{key: private_one[key] for key in private_one if key not in ("access", "config", "unique_id")} | changes,
    )


def test_a_public_model_passes_on_what_it_is_made_of(tmp_path: Path) -> None:
    staged = sql("stg", "select id, amount * 2 as twice from PROD.MARTS.ORDERS")
    shown = _shown("shown", "select id as key, sum(twice) as total from DOWN.MARTS.stg group by 1", STAGED)
    shown |= {"columns": {"Total": column("Total")}}
    assert _passes(tmp_path, orders(), staged, shown) == [
        ("amount", "shown", "Total", False),
        ("id", "shown", "key", False),
    ]


def test_what_a_star_passes_on_untouched_comes_and_goes(tmp_path: Path) -> None:
    assert _passes(tmp_path, orders(), _shown("shown", STAR, version=2)) == [
        ("amount", "shown.v2", "amount", True),
        ("id", "shown.v2", "id", True),
        ("status", "shown.v2", "status", True),
    ]


def test_columns_that_nobody_declares_are_passed_on_all_the_same(tmp_path: Path) -> None:
    bare = foreign("orders", columns={}, relation_name="PROD.MARTS.ORDERS")
    assert _passes(tmp_path, bare, _shown("shown", STAR, bare["unique_id"])) == [("*", "shown", "*", True)]


@pytest.mark.parametrize("query", ["select id from DOWN.MARTS.stg", None, "select * from DOWN.MARTS.stg"])
def test_of_what_is_unread_anything_may_be_in_it(tmp_path: Path, query: str | None) -> None:
    shown = _shown("shown", query, STAGED)
    assert _passes(tmp_path, orders(), sql("stg", None), shown) == [("*", "shown", "*", False)]


def test_a_contract_holds_what_a_star_passes_on(tmp_path: Path) -> None:
    shown = _shown("shown", STAR, columns={"id": column("id")}) | {"config": {"contract": HELD}}
    assert {whole for _, _, _, whole in _passes(tmp_path, orders(), shown)} == {False}


def test_a_private_model_passes_on_nothing(tmp_path: Path) -> None:
    assert _passes(tmp_path, orders(), sql("a", STAR)) == []


def test_passed_columns_name_the_model_that_they_come_from(tmp_path: Path) -> None:
    (found, *_) = usage_of(tmp_path, orders(), _shown("shown", "select id from PROD.MARTS.ORDERS")).passes
    told: Json = {"upstream": "dbt_up", "model": "orders", "version": "", "column": "id"}
    assert found == Passed(**told, into="shown", column_here="id")


def test_a_test_of_an_ephemeral_model_looks_at_what_that_gives_and_not_at_what_it_reads(tmp_path: Path) -> None:
    ephemeral = {"relation_name": None, "config": {"materialized": "ephemeral"}}
    inlined = sql("inlined", "select *, amount as total from PROD.MARTS.ORDERS", **ephemeral)
    tests = [data_test("unique", inlined["unique_id"], name, "dbt_down") for name in ("id", "total")]
    reads = reads_of(tmp_path, orders(), inlined, *tests)
    assert [read.columns for name, read in reads.items() if name.startswith("unique")] == [("id",)]


def test_a_project_that_was_built_on_windows_has_paths_as_git_writes_them(tmp_path: Path) -> None:
    model = sql("report", "select amount from PROD.MARTS.ORDERS", original_file_path="models\\marts\\report.sql")
    assert reads_of(tmp_path, orders(), model)["report"].path == "models/marts/report.sql"
