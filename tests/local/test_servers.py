"""The life of the two servers: started once, found again, ended for good, and never anybody else's process harmed."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local import process, servers, state

from .conftest import connect_to, rows

ON_LINUX = pytest.mark.skipif(not Path("/proc/self/net").exists(), reason="reads /proc")


@pytest.fixture
def bystander():
    """A process that has nothing to do with us."""
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        yield sleeper
        sleeper.kill()


def server_of(pid: int, port: int) -> state.Server:
    """A running process, written down as one of ours."""
    started = process.identity(pid)
    assert started is not None
    return state.Server(name="warehouse", pid=pid, port=port, started=started)


def listeners(pid: int) -> list[tuple[str, int]]:
    """The addresses that a process listens on, as the kernel writes them: 0100007F is 127.0.0.1."""
    inodes = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    sockets = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return [
        (row[1].split(":")[0], int(row[1].split(":")[1], 16))
        for row in sockets
        if row[3] == "0A" and f"socket:[{row[9]}]" in inodes
    ]


@ON_LINUX
def test_nothing_listens_beyond_the_loopback(mesh):
    assert listeners(mesh.warehouse.pid) == [("0100007F", mesh.warehouse.port)]
    assert listeners(mesh.bucket.pid) == [("0100007F", mesh.bucket.port)]


@ON_LINUX
def test_the_servers_know_nothing_of_the_callers_environment(home, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "planted")
    mesh = servers.start(home)
    for server in (mesh.warehouse, mesh.bucket):
        assert "planted" not in Path(f"/proc/{server.pid}/environ").read_text()


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(mesh):
    assert os.getsid(mesh.warehouse.pid) == mesh.warehouse.pid
    assert os.getsid(mesh.bucket.pid) == mesh.bucket.pid


def test_the_environment_leads_boto3_to_the_bucket_past_proxies_and_other_endpoints(mesh, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    for key, value in mesh.environment().items():
        monkeypatch.setenv(key, value)
    buckets = boto3.session.Session().client("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == [os.environ["DBT_MESH_BUCKET"]]
    assert int(os.environ["DBT_MESH_LOCAL_WAREHOUSE_PORT"]) == mesh.warehouse.port


def test_a_second_start_finds_the_running_pair(mesh):
    assert servers.start(mesh.home) == mesh
    assert servers.start(mesh.home, data=mesh.data) == mesh
    assert servers.status(mesh.home).mesh == mesh


def test_a_running_pair_is_not_taken_for_one_on_other_data(mesh, tmp_path):
    with pytest.raises(EmbeddedMeshError, match="already runs on other data"):
        servers.start(mesh.home, data=tmp_path)


def test_three_starts_at_once_give_one_pair(home):
    with ThreadPoolExecutor(3) as pool:
        meshes = set(pool.map(servers.start, [home] * 3))
    assert len(meshes) == 1


def test_stop_ends_both_and_a_second_stop_ends_nothing(home):
    mesh = servers.start(home)
    assert servers.stop(home) == (mesh.warehouse, mesh.bucket)
    assert process.identity(mesh.warehouse.pid) is None
    assert process.identity(mesh.bucket.pid) is None
    assert servers.stop(home) == ()
    assert servers.status(home).mesh is None
    assert sorted(path.name for path in home.iterdir()) == ["bucket.log", "lock", "warehouse", "warehouse.log"]


def test_stop_where_nothing_ever_was_makes_nothing(tmp_path):
    assert servers.stop(tmp_path / "nowhere") == ()
    assert not (tmp_path / "nowhere").exists()


def test_another_process_can_stop_what_this_one_started(home):
    mesh = servers.start(home)
    code = f"from pathlib import Path; from registry_tools.local import servers; servers.stop(Path({str(home)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert process.identity(mesh.warehouse.pid) is None
    assert servers.status(home).alive == ()


def test_a_crashed_server_is_seen_and_start_makes_a_new_pair(home):
    mesh = servers.start(home)
    rows(connect_to(mesh.warehouse.port), "create table t as select 1 as id")
    os.kill(mesh.bucket.pid, signal.SIGKILL)
    assert process.ended(mesh.bucket.pid, mesh.bucket.started, within=5)
    found = servers.status(home)
    assert (found.alive, found.stale, found.mesh) == ((mesh.warehouse,), (mesh.bucket,), None)
    again = servers.start(home)
    assert process.identity(mesh.warehouse.pid) != mesh.warehouse.started
    assert rows(connect_to(again.warehouse.port), "select * from shop.marts.t") == [(1,)]


def test_leftovers_of_a_crash_are_swept(home):
    home.mkdir()
    (home / "bucket.ready").write_text(json.dumps({"pid": 1, "port": 1}))
    (home / "servers.json.4711.new").write_text("{")
    dead = state.Server(name="bucket", pid=2**22 - 1, port=1, started="long ago")
    state.write(home, home / "warehouse", (dead,))
    assert servers.status(home).stale == (dead,)
    assert servers.stop(home) == ()
    assert [path.name for path in home.iterdir()] == ["lock"]


def test_a_pair_whose_starter_died_half_way_is_ended(home, bystander):
    home.mkdir()
    orphan = server_of(bystander.pid, port=0)
    state.write(home, home / "warehouse", (orphan,))
    assert servers.status(home).mesh is None
    assert servers.stop(home) == (orphan,)
    assert bystander.wait(timeout=5) == -signal.SIGTERM


def test_a_server_that_ignores_sigterm_is_killed(home, monkeypatch):
    monkeypatch.setattr(servers, "_POLITE", 0.3)
    home.mkdir()
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        assert deaf.stdout.readline() == b"up\n"
        server = server_of(deaf.pid, port=1)
        state.write(home, home / "warehouse", (server,))
        assert servers.stop(home) == (server,)
        assert deaf.wait(timeout=5) == -signal.SIGKILL


def test_a_reused_process_number_is_left_alone(home, bystander):
    home.mkdir()
    before_us = state.Server(name="warehouse", pid=bystander.pid, port=1, started="another process, before")
    state.write(home, home / "warehouse", (before_us,))
    assert servers.status(home).alive == ()
    assert servers.stop(home) == ()
    assert bystander.poll() is None


def test_a_signal_reaches_only_the_process_that_it_is_meant_for(bystander):
    assert not process.signalled(bystander.pid, "another process, before", signal.SIGKILL)
    assert bystander.poll() is None
    assert process.signalled(bystander.pid, server_of(bystander.pid, port=1).started, signal.SIGKILL)
    assert bystander.wait(timeout=5) == -signal.SIGKILL


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_running(home, tmp_path):
    children = set(servers._children)
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(EmbeddedMeshError, match="warehouse ended before it answered") as failure:
        servers.start(home, data=tmp_path / "file")
    assert any("FileExistsError" in line for line in failure.value.details)
    assert failure.value.where == str(home.resolve() / "warehouse.log")
    assert not (home / "servers.json").exists()
    assert set(servers._children) == children


def test_a_server_that_never_answers_is_given_up(home, monkeypatch):
    children = set(servers._children)
    monkeypatch.setattr(servers, "_PATIENCE", 0.05)
    with pytest.raises(EmbeddedMeshError, match="did not answer within"):
        servers.start(home)
    assert servers.status(home).alive == ()
    assert set(servers._children) == children


def test_a_missing_extra_names_the_install_line(home, monkeypatch):
    monkeypatch.setattr(servers, "_NEEDED", ("fakesnow", "no_such_package.server"))
    with pytest.raises(EmbeddedMeshError, match=r"pip install 'registry-tools\[local\]'"):
        servers.start(home)


def test_an_unreadable_state_file_is_named(home):
    home.mkdir()
    (home / "servers.json").write_text('{"servers": [{"pid": 1}]}')
    with pytest.raises(EmbeddedMeshError, match=r"servers\.json: is not what this version writes"):
        servers.status(home)
    (home / "servers.json").unlink()


def test_importing_the_servers_costs_nothing():
    heavy = "{'fakesnow', 'moto', 'duckdb', 'snowflake', 'sqlglot', 'uvicorn', 'boto3', 'dbt'}"
    code = f"import sys, registry_tools.local.servers; print(*{heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert shown.stdout.strip() == ""
