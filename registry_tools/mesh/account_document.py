"""An account as somebody saw it, to and from the bytes of a JSON document that people can read and compare.

Each thing and each grant has a line of its own, in a fixed order, so that a changed account is a readable diff.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable

VERSION: Final = 1
# With points: CREATE SNOWFLAKE.ML.FORECAST is a privilege (behaviour change 1462).
_WORDS: Final = re.compile(r"[A-Z][A-Z0-9]*(?:[ _.][A-Z0-9]+)*")
_MOST: Final = 255  # characters of an identifier (Identifier Requirements); a function's name has its arguments in it
_MOST_PARTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """An account as one role saw it at one time (ISO 8601, UTC). A role sees only what it has to do with."""

    account: Account
    name: str
    role: str
    at: str


class _Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    name: list[str]

    @classmethod
    def of(cls, securable: Securable) -> "_Thing":
        return cls(kind=securable.kind, name=list(securable.name))

    def securable(self) -> Securable:
        _expect_words(self.kind, "kind")
        if len(self.name) > _MOST_PARTS or (not self.name) != (self.kind == "ACCOUNT"):
            raise ValueError(f"{self.kind} has a name of {len(self.name)} parts")
        if not all(0 < len(part) <= _MOST * _MOST_PARTS for part in self.name):
            raise ValueError(f"a part of a {self.kind}'s name is empty or too long")
        return Securable(self.kind, tuple(self.name))


class _Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    thing: _Thing
    owner: _Thing | None = None
    settings: dict[str, str] = {}


class _Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    privilege: str
    on: _Thing
    to: _Thing


class _Future(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    privilege: str
    kind: str
    within: _Thing
    to: _Thing
    inherited: bool = False


class _Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: _Thing
    to: _Thing


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    name: str
    role: str
    at: str
    objects: list[_Object]
    grants: list[_Grant]
    future: list[_Future]
    memberships: list[_Membership]


class _Head(msgspec.Struct, frozen=True):
    version: int


# Made once and here, because callers may run in threads (see mesh.interface).
_HEAD_DECODER: Final = msgspec.json.Decoder(_Head)
_DECODER: Final = msgspec.json.Decoder(_Document)
_ENCODER: Final = msgspec.json.Encoder()


def account_bytes(seen: Seen) -> bytes:
    """The document. The same account seen the same way gives the same bytes."""
    account = seen.account
    head = {"version": VERSION, "name": seen.name, "role": seen.role, "at": seen.at}
    lists: Mapping[str, Iterable[msgspec.Struct]] = {
        "objects": (
            _Object(
                thing=_Thing.of(thing),
                owner=_Thing.of(entry.owner) if entry.owner else None,
                settings=dict(sorted(entry.settings.items())),
            )
            for thing, entry in sorted(account.objects.items(), key=lambda item: item[0])
        ),
        "grants": (
            _Grant(privilege=grant.privilege, on=_Thing.of(grant.on), to=_Thing.of(grant.to))
            for grant in sorted(account.grants, key=lambda grant: (grant.to, grant.on, grant.privilege))
        ),
        "future": (
            _Future(
                privilege=each.privilege,
                kind=each.kind,
                within=_Thing.of(each.within),
                to=_Thing.of(each.to),
                inherited=each.inherited,
            )
            for each in sorted(
                account.future, key=lambda each: (each.to, each.within, each.kind, each.privilege, each.inherited)
            )
        ),
        "memberships": (
            _Membership(role=_Thing.of(each.role), to=_Thing.of(each.to)) for each in sorted(account.memberships)
        ),
    }
    written = [f"{_json(key)}: {_json(value)}" for key, value in head.items()]
    written += [f"{_json(key)}: {_listed(lines)}" for key, lines in lists.items()]
    return ("{\n  " + ",\n  ".join(written) + "\n}\n").encode()


def read_account(content: bytes) -> Seen:
    """What `account_bytes` wrote. Raises ValueError that says what is wrong with it, and where."""
    version = _HEAD_DECODER.decode(content).version
    if version != VERSION:
        raise ValueError(f"version {version} is not known here")
    document = _DECODER.decode(content)
    account = Account(
        objects={
            each.thing.securable(): Entry(
                owner=each.owner.securable() if each.owner else None, settings=dict(each.settings)
            )
            for each in document.objects
        },
        grants=frozenset(
            Grant(_expect_words(each.privilege, "privilege"), each.on.securable(), each.to.securable())
            for each in document.grants
        ),
        future=frozenset(
            FutureGrant(
                _expect_words(each.privilege, "privilege"),
                _expect_words(each.kind, "kind"),
                each.within.securable(),
                each.to.securable(),
                each.inherited,
            )
            for each in document.future
        ),
        memberships=frozenset(Membership(each.role.securable(), each.to.securable()) for each in document.memberships),
    )
    if len(account.objects) != len(document.objects):
        raise ValueError("something is listed twice in 'objects'")
    return Seen(account=account, name=document.name, role=document.role, at=document.at)


def _expect_words(text: str, what: str) -> str:
    if not _WORDS.fullmatch(text):
        raise ValueError(f"{text!r} is no {what} of Snowflake's")
    return text


def _listed(lines: Iterable[msgspec.Struct]) -> str:
    written = [f"    {_json(line)}" for line in lines]
    return "[\n" + ",\n".join(written) + "\n  ]" if written else "[]"


def _json(value: Any) -> str:  # noqa: ANN401  # a struct or a text
    return _ENCODER.encode(value).decode()
