"""`mesh check --consumer`, and what `mesh sync` says of the same: text, JSON, annotations and exit codes."""

import json

import pytest

from tests import builders
from tests.cli.conftest import Commands, assert_refused

MESH = """
{version: 1, registry: registry,
 projects: {mini: {path: up}, reader: {path: down, upstreams: {mini: {as: sources}}}}}
"""


@pytest.fixture
def reading(commands: Commands) -> Commands:
    """`reader` uses orders, which left, old, which leaves, and ledger, which it may not read."""
    (commands.root / "mesh.yml").write_text(MESH)
    old = builders.node("old", "mini", deprecation_date="2199-01-01")
    ledger = builders.node("ledger", "mini", meta={"mesh": {"consumers": ["finance"]}}, group="books")
    spare = builders.node("spare", "mini", meta={"mesh": {"consumers": []}})
    rest = (old, ledger, spare, builders.private("kept", "mini"), builders.group("books", "mini"))
    first = builders.node("orders", "mini", meta={"mesh": {"replaced_by": "old"}})
    for day, nodes in (("01", (first, *rest)), ("02", rest)):
        document = builders.manifest(*nodes, project="mini", metadata={"generated_at": f"2026-12-{day}T00:00:00Z"})
        (commands.up / "target/manifest.json").write_text(json.dumps(document))
        result = commands.publish()
        assert result.exit_code == 0, result.output
    return commands


def use(commands: Commands, *tables: str) -> None:
    lines = "\n".join(f"{{{{ source('mini', '{table}') }}}}" for table in tables)
    (commands.down / "models").mkdir(exist_ok=True)
    (commands.down / "models/a.sql").write_text(lines)


def words(commands: Commands, *more: str) -> list[str]:
    return ["check", "--consumer", "--project-dir", str(commands.down), *more]


def test_findings_are_told_with_their_lines_and_what_to_do(reading: Commands) -> None:
    use(reading, "orders", "old", "ledger", "kept")
    before = reading.snapshot()
    result = reading.run(*words(reading))
    assert result.exit_code == 1
    told = result.stdout
    assert "error: model-left  mini.orders left on " in told
    assert "  models/a.sql:1\n  next: use old instead\n" in told
    assert "warning: model-deprecated  old is deprecated and leaves on 2199-01-01.\n  models/a.sql:2\n" in told
    assert "error: not-a-consumer  mini.ledger may not be read by reader\n  models/a.sql:3\n" in told
    assert "  next: ask Core Data to list reader in its meta.mesh.consumers\n" in told
    assert "error: protected-model  mini.kept is protected\n" in told
    assert told.endswith("reader: 3 errors, 1 warning\n")
    assert {path for path in reading.snapshot() if path not in before} == set()


def test_nothing_wrong_is_said_and_a_warning_counts_with_strict(reading: Commands) -> None:
    use(reading)
    assert reading.run(*words(reading)).stdout == "✓ reader: 0 errors, 0 warnings\n"
    use(reading, "old")
    assert reading.run(*words(reading)).exit_code == 0
    strict = reading.run(*words(reading, "--strict"))
    assert strict.exit_code == 1
    assert "error: model-deprecated" in strict.stdout


def test_github_gets_annotations_from_the_checkouts_root(reading: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    use(reading, "orders")
    result = reading.run(*words(reading, "--format", "github"))
    assert result.exit_code == 1
    assert result.stdout.startswith("::error file=down/models/a.sql,line=1,title=mesh%3A model-left::mini.orders left")
    assert result.stdout.endswith("%0Ause old instead\n")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(reading.root.parent))
    assert "file=work/down/models/a.sql" in reading.run(*words(reading, "--format", "github")).stdout


def test_programs_get_the_same(reading: Commands) -> None:
    use(reading, "orders")
    document = json.loads(reading.run(*words(reading, "--format", "json")).stdout)
    assert (document["errors"], document["warnings"]) == (1, 0)
    (finding,) = document["findings"]
    assert finding["rule"] == "model-left"
    synced = json.loads(reading.sync("--format", "json").stdout)
    assert synced["findings"] == document["findings"]
    assert synced["upstreams"][0]["withheld"] == [
        {"model": "ledger", "owner": "Core Data"},
        {"model": "spare", "owner": "mini"},
    ]


def test_sync_warns_with_the_lines_and_goes_on(reading: Commands) -> None:
    use(reading, "orders", "old", "ledger")
    result = reading.sync()
    assert result.exit_code == 0
    told = result.stderr
    assert "warning: mini.orders left on " in told
    assert "; use old instead\n  models/a.sql:1\n" in told
    assert told.count("old is deprecated") == 1
    assert "warning: old is deprecated and leaves on 2199-01-01.\n  models/a.sql:2\n" in told
    assert "; ask Core Data to list reader in its meta.mesh.consumers\n  models/a.sql:3\n" in told
    assert "  withheld: mini.spare, of mini\n" in result.stdout
    assert "withheld: mini.ledger" not in result.stdout


def test_a_deprecated_model_that_nobody_uses_stays_one_line(reading: Commands) -> None:
    result = reading.sync()
    assert result.stderr == "warning: old is deprecated and leaves on 2199-01-01.\n"


@pytest.mark.parametrize(
    ("words", "what", "then"),
    [
        (["check", "--strict"], "--strict is about the other direction", "mesh check --consumer --strict"),
        (["check", "--consumer", "--mode", "off"], "--mode is about the other direction", "leave --mode out"),
        (["check", "--consumer", "--format", "sarif"], "--consumer has no sarif report", "text, json, github"),
    ],
)
def test_an_option_of_the_other_direction_says_nothing_here(
    reading: Commands, words: list[str], what: str, then: str
) -> None:
    assert_refused(reading, 2, what, then, words=words)


def test_a_project_that_is_not_beside_this_one_is_not_looked_into(reading: Commands) -> None:
    (reading.root / "mesh.yml").write_text(MESH.replace("path: up", "path: elsewhere"))
    use(reading, "kept")
    assert "error: unknown-model  mini.kept is not public" in reading.run(*words(reading)).stdout


def test_an_upstream_that_has_published_nothing_is_said(reading: Commands) -> None:
    assert_refused(reading, 2, "nobody has published nothing", words=words(reading, "--upstream", "nobody"))
