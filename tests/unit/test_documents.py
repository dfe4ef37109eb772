"""Documents: whatever is wrong with a file is said with its place and the next thing to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import DocumentError
from registry_tools.intake import documents
from registry_tools.intake.documents import read_bytes, read_yaml

Reader = Callable[..., Any]


def _yaml(path: Path, text: str | bytes, **options: bool) -> dict[str, Any]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path, noun="the file", then="write it again", **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.yml"


def test_bytes_are_given_as_they_are(path: Path) -> None:
    path.write_bytes(b" x \r\n")
    assert read_bytes(path, noun="the file", then="x") == b" x \r\n"


@pytest.mark.parametrize("reader", [read_bytes, read_yaml])
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _path: None, "the file is missing"),
        (lambda path: path.mkdir(), "the file cannot be read: Is a directory"),
        (lambda path: path.symlink_to(path), "the file cannot be read: Too many levels of symbolic links"),
        (lambda path: path.touch(), "the file is empty"),
        (lambda path: path.write_text(" \n\t\n"), "the file is empty"),
    ],
)
def test_a_file_that_is_none_is_said(path: Path, reader: Reader, make: Callable[[Path], None], says: str) -> None:
    make(path)
    with pytest.raises(DocumentError) as caught:
        reader(path, noun="the file", then="write it again")
    assert (caught.value.what, caught.value.where, caught.value.then) == (says, str(path), "write it again")


def test_a_folder_that_is_a_file_is_said(path: Path) -> None:
    path.touch()
    with pytest.raises(DocumentError, match="cannot be read: Not a directory"):
        read_bytes(path / "manifest.json", noun="the file", then="x")


def test_a_file_that_nobody_may_read_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path.write_text("a: 1")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DocumentError, match="cannot be read: Permission denied"):
        read_bytes(path, noun="the file", then="x")


def test_a_file_beyond_every_manifest_is_not_even_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"x" * 11)
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    with pytest.raises(DocumentError, match="of 11 bytes is over the limit of 10"):
        read_bytes(path, noun="the file", then="x")
    path.write_bytes(b"x" * 10)
    assert len(read_bytes(path, noun="the file", then="x")) == 10


def test_a_mapping_is_read(path: Path) -> None:
    assert _yaml(path, "a: {b: [1, x]}\nc: &c {d: 1}\ne: {<<: *c, f: 2}\n") == {
        "a": {"b": [1, "x"]},
        "c": {"d": 1},
        "e": {"d": 1, "f": 2},
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: [1\n", ":2:1"), ("a: b: c\n", ":1:5"), ("a: 1\n\tb: 2\n", ":2:1"), ("a: 'x\n", ":2:1"), ("a: *b\n", ":1:4")],
)
def test_yaml_that_is_none_is_said_with_line_and_column(path: Path, text: str, place: str) -> None:
    with pytest.raises(DocumentError, match="the file is not YAML: ") as caught:
        _yaml(path, text)
    assert caught.value.where == f"{path}{place}"


@pytest.mark.parametrize(
    "text",
    [
        b"a: \xff\xfe",
        b"a: \x00",
        b"a: !!python/object/apply:os.system [id]",
        b"a: !!int x",
        b"a: !!bool x",
        b"a: !!timestamp x",
        b"a: !!set [x]",
        b"a: 2026-13-45",
        b"? [a]\n: 1",
        b"? {a: 1}\n: 1",
        b"--- {a: 1}\n--- {b: 1}",
        b"a: " + b"[" * 5000,
        b"a: " + b"{a: " * 5000,
    ],
)
@pytest.mark.parametrize("unique", [True, False])
def test_hostile_yaml_is_said_and_never_run(path: Path, text: bytes, *, unique: bool) -> None:
    with pytest.raises(DocumentError, match="the file is not YAML") as caught:
        _yaml(path, text, unique=unique)
    assert str(caught.value.where).startswith(str(path))


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "x:\n  a: 1\n  a: 2\n", "[{a: 1, a: 2}]", "1: x\n1: y\n"])
def test_a_key_that_stands_twice_is_said_with_its_place(path: Path, text: str) -> None:
    with pytest.raises(DocumentError, match=r"the key .* stands twice") as caught:
        _yaml(path, text)
    assert str(caught.value.where).startswith(f"{path}:")


def test_a_file_of_others_may_repeat_a_key(path: Path) -> None:
    assert _yaml(path, "a: 1\na: 2\n", unique=False) == {"a": 2}


def test_aliases_do_not_multiply_in_memory(path: Path) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert len(_yaml(path, bomb)) == 30


@pytest.mark.parametrize(("text", "kind"), [("- a\n", "list"), ("a\n", "str"), ("1\n", "int"), ("~\n", "NoneType")])
def test_what_is_no_mapping_is_said(path: Path, text: str, kind: str) -> None:
    with pytest.raises(DocumentError, match=f"the file is a {kind}, not a mapping"):
        _yaml(path, text)


def test_a_file_of_comments_is_no_mapping(path: Path) -> None:
    with pytest.raises(DocumentError, match="not a mapping"):
        _yaml(path, "# nothing yet\n")
