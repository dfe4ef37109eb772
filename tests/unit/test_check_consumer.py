"""What is wrong with the places that use an upstream: told by sync, and by mesh check --consumer with everything."""

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import DocumentError
from registry_tools.intake.project import read_project
from registry_tools.mesh.upstream import Upstream
from registry_tools.mesh.use import RULES, Finding
from registry_tools.registry.publications import Registry
from registry_tools.tasks.check_consumer import CheckRequest, check_consumer
from registry_tools.tasks.sync_mesh import Synced, SyncRequest, sync_mesh
from tests.builders import Json, foreign, group, manifest, node, private, project_folder, publish, reader, source

Told = list[tuple[str, str, str, str, list[str]]]
TODAY = date(2026, 11, 21)


class Consumer:
    """dbt_down and its registry; upstreams publish what they are told to, one day after another."""

    def __init__(self, root: Path, registry: Registry) -> None:
        self.root, self.registry, self.day = root, registry, 0
        self.folder = project_folder(root, "dbt_down").path

    def publish(self, *nodes: Json, project: str = "dbt_up") -> None:
        self.day += 1
        at = f"2026-02-{self.day:02}T00:00:00Z"
        publish(self.root, self.registry, manifest(*nodes, project=project, metadata={"generated_at": at}))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, *nodes: Json, name: str = "dbt_down") -> None:
        """As dbt parse does: the manifest is newer than every file."""
        project_folder(self.root, "dbt_down", manifest(*nodes, project=name))
        for path in self.folder.rglob("*.sql"):
            os.utime(path, (1, 1))

    def upstreams(self, way: str, **more: Any) -> list[Upstream]:
        return [Upstream(name="dbt_up", way=way, **more)]

    def check(self, way: str = "loom", **asked: Any) -> Told:
        upstream = {key: asked.pop(key) for key in ("included", "excluded") if key in asked}
        fields: Json = {
            "project": read_project(self.folder, {}),
            "environment": "prod",
            "reads": ("prod",),
            "upstreams": self.upstreams(way, **upstream),
            "today": TODAY,
        }
        return told(check_consumer(CheckRequest(**fields | asked), self.registry))

    def sync(self, way: str = "loom", **asked: Any) -> Synced:
        fields: Json = {
            "project": read_project(self.folder, {}),
            "environment": "prod",
            "upstreams": self.upstreams(way),
        }
        return sync_mesh(SyncRequest(**fields | asked), self.registry)


def told(findings: tuple[Finding, ...]) -> Told:
    assert {finding.rule for finding in findings} <= RULES.keys()
    return [(f.level, f.rule, f.what, f.then, list(map(str, f.places))) for f in findings]


@pytest.fixture
def consumer(tmp_path: Path, registry: Registry) -> Consumer:
    return Consumer(tmp_path, registry)


def rules(found: Told) -> list[tuple[str, str]]:
    return [(level, rule) for level, rule, *_ in found]


def of(*consumers: str, **more: Any) -> Json:
    """A model that these may read."""
    return {"meta": {"mesh": {"consumers": list(consumers)}}, **more}


# -- what left --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["loom", "package", "sources"])
def test_a_model_that_left_is_told_with_when_whom_instead_and_every_line(consumer: Consumer, way: str) -> None:
    consumer.publish(node("orders", meta={"mesh": {"replaced_by": "sales"}}), node("sales"))
    consumer.publish(node("sales"))
    name = "source" if way == "sources" else "ref"
    call = f"{{{{ {name}('dbt_up', 'orders') }}}}"
    consumer.write("models/a.sql", f"select 1\nfrom {call}\njoin {call}\n")
    consumer.write("tests/t.sql", call)
    consumer.write("models/good.sql", call.replace("orders", "sales"))
    ((level, rule, what, then, places),) = consumer.check(way)
    assert (level, rule, then) == ("error", "model-left", "use sales instead")
    assert what.startswith("dbt_up.orders left on 2026-")
    assert " with dbt_up@prod#2 (" in what
    assert places == ["models/a.sql:2", "models/a.sql:3", "tests/t.sql:1"]
    assert told(consumer.sync(way).findings) == consumer.check(way)


