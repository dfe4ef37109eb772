"""Who may read a public model: what its meta says, what a project gets of it, and how a change of it is judged."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from registry_tools.checks.comparison import compare
from registry_tools.errors import DocumentError, UsageError
from registry_tools.mesh.audience import Audience, audience_of, replacement_of
from registry_tools.mesh.change import RULES
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Constraint
from tests.builders import Json, group, interface_of, node, public_model
from tests.builders import interface as interface_with


def extracted(*entries: Json) -> Interface:
    """The interface of a manifest with these entries."""
    with TemporaryDirectory() as folder:
        return interface_of(Path(folder), *entries)


def of(*consumers: Any) -> Json:
    return {"mesh": {"consumers": list(consumers)}}


def only(*consumers: str, **more: Any) -> Json:
    """A public model that these may read."""
    return {"meta": of(*consumers), **more}


@pytest.mark.parametrize("meta", [{}, {"mesh": {}}, {"mesh": []}, {"mesh": {"freshness": 1}}, {"consumers": []}])
def test_without_a_list_everybody_may_read(meta: Json) -> None:
    assert audience_of(meta) is None


def test_a_list_names_projects_and_groups_of_projects() -> None:
    audience = audience_of(of("dbt_down", "dbt_finance.ledger_group", "dbt_finance.Audit 1.2"))
    assert audience == Audience(
        projects=frozenset({"dbt_down"}),
        groups=frozenset({("dbt_finance", "ledger_group"), ("dbt_finance", "Audit 1.2")}),
    )
    assert [audience.admits(name) for name in ("dbt_down", "dbt_finance", "dbt_dow")] == [True, True, False]
    assert audience.groups_of("dbt_down") is None
    assert audience.groups_of("dbt_finance") == frozenset({"ledger_group", "Audit 1.2"})
    assert audience.groups_of("dbt_other") == frozenset()


def test_an_empty_list_is_nobody() -> None:
    audience = audience_of(of())
    assert audience is not None
    assert not audience.admits("dbt_down")


@pytest.mark.parametrize(
    "stated",
    [None, "dbt_down", {"dbt_down": None}, [1], [None], ["../x"], [""], [".g"], ["a.{{ g }}"], ["a."], [["a"]]],
)
def test_a_list_that_is_not_understood_lets_nobody_publish(stated: Any) -> None:
    with pytest.raises((ValueError, UsageError), match=r"consumers|is not a"):
        audience_of({"mesh": {"consumers": stated}})
    with pytest.raises(DocumentError):
        extracted(node("orders", meta={"mesh": {"consumers": stated}}))


@pytest.mark.parametrize("stated", [1, ["a"], "{{ a }}", ""])
def test_a_replacement_is_a_models_name(stated: Any) -> None:
    assert replacement_of({"mesh": {"replaced_by": "orders_2"}}) == "orders_2"
    with pytest.raises((ValueError, UsageError), match=r"replaced_by|is not a model name"):
        replacement_of({"mesh": {"replaced_by": stated}})
    with pytest.raises(DocumentError):
        extracted(node("orders", meta={"mesh": {"replaced_by": stated}}))


@pytest.mark.parametrize(
    "places",
    [
        {"meta": of("dbt_down")},
        {"config": {"meta": of("dbt_down")}},
        {"meta": {"owner": "x"}, "config": {"meta": of("dbt_down")}},
        {"meta": {"mesh": {"freshness": {}}}, "config": {"meta": of("dbt_down")}},
        {"meta": of("dbt_down"), "config": {"meta": of("dbt_other")}},
    ],
)
def test_the_list_is_found_where_dbt_writes_it(places: Json) -> None:
    (model,) = extracted(node("orders", **places)).models
    assert model.admits("dbt_down")
    assert model.admits("dbt_up")
    assert not model.admits("dbt_other")


# -- what a project gets ----------------------------------------------------------------------------------------------


@pytest.fixture
def interface() -> Interface:
    """open -> ledger (dbt_down) -> audit (nobody) -> report, which points at ledger and open."""
    keys = [{"type": "foreign_key", "columns": ["id"], "to": f"PROD.MARTS.{name}"} for name in ("ledger", "open")]
    return extracted(
        node("open", group="plain"),
        node("ledger", **only("dbt_down", group="secret"), depends_on={"nodes": ["model.dbt_up.open"]}),
        node("audit", **only(), depends_on={"nodes": ["model.dbt_up.ledger"]}),
        node(
            "report",
            depends_on={"nodes": ["model.dbt_up.audit", "model.dbt_up.open"]},
            constraints=[*keys, {"type": "primary_key", "columns": ["id"]}],
            columns={"id": {"name": "id", "constraints": [{"type": "foreign_key", "to": "prod.marts.ledger"}]}},
        ),
        group("plain"),
        group("secret"),
    )


def test_a_project_gets_what_it_may_read_and_nothing_names_the_rest(interface: Interface) -> None:
    granted, withheld = interface.granted_to("dbt_other")
    assert [model.label for model in granted.models] == ["open", "report"]
    assert [(each.model.label, each.owner) for each in withheld] == [("audit", None), ("ledger", "Core Data")]
    report = granted.find("model.dbt_up.report")
    assert report is not None
    assert report.depends_on.nodes == ("model.dbt_up.open",)
    assert [constraint.to or constraint.type for constraint in report.constraints] == ["PROD.MARTS.open", "primary_key"]
    assert report.columns["id"].constraints == ()
    assert [each.name for each in granted.groups] == ["plain"]
    assert "ledger" not in str(granted).lower()
    assert "audit" not in str(granted).lower()


def test_who_is_listed_gets_it_and_lineage_goes_on_where_something_is_left(interface: Interface) -> None:
    granted, withheld = interface.granted_to("dbt_down")
    assert [each.model.label for each in withheld] == ["audit"]
    report = granted.find("model.dbt_up.report")
    assert report is not None
    assert report.depends_on.nodes == ("model.dbt_up.ledger", "model.dbt_up.open")
    assert len(report.constraints) == 3


def test_the_owner_and_the_reader_of_what_is_open_get_the_same_interface(interface: Interface) -> None:
    assert interface.granted_to("dbt_up") == (interface, ())
    everything = extracted(node("open"))
    assert everything.granted_to("dbt_other") == (everything, ())


def test_a_key_that_leads_to_no_relation_is_not_vouched_for() -> None:
    odd = Constraint(type="foreign_key", to='a."b')
    changed = interface_with(public_model("open", constraints=(odd,)), public_model("ledger", meta=of()))
    granted, _ = changed.granted_to("dbt_other")
    assert granted.models[0].constraints == ()


# -- a change of it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (None, [], "narrowed"),
        (None, ["a"], "narrowed"),
        ([], None, "widened"),
        ([], ["a"], "widened"),
        (["a"], ["b"], "narrowed"),
        (["a"], ["a", "b"], "widened"),
        (["a"], ["a.g"], "narrowed"),
        (["a.g"], ["a"], "widened"),
        (["a", "b"], ["b"], "narrowed"),
        (["a", "b"], ["b", "a"], "widened"),
    ],
)
def test_only_a_list_that_shuts_somebody_out_is_a_breaking_change(
    old: list[str] | None, new: list[str] | None, rule: str
) -> None:
    before, after = (extracted(node("orders", meta={} if stated is None else of(*stated))) for stated in (old, new))
    (change,) = compare(before, after)
    assert change.rule == f"consumers-{rule}"
    assert bool(RULES[change.rule].codes) == (rule == "narrowed")
    assert change.before != change.after
    assert compare(before, before) == ()


def test_the_rest_of_the_meta_is_told_apart() -> None:
    before = extracted(node("orders", meta=of("a") | {"x": 1}))
    after = extracted(node("orders", meta={"mesh": {"consumers": ["a", "b"], "note": 1}, "x": 2}))
    assert {change.rule for change in compare(before, after)} == {"consumers-widened", "meta-changed"}
