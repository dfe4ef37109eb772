"""One pair of servers for each module of tests, and clients that give up within seconds instead of asking for ever."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from registry_tools.local import servers
from registry_tools.local.state import EmbeddedMesh

Connect = Callable[..., SnowflakeConnection]


def connect_to(port: int, **options: Any) -> SnowflakeConnection:
    """A login over HTTP, as dbt-snowflake makes it. `network_timeout` bounds the connector's retries after a 500."""
    login = {"user": "anna", "password": "any", "role": "TRANSFORMER", "warehouse": "WH", "database": "SHOP"}
    return SnowflakeConnection(
        account="local",
        host="127.0.0.1",
        port=port,
        protocol="http",
        login_timeout=10,
        network_timeout=10,
        **{**login, "schema": "MARTS", **options},
    )


def rows(connection: SnowflakeConnection, sql: str) -> list[tuple[Any, ...]]:
    """All rows that one statement answers."""
    cursor: Any = connection.cursor().execute(sql)
    fetched: list[tuple[Any, ...]] = cursor.fetchall()
    return fetched


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMesh]:
    home = tmp_path_factory.mktemp("mesh")
    yield servers.start(home)
    servers.stop(home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose servers are gone when the test is over, whatever happened in it."""
    place = tmp_path / "home"
    yield place
    servers.stop(place)


@pytest.fixture
def connect(mesh: EmbeddedMesh) -> Iterator[Connect]:
    opened: list[SnowflakeConnection] = []

    def connect(**options: Any) -> SnowflakeConnection:
        opened.append(connect_to(mesh.warehouse.port, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def run(connect: Connect, request: pytest.FixtureRequest) -> Callable[[str], list[tuple[Any, ...]]]:
    """Runs one statement in a session of the test's own, in a schema of the test's own."""
    connection = connect(schema=request.node.name.upper())

    def run(sql: str) -> list[tuple[Any, ...]]:
        return rows(connection, sql)

    return run