def test_a_version_that_left_is_told_apart(consumer: Consumer) -> None:
    consumer.publish(node("orders", version=1, latest_version=2), node("orders", version=2, latest_version=2))
    consumer.publish(node("orders", version=2, latest_version=2))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders', v=1) }}{{ ref('dbt_up', 'orders') }}")
    ((level, rule, what, then, _),) = consumer.check()
    assert (level, rule, then) == ("error", "version-left", "use orders.v2 instead")
    assert what.startswith("dbt_up.orders.v1 left on")
    consumer.write("models/a.sql", "{{ source('dbt_up', 'orders_v1') }}{{ source('dbt_up', 'orders') }}")
    assert rules(consumer.check("sources")) == [("error", "version-left")]


def test_a_name_that_stands_alone_counts_where_it_once_meant_an_upstream(consumer: Consumer) -> None:
    consumer.publish(node("orders"), node("old", deprecation_date="2027-01-01"))
    consumer.publish(node("old", deprecation_date="2027-01-01"))
    consumer.write("models/a.sql", "{{ ref('orders') }}{{ ref('old') }}{{ ref('whatever') }}")
    assert rules(consumer.check()) == [("warning", "model-deprecated"), ("error", "model-left")]
    assert consumer.check("sources") == []


def test_an_ordinary_sync_asks_the_log_for_nothing(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer.publish(node("orders"))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}{{ source('raw', 'x') }}{{ ref(var('x')) }}")
    monkeypatch.setattr("registry_tools.tasks.sync_mesh.missed_by", lambda *_: pytest.fail("the log was asked"))
    assert consumer.sync().findings == ()


def test_what_mesh_lock_pins_is_what_is_checked(consumer: Consumer) -> None:
    consumer.publish(node("orders"), node("a"))
    consumer.sync()
    consumer.publish(node("a"))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}")
    assert consumer.check() == []
    assert consumer.sync(locked=True).findings == ()
    assert rules(told(consumer.sync().findings)) == [("error", "model-left")]
    assert rules(consumer.check()) == [("error", "model-left")]


def test_what_came_after_the_pin_is_not_said_to_have_left(consumer: Consumer) -> None:
    consumer.publish(node("a"))
    consumer.sync()
    consumer.publish(node("a"), node("orders"))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}")
    assert rules(consumer.check()) == [("error", "unknown-model")]


# -- what leaves, and what was never there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaves_on", "level"), [("2026-11-20", "error"), ("2026-11-21", "warning"), ("2027-01-01", "warning")]
)
def test_a_deprecated_model_is_an_error_once_its_day_is_over(consumer: Consumer, leaves_on: str, level: str) -> None:
    consumer.publish(node("orders", deprecation_date=leaves_on), node("unused", deprecation_date=leaves_on))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}")
    notice = f"orders is deprecated and leaves on {leaves_on}."
    assert consumer.check() == [(level, "model-deprecated", notice, "", ["models/a.sql:1"])]
    assert rules(consumer.check(strict=True)) == [("error", "model-deprecated")]


def test_a_name_that_never_was_is_answered_with_the_nearest(consumer: Consumer) -> None:
    consumer.publish(node("public_orders"), node("public_odrers", **of()))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'public_odres') }}\n{{ ref('dbt_up', 'zzz') }}")
    found = consumer.check()
    assert [(rule, what, then) for _, rule, what, then, _ in found] == [
        ("unknown-model", "dbt_up.public_odres is not public", "did you mean public_orders?"),
        ("unknown-model", "dbt_up.zzz is not public", "mesh show dbt_up@prod#1 lists what is"),
    ]


def test_what_may_have_been_in_a_publication_that_is_not_kept_is_said(consumer: Consumer, store: Any) -> None:
    consumer.publish(node("orders"))
    consumer.publish(node("a"))
    first = min(key for key in store.keys("dbt_up/prod/history/") if key.endswith("manifest.json"))
    store._objects.pop(first)
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}")
    ((_, rule, what, _, _),) = consumer.check()
    assert rule == "unknown-model"
    assert "is not public; if it ever was, it left before 2026-" in what


@pytest.mark.parametrize("access", ["private", "protected"])
def test_a_model_that_is_kept_back_is_said_to_be_where_that_is_known(consumer: Consumer, access: str) -> None:
    secret = private("secret", access=access, config={"access": access})
    consumer.publish(node("orders"), secret)
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'secret') }}{{ ref('dbt_up', 'other') }}")
    beside = {"dbt_up": project_folder(consumer.root, "dbt_up")}
    assert rules(consumer.check()) == [("error", "unknown-model")] * 2
    told_apart = {"unknown-model": "dbt_up.other is not public", f"{access}-model": f"dbt_up.secret is {access}"}
    assert {rule: what for _, rule, what, _, _ in consumer.check(neighbours=beside)} == told_apart
    consumer.build(foreign("secret", access=access))
    assert {rule: what for _, rule, what, _, _ in consumer.check()} == told_apart


