"""mesh snowflake, end to end: files, a session at an account in memory, and what people and programs read."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click.testing
import pytest
from click.testing import CliRunner, Result

from registry_tools.cli import connecting
from registry_tools.cli.app import mesh as mesh_command
from registry_tools.errors import AccountError, AnswerLost
from tests.account.conftest import Setting
from tests.fake_account import FakeAccount

Run = Callable[..., Result]


@pytest.fixture
def run(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> Run:
    """One command; `--connection fake` is the account in memory."""

    @contextmanager
    def open_session(_variables: Mapping[str, str], *, connection: str | None, embedded: bool) -> Iterator[FakeAccount]:
        assert (connection, embedded) == ("fake", False)
        yield setting.fake

    monkeypatch.setattr(connecting, "open_session", open_session)

    def run(*words: str, **options: Any) -> Result:
        command = ["snowflake", *words]
        return CliRunner().invoke(mesh_command, command, prog_name="mesh", catch_exceptions=False, **options)

    return run


LIVE = ("--connection", "fake")


def decline(statement: str) -> Callable[[str], None]:
    def fail(sent: str) -> None:
        if sent.startswith(statement):
            raise AccountError("Insufficient privileges", details=["query 01ab"], then="use another role")

    return fail


def lose_the_answer(of: str) -> Callable[[str], None]:
    """The connection breaks after this statement was sent."""

    def fail(statement: str) -> None:
        if re.search(of, statement, re.IGNORECASE):
            raise AnswerLost("no answer came", where="FAKE", then="look")

    return fail


def test_without_an_account_everything_is_planned_and_it_is_said_that_none_was_looked_at(run: Run) -> None:
    result = run("plan")
    assert result.exit_code == 0
    assert "01_databases_and_warehouses.sql, as SYSADMIN\n" in result.stdout
    assert re.search(r"\n +\d+  create database if not exists DBT_UP_PROD;\n", result.stdout)
    assert re.search(r"\n\d+ of \d+ statements would change an empty account\n", result.stdout)
    assert "no account was looked at" in result.stdout


def test_a_planned_statement_stands_where_the_plan_says(run: Run, setting: Setting) -> None:
    changes = json.loads(run("plan", "--format", "json").stdout)["changes"]
    assert len(changes) > 100
    for change in changes:
        line = (setting.root / "snowflake_setup" / change["file"]).read_text().splitlines()[change["line"] - 1]
        assert change["statement"].startswith(" ".join(line.removesuffix(";").split()))
    assert {change["role"] for change in changes} == {"SYSADMIN", "USERADMIN", "SECURITYADMIN", "ACCOUNTADMIN"}


def test_apply_does_what_plan_says_once(run: Run, setting: Setting) -> None:
    planned = json.loads(run("plan", *LIVE, "--format", "json").stdout)
    assert run("plan", *LIVE, "--check").exit_code == 1
    applied = run("apply", *LIVE, "--yes")
    assert applied.exit_code == 0
    assert applied.stdout.count("✓") == len(planned["changes"])
    assert f"{len(planned['changes'])} statements carried out in the account FAKE" in applied.stdout
    before = setting.fake.account
    setting.fake.log.clear()
    again = run("apply", *LIVE, "--yes")
    assert "none of" in again.stdout
    assert setting.fake.changes == []
    assert setting.fake.account == before
    assert run("plan", *LIVE, "--check").exit_code == 0
    assert run("check", *LIVE).exit_code == 0


def test_apply_stops_at_the_first_error_and_goes_on_from_there(run: Run, setting: Setting) -> None:
    setting.fake.fails = decline("create role if not exists DBT_DOWN_ROLE")
    stopped = run("apply", *LIVE, "--yes")
    assert stopped.exit_code == 3
    assert re.match(r"error: 02_roles_and_users\.sql:\d+: Insufficient privileges\n", stopped.stderr)
    done = stopped.stdout.count("✓")
    assert f"{done} of " in stopped.stderr
    assert "in the role USERADMIN" in stopped.stderr
    assert "query 01ab" in stopped.stderr
    assert stopped.stderr.endswith("use another role; then mesh snowflake apply goes on where this stopped\n")
    assert not any(line.startswith("create user if not exists DBT_DOWN_SVC") for line in setting.fake.log)
    setting.fake.fails = lambda _statement: None
    rest = run("apply", *LIVE, "--yes", "--format", "json")
    document = json.loads(rest.stdout)
    assert document["applied"] == len(document["changes"])
    assert document["changes"][0]["statement"] == "create role if not exists DBT_DOWN_ROLE"
    assert run("check", *LIVE).exit_code == 0


def test_a_lost_answer_is_told_as_unknown(run: Run, setting: Setting) -> None:
    setting.fake.fails = lose_the_answer("^create user if not exists DBT_UP_SVC")
    result = run("apply", *LIVE, "--yes")
    assert result.exit_code == 3
    assert "no answer came" in result.stderr
    assert "next: mesh snowflake plan says whether it was" in result.stderr


def test_roles_that_whoever_is_logged_in_has_not_are_said_before_anything_is_done(run: Run, setting: Setting) -> None:
    setting.fake.available = ("SYSADMIN",)
    result = run("apply", *LIVE, "--yes")
    assert result.exit_code == 1
    assert "you do not have ACCOUNTADMIN and USERADMIN and SECURITYADMIN" in result.stderr
    assert "02_roles_and_users.sql:" in result.stderr
    assert setting.fake.changes == []
    planned = run("plan", *LIVE)
    assert planned.exit_code == 0
    assert "warning: you do not have ACCOUNTADMIN" in planned.stderr


def test_what_the_account_would_decline_is_said_before_anything_is_done(run: Run, setting: Setting) -> None:
    (setting.root / "snowflake_setup/05_more.sql").write_text(
        "-- a comment\nuse role sysadmin;\ngrant usage on database NOWHERE to role DBT_UP_ROLE;\n"
    )
    result = run("apply", *LIVE, "--yes")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: 05_more.sql:3: there is no DATABASE NOWHERE\n")
    assert setting.fake.changes == []


def test_a_statement_that_the_model_does_not_know_is_no_plan(run: Run, setting: Setting) -> None:
    (setting.root / "snowflake_setup/05_more.sql").write_text("\n\nexecute immediate 'drop database DBT_UP_PROD';\n")
    for words in (("plan",), ("check",), ("apply", *LIVE, "--yes")):
        result = run(*words)
        assert result.exit_code == 2
        assert result.stderr.startswith("error: 05_more.sql:3: ")
    assert setting.fake.changes == []


def test_a_role_that_does_not_see_everything_is_said_to_be_one(run: Run, setting: Setting) -> None:
    setting.fake.role = "SYSADMIN"
    assert "warning: SYSADMIN sees only what it has to do with" in run("plan", *LIVE).stderr
    setting.fake.role = "SECURITYADMIN"
    assert run("plan", *LIVE).stderr == ""


def test_a_dry_run_changes_nothing(run: Run, setting: Setting) -> None:
    result = run("apply", *LIVE, "--dry-run")
    assert result.exit_code == 0
    assert "nothing was changed" in result.stdout
    assert setting.fake.changes == []


@pytest.mark.parametrize(("answer", "changed"), [("y\n", True), ("n\n", False), ("", False)])
def test_on_a_terminal_one_is_asked(
    run: Run, setting: Setting, monkeypatch: pytest.MonkeyPatch, answer: str, *, changed: bool
) -> None:
    monkeypatch.setattr(click.testing._NamedTextIOWrapper, "isatty", lambda _self: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    result = run("apply", *LIVE, input=answer)
    assert "Carry out" in result.stderr
    assert "create database if not exists DBT_UP_PROD" in result.stderr
    assert bool(setting.fake.changes) is changed
    assert result.exit_code == (0 if changed else 1)


def test_where_nobody_can_be_asked_nothing_is_done(run: Run, setting: Setting) -> None:
    result = run("apply", *LIVE)
    assert result.exit_code == 2
    assert "next: mesh snowflake apply --yes" in result.stderr
    assert setting.fake.changes == []


def test_other_files_than_the_numbered_ones_may_be_named(run: Run, setting: Setting) -> None:
    setting.set_up()
    Path("key.sql").write_text("use role useradmin;\nalter user DBT_UP_SVC set rsa_public_key = 'MIIBIjAN';\n")
    assert "key.sql:2" in run("apply", "key.sql", *LIVE, "--yes").stdout
    assert "none of 2 statements" in run("plan", "key.sql", *LIVE).stdout
    shown = run("keys", "dbt_up_svc", *LIVE)
    assert shown.stdout == "✓ DBT_UP_SVC\n  RSA_PUBLIC_KEY_FP  SHA256:MIIBIjAN\n"
    every = json.loads(run("keys", *LIVE, "--format", "json").stdout)["users"]
    assert every == {
        "DBT_UP_SVC": {"RSA_PUBLIC_KEY_FP": "SHA256:MIIBIjAN"},
        "DBT_DOWN_SVC": {},
        "DBT_LATE_SVC": {},
    }
    assert "DBT_DOWN_SVC has no key" in run("keys", *LIVE).stderr


# --- check -----------------------------------------------------------------------------------------------------------


def test_the_matrix_of_the_files_needs_no_account(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 0
    table = {tuple(re.split(r"  +", line)[:2]): line for line in result.stdout.splitlines()}
    assert "Full (CREATE, SELECT, INSERT, UPDATE, DELETE)" in table["DBT_UP_ROLE", "DBT_UP_PROD"]
    assert "reads the public models of dbt_up" in table["DBT_DOWN_ROLE", "DBT_UP_PROD"]
    assert "Full" not in table["DBT_DOWN_ROLE", "DBT_UP_PROD"]
    assert ("DBT_UP_ROLE", "DBT_DOWN_PROD") not in table
    assert "this is what the files make of an empty account" in result.stdout
    assert "```" not in run("check", "--format", "markdown").stdout


def stray(fake: FakeAccount) -> None:
    for statement in (
        "create role STRANGER",
        "grant usage on database DBT_UP_PROD to role STRANGER",
        "alter warehouse DBT_UP_WH set auto_suspend = 3600",
        "revoke role DBT_UP_ROLE from user DBT_UP_SVC",
    ):
        fake.run(statement)


def test_every_deviation_is_told_with_the_statement_that_ends_it(run: Run, setting: Setting) -> None:
    stray(setting.set_up())
    result = run("check", *LIVE)
    assert result.exit_code == 1
    assert re.search("next: revoke usage on database DBT_UP_PROD from role STRANGER", result.stdout, re.IGNORECASE)
    assert "AUTO_SUSPEND of WAREHOUSE DBT_UP_WH is 3600, and should be 60" in result.stdout
    assert re.search(r"\nSTRANGER +DBT_UP_PROD +.*mesh\.yml knows of no purpose\n", result.stdout)
    assert result.stdout.endswith("is not as the files say: 3 deviations\n")
    document = json.loads(run("check", *LIVE, "--format", "json").stdout)
    assert [row["role"] for row in document["access"] if not row["foreseen"]] == ["STRANGER"]
    assert len(document["deviations"]) == 3
    for one in document["deviations"]:
        setting.fake.role = "ACCOUNTADMIN"
        setting.fake.run(one["mend"])
    assert run("check", *LIVE).exit_code == 0


def test_what_mesh_grants_plans_is_no_deviation(run: Run, setting: Setting) -> None:
    fake = setting.set_up()
    fake.available = (*fake.available, "DBT_UP_ROLE")
    for statement in (
        "use role DBT_UP_ROLE",
        "create table DBT_UP_PROD.MARTS.PUBLIC_ORDERS (a int)",
        "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
        "grant select on table DBT_UP_PROD.MARTS.PUBLIC_ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
        "create database role DBT_UP_PROD.MESH_READER_SECRETS",
        "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_READER_SECRETS",
        "grant database role DBT_UP_PROD.MESH_READER_SECRETS to role DBT_DOWN_ROLE",
        "use role ACCOUNTADMIN",
    ):
        fake.run(statement)
    result = run("check", *LIVE)
    assert result.exit_code == 0, result.stdout
    assert re.search(r"DBT_DOWN_ROLE +DBT_UP_PROD +Read-only \(SELECT\), 1 relation  +reads the public", result.stdout)


def test_the_table_is_markdown_for_a_document(run: Run, setting: Setting) -> None:
    stray(setting.set_up())
    written = run("check", *LIVE, "--format", "markdown").stdout
    assert written.startswith("| Role | Database | Permissions | Purpose |\n|---|---|---|---|\n| <code>")
    assert "```sql\n" in written
    planned = run("plan", *LIVE, "--format", "markdown").stdout
    assert planned.startswith("**2 of ")
    assert planned.count("```") == 2 * 2
    odd = 'create role "a b"; grant create database on account to role "a b"; use role "a b"; create database ODD;'
    Path("odd.sql").write_text(f"use role accountadmin; {odd}")
    assert '\nuse role "a b";\n' in run("plan", "odd.sql", "--from-nothing", "--format", "markdown").stdout


# --- without a connection --------------------------------------------------------------------------------------------


def test_a_snapshot_stands_for_the_account(run: Run, setting: Setting) -> None:
    stray(setting.set_up())
    result = run("snapshot", *LIVE, "--output", "account.json")
    assert result.exit_code == 0
    assert result.stdout.startswith("✓ account.json: the account FAKE, as ACCOUNTADMIN sees it\n")
    for command in ("plan", "check"):
        live = json.loads(run(command, *LIVE, "--format", "json").stdout)
        kept = json.loads(run(command, "--from-file", "account.json", "--format", "json").stdout)
        assert kept.pop("account").startswith(live.pop("account") + " on 20")
        assert kept == live
    assert len(Path("account.json").read_text().splitlines()) > 100  # a line for each thing, so that it can be compared


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["plan", "--from-file", "nowhere.json"], "nowhere.json: the account is missing"),
        (["plan", "--from-file", "mesh.yml"], "mesh.yml: not an account"),
        (["plan", "--from-nothing", "--from-file", "a.json"], "--from-nothing and --from-file name two accounts"),
        (["check", *LIVE, "--from-file", "a.json"], "--from-file stands for the account"),
        (["plan", "nowhere.sql"], "nowhere.sql: the SQL file is missing"),
        (["apply", "--yes"], "nothing says which Snowflake account is meant"),
        (["snapshot", *LIVE, "--output", "mesh.yml/x.json"], "mesh.yml/x.json: cannot be written"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    run: Run, setting: Setting, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    if words[0] == "apply":
        monkeypatch.undo()
        monkeypatch.chdir(setting.root)
        monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)
    result = run(*words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "\n  next: " in result.stderr


def test_files_that_are_no_text_and_folders_without_files(run: Run, setting: Setting) -> None:
    (setting.root / "snowflake_setup/05_more.sql").write_bytes(b"\xff")
    assert "the SQL file is not UTF-8" in run("plan").stderr
    for file in (setting.root / "snowflake_setup").iterdir():
        file.unlink()
    assert "next: mesh render writes these files" in run("plan").stderr


def test_nothing_of_a_name_in_a_file_is_obeyed_by_a_terminal(run: Run) -> None:
    thing = {"kind": "ROLE", "name": ["\x1b[2J\nerror: ::error::"]}
    document = {
        "version": 1,
        "name": "\x1b[31m",
        "role": "R",
        "at": "now",
        "objects": [{"thing": thing}],
        "grants": [{"privilege": "USAGE", "on": {"kind": "DATABASE", "name": ["DBT_UP_PROD"]}, "to": thing}],
        "future": [],
        "memberships": [],
    }
    Path("account.json").write_text(json.dumps(document))
    for form in ("text", "json", "markdown"):
        result = run("check", "--from-file", "account.json", "--format", form)
        assert result.exit_code == 1
        assert "\x1b" not in result.stdout
        assert "\nerror: " not in result.stdout
