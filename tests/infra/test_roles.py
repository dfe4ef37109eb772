"""The product with each project's own role, on a bucket that holds it to the golden policies as AWS would."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from registry_tools.assessment import Terms
from registry_tools.errors import Forbidden, Refusal, RegistryError, UsageError
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry import layout
from registry_tools.registry.collection import Retention
from registry_tools.registry.probes import look_at_store, probe_store
from registry_tools.registry.publications import Registry
from registry_tools.tasks.amend_log import AmendRequest, roll_back
from registry_tools.tasks.check_changes import ChangesRequest, check_changes
from registry_tools.tasks.check_consumer import CheckRequest, check_consumer
from registry_tools.tasks.collect_waste import collect_waste
from registry_tools.tasks.inspect_registry import inspect_registry
from registry_tools.tasks.list_consumers import list_consumers
from registry_tools.tasks.show_history import show_history
from registry_tools.tasks.sync_mesh import Synced, SyncRequest, sync_mesh
from tests.builders import Json, column, manifest, node, project_folder, publish, source
from tests.infra.conftest import As
from tests.unit.test_check_changes import down, up

UP: Final = Selector(project="dbt_up", environment="prod")
READS_ID: Final = "select id from PROD.MARTS.orders"


def sync(root: Path, registry: Registry, name: str = "dbt_down", *upstreams: str) -> Synced:
    read = [Upstream(name=upstream, environments=("prod",)) for upstream in upstreams or ("dbt_up",)]
    return sync_mesh(
        SyncRequest(project=project_folder(root, name), environment="prod", upstreams=read, reads=("prod",)), registry
    )


def passing_on() -> Json:
    """dbt_down with a public model that reads dbt_up."""
    document = down(READS_ID, columns={"id": column("id")})
    document["nodes"]["model.dbt_down.report"]["access"] = "public"
    return document


def far() -> Json:
    """dbt_far, which reads what dbt_down passes on."""
    read = source("report", "PROD.MARTS.report", "dbt_far", {"project": "dbt_down", "model": "report"})
    sql = {"compiled_code": "select id from PROD.MARTS.report", "access": "protected"}
    model = node("last", "dbt_far", depends_on={"macros": [], "nodes": [read["unique_id"]]}, **sql)
    return manifest(read | {"columns": {}}, model, project="dbt_far")


def checked(root: Path, registry: Registry, document: Json) -> Any:
    folder = project_folder(root / "candidate", "dbt_up", document)
    request = ChangesRequest(
        manifest=folder.manifest,
        folder=folder.path,
        environments=("prod",),
        terms=lambda _project: Terms(),
        compile=True,
    )
    return check_changes(request, registry).verdict


@pytest.fixture
def filled(as_role: As, tmp_path: Path) -> As:
    """dbt_up, dbt_down that reads it and dbt_far that reads that, each published with its own role."""
    publish(tmp_path, as_role("dbt_up"), up("id", "amount"))
    sync(tmp_path, as_role("dbt_down"))
    publish(tmp_path, as_role("dbt_down"), passing_on(), upstreams=("dbt_up",))
    sync(tmp_path, as_role("dbt_far"), "dbt_far", "dbt_down")
    publish(tmp_path, as_role("dbt_far"), far(), upstreams=("dbt_down",))
    return as_role


def test_every_project_publishes_and_reads_with_its_own_role(filled: As, tmp_path: Path) -> None:
    publisher = filled("dbt_up")
    assert publisher.store.get(layout.latest_key("dbt_up", "prod")) is not None
    assert [one.publication.project for one in list_consumers(["dbt_up"], publisher)] == ["dbt_down"]
    with pytest.raises(Refusal) as caught:
        publish(tmp_path, publisher, up("amount", built=2), terms=Terms())
    assert "dbt_down" in str(caught.value.details)
    assert "dbt_far" in str(caught.value.details)  # which reads what dbt_down passes on
    assert publish(tmp_path, filled("dbt_up"), up("id", built=3), terms=Terms()).publication.n == 2
    synced = sync(tmp_path, filled("dbt_down"))
    assert synced.defers
    assert [read.publication.n for read in synced.upstreams] == [2]
    assert len(show_history(UP, filled("dbt_down"))) == 2
    back = AmendRequest(
        target=Selector(project="dbt_up", environment="prod", n=1), folder=tmp_path, reason="it was better"
    )
    assert roll_back(back, filled("dbt_up")).record.n == 3
    request = CheckRequest(
        project=project_folder(tmp_path, "dbt_down"),
        environment="prod",
        reads=("prod",),
        upstreams=[Upstream(name="dbt_up")],
        today=date(2026, 11, 21),
    )
    assert check_consumer(request, filled("dbt_down")) == ()


def test_a_pull_request_is_checked_and_nothing_is_written(filled: As, tmp_path: Path) -> None:
    verdict = checked(tmp_path, filled("pull_requests"), up("amount", built=2))
    assert verdict.answer == "no"
    assert {impact.consumer for judged in verdict.judged for impact in judged.impacts} >= {"dbt_down"}
    assert list_consumers([], filled("pull_requests"))
    with pytest.raises(RegistryError, match="AccessDenied"):
        publish(tmp_path, filled("pull_requests"), up("id", built=4))
    with pytest.raises(RegistryError, match="AccessDenied"):
        filled("pull_requests").current_with_state("dbt_down", "prod")


def test_another_project_is_neither_published_nor_read_in_full(filled: As, tmp_path: Path) -> None:
    before = list(filled("admin").store.keys(""))
    with pytest.raises(RegistryError, match="AccessDenied"):
        publish(tmp_path, filled("dbt_down"), up("id", built=4))
    with pytest.raises(RegistryError, match="AccessDenied"):
        filled("dbt_down").current_with_state("dbt_up", "prod")
    with pytest.raises(RegistryError, match="AccessDenied"):
        sync(tmp_path, filled("dbt_far"), "dbt_far", "dbt_up")
    assert list(filled("admin").store.keys("")) == before


def test_an_upstream_without_a_publication_is_said_to_have_none(as_role: As, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dbt_up has published nothing"):
        sync(tmp_path, as_role("dbt_down"))
    assert publish(tmp_path, as_role("dbt_down"), passing_on(), upstreams=("dbt_up",)).publication.n == 1


@pytest.mark.parametrize("door", ["signed", "boto3"])
def test_what_is_missing_is_told_from_what_is_forbidden(filled: As, door: str) -> None:
    hidden = layout.latest_key("dbt_down_loom", "prod")
    assert filled("dbt_down_loom").store.create(hidden, b"{}"), door
    store = filled("dbt_down").store
    for missing in (layout.latest_key("dbt_down", "staging"), layout.log_key("dbt_up", "prod", 99)):
        assert store.get(missing) is None
    for forbidden in (hidden, layout.latest_key("dbt_down_loom", "staging"), "_private/dbt_up/prod/x", "else"):
        with pytest.raises(Forbidden, match="AccessDenied"):
            store.get(forbidden)
    # of those who read it, it may know what there is, and not what it says
    assert store.get(layout.latest_key("dbt_far", "staging")) is None
    with pytest.raises(Forbidden, match="GetObject"):
        store.get(layout.latest_key("dbt_far", "prod"))


def test_a_reader_that_mesh_yml_does_not_list_is_named(filled: As, tmp_path: Path) -> None:
    admin = filled("admin").store
    assert admin.create(layout.edge_key("dbt_up", "dbt_gone"), b"")
    with pytest.raises(Forbidden, match="dbt_gone has said that it reads this project") as caught:
        publish(tmp_path, filled("dbt_up"), up("id", built=2))
    assert "list dbt_gone in mesh.yml" in caught.value.then
    assert "_edges/<upstream>/dbt_gone" in caught.value.then


def test_a_publisher_looks_after_its_own_log(filled: As) -> None:
    assert list(inspect_registry(filled("dbt_up"), [UP], mend=False)) == []
    assert list(inspect_registry(filled("collector"), [], mend=False)) == []
    assert (
        list(inspect_registry(filled("dbt_down"), [Selector(project="dbt_down", environment="prod")], mend=True)) == []
    )


def test_garbage_is_collected_by_the_collector_alone(filled: As, tmp_path: Path) -> None:
    for built in (2, 3):
        publish(tmp_path, filled("dbt_up"), up("id", "amount", f"more_{built}", built=built))
    keep = Retention(publications=1, days=0)
    (planned,) = collect_waste(filled("collector"), [UP], keep, dry_run=True)
    assert len(planned.plan.give_up) == 1  # what dbt_down is pinned to stays
    (collected,) = collect_waste(filled("collector"), [UP], keep, dry_run=False)
    assert collected.record is not None
    assert collected.record.op == "expire"
    places = {each.plan.project for each in collect_waste(filled("collector"), [], keep, dry_run=True)}
    assert places == {"dbt_up", "dbt_down", "dbt_far"}
    state = layout.history_key("dbt_up", "prod", collected.record.expired[0], layout.STATE)
    for role, allowed in (("dbt_up", False), ("pull_requests", False), ("collector", True)):
        store = filled(role).store
        facts = filled("admin").store.head(state)
        assert facts is not None
        filled(role)
        if allowed:
            assert store.delete(state, facts.tag)
        else:
            with pytest.raises(RegistryError, match="AccessDenied"):
                store.delete(state, facts.tag)


def test_doctor_says_what_each_role_may(filled: As) -> None:
    seen = {
        role: {o.check: o for o in look_at_store(filled(role).store, frozenset())}
        for role in ("dbt_up", "pull_requests")
    }
    assert "this role may not" in seen["dbt_up"]["private"].what
    assert "whole manifests" not in seen["pull_requests"]["private"].what
    rights = next(iter(probe_store(filled("dbt_up").store)))
    assert rights.what.startswith("this role may not create and read below _probe/")
    tried = {o.check: o for o in probe_store(filled("collector").store)}
    assert {o.verdict for o in tried.values()} <= {"ok", "note"}
    assert tried["overwriting"].what == "overwriting without a condition is forbidden"
    assert "cleaning-up" not in tried
