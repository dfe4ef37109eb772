"""Classified changes with their impacts, modes and approvals in, the verdict out: what may go on, and why.

How much evidence a mode asks for is in `_TESTS`; docs/rules.md tables it for people.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final, Literal

from registry_tools.checks.advice import Situation, advise
from registry_tools.checks.modes import Modes, is_mode, stated
from registry_tools.mesh.impact import EFFECTS, Effect, Impact
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.printable import printable
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.verdict import CLASSES, Answer, Class, Classified, Judged, Mode, Outcome, Reader, Verdict

OUTCOMES: Final[tuple[Outcome, ...]] = ("refused", "unknown", "approved", "allowed")
_ANSWERS: Final[Mapping[Outcome, Answer]] = {"refused": "no", "unknown": "unknown", "approved": "yes", "allowed": "yes"}

# How long before and after its last day an approval is told of.
_SOON: Final = timedelta(days=7)
_LATELY: Final = timedelta(days=30)

# What may go once its deprecation_date is over, as in dbt.
_LEAVING: Final = ("model-removed", "model-renamed", "version-removed", "column-removed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked: may `new` take the place of `old`, with these changes and what they do?

    `names` are those of the two interfaces, as people know them; `approvals` those of the log, whether they hold or
    not. `unknown` says what becomes of a change whose effect nobody knows.
    """

    environment: str
    names: tuple[str, str]
    old: Interface
    new: Interface
    found: Sequence[tuple[Classified, tuple[Impact, ...]]]
    readers: tuple[Reader, ...]
    today: date
    modes: Modes = field(default_factory=Modes)
    approvals: tuple[Approval, ...] = ()
    unknown: Literal["refuse", "allow"] = "refuse"


def decide(question: Question) -> Verdict:
    """Whether it may, change by change: refused ones first, then by class, effect and object."""
    judge = _Judge(question)
    judged = tuple(sorted((judge.judged(*found) for found in question.found), key=_rank))
    worst: Outcome = min((each.outcome for each in judged), key=OUTCOMES.index, default="allowed")
    return Verdict(
        project=question.old.project,
        environment=question.environment,
        old=question.names[0],
        new=question.names[1],
        answer=_ANSWERS[worst],
        judged=judged,
        readers=tuple(sorted(question.readers, key=lambda reader: (reader.consumer, reader.environment))),
        notices=tuple(judge.notices()),
    )


def _rank(judged: Judged) -> tuple[object, ...]:
    change = judged.change
    severity = (OUTCOMES.index(judged.outcome), CLASSES.index(judged.kind), EFFECTS.index(judged.effect))
    return (*severity, change.object, change.rule, change.before or "", change.after or "")


def borne_out(kind: Class, impacts: Iterable[Impact]) -> Class:
    """The class that the evidence bears out: never a milder one than the change has by its nature."""
    effects = {impact.effect for impact in impacts}
    if "BROKEN" in effects:
        return "BREAKING"
    return "DANGEROUS" if kind == "SAFE" and "AFFECTED" in effects else kind


# -- one change -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """All that a mode looks at. `left_on` is the day that was set for what goes now, if it is over."""

    classified: Classified
    kind: Class
    impacts: tuple[Impact, ...]
    anybody: bool
    is_standing: bool
    left_on: str | None

    def consumers(self, effect: Effect) -> Mapping[str, set[str]]:
        """Those on whom it has this effect, each with the nodes concerned."""
        found: dict[str, set[str]] = defaultdict(set)
        for impact in self.impacts:
            if impact.effect == effect:
                found[impact.consumer].update(each.node for each in impact.reasons if each.effect == effect)
        return found

    @cached_property
    def broken(self) -> str:
        """Whom it breaks, in words; empty where it is nobody."""
        return _told(self.consumers("BROKEN"))

    @cached_property
    def unknown(self) -> str:
        return _told(self.consumers("UNKNOWN"))

    @cached_property
    def affected(self) -> str:
        return _told(self.consumers("AFFECTED"))


