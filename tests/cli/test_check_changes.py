"""`mesh check`, `mesh impact`, `mesh consumers`, and what `mesh publish` declines: what people and programs see."""

import json

import pytest

from registry_tools.cli.consumers import repositories
from registry_tools.mesh.publication import Actor
from registry_tools.mesh.usage import Usage
from registry_tools.tasks.list_consumers import ListedConsumer
from tests import builders
from tests.builders import Json, column, node, source
from tests.cli.conftest import Commands, assert_refused
from tests.cli.filled import REASON, asked, document

MESH = """
version: 1
registry: registry
compatibility: off
projects:
  mini: {path: up, compatibility: consumers}
  reader: {path: down, owner: {team: Orders, contact: "#orders"}, upstreams: {mini: {as: sources}}}
"""
SQL = "select\n    id,\n    amount\nfrom UP.MARTS.ORDERS"


@pytest.fixture
def checked(commands: Commands) -> Commands:
    return one_column_less(commands)


def one_column_less(commands: Commands) -> Commands:
    """mini with one public model, published; reader, which names two columns of it, published; mini without one."""
    (commands.root / "mesh.yml").write_text(MESH)
    candidate(commands, "id", "amount", "note")
    asked(commands, *published(commands))
    (commands.down / "target").mkdir()
    (commands.down / "target/manifest.json").write_text(json.dumps(reading()))
    asked(commands, "publish", "--env", "prod", "--project-dir", str(commands.down))
    return candidate(commands, "id", "note", built=2)


def published(commands: Commands) -> list[str]:
    return ["publish", "--env", "prod", "--project-dir", str(commands.up)]


def candidate(commands: Commands, *columns: str, built: int = 1) -> Commands:
    model = node("orders", "mini", columns={name: column(name) for name in columns}, contract={"enforced": True})
    model |= {"relation_name": "UP.MARTS.ORDERS", "patch_path": "mini://models/orders.yml"}
    document = builders.manifest(model, project="mini", metadata={"generated_at": f"2026-0{built}-01T00:00:00Z"})
    (commands.up / "models").mkdir(exist_ok=True)
    (commands.up / "models/orders.yml").write_text("models:\n  - name: orders\n")
    (commands.up / "target/manifest.json").write_text(json.dumps(document))
    return commands


def reading(sql: str = SQL) -> Json:
    read = source("orders", "UP.MARTS.ORDERS", "reader", {"project": "mini", "model": "orders"}) | {"columns": {}}
    model = node("report", "reader", access="protected", depends_on={"macros": [], "nodes": [read["unique_id"]]})
    return builders.manifest(read, model | {"compiled_code": sql, "raw_code": sql}, project="reader")


def check(commands: Commands, *more: str) -> list[str]:
    return ["check", "--project-dir", str(commands.up), *more]


def test_a_column_that_is_read_is_refused_by_name_file_and_line(checked: Commands) -> None:
    before = checked.snapshot()
    shown = asked(checked, *check(checked), code=1).stdout
    assert "error: column-removed  mini.orders.amount  number  BREAKING C01\n" in shown
    assert "  BROKEN  reader@prod  Orders #orders\n" in shown
    assert "    report  models/marts/report.sql:3  it names the column\n" in shown
    assert (
        "mini@prod: no, 1 of 1 change is refused (against mini@prod#1; mode consumers; 1 consumer looked at)" in shown
    )
    assert checked.snapshot() == before


def test_a_column_that_nobody_reads_is_allowed(checked: Commands) -> None:
    candidate(checked, "id", "amount", built=2)
    assert "mini@prod: yes, 1 change may go on" in asked(checked, *check(checked)).stdout


def test_nothing_changed(checked: Commands) -> None:
    candidate(checked, "id", "amount", "note", built=2)
    assert asked(checked, *check(checked)).stdout.startswith("mini@prod: yes, nothing changed")


def test_programs_get_a_document_and_the_same_exit_code(checked: Commands) -> None:
    found = document(checked, *check(checked), code=1)
    assert (found["answer"], found["counts"]["refused"]) == ("no", 1)
    sarif = json.loads(asked(checked, *check(checked, "--format", "sarif"), code=1).stdout)
    assert sarif["version"] == "2.1.0"


def test_a_pull_request_gets_a_comment_and_annotations(checked: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(checked.root))
    comment = asked(checked, *check(checked, "--format", "markdown"), code=1).stdout
    assert comment.startswith("<!-- mesh-check mini@prod -->\n")
    line = asked(checked, *check(checked, "--format", "github"), code=1).stdout
    assert line.startswith("::error file=up/models/orders.yml,line=2,title=")


