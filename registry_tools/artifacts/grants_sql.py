"""A plan of grants in, its statements as Snowflake takes them out; all names come spelled as SQL has to spell them.

Grammar: CREATE DATABASE ROLE, GRANT <privileges> TO ROLE, GRANT DATABASE ROLE and their REVOKEs in Snowflake's
SQL command reference.
"""

from collections.abc import Iterator

from registry_tools.mesh.account import Grant, Membership, Securable, spelled
from registry_tools.mesh.grant_plan import GrantPlan, Step


def step_sql(step: Step) -> str:
    """The statement of one step, without a semicolon."""
    preposition = "from" if step.verb == "revoke" else "to"
    match step.what:
        case Grant(privilege=privilege, on=on, to=to):
            return f"{step.verb} {privilege.lower()} on {_named(on)} {preposition} {_named(to)}"
        case Membership(role=role, to=to):
            return f"{step.verb} {_named(role)} {preposition} {_named(to)}"
        case created:
            return f"create {created.kind.lower()} if not exists {created.path}"


def use_role(name: str) -> str:
    """The statement after which all others run as this role."""
    return f"use role {spelled(name)}"


def grants_script(plan: GrantPlan) -> str:
    """The whole plan as a file for `snow sql -f` or a worksheet; a comment alone where there is nothing to do."""
    return "".join(f"{line}\n" for line in _lines(plan))


def _lines(plan: GrantPlan) -> Iterator[str]:
    for label, relation in plan.unbuilt:
        yield f"-- not built yet, and so left out: {label} at {relation.path}"
    if not plan.steps:
        yield "-- nothing to grant and nothing to revoke"
        return
    yield f"{use_role(plan.role)};"
    for step in plan.steps:
        yield f"{step_sql(step)};  -- {step.why}"


def _named(each: Securable) -> str:
    return f"{each.kind.lower()} {each.path}"
