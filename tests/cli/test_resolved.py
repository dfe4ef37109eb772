"""`mesh show --resolved`: what a consumer reads, from where, and why; and that nothing is written."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.cli.conftest import Commands, assert_refused
from tests.cli.filled import asked, document, fill, publish
from tests.cli.test_sync import MESH


@pytest.fixture
def built(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """mini@prod#2 published; we stand in the folder of reader."""
    fill(commands)
    monkeypatch.chdir(commands.down)
    return commands


def declare(commands: Commands, upstream: str, environments: str = "{}") -> None:
    text = MESH.replace("{mini: {as: sources}}", f"{{mini: {upstream}}}")
    before, _, after = text.partition("environments: ")
    text = f"{before}environments: {environments}\n{after.partition(chr(10))[2]}"
    (commands.root / "mesh.yml").write_text(text)


def resolved(commands: Commands, *words: str) -> dict[str, Any]:
    (found,) = document(commands, "show", "--resolved", *words)["upstreams"]
    assert isinstance(found, dict)
    return found


def test_every_public_model_is_told_with_what_to_write_and_what_is_read(built: Commands) -> None:
    before = built.snapshot()
    told = asked(built, "show", "mini", "--resolved").stdout
    assert told.splitlines() == [
        "✓ mini@prod#2 as sources, current",
        "  reads prod, by environments.prod.reads in mesh.yml",
        "    source('mini', 'orders')  PROD.MARTS.ORDERS",
    ]
    # Reading keeps what it read in the cache, which is not below the folder.
    assert built.snapshot() == before


def test_a_map_is_shown_with_its_rule(built: Commands) -> None:
    declare(built, "{as: loom, databases: {'P*': 'S_{ENV}_*'}, schemas: {MRATS: X}}")
    result = asked(built, "show", "--resolved", "--env", "dev")
    where = "PROD.MARTS.ORDERS -> S_DEV_ROD.MARTS.ORDERS  (databases: P*: S_DEV_*)"
    assert f"ref('mini', 'orders')  {where}" in result.stdout
    assert "warning: schemas: MRATS fits no relation of mini; it has MARTS" in result.stderr
    found = document(built, "show", "--resolved", "--env", "dev")["upstreams"][0]
    assert found["models"] == [
        {
            "model": "orders",
            "written": ["ref('mini', 'orders')"],
            "published": "PROD.MARTS.ORDERS",
            "here": "S_DEV_ROD.MARTS.ORDERS",
            "rules": ["databases: P*: S_DEV_*"],
        }
    ]
    assert found["idle_rules"] == ["schemas: MRATS fits no relation of mini; it has MARTS"]


@pytest.mark.parametrize(
    ("upstream", "environments", "words", "environments_told", "because"),
    [
        ("{}", "{}", (), ["prod"], "the default of --env"),
        ("{}", "{}", ("--env", "prod"), ["prod"], "--env"),
        ("{}", "{}", ("--env", "dev"), ["prod"], "what dev reads where mesh.yml does not say"),
        ("{}", "{dev: {reads: [qa, prod]}}", ("--env", "dev"), ["qa", "prod"], "environments.dev.reads in mesh.yml"),
        (
            "{environment: prod}",
            "{prod: {reads: qa}}",
            (),
            ["prod"],
            "projects.reader.upstreams.mini.environment in mesh.yml",
        ),
    ],
)
def test_why_an_environment_is_read_is_told(
    built: Commands,
    upstream: str,
    environments: str,
    words: tuple[str, ...],
    environments_told: list[str],
    because: str,
) -> None:
    declare(built, upstream, environments)
    found = resolved(built, *words)
    assert (found["environments"], found["because"], found["environment"]) == (environments_told, because, "prod")
    assert found["passed_over"] == environments_told[:-1]
    assert (
        f"reads {', else '.join(environments_told)}, by {because}" in asked(built, "show", "--resolved", *words).stdout
    )


def test_a_variable_that_names_the_environment_is_told(built: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(built, "{}")
    monkeypatch.setenv("DBT_MESH_ENV", "prod")
    assert resolved(built)["because"] == "DBT_MESH_ENV"


def test_a_fall_back_is_told(built: Commands) -> None:
    declare(built, "{}", "{prod: {reads: [staging, prod]}}")
    told = asked(built, "show", "--resolved").stdout
    assert "mini has published nothing in staging: prod is read instead" in told


def test_what_the_lock_pins_is_shown_and_what_is_current(built: Commands) -> None:
    asked(built, "sync")
    assert "✓ mini@prod#2 as sources, pinned in mesh.lock, and current" in asked(built, "show", "--resolved").stdout
    publish(built, 3, "orders", "prices")
    assert "mini@prod#2 as sources, pinned in mesh.lock, while mini@prod#3 is current" in (
        asked(built, "show", "--resolved").stdout
    )
    found = resolved(built)
    assert (found["n"], found["pinned"], [m["model"] for m in found["models"]]) == (2, True, ["orders"])
    assert found["current"] != found["publication"]
    asked(built, "yank", "mini@prod#2", "--reason", "it counts twice")
    assert "warning: mini@prod#2 was yanked: it counts twice" in asked(built, "show", "--resolved").stderr
    declare(built, "{environment: qa}")
    assert_refused(built, 2, "mini has published nothing in 'qa'; there is prod", words=["show", "--resolved"])


def test_versions_are_written_by_version_and_the_latest_also_without(built: Commands) -> None:
    old = builders.node("orders", "mini", version=1, latest_version=2)
    new = builders.node("orders", "mini", version=2, latest_version=2)
    (built.up / "target/manifest.json").write_text(
        json.dumps(builders.manifest(old, new, project="mini", metadata={"generated_at": "2026-05-01T00:00:00Z"}))
    )
    assert built.publish().exit_code == 0
    assert [m["written"] for m in resolved(built)["models"]] == [
        ["source('mini', 'orders_v1')"],
        ["source('mini', 'orders_v2')", "source('mini', 'orders')"],
    ]


def test_who_reads_nobody_is_told_so(built: Commands) -> None:
    told = asked(built, "show", "--resolved", "--project-dir", str(built.up)).stdout
    assert told == "✓ mini reads no upstream\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mini@prod"], "'mini@prod' is not a project name"),
        (["minni"], "minni has published nothing; there is mini"),
        (["--env", "Prod"], "'Prod' is not an environment"),
        (["--project-dir", "nowhere"], "dbt_project.yml"),
    ],
)
def test_what_cannot_be_resolved_is_refused(built: Commands, words: list[str], says: str) -> None:
    assert_refused(built, 2, says, words=["show", "--resolved", *words])


def test_show_without_it_takes_the_folder_and_the_environment(built: Commands) -> None:
    up = Path("..") / "up"
    assert "✓ mini@prod#2 " in asked(built, "show", "--project-dir", str(up)).stdout
    assert_refused(built, 2, "nothing in 'staging'", words=["show", "mini", "--env", "staging"])
