"""mesh gc, mesh fsck, and mesh sync with pins: what they say, what they change, and how they end."""

import json
import os
import re
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Commands, assert_refused
from tests.cli.filled import YEAR, age, asked, document, files, fill, forget, ids, publish, reads


@pytest.fixture
def built(commands: Commands) -> Commands:
    return fill(commands)


# -- gc ---------------------------------------------------------------------------------------------------------------

STRICT = ["--keep", "1", "--keep-days", "30"]


def test_gc_shows_what_would_go_and_changes_nothing(built: Commands) -> None:
    first, _ = ids(built)
    age(built, YEAR)
    before = built.snapshot()
    result = asked(built, "gc", *STRICT)
    assert result.stdout == (
        f"✓ mini@prod: 1 publication kept\n  would give up {first}\n  nothing was changed; mesh gc --delete does it\n"
    )
    found = document(built, "gc", *STRICT)["collections"]
    assert found == [
        {"project": "mini", "environment": "prod", "kept": 1, "give_up": [first], "delete": [], "record": None,
         "deleted": None},
    ]  # fmt: skip
    assert built.snapshot() == before


def test_gc_gives_up_first_and_deletes_seven_days_later(built: Commands) -> None:
    age(built, YEAR)
    first, _ = ids(built)
    result = asked(built, "gc", *STRICT, "--delete")
    assert "  gave up 1 publication as record 3; the files go in seven days\n" in result.stdout
    assert files(built, f"mini/prod/history/{first}/*")
    assert asked(built, "gc", *STRICT, "--delete").stdout == "✓ mini@prod: 1 publication kept\n"
    age(built, 8 * 24 * 3600)
    shown = asked(built, "gc", "mini@prod", *STRICT)
    assert shown.stdout.count("  would delete ") == 3
    assert "  given up\n" in shown.stdout
    done = asked(built, "gc", "mini@prod", *STRICT, "--delete")
    assert "  deleted 3 files, " in done.stdout
    assert not files(built, f"mini/prod/history/{first}/*")
    forget(built)
    assert_refused(built, 2, f"{first} is no longer kept since", words=["show", "mini@prod#1"])
    assert_refused(built, 2, "is no longer kept since", words=["rollback", "mini@prod#1"])
    assert [record["fate"] for record in document(built, "history", "mini")["records"]] == [
        "current",
        "current",
        "given up",
    ]
    assert asked(built, "fsck").exit_code == 0
    assert document(built, "gc", "--delete")["collections"][0]["deleted"] == 0


def test_gc_leaves_what_a_consumer_was_built_against(built: Commands) -> None:
    asked(built, "rollback", "mini@prod#1")
    asked(built, "sync", "--project-dir", str(built.down))
    reads(built, "orders")
    publish(built, 3, "orders", "customers")
    age(built, YEAR)
    (found,) = document(built, "gc", "mini@prod", *STRICT)["collections"]
    assert found["give_up"] == [ids(built)[1]]


def test_gc_of_an_empty_registry(commands: Commands) -> None:
    result = asked(commands, "gc", "--registry", commands.registry)
    assert result.stdout == "✓ the registry is empty\n"
    assert document(commands, "gc", "--registry", commands.registry) == {"collections": []}
    assert not Path(commands.registry).exists()


def test_gc_of_a_log_that_lost_its_end_deletes_nothing(built: Commands) -> None:
    age(built, YEAR)
    files(built, "mini/prod/log/*997.json")[0].unlink()
    assert_refused(built, 3, "the log ends at #1", "mesh fsck", words=["gc", "mini@prod", "--delete"])


@pytest.mark.parametrize("command", ["gc", "fsck"])
def test_a_single_publication_is_not_collected_or_inspected(built: Commands, command: str) -> None:
    assert_refused(built, 2, "mini@prod#1 is one publication", "write mini@prod", words=[command, "mini@prod#1"])


# -- fsck -------------------------------------------------------------------------------------------------------------


def test_fsck_of_a_healthy_registry(built: Commands) -> None:
    before = built.snapshot()
    for words in (["fsck"], ["fsck", "mini@prod"], ["fsck", "--repair"]):
        assert asked(built, *words).stdout.endswith("registry: every record, file and view is as it must be\n")
    assert document(built, "fsck") == {"faults": [], "left": 0}
    assert built.snapshot() == before


