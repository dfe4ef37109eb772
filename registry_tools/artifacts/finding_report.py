"""Findings in, reports of them out: entries for programs, and annotations that GitHub shows at the line.

Names are what somebody wrote: nothing of them becomes a command of a workflow.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from registry_tools.artifacts.workflow_command import annotation
from registry_tools.mesh.use import Finding


def finding_document(findings: Sequence[Finding]) -> dict[str, Any]:
    """The report for programs: how many errors and warnings, and the findings (`finding_entries`)."""
    counts = Counter(finding.level for finding in findings)
    return {"errors": counts["error"], "warnings": counts["warning"], "findings": finding_entries(findings)}


def finding_entries(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Each finding as a mapping whose keys stay: rule, level, upstream, model, message, next, places.

    A place has a `path` relative to the project and a `line`, null where only the file is known.
    """
    return [
        {
            "rule": finding.rule,
            "level": finding.level,
            "upstream": finding.upstream,
            "model": finding.model,
            "message": finding.what,
            "next": finding.then or None,
            "places": [{"path": place.path, "line": place.line or None} for place in finding.places],
        }
        for finding in findings
    ]


def annotations(findings: Sequence[Finding], folder: PurePath) -> str:
    """A workflow command for each place of each finding; `folder` is the project's, seen from the repository's root."""
    return "".join(
        annotation(finding.level, f"mesh: {finding.rule}", _lines(finding), place, folder)
        for finding in findings
        for place in finding.places or (None,)
    )


def _lines(finding: Finding) -> tuple[str, ...]:
    return (finding.what, finding.then) if finding.then else (finding.what,)
