"""Where a project's YAML declares its models and columns, and what is left out where that cannot be found."""

from pathlib import Path
from typing import Any

import pytest

from registry_tools.intake.declared import declared_places
from registry_tools.mesh.use import Place
from tests.builders import manifest, node, read

YML = """
models:
  - name: orders
    columns:
      - {name: id}
      - description: without a name
    versions:
      - v: 1
        columns: [{name: old}]
      - v: 2
        columns:
          - include: all
          - name: new
  - name: others
"""


def places(folder: Path, text: str | None = YML, *labels: str, **changes: Any) -> dict[str, str]:
    """The places of these labels in a project whose models.yml has this text, as people read them."""
    if text is not None:
        (folder / "models.yml").write_bytes(text.encode())
    document = manifest(node("orders", patch_path="dbt_up://models.yml", **changes))
    found = declared_places(read(folder, document), folder, labels or ("orders",))
    return {name: str(place) for name, place in found.items()}


def test_a_model_and_its_columns_stand_on_their_lines(tmp_path: Path) -> None:
    assert places(tmp_path) == {"orders": "models.yml:3", "orders.id": "models.yml:5"}


def test_a_version_has_its_own_columns_beside_those_of_all(tmp_path: Path) -> None:
    found = places(tmp_path, YML, "orders.v2", version=2)
    assert found == {"orders.v2": "models.yml:3", "orders.v2.id": "models.yml:5", "orders.v2.new": "models.yml:13"}


def test_what_is_not_asked_about_is_not_looked_for(tmp_path: Path) -> None:
    assert places(tmp_path, YML, "customers") == {}


def test_a_model_without_yaml_stands_in_its_file(tmp_path: Path) -> None:
    found = declared_places(read(tmp_path, manifest(node("orders"))), tmp_path, {"orders"})
    assert found == {"orders": Place(path="models/marts/orders.sql")}


@pytest.mark.parametrize(
    "text", [None, "models: [", "models: {}", "- 1", "models:\n  - name: [1]\n", "\x00", "models: orders"]
)
def test_what_is_no_yaml_of_models_is_named_without_a_line(tmp_path: Path, text: str | None) -> None:
    assert places(tmp_path, text) == {"orders": "models.yml"}
