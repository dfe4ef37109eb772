"""What meta and tags say is told under the rule that it is judged by."""

from typing import Any

import pytest

from registry_tools.checks.comparison import compare
from tests.builders import interface, public_model

MARKS: list[dict[str, Any]] = [
    {"meta": {"pii": True}},
    {"meta": {"contains_pii": True}},
    {"meta": {"maskingPolicy": "m"}},
    {"meta": {"policy_tags": ["p"]}},
    {"meta": {"row_access_policy": "p"}},
    {"meta": {"sensitivity": "high"}},
    {"meta": {"mesh": {"masking": "hash"}}},
    {"tags": ("PII",)},
    {"tags": ("pii:email",)},
    {"tags": ("confidential",)},
]
PLAIN: list[dict[str, Any]] = [
    {"meta": {"tier": 1}},
    {"meta": {"retention_policy": "90 days"}},
    {"meta": {"opiid": 1}},
    {"meta": {"mesh": {"replaced_by": "x"}}},
    {"meta": {"mesh": {}}},
    {"tags": ("daily",)},
    {"tags": ("unmaskable",)},
]


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(c.rule, c.before, c.after) for c in compare(*(interface(public_model(**facts)) for facts in (old, new)))]


@pytest.mark.parametrize("mark", MARKS, ids=str)
def test_a_mark_of_protected_data_is_told_apart(mark: dict[str, Any]) -> None:
    assert [rule for rule, *_ in told(mark, {})] == ["protection-changed"]
    assert [rule for rule, *_ in told({}, mark)] == ["protection-changed"]


@pytest.mark.parametrize("words", PLAIN, ids=str)
def test_what_is_for_people_stays_for_people(words: dict[str, Any]) -> None:
    assert {rule for rule, *_ in told(words, {})} <= {"meta-changed", "tags-changed"}


def test_tags_of_both_kinds_in_another_order_are_other_tags() -> None:
    assert told({"tags": ("a", "pii")}, {"tags": ("pii", "a")}) == [("tags-changed", '["a","pii"]', '["pii","a"]')]


def test_each_entry_is_told_under_its_own_rule() -> None:
    old = {"meta": {"mesh": {"rows": "all", "masking": 1, "other": 1}, "pii": 1, "tier": 1}}
    assert told(old, {}) == [
        ("meta-changed", '{"mesh":{"other":1},"tier":1}', None),
        ("protection-changed", '{"mesh":{"masking":1},"pii":1}', None),
        ("rows-narrowed", "all", None),
    ]
