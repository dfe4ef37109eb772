"""What is still to be done until an account is as the SQL files say: statements with their places and their roles."""

from dataclasses import dataclass

from registry_tools.mesh.account import Account
from registry_tools.mesh.sql_script import Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One statement that changes the account, where it stands, and the role that runs it."""

    file: str
    statement: Statement
    role: str | None

    @property
    def place(self) -> str:
        """`02_roles_and_users.sql:17`."""
        return f"{self.file}:{self.statement.line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetupPlan:
    """The statements that are still to be carried out, of how many, and the account as it will be then."""

    steps: tuple[Step, ...]
    statements: int
    after: Account

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that run them, in the order in which they are needed."""
        return tuple(dict.fromkeys(step.role for step in self.steps if step.role))
