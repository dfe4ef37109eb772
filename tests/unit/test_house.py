"""The rules of the house that no linter has: nothing stands twice, and nothing grows past what one can hold in mind."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("registry_tools", "tests", "benchmarks", "dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package")
CODE = sorted(
    path
    for folder in FOLDERS
    for path in (REPOSITORY / folder).rglob("*")
    if path.suffix in {".py", ".sql"} and "target" not in path.parts
)
PRODUCT = [path for path in CODE if path.is_relative_to(REPOSITORY / "registry_tools")]
RUN = 6


def lines_that_count(text: str) -> list[tuple[int, str]]:
    """Line numbers and lines without imports, comments, and lines that hold punctuation alone."""
    without_imports = re.sub(r"^(?:from [\w.]+ )?import (?:\([^)]*\)|.*)$", keep_line_breaks, text, flags=re.MULTILINE)
    numbered = enumerate((line.strip() for line in without_imports.splitlines()), 1)
    return [(number, line) for number, line in numbered if re.search(r"\w", line) and not line.startswith(("#", "--"))]


def keep_line_breaks(found: re.Match[str]) -> str:
    return "\n" * found.group().count("\n")


def test_no_six_lines_stand_twice() -> None:
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in CODE:
        counted = lines_that_count(path.read_text(encoding="utf-8"))
        for window in zip(*(counted[shift:] for shift in range(RUN)), strict=False):
            place = f"{path.relative_to(REPOSITORY)}:{window[0][0]}"
            places[tuple(line for _, line in window)].append(place)
    assert len(places) > 5_000
    assert [found for found in places.values() if len(found) > 1] == []


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_file_fits_into_ones_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    assert text.count("\n") <= 400
    assert ast.get_docstring(tree)
    assert [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= 60] == []