def test_fsck_of_an_empty_registry_does_not_say_that_all_is_well(commands: Commands) -> None:
    result = asked(commands, "fsck", "--registry", commands.registry)
    assert result.stdout == f"✓ {commands.registry}: the registry is empty\n"


def test_fsck_names_each_fault_and_what_to_do_and_exits_1(built: Commands) -> None:
    (latest,) = files(built, "mini/prod/latest/manifest.json")
    latest.unlink()
    lost = files(built, "mini/prod/history/*/manifest.json")[0]
    lost.write_bytes(b"?")
    forget(built)
    result = asked(built, "fsck", code=1)
    assert "stale-latest  mini/prod/latest/manifest.json\n" in result.stdout
    assert "  plain readers find nothing; #2 is current\n  next: mesh fsck --repair\n" in result.stdout
    assert f"damaged-file  {lost.relative_to(built.registry)}\n" in result.stdout
    assert result.stdout.endswith("2 faults, 0 put right, 2 left\n")
    found = document(built, "fsck", code=1)
    assert found["left"] == 2
    assert [(f["rule"], f["repairable"], f["repaired"]) for f in found["faults"]] == [
        ("damaged-file", False, False),
        ("stale-latest", True, False),
    ]
    assert {(f["project"], f["environment"]) for f in found["faults"]} == {("mini", "prod")}
    assert all(f["key"] and f["message"] for f in found["faults"])


def test_fsck_repairs_what_has_a_copy_and_says_what_is_left(built: Commands) -> None:
    latest = files(built, "mini/prod/latest/manifest.json")[0]
    right = latest.read_bytes()
    latest.write_bytes(b"torn")
    lost = files(built, "mini/prod/history/*/manifest.json")[0]
    lost.unlink()
    forget(built)
    result = asked(built, "fsck", "--repair", code=1)
    assert "  its bytes are not those of #2\n  put right\n" in result.stdout
    assert "  record 1 names this file, and it is not there\n  next: " in result.stdout
    assert result.stdout.endswith("2 faults, 1 put right, 1 left\n")
    assert latest.read_bytes() == right
    assert document(built, "fsck", "--repair", code=1)["left"] == 1


def test_fsck_that_mends_everything_exits_0(built: Commands) -> None:
    files(built, "mini/prod/latest/manifest.json")[0].unlink()
    found = document(built, "fsck", "--repair")
    assert (found["left"], [fault["repaired"] for fault in found["faults"]]) == (0, [True])
    assert asked(built, "fsck").exit_code == 0


def test_fsck_with_what_this_machine_has_read(built: Commands) -> None:
    asked(built, "sync", "--project-dir", str(built.down))
    right = built.snapshot()
    for path in (*files(built, "mini/prod/log/*997.json"), *files(built, "mini/prod/latest/*")):
        path.unlink()
    result = asked(built, "fsck", "--repair")
    assert result.stdout.endswith("2 faults, 2 put right, 0 left\n")
    mended, beside = built.snapshot(), ".lock"  # which a replacement leaves
    assert {name: kept and kept[0] for name, kept in mended.items() if beside not in name} == {
        name: kept and kept[0] for name, kept in right.items() if beside not in name
    }


def test_fsck_tells_folders_that_are_no_environments(built: Commands) -> None:
    (Path(built.registry) / "mini/Prod").mkdir()
    (Path(built.registry) / "mini/Prod/x").write_text("")
    (Path(built.registry) / "not a project/prod").mkdir(parents=True)
    (Path(built.registry) / "not a project/prod/x").write_text("")
    found = document(built, "fsck", "--repair", code=1)
    assert [(fault["rule"], fault["key"]) for fault in found["faults"]] == [
        ("stranger", "mini/Prod/"),
        ("stranger", "not a project/prod/"),
    ]


def test_fsck_of_a_registry_that_cannot_be_read(built: Commands) -> None:
    path = Path(built.registry)
    path.rename(built.root / "moved")
    path.write_text("no folder")
    assert_refused(built, 2, "mini has published nothing", words=["fsck", "mini@prod"])


# -- sync -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sync(built: Commands) -> list[str]:
    words = ["sync", "--project-dir", str(built.down)]
    asked(built, *words)
    return words


