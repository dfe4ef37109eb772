"""DESCRIBE TABLE in, the columns of a table in any database out."""

from string import Template

from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import transforms

_COLUMNS = "FROM _fs_information_schema."


def describe_every_database() -> None:
    """Makes fakesnow look a table's columns up in the whole account. It asks the session's own database, where a table
    of another one has none; dbt describes the upstream table whenever a unit test mocks it.
    """
    stock = transforms.SQL_DESCRIBE_TABLE.template
    everywhere = stock.replace(_COLUMNS, f"FROM {GLOBAL_DATABASE_NAME}._fs_information_schema.")
    transforms.SQL_DESCRIBE_TABLE = Template(everywhere)
