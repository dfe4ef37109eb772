"""Pull requests of the demo: which there are, and what is said where one cannot be applied."""

import os
from pathlib import Path

import pytest

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local.pull_requests import pull_requests, run_pull_request

PATCH = "--- a/dbt_up/a.sql\n+++ b/dbt_up/a.sql\n@@ -1 +1 @@\n-select 1\n+select 2\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A mesh with one pull request, of a file that says something else than the patch has it."""
    (tmp_path / "examples/pull_requests").mkdir(parents=True)
    (tmp_path / "examples/pull_requests/say_two.patch").write_text(PATCH)
    (tmp_path / "dbt_up").mkdir()
    (tmp_path / "dbt_up/a.sql").write_text("select 3\n")
    return tmp_path


def test_a_patch_is_a_pull_request_of_the_project_whose_files_it_changes(root: Path, tmp_path: Path) -> None:
    assert [(each.name, each.project) for each in pull_requests(root)] == [("say two", "dbt_up")]
    assert pull_requests(tmp_path / "elsewhere") == ()


def test_a_patch_of_a_project_that_was_removed_is_none(root: Path) -> None:
    (root / "dbt_up").rename(root / "web")
    assert pull_requests(root) == ()


def test_a_patch_that_does_not_fit_is_named(root: Path) -> None:
    with pytest.raises(EmbeddedMeshError, match=r"say_two\.patch.*patch failed") as caught:
        run_pull_request(pull_requests(root)[0], root, dict(os.environ))
    assert caught.value.then == "make the patch anew"


def test_without_git_it_is_said_what_is_missing(root: Path) -> None:
    with pytest.raises(EmbeddedMeshError, match="git is not installed"):
        run_pull_request(pull_requests(root)[0], root, {"PATH": str(root)})