_Found = tuple[Outcome, str] | None


def _hurts(evidence: _Evidence) -> _Found:
    if evidence.kind != "BREAKING":
        return None
    if evidence.broken:
        return "refused", f"it breaks {evidence.broken}"
    return ("unknown", f"nobody knows whether it breaks {evidence.unknown}") if evidence.unknown else None


def _touches(evidence: _Evidence) -> _Found:
    if evidence.kind == "SAFE":
        return None
    if evidence.affected:
        return "refused", f"it may change the results of {evidence.affected}"
    return ("unknown", f"nobody knows what it does to {evidence.unknown}") if evidence.unknown else None


def _breaks_promise(evidence: _Evidence) -> _Found:
    if evidence.kind != "BREAKING" or (evidence.left_on and not evidence.broken and not evidence.unknown):
        return None
    return "refused", "a breaking change, whoever reads it"


def _unheard(evidence: _Evidence) -> _Found:
    """Where nobody has ever said what they read, anybody may read anything."""
    found = None if evidence.anybody else _breaks_promise(evidence)
    return found and ("refused", "a breaking change, and nobody has registered what they read")


def _moves(evidence: _Evidence) -> _Found:
    return ("refused", "the model is not to change at all") if evidence.is_standing else None


_TESTS: Final[Mapping[Mode, tuple[Callable[[_Evidence], _Found], ...]]] = {
    "off": (),
    "consumers": (_hurts, _unheard),
    "consumers-strict": (_hurts, _touches, _unheard),
    "contract": (_hurts, _breaks_promise),
    "frozen": (_hurts, _touches, _breaks_promise, _moves),
}


def _tested(mode: Mode, evidence: _Evidence) -> tuple[Outcome, str]:
    found = [of for of in (test(evidence) for test in _TESTS[mode]) if of]
    outcome, why = min(found, key=lambda of: OUTCOMES.index(of[0]), default=("allowed", _harmless(mode, evidence)))
    return outcome, f"{mode}: {why}"


def _harmless(mode: Mode, evidence: _Evidence) -> str:
    if mode == "off":
        return "nothing is refused"
    if evidence.kind == "SAFE":
        return "it takes nothing from anybody"
    if evidence.left_on and not evidence.impacts:
        return f"it was to leave on {evidence.left_on}, and nobody reads it"
    if evidence.kind == "BREAKING" and not evidence.impacts:
        return "nobody who is registered reads it"
    return "it breaks nobody who is registered"


def _told(consumers: Mapping[str, set[str]]) -> str:
    """`dbt_down in 2 models and 3 other consumers`; empty where there is none."""
    if not consumers:
        return ""
    first, others = min(consumers), len(consumers) - 1
    kinds = Counter(node.partition(".")[0] for node in consumers[first])
    count, kind = kinds.total(), next(iter(kinds)) if len(kinds) == 1 else ""
    noun = kind.replace("_", " ") if kind in {"model", "test", "unit_test", "exposure", "snapshot"} else "node"
    more = f" and {others} other {'consumer' if others == 1 else 'consumers'}" if others else ""
    return f"{printable(first)} in {count} {noun}{'s' * (count != 1)}{more}"


# -- all of them ------------------------------------------------------------------------------------------------------


