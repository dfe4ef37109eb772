"""An upstream as a project pins it and as it is now, and what the project reads of it, in; what would break out."""

from collections.abc import Iterator, Mapping
from typing import Final

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.impact import impacts
from registry_tools.checks.readership import Consumption, Readership
from registry_tools.mesh.impact import REASONS, Effect, Reason
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.usage import Usage
from registry_tools.mesh.use import Finding, Level, Place
from registry_tools.mesh.verdict import Classified

_LEVELS: Final[Mapping[Effect, tuple[str, Level]]] = {
    "BROKEN": ("upgrade-breaks", "error"),
    "UNKNOWN": ("upgrade-unknown", "warning"),
    "AFFECTED": ("upgrade-changes", "warning"),
}


def judge_upgrade(environment: str, usage: Usage, pinned: Interface, now: Interface, name: str) -> Iterator[Finding]:
    """A finding for each change on the way from what is pinned to what is published now (`name`) and each way in which
    it reaches the project, with the places; what takes nothing away from anybody is left out.
    """
    mine = Consumption(consumer=usage.project, environment=environment, usage=usage)
    readership = Readership(pinned, now, [mine])
    for one in classified(compare(pinned, now), pinned, now):
        reasons = [reason for impact in impacts(one, readership) for reason in impact.reasons]
        for effect, (rule, level) in _LEVELS.items():
            reached = [reason for reason in reasons if reason.effect == effect]
            if reached and (effect == "BROKEN" or one.kind != "SAFE"):
                yield _finding(one, reached, (rule, level), name)


def _finding(one: Classified, reasons: list[Reason], found: tuple[str, Level], name: str) -> Finding:
    change, (rule, level) = one.change, found
    why = "; ".join(sorted({_why(reason) for reason in reasons}))
    places = sorted({Place(path=reason.path or reason.name, line=reason.line) for reason in reasons})
    return Finding(
        rule=rule,
        level=level,
        what=f"with {name}: {one.says} {why[0].upper()}{why[1:]}",
        places=tuple(places),
        upstream=change.project,
        model=change.model,
        then=f"mesh sync --upgrade {change.project}, then build and mend what fails" if level == "error" else "",
    )


def _why(reason: Reason) -> str:
    return f"{REASONS[reason.rule]}: {reason.told}" if reason.told else REASONS[reason.rule]
