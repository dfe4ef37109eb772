"""Tracing lineage: every project's manifest in, one graph and its differences to mesh.yml out."""

import pytest

from registry_tools.errors import DocumentError
from registry_tools.tasks.trace_lineage import Traced, trace_lineage
from tests.builders import Json, foreign, manifest, node, private, project_folder, reader, source

UP = manifest(node("orders", relation_name="PROD.MARTS.ORDERS"), node("products"))
MARK = {"project": "dbt_up", "model": "products"}


@pytest.fixture
def trace(tmp_path):
    """The lineage of dbt_up and of a dbt_down with these entries and declared upstreams."""

    def run(*entries: Json, declared: tuple[str, ...] = ("dbt_up",)) -> Traced:
        down = manifest(*entries, project="dbt_down")
        projects = [
            (name, project_folder(tmp_path, name, document).path, says)
            for name, document, says in (("dbt_up", UP, ()), ("dbt_down", down, declared))
        ]
        return trace_lineage(projects, {})

    return run


def test_sources_and_refs_are_one_graph(trace) -> None:
    by_hand, marked = source("orders", "prod.marts.orders"), source("products", "PROD.MARTS.products", mesh=MARK)
    report = private("report", "dbt_down", depends_on={"nodes": [by_hand["unique_id"], marked["unique_id"]]})
    board = reader("exposure", "board", ["model.dbt_up.orders"])
    traced = trace(by_hand, marked, report, board, foreign("orders"))
    assert [(p, r.model, r.node, r.via) for p, r in traced.lineage.reads()] == [
        ("dbt_down", "orders", "exposure.dbt_down.board", "ref"),
        ("dbt_down", "orders", "model.dbt_down.report", "source"),
        ("dbt_down", "products", "model.dbt_down.report", "source"),
    ]
    assert [member.project for member in traced.lineage.members] == ["dbt_up", "dbt_down"]
    assert traced.findings == ()


@pytest.mark.parametrize(
    ("model", "declared", "rule"),
    [(None, ("dbt_up",), "declared-unused"), ("orders", (), "used-undeclared"), ("gone", ("dbt_up",), "unknown-model")],
)
def test_every_difference_is_found(trace, model: str | None, declared: tuple[str, ...], rule: str) -> None:
    entries = [foreign(model), reader("exposure", "x", [f"model.dbt_up.{model}"])] if model else []
    assert [finding.rule for finding in trace(*entries, declared=declared).findings] == [rule]


def test_a_project_that_was_not_built_is_said(tmp_path) -> None:
    with pytest.raises(DocumentError, match="the dbt manifest is missing"):
        trace_lineage([("dbt_up", project_folder(tmp_path, "dbt_up").path, ())], {})


def test_a_folder_of_another_project_is_said(tmp_path) -> None:
    folder = project_folder(tmp_path, "dbt_up", UP).path
    with pytest.raises(DocumentError, match="this is the manifest of dbt_up, not of dbt_other") as caught:
        trace_lineage([("dbt_other", folder, ())], {})
    assert "mesh.yml" in caught.value.then
