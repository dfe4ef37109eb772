"""mesh grants as a person types it: what it says, what it runs, and how it ends."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from registry_tools.cli import grants as grants_command
from registry_tools.mesh.account import Entry, Grant, Securable, database_role, role
from registry_tools.mesh.account_document import Seen, account_bytes
from tests.builders import Json, manifest, node
from tests.cli.conftest import Commands, assert_refused
from tests.snowflake_account import SnowflakeAccount

MESH = """
version: 1
registry: registry
environments: {prod: {reads: prod}, ci: {reads: prod}}
projects:
  dbt_up:
    path: up
    snowflake: {database: "DBT_UP_{ENV}", warehouse: UP_WH, role: DBT_UP_ROLE}
  dbt_down:
    path: down
    snowflake: {database: "DBT_DOWN_{ENV}", warehouse: DOWN_WH, role: DBT_DOWN_ROLE}
    upstreams: {dbt_up: {}}
  silent:
    path: silent
"""
READER = database_role("DBT_UP_PROD", "MESH_PUBLIC_READER")
ORDERS = "DBT_UP_PROD.MARTS.ORDERS"
GRANTED = [
    "create database role if not exists DBT_UP_PROD.MESH_PUBLIC_READER",
    "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
    "grant select on table DBT_UP_PROD.MARTS.ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
    "grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_DOWN_ROLE",
]


def built(name: str, **changes: Any) -> Json:
    config = {"materialized": "table", "access": "public", "meta": {}, "copy_grants": True}
    return node(name, relation_name=f"DBT_UP_PROD.MARTS.{name}", config=config, **changes)


@pytest.fixture
def up(commands: Commands) -> Path:
    """dbt_up with one public model, published, in a mesh with dbt_down."""
    (commands.root / "mesh.yml").write_text(MESH)
    (commands.up / "dbt_project.yml").write_text("name: dbt_up\n")
    publish(commands, built("orders"))
    return commands.up


@pytest.fixture
def snowflake(monkeypatch: pytest.MonkeyPatch) -> SnowflakeAccount:
    """The account that every command logs in to; the model is built."""
    account = SnowflakeAccount()
    account.build(ORDERS)

    @contextmanager
    def session_from(options: dict[str, Any]) -> Iterator[SnowflakeAccount]:
        del options
        yield account

    monkeypatch.setattr(grants_command, "session_from", session_from)
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "acme-prod")
    return account


def publish(commands: Commands, *models: Json) -> None:
    (commands.up / "target/manifest.json").write_text(json.dumps(manifest(*models)))
    assert commands.publish().exit_code == 0


@pytest.mark.usefixtures("up")
def test_plan_says_what_and_why_and_changes_nothing(commands: Commands, snowflake: SnowflakeAccount) -> None:
    result = commands.run("grants", "plan", "--project-dir", "up")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "✓ dbt_up@prod#1: 1 public model for 1 reader role, 4 statements to run\n"
        f"  {GRANTED[0]}\n"
        "      it reads what is public\n"
        f"  {GRANTED[1]}\n"
        "      what it reads is in there\n"
        f"  {GRANTED[2]}\n"
        "      orders is public\n"
        f"  {GRANTED[3]}\n"
        "      dbt_down reads it\n"
        "  next: mesh grants apply, which runs this as DBT_UP_ROLE\n"
    )
    assert snowflake.ran == ["use role DBT_UP_ROLE"]


@pytest.mark.usefixtures("up")
def test_apply_runs_it_once_and_then_nothing_is_left(commands: Commands, snowflake: SnowflakeAccount) -> None:
    first = commands.run("grants", "apply", "dbt_up", "--env", "prod")
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == (
        "".join(f"  {statement}\n" for statement in GRANTED)
        + "✓ dbt_up@prod#1: 4 statements to grant and 0 to revoke are done\n"
    )
    assert snowflake.ran == ["use role DBT_UP_ROLE", "use role DBT_UP_ROLE", *GRANTED]
    again = commands.run("grants", "apply", "dbt_up")
    assert (again.exit_code, again.stdout) == (0, "✓ dbt_up@prod#1: nothing to grant or revoke\n")
    checked = commands.run("grants", "plan", "dbt_up", "--check")
    told = "✓ dbt_up@prod#1: 1 public model for 1 reader role, nothing to grant or revoke\n"
    assert (checked.exit_code, checked.stdout) == (0, told)


@pytest.mark.usefixtures("up")
def test_check_ends_in_1_where_something_is_to_be_done(commands: Commands, snowflake: SnowflakeAccount) -> None:
    assert commands.run("grants", "plan", "dbt_up", "--check").exit_code == 1
    commands.run("grants", "apply", "dbt_up")
    assert commands.run("grants", "plan", "dbt_up", "--check").exit_code == 0
    snowflake.grants.add(Grant("SELECT", Securable("TABLE", ("DBT_UP_PROD", "RAW", "CARDS")), READER))
    found = commands.run("grants", "plan", "dbt_up", "--check")
    assert found.exit_code == 1
    assert "revoke select on table DBT_UP_PROD.RAW.CARDS from database role" in found.stdout


@pytest.mark.usefixtures("up")
def test_what_stops_being_public_is_revoked_by_the_next_publication(
    commands: Commands, snowflake: SnowflakeAccount
) -> None:
    snowflake.build("DBT_UP_PROD.MARTS.ITEMS")
    publish(commands, built("orders"), built("items", description="more"))
    commands.run("grants", "apply", "dbt_up")
    publish(commands, built("orders", description="alone"))
    result = commands.run("grants", "apply", "dbt_up")
    revoke = "revoke select on table DBT_UP_PROD.MARTS.ITEMS from database role DBT_UP_PROD.MESH_PUBLIC_READER"
    assert result.stdout == f"  {revoke}\n✓ dbt_up@prod#3: 0 statements to grant and 1 to revoke are done\n"


@pytest.mark.usefixtures("up")
def test_what_is_not_built_is_told_and_everything_else_is_granted(
    commands: Commands, snowflake: SnowflakeAccount
) -> None:
    publish(commands, built("orders"), built("late"))
    result = commands.run("grants", "apply", "dbt_up")
    assert result.exit_code == 1
    assert result.stderr == (
        "warning: late is public and not built at DBT_UP_PROD.MARTS.LATE:"
        " dbt build in dbt_up, then mesh grants apply again\n"
    )
    assert snowflake.ran[-4:] == GRANTED
    assert json.loads(commands.run("grants", "apply", "dbt_up", "--format", "json").stdout)["settled"] is False


@pytest.mark.usefixtures("up")
def test_apply_stops_where_a_statement_is_declined_and_says_how_to_go_on(
    commands: Commands, snowflake: SnowflakeAccount
) -> None:
    snowflake.declines = "grant select"
    stopped = commands.run("grants", "apply", "dbt_up")
    assert stopped.exit_code == 3
    assert stopped.stdout == "".join(f"  {statement}\n" for statement in GRANTED[:2])
    assert stopped.stderr == (
        "error: Snowflake declined: no\n"
        f"  in {GRANTED[2]}\n"
        "  2 of 4 statements are done and stand, 2 are left\n"
        "  next: ask somebody; then mesh grants apply again, which goes on with what is left\n"
    )
    snowflake.declines = "(?!)"
    resumed = commands.run("grants", "apply", "dbt_up")
    assert resumed.stdout.startswith("".join(f"  {statement}\n" for statement in GRANTED[2:]))


@pytest.mark.usefixtures("up", "snowflake")
def test_the_plan_as_json_sql_and_markdown(commands: Commands) -> None:
    document = json.loads(commands.run("grants", "plan", "dbt_up", "--format", "json").stdout)
    assert document["source"] == "dbt_up@prod#1"
    assert [each["sql"] for each in document["statements"]] == GRANTED
    script = commands.run("grants", "plan", "dbt_up", "--format", "sql").stdout
    assert script.startswith(f"use role DBT_UP_ROLE;\n{GRANTED[0]};  -- it reads what is public\n")
    text = commands.run("grants", "plan", "dbt_up", "--format", "markdown").stdout
    assert f"```sql\n{script}```" in text
    applied = json.loads(commands.run("grants", "apply", "dbt_up", "--format", "json").stdout)
    assert applied == document | {"settled": True}


@pytest.mark.usefixtures("up", "snowflake")
def test_a_candidate_is_planned_before_it_is_published(commands: Commands) -> None:
    (commands.root / "candidate.json").write_text(json.dumps(manifest(built("orders"), built("items"))))
    result = commands.run("grants", "plan", "dbt_up", "--manifest", "candidate.json", "--format", "json")
    document = json.loads(result.stdout)
    assert document["source"] == "candidate.json"
    assert document["not_built"] == [{"model": "items", "relation": "DBT_UP_PROD.MARTS.ITEMS"}]
    other = ["grants", "plan", "dbt_down", "--manifest", "candidate.json"]
    assert_refused(commands, 2, "this is the manifest of dbt_up, and dbt_down is meant", words=other)


@pytest.mark.usefixtures("up")
def test_a_plan_without_an_account_is_made_of_the_answers_to_its_questions(commands: Commands) -> None:
    asked = commands.run("grants", "plan", "dbt_up", "--questions")
    assert asked.stdout == (
        "show database roles in database DBT_UP_PROD;\n"
        "show grants to database role DBT_UP_PROD.MESH_PUBLIC_READER;\n"
        "show future grants to database role DBT_UP_PROD.MESH_PUBLIC_READER;\n"
        "show grants of database role DBT_UP_PROD.MESH_PUBLIC_READER;\n"
    )
    held = SnowflakeAccount()
    held.objects[READER] = Entry(owner=role("DBT_UP_ROLE"))
    for statement in GRANTED[1:]:
        held.run(statement)
    answers = [held.run(question.removesuffix(";")) for question in asked.stdout.splitlines()]
    upper = [[{column.upper(): value for column, value in row.items()} for row in rows] for rows in answers]
    for told in (answers, upper, [row for rows in answers for row in rows]):
        (commands.root / "held.json").write_text(json.dumps(told))
        settled = commands.run("grants", "plan", "dbt_up", "--from-file", "held.json", "--check")
        assert (settled.exit_code, settled.stderr) == (0, "")
    (commands.root / "held.json").write_text("[]")
    empty = commands.run("grants", "plan", "dbt_up", "--from-file", "held.json", "--format", "json")
    assert [each["sql"] for each in json.loads(empty.stdout)["statements"]] == GRANTED


@pytest.mark.usefixtures("up")
def test_a_plan_is_made_of_a_snapshot_as_well(commands: Commands) -> None:
    held = SnowflakeAccount()
    held.objects[READER] = Entry(owner=role("DBT_UP_ROLE"))
    words = ("grants", "plan", "dbt_up", "--from-file", "held.json")
    snapshot(commands, held)
    assert_refused(commands, 2, "held.json: there is no database DBT_UP_PROD in this snapshot", words=list(words))
    for there in ("DBT_UP_PROD.MARTS.SOMETHING_ELSE", "DBT_UP_PROD.RAW.CARDS"):
        held.objects = {READER: held.objects[READER]}
        held.build(there)
        snapshot(commands, held)
        result = commands.run(*words, "--format", "sql")
        assert "-- not built yet, and so left out: orders at DBT_UP_PROD.MARTS.ORDERS\n" in result.stdout
        assert ("grant usage on schema DBT_UP_PROD.MARTS" in result.stdout) == there.startswith("DBT_UP_PROD.MARTS")


def snapshot(commands: Commands, held: SnowflakeAccount) -> None:
    """The account as mesh snowflake snapshot writes it."""
    seen = Seen(account=held.account, name="ACME", role="DBT_UP_ROLE", at="2026-11-21T00:00:00+00:00")
    (commands.root / "held.json").write_bytes(account_bytes(seen))


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize(
    ("content", "needles"),
    [
        ("", ("the file of grants is empty",)),
        ("{", ("held.json: no JSON",)),
        ("[[[" * 2000, ("held.json: no JSON",)),
        ('{"version": 1}', ("held.json: no snapshot of an account",)),
        ('{"version": 9, "name": "a", "role": "b", "at": "c"}', ("held.json:",)),
        ("3", ("3 is no row of an answer",)),
        ('[["no row"]]', ("'no row' is no row of an answer",)),
        ('[{"what": "ever"}]', ("a row has what, which none of these SHOW has",)),
        ("[{}]", ("a row has nothing, which none",)),
    ],
)
def test_a_file_that_is_something_else_is_refused(commands: Commands, content: str, needles: tuple[str, ...]) -> None:
    (commands.root / "held.json").write_text(content)
    assert_refused(commands, 2, "held.json", *needles, words=["grants", "plan", "dbt_up", "--from-file", "held.json"])


@pytest.mark.usefixtures("up")
def test_a_file_that_is_silent_of_a_role_that_is_there_is_refused_with_the_questions_to_add(commands: Commands) -> None:
    (commands.root / "held.json").write_text('[[{"NAME": "MESH_PUBLIC_READER"}]]')
    words = ["grants", "plan", "dbt_up", "--from-file", "held.json"]
    missing = "  show grants of database role DBT_UP_PROD.MESH_PUBLIC_READER;\n"
    what = "held.json: it does not say what all reader roles hold that are there"
    assert_refused(commands, 2, what, missing, "add these to what mesh grants plan --questions prints", words=words)


@pytest.mark.usefixtures("up")
def test_whoever_names_no_account_is_told_the_three_ways(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)
    words = ["grants", "plan", "dbt_up"]
    assert_refused(commands, 2, "nobody says what is granted now", "--from-file", "--questions", words=words)
    both = [*words, "--embedded", "--from-file", "held.json"]
    assert_refused(commands, 2, "--from-file and a live account exclude each other", words=both)


@pytest.mark.usefixtures("up", "snowflake")
@pytest.mark.parametrize(
    ("words", "needles"),
    [
        (["dbt_dwn"], ("mesh.yml does not say where dbt_dwn runs", "projects.dbt_dwn.snowflake")),
        (["silent"], ("mesh.yml does not say where silent runs",)),
        (["dbt_up", "--env", "staging"], ("mesh.yml has no environment staging", "use one of prod, ci")),
        (["dbt_up", "--env", "ci"], ("nobody reads dbt_up@ci: no environment in mesh.yml has reads: ci",)),
        (["dbt_down"], ("dbt_down",)),
    ],
)
def test_what_mesh_yml_or_the_registry_does_not_know_is_refused(
    commands: Commands, words: list[str], needles: tuple[str, ...]
) -> None:
    assert_refused(commands, 2, *needles, words=["grants", "plan", *words])


@pytest.mark.usefixtures("snowflake")
def test_without_a_mesh_yml_nothing_is_planned(commands: Commands, up: Path) -> None:
    (commands.root / "mesh.yml").unlink()
    words = ["grants", "apply", "--registry", commands.registry, "--project-dir", str(up)]
    assert_refused(commands, 2, "there is no mesh.yml here or above", words=words)


@pytest.mark.usefixtures("up")
def test_publish_and_plan_complain_where_a_build_would_drop_the_grants(
    commands: Commands, snowflake: SnowflakeAccount
) -> None:
    told = (
        "orders loses its readers' grants whenever dbt replaces it;"
        " add +copy_grants: true below models: in dbt_project.yml and build again"
    )
    careless = node("orders", relation_name=ORDERS)
    (commands.up / "target/manifest.json").write_text(json.dumps(manifest(careless)))
    published = commands.publish()
    assert f"warning: {told}\n" in published.stderr
    document = json.loads(commands.publish("--format", "json").stdout)
    assert document["findings"] == [
        {"check": "copy-grants", "message": told.partition("; ")[0], "next": told.partition("; ")[2]}
    ]
    assert commands.run("grants", "plan", "--project-dir", "up").stderr == f"warning: {told}\n"
    assert commands.run("grants", "apply", "dbt_up").exit_code == 0
    assert snowflake.ran[-4:] == GRANTED
    (commands.up / "target/manifest.json").unlink()
    assert commands.run("grants", "plan", "dbt_up").stderr == ""


@pytest.mark.usefixtures("snowflake")
def test_the_manifest_that_is_looked_at_is_that_of_the_folder_where_it_is_the_projects(
    commands: Commands, up: Path
) -> None:
    shutil.copytree(up, commands.root / "elsewhere")
    careless = json.dumps(manifest(node("orders", relation_name=ORDERS)))
    (commands.root / "elsewhere/target/manifest.json").write_text(careless)
    assert "+copy_grants: true" in commands.run("grants", "plan", "--project-dir", "elsewhere").stderr
    assert commands.run("grants", "plan", "dbt_up", "--project-dir", "down").stderr == ""


@pytest.mark.usefixtures("up")
def test_share_says_what_the_other_account_runs_and_writes(commands: Commands) -> None:
    view = node("recent", relation_name="DBT_UP_PROD.MARTS.RECENT", config={"materialized": "view"})
    some = built("prices", meta={"mesh": {"consumers": ["dbt_down"]}})
    far = built("far") | {"relation_name": "ELSEWHERE.MARTS.FAR"}
    publish(commands, built("orders"), view, some, far)
    words = ("grants", "share", "dbt_up", "--account", "acme.prod", "--role", "reporting")
    assert commands.run(*words).stdout == (
        "-- 1. In the account that reads dbt_up, by a role with IMPORT SHARE and CREATE DATABASE (ACCOUNTADMIN):\n"
        "create database if not exists DBT_UP_PROD_SHARED from share ACME.PROD.DBT_UP_PROD_SHARE;\n"
        "grant database role DBT_UP_PROD_SHARED.MESH_PUBLIC_READER to role REPORTING;\n"
        "-- not in the share: recent, a view, unless it is built with secure: true\n"
        "-- not in the share: prices, which names its consumers (meta.mesh.consumers)\n"
        "-- not in the share: far, which lies in ELSEWHERE: a share has one database\n"
        "\n"
        "# 2. In the mesh.yml there, so that what is written for dbt has the name of the share:\n"
        "projects:\n"
        "  YOUR_PROJECT:\n"
        "    upstreams:\n"
        "      dbt_up:\n"
        "        databases: {DBT_UP_PROD: DBT_UP_PROD_SHARED}\n"
    )
    assert "from share ACME.PROD.DBT_UP_PROD_SHARE" in commands.run(*words, "--database", "theirs").stdout


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize(
    ("flag", "value"),
    [("--account", "acme"), ("--account", "a.b; drop"), ("--role", "a.b"), ("--database", '"a b"'), ("--role", "")],
)
def test_a_name_that_is_none_goes_into_no_sql(commands: Commands, flag: str, value: str) -> None:
    options = {"--account": "acme.prod", "--role": "r", flag: value}
    assert_refused(
        commands, 2, flag, words=["grants", "share", "dbt_up", *(each for pair in options.items() for each in pair)]
    )
