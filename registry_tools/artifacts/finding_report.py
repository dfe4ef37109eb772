"""Findings in, reports of them out: entries for programs, and annotations that GitHub shows at the line.

Names are what somebody wrote: nothing of them becomes a command of a workflow.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Final

from registry_tools.mesh.printable import printable
from registry_tools.mesh.use import Finding, Place

_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


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
    """A workflow command for each place of each finding; `folder` is the project's, as seen from the repository's root.

    See Workflow commands for GitHub Actions, Setting an error message; what is escaped, and how, is that of
    actions/toolkit, packages/core/src/command.ts.
    """
    return "".join(f"{line}\n" for finding in findings for line in _annotations(finding, folder))


def _annotations(finding: Finding, folder: PurePath) -> Iterator[str]:
    message = _data(printable(finding.what) + (f"\n{printable(finding.then)}" if finding.then else ""))
    for place in finding.places or (None,):
        properties = ",".join(f"{key}={_property(value)}" for key, value in _properties(finding, place, folder))
        yield f"::{_COMMANDS[finding.level]} {properties}::{message}"


def _properties(finding: Finding, place: Place | None, folder: PurePath) -> Iterator[tuple[str, str]]:
    if place is not None:
        yield "file", printable((folder / place.path).as_posix())
        if place.line:
            yield "line", str(place.line)
    yield "title", f"mesh: {finding.rule}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
