"""Who publishes: the CI job or the checkout, and never a person, a token or a path."""

import shutil
import subprocess
from pathlib import Path

import pytest

from registry_tools.intake.actor import identify_actor
from registry_tools.mesh.publication import Actor

GITHUB = {
    "GITHUB_REPOSITORY": "acme/dbt_up",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": "0123456789abcdef",
    "GITHUB_RUN_ID": "42",
    "GITHUB_ACTOR": "ada",
    "GITHUB_TOKEN": "ghp_secret",
}
GITLAB = {
    "CI_PROJECT_PATH": "acme/data/dbt_up",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_SHA": "abc",
    "CI_PIPELINE_ID": "7",
    "GITLAB_USER_EMAIL": "ada@example.com",
}


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    _git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    who = "-c", "user.name=Ada", "-c", "user.email=ada@example.com"
    _git(tmp_path, *who, "commit", "--quiet", "--allow-empty", "--message", "first")
    return tmp_path


def test_a_github_job_is_told_by_its_variables(tmp_path) -> None:
    assert identify_actor(GITHUB, tmp_path) == Actor(
        repository="acme/dbt_up", ref="refs/heads/main", commit="0123456789abcdef", run="42"
    )


def test_a_gitlab_job_is_told_by_its_variables(tmp_path) -> None:
    assert identify_actor(GITLAB, tmp_path) == Actor(repository="acme/data/dbt_up", ref="main", commit="abc", run="7")


def test_a_job_that_says_little_is_told_as_far_as_it_goes(tmp_path) -> None:
    assert identify_actor({"GITHUB_REPOSITORY": "acme/dbt_up"}, tmp_path) == Actor(repository="acme/dbt_up")


def test_a_checkout_is_told_by_its_commit_and_branch(checkout: Path) -> None:
    found = identify_actor({}, checkout)
    assert (found.repository, found.ref, found.run) == (None, "refs/heads/main", None)
    assert len(found.commit or "") == 40


def test_a_detached_checkout_has_no_branch(checkout: Path) -> None:
    _git(checkout, "checkout", "--quiet", "--detach")
    assert identify_actor({}, checkout).ref is None


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://github.com/acme/dbt_up.git", "acme/dbt_up"),
        ("https://github.com/acme/dbt_up", "acme/dbt_up"),
        ("https://ghp_secret@github.com/acme/dbt_up.git", "acme/dbt_up"),
        ("git@github.com:acme/dbt_up.git", "acme/dbt_up"),
        ("ssh://git@example.com:2222/acme/dbt_up.git", "acme/dbt_up"),
        ("https://x-access-token:ghp_secret@github.com/acme/dbt_up.git", "acme/dbt_up"),
    ],
)
def test_a_remote_is_told_by_its_owner_and_name(checkout: Path, url: str, repository: str) -> None:
    _git(checkout, "remote", "add", "origin", url)
    assert identify_actor({}, checkout).repository == repository


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:ghp_secret@github.com/acme/dbt_up.git",
        "https://ada:ghp/secret@github.com/acme/dbt_up.git",
        "https://ada:12/ghp_secret",
        "https://ghp_secret@github.com/acme/dbt_up?token=ghp_secret",
        "file:///home/ada.git",
        "file:///home/ada/secret",
        "/home/ada/secret",
        "../ada/secret",
        "C:\\Users\\ada\\secret",
        "C:/ada/secret",
    ],
)
def test_a_token_a_person_and_a_path_in_a_remote_are_left_out(checkout: Path, url: str) -> None:
    _git(checkout, "remote", "add", "origin", url)
    told = str(identify_actor({}, checkout).repository)
    assert "secret" not in told
    assert "ada" not in told


def test_outside_a_checkout_nobody_is_known(tmp_path) -> None:
    found = identify_actor({}, tmp_path)
    assert found == Actor()
    assert str(found) == "an unnamed publisher"


def test_without_git_nobody_is_known(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout / "empty"))
    assert shutil.which("git") is None
    assert identify_actor({}, checkout) == Actor()


def test_a_git_that_hangs_is_not_waited_for(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_args: object, **_options: object) -> None:
        raise subprocess.TimeoutExpired("git", 5)

    monkeypatch.setattr(subprocess, "run", hang)
    assert identify_actor({}, tmp_path) == Actor()


def test_an_actor_is_shown_in_one_short_line() -> None:
    shown = str(Actor(repository="acme/dbt_up", ref="main", commit="0123456789abcdef0123", run="42"))
    assert shown == "acme/dbt_up main 0123456789ab"
