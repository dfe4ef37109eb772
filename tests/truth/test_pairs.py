"""What the product says of a change is held against what a real engine makes of the consumer's query afterwards."""

from collections import Counter
from dataclasses import replace

import pytest

from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import QueryReading, TableReading, Tables
from tests.truth.engine import Engine
from tests.truth.pairs import CHANGES, run
from tests.truth.requalified import disagreements
from tests.truth.shrink import smallest

PAIRS = 5_000


@pytest.fixture(scope="module")
def tally():
    """Of all seeds a few give no query that the engine takes."""
    return run(range(PAIRS // CHANGES + PAIRS // CHANGES // 15))


def test_nobody_is_hurt_unwarned_and_few_are_warned_for_nothing(tally, record_property):
    record_property("told", "\n".join(tally.lines()))
    assert tally.counts["pairs"] >= PAIRS
    assert 20 * tally.counts["queries"] >= 19 * tally.counts["drawn"]
    assert tally.counts["unread"] == 0
    with Engine() as engine:
        assert ["\n".join(smallest(engine, pair).lines()) for pair in tally.missed[:3]] == []
    assert tally.share("false alarm") <= 2


def test_every_construct_and_every_change_takes_part(tally):
    constructs = Counter({construct: 0 for construct, _ in tally.by_construct})
    for (construct, _), number in tally.by_construct.items():
        constructs[construct] += number
    assert len(constructs) >= 35
    assert min(constructs.values()) >= 5
    assert len({change for change, _ in tally.by_change}) == 8
    assert {truth for _, truth in tally.said} == {"same", "differs", "fails"}


def test_what_is_recorded_of_the_old_interface_agrees_with_reading_again_against_the_new_one():
    counts: Counter[str] = Counter()
    with Engine() as engine:
        assert list(disagreements(engine, range(400), counts)) == []
    assert counts["other"] > 200
    assert counts["same"] > 300


@pytest.mark.parametrize("part", ["columns", "whole", "taken"])
def test_a_reader_that_forgets_something_is_found_out(part):
    """And the pair that shows it is made small enough to see why."""

    def forgetful(sql: str, adapter: str, tables: Tables) -> QueryReading:
        reading = read_query(sql, adapter, tables)
        return replace(reading, tables={name: _without(part, of) for name, of in reading.tables.items()})

    tally = run(range(120), forgetful)
    missed = [pair for pair in tally.faults if pair.fault == "false negative"]
    assert missed
    with Engine() as engine:
        small = min((smallest(engine, pair) for pair in missed[:5]), key=lambda pair: len(pair.query.text))
    assert small.fault == "false negative"
    assert len(small.query.sql) < 160


def _without(part: str, reading: TableReading) -> TableReading:
    empty: dict[str, object] = {"columns": {}, "whole": frozenset(), "taken": frozenset()}
    return replace(reading, **{part: empty[part]})  # type: ignore[arg-type]
