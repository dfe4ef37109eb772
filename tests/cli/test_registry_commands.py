"""mesh history, show, rollback, yank and approve: text and JSON, exit codes, and what is typed wrongly."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
import pytest

from registry_tools.cli.app import load
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.log import encode_record
from registry_tools.registry.publications import Registry
from tests import builders
from tests.cli.conftest import Commands, assert_refused
from tests.cli.filled import REASON, asked, document, files, fill, ids, publish, reads
from tests.cli.test_sync import MESH

COMMANDS = ["history", "show", "rollback", "yank", "approve", "gc", "fsck"]


@pytest.fixture
def built(commands: Commands) -> Commands:
    return fill(commands)


# -- what every one of them has ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_each_option_is_for(commands: Commands, name: str) -> None:
    result = asked(commands, name, "--help")
    assert result.stdout.startswith(f"Usage: mesh {name} [OPTIONS]")
    options = [parameter for parameter in load(name).params if isinstance(parameter, click.Option)]
    assert all(option.help and option.opts[0] in result.stdout for option in options)
    for option in ("--registry ROOT", "--bucket NAME", "--local", "--format [text|json]"):
        assert option in result.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["rollback"], "Missing argument 'SELECTOR'"),
        (["yank"], "Missing argument 'SELECTOR'"),
        (["yank", "mini@prod"], "Missing option '--reason'"),
        (["approve"], "Missing argument 'RULE'"),
        (["approve", "column-removed"], "Missing argument 'OBJECT'"),
        (["approve", "column-removed", "mini.orders"], "Missing option '--reason'"),
        (["history", "--limit", "0"], "Invalid value for '--limit'"),
        (["history", "mini", "reader"], "unexpected extra argument"),
        (["gc", "--keep", "0"], "Invalid value for '--keep'"),
        (["gc", "--keep-days", "-1"], "Invalid value for '--keep-days'"),
        (["fsck", "--format", "xml"], "Invalid value for '--format'"),
        (["fsck", "--wrong"], "No such option"),
    ],
)
def test_what_is_typed_wrongly_is_answered_with_where_help_is(built: Commands, words: list[str], says: str) -> None:
    before = built.snapshot()
    result = asked(built, *words, code=2)
    assert says in result.stderr
    assert "--help" in result.stderr
    assert built.snapshot() == before


NOT_SELECTED = [["show"], ["history"], ["rollback"], ["yank", *REASON], ["gc"], ["fsck"]]


@pytest.mark.parametrize("words", NOT_SELECTED, ids=lambda words: words[0])
@pytest.mark.parametrize("selector", ["mini@prod#", "../x@prod", "mini@Prod", "mini@prod@tomorrow", "\x1b[2J"])
def test_a_selector_that_is_none(built: Commands, words: list[str], selector: str) -> None:
    said = assert_refused(built, 2, words=[*words, selector])
    assert "\x1b" not in said


@pytest.mark.parametrize("words", NOT_SELECTED, ids=lambda words: words[0])
def test_a_project_that_has_published_nothing(built: Commands, words: list[str]) -> None:
    selector = "minni@prod#1" if words[0] in {"rollback", "yank"} else "minni@prod"
    assert_refused(built, 2, "minni has published nothing; there is mini", words=[*words, selector])


@pytest.mark.parametrize("words", [["show", "mini"], ["gc"], ["fsck"], ["rollback", "mini@prod#1"]])
def test_no_registry_is_named(commands: Commands, words: list[str]) -> None:
    assert_refused(commands, 2, "no registry is named", "add --bucket NAME", words=words)


@pytest.mark.parametrize("words", [["show", "mini"], ["history", "mini"], ["rollback", "mini@prod#1"]])
def test_an_empty_registry(commands: Commands, words: list[str]) -> None:
    assert_refused(commands, 2, "the registry is empty", words=[*words, "--registry", commands.registry])


# -- history and show -------------------------------------------------------------------------------------------------


def test_the_history_is_newest_first_with_what_became_of_each(built: Commands) -> None:
    asked(built, "yank", "mini@prod#1", *REASON)
    result = asked(built, "history", "mini")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("✓ mini@prod in ")
    assert [line.split()[0] for line in lines[1:]] == ["#3", "it", "#2", "#1"]
    assert "  yank  " in lines[1]
    assert "  yanked  " in lines[1]
    assert lines[2] == "        it counts twice"
    assert "  current  " in lines[3]
    assert "  yanked  " in lines[4]


def test_the_history_as_json(built: Commands) -> None:
    asked(built, "rollback", "mini@prod#1", *REASON)
    found = document(built, "history", "mini@prod")
    assert (found["project"], found["environment"]) == ("mini", "prod")
    told = [(r["n"], r["op"], r["fate"], r["reason"]) for r in found["records"]]
    assert told == [
        (3, "rollback", "current", "it counts twice"),
        (2, "publish", "kept", None),
        (1, "publish", "current", None),
    ]
    newest = found["records"][0]
    assert newest["publication"] == newest["current"] == found["records"][2]["publication"]
    assert newest["digest"].startswith("sha256:")
    assert newest["expired"] == []
    assert {"repository", "ref", "commit", "run"} <= newest["actor"].keys()


def test_the_history_stops_at_its_limit_and_says_so(built: Commands) -> None:
    result = asked(built, "history", "mini", "--limit", "1")
    assert result.stdout.count("#") == 1
    assert "and 1 record before; --limit shows more" in result.stdout
    assert len(document(built, "history", "mini", "--limit", "1")["records"]) == 1
    assert "--limit" not in asked(built, "history", "mini").stdout


def test_a_project_alone_is_meant_in_the_named_environment(built: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_MESH_ENV", "staging")
    assert_refused(built, 2, "nothing in 'staging'; there is prod", words=["history", "mini"])
    assert_refused(built, 2, "nothing in 'staging'; there is prod", words=["show", "mini"])


def test_without_a_selector_it_is_the_project_of_this_folder(built: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_refused(built, 2, "dbt_project.yml", words=["show"])
    monkeypatch.chdir(built.up)
    assert "mini@prod#2" in asked(built, "show").stdout
    assert "✓ mini@prod in" in asked(built, "history").stdout


def test_show_tells_a_publication_whole(built: Commands) -> None:
    first, second = ids(built)
    result = asked(built, "show", "mini@prod#1")
    assert f"✓ mini@prod#1 {first}, kept" in result.stdout
    assert "2 public models:" in result.stdout
    assert "customers  1 column  PROD.MARTS.CUSTOMERS" in result.stdout
    assert "manifest.json  " in result.stdout
    assert f"✓ mini@prod#2 {second}, current" in asked(built, "show", "mini").stdout


@pytest.mark.parametrize("form", ["#1", "!{id}", "!{digest}", "@{moment}"])
def test_show_takes_every_way_to_select(built: Commands, form: str) -> None:
    first = document(built, "show", "mini@prod#1")
    rest = form.format(id=first["publication"], digest=first["digest"][:19], moment=first["time"])
    if form.startswith("@"):
        assert document(built, "show", f"mini@prod{rest}")["n"] in {1, 2}  # both may be of the same second
        return
    assert document(built, "show", f"mini@prod{rest}") == first


def test_show_as_json(built: Commands) -> None:
    found = document(built, "show", "mini@prod#1")
    assert (found["project"], found["environment"], found["n"], found["fate"]) == ("mini", "prod", 1, "kept")
    assert [model["name"] for model in found["models"]] == ["customers", "orders"]
    assert found["models"][0]["columns"] == ["id"]
    assert found["files"].keys() == {"manifest.json", "usage.json.zst", "state.json.zst"}
    assert all(file["size"] > 0 and len(file["sha256"]) == 64 for file in found["files"].values())


def test_show_of_no_public_models(commands: Commands) -> None:
    (commands.root / "mesh.yml").write_text(MESH)
    publish(commands, 1)
    assert asked(commands, "show", "mini").stdout.endswith("0 public models\n")


def test_a_reason_cannot_drive_the_terminal(built: Commands) -> None:
    asked(built, "yank", "mini@prod#1", "--reason", "\x1b[2J\n#9  forged")
    result = asked(built, "history", "mini")
    assert "\x1b" not in result.stdout
    assert "\n#9" not in result.stdout


def test_show_of_a_log_whose_newest_record_names_what_never_was(built: Commands) -> None:
    store = DirectoryStore(Path(built.registry))
    newest = Registry(store).require("mini", "prod")
    forged = msgspec.structs.replace(newest, current="20260901T000000Z-ffffffffffff")
    files(built, "mini/prod/log/*997.json")[0].write_bytes(encode_record(forged))
    result = asked(built, "show", "mini", code=3)
    assert result.stderr.startswith("error: ")
    assert "\n  next: " in result.stderr


# -- rollback, yank, approve ------------------------------------------------------------------------------------------


def test_a_rollback_says_what_readers_get(built: Commands) -> None:
    first, _ = ids(built)
    result = asked(built, "rollback", "mini@prod#1", *REASON)
    assert result.stdout == f"✓ rolled back as record 3\n  readers get mini@prod#3 {first}\n"
    again = asked(built, "rollback", "mini@prod#1")
    assert again.stdout == f"✓ was that already\n  readers get mini@prod#3 {first}\n"


def test_publishing_what_was_rolled_back_says_what_readers_get_instead(built: Commands) -> None:
    first, second = ids(built)
    asked(built, "rollback", "mini@prod#1")
    result = built.publish()
    assert f"✓ already published mini@prod#2 {second}" in result.stdout
    assert f"  readers get mini@prod#3 {first}; mesh history says why\n" in result.stdout


def test_a_rollback_as_json(built: Commands) -> None:
    first, _ = ids(built)
    found = document(built, "rollback", "mini@prod#1")
    told = {"project": "mini", "environment": "prod", "op": "rollback", "publication": first, "n": 3, "current": first}
    assert found == told | {"new": True}
    assert document(built, "rollback", "mini@prod#1") == told | {"new": False}


def test_a_rollback_to_what_is_current_asks_for_a_number(built: Commands) -> None:
    words = ["rollback", "mini@prod"]
    assert_refused(built, 2, "mini@prod is what readers get now", "mesh rollback mini@prod#N", words=words)


def test_a_rollback_that_a_consumer_would_miss_is_declined(built: Commands) -> None:
    asked(built, "rollback", "mini@prod#1")
    reads(built, "customers")
    said = assert_refused(built, 1, "lacks what others read", "--allow-broken", words=["rollback", "mini@prod#2"])
    assert "mini.customers  read by  reader  model.reader.report" in said
    assert asked(built, "rollback", "mini@prod#2", "--allow-broken").stdout.startswith("✓ rolled back as record 4")


def test_a_rollback_to_the_same_interface_is_not_judged(built: Commands) -> None:
    reads(built, "customers")  # which is gone already
    publish(built, 3, "orders")
    asked(built, "rollback", "mini@prod#2")


def test_many_that_would_miss_it_are_counted(built: Commands) -> None:
    asked(built, "rollback", "mini@prod#1")
    mark = {"project": "mini", "model": "customers"}
    source = builders.source("customers", "UP.MARTS.CUSTOMERS", "reader", mark)
    nodes = [builders.node(f"m{k:02}", "reader", depends_on={"nodes": [source["unique_id"]]}) for k in range(13)]
    (built.down / "target").mkdir()
    manifest = builders.manifest(source, *nodes, project="reader")
    (built.down / "target/manifest.json").write_text(json.dumps(manifest))
    assert built.publish(folder=built.down).exit_code == 0
    said = assert_refused(built, 1, "and 3 more", words=["yank", "mini@prod", *REASON, "--registry", built.registry])
    assert said.count("read by") == 10


def test_a_yank_says_what_readers_get(built: Commands) -> None:
    first, second = ids(built)
    result = asked(built, "yank", "mini@prod#2", *REASON)
    assert result.stdout == f"✓ yanked as record 3\n  readers get mini@prod#3 {first}\n"
    assert asked(built, "yank", "mini@prod#2", *REASON).stdout.startswith("✓ was yanked already\n")
    found = document(built, "yank", "mini@prod#2", *REASON)
    assert (found["op"], found["publication"], found["current"], found["new"]) == ("yank", second, first, False)


def test_a_yank_of_the_only_one_is_declined(built: Commands) -> None:
    asked(built, "yank", "mini@prod#1", *REASON)
    words = ["yank", "mini@prod", *REASON]
    assert_refused(built, 1, "no other publication", "publish a mended build first", words=words)


def test_what_was_yanked_stays_away(built: Commands) -> None:
    asked(built, "yank", "mini@prod#2", *REASON)
    assert_refused(built, 1, "mini@prod#2 was yanked: it counts twice", words=["rollback", "mini@prod#2"])
    words = ["publish", "--env", "prod", "--project-dir", str(built.up)]
    assert_refused(built, 1, "was yanked: it counts twice", "run dbt build", words=words)


def test_a_yanked_pin_is_warned_of_and_built_with(built: Commands) -> None:
    sync = ["sync", "--project-dir", str(built.down)]
    asked(built, *sync)
    asked(built, "yank", "mini@prod#2", *REASON)
    result = asked(built, *sync, "--locked")
    assert "warning: mini@prod#2 was yanked: it counts twice; mesh sync --upgrade mini moves on" in result.stderr
    assert json.loads(asked(built, *sync, "--locked", "--format", "json").stdout)["upstreams"][0]["yanked"] == REASON[1]
    moved = asked(built, *sync, "--upgrade", "mini")
    assert "mini@prod#3 as sources" in moved.stdout
    assert "(was #2)" in moved.stdout
    assert moved.stderr == ""


@pytest.mark.parametrize("reason", ["", "x" * 501])
@pytest.mark.parametrize(
    "words", [["rollback", "mini@prod#1"], ["yank", "mini@prod#1"], ["approve", "column-removed", "mini.o"]]
)
def test_a_reason_is_a_sentence(built: Commands, words: list[str], reason: str) -> None:
    said = ["--reason", "a reason has 1 to 500 characters", f"this has {len(reason)}"]
    assert_refused(built, 2, *said, words=[*words, "--reason", reason])


def test_an_approval_says_until_when(built: Commands) -> None:
    day = (datetime.now(UTC).date() + timedelta(days=14)).isoformat()
    result = asked(built, "approve", "column-removed", "mini.orders.amount", *REASON)
    assert result.stdout.startswith(f"✓ approved column-removed of mini.orders.amount until {day} as record 3\n")
    assert "readers get mini@prod#2 " in result.stdout
    assert asked(built, "approve", "column-removed", "mini.orders.amount", *REASON).stdout.startswith("✓ was approved")
    found = document(built, "approve", "column-removed", "mini.orders.amount", "--until", "2999-12-31", *REASON)
    assert (found["op"], found["n"], found["new"]) == ("approve", 4, True)


@pytest.mark.parametrize(
    ("rule", "thing", "more", "says"),
    [
        ("Column Removed", "mini.orders", [], "'Column Removed' is no rule"),
        ("", "mini.orders", [], "'' is no rule"),
        ("-x-", "mini.orders", [], "is no rule"),
        ("column-removed", "mini..orders", [], "is no object"),
        ("column-removed", "", [], "is no object"),
        ("column-removed", "mini/orders", [], "is no object"),
        ("column-removed", "mini.orders\n", [], "is no object"),
        ("column-removed", "mini.orders", ["--until", "tomorrow"], "'tomorrow' is no day"),
        ("column-removed", "mini.orders", ["--until", "2026-02-30"], "is no day"),
        ("column-removed", "mini.orders", ["--until", "2020-01-01"], "2020-01-01 is over"),
        ("column-removed", "mini.orders", ["--env", "../prod"], "is not an environment"),
        ("column-removed", "minni.orders", [], "minni has published nothing"),
        ("column-removed", "mini.orders", ["--env", "staging"], "nothing in 'staging'"),
    ],
)
def test_an_approval_of_what_is_none(built: Commands, rule: str, thing: str, more: list[str], says: str) -> None:
    assert_refused(built, 2, says, words=["approve", *REASON, *more, "--", rule, thing])
