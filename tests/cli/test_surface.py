"""What every command has: help, a version, exit codes, one JSON document, and a light start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from registry_tools import errors
from registry_tools.cli.app import COMMANDS, load
from registry_tools.cli.edge import INTERRUPTED, at_the_edge
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.publications import Registry
from tests import builders
from tests.cli.conftest import Commands, assert_refused
from tests.cli.test_sync import MESH

BIN = Path(sys.executable).parent
HEAVY = ("boto3", "botocore", "rich", "yaml", "msgspec", "zstandard", "fakesnow", "moto", "duckdb", "dbt", "snowflake")


def process(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k == "DBT_MESH_CACHE" or not k.startswith(("DBT_", "AWS_"))}
    return subprocess.run(
        [str(word) for word in words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command_and_the_exit_codes(commands: Commands, flag: str) -> None:
    result = commands.run(flag)
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert "Exit codes: 0 fine, 1 found something, 2 asked wrongly" in result.stdout


@pytest.mark.parametrize("name", ["publish", "sync", "lineage"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_a_command_names_every_option_and_says_what_it_is_for(commands: Commands, name: str, flag: str) -> None:
    result = commands.run(name, flag)
    assert result.exit_code == 0
    options = [parameter for parameter in load(name).params if isinstance(parameter, click.Option)]
    assert options
    for option in options:
        assert option.opts[0] in result.stdout
        assert option.help


@pytest.mark.parametrize("name", ["up", "down", "status"])
def test_help_of_the_local_commands(commands: Commands, name: str) -> None:
    assert name in commands.run("local", "--help").stdout
    assert commands.run("local", name, "--help").exit_code == 0


def test_the_version_is_the_packages(commands: Commands) -> None:
    from importlib.metadata import version

    result = commands.run("--version")
    assert (result.exit_code, result.stdout) == (0, f"mesh {version('registry-tools')}\n")


@pytest.mark.parametrize(
    "words",
    [
        ["--wrong"],
        ["wrong"],
        ["publish", "--wrong"],
        ["publish"],
        ["sync", "extra"],
        ["sync", "--format", "xml"],
        ["lineage", "--env", "prod"],
        ["publish", "--env", "prod", "--project-dir", "dbt_project.yml"],
    ],
)
def test_what_is_typed_wrongly_is_answered_with_where_help_is(commands: Commands, words: list[str]) -> None:
    (commands.root / "dbt_project.yml").write_text("name: mini\n")
    before = commands.snapshot()
    result = commands.run(*words)
    assert result.exit_code == 2
    assert "--help" in result.stderr
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output
    assert commands.snapshot() == before


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, 2),
        (errors.DocumentError, 2),
        (errors.Refusal, 1),
        (errors.EmbeddedMeshError, 3),
        (errors.RegistryError, 3),
        (errors.OutcomeUnknown, 3),
        (errors.IntegrityError, 3),
    ],
)
def test_every_error_ends_in_its_exit_code(
    kind: type[errors.MeshError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @at_the_edge
    def command() -> int:
        raise kind("what", where="where", details=["a detail"], then="type this")

    with pytest.raises(SystemExit) as caught:
        command()
    assert caught.value.code == code
    assert capsys.readouterr() == ("", "error: where: what\n  a detail\n  next: type this\n")


def test_ctrl_c_ends_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    @at_the_edge
    def command() -> int:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        command()
    assert caught.value.code == INTERRUPTED
    assert capsys.readouterr() == ("", "interrupted\n")


def test_publish_as_json_is_one_document(commands: Commands) -> None:
    first = commands.publish("--format", "json")
    document = json.loads(first.stdout)
    assert first.stderr == ""
    assert document["new"] is True
    assert (document["project"], document["environment"], document["n"]) == ("mini", "prod", 1)
    assert document["public_models"] == ["a", "v.v1", "v.v2"]
    again = json.loads(commands.publish("--format", "json").stdout)
    assert again == document | {"new": False}


def test_sync_as_json_is_one_document_and_warnings_go_elsewhere(commands: Commands) -> None:
    commands.publish()
    text = commands.sync("--upstream", "mini", "--check")
    assert "warning: v.v1 is deprecated and leaves on 2027-01-01; use v.v2 instead." in text.stderr
    result = commands.sync("--upstream", "mini", "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert result.stderr.replace(document["upstreams"][0]["deprecations"][0], "").strip() in {"", "warning:"}
    assert {file["action"] for file in document["files"]} == {"written"}
    assert document["upstreams"][0]["publication"] in (commands.down / "mesh.lock").read_text()


def test_an_error_leaves_standard_output_to_programs(commands: Commands) -> None:
    words = ["publish", "--format", "json", "--env", "prod", "--registry", "r", "--project-dir", "nowhere"]
    assert_refused(commands, 2, "nowhere/dbt_project.yml", words=words)


def lineage(commands: Commands, reads: str, access: str = "public") -> None:
    """mini, built, and reader, built, with one node that reads `reads` of mini."""
    mark = {"project": "mini", "model": reads}
    source = builders.source(reads, f"UP.S_MARTS.{reads.upper()}", "reader", mark)
    model = builders.node("n", "reader", access=access, depends_on={"nodes": [source["unique_id"]]})
    (commands.down / "target").mkdir()
    document = builders.manifest(source, model, project="reader")
    (commands.down / "target/manifest.json").write_text(json.dumps(document))
    (commands.root / "mesh.yml").write_text(MESH)


def test_lineage_as_json_is_one_document(commands: Commands) -> None:
    lineage(commands, "a")
    result = commands.run("lineage", "--check", "--format", "json")
    assert result.exit_code == 0, result.output
    (read,) = json.loads(result.stdout)["reads"]
    assert [read["project"], read["upstream"], read["model"]] == ["reader", "mini", "a"]
    assert read["node"] == read["published_as"] == "model.reader.n"
    assert commands.run("lineage", "--check").exit_code == 0


def test_lineage_says_under_which_name_a_private_node_is_published(commands: Commands) -> None:
    lineage(commands, "a", access="protected")
    assert_published_as_lineage_says(commands)


def test_lineage_says_under_which_token_a_private_node_is_published(commands: Commands) -> None:
    lineage(commands, "a", access="protected")
    veiled = MESH.replace("{path: down,", "{path: down, readers: veiled,")
    (commands.root / "mesh.yml").write_text(veiled)
    assert_published_as_lineage_says(commands, "model.reader.private-")


def assert_published_as_lineage_says(commands: Commands, begins: str = "model.reader.n") -> None:
    (read,) = json.loads(commands.run("lineage", "--format", "json").stdout)["reads"]
    commands.publish(folder=commands.down)
    usage = Registry(DirectoryStore(Path(commands.registry))).usage("reader", "prod")
    assert usage
    assert [published.node for published in usage.reads] == [read["published_as"]]
    assert read["node"] == "model.reader.n"
    assert read["published_as"].startswith(begins)


def test_lineage_finds_what_is_not_declared_and_writes_nothing(commands: Commands) -> None:
    lineage(commands, "a")
    (commands.root / "mesh.yml").write_text(MESH.replace(", upstreams: {mini: {as: sources}}", ""))
    before = commands.snapshot()
    result = commands.run("lineage", "--check")
    assert result.exit_code == 1
    assert "  next: " in result.stderr
    assert "mini" in result.stderr
    assert commands.run("lineage").exit_code == 0
    assert commands.snapshot() == before


def test_lineage_without_a_mesh(commands: Commands) -> None:
    assert_refused(commands, 2, "no mesh.yml with projects", words=["lineage"])


def test_lineage_of_a_project_that_was_not_built(commands: Commands) -> None:
    (commands.root / "mesh.yml").write_text(MESH)
    assert_refused(commands, 2, "down/target/manifest.json", "missing", words=["lineage"])


def test_lineage_of_a_manifest_that_is_anothers(commands: Commands) -> None:
    lineage(commands, "a")
    (commands.up / "target/manifest.json").write_text(json.dumps(builders.manifest(project="other")))
    assert_refused(commands, 2, "up/target/manifest.json", "the manifest of other, not of mini", words=["lineage"])


def test_the_installed_names_are_the_same_commands(commands: Commands) -> None:
    """publish_manifest, sync_mesh, mesh and python -m registry_tools, each in its project's folder."""
    published = process(BIN / "publish_manifest", "--registry", commands.registry, "--env", "prod", folder=commands.up)
    assert published.returncode == 0, published.stderr
    synced = process(BIN / "sync_mesh", "--registry", commands.registry, "--upstream", "mini", folder=commands.down)
    assert synced.returncode == 0, synced.stderr
    before = commands.snapshot()
    again = process(BIN / "mesh", "publish", "--registry", commands.registry, "--env", "prod", folder=commands.up)
    assert "already published mini@prod#1" in again.stdout
    checked = process(
        sys.executable, "-m", "registry_tools", "sync", "--check", "--registry", commands.registry, "--upstream",
        "mini", folder=commands.down,
    )  # fmt: skip
    assert "all files were up to date" in checked.stdout, checked.stderr
    wrong = process(BIN / "publish_manifest", "--env", "prod", folder=commands.up)
    assert wrong.returncode == 2
    assert "error: no registry is named\n  next: add --bucket" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert commands.snapshot() == before


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["wrong"]])
def test_help_waits_for_nothing_heavy(commands: Commands, words: list[str]) -> None:
    run = process(sys.executable, "-X", "importtime", "-m", "registry_tools", *words, folder=commands.root)
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in run.stderr.splitlines() if "|" in line}
    assert "click" in imported
    assert not imported & set(HEAVY)


