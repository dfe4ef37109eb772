"""The options that say which Snowflake account is meant, and the session that they open."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import click

from registry_tools.account.connection import LiveSession, open_session
from registry_tools.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def connection_options(command: F) -> F:
    """--connection and --embedded; without either, the SNOWFLAKE_* variables say which account is meant."""
    for option in (
        click.option("--embedded", is_flag=True, help="The embedded warehouse of mesh local up."),
        click.option("--connection", metavar="NAME", help="A connection of Snowflake's own connections.toml."),
    ):
        command = option(command)
    return command


def account_file_option(command: F) -> F:
    """--from-file: an account that was read before stands for the live one."""
    return click.option(
        "--from-file",
        "account_file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="An account as mesh snowflake snapshot wrote it, instead of a live one.",
    )(command)


def names_an_account(options: dict[str, Any]) -> bool:
    """Whether a flag or a variable says which live account is meant."""
    return bool(options["connection"] or options["embedded"] or os.environ.get("SNOWFLAKE_ACCOUNT"))


def session_from(options: dict[str, Any]) -> AbstractContextManager[LiveSession]:
    """The session that --connection, --embedded or the variables open; the options are taken out of `options`.

    Raises UsageError for none, and beside --from-file, which needs none.
    """
    connection, embedded = options.pop("connection"), options.pop("embedded")
    if options.get("account_file") and (connection or embedded):
        raise UsageError(
            "--from-file stands for the account", then="leave --connection and --embedded out, or the file"
        )
    return open_session(os.environ, connection=connection, embedded=embedded)
