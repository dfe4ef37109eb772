"""The README's table of the three ways is what the matrix recorded."""

import json
import os

from tests.matrix.table import RECORDED, matrix_table, with_table
from tests.running import REPOSITORY

README = REPOSITORY / "README.md"
RECORD = json.loads(RECORDED.read_text())


def test_the_readme_has_the_table_that_was_observed() -> None:
    written = with_table(README, matrix_table(RECORD))
    if os.environ.get("UPDATE_MATRIX"):
        README.write_text(written)
    assert README.read_text() == written


def test_where_versions_differ_each_is_named() -> None:
    newer = RECORD["1.12"] | {"package": RECORD["1.12"]["package"] | {"warm": False}}
    row = matrix_table(RECORD | {"1.12": newer}).splitlines()[-1]
    assert row.endswith("| yes | yes | yes (1.10, 1.11); no (1.12) |")


def test_a_dbt_on_which_a_way_does_not_work_says_nothing_else_of_it() -> None:
    table = matrix_table({"2.0": RECORD["2.0"]}).splitlines()
    assert [row.split(" | ")[2] for row in table[3:]] == [""] * (len(table) - 3)
