"""Stubs: what is left to do before dbt reads them, and what would be built over upstream's tables."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from registry_tools.checks.package_setup import left_to_do, surplus

STUB = "mesh_stub_dbt_up"


def _left(
    materialized: Mapping[str, str] = MappingProxyType({}), *, listed: bool = True, installed: bool = True
) -> list[str]:
    return list(
        left_to_do("dbt_up", listed=listed, installed=installed, listing="packages.yml", materialized=materialized)
    )


def test_nothing_is_left_where_the_package_is_listed_and_installed() -> None:
    assert _left() == []


@pytest.mark.parametrize("installed", [True, False])
def test_a_package_that_is_not_listed_is_to_be_listed_and_installed(*, installed: bool) -> None:
    (step,) = _left(listed=False, installed=installed)
    assert step.startswith("add  - local: mesh_packages/dbt_up  to packages.yml")
    assert step.endswith("then dbt deps")


def test_a_package_that_is_listed_alone_is_to_be_installed() -> None:
    assert _left(installed=False) == ["run dbt deps"]


@pytest.mark.parametrize("materialized", [{"": "table"}, {"": STUB, "dbt_up": "view"}, {"dbt_up": "view"}])
def test_a_materialization_that_reaches_stubs_is_told_with_the_line_that_keeps_it_off(
    materialized: dict[str, str],
) -> None:
    (step,) = _left(materialized)
    given = materialized.get("dbt_up", "table")
    assert f"built as {given}" in step
    assert f"dbt_up: {{+materialized: {STUB}}}" in step


@pytest.mark.parametrize("materialized", [{"": "table", "dbt_up": STUB}, {"dbt_down": "table"}])
def test_a_materialization_that_reaches_no_stub_is_nobodys_concern(materialized: dict[str, str]) -> None:
    assert _left(materialized) == []


def test_a_package_of_ours_that_nobody_asks_for_is_told_and_others_are_not() -> None:
    listed = ["mesh_packages/gone", "mesh_packages/dbt_up", "../shared", "mesh_packages_old/x"]
    (line,) = surplus(listed, ["dbt_up"], "packages.yml")
    assert line == "packages.yml lists mesh_packages/gone, which nobody asks for: take it out and run dbt deps"