def test_a_manifest_alone_is_enough(checked: Commands) -> None:
    path = checked.up / "target/manifest.json"
    assert asked(checked, "check", str(path), code=1).stdout == asked(checked, *check(checked), code=1).stdout
    assert_refused(checked, 2, "the dbt manifest is missing", words=["check", str(checked.root / "none.json")])


@pytest.mark.parametrize(
    ("more", "code"),
    [(["--mode", "off"], 0), (["--mode", "contract"], 1), (["--against", "mini@prod#1"], 1), (["--compile"], 1)],
)
def test_the_terms_may_be_typed(checked: Commands, more: list[str], code: int) -> None:
    asked(checked, *check(checked, *more), code=code)


def test_where_nothing_is_published_what_is_read_there_is_meant(checked: Commands) -> None:
    assert "mini@prod: no" in asked(checked, *check(checked, "--env", "ci"), code=1).stdout
    assert_refused(checked, 2, "mini has published nothing in 'staging'", words=check(checked, "--env", "staging"))


def test_the_terms_stand_in_mesh_yml(checked: Commands) -> None:
    for written, code in (
        ("off", 0),
        ("contract", 1),
        ("{models: {orders: off}}", 0),
        ("{mode: 'off', groups: {}}", 0),
    ):
        (checked.root / "mesh.yml").write_text(MESH.replace("compatibility: consumers", f"compatibility: {written}"))
        asked(checked, *check(checked), code=code)


def test_what_nobody_can_read_is_unknown_until_it_is_allowed(checked: Commands) -> None:
    (checked.down / "target/manifest.json").write_text(json.dumps(reading("select from where")))
    told = asked(checked, "publish", "--env", "prod", "--project-dir", str(checked.down))
    assert "what 1 node read is not known, and counts as every column" in told.stderr
    shown = asked(checked, *check(checked), code=1).stdout
    assert "UNKNOWN  reader@prod" in shown
    assert asked(checked, *check(checked, "--unknown", "allow")).exit_code == 0


def test_publishing_asks_the_same_and_writes_nothing(checked: Commands) -> None:
    said = assert_refused(checked, 1, "mini would hurt who reads it", words=published(checked))
    assert "report  models/marts/report.sql:3  it names the column" in said
    assert "next: change it in one of the ways above, then check again" in said
    asked(checked, "approve", "column-removed", "mini.orders.amount", *REASON)
    assert asked(checked, *published(checked)).stdout.startswith("✓ published mini@prod#3")


def test_an_approval_that_runs_out_is_told_of(checked: Commands) -> None:
    from datetime import UTC, datetime

    today = datetime.now(UTC).date().isoformat()
    asked(checked, "approve", "column-removed", "mini.orders.amount", "--until", today, *REASON)
    told = asked(checked, *published(checked))
    assert f"the approval of column-removed mini.orders.amount runs out on {today}" in told.stderr


def test_who_reads_a_project_is_listed(checked: Commands) -> None:
    shown = asked(checked, "consumers", "mini").stdout
    assert shown == "✓ mini is read by 1 project\n  reader@prod#1  Orders #orders\n    1 node reads orders\n"
    assert asked(checked, "consumers").stdout == shown
    (found,) = document(checked, "consumers")["consumers"]
    assert found | {"publication": "", "published_at": ""} == {
        "upstream": "mini",
        "project": "reader",
        "environment": "prod",
        "publication": "",
        "n": 1,
        "published_at": "",
        "repository": None,
        "owner": {"team": "Orders", "contact": "#orders"},
        "models": ["orders"],
        "nodes": ["model.reader.report"],
        "unread": [],
    }
    assert asked(checked, "consumers", "reader").stdout == "✓ nobody reads reader\n"
    assert_refused(checked, 2, "minni has published nothing", words=["consumers", "minni"])


def test_a_consumer_that_nobody_can_read_is_listed_as_such(checked: Commands) -> None:
    (checked.down / "target/manifest.json").write_text(json.dumps(reading("select from where")))
    asked(checked, "publish", "--env", "prod", "--project-dir", str(checked.down))
    assert "of 1 node it is not known which columns they read: report" in asked(checked, "consumers", "mini").stdout