def test_what_mesh_yml_leaves_out_is_said(consumer: Consumer) -> None:
    consumer.publish(node("orders"), node("a"))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}")
    ((level, rule, what, then, _),) = consumer.check(excluded=("ord*",))
    assert (level, rule) == ("error", "left-out")
    assert what == "dbt_up.orders is used, and mesh.yml leaves it out"
    assert "mesh.yml" in then


def test_what_is_computed_is_a_note_where_it_can_mean_an_upstream(consumer: Consumer) -> None:
    consumer.publish(node("orders"))
    consumer.write("macros/m.sql", "{{ ref('dbt_up', name) }}\n{{ source(a, b) }}")
    assert [(level, rule, places) for level, rule, *_, places in consumer.check(strict=True)] == [
        ("note", "dynamic-reference", ["macros/m.sql:1"])
    ]
    assert [places for *_, places in consumer.check("sources")] == [["macros/m.sql:2"]]
    assert consumer.sync().findings == ()


# -- who may read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["sources", "loom", "package"])
def test_what_is_withheld_reaches_no_file_and_its_uses_are_told(consumer: Consumer, way: str) -> None:
    ledger = node("ledger", **of("dbt_finance", group="finance"), description="Confidential.")
    consumer.publish(node("orders", depends_on={"nodes": ["model.dbt_up.ledger"]}), ledger, group("finance"))
    name = "source" if way == "sources" else "ref"
    consumer.write("models/a.sql", f"{{{{ {name}('dbt_up', 'ledger') }}}}")
    synced = consumer.sync(way)
    what, then = (
        "dbt_up.ledger may not be read by dbt_down",
        "ask Core Data to list dbt_down in its meta.mesh.consumers",
    )
    assert told(synced.findings) == [("error", "not-a-consumer", what, then, ["models/a.sql:1"])]
    assert consumer.check(way) == told(synced.findings)
    written = {path: path.read_text() for path in consumer.folder.rglob("*") if path.is_file()}
    written.pop(consumer.folder / "models/a.sql")
    assert [str(path) for path, text in written.items() if "ledger" in text.lower() or "onfidential" in text] == []
    assert any("orders" in text for text in written.values())


def test_a_replacement_that_is_withheld_is_not_named(consumer: Consumer) -> None:
    consumer.publish(node("orders", meta={"mesh": {"replaced_by": "ledger"}}), node("ledger", **of()))
    consumer.publish(node("ledger", **of()))
    consumer.write("models/a.sql", "{{ ref('dbt_up', 'orders') }}")
    assert [then for _, _, _, then, _ in consumer.check()] == ["ask dbt_up what replaces it"]


def grouped(name: str, group_name: str | None, *parents: str, **changes: Any) -> Json:
    """A model of dbt_down in a group, with the file that it stands in."""
    fields: Json = {"group": group_name, "original_file_path": f"models/{name}.sql", "depends_on": {"nodes": parents}}
    return private(name, "dbt_down", **fields | changes)


def test_only_nodes_of_a_listed_group_may_read(consumer: Consumer) -> None:
    consumer.publish(node("ledger", **of("dbt_down.finance", "dbt_down.audit")), node("open", **of("dbt_down")))
    for name in ("in_group", "in_config", "outside", "ungrouped"):
        consumer.write(f"models/{name}.sql", "{{ ref('dbt_up', 'ledger') }}{{ ref('dbt_up', 'open') }}")
    ((level, rule, what, then, places),) = consumer.check()
    assert (level, rule, then, places) == ("note", "not-a-consumer", "run dbt parse", [])
    assert "groups audit, finance of dbt_down alone, and which nodes read it is not known" in what
    both = ("model.dbt_up.ledger", "model.dbt_up.open")
    consumer.build(
        *(foreign("ledger"), foreign("open")),
        *(grouped("in_group", "finance", *both), grouped("in_config", None, *both, config={"group": "audit"})),
        *(grouped("outside", "sales", *both), grouped("ungrouped", None, *both)),
        reader("unit_test", "given", ["model.dbt_up.ledger"]),
    )
    found = consumer.check()
    assert [(level, rule, places) for level, rule, _, _, places in found] == [
        ("error", "not-a-consumer", ["models/outside.sql"]),
        ("error", "not-a-consumer", ["models/ungrouped.sql"]),
    ]
    assert "model.dbt_down.outside (group sales) reads it" in found[0][2]
    assert "model.dbt_down.ungrouped (no group) reads it" in found[1][2]
    assert "model.dbt_up.ledger" in consumer.sync().upstreams[0].interface.models[0].unique_id


