"""Parts of a verdict in, the words out that every report has for them; whoever shows them makes them printable."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from registry_tools.mesh.impact import EFFECTS, REASONS, Effect, Impact, Reason
from registry_tools.mesh.use import Level
from registry_tools.mesh.verdict import MODES, NOTHING, Judged, Reader, Verdict

MEANS: Final[Mapping[Effect, str]] = {
    "BROKEN": "its SQL stops working, or reads something else",
    "UNKNOWN": "what it reads is not known, so that it may be broken",
    "AFFECTED": "its SQL still works, and its results may differ",
    "UNAFFECTED": "it notices nothing",
}

_Effected = TypeVar("_Effected", Impact, Reason)
_NAMES: Final = 12
# See mesh.usage.Usage.veiled.
PRIVATE_MEANS: Final = "private-... = a node whose name its project keeps to itself; there, mesh lineage tells it"


def counted(number: int, noun: str) -> str:
    """`1 change`, `2,000 changes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def level_of(judged: Judged) -> Level | None:
    """How loud a change is told: an error stops, a warning hurts or may hurt somebody, a note was approved; the rest is
    told quietly.
    """
    match judged.outcome:
        case "refused":
            return "error"
        case "approved":
            return "note"
        case "unknown":
            return "warning"
        case _ if judged.effect == "UNAFFECTED" or (judged.effect == "UNKNOWN" and judged.kind == "SAFE"):
            return None  # of a SAFE change every node that nobody can read would be told in every pull request
        case _:
            return "warning"


def target(verdict: Verdict) -> str:
    """What was asked about: `dbt_up@prod`."""
    return f"{verdict.project}@{verdict.environment}"


def answer_words(verdict: Verdict) -> str:
    """The answer and what it rests on: `no, 1 of 4 changes is refused`."""
    if not verdict.judged:
        return f"{verdict.answer}, {'nothing is published yet' if verdict.old == NOTHING else 'nothing changed'}"
    outcomes = Counter[str](judged.outcome for judged in verdict.judged)
    whole = counted(len(verdict.judged), "change")
    refused, unknown = outcomes["refused"], outcomes["unknown"]
    if refused:
        besides = f", and {unknown:,} not known to be harmless" if unknown else ""
        return f"{verdict.answer}, {refused:,} of {whole} {_be(refused)} refused{besides}"
    if unknown:
        return f"{verdict.answer}, {unknown:,} of {whole} {_be(unknown)} not known to be harmless"
    approved = f", {outcomes['approved']:,} as approved" if outcomes["approved"] else ""
    return f"{verdict.answer}, {whole} may go on{approved}"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def next_words(verdict: Verdict) -> str:
    """What to do now."""
    match verdict.answer:
        case "no":
            return "change it in one of the ways above, then check again"
        case "unknown":
            return "let the consumers above publish what they read, then check again"
        case _ if any(map(hurt, verdict.judged)):
            return "publish it, and tell the consumers above"
        case _:
            return "publish it"


def circumstances(verdict: Verdict) -> str:
    """Under which rules it was judged and who was looked at: `mode consumers; 3 consumers looked at`."""
    modes = sorted({judged.mode for judged in verdict.judged}, key=MODES.index)
    told = [f"mode{'s' if len(modes) > 1 else ''} {', '.join(modes)}"] if modes else []
    return "; ".join((*told, f"{counted(len(verdict.readers), 'consumer')} looked at"))


def outcome_words(judged: Judged) -> tuple[str, str]:
    """What became of a change, and why: `refused in mode consumers` and `it breaks dbt_down in 1 model`."""
    why = judged.because.removeprefix(f"{judged.mode}: ")
    if judged.outcome == "approved":
        return judged.outcome, why.removeprefix("approved ")
    return f"{judged.outcome} in mode {judged.mode}", why


def consumer_words(consumer: Impact | Reader) -> str:
    """A consumer as it stands in one environment: `dbt_down@prod`."""
    return f"{consumer.consumer}@{consumer.environment}"


def owner_words(owner: Mapping[str, str]) -> str:
    """Whom to talk to: `Orders Analytics #orders`; empty where nobody wrote that down."""
    return " ".join(owner[key] for key in ("team", "contact") if owner.get(key))


def node_words(reason: Reason) -> str:
    """The node, with its kind where it is no model: `downstream_orders`, `exposure weekly_report`."""
    kind = reason.node.partition(".")[0]
    return reason.name if kind in {"model", reason.name} else f"{kind} {reason.name}"


def reason_words(reason: Reason) -> str:
    """Why it is reached, in the words of its rule, what there is to add, and by which columns the change came."""
    told = f": {reason.told}" if reason.told else ""
    way = f", by way of {' -> '.join(reversed(reason.through))}" if reason.through else ""
    return f"{REASONS[reason.rule]}{told}{way}"


def hurt(judged: Judged) -> tuple[Impact, ...]:
    """Those who notice the change, the worst first."""
    return worst_first(impact for impact in judged.impacts if impact.effect != "UNAFFECTED")


def quiet_words(judged: Judged) -> str:
    """Why a change may go on that nobody is known to notice, where that is not plain."""
    unknown = [consumer_words(impact) for impact in judged.impacts if impact.effect == "UNKNOWN"]
    if judged.kind != "SAFE":
        return outcome_words(judged)[1]
    return f"UNKNOWN for {some(unknown)}" if unknown else ""


def worst_first(impacts: Iterable[_Effected]) -> tuple[_Effected, ...]:
    """The same impacts or reasons, those of equal effect in the order in which they came."""
    return tuple(sorted(impacts, key=_badness))


def concerned(judged: Sequence[Judged]) -> tuple[tuple[Impact, int], ...]:
    """Every consumer that notices any of these changes, with the worst of it and by how many; the worst hurt first."""
    found: dict[str, list[Impact]] = {}
    for one in judged:
        for impact in hurt(one):
            found.setdefault(consumer_words(impact), []).append(impact)
    worst = ((min(impacts, key=_badness), len(impacts)) for impacts in found.values())
    return tuple(sorted(worst, key=lambda pair: (_badness(pair[0]), -pair[1], consumer_words(pair[0]))))


def _badness(impact: Impact | Reason) -> int:
    return EFFECTS.index(impact.effect)


def shown_effects(judged: Sequence[Judged]) -> tuple[Effect, ...]:
    """The effects that come in these changes, the worst first."""
    impacts = [impact for one in judged for impact in one.impacts]
    shown = {impact.effect for impact in impacts} | {reason.effect for impact in impacts for reason in impact.reasons}
    return tuple(effect for effect in EFFECTS if effect in shown)


def reading_words(verdict: Verdict) -> Iterator[str]:
    """What of the consumers could not be looked at, where that counts, and whose SQL was compiled again, or why not."""
    if any(map(level_of, verdict.judged)):
        for reader in verdict.readers:
            if reader.unread:
                of = f"{reader.unread:,} of {counted(reader.nodes, 'node')}"
                count = "counts" if reader.unread == 1 else "count"
                yield f"{consumer_words(reader)}: {of} {count} as reading every column, as nobody knows which"
    compiled = [consumer_words(reader) for reader in verdict.readers if reader.verified]
    if compiled:
        yield f"compiled again against the new interface: {some(compiled)}"
    reasons: dict[str, list[str]] = {}
    for reader in verdict.readers:
        if reader.why_not and not reader.verified:
            reasons.setdefault(reader.why_not, []).append(consumer_words(reader))
    for why_not, consumers in reasons.items():
        yield f"not compiled again: {some(consumers)}: {why_not}"


def some(names: Sequence[str]) -> str:
    """The names, as many as a person reads."""
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