def test_repositories_of_consumers_are_told_one_on_a_line(checked: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(checked, "consumers", "mini", "--format", "repositories").stdout == ""
    job = {"GITHUB_RUN_ID": "7", "CI_PIPELINE_ID": "7", "GITHUB_SHA": "a" * 40, "CI_COMMIT_SHA": "a" * 40}
    systems = {"GITHUB_ACTIONS": ("staging", "Acme/reader.dbt"), "GITLAB_CI": ("qa", "acme/elsewhere")}
    for mark, (environment, repository) in systems.items():
        told = job | {mark: "true", "GITHUB_REPOSITORY": repository, "CI_PROJECT_PATH": repository}
        with monkeypatch.context() as patched:
            for name, value in told.items():
                patched.setenv(name, value)
            asked(checked, "publish", "--env", environment, "--project-dir", str(checked.down))
    assert asked(checked, "consumers", "mini", "--format", "repositories").stdout == "Acme/reader.dbt\n"
    listed = document(checked, "consumers", "mini")["consumers"]
    assert {one["environment"]: one["repository"] for one in listed} == {
        "prod": None,
        "qa": "acme/elsewhere",
        "staging": "Acme/reader.dbt",
    }


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        (["acme/down", "Acme/Down", "acme/down"], ["acme/down"]),
        (["acme/b", "acme/A"], ["acme/A", "acme/b"]),
        (["acme/..", "acme/.", "a/b/c", "-a/b", "a b/c", "acme/x\n", "acme/x?y", None], []),
        (["acme/.github", "a/..."], ["a/...", "acme/.github"]),
    ],
)
def test_no_other_repository_than_one_that_github_could_have_is_told(
    claimed: list[str | None], told: list[str]
) -> None:
    listed = [
        ListedConsumer(
            upstream="dbt_up",
            publication=builders.publication("dbt_down", actor=Actor(system="github", repository=name)),
            usage=Usage(project="dbt_down"),
            reads=(),
        )
        for name in claimed
    ]
    assert repositories(listed) == told


def test_an_empty_registry_has_no_consumers(commands: Commands) -> None:
    (commands.root / "mesh.yml").write_text(MESH)
    assert asked(commands, "consumers").stdout == "✓ nobody reads anything yet\n"


def test_who_reads_a_model_or_a_column(checked: Commands) -> None:
    shown = asked(checked, "impact", "mini.orders.AMOUNT").stdout
    assert shown == (
        "✓ mini.orders.amount  number  is read by 1 node of 1 project, as mini@prod#1 has it\n"
        "  reader@prod  Orders #orders\n"
        "    BROKEN    report  models/marts/report.sql:3  it names the column\n"
    )
    assert "is read by 1 node of 1 project" in asked(checked, "impact", "mini.orders").stdout
    assert "is read by 1 node of 1 project" in asked(checked, "impact", "mini").stdout
    assert "nobody reads it" in asked(checked, "impact", "mini.orders.note").stdout
    found = document(checked, "impact", "mini.orders.amount")
    assert (found["model"], found["column"], len(found["impacts"])) == ("orders", "amount", 1)


@pytest.mark.parametrize(
    ("words", "says", "then"),
    [
        ("mini.order", "mini has no public model order", "did you mean mini.orders?"),
        ("mini.zebra", "mini has no public model zebra", "mesh show mini lists them"),
        ("mini.orders.amont", "mini.orders has no column amont", "did you mean mini.orders.amount?"),
        ("mini.orders.zebra", "mini.orders has no column zebra", "mesh impact mini.orders shows"),
        ("mi/ni", "is not", ""),
        ("minni", "minni has published nothing", ""),
    ],
)
def test_what_is_not_there_has_no_readers(checked: Commands, words: str, says: str, then: str) -> None:
    assert_refused(checked, 2, says, then, words=["impact", words])


def test_a_label_of_a_version_is_no_column(commands: Commands) -> None:
    (commands.root / "mesh.yml").write_text(MESH)
    versions = [node("orders", "mini", version=v, latest_version=2, columns={"id": column("id")}) for v in (1, 2)]
    (commands.up / "target/manifest.json").write_text(json.dumps(builders.manifest(*versions, project="mini")))
    asked(commands, *published(commands))
    for words in ("mini.orders.v2", "mini.orders.v1.id", "mini.orders.id"):
        assert "nobody reads it" in asked(commands, "impact", words).stdout


def test_the_bar_is_for_terminals_alone(checked: Commands) -> None:
    assert "reading SQL" not in asked(checked, *check(checked), code=1).output


def test_what_was_not_compiled_is_told_with_what_to_type(checked: Commands) -> None:
    document = reading()
    (checked.down / "target/manifest.json").write_text(json.dumps(document).replace('"compiled_code"', '"kept"'))
    told = asked(checked, "publish", "--env", "prod", "--project-dir", str(checked.down)).stderr
    assert "  report (not compiled)\n  next: dbt compile, then publish again\n" in told
