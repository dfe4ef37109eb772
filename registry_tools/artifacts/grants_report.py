"""A plan of grants in, what is told of it to programs and in a pull request out."""

from collections.abc import Iterator
from typing import Any

from registry_tools.artifacts.grants_sql import grants_script, step_sql
from registry_tools.artifacts.markdown_text import code, fenced, prose
from registry_tools.mesh.grant_plan import GrantPlan, ReaderRole


def grants_document(plan: GrantPlan) -> dict[str, Any]:
    """The plan for programs: who should read what, the statements in their order, and what is left to a person."""
    return {
        "role": plan.role,
        "settled": plan.is_settled,
        "readers": [_reader(reader) for reader in plan.readers],
        "statements": [{"verb": step.verb, "sql": step_sql(step), "why": step.why} for step in plan.steps],
        "not_built": [{"model": label, "relation": relation.path} for label, relation in plan.unbuilt],
        "findings": [
            {"check": each.check, "verdict": each.verdict, "message": each.what, "next": each.then}
            for each in plan.remarks
        ],
    }


def grants_markdown(plan: GrantPlan, title: str) -> str:
    """The same for a pull request or a step's summary."""
    return "\n".join(_markdown(plan, title))


def _reader(reader: ReaderRole) -> dict[str, Any]:
    return {
        "role": reader.role.path,
        "reads": [{"model": label, "relation": each.path} for each, label in sorted(reader.relations.items())],
        "given_to": [{"role": role, "project": project} for role, project in sorted(reader.members.items())],
    }


def _markdown(plan: GrantPlan, title: str) -> Iterator[str]:
    yield f"### {prose(title)}\n"
    if plan.is_settled and not plan.remarks:
        yield "Consumers read exactly what is public: nothing to do.\n"
    elif plan.is_settled:
        yield "Nothing to grant or to revoke.\n"
    if plan.readers:
        yield "| role | reads | given to |\n|---|---|---|"
        for reader in plan.readers:
            models = ", ".join(code(label) for label in sorted(reader.relations.values()))
            roles = ", ".join(code(role) for role in sorted(reader.members)) or "nobody"
            yield f"| {code(reader.role.path)} | {models} | {roles} |"
        yield ""
    if plan.steps:
        yield fenced(grants_script(plan), "sql")
    for label, relation in plan.unbuilt:
        yield f"- **not built yet**: {code(label)} at {code(relation.path)}"
    for remark in plan.remarks:
        yield f"- **{remark.verdict}** {code(remark.check)}: {prose(remark.what)}; next: {prose(remark.then)}"
