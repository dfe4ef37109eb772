"""Stubs: an upstream's public models as models that nobody builds, where upstream has them."""

from collections.abc import Mapping

import pytest
import yaml

from registry_tools.artifacts.package import package_files
from registry_tools.mesh.public_model import Column, Config, Constraint, Promise, PublicModel
from registry_tools.mesh.relation import quoting_of
from tests.builders import Json, interface, public_model, team

BARE = quoting_of("snowflake", {})


def _files(*models: PublicModel, quoting: Mapping[str, bool] = BARE, tests: bool = False) -> dict[str, str]:
    return package_files(interface(*models, groups=(team(),)), quoting, tests=tests)


def _properties(*models: PublicModel, tests: bool = False) -> Json:
    """What the YAML of the first model says."""
    (entry,) = yaml.safe_load(_files(*models, tests=tests)[f"models/{models[0].name}.yml"])["models"]
    assert isinstance(entry, dict)
    return entry


def test_a_model_is_two_files_and_its_versions_share_one() -> None:
    products = [public_model("products", version=v, latest_version=2) for v in (1, 2)]
    names = {name for name in _files(public_model(), *products) if name.startswith("models/")}
    stubs = {"models/orders.sql", "models/products_v1.sql", "models/products_v2.sql"}
    assert names == {*stubs, "models/orders.yml", "models/products.yml", "models/groups/groups.yml"}


def test_a_latest_version_that_is_not_public_is_disabled_and_nobody_gets_another_for_it() -> None:
    files = _files(public_model("products", version=1, latest_version=2))
    (family,) = yaml.safe_load(files["models/products.yml"])["models"]
    assert family["latest_version"] == 2
    assert [(v["v"], v["config"].get("enabled", True)) for v in family["versions"]] == [(1, True), (2, False)]
    assert "mesh_relation" not in files["models/products_v2.sql"]


@pytest.mark.parametrize(
    ("relation", "quoting", "written"),
    [
        ("PROD.MARTS.ORDERS", BARE, "'database': 'PROD', 'schema': 'MARTS', 'identifier': 'ORDERS'"),
        ('PROD.MARTS."ord ers"', BARE, "'identifier': '\"ord ers\"'"),
        ('PROD.MARTS."ord ers"', dict.fromkeys(BARE, True), "'identifier': 'ord ers'"),
        ("MARTS.ORDERS", BARE, "'database': '', 'schema': 'MARTS'"),
        ('PROD.MARTS."a\'b"', BARE, "{%- set place = "),
        ('PROD.MARTS."{{ x }}"', BARE, '"\\"\\u007b\\u007b x \\u007d\\u007d\\""'),
        ('PROD.MARTS."a\\b"', BARE, '"\\"a\\\\b\\""'),
    ],
)
def test_the_place_stands_in_the_sql_as_dbt_writes_it(relation: str, quoting: dict[str, bool], written: str) -> None:
    assert written in _files(public_model(relation_name=relation), quoting=quoting)["models/orders.sql"]


def test_a_stub_says_what_upstream_promises() -> None:
    model = public_model(
        description="All orders.",
        group="core",
        tags=("daily",),
        deprecation_date="2027-01-01T00:00:00+00:00",
        constraints=(Constraint(type="primary_key", columns=("id",)), Constraint(type="check")),
        columns={"id": Column(name="id", data_type="number", constraints=(Constraint(type="not_null"),))},
        config=Config(mesh=Promise(tests={"id": ("unique",)})),
    )
    entry = _properties(model, tests=True)
    assert entry["description"] == "orders is deprecated and leaves on 2027-01-01.\n\nAll orders."
    assert entry["deprecation_date"] == "2027-01-01"
    assert (entry["config"]["group"], entry["config"]["tags"]) == ("core", ["daily"])
    assert entry["constraints"] == [{"type": "primary_key", "columns": ["id"]}]
    (column,) = entry["columns"]
    assert column["constraints"] == [{"type": "not_null"}]
    assert column["data_tests"] == ["unique"]
    assert "data_tests" not in _properties(model)["columns"][0]


@pytest.mark.parametrize("group", [None, "elsewhere"])
def test_a_group_that_upstream_does_not_publish_is_not_named(group: str | None) -> None:
    assert "group" not in _properties(public_model(group=group))["config"]
