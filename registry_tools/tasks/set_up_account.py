"""SQL files and an account in; the statements that would change it out, and carried out over a session.

Which statements change something is what the model of Snowflake's access rules says, so a statement that the model
does not know, or that the account would decline, is told before anything is done.
"""

from collections.abc import Iterator, Sequence

from registry_tools.account.session import Session
from registry_tools.checks.access.actions import UseRole
from registry_tools.checks.access.reading import read
from registry_tools.checks.access.running import run
from registry_tools.errors import AccountError, AnswerLost, Refusal
from registry_tools.intake.setup_scripts import SetupScript
from registry_tools.mesh.account import Account, spelled
from registry_tools.mesh.setup_plan import SetupPlan, Step


def plan_setup(scripts: Sequence[SetupScript], account: Account) -> SetupPlan:
    """What the scripts would change. Raises DocumentError for a statement that the model does not know, and Refusal
    for one that the account would decline, with file and line.
    """
    steps: list[Step] = []
    statements = 0
    for script in scripts:
        account, ran = run(script.text, account, where=script.name)
        role = None
        for statement, changes in ran:
            action = read(statement.text)
            if isinstance(action, UseRole):
                role = action.role.name[0]
            if changes:
                steps.append(Step(file=script.name, statement=statement, role=role))
        statements += len(ran)
    return SetupPlan(steps=tuple(steps), statements=statements, after=account)


def expect_roles(plan: SetupPlan, available: frozenset[str]) -> None:
    """Raises Refusal, before anything is done, for statements that run in roles which whoever is logged in has not."""
    missing = [role for role in plan.roles if role not in available]
    if missing:
        first = {role: next(step for step in plan.steps if step.role == role) for role in missing}
        raise Refusal(
            f"you do not have {' and '.join(missing)}, in which some statements run",
            details=[f"{step.place}  {step.statement.on_one_line[:100]}" for step in first.values()],
            then="log in as somebody with ACCOUNTADMIN, or ask such a one to run mesh snowflake apply",
        )


def apply_setup(plan: SetupPlan, session: Session) -> Iterator[Step]:
    """Carries the statements out, one after the other, each in its role, and tells of each that is done.

    Stops at the first that fails: raises AccountError with its place, with how much was done, and how to go on. Where
    the connection broke it is AnswerLost, because nobody knows.
    """
    role = None
    for done, step in enumerate(plan.steps):
        try:
            if step.role and step.role != role:
                session.run(f"use role {spelled(step.role)}")
                role = step.role
            session.run(step.statement.text)
        except AccountError as error:
            raise _stopped(error, step, done, len(plan.steps)) from error
        yield step


def _stopped(error: AccountError, step: Step, done: int, of: int) -> AccountError:
    before = (
        f"{done} of {of} statements were carried out before it, and stand" if done else "nothing was done before it"
    )
    lost = isinstance(error, AnswerLost)
    on = "mesh snowflake plan says whether it was; mesh snowflake apply goes on from there" if lost else error.then
    again = "" if lost else "; then mesh snowflake apply goes on where this stopped"
    kind = AnswerLost if lost else AccountError
    role = [f"in the role {step.role}"] if step.role else []
    return kind(error.what, where=step.place, details=[*error.details, *role, before], then=f"{on}{again}")
