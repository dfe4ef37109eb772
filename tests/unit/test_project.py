"""A project's folder and its last run: what dbt_project.yml and run_results.json say."""

import json
from pathlib import Path

import pytest

from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.project import ProjectFolder, read_project
from registry_tools.intake.run_results import read_failures


@pytest.fixture
def project(tmp_path: Path):
    def write(text: str, **environment: str) -> ProjectFolder:
        (tmp_path / "dbt_project.yml").write_text(text)
        return read_project(tmp_path, environment)

    return write


def test_a_project_has_dbts_own_defaults(project, tmp_path) -> None:
    found = project("name: dbt_up\n")
    assert (found.name, found.models) == ("dbt_up", tmp_path / "models")
    assert found.manifest == tmp_path / "target/manifest.json"
    assert found.run_results == tmp_path / "target/run_results.json"


def test_the_first_model_path_is_where_models_go(project, tmp_path) -> None:
    assert project("name: dbt_up\nmodel-paths: [marts, staging]\n").models == tmp_path / "marts"


@pytest.mark.parametrize(
    ("text", "environment", "target"),
    [
        ("target-path: out/dbt", {}, "out/dbt"),
        ("target-path: '{{ env_var(\"X\") }}'", {}, "target"),
        ("target-path: 1", {}, "target"),
        ("target-path: out", {"DBT_TARGET_PATH": "elsewhere"}, "elsewhere"),
        ("target-path: out", {"DBT_TARGET_PATH": "/srv/x"}, "/srv/x"),
        ("target-path: out", {"DBT_TARGET_PATH": ""}, "out"),
    ],
)
def test_the_target_is_where_dbt_writes(project, tmp_path, text: str, environment, target: str) -> None:
    assert project(f"name: dbt_up\n{text}\n", **environment).target == tmp_path / target


def test_other_keys_are_dbts_business_even_twice(project) -> None:
    assert project("name: dbt_up\nvars: {a: 1}\nvars: {a: 2}\nmodels: {dbt_up: {+schema: x}}\n").name == "dbt_up"


def test_a_folder_without_a_project_says_where_to_run(tmp_path) -> None:
    with pytest.raises(DocumentError, match="a dbt project is missing") as caught:
        read_project(tmp_path, {})
    assert "--project-dir" in caught.value.then


@pytest.mark.parametrize("text", ["x: 1", "name:", "name: [a]", "name: 1"])
def test_a_project_without_a_name_is_said(project, text: str) -> None:
    with pytest.raises(DocumentError, match="'name' is"):
        project(text)


@pytest.mark.parametrize("name", ["../up", "_edges", "a b", "con"])
def test_a_name_that_is_none_is_said_with_its_file(project, tmp_path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a project name") as caught:
        project(f"name: '{name}'\n")
    assert caught.value.where == str(tmp_path / "dbt_project.yml")


@pytest.mark.parametrize("paths", ["models", "[]", "[1]", "['/etc']", "['../up/models']", "['a/../../b']", "{a: b}"])
def test_models_stay_inside_the_project(project, paths: str) -> None:
    with pytest.raises(DocumentError, match="'model-paths' is"):
        project(f"name: dbt_up\nmodel-paths: {paths}\n")


# -- the last run -----------------------------------------------------------------------------------------------------


def _failures(folder: Path, content: object) -> tuple[str, ...]:
    path = folder / "run_results.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_failures(path)


def test_without_a_run_nothing_failed(tmp_path) -> None:
    assert read_failures(tmp_path / "run_results.json") == ()


@pytest.mark.parametrize("status", ["error", "fail", "runtime error", "partial success"])
def test_failed_nodes_are_named_in_order(tmp_path, status: str) -> None:
    results = [{"unique_id": uid, "status": status, "message": None} for uid in ("model.b", "model.a")]
    assert _failures(tmp_path, {"metadata": {}, "results": results}) == ("model.a", "model.b")


@pytest.mark.parametrize("status", ["success", "pass", "warn", "skipped", "no-op"])
def test_other_outcomes_are_no_failures(tmp_path, status: str) -> None:
    assert _failures(tmp_path, {"results": [{"unique_id": "model.a", "status": status}]}) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"results": {}}',
        b'{"results": [{}]}',
        b'{"results": [{"unique_id": "\xff", "status": "error"}]}',
        b'{"x": ' + b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_run_is_said(tmp_path, content: bytes) -> None:
    with pytest.raises(DocumentError, match="run_results") as caught:
        _failures(tmp_path, content)
    assert str(caught.value.where).startswith(str(tmp_path))
