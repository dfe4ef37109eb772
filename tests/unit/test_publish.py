"""Publishing: what a project built becomes what others read, and what would mislead them is declined."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry_tools.assessment import Terms
from registry_tools.errors import DocumentError, Refusal
from registry_tools.registry.publications import Candidate, Registry
from registry_tools.tasks.publish_manifest import PublishRequest, publish_manifest
from tests.builders import Json, column, foreign, manifest, node, private, project_folder, publish, reader
from tests.unit.test_check_changes import down, up

UP = manifest(node("orders"), private("stg"))
TOKEN = "AK" + "IAQ3EGRT7ZVN5XKLMP"
EMPTY = manifest(private("stg"), metadata={"generated_at": "2026-01-24T00:00:00Z"})


def _later(*entries: Json) -> Json:
    return manifest(*entries, metadata={"generated_at": "2026-02-01T00:00:00Z"})


def _run(root: Path, **statuses: str) -> None:
    results = [{"unique_id": f"model.dbt_up.{name}", "status": status} for name, status in statuses.items()]
    project = project_folder(root, "dbt_up")
    project.run_results.write_text(json.dumps({"results": results}))


def test_the_first_publication_is_number_one(tmp_path, registry) -> None:
    published = publish(tmp_path, registry, UP)
    assert published.is_new
    assert str(published.publication) == "dbt_up@prod#1"
    assert published.publication.id.startswith("20260123T064541Z-")
    assert [model.label for model in published.interface.models] == ["orders"]
    assert registry.current("dbt_up", "prod") == published.publication


def test_the_same_manifest_again_is_already_published(tmp_path, registry, store) -> None:
    first = publish(tmp_path, registry, UP)
    keys = list(store.keys(""))
    again = publish(tmp_path, registry, UP)
    assert (again.is_new, again.publication.id) == (False, first.publication.id)
    assert list(store.keys("")) == keys


def test_another_manifest_is_the_next_number(tmp_path, registry) -> None:
    publish(tmp_path, registry, UP)
    assert publish(tmp_path, registry, _later(node("orders"))).publication.n == 2


def test_environments_are_apart(tmp_path, registry) -> None:
    publish(tmp_path, registry, UP)
    assert publish(tmp_path, registry, UP, environment="staging").is_new
    assert registry.environments("dbt_up") == ["prod", "staging"]


def test_a_manifest_of_another_project_is_said(tmp_path, registry, store) -> None:
    project = project_folder(tmp_path, "dbt_down")
    project.manifest.write_text(json.dumps(UP))
    request = PublishRequest(project=project, environment="prod")
    with pytest.raises(DocumentError, match=r"this is the manifest of dbt_up, and .* is dbt_down") as caught:
        publish_manifest(request, registry)
    assert "dbt build" in caught.value.then
    assert list(store.keys("")) == []


def test_a_run_that_failed_is_declined_with_its_nodes(tmp_path, registry, store) -> None:
    _run(tmp_path, orders="error", stg="success")
    with pytest.raises(Refusal, match=r"the last run of dbt_up failed in 1 node\n") as caught:
        publish(tmp_path, registry, UP)
    assert (caught.value.details, caught.value.exit_code) == (("model.dbt_up.orders",), 1)
    assert "--allow-failed" in caught.value.then
    assert list(store.keys("")) == []


def test_many_failures_are_counted(tmp_path, registry) -> None:
    _run(tmp_path, **{f"m{n:02}": "fail" for n in range(13)})
    with pytest.raises(Refusal, match="failed in 13 nodes") as caught:
        publish(tmp_path, registry, UP)
    assert caught.value.details[-1] == "and 3 more"
    assert len(caught.value.details) == 11


def test_a_failure_may_be_waved_through(tmp_path, registry) -> None:
    _run(tmp_path, orders="error")
    assert publish(tmp_path, registry, UP, allow_failed=True).is_new


def test_losing_every_public_model_is_declined(tmp_path, registry) -> None:
    first = publish(tmp_path, registry, UP)
    with pytest.raises(Refusal, match="has no public model any more, and dbt_up@prod#1 has 1") as caught:
        publish(tmp_path, registry, EMPTY)
    assert caught.value.details == ("orders",)
    assert registry.current("dbt_up", "prod") == first.publication


def test_losing_every_public_model_may_be_waved_through(tmp_path, registry) -> None:
    publish(tmp_path, registry, UP)
    assert publish(tmp_path, registry, EMPTY, allow_empty=True).publication.n == 2


def _expect_leak(root: Path, registry, store, document: Json, **asked: Any) -> Refusal:
    with pytest.raises(Refusal, match="would publish what looks like a secret") as caught:
        publish(root, registry, document, **asked)
    assert TOKEN not in str(caught.value)
    assert list(store.keys("")) == []
    return caught.value


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"description": f"Use {TOKEN}."}, "description"),
        ({"columns": {"id": column("id", description=TOKEN)}}, "columns.id.description"),
        ({"columns": {"id": column("id", data_type=TOKEN)}}, "columns.id.data_type"),
        ({"columns": {"id": column("id", meta={"a": [{"b": TOKEN}]})}}, "columns.id.meta.a.0.b"),
        ({"tags": [TOKEN]}, "tags.0"),
        ({"meta": {TOKEN: 1}}, "meta.(removed)"),
        ({"deprecation_date": TOKEN}, "deprecation_date"),
        ({"constraints": [{"type": "primary_key", "name": TOKEN}]}, "constraints.0.name"),
    ],
)
def test_a_secret_that_every_consumer_would_read_is_declined(
    tmp_path, registry, store, changes: Json, place: str
) -> None:
    document = manifest(node("orders", **changes))
    refusal = _expect_leak(tmp_path, registry, store, document, with_state=False)
    assert refusal.details == (
        f"model.dbt_up.orders.{place}: an AWS access key id, 20 characters; every consumer reads it",
    )
    waiver = f"aws-access-key:model.dbt_up.orders.{place}"
    assert refusal.then.endswith(f"--not-a-secret '{waiver}'")
    _expect_leak(tmp_path, registry, store, document, with_state=False, not_secrets=frozenset({f"{waiver}x"}))
    assert publish(tmp_path, registry, document, with_state=False, not_secrets=frozenset({waiver})).is_new


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (manifest(node("orders"), private("stg", raw_code=f"-- {TOKEN}")), "model.dbt_up.stg.raw_code"),
        (
            manifest(node("orders"), macros={"macro.dbt_up.m": {"unique_id": "macro.dbt_up.m", "macro_sql": TOKEN}}),
            "macro.dbt_up.m.macro_sql",
        ),
        (
            manifest(node("orders"), docs={"doc.dbt_up.d": {"block_contents": TOKEN}}),
            "docs.doc.dbt_up.d.block_contents",
        ),
    ],
)
def test_a_secret_in_the_owners_own_state_is_declined(tmp_path, registry, store, document: Json, place: str) -> None:
    refusal = _expect_leak(tmp_path, registry, store, document)
    assert refusal.details == (f"{place}: an AWS access key id, 20 characters; only dbt_up reads it",)
    assert publish(tmp_path, registry, document, not_secrets=frozenset({f"aws-access-key:{place}"})).is_new
    assert publish(tmp_path, registry, document, environment="ci", with_state=False).is_new


def test_the_value_of_a_secret_variable_is_declined(tmp_path, registry, store, monkeypatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "hunter2!x")
    document = manifest(node("orders"), private("stg", compiled_code="select 'hunter2!x'"))
    refusal = _expect_leak(tmp_path, registry, store, document)
    assert "the value of the environment variable SNOWFLAKE_PASSWORD, 9 characters" in refusal.details[0]
    assert "hunter2" not in str(refusal)


def test_a_secret_in_what_ci_says_is_declined(tmp_path, registry, store, monkeypatch) -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "1", "GITHUB_REPOSITORY": "acme/x", "GITHUB_SHA": "0" * 40}
    for name, value in (job | {"GITHUB_REF": f"refs/heads/{TOKEN}"}).items():
        monkeypatch.setenv(name, value)
    assert "actor.ref" in _expect_leak(tmp_path, registry, store, UP).details[0]


def test_many_secrets_are_counted_and_those_of_readers_come_along(tmp_path, registry) -> None:
    document = manifest(node("orders"), *(private(f"m{n:02}", raw_code=TOKEN) for n in range(13)))
    with pytest.raises(Refusal, match="looks like secrets") as caught:
        publish(tmp_path, registry, document)
    assert (len(caught.value.details), caught.value.details[-1]) == (11, "and 3 more")


def test_what_dbt_keeps_of_a_person_or_a_machine_is_no_secret_of_the_state(tmp_path, registry) -> None:
    code = "-- ask ada@example.com, or look into /home/ada/dbt_up"
    assert publish(tmp_path, registry, manifest(node("orders"), private("stg", raw_code=code))).is_new


def test_a_project_without_public_models_publishes_what_it_reads(tmp_path, registry) -> None:
    first = publish(tmp_path, registry, EMPTY)
    later = manifest(private("x"), metadata={"generated_at": "2026-01-25T00:00:00Z"})
    assert (first.is_new, publish(tmp_path, registry, later).publication.n) == (True, 2)


def test_a_consumer_leaves_a_mark_at_each_upstream(tmp_path, registry) -> None:
    board = reader("exposure", "board", ["model.dbt_up.orders", "model.dbt_other.prices"])
    document = manifest(board, foreign("orders"), foreign("prices", "dbt_other"), project="dbt_down")
    published = publish(tmp_path, registry, document)
    assert published.usage.upstreams == ("dbt_other", "dbt_up")
    assert registry.consumers("dbt_up") == registry.consumers("dbt_other") == ["dbt_down"]
    assert registry.usage("dbt_down", "prod") == published.usage
    assert {read.node for read in published.usage.reads} == {"exposure.dbt_down.board"}


def test_a_project_may_keep_the_names_of_its_readers_to_itself(tmp_path, registry) -> None:
    document = manifest(
        reader("exposure", "board", ["model.dbt_up.orders"]) | {"original_file_path": "models/boards.yml"},
        foreign("orders"),
        project="dbt_down",
    )
    (read,) = publish(tmp_path, registry, document, veiled=True).usage.reads
    assert read.node.partition("-")[0] == "exposure.dbt_down.private"
    assert (read.path, read.line) == ("", 0)


def test_the_state_is_the_owners_and_may_be_left_out(tmp_path, registry) -> None:
    publish(tmp_path, registry, UP)
    publish(tmp_path, registry, UP, environment="staging", with_state=False)
    assert json.loads(registry.current_with_state("dbt_up", "prod")[1] or b"")["nodes"] == UP["nodes"]
    assert registry.current_with_state("dbt_up", "staging")[1] is None


# -- usage alone ------------------------------------------------------------------------------------------------------

LATEST = {"generated_at": "2026-03-01T00:00:00Z"}
READS = private("report", depends_on={"macros": [], "nodes": ["model.crm.leads"]}), foreign("leads", "crm")


def test_usage_alone_leaves_the_interface_as_it_stands(tmp_path, registry) -> None:
    first = publish(tmp_path, registry, UP)
    again = publish(tmp_path, registry, _later(node("prices"), *READS), usage_only=True)
    assert (again.publication.n, again.publication.digest) == (2, first.publication.digest)
    assert [model.label for model in again.interface.models] == ["orders"]
    assert registry.consumers("crm") == ["dbt_up"]
    assert [read.model for read in registry.usage("dbt_up", "prod").reads] == ["leads"]


def test_usage_alone_of_a_project_that_has_published_nothing(tmp_path, registry) -> None:
    published = publish(tmp_path, registry, manifest(node("orders"), *READS), usage_only=True)
    assert published.interface.models == ()
    assert registry.current_with_state("dbt_up", "prod")[1] is not None


def test_the_same_manifest_is_published_whole_after_its_usage_alone(tmp_path, registry) -> None:
    document = manifest(node("orders"), *READS)
    publish(tmp_path, registry, document, usage_only=True)
    whole = publish(tmp_path, registry, document)
    assert (whole.is_new, whole.publication.n, len(whole.interface.models)) == (True, 2, 1)


def test_usage_alone_never_takes_back_what_was_published_meanwhile(tmp_path, registry, monkeypatch) -> None:
    publish(tmp_path, registry, UP)
    publish_record = registry.publish

    def overtaken(candidate, check):
        monkeypatch.undo()
        publish(tmp_path / "other", registry, manifest(node("prices"), metadata=LATEST))
        return publish_record(candidate, check)

    monkeypatch.setattr(registry, "publish", overtaken)
    with pytest.raises(Refusal, match="another interface meanwhile") as caught:
        publish(tmp_path, registry, _later(*READS), usage_only=True)
    assert caught.value.then == "run mesh publish --usage-only again"
    current = registry.current("dbt_up", "prod")
    assert current is not None
    assert current.n == 2


# -- what it reads ----------------------------------------------------------------------------------------------------


def test_a_table_that_is_named_by_hand_is_a_read_of_the_upstream_that_mesh_yml_names(tmp_path, registry) -> None:
    publish(tmp_path, registry, UP)
    sql = {"compiled_code": "select id from PROD.MARTS.orders", "depends_on": {"macros": [], "nodes": []}}
    document = manifest(private("report", "dbt_down", **sql), project="dbt_down")
    assert publish(tmp_path, registry, document).usage.reads == ()
    again = manifest(
        private("report", "dbt_down", **sql), project="dbt_down", metadata={"generated_at": "2026-03-01T00:00:00Z"}
    )
    (read,) = publish(tmp_path, registry, again, upstreams=("dbt_up", "dbt_down")).usage.reads
    assert (read.upstream, read.model, read.columns) == ("dbt_up", "orders", ("id",))
    assert registry.consumers("dbt_up") == ["dbt_down"]


def test_an_upstream_that_has_published_nothing_is_read_from_the_manifest_alone(tmp_path, registry) -> None:
    (tmp_path / "dbt_down").mkdir()
    document = manifest(reader("exposure", "board", ["model.dbt_up.orders"]), foreign("orders"), project="dbt_down")
    assert publish(tmp_path, registry, document).usage.upstreams == ("dbt_up",)


def test_an_address_of_the_owner_stays_at_home_and_the_rest_is_published(tmp_path, registry) -> None:
    owner = {"team": "Orders", "contact": "orders@example.com"}
    assert publish(tmp_path, registry, UP, owner=owner).usage.owner == {"team": "Orders"}
    again = publish(tmp_path, registry, _later(node("orders")), owner={"team": "Orders", "contact": "#orders"})
    assert again.usage.owner == {"team": "Orders", "contact": "#orders"}


# -- what it would break ----------------------------------------------------------------------------------------------


@pytest.fixture
def read_by(tmp_path, registry):
    """dbt_up with two columns, published; called with SQL, a consumer of that is."""
    publish(tmp_path, registry, up("id", "amount"))
    return lambda sql, **asked: publish(tmp_path, registry, down(sql, **asked))


def test_what_breaks_a_consumer_is_declined_and_nothing_is_written(tmp_path, registry, store, read_by) -> None:
    read_by("select amount from PROD.MARTS.orders")
    keys = list(store.keys(""))
    with pytest.raises(Refusal) as caught:
        publish(tmp_path, registry, up("id", built=2), terms=Terms())
    assert caught.value.what == "dbt_up would hurt who reads it"
    assert any("report  models/marts/report.sql" in line for line in caught.value.details)
    assert list(store.keys("")) == keys
    published = publish(tmp_path, registry, up("amount", built=2), terms=Terms())
    assert published.verdict
    assert published.verdict.answer == "yes"
    assert published.moved is None


def test_what_nobody_can_judge_is_declined_too(tmp_path, registry, read_by) -> None:
    read_by("select from where")
    with pytest.raises(Refusal, match="nobody knows whom dbt_up would hurt"):
        publish(tmp_path, registry, up("id", built=2), terms=Terms())


def test_a_consumer_that_published_meanwhile_is_looked_at_once_more(tmp_path, registry, read_by, monkeypatch) -> None:
    read_by("select id from PROD.MARTS.orders")
    commit = Registry.publish

    def slow(self: Registry, candidate: Candidate, check: Any) -> Any:
        done = commit(self, candidate, check)
        monkeypatch.undo()
        later = {"metadata": {**down("")["metadata"], "generated_at": "2026-05-01T00:00:00Z"}}
        publish(tmp_path, self, down("select amount from PROD.MARTS.orders") | later)
        return done

    monkeypatch.setattr(Registry, "publish", slow)
    published = publish(tmp_path, registry, up("id", built=2), terms=Terms())
    assert published.verdict
    assert published.moved
    assert (published.verdict.answer, published.moved.answer) == ("yes", "no")
