"""`mesh local up|status|down` as a person types them, in a folder with nothing in it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def mesh(folder: Path, *words: str) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, "-m", "registry_tools", "local", *words],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return run.returncode, run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    mesh(tmp_path, "down")


def test_up_status_and_down_say_what_runs_and_how_to_go_on(folder: Path) -> None:
    assert mesh(folder, "status") == (1, "  nothing is running; start it with mesh local up\n")
    code, printed = mesh(folder, "up")
    assert code == 0, printed
    assert "local Snowflake on 127.0.0.1:" in printed
    assert "local S3 on 127.0.0.1:" in printed
    assert "source .mesh/local/env" in printed
    exported = (folder / ".mesh" / "local" / "env").read_text()
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in exported
    assert "DBT_PROFILES_DIR" not in exported
    code, status = mesh(folder, "status")
    assert code == 0
    assert status in printed
    assert mesh(folder, "down") == (0, "✓ stopped warehouse and bucket\n")
    assert mesh(folder, "down") == (0, "✓ nothing was running\n")


def test_what_a_crash_leaves_is_found_and_cleaned(folder: Path) -> None:
    assert mesh(folder, "up")[0] == 0
    servers = json.loads((folder / ".mesh" / "local" / "servers.json").read_text())["servers"]
    warehouse = next(server["pid"] for server in servers if server["name"] == "warehouse")
    os.kill(warehouse, signal.SIGKILL)
    code, status = mesh(folder, "status")
    assert code == 1
    assert f"warehouse is gone (pid {warehouse})" in status
    assert mesh(folder, "up")[0] == 0
    assert mesh(folder, "status")[0] == 0
