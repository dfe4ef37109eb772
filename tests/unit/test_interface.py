"""Interface: its digest is what readers rely on, its document is a manifest, and forged names do not pass."""

import msgspec
import pytest

from registry_tools.errors import UsageError
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.public_model import (
    Column,
    Config,
    Constraint,
    Contract,
    DependsOn,
    Owner,
    Promise,
    PublicModel,
)
from tests.builders import Json, interface, public_model, team

BASE = interface(public_model(group="core"), groups=(team(),))
RELIED_ON: Json = {
    "alias": "OTHER",
    "relation_name": "PROD.MARTS.OTHER",
    "database": "OTHER",
    "schema": "OTHER",
    "access": None,
    "description": "Another description.",
    "constraints": (Constraint(type="primary_key", columns=("id",)),),
    "contract": Contract(enforced=True),
    "config": Config(materialized="view", access="public"),
    "primary_key": ("id",),
    "group": None,
    "tags": ("daily",),
    "meta": {"pii": True},
    "latest_version": 2,
    "deprecation_date": "2027-01-01",
    "depends_on": DependsOn(nodes=("model.dbt_up.customers",)),
}
COLUMN: Json = {
    "description": "The key.",
    "data_type": "varchar",
    "constraints": (Constraint(type="not_null"),),
    "quote": True,
    "tags": ("key",),
    "meta": {"pii": True},
}


@pytest.mark.parametrize("field", RELIED_ON)
def test_the_digest_tells_a_change_of_a_model(field: str) -> None:
    assert interface(public_model(**{"group": "core", field: RELIED_ON[field]}), groups=(team(),)).digest != BASE.digest


@pytest.mark.parametrize("field", COLUMN)
def test_the_digest_tells_a_change_of_a_column(field: str) -> None:
    changed = Column(**{"name": "id", "data_type": "number", field: COLUMN[field]})
    other = interface(public_model(group="core", columns={"id": changed}), groups=(team(),))
    assert other.digest != BASE.digest


def test_every_field_of_a_model_and_a_column_is_held_against_the_digest() -> None:
    named = {"unique_id", "name", "package_name", "columns", "version"}
    assert set(PublicModel.__struct_fields__) == named | RELIED_ON.keys()
    assert set(Column.__struct_fields__) == {"name"} | COLUMN.keys()


@pytest.mark.parametrize(
    "other",
    [
        interface(groups=(team(),)),
        interface(public_model(group="core")),
        interface(public_model("customers", group="core"), groups=(team(),)),
        interface(public_model(group="core", version=1), groups=(team(),)),
        interface(public_model(group="core"), groups=(team(owner=Owner(name="Others")),)),
        interface(public_model(group="core"), groups=(team(),), adapter="postgres"),
        interface(public_model(group="core"), groups=(team(),), project="dbt_other"),
        interface(public_model(group="core", config=Config(mesh=Promise(tests={"id": ("unique",)}))), groups=(team(),)),
    ],
)
def test_the_digest_tells_everything_else(other: Interface) -> None:
    assert other.digest != BASE.digest


def test_the_digest_does_not_know_the_order_of_keys() -> None:
    one = public_model(meta={"a": 1, "b": {"c": 1, "d": 2}})
    same = public_model(meta={"b": {"d": 2, "c": 1}, "a": 1})
    assert interface(one).digest == interface(same).digest


def test_the_digest_stays_the_same_from_release_to_release() -> None:
    # a change here is a change of the published format: every consumer sees every upstream as changed
    assert BASE.digest == "0862b96f74e967dd73044bafaed7b63298956088b74239c1ad73798c367cf035"


def test_the_document_is_a_manifest_and_reads_back() -> None:
    document = BASE.to_manifest({"publication": "x"})
    assert document["metadata"]["dbt_schema_version"].endswith("/manifest/v12.json")
    assert document["nodes"]["model.dbt_up.orders"]["resource_type"] == "model"
    assert document["nodes"]["model.dbt_up.orders"]["fqn"] == ["dbt_up", "orders"]
    assert {"sources", "macros", "parent_map", "child_map", "unit_tests"} <= document.keys()
    read, facts = read_interface(msgspec.json.encode(document))
    assert read == BASE
    assert read.digest == BASE.digest
    assert facts == {"publication": "x"}


def test_keys_that_do_not_belong_to_the_interface_are_left_out_when_it_is_read() -> None:
    document = BASE.to_manifest({})
    document["nodes"]["model.dbt_up.orders"] |= {"raw_code": "select 1", "docs": {"show": True}}
    document["groups"]["group.dbt_up.core"]["owner"]["email"] = "ada@example.com"
    read, _ = read_interface(msgspec.json.encode(document))
    assert read == BASE


