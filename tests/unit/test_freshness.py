"""Freshness: what a model's `meta.mesh` promises, and what is no promise."""

from typing import Any

import pytest

from registry_tools.mesh.freshness import Freshness, freshness_of

DAILY = {"count": 24, "period": "hour"}


@pytest.mark.parametrize("meta", [{}, {"mesh": None}, {"mesh": "daily"}, {"mesh": {}}, {"mesh": {"other": 1}}])
def test_a_model_that_promises_nothing_has_no_freshness(meta: dict[str, Any]) -> None:
    assert freshness_of(meta) is None


def test_a_promise_is_carried_in_dbts_form() -> None:
    meta = {"mesh": {"loaded_at_field": "loaded_at", "freshness": {"warn_after": DAILY, "error_after": DAILY}}}
    assert freshness_of(meta) == Freshness(
        loaded_at_field="loaded_at", thresholds={"error_after": DAILY, "warn_after": DAILY}
    )


def test_either_half_is_enough() -> None:
    assert freshness_of({"mesh": {"loaded_at_field": "x"}}) == Freshness(loaded_at_field="x", thresholds={})
    assert freshness_of({"mesh": {"freshness": {"warn_after": DAILY}}}) == Freshness(
        loaded_at_field=None, thresholds={"warn_after": DAILY}
    )
    assert freshness_of({"mesh": {"freshness": None}}) == Freshness(loaded_at_field=None, thresholds={})


@pytest.mark.parametrize("field", [1, ["loaded_at"], {}, True])
def test_a_field_that_is_no_text_is_refused(field: object) -> None:
    with pytest.raises(ValueError, match=r"meta\.mesh\.loaded_at_field"):
        freshness_of({"mesh": {"loaded_at_field": field}})


@pytest.mark.parametrize("stated", ["24h", [DAILY], {"warn": DAILY}, {"warn_after": DAILY, "filter": "x"}])
def test_other_keys_than_dbts_are_refused(stated: object) -> None:
    with pytest.raises(ValueError, match=r"meta\.mesh\.freshness takes"):
        freshness_of({"mesh": {"freshness": stated}})


@pytest.mark.parametrize(
    "threshold",
    [
        None,
        "24h",
        {},
        {"count": 24},
        {"period": "hour"},
        {"count": 0, "period": "hour"},
        {"count": -1, "period": "day"},
        {"count": 1.5, "period": "day"},
        {"count": "24", "period": "hour"},
        {"count": True, "period": "hour"},
        {"count": 24, "period": "hours"},
        {"count": 24, "period": "hour", "filter": "x"},
    ],
)
def test_a_threshold_that_dbt_would_not_take_names_its_key(threshold: object) -> None:
    with pytest.raises(ValueError, match=r"meta\.mesh\.freshness\.error_after"):
        freshness_of({"mesh": {"freshness": {"error_after": threshold}}})
