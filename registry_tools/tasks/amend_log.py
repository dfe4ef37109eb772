"""A selector and a reason in, the record that rolls back, withdraws or approves out: what moves readers is judged."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from registry_tools.checks.readers import lost_reads
from registry_tools.errors import Refusal, UsageError
from registry_tools.intake.actor import identify_actor
from registry_tools.mesh.publication import Approval, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry import amendments
from registry_tools.registry.amendments import Amended, Amendment
from registry_tools.registry.consumers import consumers_of
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

    Raises UsageError when none is named, Refusal when it was withdrawn, given up, or lacks what a consumer reads.
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
    """Declines to lead readers to an interface that lacks a model which one of them reads."""
    project, environment = request.target.project, request.target.environment

    def check(before: Record, after: Record) -> None:
        if request.allow_broken or before.digest == after.digest:
            return
        now, _ = registry.interface(project, environment, before)
        then, _ = registry.interface(project, environment, after)
        lost = lost_reads(now, then, (one.usage for one in consumers_of(registry, project)))
        if lost:
            more = [f"and {len(lost) - _SHOWN} more"] if len(lost) > _SHOWN else []
            raise Refusal(
                f"{after.current} lacks what others read",
                where=f"{project}@{environment}",
                details=[*(str(each) for each in lost[:_SHOWN]), *more],
                then="choose another publication, or lead readers there all the same with --allow-broken",
            )

    return check
