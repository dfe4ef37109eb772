"""A verdict in, annotations of a pull request out: one for each change that is refused, hurts somebody or was approved.

The files are those of the upstream, where its pull request is; the consumers' stand in the message.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Final

from registry_tools.artifacts.change_report import values
from registry_tools.artifacts.verdict_words import (
    consumer_words,
    counted,
    hurt,
    level_of,
    node_words,
    outcome_words,
    owner_words,
    reason_words,
    target,
    worst_first,
)
from registry_tools.artifacts.workflow_command import annotation
from registry_tools.mesh.change import Change
from registry_tools.mesh.impact import Impact
from registry_tools.mesh.use import Place
from registry_tools.mesh.verdict import Judged, Verdict

# GitHub shows an annotation in the margin of a file: what is more stands in the report.
_CONSUMERS: Final = 10
_NODES: Final = 3


def verdict_annotations(verdict: Verdict, places: Mapping[str, Place], folder: PurePath) -> str:
    """A workflow command for each loud change, at its column's place in the upstream's files, else at its model's.

    `places` has them by the model's label, or by label and column (`public_orders.amount`), relative to the project;
    `folder` is the project's, seen from the repository's root.
    """
    return "".join(
        annotation(
            level, _title(judged), tuple(message_lines(judged, verdict)), place_of(judged.change, places), folder
        )
        for judged in verdict.judged
        if (level := level_of(judged))
    )


def place_of(change: Change, places: Mapping[str, Place]) -> Place | None:
    """Where the upstream's own files speak of what changed; None where nobody knows, or it is of the whole project."""
    if change.model is None:
        return None
    return places.get(f"{change.model}.{change.column}") or places.get(change.model)


def message_lines(judged: Judged, verdict: Verdict) -> Iterator[str]:
    """What changes, why it may go on or may not, and whom it hurts at which line."""
    change = judged.change
    yield f"{target(verdict)}: {' '.join(part for part in (change.object, values(change)) if part)}"
    yield judged.classified.says
    yield ": ".join(outcome_words(judged))
    impacts = hurt(judged)
    for impact in impacts[:_CONSUMERS]:
        yield from _consumer_lines(impact)
    if len(impacts) > _CONSUMERS:
        yield f"...and {counted(len(impacts) - _CONSUMERS, 'consumer')} besides"
    for advice in judged.advice:
        command = f":  {advice.paste}" if advice.way == "approve" else ""
        yield f"{advice.way}: {advice.says}{command}"


def _consumer_lines(impact: Impact) -> Iterator[str]:
    yield " ".join(part for part in (impact.effect, consumer_words(impact), owner_words(impact.owner)) if part)
    for reason in worst_first(impact.reasons)[:_NODES]:
        where = " ".join(part for part in (node_words(reason), reason.place) if part)
        yield f"  {where}: {reason_words(reason)}"
    if len(impact.reasons) > _NODES:
        yield f"  ...and {counted(len(impact.reasons) - _NODES, 'place')} besides"


def _title(judged: Judged) -> str:
    return f"mesh: {judged.kind} {judged.change.rule}"
