"""A verdict in, a SARIF 2.1.0 log out, for the places that show the findings of many tools side by side.

The numbers in comments are sections of the OASIS standard, Static Analysis Results Interchange Format 2.1.0.
"""

import hashlib
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from registry_tools.artifacts.verdict_github import message_lines, place_of
from registry_tools.artifacts.verdict_words import level_of, target
from registry_tools.mesh.change import RULES, Change, Rule
from registry_tools.mesh.printable import printable
from registry_tools.mesh.use import Level, Place
from registry_tools.mesh.verdict import Judged, Verdict

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Every dbt project has it. GitHub takes no result without a file, and some changes are of no file that is left.
_PROJECT_FILE: Final = Place(path="dbt_project.yml", line=1)


def verdict_sarif(verdict: Verdict, places: Mapping[str, Place], folder: PurePath) -> dict[str, Any]:
    """One run: a result for each change that is loud or DANGEROUS, and the rules of those; see verdict_github for
    `places` and `folder`.
    """
    name = quote(printable(target(verdict)), safe="@")
    told = [(judged, level) for judged in verdict.judged if (level := _level(judged))]
    rules = list(dict.fromkeys(judged.change.rule for judged, _ in told))
    results = [
        {"ruleIndex": rules.index(judged.change.rule)} | _result(judged, level, verdict, _place(judged, places), folder)
        for judged, level in told
    ]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "mesh check", "rules": [_rule(RULES[id_]) for id_ in rules]}},
                "automationDetails": {"id": f"mesh-check/{name}/"},  # 3.17.3: a category ends in a slash
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _level(judged: Judged) -> Level | None:
    return level_of(judged) or ("note" if judged.kind == "DANGEROUS" else None)


def _place(judged: Judged, places: Mapping[str, Place]) -> Place:
    return place_of(judged.change, places) or _PROJECT_FILE


def _rule(rule: Rule) -> dict[str, Any]:
    judged_as = (
        f"judged as {', '.join(rule.codes)} of docs/rules.md" if rule.codes else "it takes nothing from a reader"
    )
    approve = f'To let it happen all the same: mesh approve {rule.id} OBJECT --reason "...".'
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.means},
        "help": {"text": f"{rule.means[0].upper()}{rule.means[1:]}; {judged_as}. {approve}"},
    }


def _result(judged: Judged, level: Level, verdict: Verdict, place: Place, folder: PurePath) -> dict[str, Any]:
    change = judged.change
    region = {"region": {"startLine": place.line}} if place.line else {}
    uri = quote(printable((folder / place.path).as_posix()))
    return {
        "ruleId": change.rule,
        "level": level,
        "message": {"text": "\n".join(_message_line(line) for line in message_lines(judged, verdict))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, **region},
                "logicalLocations": [{"fullyQualifiedName": printable(change.object)}],
            }
        ],
        "partialFingerprints": {"meshChange/v1": _fingerprint(change, verdict)},
        "properties": {"class": judged.kind, "outcome": judged.outcome, "mode": judged.mode},
    }


def _message_line(line: str) -> str:
    """The line without links: brackets make one in a message (3.11.6)."""
    return printable(line).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _fingerprint(change: Change, verdict: Verdict) -> str:
    """The same for the same change in the next run, whichever line it has come to stand on by then."""
    parts = (verdict.environment, change.rule, change.object, change.before or "", change.after or "")
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
