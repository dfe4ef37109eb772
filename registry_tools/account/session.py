"""One login at a Snowflake account: statements in, rows out."""

from typing import Protocol


class Session(Protocol):
    """Runs one statement after the other, in the role that USE ROLE chose last."""

    def run(self, statement: str) -> list[dict[str, object]]:
        """The rows of its answer, by the names of the columns in lower case. Raises AccountError."""
