"""A notice in, the words for it out that every form of it has: one sentence, and texts that are short enough."""

from typing import Final

from registry_tools.artifacts.verdict_words import counted
from registry_tools.mesh.notice import Notice
from registry_tools.mesh.printable import printable

# What is told is read in passing: whoever wants a text whole asks mesh diff or mesh show.
_LONGEST: Final = 160


def short(text: str) -> str:
    """The text on one line, cut where it is longer than one reads in passing."""
    told = printable(text)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"


def headline(notice: Notice) -> str:
    """What happened: `dbt_up@prod#42 is published: 3 changes, 1 of them BREAKING`."""
    place = f"{notice.project}@{notice.environment}"
    match notice.event:
        case "publication":
            return f"{notice.now} is published: {_changed(notice)}"
        case "rollback":
            return f"{place} went back to {notice.publication}: {_changed(notice)}"
        case "yank":
            return f"{notice.publication} of {place} is withdrawn: {_changed(notice)}"
        case "refusal":
            of = f" of {counted(len(notice.changes or ()), 'change')}"
            return f"{place} is not published: {notice.refused:,}{of} {_be(notice.refused)} refused"
        case _:
            models = counted(len(notice.leaving), "public model")
            verb = "leaves" if len(notice.leaving) == 1 else "leave"
            return f"{models} of {place} {verb} within {counted(notice.days, 'day')}"


def _changed(notice: Notice) -> str:
    if notice.was is None:
        return "the first publication"
    if notice.changes is None:
        return f"what changed is not known, because {notice.was} is no longer kept"
    if not notice.changes:
        return "nothing changed for readers"
    breaking = notice.counts["BREAKING"]
    return f"{counted(len(notice.changes), 'change')}{f', {breaking:,} BREAKING' * bool(breaking)}"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"
