"""Relation maps: which rule renames which database or schema, and what a mapped interface keeps."""

import json
import re
from pathlib import Path

import pytest
import yaml

from registry_tools.errors import DocumentError, UsageError
from registry_tools.mesh.relation_map import renamed, rule_for
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.publications import Registry
from registry_tools.settings import read_mesh
from registry_tools.tasks.sync_mesh import SyncRequest, sync_mesh
from tests.builders import interface, manifest, node, project_folder, public_model, publish


@pytest.mark.parametrize(
    ("name", "rules", "rule", "here"),
    [
        ("DBT_UP_PROD", {"DBT_UP_PROD": "SHARED"}, "DBT_UP_PROD", "SHARED"),
        ("DBT_UP_PROD", {"DBT_UP_*": "SHARED_*"}, "DBT_UP_*", "SHARED_PROD"),
        ("DBT_UP_PROD", {"*_PROD": "*"}, "*_PROD", "DBT_UP"),
        ("DBT_UP_PROD", {"DBT_*_PROD": "A_*_B"}, "DBT_*_PROD", "A_UP_B"),
        ("DBT_UP_PROD", {"*": "X_*"}, "*", "X_DBT_UP_PROD"),
        ("DBT_UP_PROD", {"DBT_UP_PROD*": "S*"}, "DBT_UP_PROD*", "S"),
        ("DBT_UP_PROD", {"DBT_*": "A_*", "DBT_UP_*": "B_*"}, "DBT_UP_*", "B_PROD"),
        ("DBT_UP_PROD", {"DBT_UP_PRO*": "A_*", "DBT_UP_PROD": "B"}, "DBT_UP_PROD", "B"),
        ("DBT_UP", {"DBT_*": "A_*", "*T_UP": "*_B"}, "DBT_*", "A_UP"),
        ("DBT_UP", {"*T_UP": "*_B", "DBT_*": "A_*"}, "*T_UP", "DB_B"),
        ("DBT_UP_PROD", {"dbt_up_*": "SHARED_*"}, None, "DBT_UP_PROD"),
        ("ABA", {"AB*BA": "X*"}, None, "ABA"),
        ("PROD", {}, None, "PROD"),
    ],
)
def test_the_rule_that_says_most_about_a_name_renames_it(name, rules, rule, here) -> None:
    assert (rule_for(name, rules), renamed(name, rules)) == (rule, here)


def test_a_model_that_no_rule_fits_stays_as_it_was_written() -> None:
    published = interface(public_model(relation_name="prod.marts.orders", database="prod", schema="marts"))
    assert published.mapped({"DEV": "SHARED"}, {"X": "Y"}) == published


def test_a_part_that_no_rule_fits_stays_as_it_was_written() -> None:
    published = interface(public_model(relation_name="prod.marts.orders", database="prod", schema="marts"))
    (model,) = published.mapped({"PROD": "shared"}, {}).models
    assert (model.relation_name, model.database, model.schema) == ("SHARED.MARTS.ORDERS", "SHARED", "marts")


def test_a_name_that_would_need_quotes_where_there_are_none_is_said() -> None:
    upstream = Upstream(name="dbt_up", databases={"PROD": "my-share"})
    with pytest.raises(UsageError, match=r"'my-share\.MARTS\.ORDERS' is not database\.schema\.identifier") as caught:
        upstream.seen(interface(public_model()))
    assert caught.value.where == "mesh.yml: databases and schemas of the upstream dbt_up"
    (model,) = upstream.seen(interface(public_model(relation_name='"PROD"."MARTS"."ORDERS"'))).models
    assert model.relation_name == '"my-share"."MARTS"."ORDERS"'


def test_two_models_that_would_have_one_relation_are_named() -> None:
    """dbt stops at the second of two stubs at one place, and sources would read one table for both."""
    there = interface(
        public_model(relation_name="PROD.MARTS.ORDERS"),
        public_model("old_orders", relation_name="ARCHIVE.MARTS.ORDERS"),
    )
    upstream = Upstream(name="dbt_up", databases={"PROD": "SHARED", "ARCHIVE": "SHARED"})
    with pytest.raises(
        UsageError, match=r"orders and old_orders of dbt_up would both be SHARED\.MARTS\.ORDERS"
    ) as caught:
        upstream.seen(there)
    assert caught.value.where == "mesh.yml: databases and schemas of the upstream dbt_up"
    apart = Upstream(name="dbt_up", databases={"PROD": "SHARED", "ARCHIVE": "SHARED"}, excluded=("old_*",))
    assert [model.relation_name for model in apart.seen(there).models] == ["SHARED.MARTS.ORDERS"]