def test_publishing_to_a_directory_waits_for_no_aws_and_no_servers(commands: Commands) -> None:
    words = ["publish", "--registry", commands.registry, "--env", "prod"]
    run = process(sys.executable, "-X", "importtime", "-m", "registry_tools", *words, folder=commands.up)
    assert run.returncode == 0
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in run.stderr.splitlines() if "|" in line}
    assert "msgspec" in imported
    assert not imported & {"boto3", "botocore", "rich", "fakesnow", "moto", "duckdb", "dbt", "snowflake"}


def test_many_models_are_not_all_named(commands: Commands) -> None:
    nodes = [builders.node(f"m{n:03d}", "mini") for n in range(100)]
    (commands.up / "target/manifest.json").write_text(json.dumps(builders.manifest(*nodes, project="mini")))
    said = commands.publish().stdout
    assert "100 public models: m000, m001, " in said
    assert "m011 and 88 more\n" in said
    assert "m012" not in said


def test_usage_alone_says_that_the_interface_stands(commands: Commands) -> None:
    words = ["publish", "--registry", commands.registry, "--project-dir", str(commands.up), "--env", "prod"]
    assert commands.run(*words).exit_code == 0
    result = commands.run(*words, "--usage-only")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1] == "  the interface stands as it was published"


def test_a_package_of_stubs_is_one_line_and_what_is_left_to_do_another(commands: Commands) -> None:
    publish = ["publish", "--registry", commands.registry, "--project-dir", str(commands.up), "--env", "prod"]
    assert commands.run(*publish).exit_code == 0
    (commands.root / "mesh.yml").write_text(
        "version: 1\nprojects: {reader: {path: down, upstreams: {mini: {as: package}}}}\n"
    )
    words = ["sync", "--registry", commands.registry, "--project-dir", str(commands.down)]
    first = commands.run(*words)
    assert first.exit_code == 0, first.output
    assert "  written mesh_packages/mini (" in first.output
    assert "or run mesh sync --write-packages; then dbt deps" in first.output
    again = commands.run(*words, "--write-packages")
    assert "  written packages.yml" in again.output
    assert "warning: run dbt deps" in again.output
    assert commands.run(*words, "--used-only").output.startswith("✓ mini@prod#1 as package: 0 of ")
