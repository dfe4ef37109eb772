"""A script and an account in, the account after it out, and what each statement changed. Nothing is sent anywhere."""

from registry_tools.checks.access.actions import Action, Create, UseOther, UseRole
from registry_tools.checks.access.obstacles import DeclinedError, UnknownStatementError
from registry_tools.checks.access.outcome import outcome
from registry_tools.checks.access.reading import read
from registry_tools.checks.access.rights import demand
from registry_tools.checks.access.settled import settled
from registry_tools.checks.access.standing import Standing, standing
from registry_tools.errors import DocumentError, Refusal
from registry_tools.mesh.account import Account
from registry_tools.mesh.account import role as account_role
from registry_tools.mesh.sql_script import Statement, statements


def run(
    script: str, account: Account, *, role: str | None = None, where: str = "SQL"
) -> tuple[Account, tuple[tuple[Statement, bool], ...]]:
    """The account after this script, and its statements, each with whether it changed anything.

    `role` is who runs it until its first USE ROLE. `where` names the script in errors, which also have the line.
    Raises DocumentError for a statement that the model does not know, and Refusal for one that the account would
    decline: nothing by this name, or a right that the role does not have, with those who have it.
    """
    runs = standing(account, account_role(role)) if role is not None else None
    ran: list[tuple[Statement, bool]] = []
    for statement in statements(script):
        before = account
        try:
            account, runs = _run(read(statement.text), account, runs)
        except UnknownStatementError as error:
            then = "write it as the statements are that `mesh snowflake render` writes, or teach the model its rules"
            raise DocumentError(str(error), where=f"{where}:{statement.line}", then=then) from None
        except DeclinedError as error:
            raise Refusal(str(error), where=f"{where}:{statement.line}", then=error.then) from None
        ran.append((statement, account is not before))
    return account, tuple(ran)


def _run(action: Action, account: Account, runs: Standing | None) -> tuple[Account, Standing | None]:
    """The account after one statement, the very same where nothing changed, and who runs the next one."""
    asked = settled(action, account)
    if isinstance(asked, UseRole):
        return account, standing(account, asked.role)
    if asked is None or isinstance(asked, UseOther):
        return account, runs
    if runs is None:
        raise DeclinedError("nobody runs it: no USE ROLE stands before it", then="begin the script with USE ROLE")
    demand(asked, runs)
    after = outcome(asked, account, runs.who)
    # what takes something's place is another thing, also where it is like the first
    replaces = isinstance(asked, Create) and asked.replaces and not asked.temporary
    return (after, standing(after, runs.who)) if replaces or after != account else (account, runs)