def test_a_rule_that_fits_nothing_is_told_with_what_there_is() -> None:
    published = interface(public_model(), public_model("x", relation_name="dev.stage.x"))
    upstream = Upstream(name="dbt_up", databases={"PROD": "A", "PRDO": "B", "*": "C_*"}, schemas={"marts": "X"})
    assert list(upstream.idle(published)) == [
        "databases: PRDO fits no relation of dbt_up; it has DEV, PROD",
        "schemas: marts fits no relation of dbt_up; it has MARTS, STAGE",
    ]
    placeless = interface(public_model(relation_name="orders"))
    assert list(Upstream(name="dbt_up", databases={"*": "C_*"}).idle(placeless)) == [
        "databases: * fits no relation of dbt_up"
    ]


def test_the_environment_is_filled_in_where_it_is_asked_for() -> None:
    upstream = Upstream(name="dbt_up", databases={"DBT_UP_{ENV}": "S_{ENV}_*"}, schemas={"MARTS": "UP"})
    built = upstream.built_in("pr-12")
    assert (built.databases, built.schemas) == ({"DBT_UP_PR_12": "S_PR_12_*"}, {"MARTS": "UP"})
    assert built.built_in("prod") == built


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (
            "{PROD: 'SHARED; drop table x'}",
            "'projects.a.upstreams.b.databases.PROD': 'SHARED; drop table x' is not a name",
        ),
        ("{PROD: 'a.b'}", "'a.b' is not a name"),
        ("{PROD: ''}", "'' is not a name"),
        ("{PROD: }", "'' is not a name"),
        ("{PROD: '{{ x }}'}", "is not a name"),
        ("{PROD: '\"X\"'}", "is not a name"),
        ("{PROD: '1X'}", "'1X' is not a name"),
        ("{'PR OD': X}", "'PR OD' is not a name"),
        ("{'P*': X}", "'projects.a.upstreams.b.databases.P*' is 'X', which is no pattern of its kind"),
        ("{P: 'X*'}", "is 'X*', which is no pattern of its kind"),
        ("{'*P*': '*X*'}", "which is no pattern of its kind"),
        ("{'*': '*-'}", None),
        ("{'DBT_UP_{ENV}': '${WHERE}_{ENV}_*x'}", "which is no pattern of its kind"),
        ("{'DBT_UP_{ENV}': '${WHERE}_{ENV}'}", None),
        ("{P: '{env}'}", "'{env}' is not a name"),
        ("{P: 7}", "'projects.a.upstreams.b.databases.P' is 7, not text"),
    ],
)
def test_a_map_that_is_none_is_refused_with_its_place(tmp_path: Path, rules: str, says: str | None) -> None:
    path = tmp_path / "mesh.yml"
    path.write_text(f"version: 1\nprojects: {{a: {{upstreams: {{b: {{databases: {rules}}}}}}}}}\n")
    if says is None:
        assert read_mesh(path, {"WHERE": "EU"}).projects["a"].upstreams[0].databases
        return
    with pytest.raises(DocumentError, match=re.escape(says)) as caught:
        read_mesh(path, {"WHERE": "EU"})
    assert caught.value.where == str(path)


def test_sources_loom_files_and_state_all_show_the_mapped_relation(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, manifest(node("orders")))
    project = project_folder(tmp_path, "dbt_down")
    for way in ("sources", "loom"):
        upstream = Upstream(name="dbt_up", way=way, databases={"PR*": "{ENV}_*"}, schemas={"MARTS": "UP"})
        request = SyncRequest(project=project, environment="dev", reads=("prod",), upstreams=[upstream])
        (read,) = sync_mesh(request, registry).upstreams
        state = json.loads((project.path / "state/manifest.json").read_text())["nodes"]["model.dbt_up.orders"]
        assert state["relation_name"] == "DEV_OD.UP.ORDERS"
        assert read.published.models[0].relation_name == "PROD.MARTS.ORDERS"
        assert read.pin.digest == read.published.digest
        if way == "sources":
            (block,) = yaml.safe_load((project.path / "models/_mesh_dbt_up.yml").read_text())["sources"]
            assert (block["database"], block["schema"]) == ("DEV_OD", "UP")
    loom = json.loads((project.path / ".mesh/loom/dbt_up.json").read_text())["nodes"]["model.dbt_up.orders"]
    assert (loom["relation_name"], loom["database"], loom["schema"]) == ("DEV_OD.UP.ORDERS", "DEV_OD", "UP")
