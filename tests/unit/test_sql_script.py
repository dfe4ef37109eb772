"""The statements of an SQL file: cut at semicolons that are ones, without comments, with their lines."""

import pytest

from registry_tools.mesh.sql_script import Statement, statements


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        (" ;\n-- nothing\n;/* ; */", []),
        ("use role a", [Statement("use role a", 1)]),
        ("-- first\nuse role a; use role b;\n", [Statement("use role a", 2), Statement("use role b", 2)]),
        ("select ';' ;\nselect 'it''s; ok';", [Statement("select ';'", 1), Statement("select 'it''s; ok'", 2)]),
        (r"select 'a\';b';c", [Statement(r"select 'a\';b'", 1), Statement("c", 1)]),
        ('drop role "a;""b";', [Statement('drop role "a;""b"', 1)]),
        ("begin $$ x; y $$;", [Statement("begin $$ x; y $$", 1)]),
        ("select 1 // a ; comment\n + 1;", [Statement("select 1  \n + 1", 1)]),
        ("select 'never ends; ", [Statement("select 'never ends", 1)]),
    ],
)
def test_a_script_is_its_statements(script: str, expected: list[Statement]) -> None:
    assert list(statements(script)) == expected


def test_a_statement_on_one_line_keeps_what_stands_in_quotes() -> None:
    (statement,) = statements("create  user a\n  comment = 'two  blanks',\t\"b  c\" $$ d\n\n e $$ ;")
    assert statement.on_one_line == "create user a comment = 'two  blanks', \"b  c\" $$ d\n\n e $$"


def test_lines_are_those_on_which_statements_begin() -> None:
    script = "\n\nuse role a;\n\n/* a\ncomment */ grant x\n to y;\nz"
    assert [statement.line for statement in statements(script)] == [3, 6, 8]
