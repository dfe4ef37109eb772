"""A line of compiled SQL and the line that a person wrote."""

from pathlib import Path

import pytest

from registry_tools.intake.lines import Source, holds
from tests.unit.test_column_usage import orders, reads_of, sql

RAW = """\
{{
    config(
        materialized='table'
    )
}}

select
    id,
    {% for state in ['open', 'shut'] %}
    sum(case when status = '{{ state }}' then amount end) as {{ state }}_amount,
    {% endfor %}
    status
from {{ source('dbt_up', 'orders') }}
group by id"""
COMPILED = """\


select
    id,

    sum(case when status = 'open' then amount end) as open_amount,

    sum(case when status = 'shut' then amount end) as shut_amount,

    status
from PROD.MARTS.ORDERS
group by id"""


@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        (4, "id", 8),  # as it was
        (6, "status", 10),  # made in a loop: the line of the loop that names it
        (8, "AMOUNT", 10),
        (6, "nowhere", 9),  # the first line of the loop
        (10, "status", 12),
        (11, "", 13),
        (0, "id", 0),
        (99, "id", 0),
    ],
)
def test_a_line_is_found_that_jinja_has_moved(line: int, word: str, expected: int) -> None:
    assert Source(raw=RAW, compiled=COMPILED).line_of(line, word) == expected


def test_lines_that_were_filled_in_stay_where_they_are() -> None:
    raw = "select id\nfrom {{ ref('a') }}\nwhere {{ x }} > 1"
    source = Source(raw=raw, compiled="select id\nfrom P.M.A\nwhere amount > 1")
    assert [source.line_of(line, "amount") for line in (1, 2, 3)] == [1, 2, 3]


def test_a_line_that_nobody_wrote_has_none() -> None:
    source = Source(raw="select id\nfrom a", compiled="with x as (select 1)\nselect id\nfrom a")
    assert [source.line_of(line, "id") for line in (1, 2)] == [0, 1]


def test_the_sql_of_another_node_stands_in_another_file() -> None:
    cte = "__dbt__cte__e as (\nselect amount\nfrom t\n)"
    compiled = f"with {cte}, b as (\nselect amount\nfrom __dbt__cte__e\n)\nselect * from b"
    source = Source(
        raw="with b as (\nselect amount\nfrom {{ ref('e') }}\n)\nselect * from b", compiled=compiled, ctes=(cte, "")
    )
    assert [source.line_of(line, "amount") for line in (2, 5)] == [0, 2]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\n" + RAW + "\n", 15),
        ("{% snapshot s %}\n" + RAW + "\n{% endsnapshot %}", 14),
        ("another text", 13),
        ("", 13),
    ],
)
def test_what_stands_above_in_the_file_is_counted(text: str, line: int) -> None:
    source = Source(raw=RAW, compiled=COMPILED, text=text)
    assert source.line_of_call("source", ("dbt_up", "orders")) == line
    assert source.line_of(11, "") == line


def test_files_that_are_too_long_to_compare_are_taken_as_they_are() -> None:
    raw = "\n".join(f"-- {number}" for number in range(5_000))
    source = Source(raw=raw, compiled=raw.replace("--", "---") + "\nselect 1")
    assert (source.line_of(77, "76"), source.line_of(5_001, "1")) == (77, 0)


def test_a_call_is_found_by_its_arguments_and_its_version() -> None:
    raw = "{# ref('a') #}\n{{ ref('up', 'a', v=2) }}\n{{ ref('a') }}\n{{ source('a', 'b') }}"
    source = Source(raw=raw, compiled=raw)
    calls = [("ref", ("up", "a", "2")), ("ref", ("a", "")), ("source", ("a", "b")), ("ref", ("b", ""))]
    assert [source.line_of_call(way, arguments) for way, arguments in calls] == [2, 3, 4, 0]


def test_a_python_model_refers_in_python() -> None:
    raw = "def model(dbt, session):\n    return dbt.ref('a')"
    assert Source(raw=raw, compiled="", is_python=True).line_of_call("ref", ("a", "")) == 2
    assert Source(raw="", compiled="").line_of(1, "x") == 1  # an empty file has one line


@pytest.mark.parametrize(("line", "word"), [("a.AMOUNT,", "amount"), ('"amount"', "amount"), ("amount", "AMOUNT")])
def test_a_word_is_a_word_in_any_case(line: str, word: str) -> None:
    assert holds(line, word)
    assert not holds(line.replace("mount", "mount_2").replace("MOUNT", "MOUNT_2"), word)


def test_lines_are_those_of_the_file_on_disk(tmp_path: Path) -> None:
    (tmp_path / "project/models").mkdir(parents=True)
    (tmp_path / "project/models/a.sql").write_text(f"\n{RAW}\n")
    entry = sql("a", COMPILED, raw_code=RAW)
    found = reads_of(tmp_path, orders(), entry, project=tmp_path / "project")["a"]
    assert dict(zip(found.columns, found.lines, strict=True)) == {"amount": 11, "id": 9, "status": 11}
    assert (found.line, reads_of(tmp_path, orders(), entry)["a"].line) == (14, 13)
    assert found.line_of("id") == 9
