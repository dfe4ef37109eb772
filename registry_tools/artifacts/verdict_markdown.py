"""A verdict in, a pull request's comment out: the answer, whom it hurts and where, what to do, and the rest folded.

Names and reasons are what somebody wrote: GitHub shows them and does not act upon them (artifacts.markdown_text).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

from registry_tools.artifacts.change_report import values
from registry_tools.artifacts.markdown_text import code, fenced, prose
from registry_tools.artifacts.verdict_words import (
    MEANS,
    answer_words,
    circumstances,
    consumer_words,
    counted,
    hurt,
    level_of,
    next_words,
    node_words,
    outcome_words,
    owner_words,
    quiet_words,
    reading_words,
    reason_words,
    shown_effects,
    target,
    worst_first,
)
from registry_tools.mesh.impact import Impact, Reason
from registry_tools.mesh.verdict import Advice, Judged, Reader, Verdict

# GitHub refuses a comment of more than 65,536 characters. Each part may fill the comment up to its own mark, so that
# a long one leaves room for those after it.
_HURT: Final = 28_000
_WAYS: Final = 44_000
_QUIET: Final = 50_000
_REMARKS: Final = 54_000
_READERS: Final = 59_000
_LONGEST: Final = 500  # of one text
_LONGEST_PASTE: Final = 6_000
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.@-]")

_Item = TypeVar("_Item")
_HurtPlace: TypeAlias = tuple[Judged, Impact, Reason | None]


def marker(project: str, environment: str) -> str:
    """The first line of the comment, by which CI finds the one that it wrote before."""
    return f"<!-- mesh-check {_FOREIGN.sub('?', f'{project}@{environment}')} -->"


def verdict_markdown(verdict: Verdict) -> str:
    """At most 60,000 characters; what does not fit is left out part by part, and each says how much that is."""
    loud = [judged for judged in verdict.judged if level_of(judged)]
    quiet = [judged for judged in verdict.judged if not level_of(judged)]
    text = "".join(f"{line}\n" for line in _head(verdict))
    text += _hurt(loud, _HURT - len(text))
    text += _part("", loud, _ways, "", "change", _WAYS - len(text))
    noticed = f"{counted(len(quiet), 'change')} that nobody is known to notice"
    text += _folded(noticed, _QUIET_TABLE, quiet, _quiet_row, _QUIET - len(text))
    remarks = (*verdict.notices, *reading_words(verdict))
    text += _part("\n", remarks, lambda remark: f"- {_prose(remark)}\n", "", "note", _REMARKS - len(text))
    looked = f"{counted(len(verdict.readers), 'consumer')} looked at"
    return text + _folded(looked, _READER_TABLE, verdict.readers, _reader_row, _READERS - len(text))


def _head(verdict: Verdict) -> Iterator[str]:
    yield marker(verdict.project, verdict.environment)
    yield f"### {_code(target(verdict))}: {answer_words(verdict)}"
    yield ""
    yield f"{_code(verdict.old)} to {_code(verdict.new)} ({circumstances(verdict)})"
    if verdict.judged:
        yield ""
        yield f"**next:** {next_words(verdict)}"


def _hurt(loud: list[Judged], room: int) -> str:
    """Who is hurt: a row for each node that a change reaches, the worst hurt of each change first."""
    places = [(judged, impact, reason) for judged in loud for impact in hurt(judged) for reason in _told(impact)]
    legend = "; ".join(f"{effect}: {MEANS[effect]}" for effect in shown_effects(loud) if effect != "UNAFFECTED")
    return _part(_HURT_TABLE, places, _hurt_row, f"\n{legend}\n", "place", room)


def _told(impact: Impact) -> tuple[Reason | None, ...]:
    return worst_first(impact.reasons) or (None,)


def _hurt_row(place: _HurtPlace) -> str:
    judged, impact, reason = place
    where = ("", "", "") if reason is None else (node_words(reason), reason.place, reason_words(reason))
    effect = impact.effect if reason is None else reason.effect
    change = f"{judged.change.rule} {_code(judged.change.object)}"
    cells = (_code(consumer_words(impact)), _prose(owner_words(impact.owner)), _code(where[0]), _code(where[1]))
    return _row(f"**{effect}**", *cells, change, _prose(where[2]))


def _ways(judged: Judged) -> str:
    """One change: what it is, why it may go on or may not, and the ways to do without hurting anybody."""
    change = judged.change
    facts = " ".join(part for part in (_code(change.object), _code(values(change))) if part)
    kind = f"{judged.kind} {judged.classified.code}".rstrip()
    text = f"\n#### {change.rule} {facts}\n\n{_prose(kind)}: {_prose(judged.classified.says)}\n\n"
    outcome, why = outcome_words(judged)
    text += f"**{outcome}**: {_prose(why)}\n"
    return text + "".join(_advice(advice, "or" if at else "next") for at, advice in enumerate(judged.advice))


def _advice(advice: Advice, word: str) -> str:
    text = f"\n**{word}:** {_prose(advice.says)}\n"
    lines = advice.paste.count("\n") + 1
    if not advice.paste:
        return text
    if len(advice.paste) > _LONGEST_PASTE:
        return f"{text}\n(what to paste has {lines:,} lines: mesh check --verbose prints it)\n"
    if advice.way == "approve":
        return f"{text}\n{fenced(advice.paste, 'sh')}"
    language = "sql" if advice.way == "alias" else "yaml"
    return f"{text}\n<details><summary>what to paste</summary>\n\n{fenced(advice.paste, language)}\n</details>\n"


def _quiet_row(judged: Judged) -> str:
    change = judged.change
    why = _prose(quiet_words(judged))
    return _row(change.sign, change.rule, _code(change.object), _code(values(change)), judged.kind, why)


def _reader_row(reader: Reader) -> str:
    compiled = "yes" if reader.verified else ""
    return _row(
        _code(consumer_words(reader)),
        _prose(owner_words(reader.owner)),
        f"{reader.nodes:,}",
        f"{reader.unread:,}",
        compiled,
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _table(*heads: str) -> str:
    return f"\n{_row(*heads)}|{'---|' * len(heads)}\n"


_HURT_TABLE: Final = _table("", "consumer", "owner", "node", "where", "change", "why")
_QUIET_TABLE: Final = _table("", "change", "of", "before, after", "class", "why")
_READER_TABLE: Final = _table(
    "consumer", "owner", "nodes that read this", "of them with columns not known", "compiled again"
)


def _folded(summary: str, table: str, items: Sequence[_Item], row: Callable[[_Item], str], room: int) -> str:
    head = f"\n<details><summary>{summary}</summary>\n{table}"
    return _part(head, items, row, "\n</details>\n", "row", room)


def _part(head: str, items: Sequence[_Item], block: Callable[[_Item], str], foot: str, noun: str, room: int) -> str:
    """The blocks that fit, whole, between head and foot, and how many do not; nothing where there are none at all."""
    text, told = head, 0
    for item in items:
        following = block(item)
        if len(text) + len(following) + len(foot) > room:
            break
        text += following
        told += 1
    if told < len(items):
        text += f"\n...and {counted(len(items) - told, noun)} more, for which a comment has no room\n"
    return text + foot if items else ""


def _code(text: str) -> str:
    return code(_short(text))


def _prose(text: str) -> str:
    return prose(_short(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
