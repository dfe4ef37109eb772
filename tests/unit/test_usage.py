"""Usage: every node that reads another project's public model, by whichever way."""

import re
from pathlib import Path

import pytest

from registry_tools.intake.usage import extract_usage
from registry_tools.mesh.usage import EVERY, Read
from tests.builders import Json, foreign, manifest, node, private, public_model, read, reader, source

VEILED = re.compile(r"(model|exposure)\.dbt_down\.private-[0-9a-f]{12}")
MARK = {"project": "dbt_up", "model": "orders"}
DOWN = "model.dbt_down.report"


def _report(*parents: str) -> Json:
    return private("report", "dbt_down", depends_on={"macros": [], "nodes": list(parents)})


def _reads(folder, *entries: Json, public=None) -> list[tuple[str, ...]]:
    found = extract_usage(read(folder, manifest(*entries, project="dbt_down")), public)
    return [(r.upstream, r.model, r.version, r.node, r.via) for r in found.reads]


def test_a_ref_to_a_model_of_another_project_is_read(tmp_path) -> None:
    reads = _reads(tmp_path, _report("model.dbt_up.orders"), foreign("orders"))
    assert reads == [("dbt_up", "orders", "", DOWN, "ref")]


def test_a_ref_to_a_version_names_it(tmp_path) -> None:
    entries = _report("model.dbt_up.products.v1"), foreign("products", version=1, latest_version=2)
    assert _reads(tmp_path, *entries) == [("dbt_up", "products", "1", DOWN, "ref")]


def test_a_source_with_our_mark_is_read(tmp_path) -> None:
    marked = source("orders", "PROD.MARTS.ORDERS", mesh=MARK)
    versioned = source("products_v1", "PROD.MARTS.P", mesh={"project": "dbt_up", "model": "products", "version": 1})
    assert _reads(tmp_path, _report(marked["unique_id"], versioned["unique_id"]), marked, versioned) == [
        ("dbt_up", "orders", "", DOWN, "source"),
        ("dbt_up", "products", "1", DOWN, "source"),
    ]


def test_the_mark_counts_also_where_dbt_1_9_leaves_it(tmp_path) -> None:
    older = source("orders", "PROD.MARTS.ORDERS") | {"config": {"enabled": True, "meta": {"mesh": MARK}}}
    assert _reads(tmp_path, _report(older["unique_id"]), older) == [("dbt_up", "orders", "", DOWN, "source")]


def test_a_source_whose_meta_dbt_v2_writes_as_null_is_no_read(tmp_path) -> None:
    bare = source("orders", "PROD.MARTS.ORDERS") | {"config": {"meta": None}}
    assert _reads(tmp_path, _report(bare["unique_id"]), bare) == []


@pytest.mark.parametrize("mark", [None, "dbt_up", {}, {"project": "dbt_up"}, {"project": 1, "model": 2}])
def test_a_source_of_somebody_else_is_no_read(tmp_path, mark: object) -> None:
    raw = source("orders", "RAW.SHOP.ORDERS", mesh=mark)
    assert _reads(tmp_path, _report(raw["unique_id"]), raw) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "con", "", "a\nb", "{{ x }}", "\x1b[2J", "a" * 300, "a\0b"])
@pytest.mark.parametrize("part", ["project", "model"])
def test_a_name_that_is_no_name_is_no_read(tmp_path, part: str, name: str) -> None:
    """The upstream's name becomes a key of the registry."""
    raw = source("orders", "RAW.SHOP.ORDERS", mesh=MARK | {part: name})
    assert _reads(tmp_path, _report(raw["unique_id"]), raw) == []
    names = {"project": "dbt_up", "model": "orders"} | {part: name}
    injected = foreign(names["model"], names["project"])
    assert _reads(tmp_path, _report(injected["unique_id"]), injected) == []


@pytest.mark.parametrize("version", ["1/../x", {"a": 1}, "\x1b"])
def test_a_version_that_is_none_is_no_read(tmp_path, version: object) -> None:
    raw = source("orders", "RAW.SHOP.ORDERS", mesh=MARK | {"version": version})
    assert _reads(tmp_path, _report(raw["unique_id"]), raw) == []


def test_the_registrys_own_folders_are_no_upstreams(tmp_path) -> None:
    raw = source("orders", "RAW.SHOP.ORDERS", mesh=MARK | {"project": "_private"})
    assert _reads(tmp_path, _report(raw["unique_id"]), raw) == []


@pytest.mark.parametrize("relation", ["PROD.MARTS.ORDERS", "prod.marts.orders", "prod.MARTS.Orders"])
def test_a_source_that_a_person_wrote_is_known_by_its_relation(tmp_path, relation: str) -> None:
    raw = source("mine", relation)
    public = {"PROD.MARTS.ORDERS": public_model()}
    assert _reads(tmp_path, _report(raw["unique_id"]), raw, public=public) == [("dbt_up", "orders", "", DOWN, "source")]


