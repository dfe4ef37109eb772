"""Notices as they are sent: golden messages, a schema that holds, and texts that act on nobody's screen."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped]  # dbt brings it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.artifacts.notice_document import MAX_BODY, encoded, notice_document
from registry_tools.artifacts.notice_slack import MAX_TEXT, notice_slack
from registry_tools.artifacts.notice_words import headline, short
from registry_tools.mesh.notice import EVENTS, Concerned, Difference, Event, Leaving, Notice, notice_id
from registry_tools.mesh.publication import Actor
from registry_tools.mesh.verdict import CLASSES
from tests.golden import assert_stands
from tests.notices import NOTICES, REMOVED, notice
from tests.unit.test_change_report import HOSTILE

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests/cases/notices"
SCHEMA = json.loads((REPOSITORY / "docs/notifications.schema.json").read_text())
WORSE = [*HOSTILE, "@channel @here", "<!channel>", "<@U0123> <#C01|x>", "`` ` ```", "> quoted", "&amp;", "\ud800"]

texts = st.one_of(st.sampled_from(WORSE), st.text(max_size=200))
differences = st.builds(
    Difference,
    rule=texts,
    object=texts,
    kind=st.sampled_from(CLASSES),
    before=st.none() | texts,
    after=st.none() | texts,
    outcome=st.sampled_from([None, "allowed", "approved", "unknown", "refused"]),
)
going = st.builds(Leaving, model=texts, day=st.dates().map(str), instead=st.none() | texts)
owners = st.dictionaries(st.sampled_from(["team", "contact", "email"]), texts)
concerned = st.builds(
    Concerned,
    consumer=texts,
    environment=texts,
    effect=st.sampled_from([None, "BROKEN", "UNKNOWN", "AFFECTED"]),
    owner=owners,
    reads=st.lists(texts, max_size=4).map(tuple),
)
repeated = st.integers(1, 70)
written = st.fixed_dictionaries(
    {
        "changes": st.lists(differences, max_size=3).map(tuple),
        "leaving": st.lists(going, max_size=3).map(tuple),
        "concerned": st.lists(concerned, max_size=3).map(tuple),
        "reason": texts,
    }
)
actors = st.builds(Actor, repository=texts, ref=texts, account=texts)


def many_times(parts: dict[str, Any], many: int, by: Actor) -> Notice:
    return notice(**{name: part * many for name, part in parts.items()}, actor=by)


@pytest.mark.parametrize("case", NOTICES)
def test_the_messages_are_those_of_the_golden_files(case: str) -> None:
    document = json.dumps(notice_document(NOTICES[case]), indent=2, ensure_ascii=False)
    assert_stands(GOLDEN / f"{case}.json", f"{document}\n")
    assert_stands(GOLDEN / f"{case}.slack", f"{notice_slack(NOTICES[case])['text']}\n")


def test_every_event_has_a_golden_message() -> None:
    assert {one.event for one in NOTICES.values()} == set(EVENTS) == set(get_args(Event))
    assert set(SCHEMA["properties"]["event"]["enum"]) == set(EVENTS)


def test_the_schema_lists_the_keys_that_are_sent() -> None:
    document = notice_document(NOTICES["publication"])
    assert list(document) == SCHEMA["required"] == list(SCHEMA["properties"])
    for part, name in (("changes", "change"), ("leaving", "leaving"), ("consumers", "consumer")):
        assert list(document[part][0]) == SCHEMA["$defs"][name]["required"] == list(SCHEMA["$defs"][name]["properties"])
    for part in ("actor", "counts", "more"):
        assert set(document[part]) == set(SCHEMA["properties"][part]["required"])


@given(written, repeated, actors)
def test_whatever_somebody_wrote_the_document_fits_its_schema_and_its_size(
    parts: dict[str, Any], many: int, by: Actor
) -> None:
    document = notice_document(many_times(parts, many, by))
    jsonschema.validate(document, SCHEMA)
    content = encoded(document)
    assert len(content) <= MAX_BODY
    assert json.loads(content) == document
    assert all(line.isprintable() for line in _texts(document))
    assert "email" not in {key for one in document["consumers"] for key in one["owner"]}


@given(written, repeated, actors)
def test_whatever_somebody_wrote_mentions_nobody_and_links_nowhere(parts: dict[str, Any], many: int, by: Actor) -> None:
    text = notice_slack(many_times(parts, many, by))["text"]
    assert len(text) <= MAX_TEXT
    assert not re.search(r"[<>]", text)
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    assert not re.search(r"(?<!\w)@\w", text)
    for line in text.splitlines():
        assert line.replace("\u2060", "").isprintable()
        # what is left beside code is ours: letters, digits and the marks of a sentence
        assert line.count("`") % 2 == 0
        outside = re.sub(r"`[^`]*`", "", line)
        assert re.fullmatch(r"[\w .,:•*@#-]*", outside), outside
        assert "http" not in outside


def test_what_is_too_much_is_cut_and_counted() -> None:
    many = notice(changes=(REMOVED,) * 500, concerned=(), leaving=())
    document = notice_document(many)
    assert (len(document["changes"]), document["more"]["changes"], document["counts"]["BREAKING"]) == (40, 460, 500)
    assert "and 490 more changes" in notice_slack(many)["text"]
    wide = Difference(rule="column-removed", object="😀" * 160, kind="SAFE", before="😀" * 160, after="😀" * 160)
    cut = notice_document(notice(changes=(wide,) * 41))
    assert 0 < len(cut["changes"]) < 40
    assert len(cut["changes"]) + cut["more"]["changes"] == 41


def test_a_long_text_is_cut_where_it_stops_being_read() -> None:
    assert short("x" * 160) == "x" * 160
    assert short("x" * 161) == "x" * 159 + "…"
    assert short("a\nb\x1b[2J") == "a\\nb\\x1b[2J"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"changes": (REMOVED,)}, "dbt_up@prod#42 is published: 1 change, 1 BREAKING"),
        ({"event": "deprecation", "days": 1}, "1 public model of dbt_up@prod leaves within 1 day"),
        ({"event": "refusal", "changes": None}, "dbt_up@prod is not published: 0 of 0 changes are refused"),
    ],
)
def test_headlines_count(changes: dict[str, Any], says: str) -> None:
    assert headline(notice(**changes)) == says


def test_what_an_actor_cannot_be_is_left_out() -> None:
    """A record is anybody's who may write to the registry, and an address may be a person's."""
    document = notice_document(notice(actor=Actor(account="ann@example.com", ref="<!here>", system="github")))
    assert document["actor"] == dict.fromkeys(SCHEMA["properties"]["actor"]["required"]) | {"system": "github"}


def test_an_id_is_of_the_event_and_of_all_its_facts() -> None:
    ids = [notice_id("yank", facts) for facts in (("a", "b"), ("ab",), ("b", "a"), ())]
    assert len({*ids, notice_id("rollback", ("a", "b"))}) == 5
    assert ids[0] == notice_id("yank", ["a", "b"])


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
