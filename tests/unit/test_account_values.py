"""Names of a Snowflake account: read as SQL spells them, held as the account stores them, spelled again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.mesh.account import ACCOUNT, Securable, database_role, parse_path, role, spelled


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("dbt_up_prod", ("DBT_UP_PROD",)),
        ('Dbt_Up."Price List".x$1', ("DBT_UP", "Price List", "X$1")),
        ('"a.b"."say ""hi"""', ("a.b", 'say "hi"')),
    ],
)
def test_a_path_is_read_as_the_account_stores_it(text: str, parts: tuple[str, ...]) -> None:
    assert parse_path(text) == parts


@pytest.mark.parametrize("text", ["", "a.", ".a", "a..b", "a b", "1a", 'a."b', '""', "ä", "a;b"])
def test_what_is_no_name_is_declined(text: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        parse_path(text)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_whatever_is_spelled_is_read_again(parts: list[str]) -> None:
    assert parse_path(Securable("TABLE", tuple(parts)).path) == tuple(parts)


def test_a_name_is_quoted_where_it_has_to_be() -> None:
    assert [spelled(part) for part in ("A", "a", "A B", 'x"y', "ORDER")] == [
        "A",
        '"a"',
        '"A B"',
        '"x""y"',
        '"ORDER"',
    ]


def test_what_stands_where() -> None:
    database, schema = Securable("DATABASE", ("D",)), Securable("SCHEMA", ("D", "S"))
    table = Securable("TABLE", ("D", "S", "T"))
    assert table.is_within(schema)
    assert table.is_within(database)
    assert not database.is_within(table)
    assert not Securable("TABLE", ("E", "S", "T")).is_within(schema)
    assert [thing.database for thing in (table, schema, database, database_role("D", "R"))] == ["D"] * 4
    assert role("R").database is None
    assert ACCOUNT.database is None
    assert [str(thing) for thing in (ACCOUNT, role("R"), table)] == ["ACCOUNT", "ROLE R", "TABLE D.S.T"]
