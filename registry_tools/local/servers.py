"""A home directory in, both local servers alive as child processes out: started once, found again, stopped for good."""

import http.client
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local import process, state
from registry_tools.local.ready import announced_port
from registry_tools.local.state import BUCKET, HOST, EmbeddedMesh, Server, Status

__all__ = ["BUCKET", "HOST", "EmbeddedMesh", "Server", "Status", "start", "status", "stop"]

_PATIENCE = 60.0  # seconds for a server to answer, or for another `start` to finish; 2 s are usual
_POLITE = 10.0  # seconds between SIGTERM and SIGKILL
_POLL = 0.02
_LOG_LINES = 15
_NEEDED = ("fakesnow", "uvicorn", "moto", "flask", "dbt.adapters.snowflake")
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV")

# Popen objects of our own children: waiting on one is what buries it, and a zombie keeps its number.
_children: dict[int, subprocess.Popen[bytes]] = {}


def start(home: Path, *, data: Path | None = None) -> EmbeddedMesh:
    """Both servers, running. Finds the pair that runs already, or starts a new one and waits until both answer; two
    calls at the same time get the same pair. On any failure nothing is left running.

    The databases live in `data`, by default `<home>/warehouse`, and survive the servers. The bucket lives in memory.
    """
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    with _alone(home):
        found = status(home)
        if found.mesh is None:
            _end(home, found)
            return _launch(home, (data or home / "warehouse").resolve())
    if data is not None and found.mesh.data != data.resolve():
        raise EmbeddedMeshError(
            f"already runs on other data: {found.mesh.data}", where=str(home), then="mesh local down, and start again"
        )
    return found.mesh


def status(home: Path) -> Status:
    """Which servers of this home are alive and which are leftovers. Changes nothing."""
    recorded = state.read(home.resolve())
    alive = tuple(each for each in recorded.servers if process.identity(each.pid) == each.started)
    stale = tuple(each for each in recorded.servers if each not in alive)
    return Status(home=home.resolve(), data=recorded.data, alive=alive, stale=stale)


def stop(home: Path) -> tuple[Server, ...]:
    """Ends what runs in this home and removes what it left behind, a crash's leftovers too. Returns what it ended;
    a second call ends nothing. Databases and logs stay.
    """
    if not home.is_dir():
        return ()
    home = home.resolve()
    with _alone(home):
        found = status(home)
        _end(home, found)
    return found.alive


def _launch(home: Path, data: Path) -> EmbeddedMesh:
    _require_extra()
    commands = {
        "warehouse": ["registry_tools.local.warehouse.server", "--data", str(data), "--home", str(home)],
        "bucket": ["registry_tools.local.bucket", "--bucket", BUCKET],
    }
    with ExitStack() as undo:
        spawned: list[Server] = []
        undo.callback(lambda: _end(home, Status(home=home, data=data, alive=tuple(spawned), stale=())))
        for name, command in commands.items():
            spawned.append(_spawn(home, name, command))
            state.write(home, data, tuple(spawned))  # before they answer: whoever comes after a crash can end them
        deadline = time.monotonic() + _PATIENCE
        warehouse, bucket = (_answering(home, each, deadline) for each in spawned)
        state.write(home, data, (warehouse, bucket))
        undo.pop_all()
    return EmbeddedMesh(warehouse=warehouse, bucket=bucket, home=home, data=data)


def _require_extra() -> None:
    missing = [name for name in _NEEDED if not _installed(name)]
    if missing:
        raise EmbeddedMeshError(
            f"the embedded mesh needs {', '.join(missing)}", then="pip install 'registry-tools[local]'"
        )


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False


def _spawn(home: Path, name: str, command: list[str]) -> Server:
    """A child in a session of its own, so that Ctrl-C in the terminal does not end it, with an environment that holds
    nothing of the caller's: no credentials, no proxies, no settings of fakesnow or moto.
    """
    ready = state.ready_file(home, name)
    ready.unlink(missing_ok=True)
    environment = {key: os.environ[key] for key in _INHERITED if key in os.environ}
    with state.log_file(home, name).open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", *command, "--ready", str(ready)],  # -P: a duckdb.py in the home stays a file
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return Server(name=name, pid=child.pid, port=0, started=process.identity(child.pid) or "")


def _answering(home: Path, server: Server, deadline: float) -> Server:
    """The server with its port, once it answers."""
    ready = state.ready_file(home, server.name)
    while time.monotonic() < deadline:
        if process.identity(server.pid) != server.started:
            raise _failure(home, server, "ended before it answered")
        port = announced_port(ready, server.pid)
        if port is not None and _answers(port):
            ready.unlink()
            return server.listening_on(port)
        time.sleep(_POLL)
    raise _failure(home, server, f"did not answer within {_PATIENCE:.0f} s")


def _answers(port: int) -> bool:
    """Whether HTTP is spoken there. Any status will do: fakesnow has nothing at /."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _failure(home: Path, server: Server, what: str) -> EmbeddedMeshError:
    log = state.log_file(home, server.name)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return EmbeddedMeshError(
        f"the local {server.name} {what}", where=str(log), details=lines, then="mesh local down, and start again"
    )


def _end(home: Path, found: Status) -> None:
    """Asks both to end at once, then waits; what has not ended by then is killed."""
    for server in found.alive:
        process.signalled(server.pid, server.started, signal.SIGTERM)
    for server in found.alive:
        if not _gone(server, within=_POLITE):
            process.signalled(server.pid, server.started, signal.SIGKILL)
            if not _gone(server, within=_POLITE):
                raise EmbeddedMeshError(
                    f"the local {server.name} does not end, not even by SIGKILL",
                    where=str(home),
                    then=f"look at process {server.pid}: ps -p {server.pid}",
                )
    _bury_children()
    state.remove(home)


def _gone(server: Server, *, within: float) -> bool:
    return process.ended(server.pid, server.started, within=within)


def _bury_children() -> None:
    """Waits on those of our own children that are dead, so that none stays a zombie."""
    for pid, child in tuple(_children.items()):
        if process.identity(pid) is None:
            child.wait(timeout=_POLITE)  # its first thread is gone, and the kernel still counts down the others
            del _children[pid]


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Only one of us at a time, per home; the kernel lets go of the lock when its holder dies."""
    import fcntl  # not on Windows, where the rest of the package runs

    deadline = time.monotonic() + _PATIENCE + _POLITE
    with (home / "lock").open("wb") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmbeddedMeshError(
                        "another process has been starting or stopping the servers for too long",
                        where=str(home),
                        then=f"see who holds it: fuser {home / 'lock'}",
                    ) from None
                time.sleep(_POLL)
        yield
