"""`mesh render`: everything that mesh.yml describes, written where it belongs and held against it."""

import json
import shutil
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from registry_tools.cli.app import mesh
from tests.running import REPOSITORY

FOURTH: Final = """
  dbt_finance:
    path: dbt_finance
    owner: {team: Finance, contact: "#finance"}
    snowflake: {database: "DBT_FINANCE_{ENV}", warehouse: DBT_FINANCE_WH, role: DBT_FINANCE_ROLE}
    upstreams:
      dbt_up: {as: package}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(REPOSITORY / "mesh.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def render(*words: str) -> Result:
    return CliRunner().invoke(mesh, ["render", *words])


def test_what_stands_in_this_repository_is_what_mesh_yml_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    result = render("--check")
    assert (result.exit_code, result.output.splitlines()[1]) == (0, "  all files were up to date")


@pytest.mark.usefixtures("folder")
def test_everything_is_written_once() -> None:
    first = render()
    assert first.exit_code == 0
    assert first.output.startswith("✓ 10 files of 4 projects\n  written snowflake_setup/01_databases_and_")
    assert "  written aws_setup/mesh.auto.tfvars.json\n" in first.output
    assert "  written .github/workflows/dbt_up.yml\n" in first.output
    assert render().output == "✓ 10 files of 4 projects\n  all files were up to date\n"


def test_one_more_project_gets_its_part_of_everything(folder: Path) -> None:
    render()
    with (folder / "mesh.yml").open("a", encoding="utf-8") as file:
        file.write(FOURTH)
    assert len(FOURTH.strip().splitlines()) <= 10
    checked = render("--check")
    assert checked.exit_code == 1
    assert "warning: 8 files not as mesh.yml has it" in checked.stderr
    assert "would be written .github/workflows/dbt_finance.yml" in checked.stderr
    assert not (folder / ".github/workflows/dbt_finance.yml").exists()
    assert render().exit_code == 0
    texts = {path: path.read_text() for path in folder.rglob("*") if path.is_file() and path.name != "mesh.yml"}
    assert {path.name for path, text in texts.items() if "dbt_finance" in text.lower()} >= {
        "01_databases_and_warehouses.sql",
        "02_roles_and_users.sql",
        "03_service_identities.sql",
        "04_resource_monitors.sql",
        "profiles.yml",
        "mesh.auto.tfvars.json",
        "dbt_finance.yml",
    }


def test_what_is_rendered_no_longer_goes_and_what_a_person_wrote_stays(folder: Path) -> None:
    render()
    own = folder / ".github/workflows/ours.yml"
    own.write_text("name: ours\n")
    text = (folder / "mesh.yml").read_text()
    (folder / "mesh.yml").write_text(text[: text.index("  dbt_down_package:")])
    assert "  removed .github/workflows/dbt_down_package.yml\n" in render("workflows").output
    assert own.read_text() == "name: ours\n"


def test_a_file_of_a_person_is_left_alone(folder: Path) -> None:
    profiles = folder / "snowflake_setup/profiles.yml"
    profiles.parent.mkdir()
    profiles.write_text("mine: {}\n")
    result = CliRunner().invoke(mesh, ["snowflake", "render"])
    assert result.exit_code == 2
    assert "this file was not written by mesh render and is left alone" in result.stderr
    assert list(profiles.parent.iterdir()) == [profiles]


def test_a_part_is_rendered_alone(folder: Path) -> None:
    written = json.loads(render("terraform", "--format", "json").stdout)
    assert written == {"files": [{"path": "aws_setup/mesh.auto.tfvars.json", "action": "written"}]}
    assert not (folder / "snowflake_setup").exists()
    assert json.loads(render("snowflake", "--check", "--format", "json").stdout)["files"][0]["action"] == "written"
    assert CliRunner().invoke(mesh, ["snowflake", "render"]).exit_code == 0
    assert CliRunner().invoke(mesh, ["snowflake", "render", "--check"]).exit_code == 0


def test_an_unknown_part_and_a_missing_mesh_yml_are_said(folder: Path) -> None:
    assert "use one of snowflake, terraform, workflows" in render("sql").stderr
    (folder / "mesh.yml").unlink()
    result = render()
    assert (result.exit_code, "there is no mesh.yml here or above" in result.stderr) == (2, True)


def test_what_mesh_yml_says_nothing_of_is_left_out_unless_it_is_asked_for(folder: Path) -> None:
    lines = (folder / "mesh.yml").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("aws:", "github:"))]
    (folder / "mesh.yml").write_text("".join(kept).replace("identity: aws", "identity: key_pair"))
    assert render().output.startswith("✓ 5 files of 4 projects\n")
    assert {path.name for path in folder.iterdir()} == {"mesh.yml", "snowflake_setup"}
    assert "'aws' is missing" in render("terraform").stderr
