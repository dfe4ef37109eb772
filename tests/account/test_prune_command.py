"""mesh snowflake prune: what it shows, asks and drops, and what it never does."""

import json

import click.testing
import pytest

from registry_tools.mesh.account import Securable
from tests.account.conftest import Setting
from tests.account.test_snowflake_commands import LIVE, Run, decline, run
from tests.fake_account import FakeAccount

__all__ = ["run"]
ALL = ("--env", "ci", "--older-than", "0", *LIVE)


@pytest.fixture
def account(setting: Setting) -> FakeAccount:
    """Two pull requests were built by dbt_up, which is logged in, and one by somebody else's role."""
    fake = setting.set_up()
    fake.available = ("SYSADMIN", "DBT_UP_ROLE")
    for role, schema in (
        ("DBT_UP_ROLE", "DBT_UP_CI.pr_7"),
        ("DBT_UP_ROLE", "DBT_UP_CI.pr_7_marts"),
        ("DBT_UP_ROLE", "DBT_UP_CI.ci"),
        ("SYSADMIN", "DBT_UP_CI.pr_8"),
    ):
        fake.run(f"use role {role}")
        fake.run(f"create schema if not exists {schema}")
    fake.log.clear()
    fake.available = ("DBT_UP_ROLE",)
    return fake


def schemas(account: FakeAccount) -> set[str]:
    return {
        thing.name[1] for thing in account.account.objects if thing.kind == "SCHEMA" and thing.name[0] == "DBT_UP_CI"
    }


def test_what_it_left_behind_is_dropped_by_the_projects_own_role(run: Run, account: FakeAccount) -> None:
    before = schemas(account)
    result = run("prune", *ALL, "--yes")
    assert result.exit_code == 0, result.stderr
    assert before - schemas(account) == {"PR_7", "PR_7_MARTS"}
    assert account.changes == [
        "drop schema if exists DBT_UP_CI.PR_7",
        "drop schema if exists DBT_UP_CI.PR_7_MARTS",
    ]
    assert set(account.log) & {"use role DBT_UP_ROLE", "use role DBT_DOWN_ROLE"} == {"use role DBT_UP_ROLE"}
    assert result.stdout.splitlines()[0] == "DBT_UP_CI.PR_7  2026-11-21  DBT_UP_ROLE"
    assert "✓ dropped DBT_UP_CI.PR_7_MARTS" in result.stdout
    assert "1 schema of pull requests stay" in result.stdout
    assert "because you do not have their roles: DBT_DOWN_CI, DBT_LATE_CI" in result.stdout
    assert "nothing of a pull request" in run("prune", *ALL, "--yes").stdout


def test_what_is_young_stays(run: Run, account: FakeAccount) -> None:
    result = run("prune", "--env", "ci", "--older-than", "3650", *LIVE)
    assert result.exit_code == 0
    assert "nothing of a pull request is older than 3650 days" in result.stdout
    assert account.changes == []


@pytest.mark.parametrize(("answer", "left"), [("n\n", 0), ("y\n", 2)])
def test_somebody_is_asked(
    run: Run, account: FakeAccount, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    monkeypatch.setattr(click.testing._NamedTextIOWrapper, "isatty", lambda _self: True, raising=False)
    result = run("prune", *ALL, input=answer)
    assert "Drop 2 schemas and all in them? [y/N]" in result.stderr
    assert len(account.changes) == left


def test_where_nobody_can_be_asked_nothing_is_dropped(run: Run, account: FakeAccount) -> None:
    result = run("prune", *ALL)
    assert result.exit_code == 2
    assert "DBT_UP_CI.PR_7_MARTS" in result.stdout
    assert "next: mesh snowflake prune --env ci --yes" in result.stderr
    assert account.changes == []


@pytest.mark.parametrize("environment", ["prod", "qa"])
def test_what_lasts_is_not_even_looked_at(run: Run, account: FakeAccount, environment: str) -> None:
    result = run("prune", "--env", environment, "--yes", *LIVE)
    assert result.exit_code == 2
    assert "next: use --env ci or dev" in result.stderr
    assert account.log == []


def test_without_any_of_the_roles_it_says_which_they_are(run: Run, account: FakeAccount) -> None:
    account.available = ("PUBLIC",)
    result = run("prune", *ALL, "--yes")
    assert result.exit_code == 1
    assert "DBT_UP_ROLE, DBT_DOWN_ROLE, DBT_LATE_CI_ROLE" in result.stderr
    assert account.changes == []


def test_it_stops_at_the_first_that_is_declined(run: Run, account: FakeAccount) -> None:
    account.fails = decline("drop schema if exists DBT_UP_CI.PR_7_MARTS")
    result = run("prune", *ALL, "--yes")
    assert result.exit_code == 3
    assert "1 of 2 schemas are dropped" in result.stderr
    assert "then mesh snowflake prune again" in result.stderr
    assert Securable("SCHEMA", ("DBT_UP_CI", "PR_7_MARTS")) in account.account.objects


def test_programs_get_one_document(run: Run, account: FakeAccount) -> None:
    told = json.loads(run("prune", *ALL, "--yes", "--format", "json").stdout)
    assert told["staying"] == 1
    assert told["dropped"][0] == {
        "schema": "DBT_UP_CI.PR_7",
        "role": "DBT_UP_ROLE",
        "created": "2026-11-21T00:00:00+00:00",
    }
    assert schemas(account) & {"PR_7", "PR_7_MARTS"} == set()
