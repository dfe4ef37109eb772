"""`mesh terraform-vars`: written where Terraform reads it, and held against mesh.yml by --check."""

import json

import pytest

from registry_tools.artifacts.terraform_vars import PATH
from tests.cli.conftest import Commands, assert_refused
from tests.unit.test_terraform_vars import GITHUB, PROD, TERMS, project


@pytest.fixture
def described(commands: Commands) -> Commands:
    (commands.root / "mesh.yml").write_text(f"version: 1\n{PROD}{TERMS}{GITHUB}projects:\n{project('mini')}")
    return commands


def test_it_is_written_beside_mesh_yml_and_then_up_to_date(
    described: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(described.up)
    written = described.run("terraform-vars")
    assert (written.exit_code, written.stdout) == (0, f"✓ ../{PATH}: 1 project\n")
    assert set(json.loads((described.root / PATH).read_text())["projects"]) == {"mini"}
    before = described.snapshot()
    again = described.run("terraform-vars")
    assert (again.exit_code, again.stdout) == (0, f"✓ ../{PATH}: 1 project\n  it was up to date\n")
    assert described.run("terraform-vars", "--check").exit_code == 0
    assert described.snapshot() == before


def test_a_project_more_is_drift_until_it_is_written(described: Commands) -> None:
    assert described.run("terraform-vars").exit_code == 0
    mesh = described.root / "mesh.yml"
    mesh.write_text(mesh.read_text() + project("reader", "mini"))
    before = described.snapshot()
    drift = described.run("terraform-vars", "--check")
    assert drift.exit_code == 1
    assert f"{PATH} is not as mesh.yml has it" in drift.output
    assert "next: mesh terraform-vars, and commit" in drift.output
    assert described.snapshot() == before
    assert described.run("terraform-vars").exit_code == 0
    found = json.loads((described.root / PATH).read_text())["projects"]
    assert (found["mini"]["consumers"], found["reader"]["role"]) == (["reader"], "dbt-mesh-reader")


@pytest.mark.parametrize("flag", ["--output", "-o"])
def test_it_can_be_written_elsewhere(described: Commands, flag: str) -> None:
    assert described.run("terraform-vars", flag, "infra/mesh.tfvars.json").exit_code == 0
    assert (described.root / "infra/mesh.tfvars.json").is_file()
    assert not (described.root / PATH).exists()


def test_without_an_aws_account_nothing_is_written(described: Commands) -> None:
    mesh = described.root / "mesh.yml"
    mesh.write_text(mesh.read_text().replace(TERMS, ""))
    then = 'next: write aws: {account: "123456789012"'
    assert_refused(described, 2, "'aws' is missing", then, words=["terraform-vars"])
