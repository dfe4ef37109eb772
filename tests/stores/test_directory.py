"""A directory as a store: no way out of it, no half files, nothing left lying about."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry_tools.errors import RegistryError
from registry_tools.registry.directory import DirectoryStore

PROCESSES = 4
KEYS = 60
# Each process prints which keys it made; they start when the file appears.
RACER = """
import sys, time
from pathlib import Path
from registry_tools.registry.directory import DirectoryStore
folder, me, keys = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = DirectoryStore(folder / "registry")
(folder / f"ready-{me}").touch()
while not (folder / "start").exists():
    time.sleep(0.001)
print(*[n for n in range(keys) if store.create(f"race/{n}", f"writer {me}".encode())])
"""


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def store(folder: Path) -> DirectoryStore:
    return DirectoryStore(folder)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_of_four_processes_that_create_a_key_one_wins(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path), str(me), str(KEYS)], stdout=subprocess.PIPE)
        for me in range(PROCESSES)
    ]
    while not all((tmp_path / f"ready-{me}").exists() for me in range(PROCESSES)):
        assert all(racer.poll() is None for racer in racers)
    (tmp_path / "start").touch()
    won = [set(map(int, racer.communicate(timeout=30)[0].split())) for racer in racers]
    store = DirectoryStore(tmp_path / "registry")
    assert sorted(n for keys in won for n in keys) == list(range(KEYS))
    for me, keys in enumerate(won):
        for n in keys:
            stored = store.get(f"race/{n}")
            assert stored is not None
            assert stored.content == f"writer {me}".encode()


@pytest.mark.parametrize(
    "key",
    ["../out", "a/../../out", "a/..", "..", ".", "./a", ".hidden", "a/.hidden", "/etc/out", "a//b", "a\\..\\b", "a\0b"],
)
def test_a_key_that_leads_elsewhere_is_refused(store: DirectoryStore, folder: Path, key: str) -> None:
    acts = (
        lambda: store.create(key, b"x"),
        lambda: store.replace(key, b"x", "tag"),
        lambda: store.get(key),
        lambda: store.first(key),
        lambda: list(store.keys(key)),
        lambda: store.folders(key),
    )
    for act in acts:
        with pytest.raises(RegistryError, match="is not a key"):
            act()
    assert not folder.exists()
    assert os.listdir(folder.parent) == []  # noqa: PTH208


@pytest.mark.parametrize("key", ["", "a/"])
def test_a_key_without_a_name_is_refused(store: DirectoryStore, folder: Path, key: str) -> None:
    with pytest.raises(RegistryError):
        store.create(key, b"x")
    assert not folder.exists()


@pytest.mark.parametrize("step", ["link", "fsync"])
def test_a_crash_before_the_link_leaves_no_visible_key(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_args, **_options: None)  # a killed process cleans nothing up
        patched.setattr(os, step, _crash)
        with pytest.raises(Crash):
            store.create("a/b/k", b"half")
    assert store.get("a/b/k") is None
    assert store.first("a/") is None
    assert list(store.keys("")) == []
    assert store.create("a/b/k", b"whole") is True
    assert list(store.keys("")) == ["a/b/k"]


def test_a_folder_that_a_crash_left_empty_is_not_listed(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("up/prod/k", b"x")
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", _crash)
        with pytest.raises(Crash):
            store.create("crashed/prod/k", b"x")
    assert store.folders("") == ["up"]


def test_a_crash_before_the_replacement_leaves_the_old_bytes(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("k", b"old")
    standing = store.get("k")
    assert standing is not None
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", _crash)
        with pytest.raises(Crash):
            store.replace("k", b"new", standing.tag)
    assert store.get("k") == standing
    assert store.replace("k", b"new", standing.tag) is True  # and the lock was let go


def test_no_temporary_file_is_left(store: DirectoryStore, folder: Path) -> None:
    store.create("a/k", b"1")
    store.create("a/k", b"2")
    standing = store.get("a/k")
    assert standing is not None
    store.replace("a/k", b"3", standing.tag)
    store.replace("a/k", b"4", "stale")
    store.replace("a/none", b"5", "stale")
    assert files(folder) == ["a/.lock", "a/k"]
    assert list(store.keys("")) == ["a/k"]


def test_a_full_disk_is_a_registry_error_and_leaves_nothing(
    store: DirectoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RegistryError, match="No space left on device") as caught:
            store.create("a/k", b"x")
    assert "next: " in str(caught.value)
    assert str(folder) in str(caught.value)
    assert files(folder) == []


def test_a_directory_without_rights_is_a_registry_error(
    store: DirectoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(mode=0o500)
    if os.geteuid() == 0:  # root may write everywhere, so the system's answer is planted
        monkeypatch.setattr(Path, "mkdir", _denied)
    _expect_refusal(store, folder, "Permission denied")
    assert files(folder) == []


def test_a_file_where_the_directory_should_be_is_a_registry_error(store: DirectoryStore, folder: Path) -> None:
    folder.write_text("a person's notes")
    _expect_refusal(store, folder, "exists|Not a directory")
    assert store.get("a/k") is None
    assert list(store.keys("")) == []
    assert folder.read_text() == "a person's notes"


def test_every_new_folder_is_brought_to_the_disk(
    store: DirectoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name survives a power cut only when the folder that holds it was synced, and that folder's own name too."""
    folder.mkdir()
    synced: set[str] = set()
    fsync = os.fsync

    def remember(handle: int) -> None:
        synced.add(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115
        fsync(handle)

    monkeypatch.setattr(os, "fsync", remember)
    store.create("up/prod/log/1.json", b"{}")
    assert any(name.startswith(f"{folder}/up/prod/log/.") for name in synced)  # the content, before its name
    assert str(folder / "up/prod/log") in synced
    assert {str(folder), str(folder / "up"), str(folder / "up/prod")} <= synced


def _expect_refusal(store: DirectoryStore, folder: Path, words: str) -> None:
    with pytest.raises(RegistryError, match=words) as caught:
        store.create("a/k", b"x")
    assert str(folder) in str(caught.value)
    assert "next: check that the directory exists and may be written" in str(caught.value)


def _crash(*_args: object, **_options: object) -> None:
    raise Crash


def _denied(path: Path, *_args: object, **_options: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
