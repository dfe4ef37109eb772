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


def test_sample_data_is_written_to_a_folder_of_the_mesh_in_both_formats_and_said(folder: Path) -> None:
    asked = ("sample-data", "--seed", "7", "--rows", "1000")
    code, printed = mesh(folder, *asked)
    assert (code, printed.splitlines()[0]) == (0, "✓ 10 new files of 10 in .mesh/sample_data")
    assert "  raw_orders  415 rows in 2 files" in printed.splitlines()
    written = folder / ".mesh" / "sample_data"
    assert len(list(written.glob("raw_*/0001.*"))) == 10
    assert mesh(folder, *asked)[1].startswith("✓ 0 new files of 10")
    code, printed = mesh(folder, "sample-data", "--seed", "8", "--rows", "1")
    assert code == 2
    assert "raw_products/0001.parquet: is there already, and holds other rows" in printed


def test_sample_data_lands_in_the_local_s3_once_and_only_there(folder: Path) -> None:
    asked = ("sample-data", "--rows", "1", "--to-landing")
    code, printed = mesh(folder, *asked, "--seed", "7")
    assert code == 3
    assert "the embedded mesh does not run\n  next: mesh local up" in printed
    for more in (("--format", "both"), ("--output", "x")):
        code, printed = mesh(folder, *asked, "--seed", "7", *more)
        assert code == 2
        assert f"next: leave out {' '.join(more) if more[0] == '--format' else '--output'}" in printed
    mesh(folder, "up")
    assert mesh(folder, *asked, "--seed", "7")[1].startswith("✓ 5 new files of 5 in s3://dbt-mesh/landing/\n")
    assert mesh(folder, *asked, "--seed", "7")[1].startswith("✓ 0 new files of 5 in s3://dbt-mesh/landing/\n")
    code, printed = mesh(folder, *asked, "--seed", "8")
    assert code == 2
    assert "s3://dbt-mesh/landing/raw_products/0001.parquet: is there already" in printed