class _Judge:
    """The question, with everything in it that is looked up by name."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._anybody = any(reader.nodes for reader in question.readers)
        self._old, self._new = ({m.label: m for m in side.models} for side in (question.old, question.new))
        self._named: dict[str, list[PublicModel]] = defaultdict(list)
        for model in (*question.old.models, *question.new.models):
            self._named[model.name].append(model)
        self._approvals: dict[tuple[str, str], Approval] = {}
        for approval in question.approvals:
            key = (approval.rule, approval.object)
            self._approvals[key] = max(self._approvals.get(key, approval), approval, key=_lasting)

    def judged(self, classified: Classified, impacts: tuple[Impact, ...]) -> Judged:
        """The change as it is judged in the strictest of its modes."""
        evidence = self._evidence(classified, impacts)
        answers = {
            mode: _tested(mode, evidence) for mode in reversed(self._question.modes.of(self._models(classified)))
        }
        mode, (outcome, because) = min(answers.items(), key=lambda item: OUTCOMES.index(item[1][0]))
        if outcome == "unknown" and self._question.unknown == "allow":
            outcome, because = "allowed", f"{because}, which is allowed here"
        approval = self._approval(classified) if outcome != "allowed" else None
        if approval is not None:
            outcome, because = "approved", f"approved until {approval.until}: {printable(approval.reason)}"
        return Judged(
            classified=classified,
            kind=evidence.kind,
            mode=mode,
            outcome=outcome,
            because=because,
            impacts=impacts,
            approval=approval,
            advice=advise(self._situation(classified, impacts)) if _ANSWERS[outcome] != "yes" else (),
        )

    def _evidence(self, classified: Classified, impacts: tuple[Impact, ...]) -> _Evidence:
        change = classified.change
        return _Evidence(
            classified=classified,
            kind=borne_out(classified.kind, impacts),
            impacts=impacts,
            # No usage says who asks for a metric.
            anybody=self._anybody and change.asset is None,
            # The public models that a model is built from are other models' matter.
            is_standing=change.model in self._old and change.rule != "lineage-changed",
            left_on=self._left_on(classified),
        )

    def _models(self, classified: Classified) -> list[PublicModel]:
        label = classified.change.model
        if label is None:
            return []
        return [side[label] for side in (self._old, self._new) if label in side] or self._named.get(label, [])

    def _left_on(self, classified: Classified) -> str | None:
        """The day that was set for what goes, and is over."""
        change = classified.change
        old = self._old.get(change.model or "")
        if old is None or change.rule not in _LEAVING:
            return None
        days = [old.leaves_on if old.is_dated else None, _column_day(old.columns.get(change.column or ""))]
        return min((day for day in days if day and day < self._question.today.isoformat()), default=None)

    def _approval(self, classified: Classified) -> Approval | None:
        approval = self._approvals.get((classified.change.rule, classified.change.object))
        return approval if approval and _lasting(approval) >= self._question.today else None

    def _situation(self, classified: Classified, impacts: tuple[Impact, ...]) -> Situation:
        label = classified.change.model or ""
        old = self._old.get(label)
        return Situation(
            classified=classified,
            impacts=impacts,
            old=old,
            new=self._new.get(label),
            siblings=tuple(self._named.get(old.name, ())) if old else (),
            environment=self._question.environment,
            today=self._question.today,
        )

    def notices(self) -> Iterator[str]:
        """Approvals that run out or have just done so, and modes that are none."""
        today = self._question.today
        for (rule, changed), approval in sorted(self._approvals.items()):
            last, what = _lasting(approval), f"the approval of {printable(rule)} {printable(changed)}"
            if last == date.min:
                yield f"{what} does not hold: {printable(approval.until)!r} is no day"
            elif today <= last <= today + _SOON:
                yield f"{what} runs out on {last}"
            elif today - _LATELY <= last < today:
                yield f"{what} ran out on {last}"
        for label, model in sorted(self._new.items()):
            said = stated(model.meta)
            if said is not None and not is_mode(said):
                told = printable(str(said))
                yield f"{label}: meta.mesh.compatibility is {told!r}, which is no mode; it counts as contract"


def _lasting(approval: Approval) -> date:
    """Its last day; the first of all days where nobody can read it."""
    try:
        return date.fromisoformat(approval.until)
    except ValueError:
        return date.min


def _column_day(column: Column | None) -> str | None:
    """The day on which a column leaves: `meta: {deprecation_date: 2026-12-31}`; dbt has no field for it."""
    said = column.meta.get("deprecation_date") if column else None
    try:
        return date.fromisoformat(said[:10]).isoformat() if isinstance(said, str) else None
    except ValueError:
        return None
