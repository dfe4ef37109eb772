"""A plan for a Snowflake account in, lines for a terminal, a document for programs or a comment in Markdown out."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from registry_tools.artifacts.markdown_text import fenced, prose
from registry_tools.artifacts.workflow_command import inert_line
from registry_tools.mesh.account import spelled
from registry_tools.mesh.setup_plan import SetupPlan, Step


def plan_lines(plan: SetupPlan, account: str) -> Iterator[str]:
    """File by file and role by role the statements that are still to be carried out, and how many of how many."""
    width = max((len(str(step.statement.line)) for step in plan.steps), default=0)
    for (file, role), steps in _together(plan):
        yield inert_line(f"{file}, as {role or 'whoever is logged in'}")
        yield from (inert_line(f"  {step.statement.line:>{width}}  {step.statement.on_one_line};") for step in steps)
    yield inert_line(_answer(plan, account))
    if plan.steps:
        yield "  next: mesh snowflake apply"


def plan_document(plan: SetupPlan, account: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "account": account,
        "statements": plan.statements,
        "roles": list(plan.roles),
        "changes": [
            {
                "file": step.file,
                "line": step.statement.line,
                "role": step.role,
                "statement": step.statement.on_one_line,
            }
            for step in plan.steps
        ],
    }


def plan_markdown(plan: SetupPlan, account: str) -> str:
    """The same for a pull request: the SQL of each file to read and to copy."""
    lines = [f"**{prose(_answer(plan, account))}**", ""]
    for file, steps in groupby(plan.steps, key=lambda step: step.file):
        sql: list[str] = []
        for role, of_role in groupby(steps, key=lambda step: step.role):
            sql += [f"use role {spelled(role)};"] if role else []
            sql += [f"{step.statement.text};" for step in of_role]
        lines += [prose(file), "", fenced("\n".join(sql), "sql")]
    return "\n".join(lines)


def _together(plan: SetupPlan) -> Iterator[tuple[tuple[str, str | None], list[Step]]]:
    for key, steps in groupby(plan.steps, key=lambda step: (step.file, step.role)):
        yield key, list(steps)


def _answer(plan: SetupPlan, account: str) -> str:
    if not plan.steps:
        return f"none of {plan.statements} statements would change {account}"
    return f"{len(plan.steps)} of {plan.statements} statements would change {account}"
