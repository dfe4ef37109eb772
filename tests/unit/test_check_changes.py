"""`mesh check` from manifests on disk to the verdict: usage that consumers published, and their SQL read again."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from registry_tools.artifacts.verdict_text import plain_text, verdict_text
from registry_tools.assessment import Terms
from registry_tools.checks.modes import Modes
from registry_tools.errors import RegistryError, UsageError
from registry_tools.mesh.selector import Selector, parse_selector
from registry_tools.mesh.use import Place
from registry_tools.mesh.verdict import NOTHING, Mode, Verdict
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry
from registry_tools.tasks.check_changes import ChangesRequest, Checked, check_changes
from tests.builders import Json, column, manifest, node, project_folder, publish, source

ORDERS = "PROD.MARTS.orders"
MARK = {"project": "dbt_up", "model": "orders"}


@pytest.fixture
def registry() -> Registry:
    return Registry(MemoryStore())


def up(*columns: str, built: int = 1, **changes: object) -> Json:
    """dbt_up with one public model of these columns."""
    fields: Json = {"columns": {name: column(name) for name in columns}, "contract": {"enforced": True}}
    return manifest(node("orders", **fields | changes), metadata={"generated_at": f"2026-0{built}-01T00:00:00Z"})


def down(sql: str, name: str = "dbt_down", **changes: object) -> Json:
    """A consumer with one model of this SQL over the table `orders`."""
    read = source("orders", ORDERS, name, MARK) | {"columns": {}}
    model = node("report", name, depends_on={"macros": [], "nodes": [read["unique_id"]]}, compiled_code=sql, **changes)
    return manifest(read, model | {"access": "protected"}, project=name)


def check(
    root: Path,
    registry: Registry,
    document: Json,
    against: str | None = None,
    *,
    compiled: bool = False,
    **terms: Any,
) -> Checked:
    folder = project_folder(root, "dbt_up", document)
    request = ChangesRequest(
        manifest=folder.manifest,
        folder=folder.path,
        environments=("ci", "prod"),
        terms=lambda _project: Terms(**terms),
        against=None if against is None else parse_selector(against),
        compile=compiled,
    )
    return check_changes(request, registry)


def verdict_on(root: Path, registry: Registry, document: Json, against: str | None = None, **asked: Any) -> Verdict:
    return check(root, registry, document, against, **asked).verdict


def places(verdict: Verdict) -> list[str]:
    return [
        f"{impact.effect} {impact.consumer} {reason.place}"
        for judged in verdict.judged
        for impact in judged.impacts
        for reason in impact.reasons
    ]


def test_a_column_that_a_consumer_names_is_refused_with_its_file_and_line(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    publish(tmp_path, registry, down(f"select\n  id,\n  amount\nfrom {ORDERS}"))
    verdict = verdict_on(tmp_path, registry, up("id", built=2))
    assert verdict.answer == "no"
    assert places(verdict) == ["BROKEN dbt_down models/marts/report.sql:1"]
    assert verdict_on(tmp_path, registry, up("id", "amount", built=2)).judged == ()


def test_a_column_that_nobody_names_is_allowed(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount", "note"))
    publish(tmp_path, registry, down(f"select id, amount from {ORDERS}"))
    verdict = verdict_on(tmp_path, registry, up("id", "amount", built=2))
    assert (verdict.answer, places(verdict)) == ("yes", [])
    assert [(reader.consumer, reader.nodes, reader.unread) for reader in verdict.readers] == [("dbt_down", 1, 0)]


def test_where_nobody_said_what_they_read_the_check_is_strict(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "note"))
    assert verdict_on(tmp_path, registry, up("id", built=2)).answer == "no"


def test_what_could_not_be_read_is_unknown_and_may_be_allowed(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "note"))
    publish(tmp_path, registry, down("select from where"))
    assert verdict_on(tmp_path, registry, up("id", built=2)).answer == "unknown"
    assert verdict_on(tmp_path, registry, up("id", built=2), unknown="allow").answer == "yes"


def test_a_consumer_of_another_environment_is_not_asked(tmp_path: Path, registry: Registry) -> None:
    for environment in ("prod", "staging"):
        publish(tmp_path, registry, up("id", "amount"), environment=environment)
    project_folder(tmp_path, "dbt_down")
    (tmp_path / "dbt_down/mesh.lock").write_text(lock_of(registry, "staging"))
    publish(tmp_path, registry, down(f"select amount from {ORDERS}"), environment="staging")
    assert verdict_on(tmp_path, registry, up("id", built=2)).readers == ()
    (reader,) = verdict_on(tmp_path, registry, up("id", built=2), "dbt_up@staging").readers
    assert (reader.consumer, reader.environment) == ("dbt_down", "staging")


def lock_of(registry: Registry, environment: str, n: int | None = None) -> str:
    entry = registry.resolve(Selector(project="dbt_up", environment=environment, n=n))
    pin = entry.record
    return (
        "version: 1\nupstreams:\n  dbt_up:\n"
        f"    environment: {environment}\n    publication: {pin.current}\n    n: {pin.n}\n"
        f"    record: sha256:{entry.sha256}\n    digest: sha256:{pin.digest}\n"
    )


def test_pinned_publications_count_where_they_are_to(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    project_folder(tmp_path, "dbt_down")
    (tmp_path / "dbt_down/mesh.lock").write_text(lock_of(registry, "prod"))
    publish(tmp_path, registry, down(f"select amount from {ORDERS}"))
    publish(tmp_path, registry, up("id", "note", built=2))
    candidate = up("id", "note", "more", built=3)
    assert verdict_on(tmp_path, registry, candidate).answer == "yes"
    verdict = verdict_on(tmp_path, registry, candidate, reach="supported")
    assert verdict.answer == "no"
    (refused, *_) = verdict.judged
    assert refused.change.object == "dbt_up.orders.amount"
    assert "pinned to 20260101T000000Z-" in refused.impacts[0].reasons[0].told


def test_a_pin_that_is_no_longer_kept_says_nothing(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    project_folder(tmp_path, "dbt_down")
    lock = lock_of(registry, "prod").replace("20260101", "20250101")
    (tmp_path / "dbt_down/mesh.lock").write_text(lock)
    publish(tmp_path, registry, down(f"select id from {ORDERS}"))
    assert verdict_on(tmp_path, registry, up("id", built=2), reach="supported").answer == "yes"


def test_an_approval_counts_whichever_publication_is_asked_about(tmp_path: Path, registry: Registry) -> None:
    from registry_tools.mesh.publication import Actor, Approval
    from registry_tools.registry.amendments import Amendment, approve

    publish(tmp_path, registry, up("id", "amount"))
    publish(tmp_path, registry, down(f"select amount from {ORDERS}"))
    amendment = Amendment(
        project="dbt_up", environment="prod", actor=Actor(), time="2026-02-01T00:00:00+00:00", reason="ok"
    )
    approval = Approval(rule="column-removed", object="dbt_up.orders.amount", until="2999-12-31", reason="ok")
    approve(registry, amendment, approval)
    for against in (None, "dbt_up@prod#1"):
        (judged,) = verdict_on(tmp_path, registry, up("id", built=2), against).judged
        assert (judged.outcome, judged.approval) == ("approved", approval)


def test_another_projects_manifest_is_refused(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, down(f"select id from {ORDERS}"))
    with pytest.raises(UsageError) as caught:
        verdict_on(tmp_path, registry, up("id"), "dbt_down@prod")
    assert "this is the manifest of dbt_up, and dbt_down@prod is another project's" in str(caught.value)


def test_what_was_never_published_cannot_be_broken(tmp_path: Path, registry: Registry) -> None:
    verdict = verdict_on(tmp_path, registry, up("id"))
    assert (verdict.answer, verdict.old, verdict.judged) == ("yes", NOTHING, ())
    assert verdict.notices == (
        f"dbt_up has published nothing in {registry.store.root}: this would be its first publication",
    )
    assert "dbt_up@ci: yes, nothing is published yet (against nothing" in plain_text(verdict_text(verdict))


def test_what_was_published_elsewhere_is_not_a_first_publication(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id"), environment="qa")
    with pytest.raises(UsageError, match="dbt_up has published nothing in 'prod'; there is qa"):
        verdict_on(tmp_path, registry, up("id", built=2))


# -- --compile ----------------------------------------------------------------------------------------------------


def test_what_a_consumer_did_not_record_is_read_in_its_whole_manifest(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount", "note"))
    publish(tmp_path, registry, down(f"select id, amount from {ORDERS}"))
    verdict = verdict_on(tmp_path, registry, up("id", built=2), compiled=True)
    assert [reader.verified for reader in verdict.readers] == [True]
    assert {judged.change.column: judged.effect for judged in verdict.judged} == {
        "amount": "BROKEN",
        "note": "UNAFFECTED",
    }


def test_sql_that_does_not_compile_any_more_is_told_with_the_name_that_is_wrong(
    tmp_path: Path, registry: Registry
) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    publish(tmp_path, registry, down(f"select id, amount, day from {ORDERS} cross join (select 1 as day) as d"))
    told = {
        reason.told
        for judged in verdict_on(tmp_path, registry, up("id", "day", built=2), compiled=True).judged
        for impact in judged.impacts
        for reason in impact.reasons
        if reason.rule == "not-compiled"
    }
    assert told == {"amount is not to be found", "day is ambiguous"}


def test_what_was_wrong_before_is_not_told(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount", "note"))
    publish(tmp_path, registry, down(f"select id, zebra from {ORDERS}"))
    verdict = verdict_on(tmp_path, registry, up("id", "amount", built=2), compiled=True)
    assert (verdict.answer, [judged.impacts for judged in verdict.judged]) == ("yes", [()])


def test_a_consumer_without_a_state_is_not_verified_and_says_why(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    publish(tmp_path, registry, down(f"select id, amount from {ORDERS}"), with_state=False)
    (reader,) = verdict_on(tmp_path, registry, up("id", built=2), compiled=True).readers
    assert (reader.verified, reader.why_not) == (False, "it published no whole manifest (--no-state)")


def test_a_state_that_may_not_be_read_is_not_verified_and_says_why(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    publish(tmp_path, registry, down(f"select id, amount from {ORDERS}"))

    def denied(*_: object) -> None:
        raise RegistryError("access denied", then="ask for it")

    monkeypatch.setattr(registry, "current_with_state", denied)
    verdict = verdict_on(tmp_path, registry, up("id", built=2), compiled=True)
    assert verdict.answer == "no"
    assert verdict.readers[0].why_not == "its whole manifest cannot be read: access denied"


# -- modes and places ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "answer"), [("off", "yes"), ("consumers", "yes"), ("contract", "no"), ("frozen", "no")]
)
def test_the_mode_decides(tmp_path: Path, registry: Registry, mode: Mode, answer: str) -> None:
    publish(tmp_path, registry, up("id", "note"))
    publish(tmp_path, registry, down(f"select id from {ORDERS}"))
    assert verdict_on(tmp_path, registry, up("id", built=2), modes=Modes(default=mode)).answer == answer


def test_the_places_are_where_the_yaml_declares_what_changed(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, up("id", "amount"))
    folder = project_folder(tmp_path, "dbt_up").path
    (folder / "models").mkdir()
    yml = "models:\n  - name: customers\n  - name: orders\n    columns:\n      - name: id\n"
    (folder / "models/orders.yml").write_text(yml)
    checked = check(tmp_path, registry, up("id", built=2, patch_path="dbt_up://models/orders.yml"))
    assert checked.places == {
        "orders": Place(path="models/orders.yml", line=3),
        "orders.id": Place(path="models/orders.yml", line=5),
    }
    assert partial(check, tmp_path, registry)(up("id", "amount", built=2)).places == {}
