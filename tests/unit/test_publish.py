"""Publishing: what a project built becomes what others read, and what would mislead them is declined."""

import json
from pathlib import Path

import pytest

from registry_tools.errors import DocumentError, Refusal
from registry_tools.tasks.publish_manifest import PublishRequest, publish_manifest
from tests.builders import Json, foreign, manifest, node, private, project_folder, publish, reader

UP = manifest(node("orders"), private("stg"))
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


def test_the_state_is_the_owners_and_may_be_left_out(tmp_path, registry) -> None:
    publish(tmp_path, registry, UP)
    publish(tmp_path, registry, UP, environment="staging", with_state=False)
    assert json.loads(registry.current_with_state("dbt_up", "prod")[1] or b"")["nodes"] == UP["nodes"]
    assert registry.current_with_state("dbt_up", "staging")[1] is None
