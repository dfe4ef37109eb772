"""A verdict in, lines for a terminal out, in pieces that each have a style: what a colour says, a word says as well."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeVar

from registry_tools.artifacts.change_report import values
from registry_tools.artifacts.verdict_words import (
    MEANS,
    PRIVATE_MEANS,
    answer_words,
    circumstances,
    concerned,
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
from registry_tools.artifacts.workflow_command import inert_line
from registry_tools.mesh.impact import Effect, Impact, Reason
from registry_tools.mesh.verdict import Advice, Judged, Verdict

Style = Literal["plain", "strong", "quiet", "error", "warning", "note", "good"]

_EFFECT_STYLES: Final[dict[Effect, Style]] = {
    "BROKEN": "error",
    "UNKNOWN": "warning",
    "AFFECTED": "note",
    "UNAFFECTED": "good",
}
_ANSWER_STYLES: Final[dict[str, Style]] = {"yes": "good", "unknown": "warning", "no": "error"}
# As many as a person reads before the answer; `verbose` shows all.
_CHANGES: Final = 20
_CONSUMERS: Final = 8
_NODES: Final = 3
_HARMLESS: Final = 5
_PASTED: Final = 3  # changes whose text to paste is shown
_WIDEST: Final = 60  # what a longer name would add to every other line


class Segment(NamedTuple):
    """A piece of a line. Nothing obeys the text, and the style is for the eye alone."""

    text: str
    style: Style = "plain"


Line = tuple[Segment, ...]
_Item = TypeVar("_Item")


def verdict_text(verdict: Verdict, *, verbose: bool = False) -> Iterator[Line]:
    """The loud changes with whom they hurt, the quiet ones, what the words mean, the answer, and what to do next."""
    loud = [judged for judged in verdict.judged if level_of(judged)]
    told = _some(loud, _CHANGES, verbose=verbose)
    for number, judged in enumerate(told):
        yield from _change(judged, verbose=verbose, pasted=number < _PASTED)
    yield from _more(len(loud) - len(told), "change", "like these")
    yield from _concerned(loud, verbose=verbose)
    quiet = [judged for judged in verdict.judged if not level_of(judged)]
    yield from _harmless(quiet, verbose=verbose)
    yield from _remarks((*verdict.notices, *reading_words(verdict)), verbose=verbose)
    yield from _legend((*told, *quiet), verbose=verbose)
    yield (
        _shown(f"{target(verdict)}: ", "strong"),
        Segment(answer_words(verdict), _ANSWER_STYLES[verdict.answer]),
        _shown(f" (against {verdict.old}; {circumstances(verdict)})"),
    )
    if verdict.judged:
        yield Segment("next: ", "strong"), Segment(next_words(verdict))


def plain_text(lines: Iterable[Line]) -> str:
    """The same without any style, for a file or a pipe."""
    return "".join(f"{''.join(segment.text for segment in line)}\n" for line in lines)


def _shown(text: str, style: Style = "plain") -> Segment:
    return Segment(inert_line(text), style)


def _change(judged: Judged, *, verbose: bool, pasted: bool) -> Iterator[Line]:
    change = judged.change
    level = level_of(judged) or "note"
    yield (
        Segment(f"{level}: ", level),
        Segment(change.rule, "strong"),
        _shown(f"  {change.object}  {_beside(values(change))}"),
        _shown(f"{judged.kind} {judged.classified.code}".rstrip(), "quiet"),
    )
    yield (_shown(f"  {judged.classified.says}"),)
    outcome, why = outcome_words(judged)
    yield (Segment(f"  {outcome}: ", level), _shown(why))
    impacts = worst_first(judged.impacts) if verbose else hurt(judged)
    told = _some(impacts, _CONSUMERS, verbose=verbose)
    for impact in told:
        yield from _consumer(impact, verbose=verbose)
    yield from _more(len(impacts) - len(told), "consumer", indent="  ")
    yield from _ways(judged.advice, pasted=pasted, verbose=verbose)


def _consumer(impact: Impact, *, verbose: bool) -> Iterator[Line]:
    owner = owner_words(impact.owner)
    yield (
        Segment(f"  {impact.effect}", _EFFECT_STYLES[impact.effect]),
        _shown(f"  {consumer_words(impact)}", "strong"),
        _shown(f"  {owner}" if owner else ""),
    )
    told = _some(worst_first(impact.reasons), _NODES, verbose=verbose)
    rows = [(inert_line(node_words(reason)), inert_line(reason.place), reason) for reason in told]
    name, place = _width(row[0] for row in rows), _width(row[1] for row in rows)
    for node, at, reason in rows:
        yield (
            Segment(f"    {node:<{name}}  "),
            Segment(_beside(f"{at:<{place}}"), "strong"),
            _shown(f"{_milder(reason, impact)}{reason_words(reason)}"),
        )
    yield from _more(len(impact.reasons) - len(told), "place", indent="    ")


def _milder(reason: Reason, impact: Impact) -> str:
    """The effect on one node, where that is not the worst that its project has to bear."""
    return "" if reason.effect == impact.effect else f"{reason.effect}: "


def _ways(ways: Sequence[Advice], *, pasted: bool, verbose: bool) -> Iterator[Line]:
    """Each way in a line, a command beside it; of longer texts the first one is shown, which is the cheapest way's."""
    for number, advice in enumerate(ways):
        head = Segment("  or: " if number else "  next: ", "strong")
        lines = advice.paste.removesuffix("\n").split("\n")
        if len(lines) == 1:
            yield head, _shown(f"{advice.says}:  " if advice.paste else advice.says), _shown(advice.paste, "strong")
        elif pasted or verbose:
            yield head, _shown(f"{advice.says}:")
            yield from ((_shown(f"      {line}"),) for line in lines)
            pasted = False
        else:
            yield head, _shown(advice.says), Segment(f" ({len(lines)} lines to paste: mesh check --verbose)", "quiet")


