"""Changes with their classes in, a report of them out: text for a terminal, Markdown for a comment, JSON.

Names, descriptions and meta entries are what somebody wrote: nothing of them acts on a terminal, on a web page or on
the runner of a workflow. Every report keeps the order of `checks.classes.classified`, BREAKING first: the end of a long
one is what is not read, and of a table what a comment has no room for.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from registry_tools.artifacts.markdown_text import code
from registry_tools.artifacts.workflow_command import inert_line
from registry_tools.mesh.change import Change
from registry_tools.mesh.verdict import Class, Classified

# GitHub refuses a comment of more than 65,536 characters; the heading and what others add need room.
_MOST: Final = 60_000
_WIDEST: Final = 60  # a longer text stands out, and moves nothing in other lines


def change_text(changes: Sequence[Classified], heading: str) -> str:
    """One line for a change, below the heading: `+` came, `-` went, `~` is another one. Its class is the last word."""
    lines = [inert_line(f"{heading}: {_count(changes)}")]
    rows = [(one.change.rule, inert_line(one.change.object), inert_line(values(one.change))) for one in changes]
    widths = [_width(column) for column in zip(*rows, strict=True)]
    for one, row in zip(changes, rows, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"  {one.change.sign} {'  '.join(cells)}  {one.kind}")
    return "".join(f"{line}\n" for line in lines)


def change_markdown(changes: Sequence[Classified], heading: str) -> str:
    """A table for the comment of a pull request; where it would be too long for one, it says how much is left out."""
    text = f"#### {code(heading)}: {_count(changes)}\n"
    if changes:
        text += "\n| | change | of | before | after | class |\n|---|---|---|---|---|---|\n"
    for told, one in enumerate(changes):
        change = one.change
        cells = (change.sign, change.rule, code(change.object), code(change.before), code(change.after), one.kind)
        row = f"| {' | '.join(cells)} |\n"
        if len(text) + len(row) > _MOST:
            return f"{text}\nand {len(changes) - told:,} more\n"
        text += row
    return text


def change_document(changes: Sequence[Classified], old: str, new: str) -> dict[str, Any]:
    """The report for programs: the names of both sides, whether they differ, and the changes (`change_entry`)."""
    return {"old": old, "new": new, "changed": bool(changes), "changes": [change_entry(one) for one in changes]}


def change_entry(one: Classified, evidence: Class | None = None) -> dict[str, Any]:
    """The change as a mapping whose keys stay; docs/check-report.md says what they mean.

    `object` names the place in one word, the next four and `asset` in parts; what does not apply is null. `before` and
    `after` are short texts for people, null where something came or went. `class` is what the change may do by its
    nature; where there is `evidence`, it is the class that this bears out, and `class_by_nature` stands beside it.
    """
    change = one.change
    kinds = {"class": one.kind} if evidence is None else {"class": evidence, "class_by_nature": one.kind}
    return {
        "rule": change.rule,
        "means": change.means,
        "object": change.object,
        "project": change.project,
        "model": change.model,
        "column": change.column,
        "group": change.group,
        "before": change.before,
        "after": change.after,
        "asset": change.asset,
        "code": one.code,
        **kinds,
        "says": one.says,
    }


def _width(texts: Iterable[str]) -> int:
    return max((len(text) for text in texts if len(text) <= _WIDEST), default=0)


def _count(changes: Sequence[Classified]) -> str:
    if not changes:
        return "nothing changed"
    return "1 change" if len(changes) == 1 else f"{len(changes):,} changes"


def values(change: Change) -> str:
    """What stood there and what stands there, as far as there is any of it: `number(12,2) -> varchar`."""
    return " -> ".join(value for value in (change.before, change.after) if value is not None)