def test_a_reference_without_a_version_reads_the_latest_of_a_listed_group(consumer: Consumer) -> None:
    versions = [node("ledger", version=v, latest_version=2, **of("dbt_down.finance")) for v in (1, 2)]
    consumer.publish(*versions)
    table = source("ledger", "PROD.MARTS.ledger_v2", mesh={"project": "dbt_up", "model": "ledger"})
    consumer.build(table, grouped("mine", None, table["unique_id"]))
    found = consumer.check("sources")
    assert [what.partition(" is for")[0] for _, _, what, _, _ in found] == ["dbt_up.ledger.v2"]


# -- what only the manifest tells -------------------------------------------------------------------------------------


def test_what_a_macro_made_is_found_in_the_manifest_unless_the_file_is_newer(consumer: Consumer) -> None:
    consumer.publish(node("orders"), node("old"))
    consumer.publish(node("old"))
    consumer.write("models/made.sql", "{{ reads_the_orders() }}")
    consumer.write("models/said.sql", "{{ ref('dbt_up', 'orders') }}")
    consumer.write("models/alone.sql", "{{ ref('orders') }}")
    names = ("made", "said", "alone", "gone")
    consumer.build(foreign("orders"), *(grouped(name, None, "model.dbt_up.orders") for name in names))
    assert [(rule, places) for _, rule, _, _, places in consumer.check()] == [
        ("model-left", ["models/alone.sql:1"]),
        ("model-left", ["models/made.sql"]),
        ("model-left", ["models/said.sql:1"]),
    ]
    os.utime(consumer.folder / "models/made.sql")
    os.utime(consumer.folder / "target/manifest.json", (1, 1))
    assert "models/made.sql" not in str(consumer.check())


def test_sources_of_the_manifest_are_named_as_tables(consumer: Consumer) -> None:
    consumer.publish(node("orders", version=1, latest_version=2), node("orders", version=2, latest_version=2))
    consumer.publish(node("orders", version=2, latest_version=2))
    consumer.write("models/made.sql", "{{ made() }}")
    consumer.write("models/said.sql", "{{ source('dbt_up', 'orders_v1') }}")
    mark = {"project": "dbt_up", "model": "orders", "version": 1}
    table = source("orders_v1", "PROD.MARTS.orders_v1", mesh=mark)
    consumer.build(table, *(grouped(name, None, table["unique_id"]) for name in ("made", "said")))
    assert [(rule, places) for _, rule, _, _, places in consumer.check("sources")] == [
        ("version-left", ["models/made.sql"]),
        ("version-left", ["models/said.sql:1"]),
    ]


def test_a_private_model_of_another_group_is_told(consumer: Consumer) -> None:
    consumer.publish(node("orders"))
    own = grouped("secret", "finance", access="private")
    parent = own["unique_id"]
    consumer.build(
        own,
        grouped("also_finance", "finance", parent),
        grouped("sales", "sales", parent),
        grouped("nobody", None, parent),
        grouped("open", None),
        {**reader("exposure", "dashboard", [parent]), "original_file_path": "models/e.yml"},
    )
    found = consumer.check()
    assert [(level, rule, places) for level, rule, _, _, places in found] == [
        ("error", "private-group", ["models/e.yml"]),
        ("error", "private-group", ["models/nobody.sql"]),
        ("error", "private-group", ["models/sales.sql"]),
    ]
    assert found[1][2] == (
        "model.dbt_down.nobody (no group) reads model.dbt_down.secret, which is private to group finance"
    )


def test_a_manifest_of_another_project_is_said(consumer: Consumer) -> None:
    consumer.publish(node("orders"))
    consumer.build(name="dbt_other")
    with pytest.raises(DocumentError, match="this is the manifest of dbt_other, not of dbt_down"):
        consumer.check()


def test_the_readme_has_every_rule() -> None:
    told = (Path(__file__).parents[2] / "README.md").read_text()
    assert [rule for rule in RULES if f"`{rule}`" not in told] == []
