"""Changes between two interfaces in, a report of them out: text for a terminal, Markdown for a comment, JSON.

Names, descriptions and meta entries are what somebody wrote: nothing of them acts on a terminal or on a web page.
"""

from collections.abc import Sequence
from typing import Any, Final

from registry_tools.artifacts.markdown_text import code
from registry_tools.mesh.change import Change
from registry_tools.mesh.printable import printable

# GitHub refuses a comment of more than 65,536 characters; the heading and what others add need room.
_MOST: Final = 60_000
_WIDEST: Final = 60  # what a longer name would add to every other line


def change_text(changes: Sequence[Change], heading: str) -> str:
    """One line for a change, below the heading: `+` came, `-` went, `~` is another one."""
    lines = [f"{printable(heading)}: {_count(changes)}"]
    rows = [(c.rule, printable(c.object), values(c), c.sign) for c in changes]
    rule, named = (min(_WIDEST, max((len(row[at]) for row in rows), default=0)) for at in (0, 1))
    lines += [f"  {sign} {row[0]:<{rule}}  {row[1]:<{named}}  {row[2]}" for *row, sign in rows]
    return "".join(f"{line}\n" for line in lines)


def change_markdown(changes: Sequence[Change], heading: str) -> str:
    """A table for the comment of a pull request; where it would be too long for one, it says how much is left out."""
    text = f"#### {code(heading)}: {_count(changes)}\n"
    if changes:
        text += "\n| | change | of | before | after |\n|---|---|---|---|---|\n"
    for told, change in enumerate(changes):
        cells = (change.sign, change.rule, code(change.object), code(change.before), code(change.after))
        row = f"| {' | '.join(cells)} |\n"
        if len(text) + len(row) > _MOST:
            return f"{text}\nand {len(changes) - told:,} more\n"
        text += row
    return text


def change_document(changes: Sequence[Change], old: str, new: str) -> dict[str, Any]:
    """The report for programs: the names of both sides, whether they differ, and the changes (`change_entries`)."""
    return {"old": old, "new": new, "changed": bool(changes), "changes": change_entries(changes)}


def change_entries(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Each change as a mapping whose keys stay: rule, means, object, project, model, column, group, before, after.

    `object` names the place in one word, the next four in parts; what does not apply is null. `before` and `after` are
    short texts for people, null where something came or went.
    """
    return [
        {
            "rule": change.rule,
            "means": change.means,
            "object": change.object,
            "project": change.project,
            "model": change.model,
            "column": change.column,
            "group": change.group,
            "before": change.before,
            "after": change.after,
        }
        for change in changes
    ]


def _count(changes: Sequence[Change]) -> str:
    if not changes:
        return "nothing changed"
    return "1 change" if len(changes) == 1 else f"{len(changes):,} changes"


def values(change: Change) -> str:
    """What stood there and what stands there, as far as there is any of it: `number(12,2) -> varchar`."""
    return " -> ".join(value for value in (change.before, change.after) if value is not None)
