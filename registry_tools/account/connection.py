"""How to log in, and a session at the account out: the only file that imports Snowflake's connector."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from registry_tools.account.login import embedded_parameters, login_parameters
from registry_tools.account.named_connection import named_parameters
from registry_tools.account.refusals import login_refused, statement_refused
from registry_tools.errors import UsageError

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Seconds. A browser, a second factor and a resumed service need some; a wrong host must not hang a job.
_LOGIN: Final = 60
_ANSWER: Final = 120
_STATEMENT: Final = 300
_INSTALL: Final = "pip install 'registry-tools[snowflake]'"


class LiveSession:
    """A login at Snowflake. It runs one statement after the other, each in the role that USE ROLE chose last."""

    def __init__(self, connection: "SnowflakeConnection", place: str) -> None:
        self._connection = connection
        self.place = place

    def run(self, statement: str) -> list[dict[str, object]]:
        """The rows of its answer, by the names of the columns in lower case. Raises AccountError, or AnswerLost where
        the connection broke after the statement was sent.
        """
        try:
            cursor = self._connection.cursor()
            cursor.execute(statement)
            names = [str(column[0]).lower() for column in cursor.description or ()]
            fetched: list[Any] = cursor.fetchall() if names else []
        except Exception as error:
            raise statement_refused(error, statement, self.place) from error
        return [dict(zip(names, row, strict=True)) for row in fetched]


@contextmanager
def open_session(
    variables: Mapping[str, str], *, connection: str | None = None, embedded: bool = False
) -> Iterator[LiveSession]:
    """A session, closed at the end: at the embedded warehouse, by a named connection of Snowflake's own files, or as
    the SNOWFLAKE_* variables say. No privileges but those of one role at a time count in it.

    Raises UsageError where nothing says how to log in, AccountError where Snowflake does not let us in.
    """
    if connection and embedded:
        raise UsageError("--connection and --embedded name two accounts", then="leave one of them out")
    if embedded:
        parameters = embedded_parameters(variables)
    elif connection:
        parameters = named_parameters(connection, variables)
    else:
        parameters = login_parameters(variables)
    opened = _log_in(parameters)
    try:
        session = LiveSession(
            opened, f"the embedded warehouse, port {parameters['port']}" if embedded else _account(parameters)
        )
        session.run("use secondary roles none")
        yield session
    finally:
        _log_out(opened)


def _account(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("account") or parameters.get("host") or "Snowflake")


def _log_in(parameters: Mapping[str, Any]) -> "SnowflakeConnection":
    try:
        from snowflake.connector import SnowflakeConnection
    except ImportError:
        raise UsageError("Snowflake's connector is not installed", then=_INSTALL) from None
    try:
        return SnowflakeConnection(
            **{
                "login_timeout": _LOGIN,
                "network_timeout": _ANSWER,
                "socket_timeout": _LOGIN,
                "session_parameters": {"QUERY_TAG": "registry-tools", "STATEMENT_TIMEOUT_IN_SECONDS": _STATEMENT},
                "application": "registry_tools",
                **parameters,
            }
        )
    except Exception as error:  # noqa: BLE001  # it raises what it met: of keys, of boto3, of HTTP
        # not `from error`: what the connector holds of a login goes no further
        raise login_refused(error, parameters) from None


def _log_out(connection: "SnowflakeConnection") -> None:
    """Close it; that a broken connection cannot say good-bye takes nothing from what was done."""
    with suppress(Exception):
        connection.close()
