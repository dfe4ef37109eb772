"""A notice in, the JSON that a webhook is sent for programs out; docs/notifications.md describes its keys."""

import json
from collections.abc import Mapping
from typing import Any, Final

from registry_tools.artifacts.notice_words import headline, short
from registry_tools.mesh.notice import Concerned, Difference, Leaving, Notice
from registry_tools.mesh.publication import Actor

SCHEMA_VERSION: Final = 1
# Bytes. Many receivers take no more than 64 KB, and some frame what they got in JSON once more.
MAX_BODY: Final = 48 * 1024
# How many entries of a list are told: the first of these with which the body is small enough.
_MOST: Final = (40, 20, 10, 5, 0)


def notice_document(notice: Notice) -> dict[str, Any]:
    """The notice as it is sent, lists and texts cut to what fits; `more` says how many entries were left out.

    A key that does not apply is null, a list that has nothing is empty.
    """
    return next(found for most in _MOST if not most or len(encoded(found := _document(notice, most))) <= MAX_BODY)


def encoded(document: Mapping[str, Any]) -> bytes:
    """The very bytes that are sent, and signed."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _document(notice: Notice, most: int) -> dict[str, Any]:
    changes = notice.changes or ()
    return {
        "schema_version": SCHEMA_VERSION,
        "id": notice.id,
        "event": notice.event,
        "says": headline(notice),
        "project": short(notice.project),
        "environment": short(notice.environment),
        "time": short(notice.time),
        "was": _text(notice.was),
        "now": short(notice.now),
        "publication": _text(notice.publication),
        "actor": _actor(notice.actor),
        "reason": _text(notice.reason),
        "known": notice.changes is not None,
        "counts": {"changes": len(changes), "refused": notice.refused, **notice.counts},
        "changes": [_change(change) for change in changes[:most]],
        "leaving": [_leaving(leaving) for leaving in notice.leaving[:most]],
        "consumers": [_concerned(one, most) for one in notice.concerned[:most]],
        "more": {
            "changes": max(0, len(changes) - most),
            "leaving": max(0, len(notice.leaving) - most),
            "consumers": max(0, len(notice.concerned) - most),
        },
    }


def _text(text: str | None) -> str | None:
    return None if text is None else short(text)


def _actor(actor: Actor) -> dict[str, str | None]:
    """Those facts of the actor alone that look like such a fact, whoever wrote the record."""
    facts = {name: getattr(actor, name) for name in actor.__struct_fields__}
    known = Actor.of(facts)
    return {name: _text(getattr(known, name)) for name in facts}


def _change(change: Difference) -> dict[str, Any]:
    return {
        "rule": short(change.rule),
        "object": short(change.object),
        "class": change.kind,
        "before": _text(change.before),
        "after": _text(change.after),
        "outcome": change.outcome,
    }


def _leaving(leaving: Leaving) -> dict[str, Any]:
    return {"model": short(leaving.model), "day": short(leaving.day), "instead": _text(leaving.instead)}


def _concerned(one: Concerned, most: int) -> dict[str, Any]:
    return {
        "consumer": short(one.consumer),
        "environment": short(one.environment),
        "effect": one.effect,
        "owner": {key: short(one.owner[key]) for key in ("team", "contact") if one.owner.get(key)},
        "reads": [short(model) for model in one.reads[:most]],
    }
