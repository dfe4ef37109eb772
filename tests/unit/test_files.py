"""Files: brought to the plan whole or not at all, a person's files left alone, an unchanged file not touched."""

import os
from pathlib import Path

import pytest

from registry_tools.artifacts.files import MARK, GeneratedFile, is_ours, write_files
from registry_tools.errors import DocumentError
from tests.builders import files_below

OURS = f"# {MARK}\nversion: 2\n".encode()
LONG_AGO = 1_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "_mesh_dbt_up.yml"


def _plan(path: Path, content: bytes = OURS, *, guarded: bool = True) -> GeneratedFile:
    return GeneratedFile(path=path, content=content, guarded=guarded)


def _actions(planned: list[GeneratedFile], obsolete: tuple[Path, ...] = (), *, dry_run: bool = False) -> list[str]:
    return [change.action for change in write_files(planned, obsolete, dry_run=dry_run)]


def test_a_new_file_is_written_with_its_folder(path: Path) -> None:
    assert _actions([_plan(path)]) == ["written"]
    assert path.read_bytes() == OURS
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(files_below(path.parent)) == [path.name]


def test_an_unchanged_file_is_not_touched(path: Path) -> None:
    _actions([_plan(path)])
    os.utime(path, (LONG_AGO, LONG_AGO))
    before = path.stat()
    assert _actions([_plan(path)]) == ["unchanged"]
    assert (path.stat().st_mtime, path.stat().st_ino) == (before.st_mtime, before.st_ino)


def test_a_changed_file_is_written_again(path: Path) -> None:
    _actions([_plan(path)])
    assert _actions([_plan(path, OURS + b"x")]) == ["written"]
    assert path.read_bytes() == OURS + b"x"


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path, path: Path) -> None:
    old = path.with_name("_mesh_old.yml")
    old.parent.mkdir()
    old.write_bytes(OURS)
    before = files_below(tmp_path)
    assert _actions([_plan(path), _plan(tmp_path / "new" / "x")], (old,), dry_run=True) == [
        "written",
        "written",
        "removed",
    ]
    assert files_below(tmp_path) == before
    assert not (tmp_path / "new").exists()
    assert _actions([_plan(path)], (old,)) == ["written", "removed"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_persons_file_is_refused_before_anything_is_written(tmp_path, path: Path, *, dry_run: bool) -> None:
    path.parent.mkdir()
    path.write_text("version: 2\n")
    old = path.with_name("_mesh_old.yml")
    old.write_bytes(OURS)
    before = files_below(tmp_path)
    with pytest.raises(DocumentError, match="was not written by mesh sync") as caught:
        _actions([_plan(tmp_path / "first.yml"), _plan(path), _plan(tmp_path / "last.yml")], (old,), dry_run=dry_run)
    assert caught.value.where == str(path)
    assert "mv " in caught.value.then
    assert files_below(tmp_path) == before


def test_an_empty_file_is_nobodys(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert _actions([_plan(path)]) == ["written"]


def test_a_file_that_is_not_guarded_is_written_over(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    assert _actions([_plan(path, b'{"a": 1}', guarded=False)]) == ["written"]
    assert path.read_bytes() == b'{"a": 1}'


def test_only_our_own_obsolete_files_are_removed(path: Path) -> None:
    path.parent.mkdir()
    (ours := path.with_name("_mesh_a.yml")).write_bytes(OURS)
    (loom := path.with_name("b.json")).write_text('{"metadata": {"mesh": {"written_by": "mesh sync"}}}')
    (theirs := path.with_name("_mesh_c.yml")).write_text("version: 2\n")
    (folder := path.with_name("_mesh_d.yml")).mkdir()
    assert _actions([], (ours, loom, theirs, folder, path)) == ["removed", "removed"]
    assert theirs.exists()
    assert folder.exists()
    assert not ours.exists()


def test_a_mark_far_below_the_head_is_a_persons_text(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("x" * 600 + MARK)
    assert not is_ours(path)


@pytest.mark.parametrize(("place", "call"), [(os, "fsync"), (Path, "replace")])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, place: object, call: str
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    _actions([_plan(path)])
    monkeypatch.setattr(place, call, fail)
    with pytest.raises(DocumentError, match="cannot be written: No space left on device") as caught:
        _actions([_plan(path, OURS + b"x")])
    assert caught.value.where == str(path)
    assert files_below(path.parent) == {path.name: OURS}


@pytest.mark.parametrize("kind", ["folder-is-a-file", "file-is-a-folder"])
def test_a_place_that_cannot_hold_the_file_is_said_before_anything_is_written(path: Path, kind: str) -> None:
    if kind == "folder-is-a-file":
        path.parent.write_text("x")
    else:
        path.mkdir(parents=True)
    first = path.parents[1] / "first.yml"
    with pytest.raises(DocumentError, match=r"cannot be written: .* is no f") as caught:
        _actions([_plan(first), _plan(path)])
    assert caught.value.where == str(path)
    assert caught.value.then.startswith("move it away (mv ")
    assert not first.exists()


@pytest.mark.parametrize("fault", ["open", "unlink", "read_bytes"])
def test_a_file_that_the_disk_does_not_give_is_said(path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    _actions([_plan(path)])
    old = path.with_name("_mesh_old.yml")
    old.write_bytes(OURS)
    monkeypatch.setattr(Path, fault, fail)
    with pytest.raises(DocumentError, match="Permission denied"):
        _actions([_plan(path)], (old,))
