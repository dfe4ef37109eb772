"""A verdict in, the report for programs out: a document whose keys are described in docs/check-report.md and stay."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from registry_tools.artifacts.change_report import change_entry
from registry_tools.artifacts.verdict_words import concerned
from registry_tools.mesh.impact import EFFECTS, Impact, Reason
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.verdict import Advice, Judged, Reader, Verdict

SCHEMA_VERSION: Final = 1


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The whole verdict, nothing cut: a key that does not apply is null, a text that nobody wrote is empty."""
    return {
        "schema_version": SCHEMA_VERSION,
        "answer": verdict.answer,
        "project": verdict.project,
        "environment": verdict.environment,
        "old": verdict.old,
        "new": verdict.new,
        "counts": _counts(verdict),
        "changes": [_change(judged) for judged in verdict.judged],
        "consumers": [_reader(reader) for reader in verdict.readers],
        "notices": list(verdict.notices),
    }


def _counts(verdict: Verdict) -> dict[str, int]:
    """Changes by what became of them, and consumers by the worst that any change does to them."""
    outcomes = Counter[str](judged.outcome for judged in verdict.judged)
    effects = Counter[str](impact.effect for impact, _ in concerned(verdict.judged))
    effects["UNAFFECTED"] = max(0, len(verdict.readers) - effects.total())
    return {
        "changes": len(verdict.judged),
        **{outcome: outcomes[outcome] for outcome in ("refused", "unknown", "approved", "allowed")},
        "consumers": len(verdict.readers),
        **{f"consumers_{effect.lower()}": effects[effect] for effect in EFFECTS},
    }


def _change(judged: Judged) -> dict[str, Any]:
    return {
        **change_entry(judged.classified, judged.kind),
        "mode": judged.mode,
        "outcome": judged.outcome,
        "because": judged.because,
        "effect": judged.effect,
        "approval": None if judged.approval is None else _approval(judged.approval),
        "impacts": impact_entries(judged.impacts),
        "advice": [_advice(advice) for advice in judged.advice],
    }


def _approval(approval: Approval) -> dict[str, str]:
    return {
        "rule": approval.rule,
        "object": approval.object,
        "until": approval.until,
        "reason": approval.reason,
    }


def impact_entries(impacts: Sequence[Impact]) -> list[dict[str, Any]]:
    """Each impact as a mapping whose keys stay; docs/check-report.md says what they mean."""
    return [_impact(impact) for impact in impacts]


def _impact(impact: Impact) -> dict[str, Any]:
    return {
        "consumer": impact.consumer,
        "environment": impact.environment,
        "effect": impact.effect,
        "owner": dict(sorted(impact.owner.items())),
        "reasons": [_reason(reason) for reason in impact.reasons],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "effect": reason.effect,
        "rule": reason.rule,
        "node": reason.node,
        "model": reason.model,
        "column": reason.column,
        "path": reason.path or None,
        "line": reason.line or None,
        "through": list(reason.through),
        "told": reason.told,
    }


def _advice(advice: Advice) -> dict[str, Any]:
    return {"way": advice.way, "says": advice.says, "paste": advice.paste or None}


def _reader(reader: Reader) -> dict[str, Any]:
    return {
        "consumer": reader.consumer,
        "environment": reader.environment,
        "owner": dict(sorted(reader.owner.items())),
        "nodes": reader.nodes,
        "unread": reader.unread,
        "verified": reader.verified,
        "why_not": reader.why_not,
    }