def test_who_reads_nobody_is_told_so(built: Commands) -> None:
    result = asked(built, "sync", "--project-dir", str(built.up))
    assert result.stdout.startswith("✓ mini reads no upstream\n  state/manifest.json: defers to mini@prod#2\n")
    assert_refused(built, 2, "(there is none)", words=["sync", "--project-dir", str(built.up), "--upgrade", "mini"])


def test_locked_and_upgrade_contradict_each_other(built: Commands, sync: list[str]) -> None:
    assert_refused(built, 2, "--locked keeps every pin", "use one of the two", words=[*sync, "--locked", "--upgrade"])


def test_an_upgrade_of_what_is_no_upstream(built: Commands, sync: list[str]) -> None:
    words = [*sync, "--upgrade", "minni"]
    assert_refused(built, 2, "--upgrade", "'minni' is no upstream of reader", "use one of mini", words=words)


def test_an_upgrade_may_stand_anywhere(built: Commands, sync: list[str]) -> None:
    publish(built, 3, "orders", "customers")
    before = built.snapshot()
    assert "(was #2)" in asked(built, *sync, "--upgrade", "--check", code=1).stdout
    assert built.snapshot() == before
    assert asked(built, *sync, "--locked", "--check").stdout.endswith("all files were up to date\n")
    moved = asked(built, *sync, "--upgrade")
    assert "mini@prod#3" in moved.stdout
    assert asked(built, *sync, "--upgrade", "mini", "--check").exit_code == 0


def test_an_upgrade_says_what_it_may_do_to_somebody(built: Commands, sync: list[str]) -> None:
    publish(built, 3, "orders", "customers")
    asked(built, *sync, "--upgrade")
    publish(built, 4, "orders")
    (read,) = document(built, *sync, "--upgrade", "--check", code=1)["upstreams"]
    assert [(change["rule"], change["class"], change["code"]) for change in read["changes"]] == [
        ("model-removed", "BREAKING", "M01"),
        ("description-changed", "SAFE", "C12"),
    ]
    assert read["changes"][0]["says"].startswith("customers is gone")
    shown = asked(built, *sync, "--upgrade", "mini").stdout.splitlines()
    at = shown.index("  mini@prod#3 -> mini@prod#4: 2 changes")
    told = [line.split() for line in shown[at + 1 : at + 3]]
    assert [(words[1], words[2], words[-1]) for words in told] == [
        ("model-removed", "mini.customers", "BREAKING"),
        ("description-changed", "mini.orders", "SAFE"),
    ]


def test_locked_without_a_lock(built: Commands, sync: list[str]) -> None:
    (built.down / "mesh.lock").unlink()
    words = [*sync, "--locked"]
    assert_refused(built, 1, "mesh.lock", "it does not name mini", "commit mesh.lock", words=words)


def test_offline_says_how_old_it_is(built: Commands, sync: list[str]) -> None:
    Path(built.registry).rename(built.root / "away")
    for head in Path(os.environ["DBT_MESH_CACHE"]).glob("heads/*/mini/*.json"):
        text = head.read_text()
        head.write_text(re.sub(r'"seen":[0-9.e+]+', f'"seen":{time.time() - 3 * 3600 - 60}', text))
    result = asked(built, *sync, "--offline")
    assert "✓ mini@prod#2 as sources: 1 model, offline, as seen 3 hours ago\n" in result.stdout
    assert asked(built, *sync, "--offline", "--check", "--locked").exit_code == 0
    assert json.loads(asked(built, *sync, "--offline", "--format", "json").stdout)["upstreams"][0]["n"] == 2


def test_offline_without_a_cache(built: Commands, sync: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_MESH_CACHE", str(built.root / "empty"))
    words = [*sync, "--offline"]
    assert_refused(built, 3, "mini@prod is not in the cache", "run without --offline once", words=words)


def test_locked_for_one_upstream_as_json(built: Commands, sync: list[str]) -> None:
    publish(built, 3, "orders")
    found = json.loads(asked(built, *sync, "--locked", "--upstream", "mini", "--format", "json").stdout)
    assert [read["n"] for read in found["upstreams"]] == [2]
    assert {file["action"] for file in found["files"]} == {"unchanged"}
