"""Golden cases: each folder of tests/cases is a manifest and the files that consumers get from it.

`UPDATE_CASES=1 pytest tests/unit/test_cases.py` writes the expected files again; read the diff before committing it.
"""

import difflib
import os
from pathlib import Path

import jinja2
import msgspec
import pytest

from registry_tools.artifacts.loom import loom_manifest, unnamed
from registry_tools.artifacts.package import package_files
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.relation import quoting_of
from tests.builders import Json, sources_blocks, sources_text

FOLDER = Path(__file__).parent.parent / "cases"
CASES = sorted(path.parent for path in FOLDER.glob("*/manifest.json"))
BY_DBT = sorted((FOLDER / "by_dbt").glob("*.json"))


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture
def interface(case: Path) -> Interface:
    return extract_interface(read_manifest(case / "manifest.json"))


@pytest.fixture
def document(interface: Interface) -> Json:
    return {"sources": sources_blocks(interface)}


def _compare(expected: Path, text: str) -> None:
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(text, encoding="utf-8", newline="")
    before = expected.read_bytes().decode()
    diff = difflib.unified_diff(before.splitlines(), text.splitlines(), str(expected), "now", lineterm="")
    assert before == text, "\n".join(diff)


def _loom(interface: Interface) -> str:
    """The manifest for a consumer whose dbt quotes as its adapter does."""
    return loom_manifest(interface, quoting_of(interface.adapter, {})).decode()


def test_there_are_cases() -> None:
    assert len(CASES) >= 6


def test_the_sources_are_the_expected_ones(case: Path, interface: Interface) -> None:
    _compare(case / "expected_sources.yml", sources_text(interface))


def test_the_loom_manifest_is_the_expected_one(case: Path, interface: Interface) -> None:
    _compare(case / "expected_loom.json", _loom(interface))


def test_the_stubs_are_the_expected_ones(case: Path, interface: Interface) -> None:
    files = package_files(interface, quoting_of(interface.adapter, {}), tests=True)
    _compare(case / "expected_package.txt", "".join(f"--- {path}\n{text}" for path, text in files.items()))


def test_dbt_reads_the_very_text_that_upstream_wrote(interface: Interface, document: Json) -> None:
    """YAML first, then Jinja, as dbt does; versions have more tables, so models are looked for by their mark."""
    environment = jinja2.Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701  # dbt's own setting
    for block in document["sources"]:
        for table in block["tables"]:
            mark = table["config"]["meta"]["mesh"]
            versions = [m for m in interface.models if m.name == mark["model"]]
            model = next(m for m in versions if str(m.version) == str(mark.get("version")) or m.is_latest)
            rendered = environment.from_string(table.get("description", "")).render()
            assert rendered.endswith(model.description or "")


def test_every_public_model_is_a_table_and_every_table_is_there_once(interface: Interface, document: Json) -> None:
    names = [(block["name"], table["name"]) for block in document["sources"] for table in block["tables"]]
    assert len(names) == len(set(names))
    assert {name for _, name in names} >= {model.name for model in interface.models if model.is_latest}
    assert len(names) >= len(interface.models)


def test_the_text_depends_on_the_interface_alone(interface: Interface) -> None:
    later: Json = {"id": "20270101T000000Z-ffffffffffff", "n": 9, "published_at": "2027-01-01T00:00:00Z"}
    assert sources_text(interface) == sources_text(interface, **later)


def test_the_interface_survives_its_own_document(interface: Interface) -> None:
    read, _ = read_interface(msgspec.json.encode(interface.to_manifest({})))
    assert read == interface
    assert read.digest == interface.digest


def test_a_source_is_the_very_relation_that_upstream_has(interface: Interface, document: Json) -> None:
    """Put together as dbt does it: quotes of the adapter around what is quoted, and nothing else."""
    mark = "`" if interface.adapter in {"bigquery", "databricks", "spark"} else '"'
    relations = {(m.name, str(m.version)): m.relation_name for m in interface.models}
    latest = {m.name: m.relation_name for m in interface.models if m.is_latest}
    for block in document["sources"]:
        for table in block["tables"]:
            quoting = block.get("quoting", {}) | table.get("quoting", {})
            parts = {key: block[key] for key in ("database", "schema") if key in block}
            parts["identifier"] = table["identifier"]
            said = ".".join(f"{mark}{name}{mark}" if quoting.get(key) else name for key, name in parts.items())
            model = table["config"]["meta"]["mesh"]
            assert said == relations.get((model["model"], str(model.get("version"))), latest.get(model["model"]))


@pytest.mark.parametrize("dbt", BY_DBT, ids=[path.stem for path in BY_DBT])
def test_every_dbt_gives_the_same_interface(dbt: Path) -> None:
    """dbt 1.5 to 1.12 and v2 have parsed one project; all that may differ is what dbt 1.5 has no word for."""
    expected = extract_interface(read_manifest(BY_DBT[0].with_name("1_12.json")))
    if dbt.stem == "1_5":
        undated = tuple(msgspec.structs.replace(model, deprecation_date=None) for model in expected.models)
        expected = msgspec.structs.replace(expected, models=undated)
    found = extract_interface(read_manifest(dbt))
    assert found == expected
    assert found.digest == expected.digest


def test_every_dbt_is_there() -> None:
    assert {path.stem for path in BY_DBT} == {*(f"1_{minor}" for minor in (5, 7, 8, 9, 10, 11, 12)), "2_0"}


def test_the_loom_manifest_has_what_dbt_loom_reads(interface: Interface) -> None:
    """dbt-loom 0.9, manifests.ManifestNode: these keys, and parents that it can find."""
    nodes: Json = msgspec.json.decode(_loom(interface))["nodes"]
    needed = {"name", "package_name", "unique_id", "resource_type", "schema", "database", "relation_name", "access"}
    needed |= {"version", "latest_version", "deprecation_date", "depends_on", "config", "group"}
    lines = "".join(unnamed(interface, quoting_of(interface.adapter, {})))
    assert list(nodes) == [model.unique_id for model in interface.models if f".{model.label} is left out" not in lines]
    for unique_id, node in nodes.items():
        assert needed <= node.keys()
        assert (node["unique_id"], node["resource_type"], node["access"]) == (unique_id, "model", "public")
        assert node["package_name"] == interface.project
        assert set(node["depends_on"]["nodes"]) <= nodes.keys()
        assert "columns" not in node
