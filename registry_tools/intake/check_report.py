"""The file that `mesh check --format json` wrote in, what a refusal is told of it out."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.documents import read_bytes
from registry_tools.mesh import names
from registry_tools.mesh.impact import Effect
from registry_tools.mesh.public_model import Value
from registry_tools.mesh.verdict import Answer, Class, Outcome

_NOUN: Final = "the report of a check"
_THEN: Final = "write it with mesh check --format json > report.json"


class ReportedImpact(Value, frozen=True):
    """What a change does to a consumer."""

    consumer: str
    environment: str
    effect: Effect
    owner: dict[str, str] = msgspec.field(default_factory=dict)


class ReportedChange(Value, frozen=True, rename={"kind": "class"}):
    """A change, and what became of it."""

    rule: str
    object: str
    kind: Class
    outcome: Outcome
    before: str | None = None
    after: str | None = None
    impacts: tuple[ReportedImpact, ...] = ()


class CheckReport(Value, frozen=True):
    """The parts of docs/check-report.md that are told to others."""

    schema_version: Literal[1]
    answer: Answer
    project: str
    environment: str
    old: str
    new: str
    changes: tuple[ReportedChange, ...]


# Made once and here: msgspec looks a struct's fields up at its first use, and two threads that do so at once crash.
_DECODER: Final = msgspec.json.Decoder(CheckReport)


def read_check_report(path: Path) -> CheckReport:
    """The report in this file. Raises DocumentError for what is none, saying where it is not."""
    content = read_bytes(path, noun=_NOUN, then=_THEN)
    try:
        report = _DECODER.decode(content)
        for project, environment in _places(report):
            names.project_name(project)
            names.environment_name(environment)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"it is no report of a check: {error}", where=str(path), then=_THEN) from None
    except UsageError as error:
        raise DocumentError(f"it is no report of a check: {error.what}", where=str(path), then=_THEN) from None
    return report


def _places(report: CheckReport) -> set[tuple[str, str]]:
    impacts = (impact for change in report.changes for impact in change.impacts)
    return {(report.project, report.environment), *((impact.consumer, impact.environment) for impact in impacts)}
