"""The commands as each role runs them, on a bucket that holds it to the golden policies as AWS would."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from registry_tools.cli.app import mesh as mesh_command
from tests.builders import project_folder
from tests.infra.conftest import As
from tests.infra.golden_policies import BUCKET, FOLDER
from tests.infra.test_roles import filled
from tests.unit.test_check_changes import up

__all__ = ["filled"]

Run = Callable[..., Result]
REGISTRY: Final = f"s3://{BUCKET}/registry"
AGAIN: Final = ("--reason", "it was better")


@pytest.fixture
def run(filled: As, become: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One command in a project's folder, after all of them have published, in this role and without a cache."""
    filled("admin")
    (tmp_path / "mesh.yml").write_text(
        (FOLDER / "mesh.yml").read_text().replace("1\n", f"1\nregistry: {REGISTRY}\n", 1)
    )
    project_folder(tmp_path, "dbt_up", up("amount", built=2))
    project_folder(tmp_path, "dbt_down_loom")
    runs = 0

    def command(role: str, folder: str, *words: str, code: int = 0) -> Result:
        nonlocal runs
        runs += 1
        become(role)
        monkeypatch.setenv("DBT_MESH_CACHE", str(tmp_path / f"cache-{runs}"))
        monkeypatch.chdir(tmp_path / folder)
        result = CliRunner().invoke(mesh_command, list(words), prog_name="mesh", catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return command


def test_a_pull_request_reads_its_upstreams_and_not_its_own_state(run: Run, tmp_path: Path) -> None:
    """What pr-impact.yml does, with the role that it has."""
    told = run("pull_requests", "dbt_down", "sync", "--locked").output
    assert "✓ dbt_up@prod#1 as sources: 1 model" in told
    assert "this role may not read the whole manifest of dbt_down@prod#1" in told
    state = json.loads((tmp_path / "dbt_down/state/manifest.json").read_text())
    assert set(state["nodes"]) == {"model.dbt_up.orders"}
    run("pull_requests", "dbt_down", "check", "--consumer")
    run("pull_requests", "dbt_up", "check", code=1)
    told = run("dbt_down", "dbt_down", "sync", "--locked").output
    assert "state/manifest.json: defers to dbt_down@prod#1" in told


def test_doctor_reads_what_a_sync_reads_and_names_the_right_that_is_missing(run: Run) -> None:
    found = _found(run("dbt_down", "dbt_down", "doctor", "--read-only", "--format", "json"))
    assert found["upstream"][0][0] == "ok"
    assert found["upstream"][0][1].startswith("dbt_down reads dbt_up@prod#1 of ")
    assert "state" not in found
    # dbt_up may read what dbt_down recorded of its reads, and nothing else of it
    found = _found(run("dbt_up", "dbt_up", "doctor", "--read-only", "--format", "json"))
    (told,) = [what for verdict, what in found["upstream"] if verdict == "note"]
    assert "dbt_far reads dbt_down, and this role may not" in told
    assert "s3:GetObject" in told
    assert "registry/dbt_down/prod/history/" in told
    # a role that is the project's in this folder has to
    found = _found(run("dbt_up", "dbt_far", "doctor", "--read-only", "--format", "json", code=1))
    assert [verdict for verdict, _ in found["upstream"]] == ["ok", "ok", "error"]
    found = _found(run("pull_requests", "dbt_down", "doctor", "--read-only", "--format", "json"))
    assert {verdict for verdict, _ in found["upstream"]} == {"ok"}
    ((verdict, told),) = found["state"]
    assert verdict == "note"
    assert "registry/_private/dbt_down/prod/" in told


@pytest.mark.parametrize("words", [("consumers",), ("fsck",), ("gc", "--delete")])
def test_a_publisher_is_asked_to_name_a_project_and_not_to_take_more_rights(run: Run, words: tuple[str, ...]) -> None:
    told = run("dbt_up", "dbt_up", *words, code=3).output
    assert "error: s3://acme-dbt-mesh/registry/: the registry answered AccessDenied" in told
    assert "next: name a project, as in dbt_up@prod" in told
    assert "give" not in told


def test_what_is_done_before_a_refusal_is_said_to_be_done(run: Run) -> None:
    """The collector adds to logs, and has no right to what plain readers read."""
    run("dbt_up", "dbt_up", "publish", "--env", "prod", "--mode", "off")
    told = run("collector", "dbt_up", "yank", "dbt_up@prod#2", *AGAIN, code=3).output
    assert "dbt_up@prod#3 is current, but the copy for plain readers could not be brought up to date" in told
    assert "next: run mesh fsck dbt_up@prod --repair as the role of dbt_up" in told
    assert "yank" in run("dbt_up", "dbt_up", "history", "dbt_up@prod").output
    run("dbt_up", "dbt_up", "fsck", "dbt_up@prod", code=1)
    run("dbt_up", "dbt_up", "fsck", "dbt_up@prod", "--repair")
    run("dbt_up", "dbt_up", "fsck", "dbt_up@prod")


def test_doctor_leaves_nothing_where_it_may_write_nothing(run: Run) -> None:
    found = _found(run("dbt_up", "dbt_up", "doctor", "--format", "json"))
    assert found["rights"][0][0] == "warning"
    assert "cleaning-up" not in found


def _found(doctor: Result) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(doctor.stdout)["findings"]:
        found.setdefault(one["check"], []).append((one["verdict"], one["message"]))
    return found
