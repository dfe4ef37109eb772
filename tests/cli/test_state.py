"""`mesh state`: what --defer reads from where, for people and for programs, and exit 1 where it would do nothing."""

import json
from collections.abc import Callable
from typing import Any

import click
import pytest

from registry_tools.cli.app import load
from tests import builders
from tests.cli.conftest import Commands, assert_refused
from tests.cli.filled import asked, document
from tests.cli.test_sync import MESH

READER = "reader"
ORDERS = builders.source("orders", "PROD.MARTS.ORDERS", READER, {"project": "mini", "model": "orders"})


def model(name: str, *parents: str, place: str) -> builders.Json:
    relation = {"database": place, "relation_name": f"{place}.MARTS.{name}"}
    return builders.private(name, READER, depends_on={"nodes": list(parents)}, **relation)


def built_in(place: str, *more: builders.Json) -> builders.Json:
    staged, report = "model.reader.staged", model("report", "model.reader.staged", place=place)
    entries = (model("staged", ORDERS["unique_id"], place=place), report, ORDERS, *more)
    assert report["depends_on"]["nodes"] == [staged]
    return builders.manifest(*entries, project=READER)


@pytest.fixture
def parsed(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> Callable[[builders.Json | None], Commands]:
    """reader, published from PROD and synced, with this manifest of today; we stand in its folder."""
    (commands.root / "mesh.yml").write_text(MESH)
    (commands.down / "target").mkdir()
    today = commands.down / "target/manifest.json"
    today.write_text(json.dumps(built_in("PROD")))
    assert commands.publish().exit_code == 0
    assert commands.publish(folder=commands.down).exit_code == 0
    monkeypatch.chdir(commands.down)
    asked(commands, "sync")

    def parse(manifest: builders.Json | None) -> Commands:
        if manifest is None:
            today.unlink()
        else:
            today.write_text(json.dumps(manifest))
        return commands

    return parse


def test_each_node_is_told_with_where_it_is_read(parsed) -> None:
    tests = [builders.data_test(name, "model.reader.report", "id", READER) for name in ("unique", "not_null")]
    commands = parsed(built_in("DEV", model("fresh", "model.reader.report", place="DEV"), *tests))
    before = commands.snapshot()
    result = asked(commands, "state")
    assert result.stderr == ""
    assert commands.snapshot() == before
    first, *lines = result.stdout.splitlines()
    assert first.startswith("✓ state/manifest.json is reader's, from reader@prod#1 2026")
    assert lines == [
        "  --defer reads these unless they stand in your target; --favor-state unless they are selected:",
        "    staged  PROD.MARTS.staged",
        "    report  PROD.MARTS.report",
        "  not in the state, so they have to be built before they are read:",
        "    fresh  DEV.MARTS.fresh",
        "  never deferred:",
        "    dbt_up.orders  a source is read where it is, PROD.MARTS.ORDERS",
        "  2 tests: nothing refers to them, so nothing is deferred",
    ]


def test_the_same_for_programs(parsed) -> None:
    found = document(parsed(built_in("DEV")), "state", "--select", "report")
    assert (found["project"], found["adapter"], found["findings"]) == ("reader", "snowflake", [])
    assert found["publication"].startswith("reader@prod#1 ")
    assert found["nodes"][1] == {
        "unique_id": "model.reader.report",
        "kind": "model",
        "fate": "defers",
        "deferred": "PROD.MARTS.report",
        "target": "DEV.MARTS.report",
        "effect": "read from PROD.MARTS.report unless it stands in your target (--favor-state: unless it is selected)",
    }
    assert [entry["unique_id"] for entry in found["nodes"]] == ["model.reader.staged", "model.reader.report"]


def test_where_deferral_changes_nothing_the_exit_code_says_so(parsed) -> None:
    commands = parsed(built_in("PROD"))
    result = asked(commands, "state", code=1)
    assert "    report  PROD.MARTS.report  (as in your target)" in result.stdout
    assert "warning: all that it defers to is where your target has it, too" in result.stderr
    (finding,) = document(commands, "state", code=1)["findings"]
    assert (finding["check"], "dbt parse --target" in finding["next"]) == ("same-place", True)


def test_a_state_of_another_project_is_told(parsed) -> None:
    commands = parsed(built_in("DEV"))
    (commands.down / "state/manifest.json").write_text(json.dumps(builders.manifest(builders.node("orders"))))
    result = asked(commands, "state", code=1)
    assert "✓ state/manifest.json is dbt_up's, built at 2026-01-23T06:45:41.000000Z; it does not say" in result.stdout
    assert "it is the state of dbt_up: dbt defers nothing of reader to it, and does not say so; run mesh sync" in (
        result.stderr
    )


def test_a_state_that_says_nothing_of_itself(parsed) -> None:
    commands = parsed(built_in("DEV"))
    bare: dict[str, Any] = {"metadata": {}, "nodes": built_in("PROD")["nodes"]}
    (commands.down / "state/manifest.json").write_text(json.dumps(bare))
    told = asked(commands, "state").stdout
    assert "✓ state/manifest.json is nobody's, and does not say where it is from" in told


def test_without_a_build_the_states_own_nodes_are_told(parsed) -> None:
    told = asked(parsed(None), "state").stdout
    assert "no target/manifest.json: the state's own nodes are shown" in told
    assert "    report  PROD.MARTS.report\n" in told


def test_before_the_first_publication_it_is_told(commands: Commands) -> None:
    (commands.root / "mesh.yml").write_text(MESH)
    assert commands.publish().exit_code == 0
    asked(commands, "sync", "--project-dir", str(commands.down))
    result = asked(commands, "state", "--project-dir", str(commands.down), code=1)
    assert "before its first publication with a state: upstream nodes alone" in result.stdout
    assert "no node of reader is in it: everything is new; build and publish reader once" in result.stderr


def test_a_publication_without_state_is_told_by_sync(parsed) -> None:
    commands = parsed(built_in("PROD") | {"docs": {"a": {}}})
    assert commands.publish("--no-state", folder=commands.down).exit_code == 0
    told = asked(commands, "sync").stdout
    assert "state/manifest.json: reader@prod#2 was published without its state: everything is new" in told


def test_terminals_do_not_obey_a_state(parsed) -> None:
    commands = parsed(None)
    state = commands.down / "state/manifest.json"
    state.write_text(state.read_text().replace("PROD.MARTS.report", "PROD.\\u001b[2J\\u202e.report"))
    told = click.unstyle(asked(commands, "state").output)
    assert all(line.isprintable() for line in told.splitlines())
    assert "\\x1b[2J" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--select", "reprot"], "nothing is called 'reprot'"),
        (["--project-dir", ".."], "dbt_project.yml"),
        (["--project-dir", "../up"], "the state for --defer is missing"),
    ],
)
def test_what_cannot_be_explained_is_refused(parsed, words: list[str], says: str) -> None:
    assert_refused(parsed(built_in("DEV")), 2, says, words=["state", *words])


def test_help_says_what_each_option_is_for(commands: Commands) -> None:
    result = asked(commands, "state", "--help")
    assert all(option.opts[0] in result.stdout for option in load("state").params)
