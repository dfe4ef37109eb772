"""What a query reads is held against what a real engine says when the columns are not there."""

from collections.abc import Callable

import pytest

from tests.truth.agreement import CORPORA, agreement
from tests.truth.corpus import TPC_PYTHON, own_queries
from tests.truth.engine import Engine

QUERIES = {"the demo's projects": 29, "TPC-H": 22, "TPC-DS": 99, "our own": 140}


@pytest.mark.parametrize("name", CORPORA)
def test_reader_and_engine_agree_on_every_column(name: str, record_property: Callable[[str, str], None]) -> None:
    if name.startswith("TPC") and not TPC_PYTHON.exists():
        pytest.skip("make engines installs the queries of TPC")
    found = agreement(name)
    record_property("told", found.row)
    assert found.queries >= QUERIES[name]
    assert found.faults == []
    assert 100 * len(found.unread) <= 3 * found.queries, found.unread


def test_our_own_queries_are_queries() -> None:
    """One that the engine refuses would agree with anything."""
    with Engine() as engine:
        for query in own_queries():
            engine.keep(query.tables)
            assert query.by_hand or engine.binds(query.engine_sql).refused == "", query.name
