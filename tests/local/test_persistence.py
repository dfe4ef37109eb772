"""The warehouse's data are there again after any kind of end; the whole of it is one directory."""

import os
import signal
from typing import Any

import pytest

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local import servers
from registry_tools.local.state import EmbeddedMesh

from .conftest import connect_to, rows


def seen(mesh: EmbeddedMesh) -> tuple[Any, Any, Any]:
    connection = connect_to(mesh.warehouse.port)
    asked = (
        "select id, name from shop.marts.t",
        "select comment from shop.information_schema.tables where table_name = 'T'",
        "select character_maximum_length from shop.information_schema.columns where column_name = 'NAME'",
        "select t2.id from other.marts.t2",
    )
    answers = [rows(connection, sql) for sql in asked]
    grants = [row[1:6] for row in rows(connection, "show grants on shop.marts.t")]
    roles = [row[1] for row in rows(connection, "show roles")]
    connection.close()
    return answers, grants, roles


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_data_descriptions_and_grants_survive_the_end_of_the_server(home, number):
    mesh = servers.start(home)
    connection = connect_to(mesh.warehouse.port)
    for sql in (
        "create table t (id int, name varchar(10))",
        "insert into t values (1, 'a')",
        "comment on table t is $$anna's$$",
        "create role reader",
        "grant select on t to reader",
        "create database other",
        "create schema other.marts",
        "create table other.marts.t2 as select 2 as id",
    ):
        connection.cursor().execute(sql)
    before = seen(mesh)
    assert before == (
        [[(1, "a")], [("anna's",)], [(10,)], [(2,)]],
        [
            ("OWNERSHIP", "TABLE", "SHOP.MARTS.T", "ROLE", "TRANSFORMER"),
            ("SELECT", "TABLE", "SHOP.MARTS.T", "ROLE", "READER"),
        ],
        ["READER"],
    )
    os.kill(mesh.warehouse.pid, number)  # with the session open
    os.waitpid(mesh.warehouse.pid, 0)
    again = servers.start(home)
    assert again.warehouse.pid != mesh.warehouse.pid
    assert seen(again) == before


def test_two_warehouses_cannot_share_one_directory(home, tmp_path):
    mesh = servers.start(home)
    with pytest.raises(EmbeddedMeshError, match="warehouse ended before it answered") as refused:
        servers.start(tmp_path / "second", data=mesh.data)
    assert any("lock" in line for line in refused.value.details)
    assert servers.status(tmp_path / "second").alive == ()
