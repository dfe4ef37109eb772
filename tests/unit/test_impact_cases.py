"""Golden cases of checks: each folder of tests/cases/impacts is a change, its consumers, and every report of it.

`UPDATE_CASES=1 pytest tests/unit/test_impact_cases.py` writes the reports again; read the diff before committing it.
"""

from collections.abc import Callable
from functools import cache

import jsonschema  # type: ignore[import-untyped]  # dbt brings it
import pytest

from registry_tools.artifacts.verdict_document import verdict_document
from registry_tools.mesh.change import RULES
from registry_tools.mesh.impact import EFFECTS, REASONS
from registry_tools.mesh.verdict import CLASSES, MODES, Judged, Verdict
from tests.golden import assert_stands
from tests.impact_cases import CASES, FOLDER, read_again, verdict_of, written_reads
from tests.unit.test_verdict_reports import SCHEMA
from tests.verdicts import reports

FILES = ("expected.txt", "expected.md", "expected.json", "expected.github", "expected.sarif")

verdict = cache(verdict_of)
told = cache(lambda case: reports(verdict(case)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("file", FILES)
def test_every_report_is_the_expected_one(case: str, file: str) -> None:
    assert_stands(FOLDER / case / file, told(case)[file])


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_what_its_schema_says(case: str) -> None:
    jsonschema.validate(verdict_document(verdict(case)), SCHEMA)


@pytest.mark.parametrize("case", CASES)
def test_a_case_says_in_a_sentence_what_it_shows(case: str) -> None:
    about = (FOLDER / case / "about.txt").read_text()
    assert about.endswith(".\n")
    assert about.count("\n") == 1


def test_the_usage_of_a_case_is_what_its_sql_says() -> None:
    written = [each for case in CASES for each in written_reads(case)]
    assert len(written) > 60
    assert [read for read, _, _ in written] == [read_again(*each) for each in written]


def shown(of: Callable[[Judged], object]) -> set[object]:
    return {of(judged) for case in CASES for judged in verdict(case).judged}


def test_the_cases_show_every_class_mode_outcome_and_answer() -> None:
    assert shown(lambda judged: judged.kind) == set(CLASSES)
    assert shown(lambda judged: judged.mode) == set(MODES)
    assert shown(lambda judged: judged.outcome) == {"refused", "unknown", "approved", "allowed"}
    assert {verdict(case).answer for case in CASES} == {"yes", "unknown", "no"}


def test_the_cases_show_every_effect_and_every_reason() -> None:
    impacts = [impact for case in CASES for judged in verdict(case).judged for impact in judged.impacts]
    assert {judged.effect for case in CASES for judged in verdict(case).judged} == set(EFFECTS)
    assert {reason.rule for impact in impacts for reason in impact.reasons} == REASONS.keys()


def test_the_cases_show_every_way_that_is_advised() -> None:
    ways = {advice.way for case in CASES for judged in verdict(case).judged for advice in judged.advice}
    assert ways == {"deprecate", "add-version", "alias", "approve", "talk"}


def test_the_cases_show_every_rule_that_is_judged() -> None:
    judged_rules = {rule.id for rule in RULES.values() if rule.codes}
    assert judged_rules - NEVER_OF_DBT <= shown(lambda judged: judged.change.rule)


# No manifest that dbt writes leads to it: public is public.
NEVER_OF_DBT = {"access-changed"}


def test_a_verdict_is_the_same_twice() -> None:
    first: list[Verdict] = [verdict_of(case) for case in CASES]
    assert first == [verdict(case) for case in CASES]
