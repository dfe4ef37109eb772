"""Tables that queries of the tests read, and what the reader says of a query, in words that fit into a line."""

from dataclasses import dataclass

from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import QueryReading, Shape
from registry_tools.mesh.relation import fold

COLUMNS = {
    "orders": ("order_id", "customer_id", "amount", "status", "ordered_at", "details"),
    "customers": ("customer_id", "name", "region"),
    "events": ("event_id", "payload"),
}
OPEN = "events"  # there may be more columns than these


@dataclass(frozen=True)
class Told:
    """A reading of one table: `amount:3` is a column and its line."""

    columns: str = ""
    whole: str = ""
    taken: str = ""


def tables_of(adapter: str):
    """The tables above, in any schema and database, as the platform stores their names; nobody asks about others."""
    shapes = {
        fold(table, adapter): Shape(
            table=table, columns=tuple(fold(each, adapter) for each in columns), complete=table != OPEN
        )
        for table, columns in COLUMNS.items()
    }
    return lambda relation: shapes.get(relation[2])


def read(sql: str, adapter: str = "snowflake") -> QueryReading:
    return read_query(sql, adapter, tables_of(adapter))


def told(sql: str, adapter: str = "snowflake") -> dict[str, Told]:
    """What is said of each table, in lower case."""
    reading = read(sql, adapter)
    assert reading.unread == ""
    return {
        table: Told(
            columns=" ".join(f"{name}:{line}" for name, line in sorted(each.columns.items())).lower(),
            whole=" ".join(sorted(each.whole)),
            taken=" ".join(sorted(each.taken)).lower(),
        )
        for table, each in reading.tables.items()
    }


def outputs_of(sql: str, adapter: str = "snowflake") -> str:
    """`total<orders.amount, *status`: a column of its own with its origins, and one that a star passes on."""
    reading = read(sql, adapter)
    assert reading.unread == ""
    outputs = []
    for each in reading.outputs:
        origins = "+".join(sorted(f"{origin.table}.{origin.column}" for origin in each.origins))
        outputs.append(f"*{each.name}" if each.passed else f"{each.name}<{origins}")
    return ", ".join(outputs).lower()
