"""What docs/setup.md says of projects of one's own: the four are taken out, others put in, and everything is theirs."""

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner

from registry_tools.cli.app import load, mesh
from registry_tools.local.pull_requests import pull_requests
from tests.running import REPOSITORY

PAGE: Final = (REPOSITORY / "docs/setup.md").read_text()
WORKFLOWS: Final = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
MESH: Final = """\
version: 1
registry: s3://globex-mesh/registry
environments: {prod: {}, staging: {}, ci: {}, dev: {}}
snowflake: {identity: key_pair}
aws: {account: "210987654321", region: us-east-2, bucket: globex-mesh}
github: {repository: Globex/Data-Platform}
projects:
  sales_core:
    path: projects/sales_core
    snowflake: {database: "SALES_{ENV}", warehouse: SALES_WH, role: SALES_RL, developers: [HANK]}
  Finance_Reporting:
    path: projects/Finance-Reporting
    snowflake: {database: "FIN_{ENV}", warehouse: FIN_WH, role: FIN_RL}
    upstreams: {sales_core: {as: sources}}
  web:
    path: projects/web
    snowflake: {database: "WEB_{ENV}", warehouse: WEB_WH, role: WEB_RL}
    upstreams: {sales_core: {as: package}, Finance_Reporting: {as: package}}
"""
OURS: Final = re.compile(r"dbt_(up|down)|dbt-(up|down)", re.IGNORECASE)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is set up with, without the four projects, and with a mesh of somebody else."""
    root = tmp_path_factory.mktemp("copied") / "data-platform"
    for name in (".github", "aws_setup", "examples", "snowflake_setup"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns(".terraform*"))
    for path in taken_out():
        found = root / path
        (shutil.rmtree if found.is_dir() else Path.unlink)(found) if found.exists() else None
    (root / "mesh.yml").write_text(MESH)
    return root


def taken_out() -> list[str]:
    (line,) = re.findall(r"^\$ git rm -r --quiet (.*)$", PAGE, re.MULTILINE)
    return shlex.split(line)


def run(*words: str) -> str:
    ran = CliRunner().invoke(mesh, words, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


def strings(document: Any) -> Iterator[str]:
    """Every text of a document, what describes it left out."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from strings(value) if key != "description" else ()
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
    else:
        yield str(document)


def test_what_is_taken_out_is_there_and_the_macro_too() -> None:
    assert [path for path in taken_out() if not (REPOSITORY / path).exists()] == []
    (macro,) = re.findall(r"^\$ cp (\S+) \.$", PAGE, re.MULTILINE)
    assert (REPOSITORY / macro).is_file()


def test_everything_that_is_rendered_is_of_the_projects_that_there_are(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied)
    assert "3 projects" in run("render")
    run("render", "--check")
    assert "would change an empty account" in run("snowflake", "plan", "--from-nothing")
    run("snowflake", "check")
    files = [*(copied / "snowflake_setup").glob("*.[sy]*l"), *(copied / "aws_setup").glob("*.json")]
    assert len(files) > 5
    assert [file.name for file in files if OURS.search(file.read_text())] == []
    for workflow in (copied / ".github/workflows").glob("*.yml"):
        assert not [text for text in strings(yaml.safe_load(workflow.read_text())) if OURS.search(text)], workflow.name
    assert pull_requests(copied) == ()


def test_no_workflow_that_is_left_needs_what_was_taken_out(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied)
    run("render")
    gone = re.compile("|".join([rf"\b{re.escape(path)}\b" for path in taken_out()]) + r"|\bmake\b|\.ci/")
    left = sorted((copied / ".github").rglob("*.yml"))
    assert len(left) > 8
    for file in left:
        for text in strings(yaml.safe_load(file.read_text())):
            assert not gone.search(text), (file.name, text)
            called = text.removeprefix("$/") if text.startswith("$/") else ""
            assert (copied / called).exists(), (file.name, text)


def test_what_is_left_can_be_installed() -> None:
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    project = document["project"]
    needed = {project["readme"], *project["license-files"], "registry_tools", ".github/actions", "uv.lock", "Makefile"}
    assert not needed & set(taken_out())
    assert "force-include" not in str(document["tool"].get("hatch", {}))


def test_files_of_upstreams_are_ignored_in_every_folder() -> None:
    """With a slash before its end, a line of .gitignore is about the folder in which .gitignore is."""
    ignored = (REPOSITORY / ".gitignore").read_text().split("\n")
    assert {"_mesh_*.yml", "mesh_packages/", "state/", "dbt_loom.config.yml"} <= set(ignored)


# -- the switches -----------------------------------------------------------------------------------------------------


def test_every_variable_and_secret_that_is_set_is_read_by_a_workflow_and_the_other_way_round() -> None:
    pages = "\n".join(page.read_text() for page in sorted((REPOSITORY / "docs").glob("*.md")))
    texts = [workflow.read_text() for workflow in (*WORKFLOWS, *(REPOSITORY / "examples").rglob("*.yml"))]
    kinds = {"variable": "vars", "secret": "secrets"}
    told = {(kinds[kind], name) for kind, name in re.findall(r"gh (variable|secret) set (\w+)", pages)}
    told |= {("vars", name) for name in re.findall(r"\bvars\.([A-Z]\w+)", pages)}
    read = {found for text in texts for found in re.findall(r"\b(vars|secrets)\.([A-Z]\w+)", text)}
    # what stands in `with:` of every rendered workflow, and is asked for only where somebody writes his own
    read -= {("vars", "DBT_MESH_REGISTRY"), ("vars", "AWS_PULL_REQUEST_ROLE_ARN")}
    assert told == read


def test_the_environments_are_made_before_anything_trusts_them() -> None:
    made, trusted, secret = (PAGE.index(text) for text in ("/environments/", "terraform apply setup", "gh secret set"))
    assert made < trusted < secret


def test_what_writes_the_stubs_into_packages_is_an_option() -> None:
    assert "--write-packages" in PAGE
    assert "--write-packages" in {name for each in load("sync").params for name in each.opts}
