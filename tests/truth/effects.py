"""A reading of a consumer's query and a change of what it reads in, what the product says of it out.

This is the way of `mesh check`, without its files: the readings become usage, the tables two interfaces, and the
product compares, classifies and judges them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.impact import impacts
from registry_tools.checks.readership import Consumption, Readership
from registry_tools.intake.sql.reading import QueryReading, TableReading
from registry_tools.mesh.impact import EFFECTS, Effect
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.usage import EVERY, Read, Usage
from tests.truth.changes import Change
from tests.truth.engine import Table

_SNOWFLAKE: Final[Mapping[str, str]] = {
    "INTEGER": "number(9,0)",
    "BIGINT": "number(18,0)",
    "VARCHAR": "varchar",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "VARCHAR[]": "array",
}


def interface_of(tables: Iterable[Table], adapter: str = "snowflake") -> Interface:
    """The tables as the public models of an upstream."""
    models = sorted((_model(table, adapter) for table in tables), key=lambda model: model.unique_id)
    return Interface(project="up", adapter=adapter, models=tuple(models))


def _model(table: Table, adapter: str) -> PublicModel:
    columns = {column.name: Column(name=column.name, data_type=_type(column.type, adapter)) for column in table.columns}
    return PublicModel(
        unique_id=f"model.up.{table.name}",
        name=table.name,
        package_name="up",
        alias=table.name,
        relation_name=f"PROD.MARTS.{table.name}",
        database="PROD",
        schema="MARTS",
        access="public",
        columns=columns,
    )


def _type(engine_type: str, adapter: str) -> str:
    if adapter == "duckdb":
        return engine_type
    return _SNOWFLAKE.get(engine_type) or re.sub(r"^DECIMAL", "number", engine_type)


def usage_of(reading: QueryReading) -> Usage:
    """What the consumer records when it is published."""
    if reading.unread:
        raise ValueError(reading.unread)
    return Usage(project="down", reads=tuple(sorted(_read(*each) for each in reading.tables.items())))


def _read(table: str, reading: TableReading) -> Read:
    return Read(
        upstream="up",
        model=table,
        version="",
        node="model.down.reader",
        via="ref",
        columns=tuple(name.lower() for name in sorted(reading.columns)),
        lines=tuple(line for _, line in sorted(reading.columns.items())),
        whole=tuple(sorted(reading.whole)),
        taken=tuple(sorted(reading.taken)),
        path="models/reader.sql",
        line=reading.line,
    )


def effect_of(change: Change, old: Interface, tables: Iterable[Table], usage: Usage) -> Effect:
    """The worst that the change does to the consumer."""
    after = (change.new if table == change.old else table for table in tables)
    new = interface_of((table for table in after if table is not None), old.adapter)
    consumption = Consumption(consumer="down", environment="prod", usage=usage)
    readership = Readership(old, new, [consumption])
    found = (impact.effect for each in classified(compare(old, new), old, new) for impact in impacts(each, readership))
    return min(found, key=EFFECTS.index, default="UNAFFECTED")


def unknown_usage(tables: Iterable[Table]) -> Usage:
    """What is recorded of a query that cannot be read."""
    reads = (
        Read(upstream="up", model=t.name, version="", node="model.down.reader", via="ref", columns=EVERY, unread="?")
        for t in tables
    )
    return Usage(project="down", reads=tuple(sorted(reads)))
