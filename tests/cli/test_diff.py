"""`mesh diff`: what changed between two publications, two files, or the registry and this folder."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result

from registry_tools.cli.app import COMMANDS
from tests import builders
from tests.builders import Json
from tests.cli.conftest import Commands, assert_refused

FIRST = builders.node("orders", "mini", columns={"id": builders.column("id"), "amount": builders.column("amount")})
SECOND = builders.node("orders", "mini")
TEXT = "- column-removed  mini.orders.amount  number  BREAKING"


def built(commands: Commands, day: int, *nodes: Json, project: str = "mini") -> Path:
    """The manifest of `up` as dbt wrote it on this day of 2026-02."""
    stamped = {"generated_at": f"2026-02-{day:02}T00:00:00Z"}
    path = commands.up / "target/manifest.json"
    path.write_text(json.dumps(builders.manifest(*nodes, project=project, metadata=stamped)))
    return path


def diff(commands: Commands, *words: str) -> Result:
    return commands.run("diff", "--registry", commands.registry, *words)


@pytest.fixture
def two(commands: Commands) -> Commands:
    """mini published twice: with a column, and without; both manifests kept as files."""
    for day, node in ((1, FIRST), (2, SECOND)):
        path = built(commands, day, node)
        shutil.copy(path, commands.root / f"built_{day}.json")
        assert commands.publish().exit_code == 0
    return commands


def digest(commands: Commands, n: int) -> str:
    shown = commands.run("show", f"mini@prod#{n}", "--registry", commands.registry, "--format", "json")
    return str(json.loads(shown.stdout)["digest"])


def test_two_publications(two: Commands) -> None:
    result = diff(two, "mini@prod#1", "mini@prod")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout == f"mini@prod#1 -> mini@prod#2: 1 change\n  {TEXT}\n"


def test_the_same_publication_twice(two: Commands) -> None:
    result = diff(two, "mini@prod", "mini@prod#2")
    assert (result.exit_code, result.stdout) == (0, "mini@prod#2 -> mini@prod#2: nothing changed\n")


@pytest.mark.parametrize("length", [12, 64])
def test_a_publication_by_its_digest(two: Commands, length: int) -> None:
    old, new = (digest(two, n)[: len("sha256:") + length] for n in (1, 2))
    result = diff(two, f"mini@prod!{new}", f"mini@prod!{old}")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "mini@prod#2 -> mini@prod#1: 1 change")
    assert "+ column-added" in result.stdout


def test_a_publication_by_the_day_on_which_readers_had_it(two: Commands) -> None:
    assert diff(two, "mini@prod@2999-01-01", "mini@prod").exit_code == 0
    words = ["diff", "mini@prod@2001-01-01", "mini@prod", "--registry", two.registry]
    assert_refused(two, 2, "was never published", words=words)


@pytest.mark.parametrize("side", ["built_1.json", "./built_1.json", "registry/mini/prod/latest/manifest.json"])
def test_a_file_and_a_publication(two: Commands, side: str) -> None:
    result = diff(two, side, "mini@prod#2")
    assert result.stdout.startswith(f"{Path(side)} -> mini@prod#2: ")
    assert result.exit_code == (1 if "built" in side else 0)


def test_two_files_need_no_registry(two: Commands) -> None:
    result = two.run("diff", "built_1.json", "built_2.json")
    assert (result.exit_code, result.stdout) == (1, f"built_1.json -> built_2.json: 1 change\n  {TEXT}\n")
    assert_refused(two, 2, "no registry is named", words=["diff", "mini@prod", "built_1.json"])


def test_one_side_is_compared_with_what_this_folder_would_publish(
    two: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(two, 3, FIRST)
    result = diff(two, "mini@prod", "--project-dir", str(two.up))
    assert (result.exit_code, result.stdout.count("column-added")) == (1, 1)
    monkeypatch.chdir(two.up)
    alone = diff(two)
    assert alone.stdout.splitlines()[0] == "mini@prod#2 -> target/manifest.json: 1 change"
    assert diff(two, "mini@prod#1").exit_code == 0


def test_the_manifest_of_another_project_is_not_compared_by_mistake(two: Commands) -> None:
    (two.up / "dbt_project.yml").write_text("name: other\n")
    built(two, 3, builders.node("orders", "other"), project="other")
    words = ["diff", "mini@prod", "--registry", two.registry, "--project-dir", str(two.up)]
    assert_refused(two, 2, "interface of mini", "manifest of other", "mesh diff A B", words=words)
    on_purpose = diff(two, "mini@prod", str(two.up / "target/manifest.json"))
    assert (on_purpose.exit_code, on_purpose.stdout.count("\n")) == (1, 2)
    assert "~ project-renamed  mini  mini -> other  BREAKING\n" in on_purpose.stdout


def test_json_is_one_document_and_markdown_one_table(two: Commands) -> None:
    result = diff(two, "mini@prod#1", "mini@prod", "--format", "json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["old"], document["new"], document["changed"]) == ("mini@prod#1", "mini@prod#2", True)
    (change,) = document["changes"]
    assert (change["rule"], change["object"]) == ("column-removed", "mini.orders.amount")
    assert (change["class"], change["code"], change["asset"]) == ("BREAKING", "C01", None)
    assert change["says"] == "orders.amount, number, is gone."
    table = diff(two, "mini@prod#1", "mini@prod", "--format", "markdown")
    assert table.exit_code == 1
    row = "| - | column-removed | <code>mini.orders.amount</code> | <code>number</code> |  | BREAKING |\n"
    assert table.stdout.endswith(row)
    same = diff(two, "mini@prod", "mini@prod", "--format", "json")
    assert (same.exit_code, json.loads(same.stdout)["changed"]) == (0, False)


def test_what_breaks_stands_first(two: Commands) -> None:
    built(
        two,
        3,
        builders.node("orders", "mini", columns={"id": builders.column("id"), "added": builders.column("added")}),
    )
    lines = diff(two, "mini@prod#1", "up/target/manifest.json").stdout.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["-", "column-removed", "mini.orders.amount", "number", "BREAKING"],
        ["+", "column-added", "mini.orders.added", "number", "SAFE"],
    ]
    assert len({line.index(line.split()[-1]) for line in lines[1:]}) == 1


@pytest.mark.parametrize("told", ["::error::x", "##[error]x", "x\n::error::x", "x ::error::x"])
def test_no_name_is_a_command_of_a_workflow(two: Commands, told: str) -> None:
    """The runner that logs the report obeys no column, no group and no file, whatever they are called."""
    orders = builders.node("orders", "mini", columns={told: builders.column(told, data_type=told)}, group=told)
    document = builders.manifest(orders, builders.group(told, "mini", name=told), project="mini")
    path = two.root / f"{told}.json"
    path.write_text(json.dumps(document))
    result = two.run("diff", path.name, "built_1.json")
    assert (result.exit_code, result.stderr) == (1, "")
    heading, *lines = result.stdout.splitlines()
    assert {"group-removed", "group-changed", "column-removed"} <= {line.split()[1] for line in lines}
    assert sum("error" in line for line in (heading, *lines)) == 4
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in (heading, *lines))


def test_colour_is_for_terminals_alone(two: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from registry_tools.cli.app import load

    monkeypatch.chdir(two.root)
    result = CliRunner().invoke(load("diff"), ["built_1.json", "built_2.json"], color=True)
    assert f"\x1b[31m  {TEXT}\x1b[0m" in result.stdout
    back = CliRunner().invoke(load("diff"), ["built_2.json", "built_1.json"], color=True)
    assert "\x1b[32m  + column-added" in back.stdout
    assert "\x1b" not in two.run("diff", "built_1.json", "built_2.json").stdout


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        (["mini@prod#9", "built_1.json"], "mini@prod#9 was never published"),
        (["mini@dev", "built_1.json"], "published nothing in 'dev'"),
        (["none@prod", "built_1.json"], "none has published nothing"),
        (["mini@prod!sha256:abc", "built_1.json"], "'sha256:abc' is not a publication id"),
        (["mini@prod!sha256:000000000000", "built_1.json"], "was never published"),
        (["mini@prod@yesterday", "built_1.json"], "selects nothing"),
        ([""], "one side is empty"),
        (["mini@prod", ""], "one side is empty"),
        (["none.json", "mini@prod"], "none.json: the manifest is missing"),
        (["mini@prod", "up/dbt_project.yml"], "up/dbt_project.yml"),
        (["mini@prod"], "dbt_project.yml: a dbt project is missing"),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_is_written(two: Commands, words: list[str], needle: str) -> None:
    assert_refused(two, 2, needle, words=["diff", "--registry", two.registry, *words])


def test_help_says_what_a_side_is(commands: Commands) -> None:
    shown = commands.run("diff", "--help").stdout
    assert "[A [B]]" in shown
    assert "PROJECT@ENV#42" in shown
    assert "diff" in COMMANDS
