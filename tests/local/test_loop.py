"""The demo's loop where something goes wrong, and the copy that it works on."""

import subprocess
import sys
from pathlib import Path

import pytest

from registry_tools.errors import UsageError
from registry_tools.local.loop import Step, StepResult, run_loop, upstream_first
from registry_tools.local.workspace import copy_mesh
from registry_tools.mesh.upstream import Upstream
from registry_tools.settings import Mesh, Project


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[Step] = []
        self.ended: list[StepResult] = []

    def started(self, step: Step) -> None:
        self.begun.append(step)

    def finished(self, result: StepResult) -> None:
        self.ended.append(result)


def project(root: Path, name: str, *upstreams: str) -> Project:
    return Project(name=name, path=root / name, upstreams=tuple(Upstream(name=upstream) for upstream in upstreams))


def mesh_of(root: Path, *projects: Project) -> Mesh:
    return Mesh(file=root / "mesh.yml", projects={each.name: each for each in projects})


def test_projects_come_after_their_upstreams(tmp_path: Path) -> None:
    mesh = mesh_of(tmp_path, project(tmp_path, "c", "b", "a"), project(tmp_path, "b", "a"), project(tmp_path, "a"))
    assert [each.name for each in upstream_first(mesh)] == ["a", "b", "c"]


def test_projects_that_read_each_other_in_a_circle_are_named(tmp_path: Path) -> None:
    mesh = mesh_of(tmp_path, project(tmp_path, "a", "b"), project(tmp_path, "b", "a"), project(tmp_path, "c"))
    with pytest.raises(UsageError, match="a, b read each other in a circle"):
        upstream_first(mesh)


def test_a_step_that_fails_ends_its_project_and_keeps_its_consumers_from_beginning(tmp_path: Path) -> None:
    mesh = mesh_of(
        tmp_path, project(tmp_path, "up"), project(tmp_path, "down", "up"), project(tmp_path, "last", "down")
    )
    for each in mesh.projects.values():
        each.path.mkdir()  # and no dbt_project.yml in it
    listener = Listener()
    results = run_loop(mesh, {}, listener)
    assert [str(step) for step in listener.begun] == ["sync_mesh --env prod"]
    assert listener.ended == results
    [failed] = results
    assert failed.step.project == "up"
    assert failed.code == 2
    assert any("a dbt project is missing" in line for line in failed.lines)


def test_a_copy_needs_a_mesh_and_the_folders_that_it_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"needs a mesh\.yml"):
        copy_mesh(Mesh(file=None), tmp_path / "copy")
    (tmp_path / "mesh.yml").write_text("version: 1\n")
    with pytest.raises(UsageError, match="snowflake_setup is not there"):
        copy_mesh(mesh_of(tmp_path, project(tmp_path, "up")), tmp_path / "copy")


def test_the_demo_outside_of_a_mesh_says_where_to_run_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "registry_tools", "demo"]
    run = subprocess.run(words, cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False)
    assert run.returncode == 2
    assert "the demo needs a mesh.yml" in run.stderr
    assert "next: run it in a checkout" in run.stderr
