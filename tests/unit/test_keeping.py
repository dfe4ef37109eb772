"""Which public models lose the grants of their readers when dbt builds them anew."""

from pathlib import Path
from typing import Any

import pytest

from registry_tools.checks.keeping import lost_grants
from registry_tools.intake.copy_grants import read_keeping
from registry_tools.mesh.keeping import Keeping
from tests.builders import Json, manifest, node, private, read


def built(name: str, **config: Any) -> Json:
    version = config.pop("version", None)
    return node(name, version=version, config={"materialized": "table", "access": "public", "meta": {}} | config)


def warnings(folder: Path, *models: Json, adapter: str = "snowflake") -> list[str]:
    document = manifest(*models, metadata={"adapter_type": adapter})
    return [found.what for found in lost_grants(read_keeping(read(folder, document)))]


@pytest.mark.parametrize("materialized", ["table", "incremental", "view", "dynamic_table"])
def test_what_is_created_or_replaced_has_to_copy_its_grants(tmp_path: Path, materialized: str) -> None:
    careless = built("orders", materialized=materialized)
    assert warnings(tmp_path, careless) == ["orders loses its readers' grants whenever dbt replaces it"]
    assert warnings(tmp_path, built("orders", materialized=materialized, copy_grants=True)) == []


@pytest.mark.parametrize(
    ("materialized", "language"),
    [("table", "python"), ("incremental", "python"), ("interactive_table", "sql")],
)
def test_what_dbt_replaces_without_its_grants_whatever_the_config_has_is_told(
    tmp_path: Path, materialized: str, language: str
) -> None:
    model = built("scores", materialized=materialized, copy_grants=True) | {"language": language}
    (found,) = lost_grants(read_keeping(read(tmp_path, manifest(model))))
    assert found.what == "scores loses its readers' grants whenever dbt replaces it"
    assert found.then == "run mesh grants apply behind every build: dbt has no setting that keeps them"


def test_only_true_is_true(tmp_path: Path) -> None:
    for other in (False, None, "true", 1):
        assert len(warnings(tmp_path, built("orders", copy_grants=other))) == 1


def test_private_models_other_warehouses_and_what_is_never_replaced_are_left_alone(tmp_path: Path) -> None:
    assert warnings(tmp_path, private("stg"), built("odd", materialized="their_own")) == []
    assert warnings(tmp_path, built("orders"), adapter="bigquery") == []


def test_versions_are_named_and_many_are_counted(tmp_path: Path) -> None:
    versions = [built("orders", version=number) for number in (1, 2)]
    assert warnings(tmp_path, *versions) == [
        "orders.v1, orders.v2 lose their readers' grants whenever dbt replaces them"
    ]
    (found,) = lost_grants(Keeping(label=f"m{n}", materialized="table", copies=False) for n in range(7))
    assert found.what == "m0, m1, m2, m3, m4 and 2 more lose their readers' grants whenever dbt replaces them"
    assert (found.check, found.verdict) == ("copy-grants", "warning")
    assert found.then == "add +copy_grants: true below models: in dbt_project.yml and build again"
