"""DESCRIBE TABLE in, the columns of a table in any database out; and what sqlglot cannot read let through to us."""

import re
from string import Template
from typing import Any, Final

from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import transforms
from sqlglot import Expr, exp

_COLUMNS = "FROM _fs_information_schema."
_OF_THE_ACCOUNT: Final = re.compile(
    r"\s*(?:DESC(?:RIBE)?\s+(?:USER|AUTHENTICATION\s+POLICY)|DROP\s+DATABASE\s+ROLE|WITH\s+\w+\s+AS\s+PROCEDURE)\s.*",
    re.IGNORECASE | re.DOTALL,
)


def describe_every_database() -> None:
    """Makes fakesnow look a table's columns up in the whole account. It asks the session's own database, where a table
    of another one has none; dbt describes the upstream table whenever a unit test mocks it.
    """
    stock = transforms.SQL_DESCRIBE_TABLE.template
    everywhere = stock.replace(_COLUMNS, f"FROM {GLOBAL_DATABASE_NAME}._fs_information_schema.")
    transforms.SQL_DESCRIBE_TABLE = Template(everywhere)


def describe_the_account(server: Any) -> None:  # noqa: ANN401 - fakesnow's module
    """Makes fakesnow's server pass DESCRIBE USER, DROP DATABASE ROLE and a procedure without a name on, which sqlglot
    cannot read. It parses a statement to see of which sort it is, before anybody can answer or decline it.
    """
    stock = server.parse_one

    def parse_one(command: str) -> Expr:
        parsed: Expr = exp.Command(this="SHOW") if _OF_THE_ACCOUNT.fullmatch(command) else stock(command)
        return parsed

    server.parse_one = parse_one
