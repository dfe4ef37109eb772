"""Selectors: every form says what it means, and what is none says how they are written."""

from datetime import UTC, datetime

import pytest

from registry_tools.errors import UsageError
from registry_tools.mesh.publication import Actor
from registry_tools.mesh.selector import FORMS, Selector, parse_selector
from registry_tools.registry.amendments import Amendment, roll_back
from registry_tools.registry.publications import Registry
from tests.registry.publishing import candidate, publication_id

DIGEST = "0123456789abcdef" * 4
PUBLICATION = "20260123T064541Z-0123456789ab"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("dbt_up@prod", {}),
        ("dbt_up@prod#1", {"n": 1}),
        ("dbt_up@prod#999999999999", {"n": 999_999_999_999}),
        (f"dbt_up@prod!sha256:{DIGEST}", {"digest": DIGEST}),
        (f"dbt_up@prod!sha256:{DIGEST[:12]}", {"digest": DIGEST[:12]}),
        (f"dbt_up@prod!{PUBLICATION}", {"publication": PUBLICATION}),
        ("dbt_up@prod@2026-11-01", {"moment": at(2026, 11, 1, 23, 59, 59, 999_999)}),
        ("dbt_up@prod@20261101", {"moment": at(2026, 11, 1, 23, 59, 59, 999_999)}),
        ("dbt_up@prod@2026-W44-7", {"moment": at(2026, 11, 1, 23, 59, 59, 999_999)}),
        ("dbt_up@prod@2026-W44", {"moment": at(2026, 10, 26, 23, 59, 59, 999_999)}),
        ("dbt_up@prod@9999-12-31", {"moment": at(9999, 12, 31, 23, 59, 59, 999_999)}),
        ("dbt_up@prod@2026-11-01T12", {"moment": at(2026, 11, 1, 12)}),
        ("dbt_up@prod@2026-11-01T12:30", {"moment": at(2026, 11, 1, 12, 30)}),
        ("dbt_up@prod@2026-11-01 12:30:05.25", {"moment": at(2026, 11, 1, 12, 30, 5, 250_000)}),
        ("dbt_up@prod@2026-11-01T12:30Z", {"moment": at(2026, 11, 1, 12, 30)}),
        ("dbt_up@prod@2026-11-01T12:30+02:00", {"moment": at(2026, 11, 1, 10, 30)}),
        ("dbt_up@prod@2026-11-01T00:30+02:00", {"moment": at(2026, 10, 31, 22, 30)}),
        ("dbt_up@prod@2026-11-01T00:00", {"moment": at(2026, 11, 1)}),
    ],
)
def test_every_form_says_what_it_means(text: str, fields: dict[str, object]) -> None:
    assert parse_selector(text) == Selector(project="dbt_up", environment="prod", **fields)  # type: ignore[arg-type]
    assert parse_selector(text).is_current is (fields == {})


def test_a_project_alone_is_meant_in_the_environment_that_is_given() -> None:
    assert parse_selector("dbt_up", "dev") == Selector(project="dbt_up", environment="dev")
    assert parse_selector("dbt_up@prod#3", "dev") == Selector(project="dbt_up", environment="prod", n=3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dbt_up",
        "@",
        "@prod",
        "dbt_up@",
        "dbt_up@prod#",
        "dbt_up@prod#0",
        "dbt_up@prod#-1",
        "dbt_up@prod#01",
        "dbt_up@prod#1.5",
        "dbt_up@prod#٣",
        "dbt_up@prod#9999999999999",
        "dbt_up@prod#1#2",
        "dbt_up@prod!",
        "dbt_up@prod!sha256:",
        "dbt_up@prod!sha256:0123456789a",
        f"dbt_up@prod!sha256:{DIGEST}0",
        f"dbt_up@prod!sha256:{DIGEST.upper()}",
        f"dbt_up@prod!md5:{DIGEST}",
        "dbt_up@prod!../../etc/passwd",
        f"dbt_up@prod!{PUBLICATION}\n",
        "dbt_up@prod@",
        "dbt_up@prod@tomorrow",
        "dbt_up@prod@2026-13-01",
        "dbt_up@prod@2026-02-30",
        "dbt_up@prod@2026-11-01T25:00",
        "dbt_up@prod@0001-01-01T00:00+23:00",
        "dbt_up@prod@2026-11-01@2026-11-02",
        "dbt_up@prod\n",
        "../up@prod",
        "dbt_up@../prod",
        "dbt_up@Prod",
        "_edges@prod",
        "con@prod",
        "dbt up@prod",
        "dbt_up@prod\x1b[2J",
        "dbt_up@prod#1\n",
        "x" * 10_000,
        "x" * 64 + "@prod",
        "@" * 1000,
    ],
)
def test_what_selects_nothing_says_how_it_is_written(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_selector(text)
    assert caught.value.then
    assert len(caught.value.what) < 200


def test_the_forms_are_told() -> None:
    with pytest.raises(UsageError, match="'dbt_up' selects nothing") as caught:
        parse_selector("dbt_up")
    assert caught.value.then == f"write {FORMS}"


# -- what they select of a log ----------------------------------------------------------------------------------------


@pytest.fixture
def filled(registry: Registry) -> Registry:
    """Three builds, one a day, and a rollback to the first; the first and the third have the same interface."""
    interface = candidate(1).interface
    for k in (1, 2, 3):
        same = {"interface": interface} if k == 3 else {}
        build = candidate(k, time=f"2026-11-0{k}T12:00:00+00:00", **same)
        registry.publish(build, lambda _current: None)
    amendment = Amendment(
        project="dbt_up", environment="prod", actor=Actor(), time="2026-11-04T12:00:00+02:00", reason="back"
    )
    second = Selector(project="dbt_up", environment="prod", n=2)
    roll_back(registry, amendment, second, lambda _before, _after: None)
    return registry


@pytest.mark.parametrize(
    ("rest", "n"),
    [
        ("", 4),
        ("#1", 1),
        ("#4", 4),
        ("@2026-11-01T12:00:00", 1),
        ("@2026-11-01", 1),
        ("@2026-11-02T11:59:59", 1),
        ("@2026-11-02", 2),
        ("@2026-11-02T23:59+14:00", 1),
        ("@2026-11-04T09:59:59Z", 3),
        ("@2026-11-04T10:00:00Z", 4),
        ("@2099-01-01", 4),
        (f"!{publication_id(1)}", 1),
        (f"!{publication_id(2)}", 4),
        (f"!{publication_id(3)}", 3),
    ],
)
def test_a_selector_finds_the_record_after_which_readers_got_it(filled: Registry, rest: str, n: int) -> None:
    assert filled.resolve(parse_selector(f"dbt_up@prod{rest}")).record.n == n


@pytest.mark.parametrize("length", [12, 13, 64])
def test_a_digest_or_its_beginning_finds_the_newest_of_it(filled: Registry, length: int) -> None:
    digest = candidate(1).interface.digest
    assert filled.resolve(parse_selector(f"dbt_up@prod!sha256:{digest[:length]}")).record.n == 3


@pytest.mark.parametrize(
    "rest", ["#5", "@2026-11-01T11:59:59", "@2026-10-31", f"!sha256:{'f' * 12}", f"!{PUBLICATION}"]
)
def test_what_never_was_says_where_to_look(filled: Registry, rest: str) -> None:
    with pytest.raises(UsageError, match="was never published") as caught:
        filled.resolve(parse_selector(f"dbt_up@prod{rest}"))
    assert caught.value.then == "mesh history dbt_up@prod shows what was"
