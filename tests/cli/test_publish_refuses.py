"""`mesh publish` on a bad manifest, a bad flag or a bad place: said in words, and nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.cli.conftest import MINI, Commands, assert_refused
from tests.stores.local_s3 import SECRET, aws_variables

PROD = ["--env", "prod"]


def publish_words(commands: Commands, *words: str) -> list[str]:
    return ["publish", "--project-dir", str(commands.up), *words]


def assert_manifest_refused(commands: Commands, content: bytes | None, code: int, *needles: str) -> str:
    path = commands.up / "target/manifest.json"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    return assert_refused(
        commands, code, str(path), *needles, words=publish_words(commands, "--registry", commands.registry, *PROD)
    )


def changed(**metadata: Any) -> bytes:
    document = json.loads(MINI.read_bytes())
    document["metadata"] |= metadata
    return json.dumps(
        {**document, "metadata": {k: v for k, v in document["metadata"].items() if v is not None}}
    ).encode()


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        (None, "the dbt manifest is missing"),
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"not json at all", "not JSON"),
        (b"[]", "no dbt manifest"),
        (b"null", "no dbt manifest"),
        (b"{}", "no dbt manifest"),
        (b'{"metadata": {}}', "no dbt manifest"),
        (b'{"metadata": 1, "nodes": {}}', "no dbt manifest"),
        (b'{"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json"}}', "catalog/v1"),
        (changed(dbt_schema_version="https://schemas.getdbt.com/dbt/manifest/v8.json"), "v8 has no public models"),
        (changed(dbt_schema_version=None), "no dbt manifest"),
        (changed(dbt_schema_version="v12"), "'v12'"),
        (changed(project_name="other"), "this is the manifest of other, and"),
        (changed(generated_at="yesterday"), "'yesterday', not a time"),
        (changed(generated_at=None), "not a time"),
    ],
)
def test_a_file_that_is_not_this_projects_manifest(commands: Commands, content: bytes | None, needle: str) -> None:
    assert_manifest_refused(commands, content, 2, needle)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_manifest_that_breaks_off_says_at_which_line(commands: Commands, part: float) -> None:
    content = MINI.read_bytes()
    cut = content[: int(len(content.rstrip()) * part)]
    lines = cut.count(b"\n") + 1
    assert_manifest_refused(commands, cut, 2, f"manifest.json:{lines}:", "cut off")


def test_a_manifest_nested_without_end(commands: Commands) -> None:
    assert_manifest_refused(commands, b'{"metadata":' * 100_000, 2, "not JSON")


@pytest.mark.parametrize("place", [b"it's: ", b"model.mini.p", b"Core", b"unique_a_id", b"seed1"])
def test_a_manifest_that_is_no_utf8_in_the_middle(commands: Commands, place: bytes) -> None:
    assert_manifest_refused(commands, MINI.read_bytes().replace(place, place + b"\xff"), 2)


def test_a_schema_of_the_future_is_read_when_it_still_has_what_we_need(commands: Commands) -> None:
    future = changed(dbt_schema_version="https://schemas.getdbt.com/dbt/manifest/v99.json")
    (commands.up / "target/manifest.json").write_bytes(future)
    assert commands.publish().exit_code == 0


@pytest.mark.parametrize("name", ['a"b', "a: b", "a\nb", "{{ a }}", "{% a %}", "../a", "a/b", "", "a'b", "a`b", "#a"])
def test_a_models_name_that_could_be_read_as_more(commands: Commands, name: str) -> None:
    model = builders.node(name, "mini", relation_name="PROD.MARTS.A", alias="A")
    document = builders.manifest(model, project="mini")
    assert_manifest_refused(commands, json.dumps(document).encode(), 2, "is not a model name")


@pytest.mark.parametrize("relation", ["", ".", "a..b", "a.b.c.d", 'a."b', "a.b.c; drop table x.y.z"])
def test_a_relation_that_is_none(commands: Commands, relation: str) -> None:
    model = builders.node("orders", "mini", relation_name=relation, database="", schema="", alias="")
    document = builders.manifest(model, project="mini")
    assert_manifest_refused(commands, json.dumps(document).encode(), 2, "model.mini.orders")


@pytest.mark.parametrize(
    "change", [{"columns": []}, {"name": 7}, {"tags": "x"}, {"depends_on": None}, {"config": 1}, {"columns": {"id": 1}}]
)
def test_a_model_of_another_shape_names_the_model(commands: Commands, change: dict[str, Any]) -> None:
    document = builders.manifest(builders.node("orders", "mini"), project="mini")
    document["nodes"]["model.mini.orders"] |= change
    assert_manifest_refused(commands, json.dumps(document).encode(), 2, "model.mini.orders")


def test_a_failed_run_is_declined_and_can_be_waved_through(commands: Commands) -> None:
    results = [{"unique_id": f"model.mini.m{n}", "status": "error"} for n in range(12)]
    results += [{"unique_id": "test.mini.t", "status": "pass"}, {"unique_id": "model.mini.ok", "status": "success"}]
    path = commands.up / "target/run_results.json"
    path.write_text(json.dumps({"results": results}))
    words = publish_words(commands, "--registry", commands.registry, *PROD)
    message = assert_refused(commands, 1, str(path), "failed in 12 nodes", "and 2 more", "--allow-failed", words=words)
    assert "model.mini.ok" not in message
    assert commands.publish("--allow-failed").exit_code == 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"results": 1}', b"\xff", b'{"results": [{"status": "\xff"}]}']
)
def test_run_results_that_are_none(commands: Commands, content: bytes) -> None:
    path = commands.up / "target/run_results.json"
    path.write_bytes(content)
    words = publish_words(commands, "--registry", commands.registry, *PROD)
    assert_refused(commands, 2, str(path), "run_results", words=words)


def test_an_interface_that_lost_all_its_models_is_declined(commands: Commands) -> None:
    assert commands.publish().exit_code == 0
    document = builders.manifest(builders.private("orders", "mini"), project="mini")
    (commands.up / "target/manifest.json").write_text(json.dumps(document))
    words = publish_words(commands, "--registry", commands.registry, *PROD)
    assert_refused(commands, 1, "no public model any more", "v.v2", "--allow-empty", words=words)
    assert commands.publish("--allow-empty").exit_code == 0


def test_a_secret_is_declined_until_exactly_it_is_said_to_be_none(commands: Commands) -> None:
    token = "AK" + "IAQ3EGRT7ZVN5XKLMP"
    document = builders.manifest(builders.node("orders", "mini", description=token), project="mini")
    (commands.up / "target/manifest.json").write_text(json.dumps(document))
    words = publish_words(commands, "--registry", commands.registry, *PROD)
    place = "model.mini.orders.description"
    message = assert_refused(commands, 1, place, "an AWS access key id", "every consumer reads it", words=words)
    assert token not in message
    told = message.rpartition("--not-a-secret '")[2].rstrip("'\n")
    assert commands.publish("--not-a-secret", told).exit_code == 0


def test_no_registry_is_named(commands: Commands) -> None:
    assert_refused(commands, 2, "no registry is named", "--bucket", words=publish_words(commands, *PROD))


@pytest.mark.parametrize(
    "pair", [["--bucket", "b", "--registry", "r"], ["--bucket", "b", "--local"], ["--registry", "r", "--local"]]
)
def test_two_registries_are_named(commands: Commands, pair: list[str]) -> None:
    assert_refused(commands, 2, "name different registries", words=publish_words(commands, *PROD, *pair))


@pytest.mark.parametrize("flag", ["--bucket", "--registry"])
def test_an_empty_registry_is_not_silently_another_one(commands: Commands, flag: str) -> None:
    """`--bucket "$DBT_MESH_BUCKET"` where CI forgot the variable must not publish to what mesh.yml names."""
    (commands.root / "mesh.yml").write_text("version: 1\nregistry: elsewhere\n")
    assert_refused(commands, 2, flag, words=publish_words(commands, *PROD, flag, ""))


@pytest.mark.parametrize("root", ["http://example.com/x", "s3://", "s3:bucket", "gs://bucket/x", "file://"])
def test_a_root_that_is_no_registry(commands: Commands, root: str) -> None:
    assert_refused(commands, 2, root, "is no registry", words=publish_words(commands, *PROD, "--registry", root))


@pytest.mark.parametrize("name", ["../x", "Prod", "", "prod/eu", "con", "-", "a" * 64, "pröd", "prod\n", "{{ env }}"])
def test_an_environment_that_is_no_name(commands: Commands, name: str) -> None:
    words = publish_words(commands, "--registry", commands.registry, "--env", name)
    assert_refused(commands, 2, "--env", "is not an environment", words=words)


def test_no_project_here(commands: Commands) -> None:
    words = ["publish", "--registry", commands.registry, *PROD, "--project-dir", str(commands.root)]
    assert_refused(commands, 2, str(commands.root / "dbt_project.yml"), "missing", "--project-dir", words=words)


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("", "is empty"),
        ("- a\n", "not a mapping"),
        ("name: [x\n", "dbt_project.yml:2:1"),
        ("models: {}\n", "'name' is None"),
        ("name: 7\n", "'name' is 7"),
        ("name: ../up\n", "'../up' is not a project name"),
        ("name: mini\nmodel-paths: [/etc]\n", "'model-paths'"),
        ("name: mini\nmodel-paths: models\n", "'model-paths'"),
        ("name: \x00\n", "not YAML"),
    ],
)
def test_a_dbt_project_that_is_none(commands: Commands, text: str, needle: str) -> None:
    (commands.up / "dbt_project.yml").write_text(text)
    words = publish_words(commands, "--registry", commands.registry, *PROD)
    assert_refused(commands, 2, "dbt_project.yml", needle, words=words)


def test_a_registry_that_is_a_file(commands: Commands) -> None:
    Path(commands.registry).write_text("notes")
    assert_refused(
        commands, 3, commands.registry, words=publish_words(commands, "--registry", commands.registry, *PROD)
    )


@pytest.fixture
def aws(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def point(endpoint: str) -> None:
        for name, value in aws_variables(endpoint, commands.root).items():
            monkeypatch.setenv(name, value)

    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    return point


def test_a_bucket_that_is_not_there(commands: Commands, s3_endpoint: str, aws: Callable[[str], None]) -> None:
    aws(s3_endpoint)
    words = publish_words(commands, "--bucket", "absent", *PROD)
    assert_refused(commands, 3, "s3://absent/registry", "NoSuchBucket", "create the bucket", words=words)


def test_nobody_at_the_endpoint(commands: Commands, aws: Callable[[str], None]) -> None:
    aws("http://127.0.0.1:1")
    words = publish_words(commands, "--bucket", "mesh", *PROD)
    message = assert_refused(commands, 3, "s3://mesh/registry", "cannot be reached", "AWS_ENDPOINT_URL", words=words)
    assert SECRET not in message


def test_no_credentials(commands: Commands, aws: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    aws("http://127.0.0.1:1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    words = publish_words(commands, "--bucket", "mesh", *PROD)
    assert_refused(commands, 3, "s3://mesh/registry", "no AWS credentials", "AWS_PROFILE", words=words)