@pytest.mark.parametrize("relation", ['"prod"."marts"."orders"', "OTHER.MARTS.ORDERS", "", "a.b.c.d", None])
def test_a_source_of_another_relation_is_not(tmp_path, relation: str | None) -> None:
    raw = source("mine", "") | {"relation_name": relation}
    assert _reads(tmp_path, _report(raw["unique_id"]), raw, public={"PROD.MARTS.ORDERS": public_model()}) == []


def test_a_source_of_an_own_public_model_is_no_read_of_others(tmp_path) -> None:
    raw = source("mine", "PROD.MARTS.ORDERS")
    own = {"PROD.MARTS.ORDERS": public_model(project="dbt_down")}
    assert _reads(tmp_path, _report(raw["unique_id"]), raw, public=own) == []


@pytest.mark.parametrize("kind", ["model", "snapshot", "test", "analysis", "exposure", "unit_test", "semantic_model"])
def test_whatever_depends_on_a_model_reads_it(tmp_path, kind: str) -> None:
    reads = _reads(tmp_path, reader(kind, "x", ["model.dbt_up.orders"]), foreign("orders"))
    assert reads == [("dbt_up", "orders", "", f"{kind}.dbt_down.x", "ref")]


def test_nodes_of_an_installed_package_are_not_ours(tmp_path) -> None:
    installed = node("helper", "dbt_utils", depends_on={"nodes": ["model.dbt_up.orders"]})
    ours = _report("model.dbt_utils.helper")
    assert _reads(tmp_path, installed, ours, foreign("orders")) == []


def test_who_reads_nobody_has_an_empty_usage(tmp_path) -> None:
    own = _report("model.dbt_down.stg", "model.dbt_down.gone"), private("stg", "dbt_down")
    found = extract_usage(read(tmp_path, manifest(*own, project="dbt_down")))
    assert (found.project, found.reads) == ("dbt_down", ())


def test_reads_are_sorted_and_stand_once(tmp_path) -> None:
    entries = (
        _report("model.dbt_up.orders", "model.dbt_up.orders", "model.dbt_up.customers"),
        reader("exposure", "a", ["model.dbt_up.orders"]),
        foreign("orders"),
        foreign("customers"),
    )
    found = extract_usage(read(tmp_path, manifest(*entries, project="dbt_down"))).reads
    assert list(found) == sorted(set(found))
    assert found[0] == Read(upstream="dbt_up", model="customers", version="", node=DOWN, via="ref")
    assert len(found) == 3


def _published(folder, *entries: Json) -> list[str]:
    whole = extract_usage(read(folder, manifest(*entries, foreign("orders"), project="dbt_down")))
    return [r.node for r in whole.published({"model.dbt_down.shown"}).reads]


def test_a_public_reader_is_published_by_its_name_and_a_private_one_is_not(tmp_path) -> None:
    reads = {"nodes": ["model.dbt_up.orders"]}
    shown, hidden = node("shown", "dbt_down", depends_on=reads), private("hidden", "dbt_down", depends_on=reads)
    board = reader("exposure", "board", ["model.dbt_up.orders"])
    names = _published(tmp_path, shown, hidden, board)
    assert names == sorted(names)
    assert len(names) == 3
    assert [name for name in names if not VEILED.fullmatch(name)] == ["model.dbt_down.shown"]
    assert not any(word in " ".join(names) for word in ("hidden", "board"))


def test_the_token_of_a_node_stays_when_others_come_and_go(tmp_path) -> None:
    reads = {"nodes": ["model.dbt_up.orders"]}
    one, other = (private(name, "dbt_down", depends_on=reads) for name in ("one", "other"))
    (alone,) = _published(tmp_path, one)
    assert {alone} < set(_published(tmp_path, one, other))
    assert _published(tmp_path, other) != [alone]


def test_what_is_extracted_keeps_its_names(tmp_path) -> None:
    """`mesh lineage` reads manifests at home and shows every name; the veil is for what is published."""
    assert _reads(tmp_path, _report("model.dbt_up.orders"), foreign("orders"))[0][3] == DOWN


def _columns(tmp_path: Path, **changes: object) -> tuple[str, ...]:
    """What a not_null test on the column ID of a source reads, with these changes."""
    marked = source("orders", "PROD.MARTS.ORDERS", mesh=MARK)
    told = {"column_name": '"ID"', "test_metadata": {"name": "not_null"}, "config": {}}
    test = reader("test", "not_null_orders", [marked["unique_id"]]) | told | changes
    (found,) = extract_usage(read(tmp_path, manifest(test, marked, project="dbt_down"))).reads
    return found.columns


def test_a_test_of_dbt_reads_the_column_that_it_tests(tmp_path: Path) -> None:
    assert _columns(tmp_path) == ("ID",)


@pytest.mark.parametrize(
    "changes",
    [
        {"test_metadata": {"name": "relationships"}},
        {"test_metadata": {"name": "not_null", "namespace": "dbt_utils"}},
        {"test_metadata": None},
        {"config": {"where": "amount > 0"}},
        {"column_name": None},
        {"depends_on": {"nodes": ["source.dbt_down.dbt_up.orders", "model.dbt_down.other"]}},
    ],
)
def test_of_whatever_else_every_column_is_said_to_be_read(tmp_path: Path, changes: Json) -> None:
    assert _columns(tmp_path, **changes) == EVERY
