"""The scanner: every planted secret is found wherever it stands, no harmless text is one, and no message repeats it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.manifests import Shape, write_manifest
from registry_tools.checks.secret_rules import RULES
from registry_tools.checks.secrets import Leak, find_leaks
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.own_state import extract_state
from registry_tools.intake.public_interface import extract_interface

CASES = Path(__file__).resolve().parents[1] / "cases/secrets"
PLANTED = [
    (p["rule"], "".join(p["parts"]), p.get("state", False)) for p in yaml.safe_load((CASES / "planted.yml").read_text())
]
HARMLESS: list[str] = yaml.safe_load((CASES / "harmless.yml").read_text())
IDS = [f"{rule}-{number}" for number, (rule, _, _) in enumerate(PLANTED)]
TEXTS = [
    "{}",
    "All orders. {}",
    "{} is gone.",
    "first line\n{}\nlast line",
    "tab\t{}\ttab",
    'a "quoted" word, {}',
    "a back\\\\slash \\ {}",
    "'{}'",
    "größer \U0001f680 {} größer",
    "({})",
]
WRITERS: dict[str, Callable[[Any], str]] = {
    "as-dbt": json.dumps,
    "for-people": lambda value: json.dumps(value, indent=2),
    "as-we-do": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
}


def _found(document: Any, *, readers: bool = True, environment: dict[str, str] | None = None) -> tuple[Leak, ...]:
    return find_leaks(json.dumps(document).encode(), environment or {}, readers=readers)


def _rules(document: Any, *, readers: bool = True, environment: dict[str, str] | None = None) -> set[str]:
    return {leak.rule for leak in _found(document, readers=readers, environment=environment)}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(("rule", "secret", "state"), PLANTED, ids=IDS)
def test_a_planted_secret_is_found_in_every_text(rule: str, secret: str, state: bool, writer: str) -> None:  # noqa: FBT001  # a column of the corpus
    for text in TEXTS:
        document = {"nodes": {"model.dbt_up.x": {"unique_id": "model.dbt_up.x", "meta": [{"a": text.format(secret)}]}}}
        content = WRITERS[writer](document).encode()
        found = find_leaks(content, {}, readers=True)
        assert (rule, "model.dbt_up.x.meta.0.a") in {(leak.rule, leak.place) for leak in found}, text
        assert not any(secret in f"{leak} {leak.id} {leak!r}" for leak in found)
        assert (rule in {leak.rule for leak in find_leaks(content, {}, readers=False)}) == state


@pytest.mark.parametrize(("rule", "secret", "state"), PLANTED, ids=IDS)
def test_a_secret_in_a_key_is_found_and_not_shown(rule: str, secret: str, state: bool) -> None:  # noqa: FBT001  # a column of the corpus
    for readers in (True, False):
        found = _found({"meta": {secret: {"b": 1}}, "tags": []}, readers=readers)
        assert (rule in {leak.rule for leak in found}) == (readers or state)
        assert all(leak.place.startswith("meta.") for leak in found)
    assert not any(secret in leak.place for leak in _found({"meta": {secret: 1}}) if len(secret) == leak.length)


def test_every_rule_has_something_planted() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, _, _ in PLANTED}
    assert {rule.id for rule in RULES if not rule.readers} == {rule for rule, _, state in PLANTED if state}


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_text_is_none(text: str) -> None:
    assert _found({"a": text, text: {"b": text}, "c": [text]}) == ()


@pytest.mark.parametrize("key", ["password", "db_password", "Client-Secret", "token", "api_key", "accessKey", "PWD"])
def test_a_key_and_its_text_are_read_together(key: str) -> None:
    for text in ("hunter2!", "k3JdL9xQ2mVb"):
        (leak,) = _found({"unique_id": "x", "meta": {key: text}})
        assert (leak.rule, leak.place, leak.length) == ("password", f"meta.{key}", len(text))
    for harmless in ("string", "masked", "", "{{ var('x') }}", None, 12345678, ["hunter2!"], {"name": "x"}):
        assert _found({"meta": {key: harmless}}) == ()


def test_a_place_is_told_from_its_node_downwards() -> None:
    token = "gh" + "p_" + "k3JdL9xQ2mVb7NpT4wRz8cYs1aHf6uGe5oXi"
    columns = {"id": {"name": "id", "description": token, "meta": {"unique_id": 1}}}
    node = {
        "unique_id": "model.dbt_up.orders.v2",
        "columns": columns,
        "tags": ["a", token],
        "meta": {"unique_id": [1], "x": token},
    }
    document = {
        "metadata": {"x": token},
        "nodes": {"model.dbt_up.orders.v2": node},
        "disabled": {"model.dbt_up.d": [{"unique_id": "model.dbt_up.d", "raw_code": token}]},
        token: {},
    }
    assert [leak.place for leak in _found(document, readers=False)] == [
        "(removed)",
        "metadata.x",
        "model.dbt_up.d.raw_code",
        "model.dbt_up.orders.v2.columns.id.description",
        "model.dbt_up.orders.v2.meta.x",
        "model.dbt_up.orders.v2.tags.1",
    ]


def test_a_leak_says_its_kind_and_length() -> None:
    (leak,) = _found({"a": "AK" + "IAQ3EGRT7ZVN5XKLMP"})
    assert (str(leak), leak.id) == ("a: an AWS access key id, 20 characters", "aws-access-key:a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SNOWFLAKE_PASSWORD", "hunter2!x"),
        ("DBT_ENV_SECRET_X", "k3JdL9xQ2mVb"),
        ("dbt_password", "hunter2!x"),
        ("GITHUB_TOKEN", "k3JdL9xQ2mVb"),
        ("DB_PASS", "correct-horse-battery-staple"),
        ("SNOWFLAKE_PAT", "k3JdL9xQ2mVb"),
        ("MYSECRET", "correcthorsebatterystaple"),
        ("API_KEY", "0123456789abcdef"),
        ("PRIVATE_KEY", 'a"b\\c/0123456789'),
        ("DBT_MESH_WEBHOOK", "https://hooks.example/s/k3JdL9xQ2mVb"),
        ("SLACK_WEBHOOK_URL", "https://hooks.example/s/k3JdL9xQ2mVb"),
        ("X_CREDENTIAL", " k3JdL9xQ2mVb\t"),
        ("X_CREDENTIALS", "größe-größe-0123456789"),
        ("X_AUTH", "Basic YWRhOmh1bnRlcjI="),
        ("SIGNING_KEY", "first line\nk3JdL9xQ2mVb7NpT4wRz8cYs\nlast"),
    ],
)
@pytest.mark.parametrize("readers", [True, False])
def test_the_value_of_a_secret_variable_is_found(name: str, value: str, readers: bool) -> None:  # noqa: FBT001
    for text in ("{}", "x = '{}'", "\n{}\n", 'é"{}"'):
        for write in WRITERS.values():
            content = write({"unique_id": "model.x", "raw_code": text.format(value.strip())}).encode()
            (leak,) = (leak for leak in find_leaks(content, {name: value}, readers=readers) if leak.rule != "password")
            assert (leak.rule, leak.place) == ("environment-value", "raw_code")
            assert leak.noun.endswith(f" {name}")
            assert value.strip() not in repr(leak)


def test_a_key_over_several_lines_is_found_when_somebody_indents_it() -> None:
    environment = {"SIGNING_KEY": "one line\nk3JdL9xQ2mVb7NpT4wRz8cYs\nlast one"}
    assert _rules({"a": "one line\n    k3JdL9xQ2mVb7NpT4wRz8cYs\n    last one"}, environment=environment)


def test_every_secret_of_a_kind_is_found() -> None:
    tokens = {str(n): "AK" + f"IAQ3EGRT7ZVN5XKLM{n}" for n in range(3)}
    assert [leak.place for leak in _found({"a": tokens, "b": f"{tokens['0']} {tokens['2']}"})] == [
        "a.0",
        "a.1",
        "a.2",
        "b",
    ]


def test_of_two_secrets_one_in_the_other_nothing_is_shown() -> None:
    environment = {"A_TOKEN": "k3JdL9xQ2mVb", "B_TOKEN": "k3JdL9xQ2mVb-7NpT4wRz"}
    assert {leak.place for leak in _found({"k3JdL9xQ2mVb-7NpT4wRz": 1}, environment=environment)} == {"(removed)"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SNOWFLAKE_PASSWORD", "short"),
        ("SNOWFLAKE_PASSWORD", "benchmark"),
        ("SNOWFLAKE_PASSWORD", ""),
        ("DBT_KEY_COLUMN", "customer_id"),
        ("SORT_KEY", "20260123"),
        ("PRIVATE_KEY_PATH", "k3JdL9xQ2mVb"),
        ("SNOWFLAKE_PRIVATE_KEY", "/home/ada/key_2024.p8"),
        ("AWS_SECRET_NAME", "prod-2024/dbt"),
        ("SSH_AUTH_SOCK", "agent.2024.sock"),
        ("PWD", "k3JdL9xQ2mVb"),
        ("OLDPWD", "k3JdL9xQ2mVb"),
        ("TOKENIZERS", "k3JdL9xQ2mVb"),
        ("WEBHOOK_CHANNEL", "#data-news-2024"),
        ("MONKEY", "k3JdL9xQ2mVb"),
        ("DBT_TARGET", "k3JdL9xQ2mVb"),
    ],
)
def test_the_value_of_another_variable_is_none(name: str, value: str) -> None:
    assert _rules({"raw_code": f"x {value} y"}, readers=False, environment={name: value}) == set()


def test_a_value_inside_a_longer_word_is_none() -> None:
    environment = {"SNOWFLAKE_PASSWORD": "abcdef12"}
    assert _rules({"checksum": "00abcdef12"}, environment=environment) == set()
    assert _rules({"checksum": "abcdef1234"}, environment=environment) == set()
    assert _rules({"checksum": "00-abcdef12"}, environment=environment) == {"environment-value"}


def test_a_probe_that_stands_in_no_text_is_said() -> None:
    with pytest.raises(ValueError, match="stands in no text"):
        find_leaks(b"{AKIA", {}, readers=False)


def test_what_dbt_itself_writes_holds_none(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", Shape(models=200))
    manifest = read_manifest(tmp_path / "manifest.json")
    assert find_leaks(extract_state(manifest), {}, readers=False) == ()
    assert find_leaks(manifest.raw, {}, readers=False) == ()
    assert find_leaks(json.dumps(extract_interface(manifest).to_manifest({})).encode(), {}, readers=True) == ()


def test_the_macros_of_dbt_and_its_snowflake_adapter_hold_none() -> None:
    import dbt.include

    folders = [Path(folder) for folder in dbt.include.__path__]
    macros = [path.read_text() for folder in folders for path in folder.rglob("*.sql")]
    assert sum(map(len, macros)) > 250_000
    assert find_leaks(json.dumps(macros).encode(), {}, readers=True) == ()