def test_versions_have_their_own_path_and_name() -> None:
    model = public_model("products", version=1, latest_version=2)
    node = interface(model).to_manifest({})["nodes"]["model.dbt_up.products.v1"]
    assert node["fqn"] == ["dbt_up", "products", "v1"]
    assert (model.label, model.is_latest) == ("products.v1", False)
    assert (public_model().label, public_model().is_latest) == ("orders", True)


@pytest.mark.parametrize(
    "model",
    [
        public_model(),
        public_model("products", version=2),
        public_model("products", version="2024_01"),
        public_model("products", version=1.5),
        public_model(relation_name=None),
    ],
)
def test_what_dbt_writes_passes_the_check(model: PublicModel) -> None:
    assert interface(model).checked().models == (model,)


@pytest.mark.parametrize(
    "changes",
    [
        {"unique_id": "model.dbt_up.customers"},
        {"unique_id": "model.dbt_other.orders"},
        {"unique_id": "seed.dbt_up.orders"},
        {"unique_id": "model.dbt_up.orders.v1"},
        {"unique_id": "model.dbt_up.orders\n"},
        {"package_name": "dbt_other"},
        {"name": "../orders", "unique_id": "model.dbt_up.../orders"},
        {"name": "{{ orders }}", "unique_id": "model.dbt_up.{{ orders }}"},
        {"version": "1/../..", "unique_id": "model.dbt_up.orders.v1/../.."},
        {"version": "{{ x }}", "unique_id": "model.dbt_up.orders.v{{ x }}"},
        {"relation_name": "a.b.c.d"},
        {"relation_name": "PROD.MARTS.x; drop table y"},
        {"relation_name": 'PROD.MARTS.""'},
        {"meta": {"mesh": {"freshness": {"warn_after": "soon"}}}},
        {"config": Config(mesh=Promise(tests={"id": ("relationships",)}))},
        {"config": Config(mesh=Promise(tests={"id": ("unique) }}{{ evil(",)}))},
    ],
)
def test_a_forged_model_does_not_pass_the_check(changes: Json) -> None:
    with pytest.raises((ValueError, UsageError)):
        interface(public_model(**changes)).checked()


@pytest.mark.parametrize("project", ["../dbt_up", "_edges", "dbt up", "dbt_up\n"])
def test_a_project_that_is_no_name_does_not_pass_the_check(project: str) -> None:
    with pytest.raises(UsageError, match="is not a project name"):
        interface(project=project).checked()


def test_the_same_model_twice_does_not_pass_the_check() -> None:
    with pytest.raises(ValueError, match=r"model\.dbt_up\.orders"):
        interface(public_model(), public_model()).checked()


def test_two_models_that_readers_would_call_by_one_name_do_not_pass_the_check() -> None:
    twins = public_model("products", version=2, latest_version=2), public_model("products_v2")
    with pytest.raises(ValueError, match="products_v2"):
        interface(*twins).checked()


def test_a_model_is_found_by_its_unique_id() -> None:
    assert BASE.find("model.dbt_up.orders") is BASE.models[0]
    assert BASE.find("model.dbt_up.gone") is None


def test_the_owner_is_the_team_else_the_group_else_nobody() -> None:
    assert BASE.owner_of(BASE.models[0]) == "Core Data"
    assert interface(groups=(team(owner=Owner()),)).owner_of(public_model(group="core")) == "core"
    assert interface().owner_of(public_model(group="core")) == "core"
    assert interface().owner_of(public_model()) is None


def test_an_interface_is_seen_from_an_account_with_other_names() -> None:
    seen = BASE.mapped({"PROD": "SHARED"}, {"MARTS": "UP"}).models[0]
    assert (seen.relation_name, seen.database, seen.schema) == ("SHARED.UP.ORDERS", "SHARED", "UP")
    assert BASE.mapped({}, {}) is BASE


def test_a_relation_without_database_is_mapped_without_one() -> None:
    seen = interface(public_model(relation_name="ORDERS")).mapped({"PROD": "SHARED"}, {}).models[0]
    assert (seen.relation_name, seen.database, seen.schema) == ("ORDERS", None, None)


@pytest.mark.parametrize(
    ("written", "dated"),
    [
        ("2027-01-01", True),
        ("2027-01-01T00:00:00+00:00", True),
        (None, False),
        ("soon", False),
        ("20270101", False),
        ("2027-W01-1", False),
    ],
)
def test_a_deprecation_date_is_one_that_dbt_reads(written: str | None, *, dated: bool) -> None:
    assert public_model(deprecation_date=written).is_dated is dated
