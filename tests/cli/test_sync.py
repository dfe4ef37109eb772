"""`mesh sync`: bad input is said in words and writes nothing, good input is written once and read back as it was."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_tools.artifacts.yaml_text import inert_key
from tests import builders
from tests.cli.conftest import Commands, assert_refused

LOCK = "mesh.lock"
SOURCES = "models/_mesh_mini.yml"
MESH = """
version: 1
registry: registry
environments: {prod: {reads: prod}, dev: {reads: prod}}
projects:
  mini: {path: up}
  reader: {path: down, upstreams: {mini: {as: sources}}}
"""

ODD_ID = f"{{environment: prod, publication: x, n: 1, record: sha256:{'0' * 64}, digest: sha256:{'0' * 64}}}"


@pytest.fixture
def published(commands: Commands) -> Commands:
    (commands.root / "mesh.yml").write_text(MESH)
    result = commands.publish()
    assert result.exit_code == 0, result.output
    return commands


def words(commands: Commands, *more: str) -> list[str]:
    return ["sync", "--project-dir", str(commands.down), *more]


def publish_again(commands: Commands, *nodes: builders.Json, at: str = "2026-12-01T00:00:00Z") -> None:
    document = builders.manifest(*nodes, project="mini", metadata={"generated_at": at})
    (commands.up / "target/manifest.json").write_text(json.dumps(document))
    result = commands.publish()
    assert result.exit_code == 0, result.output


def test_the_files_are_written_and_the_second_time_none_is_touched(published: Commands) -> None:
    first = published.run(*words(published))
    assert first.exit_code == 0, first.output
    for name in (SOURCES, LOCK, "state/manifest.json"):
        assert (published.down / name).is_file()
        assert f"written {name}" in first.stdout
    before = published.snapshot()
    second = published.run(*words(published))
    assert second.exit_code == 0
    assert "all files were up to date" in second.stdout
    assert published.snapshot() == before


def test_another_publication_of_the_same_interface_touches_no_model_file(published: Commands) -> None:
    published.run(*words(published))
    path = published.down / SOURCES
    before = path.stat().st_mtime_ns
    manifest = published.up / "target/manifest.json"
    document = json.loads(manifest.read_text())
    document["metadata"]["generated_at"] = "2026-12-01T00:00:00Z"
    manifest.write_text(json.dumps(document))
    published.publish()
    result = published.run(*words(published))
    assert "mini@prod#2 as sources: 3 models (was #1)" in result.stdout
    assert path.stat().st_mtime_ns == before


def test_check_finds_drift_and_writes_nothing(published: Commands) -> None:
    before = published.snapshot()
    result = published.run(*words(published, "--check"))
    assert result.exit_code == 1
    assert f"would be written {SOURCES}" in result.stdout
    assert published.snapshot() == before
    published.run(*words(published))
    before = published.snapshot()
    assert published.run(*words(published, "--check")).exit_code == 0
    (published.down / SOURCES).write_text((published.down / SOURCES).read_text() + "# edited\n")
    before = published.snapshot()
    assert published.run(*words(published, "--check")).exit_code == 1
    assert published.snapshot() == before


def test_a_project_that_published_nothing_is_answered_with_those_that_did(published: Commands) -> None:
    assert_refused(
        published, 2, "minni has published nothing; there is mini", words=words(published, "--upstream", "minni")
    )


def test_an_environment_without_publications_is_answered_with_those_that_have(published: Commands) -> None:
    assert_refused(published, 2, "mini", "'staging'", "there is prod", words=words(published, "--env", "staging"))


def test_a_fall_back_is_told_and_can_be_read_by_programs(published: Commands) -> None:
    fallen = MESH.replace("dev: {reads: prod}", "staging: {reads: [staging, prod]}")
    (published.root / "mesh.yml").write_text(fallen)
    told = published.run(*words(published, "--env", "staging"))
    assert told.exit_code == 0, told.output
    assert "mini has published nothing in staging: prod is read instead" in told.stdout
    read = published.run(*words(published, "--env", "staging", "--format", "json"))
    (upstream,) = json.loads(read.stdout)["upstreams"]
    assert (upstream["environment"], upstream["passed_over"]) == ("prod", ["staging"])
    assert published.publish("--env", "staging").exit_code == 0
    moved = published.run(*words(published, "--env", "staging"))
    assert "mini@staging#1 as sources: 3 models (was prod#1)" in moved.stdout
    assert "instead" not in moved.stdout


def test_a_rule_of_the_map_that_fits_nothing_is_told(published: Commands) -> None:
    rules = "{as: sources, databases: {DBT_UPP: X, '*': 'Z_*'}}"
    (published.root / "mesh.yml").write_text(MESH.replace("{as: sources}", rules))
    told = published.run(*words(published))
    assert told.exit_code == 0, told.output
    assert "warning: databases: DBT_UPP fits no relation of mini; it has " in told.stderr
    assert "*" not in told.stderr
    (upstream,) = json.loads(published.run(*words(published, "--format", "json")).stdout)["upstreams"]
    assert [rule.partition(" fits")[0] for rule in upstream["idle_rules"]] == ["databases: DBT_UPP"]


def test_an_empty_registry_says_so(commands: Commands) -> None:
    asked = words(commands, "--registry", commands.registry, "--upstream", "mini")
    assert_refused(commands, 2, "the registry is empty", commands.registry, words=asked)
    assert not Path(commands.registry).exists()


@pytest.mark.parametrize("name", ["../mini", "", "a b", "_edges", "con", "mini/prod", "mini\n"])
def test_an_upstream_that_is_no_name(published: Commands, name: str) -> None:
    assert_refused(published, 2, "--upstream", "is not a project name", words=words(published, "--upstream", name))


@pytest.mark.parametrize("name", ["../x", "Prod", ""])
def test_an_environment_that_is_no_name(published: Commands, name: str) -> None:
    assert_refused(published, 2, "--env", "is not an environment", words=words(published, "--env", name))


def test_no_project_here(published: Commands) -> None:
    asked = ["sync", "--project-dir", str(published.root / "nowhere")]
    assert_refused(published, 2, "nowhere/dbt_project.yml", "missing", words=asked)


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        (MESH.replace("registry:", "regisrty:"), "unknown key 'regisrty'"),
        (MESH.replace("as:", "az:"), "unknown key 'projects.reader.upstreams.mini.az'"),
        (MESH.replace("sources", "magic"), "use one of sources, loom"),
        (MESH.replace("reader:", "mini:"), "stands twice"),
        (MESH.replace("version: 1", "version: 2"), "'version' is not 1"),
        (MESH.replace("registry: registry", "registry: ${NOT_SET}"), "needs the variable NOT_SET"),
        (MESH.replace("prod: {", "Prod: {"), "'Prod' is not an environment"),
        (MESH.replace("{path: up}", "[up]"), "'projects.mini' is not a mapping"),
        (MESH.replace("path: up", "path: 7"), "'projects.mini.path' is 7"),
        (MESH + "\n\t- x", "mesh.yml:9:1"),
        ("", "is empty"),
        ("[]", "not a mapping"),
        ("&a [*a]", "mesh.yml"),
        ("\x00", "not YAML"),
    ],
)
def test_a_mesh_yml_that_is_none(published: Commands, text: str, needle: str) -> None:
    (published.root / "mesh.yml").write_text(text)
    assert_refused(published, 2, "mesh.yml", needle, words=words(published))


def test_a_mistyped_key_is_answered_with_the_right_one(published: Commands) -> None:
    (published.root / "mesh.yml").write_text(MESH.replace("upstreams:", "upstream:"))
    assert_refused(published, 2, "'projects.reader.upstream'", "did you mean 'upstreams'?", words=words(published))


@pytest.mark.parametrize("name", [SOURCES, LOCK])
def test_a_persons_file_is_left_alone_and_nothing_else_is_written(published: Commands, name: str) -> None:
    path = published.down / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("version: 1\nupstreams: {}\n")
    assert_refused(published, 2, str(path), "was not written by mesh sync", f"mv {path.name}", words=words(published))


def test_a_persons_loom_files_are_left_alone(published: Commands) -> None:
    (published.root / "mesh.yml").write_text(MESH.replace("sources", "loom"))
    path = published.down / "dbt_loom.config.yml"
    path.write_text("manifests: []\n")
    assert_refused(published, 2, str(path), "was not written by mesh sync", words=words(published))


def test_a_folder_where_a_file_belongs(published: Commands) -> None:
    (published.down / SOURCES).mkdir(parents=True)
    assert_refused(published, 2, SOURCES, words=words(published))


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("", "is empty"),
        ("{", "is not YAML"),
        ("[]", "not a mapping"),
        ("version: 1\n", "'upstreams'"),
        ("version: 1\nupstreams: {mini: {}}\n", "'upstreams.mini'"),
        (f"version: 1\nupstreams: {{mini: {ODD_ID}}}\n", "'x'"),
        ("version: 1\nupstreams: {../x: {}}\n", "'../x'"),
        ("version: 1\n<<<<<<< ours\n", "both sides of a merge"),
        ("\x07", "not YAML"),
    ],
)
def test_a_damaged_lock(published: Commands, text: str, needle: str) -> None:
    (published.down / LOCK).write_text(text)
    assert_refused(published, 2, LOCK, needle, "delete mesh.lock", words=words(published))


def test_a_lock_of_a_later_version_asks_for_an_update(published: Commands) -> None:
    (published.down / LOCK).write_text("version: 2\n")
    assert_refused(published, 2, LOCK, "version 2", "update registry-tools", words=words(published))


def test_a_lock_that_is_no_utf8(published: Commands) -> None:
    (published.down / LOCK).write_bytes(b"version: 1\nupstreams: {\xff: {}}\n")
    assert_refused(published, 2, LOCK, "delete mesh.lock", words=words(published))


def test_a_registry_that_went_back_is_not_followed(published: Commands) -> None:
    shutil.copytree(published.registry, published.root / "backup")
    publish_again(published, builders.node("orders", "mini"))
    assert published.run(*words(published)).exit_code == 0
    shutil.rmtree(published.registry)
    shutil.move(published.root / "backup", published.registry)
    assert_refused(published, 3, "rewritten: it had 2 records and has 1", "delete mesh.lock", words=words(published))
    shutil.rmtree(os.environ["DBT_MESH_CACHE"])
    assert_refused(published, 3, "was at #2 and is now at #1", "delete mesh.lock", words=words(published))


def test_a_registry_with_another_history_is_not_followed(published: Commands) -> None:
    assert published.run(*words(published)).exit_code == 0
    shutil.rmtree(published.registry)
    publish_again(published, builders.node("orders", "mini"))
    assert_refused(published, 3, "record 1 has other bytes than it had", words=words(published))
    shutil.rmtree(os.environ["DBT_MESH_CACHE"])
    assert_refused(published, 3, "mini@prod", "mesh.lock has", words=words(published))


@pytest.mark.parametrize("file", ["history/*/manifest.json", "log/*.json"])
def test_changed_bytes_in_the_registry_reach_nobody(published: Commands, file: str) -> None:
    (path,) = (Path(published.registry) / "mini/prod").glob(file)
    path.write_bytes(path.read_bytes().replace(b"mini", b"m1ni").replace(b'"n":1', b'"n":7'))
    assert_refused(published, 3, str(path), words=words(published))


ODD = [
    'it\'s "quoted": yes # no',
    "two\nlines\n\nand a third ",
    "{{ env_var('SECRET') }} {% set x = 1 %} {# gone #}",
    "- a\n- b: [c, {d}]",
    "tab\t, nul-like \x07, bell, é, 日本, 😀, \u2028 and \x85",
    "%YAML &anchor *alias !tag | > @ `",
    " leading and trailing ",
    "null",
    "{{ '{{' }} }} %} #}",
]


def rendered(value: Any, key: str = "") -> Any:
    """What dbt makes of a value: each text rendered by Jinja with nothing in its context, keys left as they are, and
    descriptions where they look like templates alone.
    """
    import jinja2

    if isinstance(value, str):
        plain = key == "description" and not re.search(r"\{[{%#]|[#}%]\}", value)
        return value if plain else jinja2.Environment(autoescape=False).from_string(value).render()  # noqa: S701
    if isinstance(value, dict):
        return {name: rendered(item, name) for name, item in value.items()}
    return [rendered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", ODD)
def test_text_of_any_kind_reaches_the_consumer_as_it_was(published: Commands, text: str) -> None:
    column = builders.column("id", description=text, meta={"note": text}, tags=["plain"])
    model = builders.node("orders", "mini", description=text, meta={text: text}, columns={"id": column})
    publish_again(published, model)
    assert published.run(*words(published)).exit_code == 0
    document = rendered(yaml.safe_load((published.down / SOURCES).read_text()))
    (table,) = document["sources"][0]["tables"]
    assert table["description"] == text
    assert table["columns"][0]["description"] == text
    assert table["columns"][0]["config"]["meta"]["note"] == text
    assert table["config"]["meta"][inert_key(text)] == text


@pytest.mark.parametrize("name", ["orders.v1", "my orders", "Ordres_é", "a$b", "2020-orders", "null", "on"])
def test_legal_names_that_yaml_could_misread_come_back_as_text(published: Commands, name: str) -> None:
    publish_again(published, builders.node(name, "mini", relation_name='PROD.MARTS."x y"'))
    assert published.run(*words(published)).exit_code == 0
    document = yaml.safe_load((published.down / SOURCES).read_text())
    assert [(t["name"], t["identifier"]) for t in document["sources"][0]["tables"]] == [(name, "x y")]
