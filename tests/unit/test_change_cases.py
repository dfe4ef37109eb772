"""Golden cases of changes: each folder of tests/cases/changes is two manifests and what is reported of them.

`UPDATE_CASES=1 pytest tests/unit/test_change_cases.py` writes the reports again; read the diff before committing it.
"""

from pathlib import Path

import msgspec
import pytest

from registry_tools.artifacts.change_report import change_document, change_markdown, change_text
from registry_tools.checks.comparison import compare
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.change import RULES, Change
from tests.golden import assert_stands

FOLDER = Path(__file__).parent.parent / "cases/changes"
CASES = sorted(path.name for path in FOLDER.iterdir())
# No manifest that dbt writes leads to these: dbt numbers its models by their names, and public is public.
NEVER_OF_DBT = {"access-changed", "identity-changed"}


def changes_of(case: str) -> tuple[Change, ...]:
    old, new = (extract_interface(read_manifest(FOLDER / case / f"{side}.json")) for side in ("old", "new"))
    return compare(old, new)


@pytest.mark.parametrize("case", CASES)
def test_the_text_is_the_expected_one(case: str) -> None:
    assert_stands(FOLDER / case / "expected.txt", change_text(changes_of(case), "old -> new"))


@pytest.mark.parametrize("case", CASES)
def test_the_table_is_the_expected_one(case: str) -> None:
    assert_stands(FOLDER / case / "expected.md", change_markdown(changes_of(case), "old -> new"))


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_the_expected_one(case: str) -> None:
    document = msgspec.json.encode(change_document(changes_of(case), "old", "new"))
    assert_stands(FOLDER / case / "expected.json", msgspec.json.format(document, indent=2).decode() + "\n")


def test_the_cases_show_every_rule() -> None:
    shown = {change.rule for case in CASES for change in changes_of(case)}
    assert shown | NEVER_OF_DBT == RULES.keys()
    assert len(CASES) >= 12
