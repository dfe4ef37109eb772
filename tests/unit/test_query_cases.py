"""Golden cases of queries: each folder of tests/cases/queries is a query and what is read out of it.

`UPDATE_CASES=1 pytest tests/unit/test_query_cases.py` writes the readings again; read the diff before committing it.
"""

import os
from pathlib import Path

import msgspec
import pytest
import yaml

from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import Origin, QueryReading, Shape

FOLDER = Path(__file__).parent.parent / "cases/queries"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def reading_of(case: str) -> QueryReading:
    own = FOLDER / case / "tables.yml"
    asked = yaml.safe_load((own if own.exists() else FOLDER / "tables.yml").read_text(encoding="utf-8"))
    shapes = {
        tuple(relation.split(".")): Shape(
            table=relation.rpartition(".")[2].lower(),
            columns=tuple(table["columns"]),
            complete=table.get("complete", True),
        )
        for relation, table in asked["tables"].items()
    }
    return read_query((FOLDER / case / "query.sql").read_text(encoding="utf-8"), asked["adapter"], shapes.get)


def document_of(reading: QueryReading) -> dict[str, object]:
    if reading.unread:
        return {"unread": reading.unread}
    tables = {
        name: {
            "line": table.line,
            "columns": dict(table.columns),
            "whole": sorted(table.whole),
            "taken": sorted(table.taken),
        }
        for name, table in reading.tables.items()
    }
    outputs = [
        {"name": each.name, "origins": sorted(map(spelled, each.origins)), "passed": each.passed is not None}
        for each in reading.outputs
    ]
    return {"tables": tables, "outputs": outputs, "open": sorted(reading.open)}


def spelled(origin: Origin) -> str:
    return f"{origin.table}.{origin.column}"


@pytest.mark.parametrize("case", CASES)
def test_a_query_is_read_as_expected(case: str) -> None:
    text = msgspec.json.format(msgspec.json.encode(document_of(reading_of(case))), indent=2).decode() + "\n"
    expected = FOLDER / case / "expected.json"
    if os.environ.get("UPDATE_CASES"):
        expected.write_text(text, encoding="utf-8", newline="")
    assert text == expected.read_bytes().decode()


def test_the_cases_show_everything_that_becomes_of_whole_rows() -> None:
    readings = [reading_of(case) for case in CASES]
    tables = [table for reading in readings for table in reading.tables.values()]
    assert frozenset().union(*(table.whole for table in tables)) == {"output", "position", "value"}
    assert any(table.taken for table in tables)
    assert any(reading.open for reading in readings)
    assert any(reading.unread for reading in readings)
    assert len(CASES) >= 20