def _concerned(loud: Sequence[Judged], *, verbose: bool) -> Iterator[Line]:
    """Consumer by consumer what stands above change by change, where more than one change hurts."""
    if sum(bool(hurt(judged)) for judged in loud) < 2:  # noqa: PLR2004  # one change says it all itself
        return
    everybody = concerned(loud)
    told = _some(everybody, _CONSUMERS, verbose=verbose)
    yield (Segment("in all:", "strong"),)
    rows = [(inert_line(consumer_words(impact)), counted(number, "change"), impact) for impact, number in told]
    name, times = _width(row[0] for row in rows), _width(row[1] for row in rows)
    for consumer, number, impact in rows:
        yield (
            Segment(f"  {impact.effect:<8}", _EFFECT_STYLES[impact.effect]),
            Segment(f"  {consumer:<{name}}", "strong"),
            _shown(f"  {number:<{times}}  {owner_words(impact.owner)}".rstrip()),
        )
    yield from _more(len(everybody) - len(told), "consumer", indent="  ")


def _harmless(quiet: Sequence[Judged], *, verbose: bool) -> Iterator[Line]:
    if not quiet:
        return
    alone = len(quiet) == 1
    if not alone:
        yield Segment("allowed: ", "good"), Segment(f"{counted(len(quiet), 'change')} that nobody is known to notice")
    told = _some(quiet, _HARMLESS, verbose=verbose)
    rows = [(judged.change.rule, inert_line(judged.change.object), judged) for judged in told]
    rule, named = _width(row[0] for row in rows), _width(row[1] for row in rows)
    for id_, object_, judged in rows:
        change = judged.change
        yield (
            Segment("allowed: " if alone else "  ", "good"),
            _shown(f"{change.sign} {id_:<{rule}}  {object_:<{named}}  {_beside(values(change))}"),
            Segment(judged.kind, "quiet"),
            _shown(f"  {quiet_words(judged)}".rstrip()),
        )
    yield from _more(len(quiet) - len(told), "change", indent="  ")


def _remarks(remarks: Sequence[str], *, verbose: bool) -> Iterator[Line]:
    told = _some(remarks, _CONSUMERS, verbose=verbose)
    for remark in told:
        yield Segment("note: ", "note"), _shown(remark)
    yield from _more(len(remarks) - len(told), "note")


def _legend(told: Sequence[Judged], *, verbose: bool) -> Iterator[Line]:
    means = [f"{effect} = {MEANS[effect]}" for effect in shown_effects(told) if verbose or effect != "UNAFFECTED"]
    if any(reason.name.startswith("private-") for one in told for impact in one.impacts for reason in impact.reasons):
        means.append(PRIVATE_MEANS)
    if means:
        yield (Segment("; ".join(means), "quiet"),)


def _more(number: int, noun: str, what: str = "", *, indent: str = "") -> Iterator[Line]:
    if number > 0:
        words = " ".join(word for word in (counted(number, noun), what) if word)
        yield (Segment(f"{indent}...and {words.replace(' ', ' more ', 1)} (--verbose shows all)", "quiet"),)


def _some(items: Sequence[_Item], most: int, *, verbose: bool) -> Sequence[_Item]:
    """As many as a person reads; a single one is not left out, as to say so takes its line."""
    return items if verbose or len(items) <= most + 1 else items[:most]


def _beside(text: str) -> str:
    return f"{text}  " if text else ""


def _width(texts: Iterable[str]) -> int:
    return min(_WIDEST, max(map(len, texts), default=0))
