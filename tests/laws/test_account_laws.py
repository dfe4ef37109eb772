"""An account goes into a document and comes back; all else is refused in words; and the names of SHOW are read."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.account.shown import named
from registry_tools.errors import DocumentError
from registry_tools.intake.account_file import read_account_file
from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable
from registry_tools.mesh.account_document import Seen, account_bytes, read_account

_part = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_plain = st.sampled_from(["DBT_UP_PROD", "MARTS", "ORDERS", "A", "Price List", 'say "no"', "größe", "a.b"])
_words = st.sampled_from(["SELECT", "USAGE", "CREATE SCHEMA", "MANAGE GRANTS", "CREATE FILE FORMAT"])
_kinds = st.sampled_from(["ROLE", "USER", "DATABASE", "SCHEMA", "TABLE", "DATABASE ROLE", "FILE FORMAT", "SHARE"])
_things = st.builds(Securable, _kinds, st.lists(_plain | _part, min_size=1, max_size=3).map(tuple)) | st.just(
    Securable("ACCOUNT")
)
_entries = st.builds(
    Entry, owner=st.none() | _things, settings=st.dictionaries(_words | _part, _part | st.just(""), max_size=3)
)
_accounts = st.builds(
    Account,
    objects=st.dictionaries(_things, _entries, max_size=5),
    grants=st.frozensets(st.builds(Grant, _words, _things, _things), max_size=5),
    future=st.frozensets(st.builds(FutureGrant, _words, _kinds, _things, _things), max_size=3),
    memberships=st.frozensets(st.builds(Membership, _things, _things), max_size=3),
)
_seen = st.builds(Seen, account=_accounts, name=_part, role=_part, at=_part)
_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(_seen)
def test_an_account_comes_back_from_its_document(seen: Seen) -> None:
    content = account_bytes(seen)
    assert read_account(content) == seen
    assert account_bytes(read_account(content)) == content


@given(_seen)
def test_every_thing_has_a_line_of_its_own(seen: Seen) -> None:
    account = seen.account
    things = [*account.objects, *account.grants, *account.future, *account.memberships]
    empty = sum(not held for held in (account.objects, account.grants, account.future, account.memberships))
    assert len(account_bytes(seen).decode().split("\n")) == len(things) + 6 + 2 * (4 - empty) + empty + 1


@given(st.binary(max_size=60) | _json.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_account_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_account(content)


@given(_seen, st.data())
def test_a_document_that_somebody_has_changed_is_an_account_or_refused(seen: Seen, data: st.DataObject) -> None:
    document = json.loads(account_bytes(seen))
    key = data.draw(st.sampled_from(sorted(document)))
    held = document[key]
    if isinstance(held, list) and held:
        at = data.draw(st.integers(0, len(held) - 1))
        inner = data.draw(st.sampled_from(sorted(held[at])))
        held[at][inner] = data.draw(_json)
    else:
        document[key] = data.draw(_json)
    with contextlib.suppress(ValueError):
        assert isinstance(read_account(json.dumps(document).encode()), Seen)


def _document(**changes: Any) -> bytes:
    lists: dict[str, Any] = {"objects": [], "grants": [], "future": [], "memberships": []}
    return json.dumps({"version": 1, "name": "A", "role": "R", "at": "now", **lists, **changes}).encode()


ROLE = {"kind": "ROLE", "name": ["R"]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": 2}, "version 2 is not known here"),
        ({"version": 2, "more": 1}, "version 2 is not known here"),
        ({"more": 1}, "unknown field `more`"),
        ({"objects": [{"thing": ROLE}, {"thing": ROLE}]}, "listed twice"),
        ({"objects": [{"thing": {"kind": "ROLE", "name": []}}]}, "0 parts"),
        ({"objects": [{"thing": {"kind": "ACCOUNT", "name": ["X"]}}]}, "1 parts"),
        ({"objects": [{"thing": {"kind": "TABLE", "name": ["A", "B", "C", "D"]}}]}, "4 parts"),
        ({"objects": [{"thing": {"kind": "ROLE", "name": [""]}}]}, "empty or too long"),
        ({"objects": [{"thing": {"kind": "ROLE", "name": ["x" * 800]}}]}, "empty or too long"),
        ({"objects": [{"thing": {"kind": "role; drop", "name": ["X"]}}]}, "no kind"),
        ({"grants": [{"privilege": "select'", "on": ROLE, "to": ROLE}]}, "no privilege"),
        ({"future": [{"privilege": "SELECT", "kind": "table", "within": ROLE, "to": ROLE}]}, "no kind"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    file = tmp_path / "account.json"
    file.write_bytes(_document(**changes))
    with pytest.raises(DocumentError, match=says) as caught:
        read_account_file(file)
    assert caught.value.where == str(file)
    assert "mesh snowflake snapshot" in caught.value.then


@given(
    _kinds.filter(lambda kind: kind not in {"SHARE", "ROLE", "USER", "DATABASE"}),
    st.lists(_plain, min_size=2, max_size=3),
)
def test_a_name_is_read_as_show_grants_writes_it(kind: str, parts: list[str]) -> None:
    thing = Securable(kind, tuple(parts))
    assert named(kind, thing.path) == thing


@given(st.sampled_from(["ROLE", "USER", "DATABASE", "WAREHOUSE"]), _plain)
def test_a_name_of_one_part_is_read_quoted_or_as_it_is(kind: str, part: str) -> None:
    thing = Securable(kind, (part,))
    assert named(kind, thing.path) == thing
    if '"' not in part:
        assert named(kind, part) == thing


@pytest.mark.parametrize("written", ["READER", "DBT_UP_PROD.READER"])
def test_a_database_role_is_read_with_and_without_its_database(written: str) -> None:
    assert named("DATABASE ROLE", written, "DBT_UP_PROD") == Securable("DATABASE ROLE", ("DBT_UP_PROD", "READER"))


@pytest.mark.parametrize("written", ["SALES", "ACME.PROD.SALES"])
def test_a_share_is_read_with_and_without_its_account(written: str) -> None:
    assert named("SHARE", written) == Securable("SHARE", ("SALES",))


def test_a_name_that_is_none_is_kept_as_it_is() -> None:
    assert named("FUNCTION", '"unfinished') == Securable("FUNCTION", ('"unfinished',))


@pytest.mark.parametrize(
    ("kind", "written", "parts"),
    [
        ("TABLE", "DBT_UP_PROD.MARTS.price list", ("DBT_UP_PROD", "MARTS", "price list")),
        ("EXTERNAL TABLE", "DBT_UP_PROD.MARTS.Straße", ("DBT_UP_PROD", "MARTS", "Straße")),
        ("SCHEMA", "DBT_UP_PROD.marts", ("DBT_UP_PROD", "marts")),
        ("DATABASE ROLE", "reader", ("DBT_UP_PROD", "reader")),
        ("DATABASE ROLE", "DBT_UP_PROD.reader", ("DBT_UP_PROD", "reader")),
        ("ROLE", "first.last@acme.example", ("first.last@acme.example",)),
        ("TABLE", "A.b..c", ("A.b..c",)),
        ("SHARE", "ACME.FAKE.my share", ("my share",)),
    ],
)
def test_a_name_without_the_quotes_that_it_needs_is_what_it_seems(
    kind: str, written: str, parts: tuple[str, ...]
) -> None:
    """Otherwise what it names would stand in no database, and be nobody's business."""
    assert named(kind, written, "DBT_UP_PROD") == Securable(kind, parts)
