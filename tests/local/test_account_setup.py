"""The SQL that sets an account up runs on the embedded warehouse, over the connector, and is read back from there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from registry_tools.cli.app import mesh as mesh_command
from registry_tools.local.state import EmbeddedMesh
from registry_tools.local.warehouse.account_shows import matching

REPOSITORY = Path(__file__).resolve().parents[2]
Mesh = Callable[..., Result]


@pytest.fixture
def snowflake(mesh: EmbeddedMesh, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """`mesh snowflake ... --embedded` in this repository."""
    monkeypatch.setenv("DBT_MESH_LOCAL_WAREHOUSE_PORT", str(mesh.warehouse.port))
    monkeypatch.chdir(REPOSITORY)

    def run(*words: str) -> Result:
        command = ["snowflake", *words, "--embedded"]
        return CliRunner().invoke(mesh_command, command, prog_name="mesh", catch_exceptions=False)

    return run


def test_the_repositorys_own_setup_is_applied_and_found_as_its_files_say(snowflake: Mesh, tmp_path: Path) -> None:
    planned = json.loads(snowflake("plan", "--format", "json").stdout)
    assert planned["account"] == "the account EMBEDDED, as ACCOUNTADMIN sees it"
    applied = snowflake("apply", "--yes")
    assert applied.exit_code == 0, applied.stderr
    assert applied.stdout.count("✓") == len(planned["changes"]) > 100
    again = snowflake("plan", "--check")
    assert again.exit_code == 0, again.stdout
    checked = json.loads(snowflake("check", "--format", "json").stdout)
    assert checked["deviations"] == []
    reads = [row for row in checked["access"] if (row["role"], row["database"]) == ("DBT_DOWN_ROLE", "DBT_UP_PROD")]
    assert [row["purpose"] for row in reads] == ["reads the public models of dbt_up"]
    file = tmp_path / "account.json"
    assert snowflake("snapshot", "--output", str(file)).exit_code == 0
    assert "DBT_UP_SVC" in file.read_text()


def test_what_somebody_changes_by_hand_is_found(snowflake: Mesh, run: Callable[[str], list[Any]]) -> None:
    snowflake("apply", "--yes")
    run("alter warehouse DBT_UP_WH set auto_suspend = 3600")
    run("create role if not exists STRANGER")
    run("grant usage on database DBT_UP_PROD to role STRANGER")
    found = snowflake("check")
    assert found.exit_code == 1
    assert "AUTO_SUSPEND of WAREHOUSE DBT_UP_WH is 3600, and should be 60" in found.stdout
    assert "STRANGER" in found.stdout
    mended = json.loads(snowflake("apply", "--yes", "--format", "json").stdout)
    assert [change["statement"].split()[:3] for change in mended["changes"]] == [["alter", "warehouse", "DBT_UP_WH"]]


def test_the_fingerprint_of_a_key_is_shown(snowflake: Mesh, run: Callable[[str], list[Any]], tmp_path: Path) -> None:
    snowflake("apply", "--yes")
    file = tmp_path / "key.sql"
    file.write_text("use role useradmin; alter user DBT_UP_SVC set rsa_public_key = 'aGVsbG8='")
    assert snowflake("apply", str(file), "--yes").exit_code == 0
    shown = snowflake("keys", "DBT_UP_SVC").stdout
    assert "SHA256:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" in shown
    run("alter user DBT_UP_SVC unset rsa_public_key")
    assert "has no key" in snowflake("keys", "DBT_UP_SVC").stderr


def test_a_database_begins_with_a_schema_and_a_database_role_sees_its_database(run: Callable[[str], list[Any]]) -> None:
    run("create database if not exists FRESH")
    run("create database role FRESH.READER")
    assert [row[1] for row in run("show schemas in database FRESH")] == ["PUBLIC"]
    granted = [row[1:6] for row in run("show grants to database role FRESH.READER")]
    assert granted == [("USAGE", "DATABASE", "FRESH", "DATABASE_ROLE", "FRESH.READER")]
    run("drop database FRESH")
    run("create database FRESH")
    assert run("show database roles in database FRESH") == []


def test_a_database_role_that_is_dropped_leaves_nothing(run: Callable[[str], list[Any]]) -> None:
    run("create database gone")
    run("create database role gone.reader")
    run("grant usage on schema gone.public to database role gone.reader")
    run("drop database role if exists gone.reader")
    assert run("show database roles in database gone") == []
    assert run("show grants to database role gone.reader") == []
    run("drop database role if exists gone.reader")


def test_or_alter_keeps_what_was_granted(run: Callable[[str], list[Any]]) -> None:
    run("create database if not exists POLICED")
    name = "POLICED.PUBLIC.LOGIN"
    run(f"create or alter authentication policy {name} authentication_methods = ('KEYPAIR')")
    run(f"create or alter authentication policy {name} authentication_methods = ('KEYPAIR', 'WORKLOAD_IDENTITY')")
    assert run(f"describe authentication policy {name}") == [("AUTHENTICATION_METHODS", "[KEYPAIR, WORKLOAD_IDENTITY]")]
    assert [row[1] for row in run("show authentication policies in schema POLICED.PUBLIC")] == ["LOGIN"]


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        (None, "ANY", True),
        ("DBT%", "DBT_UP", True),
        ("dbt_up", "DBT_UP", True),
        ("DBT_UP", "DBTXUP", True),
        (r"DBT\_UP", "DBTXUP", False),
        (r"DBT\_UP", "DBT_UP", True),
        ("A.B", "AXB", False),
    ],
)
def test_like_knows_its_wildcards(pattern: str | None, name: str, *, fits: bool) -> None:
    assert bool(matching(pattern).fullmatch(name)) is fits


def test_what_pull_requests_left_behind_is_dropped_and_nothing_else(
    snowflake: Mesh, run: Callable[[str], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    snowflake("apply", "--yes")
    monkeypatch.setenv("SNOWFLAKE_ROLE", "DBT_UP_ROLE")  # as a job has it
    for statement in (
        "use role DBT_UP_ROLE",
        "create schema if not exists DBT_UP_CI.pr_7",
        "create schema if not exists DBT_UP_CI.pr_7_marts",
        "create schema if not exists DBT_UP_CI.ci",
        "create table DBT_UP_CI.pr_7_marts.orders as select 1 as id",
        "use role DBT_DOWN_ROLE",
        "create schema if not exists DBT_UP_CI.pr_8",
    ):
        run(statement)
    assert "nothing of a pull request is older" in snowflake("prune", "--env", "ci").stdout
    pruned = snowflake("prune", "--env", "ci", "--older-than", "0", "--yes")
    assert pruned.exit_code == 0, pruned.stderr
    assert [line for line in pruned.stdout.splitlines() if "dropped" in line] == [
        "✓ dropped DBT_UP_CI.PR_7",
        "✓ dropped DBT_UP_CI.PR_7_MARTS",
    ]
    left = {row[1] for row in run("show schemas in database DBT_UP_CI")}
    assert {"PR_8", "CI"} <= left
    assert not {"PR_7", "PR_7_MARTS"} & left
    run("use role DBT_UP_ROLE")
    run("create schema if not exists DBT_UP_CI.pr_7_marts")
    run("create table DBT_UP_CI.pr_7_marts.orders as select 2 as id")
    assert snowflake("prune", "--env", "prod", "--yes").exit_code == 2
