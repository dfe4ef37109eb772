"""What was read of SQL is kept: the same answer with the cache as without, and no trust in what stands in its file."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from registry_tools.intake import readings
from registry_tools.intake.known_tables import KnownTables, Tables
from registry_tools.intake.readings import Query, Readings, readings_file
from registry_tools.intake.sql.reading import Origin, Output, QueryReading, TableReading
from registry_tools.intake.sql.reading import Tables as AnyTables

DAY = 24 * 3600
seen: list[str] = []


def known(*columns: str) -> Tables:
    """One table of these columns."""
    tables = KnownTables(adapter="snowflake")
    tables.know(("P", "M", "T"), columns, complete=True)
    return tables.tables(["t"])


def fake(sql: str, adapter: str, tables: AnyTables) -> QueryReading:
    """Says what it was asked, in every field that a reading has."""
    seen.append(sql)
    shape = tables(("P", "M", "T"))
    assert shape
    table = TableReading(columns={"ID": 1}, whole=frozenset({"output"}), taken=frozenset({adapter}), line=2)
    origin = Origin(table=shape.table, column=sql)
    output = Output(name="ID", origins=frozenset({origin}), passed=origin)
    return QueryReading(tables={shape.table: table}, outputs=(output,), open=frozenset(shape.columns))


def asked(file: Path | None, *queries: Query, adapter: str = "snowflake") -> list[QueryReading]:
    """What these come to, and in seen what had to be read for it."""
    seen.clear()
    with Readings(adapter, file, read=fake) as found:
        return found.of(queries)


def many(count: int) -> list[Query]:
    """So many queries, each another one."""
    texts = (f"select id, {number} as n from p.m.t" for number in range(count))  # nobody runs it
    return [Query(sql=text, tables=known("ID")) for text in texts]


QUERY = Query(sql="select id from p.m.t", tables=known("ID"))


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "deep/readings.msgpack"
    cold = asked(file, QUERY)
    assert seen == [QUERY.sql]
    assert (asked(file, QUERY), seen) == (cold, [])
    assert asked(None, QUERY) == cold


def test_the_same_query_is_read_once(tmp_path: Path) -> None:
    first, second = asked(tmp_path / "file", QUERY, QUERY)
    assert (first, seen) == (second, [QUERY.sql])


@pytest.mark.parametrize(
    "query",
    [
        Query(sql="select id from p.m.t ", tables=QUERY.tables),
        Query(sql=QUERY.sql, tables=known("ID", "AMOUNT")),
        Query(sql=QUERY.sql, tables=KnownTables(adapter="snowflake").tables([])),
        Query(sql=QUERY.sql, tables=KnownTables(adapter="duckdb").tables([])),
    ],
)
def test_other_sql_or_other_columns_are_another_query(tmp_path: Path, query: Query) -> None:
    asked(tmp_path / "file", QUERY)
    asked(tmp_path / "file", query)
    assert seen == [query.sql]


def test_so_are_another_adapter_and_another_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(tmp_path / "file", QUERY)
    asked(tmp_path / "file", QUERY, adapter="postgres")
    assert seen == [QUERY.sql]
    with Readings("snowflake", tmp_path / "file", processes=1) as own:
        assert own.of([QUERY])[0].tables
        assert own.cold == 1
    monkeypatch.setattr(readings, "_READER", tmp_path)
    with Readings("snowflake", tmp_path / "file", processes=1) as changed:
        changed.of([QUERY])
        assert changed.cold == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"{}",
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode({"readings": {"a": "b"}}),
        msgspec.msgpack.encode({"readings": {"a": [1, {"tables": 7}]}}),
        b"\x81\xa8readings" + b"\x81\xa1a" * 5_000,
    ],
)
def test_whatever_is_wrong_with_the_file_counts_as_nothing_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    cold = asked(file, QUERY)
    assert seen == [QUERY.sql]
    assert (asked(file, QUERY), seen) == (cold, [])


def test_a_reading_that_is_none_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    (cold,) = asked(file, QUERY)
    (key,) = msgspec.msgpack.decode(file.read_bytes())["readings"]
    for other in (7, {"tables": 7}, None):
        file.write_bytes(msgspec.msgpack.encode({"readings": {key: [1, other]}}))
        assert (asked(file, QUERY), seen) == ([cold], [QUERY.sql])


def test_a_folder_that_takes_no_file_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert asked(tmp_path / "file/below/readings.msgpack", QUERY)


def test_what_was_not_asked_for_in_a_month_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Query(sql="select 2 from p.m.t", tables=QUERY.tables)
    file = tmp_path / "file"
    asked(file, QUERY, other)
    now = time.time()
    for days, again in ((20, []), (40, []), (71, [other.sql])):
        monkeypatch.setattr(time, "time", lambda days=days: now + days * DAY)
        asked(file, QUERY)
        assert seen == []
        if days > 40:
            asked(file, other)
        assert seen == again


def test_so_does_what_is_oldest_beyond_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "_MOST_KEPT", 3)
    queries = many(5)
    now = time.time()
    for day, query in enumerate(queries):
        monkeypatch.setattr(time, "time", lambda day=day: now + day * DAY)
        asked(tmp_path / "file", query)
    assert _kept(tmp_path / "file", queries) == [2, 3, 4]
    asked(tmp_path / "file", *queries)
    assert _kept(tmp_path / "file", queries) == [0, 1, 2, 3, 4]  # of what is asked for at once, all


def _kept(file: Path, queries: Sequence[Query]) -> list[int]:
    content = file.read_bytes()
    found = []
    for number, query in enumerate(queries):
        file.write_bytes(content)
        asked(file, query)
        found += [] if seen else [number]
    file.write_bytes(content)
    return found


def test_a_file_that_says_the_same_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    asked(file, QUERY)
    os.utime(file, (1, 1))
    asked(file, QUERY)
    assert file.stat().st_mtime == 1


def test_nothing_is_kept_of_a_run_that_failed(tmp_path: Path) -> None:
    def broken(sql: str, adapter: str, tables: AnyTables) -> QueryReading:
        return fake(sql, adapter, tables) if sql == QUERY.sql else QueryReading(unread=str(1 // 0))

    with pytest.raises(ZeroDivisionError), Readings("snowflake", tmp_path / "file", read=broken) as found:
        found.of([QUERY, *many(1)])
    assert not (tmp_path / "file").exists()


def test_it_is_told_how_many_are_done(tmp_path: Path) -> None:
    queries = many(4)
    asked(tmp_path / "file", *queries[:3])
    told: list[int] = []
    with Readings("snowflake", tmp_path / "file", read=fake) as found:
        found.of(queries, told.append)
    assert told == [3, 1]


def test_each_project_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = {readings_file(tmp_path, name) for name in ("dbt_down", "dbt_down_loom", "../../etc", "")}
    assert len(files) == 4
    assert {file.parent for file in files} == {tmp_path / "readings"}


# -- with all cores ---------------------------------------------------------------------------------------------------


def test_many_new_queries_are_read_beside_one_another_with_the_same_result() -> None:
    queries = many(70)
    with Readings("snowflake", processes=1) as alone, Readings("snowflake", processes=2) as beside:
        told: list[int] = []
        assert beside.of(queries, told.append) == alone.of(queries)
        assert sum(told) == 70
        assert beside._pool is not None
        assert beside.of(queries[:2]) == alone.of(queries[:2])


def test_few_are_read_here() -> None:
    with Readings("snowflake", processes=2) as found:
        found.of(many(20))
        assert found._pool is None


def test_where_no_process_can_be_started_all_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no semaphores")

    monkeypatch.setattr(readings, "ProcessPoolExecutor", refuse)
    queries = many(70)
    with Readings("snowflake", processes=2) as here, Readings("snowflake", processes=1) as alone:
        assert here.of(queries) == alone.of(queries)
