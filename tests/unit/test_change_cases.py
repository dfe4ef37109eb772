"""Golden cases of changes: each folder of tests/cases/changes is two manifests and what is reported of them.

`UPDATE_CASES=1 pytest tests/unit/test_change_cases.py` writes the reports again; read the diff before committing it.
"""

import os
from pathlib import Path

import msgspec
import pytest

from registry_tools.artifacts.change_report import change_document, change_markdown, change_text
from registry_tools.checks.class_table import RULINGS
from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.change import RULES, Change
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.printable import printable
from registry_tools.mesh.verdict import Classified

FOLDER = Path(__file__).parent.parent / "cases/changes"
CASES = sorted(path.name for path in FOLDER.iterdir())
# No manifest that dbt writes leads to these: dbt numbers its models by their names, public is public, and what is
# ephemeral is in no interface.
NEVER_OF_DBT = {"access-changed", "identity-changed"}
NEVER_RULED = {("model-versioned", "new"), ("model-unversioned", "gone"), ("materialization-changed", "ephemeral")}


def sides_of(case: str) -> tuple[Interface, Interface]:
    old, new = (extract_interface(read_manifest(FOLDER / case / f"{side}.json")) for side in ("old", "new"))
    return old, new


def changes_of(case: str) -> tuple[Change, ...]:
    return compare(*sides_of(case))


def classes_of(case: str) -> tuple[Classified, ...]:
    return classified(changes_of(case), *sides_of(case))


def assert_stands(case: str, name: str, text: str) -> None:
    expected = FOLDER / case / name
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(text, encoding="utf-8", newline="")
    assert text == expected.read_bytes().decode()


@pytest.mark.parametrize("case", CASES)
def test_the_text_is_the_expected_one(case: str) -> None:
    assert_stands(case, "expected.txt", change_text(classes_of(case), "old -> new"))


@pytest.mark.parametrize("case", CASES)
def test_the_table_is_the_expected_one(case: str) -> None:
    assert_stands(case, "expected.md", change_markdown(classes_of(case), "old -> new"))


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_the_expected_one(case: str) -> None:
    document = msgspec.json.encode(change_document(classes_of(case), "old", "new"))
    assert_stands(case, "expected.json", msgspec.json.format(document, indent=2).decode() + "\n")


@pytest.mark.parametrize("case", CASES)
def test_the_classes_are_the_expected_ones(case: str) -> None:
    """One line a change: its class, its line of the compatibility table, its rule, its object, and the sentence."""
    found = [(one, printable(one.change.object)) for one in classes_of(case)]
    lines = (f"{c.kind:<9}  {c.code or '-':<3}  {c.change.rule:<24}  {name}\n{'':16}{c.says}\n" for c, name in found)
    assert_stands(case, "expected_classes.txt", "".join(lines))


def test_the_cases_show_every_class_of_every_rule() -> None:
    shown = {(one.change.rule, one.kind, one.code) for case in CASES for one in classes_of(case)}
    told = {
        (rule, ruling.kind, ruling.code)
        for rule, rulings in RULINGS.items()
        for key, ruling in rulings.items()
        if rule not in NEVER_OF_DBT and (rule, key) not in NEVER_RULED
    }
    assert told - shown == set()


def test_the_cases_show_every_rule() -> None:
    shown = {change.rule for case in CASES for change in changes_of(case)}
    assert shown | NEVER_OF_DBT == RULES.keys()
    assert len(CASES) >= 12
