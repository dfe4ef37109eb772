"""The access matrix and its deviations in, lines for a terminal, a document for programs or Markdown out."""

from collections.abc import Iterator
from typing import Any, Final

from registry_tools.artifacts.markdown_text import code, fenced, prose
from registry_tools.artifacts.workflow_command import inert_line
from registry_tools.mesh.access_table import Checked
from registry_tools.mesh.printable import printable

_HEADS: Final = ("Role", "Database", "Permissions", "Purpose")


def access_lines(checked: Checked, account: str) -> Iterator[str]:
    """The matrix with a line for each role and database, the deviations each with what ends it, and the answer."""
    table = [_HEADS, *_cells(checked)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADS))]
    for row in table:
        yield inert_line("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    yield ""
    for one in checked.differences:
        yield inert_line(f"{one.kind}: {one.says}")
        if one.mend:
            yield inert_line(f"  next: {one.mend}")
    yield inert_line(_answer(checked, account))


def access_document(checked: Checked, account: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "account": account,
        "access": [
            {
                "role": row.role,
                "database": row.database,
                "permissions": row.permissions,
                "purpose": row.purpose,
                "foreseen": row.foreseen,
            }
            for row in checked.rows
        ],
        "deviations": [{"kind": one.kind, "message": one.says, "mend": one.mend} for one in checked.differences],
    }


def access_markdown(checked: Checked, account: str) -> str:
    """The same for a document or a comment: the table of the architecture, and the SQL that ends what deviates."""
    lines = [f"| {' | '.join(_HEADS)} |", f"|{'---|' * len(_HEADS)}"]
    for role, database, permissions, purpose in _cells(checked):
        lines.append(f"| {code(role)} | {code(database)} | {prose(permissions)} | {prose(purpose)} |")
    lines += ["", f"**{prose(_answer(checked, account))}**", ""]
    lines += [f"- {code(one.kind)} {prose(one.says)}" for one in checked.differences]
    if mends := [f"{printable(one.mend)};" for one in checked.differences if one.mend]:
        lines += ["", fenced("\n".join(mends), "sql")]
    return "\n".join(lines).rstrip("\n") + "\n"


def _cells(checked: Checked) -> list[tuple[str, str, str, str]]:
    return [(row.role, row.database, row.permissions, row.purpose) for row in checked.rows]


def _answer(checked: Checked, account: str) -> str:
    number = len(checked.differences)
    if not checked.found:
        return f"this is {account}"
    if not number:
        return f"{account} is as the files say"
    return f"{account} is not as the files say: {number} deviation{'' if number == 1 else 's'}"
