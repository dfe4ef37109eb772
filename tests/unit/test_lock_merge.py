"""mesh.lock in git: branches that upgrade two upstreams merge; those that upgrade the same one conflict readably."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_tools.artifacts.lock_text import lock_text
from registry_tools.errors import DocumentError
from registry_tools.intake.lock_file import LOCK, read_lock
from registry_tools.mesh.lock import Lock, Pin

UPSTREAMS = ("crm", "dbt_other", "dbt_up", "finance")


def pin(n: int) -> Pin:
    return Pin(
        environment="prod",
        publication=f"202601{n:02d}T064541Z-{n:012x}",
        n=n,
        record=f"{n:064x}",
        digest=f"{n + 1000:064x}",
    )


class Checkout:
    """A git repository with a mesh.lock in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.commit(dict.fromkeys(UPSTREAMS, 1), "begin")

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *identity, *words], cwd=self.folder, capture_output=True, text=True, check=False)

    def commit(self, pins: dict[str, int], message: str) -> None:
        (self.folder / LOCK).write_text(lock_text(Lock(pins={name: pin(n) for name, n in pins.items()})))
        self.git("add", LOCK)
        assert self.git("commit", "-qm", message).returncode == 0

    def branches(self, ours: dict[str, int], theirs: dict[str, int]) -> int:
        """Two branches from the same beginning, merged; git's exit code."""
        for branch, pins in (("ours", ours), ("theirs", theirs)):
            self.git("checkout", "-q", "main")
            self.git("checkout", "-qb", branch)
            self.commit(pins, branch)
        self.git("checkout", "-q", "ours")
        return self.git("merge", "-q", "--no-edit", "theirs").returncode

    def pins(self) -> dict[str, int]:
        return {name: pin.n for name, pin in read_lock(self.folder / LOCK).pins.items()}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def moved(**changes: int) -> dict[str, int]:
    return dict.fromkeys(UPSTREAMS, 1) | changes


@pytest.mark.parametrize("one", UPSTREAMS)
@pytest.mark.parametrize("other", UPSTREAMS)
def test_upgrades_of_two_upstreams_merge_and_of_one_conflict(checkout: Checkout, one: str, other: str) -> None:
    """Also of those that stand side by side."""
    code = checkout.branches(moved(**{one: 2}), moved(**{other: 3}))
    if one == other:
        assert code == 1
        return
    assert code == 0
    assert checkout.pins() == moved(**{one: 2, other: 3})


def test_an_upstream_more_on_either_side_merges(checkout: Checkout) -> None:
    assert checkout.branches(moved(aaa=7), moved(zzz=8)) == 0
    assert checkout.pins() == moved(aaa=7, zzz=8)


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_a_conflict_is_told_as_one_and_shows_both_sides_of_one_upstream(checkout: Checkout, style: str) -> None:
    checkout.git("config", "merge.conflictStyle", style)
    assert checkout.branches(moved(dbt_up=2), moved(dbt_up=3)) == 1
    text = (checkout.folder / LOCK).read_text()
    assert text.count("<<<<<<< ") == 1
    ours, theirs = text.split("<<<<<<< ")[1].split(">>>>>>> ")[0].split("=======")
    assert pin(2).publication in ours
    assert pin(3).publication in theirs
    assert "finance" not in ours + theirs
    with pytest.raises(DocumentError, match="it holds both sides of a merge") as caught:
        read_lock(checkout.folder / LOCK)
    assert caught.value.where == str(checkout.folder / LOCK)
    assert "delete mesh.lock and run mesh sync" in caught.value.then


def half(mark: str) -> Callable[[str], str]:
    return lambda text: "\n".join(line for line in text.splitlines() if not line.startswith(mark))


@pytest.mark.parametrize("mark", ["<<<<<<<", "=======", ">>>>>>>"])
def test_a_conflict_of_which_a_mark_was_left_is_no_lock(checkout: Checkout, mark: str) -> None:
    assert checkout.branches(moved(dbt_up=2), moved(dbt_up=3)) == 1
    path = checkout.folder / LOCK
    path.write_text(half(mark)(path.read_text()))
    with pytest.raises(DocumentError) as caught:
        read_lock(path)
    assert "delete mesh.lock and run mesh sync" in caught.value.then
