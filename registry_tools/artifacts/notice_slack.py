"""A notice in, the message of a Slack-compatible webhook out: text that mentions nobody and links nowhere.

What somebody else wrote stands in code, in which Slack and those that imitate it (Mattermost, Rocket.Chat) look for no
mention, link or emoji. See Slack, Formatting text for app surfaces: of a text `&`, `<` and `>` are escaped.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from registry_tools.artifacts.notice_words import headline, short
from registry_tools.artifacts.verdict_words import owner_words
from registry_tools.mesh.notice import Concerned, Difference, Leaving, Notice

# Characters. Slack advises 4,000 at most and shows no more than a few lines before "see more".
MAX_TEXT: Final = 3_500
# How many lines of a kind are told: the first of these with which the text is short enough.
_MOST: Final = (10, 5, 2, 0)
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "'"}
# Mattermost knows mentions by their names alone; a word joiner parts them and is not seen.
_MENTION: Final = re.compile(r"(?<!\w)@(?=\w)")
_JOINER: Final = "\u2060"


def notice_slack(notice: Notice) -> dict[str, Any]:
    """The body of the request: a text alone, which every imitation of Slack's webhooks understands."""
    texts = ("\n".join(_lines(notice, most)) for most in _MOST)
    return {"text": next(text for text in texts if len(text) <= MAX_TEXT)}


def _lines(notice: Notice, most: int) -> Iterator[str]:
    yield f"*{_plain(headline(notice))}*"
    if notice.reason:
        yield f"because {_code(notice.reason)}"
    yield from _cut([_change(change) for change in notice.changes or ()], most, "more changes")
    yield from _cut([_leaving(leaving) for leaving in notice.leaving], most, "more that leave")
    yield from _cut([_concerned(one) for one in notice.concerned], most, "more consumers")
    yield f"by {_code(str(notice.actor))}"


def _cut(lines: Sequence[str], most: int, more: str) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"and {len(lines) - most:,} {more}"


def _change(change: Difference) -> str:
    outcome = f" {change.outcome}" if change.outcome not in (None, "allowed") else ""
    return f"• {change.kind}{outcome} {_code(change.rule)} {_code(change.object)}"


def _leaving(leaving: Leaving) -> str:
    instead = f", use {_code(leaving.instead)} instead" if leaving.instead else ""
    return f"• {_code(leaving.model)} leaves on {_code(leaving.day)}{instead}"


def _concerned(one: Concerned) -> str:
    effect = f" {one.effect}" if one.effect else ""
    owner = f" {_code(words)}" if (words := owner_words(one.owner)) else ""
    reads = f" reads {', '.join(map(_code, one.reads[:3]))}" if one.reads else ""
    return f"• consumer {_code(str(one))}{effect}{owner}{reads}"


def _plain(text: str) -> str:
    """A sentence of ours: its names are proven, so that escaping is all there is to do."""
    return "".join(_ENTITIES.get(character, character) for character in text)


def _code(text: str) -> str:
    return f"`{_MENTION.sub(f'@{_JOINER}', _plain(short(text)))}`"
