"""A selector and a reason in, the record that rolls back, withdraws or approves out: what moves readers is judged."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from registry_tools.assessment import Terms, assess
from registry_tools.errors import Refusal, UsageError
from registry_tools.intake.actor import identify_actor
from registry_tools.mesh.publication import Approval, Record
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.verdict import Verdict
from registry_tools.registry import amendments
from registry_tools.registry.amendments import Amended, Amendment
from registry_tools.registry.publications import Registry

_SHOWN: Final = 10
_LONGEST_REASON: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class AmendRequest:
    """What is meant, and why; `allow_broken` waves through that a consumer reads what would be gone."""

    target: Selector
    reason: str | None = None
    allow_broken: bool = False
    folder: Path = Path()


def roll_back(request: AmendRequest, registry: Registry) -> Amended:
    """Make an earlier publication current again.

    Raises UsageError when none is named, Refusal when it was withdrawn, given up, or breaks a consumer.
    """
    if request.target.is_current:
        raise UsageError(
            f"{request.target} is what readers get now",
            then=f"mesh history {request.target}, then mesh rollback {request.target}#N",
        )
    return amendments.roll_back(registry, _amendment(request), request.target, _guard(request, registry))


def yank(request: AmendRequest, registry: Registry) -> Amended:
    """Withdraw a publication; when it is the current one, readers get the one before. Raises Refusal as roll_back."""
    return amendments.yank(registry, _amendment(request), request.target, _guard(request, registry))


def approve(request: AmendRequest, registry: Registry, approval: Approval) -> Amended:
    """Record that a change is allowed although a rule forbids it."""
    return amendments.approve(registry, _amendment(request), approval)


def _amendment(request: AmendRequest) -> Amendment:
    if request.reason is not None and not 0 < len(request.reason) <= _LONGEST_REASON:
        raise UsageError(
            f"a reason has 1 to {_LONGEST_REASON} characters, and this has {len(request.reason)}",
            where="--reason",
            then="say it in a sentence and link to the rest",
        )
    return Amendment(
        project=request.target.project,
        environment=request.target.environment,
        actor=identify_actor(os.environ, request.folder),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        reason=request.reason,
    )


def _guard(request: AmendRequest, registry: Registry) -> Callable[[Record, Record], None]:
    """Declines to lead readers to an interface that breaks one of them; an approval lets the change pass."""
    project, environment = request.target.project, request.target.environment

    def check(before: Record, after: Record) -> None:
        if request.allow_broken or before.digest == after.digest:
            return
        then, _ = registry.interface(project, environment, after)
        terms = Terms(unknown="allow", approvals=before.approvals)
        broken = _broken(assess(registry, then, environment, before, terms).verdict)
        if broken:
            more = [f"and {len(broken) - _SHOWN} more"] if len(broken) > _SHOWN else []
            raise Refusal(
                f"{after.current} lacks what others read",
                where=f"{project}@{environment}",
                details=[*broken[:_SHOWN], *more],
                then="choose another publication, or lead readers there all the same with --allow-broken",
            )

    return check


def _broken(verdict: Verdict) -> list[str]:
    """Each node that a refused change breaks, in a line."""
    return [
        f"{judged.change.object}  read by  {impact.consumer}  {reason.node}  {reason.place}".rstrip()
        for judged in verdict.judged
        if judged.outcome == "refused"
        for impact in judged.impacts
        for reason in impact.reasons
        if reason.effect == "BROKEN"
    ]
