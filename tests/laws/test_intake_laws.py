"""Laws of what we are given: a manifest that is cut or damaged anywhere is said with its place, never a traceback."""

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.checks.secrets import find_leaks
from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_yaml
from registry_tools.intake.own_state import extract_state
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.usage import extract_usage
from tests.builders import column, data_test, foreign, group, manifest, node, private, read, reader

TOKEN = "AK" + "IAQ3EGRT7ZVN5XKLMP"
DOCUMENT = json.dumps(
    manifest(
        node("orders", group="core", description="é\U0001f680\n", columns={"id": column("id", meta={"a": [1, {}]})}),
        private("stg", description=f'\ta "token"\n{TOKEN}\n', depends_on={"nodes": ["model.dbt_other.products"]}),
        foreign("products", "dbt_other"),
        data_test("unique", "model.dbt_up.orders", "id"),
        group("core"),
        reader("exposure", "board", ["model.dbt_up.orders"], "dbt_up"),
    ),
    indent=1,
    ensure_ascii=False,
).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests")


def check_all_is_read(folder: Path, content: bytes) -> None:
    found = read(folder, content)
    extract_interface(found)
    extract_usage(found)
    find_leaks(extract_state(found), {}, readers=False)


def test_the_whole_manifest_is_read(folder: Path) -> None:
    check_all_is_read(folder, DOCUMENT)


@given(at=st.integers(0, len(DOCUMENT) - 1))
def test_a_manifest_that_is_cut_off_anywhere_says_where(folder: Path, at: int) -> None:
    with pytest.raises(DocumentError) as caught:
        read(folder, DOCUMENT[:at])
    where = str(caught.value.where)
    assert re.fullmatch(re.escape(f"{folder}/manifest.json") + (r":\d+:\d+" if at else ""), where)
    if at:
        line, column_number = map(int, where.rsplit(":", 2)[1:])
        lines = DOCUMENT[:at].split(b"\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column_number <= len(lines[line - 1]) + 1


@given(at=st.integers(0, len(DOCUMENT) - 1), damage=st.binary(min_size=1, max_size=4))
def test_a_manifest_with_any_bytes_damaged_is_read_or_said(folder: Path, at: int, damage: bytes) -> None:
    try:
        check_all_is_read(folder, DOCUMENT[:at] + damage + DOCUMENT[at + len(damage) :])
    except DocumentError as error:
        assert str(error.where).startswith(str(folder))  # noqa: PT017  # other errors are the failure
        assert error.then  # noqa: PT017


@given(
    content=st.binary(min_size=1, max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_a_mapping_or_said(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.yml"
        path.write_bytes(content)
        try:
            assert isinstance(read_yaml(path, noun="the file", then="x"), dict)
        except DocumentError as error:
            assert str(error.where).startswith(str(path))  # noqa: PT017
