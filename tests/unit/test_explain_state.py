"""mesh state: what --defer does to each node, and why it would silently do nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from registry_tools.errors import DocumentError, UsageError
from registry_tools.mesh.deferral import Node
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.publications import Registry
from registry_tools.tasks.explain_state import Explained, explain_state
from registry_tools.tasks.sync_mesh import SyncRequest, sync_mesh
from tests.builders import Json, data_test, foreign, manifest, node, private, project_folder, publish, source

DOWN = "dbt_down"
MARK = {"project": "dbt_up", "model": "orders"}
SOURCE = source("orders", "PROD.MARTS.ORDERS", mesh=MARK) | {"source_name": "dbt_up"}


def own(name: str, *parents: str, place: str = "PROD", **changes: Any) -> Json:
    """A model of dbt_down in MARTS of this database, with these parents."""
    depends_on = {"macros": [], "nodes": list(parents)}
    relation = f"{place}.MARTS.{name}"
    return private(name, DOWN, depends_on=depends_on, database=place, relation_name=relation, **changes)


def down(*entries: Json, **changes: Any) -> Json:
    return manifest(*entries, project=DOWN, **changes)


PUBLISHED = down(own("orders_here", SOURCE["unique_id"]), own("report", "model.dbt_down.orders_here"), SOURCE)
IN_DEV = down(
    own("orders_here", SOURCE["unique_id"], place="DEV"),
    own("report", "model.dbt_down.orders_here", place="DEV"),
    SOURCE,
)


# A model of an installed package is built here and is not this project's.
PACKAGED = private("base", "dbt_utils", depends_on={"nodes": [SOURCE["unique_id"]]})


@pytest.fixture
def explained(tmp_path: Path) -> Callable[..., Explained]:
    """Explain this state beside this manifest of today."""

    def explain(state: Json, today: Json | None, select: str | None = None) -> Explained:
        project = project_folder(tmp_path, DOWN, today)
        (project.path / "state").mkdir(exist_ok=True)
        (project.path / "state/manifest.json").write_text(json.dumps(state))
        return explain_state(project, select)

    return explain


def fates(found: Explained) -> dict[str, tuple[str, str | None]]:
    return {standing.label: (standing.fate, standing.deferred) for standing in found.standings}


def checks(found: Explained) -> list[str]:
    return [finding.check for finding in found.findings]


def test_every_node_of_today_is_told_with_what_becomes_of_it(explained) -> None:
    today = down(
        *(IN_DEV["nodes"].values()),
        SOURCE,
        own("fresh", "model.dbt_down.report", place="DEV"),
        own("inlined", "model.dbt_down.report", config={"materialized": "ephemeral"}),
        own("was_inlined", "model.dbt_down.report", place="DEV"),
        own("ages", resource_type="seed", unique_id="seed.dbt_down.ages"),
        data_test("not_null", "model.dbt_down.report", "id", DOWN),
        functions={"function.dbt_down.tax": own("tax", place="DEV", resource_type="function")},
    )
    state = down(
        *PUBLISHED["nodes"].values(),
        own("inlined", config={"materialized": "table"}),
        own("was_inlined", config={"materialized": "ephemeral"}),
        own("ages", resource_type="seed", unique_id="seed.dbt_down.ages"),
        data_test("not_null", "model.dbt_down.report", "id", DOWN),
        functions={"function.dbt_down.tax": own("tax", resource_type="function")},
    )
    found = explained(state, today)
    assert checks(found) == []
    assert fates(found) == {
        "orders_here": ("defers", "PROD.MARTS.orders_here"),
        "report": ("defers", "PROD.MARTS.report"),
        "fresh": ("new", None),
        "inlined": ("never", None),
        "was_inlined": ("never", None),
        "ages": ("defers", "PROD.MARTS.ages"),
        "not_null_id": ("never", None),
        "tax": ("defers", "PROD.MARTS.tax"),
        "dbt_up.orders": ("never", None),
    }
    effects = {standing.label: standing.effect for standing in found.standings}
    unless = "unless it stands in your target (--favor-state: unless it is selected)"
    assert effects["report"] == f"read from PROD.MARTS.report {unless}"
    assert effects["ages"] == "read from PROD.MARTS.ages, which is also its place in your target"
    assert effects["fresh"] == "not in the state: read from your target, where it has to be built first"
    assert effects["inlined"] == "never deferred: it is ephemeral, and its SQL is part of whoever reads it"
    assert effects["was_inlined"].startswith("never deferred: it is ephemeral in the state")
    assert effects["not_null_id"] == "never deferred: nothing refers to a test"
    assert effects["dbt_up.orders"] == "never deferred: a source is read where it is, PROD.MARTS.ORDERS"
    targets = {standing.label: standing.target for standing in found.standings}
    assert (targets["report"], targets["inlined"], targets["was_inlined"]) == (
        "DEV.MARTS.report",
        None,
        "DEV.MARTS.was_inlined",
    )


def test_without_a_manifest_of_today_the_states_own_nodes_are_told(explained) -> None:
    found = explained(PUBLISHED, None)
    assert (found.built, checks(found)) == (None, [])
    assert fates(found) == {
        "orders_here": ("defers", "PROD.MARTS.orders_here"),
        "report": ("defers", "PROD.MARTS.report"),
        "dbt_up.orders": ("never", None),
    }
    assert {standing.target for standing in found.standings} == {None}
    assert all(standing.is_moved for standing in found.standings)


@pytest.mark.parametrize("select", ["report", "model.dbt_down.report"])
def test_a_selection_is_shown_with_what_it_reads(explained, select: str) -> None:
    assert fates(explained(PUBLISHED, IN_DEV, select)).keys() == {"report", "orders_here"}


@pytest.mark.parametrize("select", ["dbt_up.orders", "source.dbt_down.dbt_up.orders"])
def test_a_source_is_selected_by_its_name(explained, select: str) -> None:
    assert fates(explained(PUBLISHED, IN_DEV, select)).keys() == {"dbt_up.orders"}


@pytest.mark.parametrize("select", ["stock", "stock.v2"])
def test_a_version_is_selected_by_name_or_label(explained, select: str) -> None:
    today = down(own("stock", unique_id="model.dbt_down.stock.v2", version=2, latest_version=2))
    assert fates(explained(today, today, select)).keys() == {"stock.v2"}


@pytest.mark.parametrize(("select", "then"), [("reports", "did you mean report?"), ("xyz", "dbt ls")])
def test_a_selection_of_nothing_names_what_is_near(explained, select: str, then: str) -> None:
    with pytest.raises(UsageError, match=f"nothing is called '{select}'") as caught:
        explained(PUBLISHED, IN_DEV, select)
    assert then in caught.value.then


@pytest.mark.parametrize(
    ("state", "today", "select", "found"),
    [
        (PUBLISHED, IN_DEV, None, []),
        (manifest(node("orders")), IN_DEV, None, ["foreign-state"]),
        (manifest(node("orders")), None, None, ["foreign-state"]),
        (PUBLISHED | {"metadata": PUBLISHED["metadata"] | {"project_name": None}}, IN_DEV, None, []),
        (down(), IN_DEV, None, ["nothing-in-common"]),
        (down(), None, None, ["nothing-in-common"]),
        (down(foreign("orders")), IN_DEV, None, ["nothing-in-common"]),
        (down(*PUBLISHED["nodes"].values(), metadata={"adapter_type": "duckdb"}), IN_DEV, None, ["other-adapter"]),
        (down(*PUBLISHED["nodes"].values(), metadata={"adapter_type": None}), IN_DEV, None, []),
        (PUBLISHED, down(*IN_DEV["nodes"].values(), metadata={"adapter_type": None}), None, []),
        (PUBLISHED, PUBLISHED, None, ["same-place"]),
        (
            PUBLISHED,
            down(IN_DEV["nodes"]["model.dbt_down.report"], PUBLISHED["nodes"]["model.dbt_down.orders_here"]),
            None,
            [],
        ),
        (PUBLISHED, IN_DEV, "orders_here", ["sources-only"]),
        (PUBLISHED, IN_DEV, "report", []),
        (PUBLISHED, IN_DEV, "dbt_up.orders", []),
        (PUBLISHED, down(IN_DEV["nodes"]["model.dbt_down.orders_here"], SOURCE), None, ["sources-only"]),
        (PUBLISHED, down(own("orders_here", place="DEV")), None, []),
        (PUBLISHED, down(own("orders_here", place="DEV"), PACKAGED), None, []),
    ],
)
def test_where_dbt_would_do_nothing_is_found(explained, state, today, select, found) -> None:
    assert checks(explained(state, today, select)) == found


def test_a_models_whose_parents_are_sources_are_named_alone_or_together(explained) -> None:
    alone = explained(PUBLISHED, IN_DEV, "orders_here").findings[0].what
    assert alone == "sources are all that is read by orders_here, and dbt never defers a source"
    two = down(*(own(name, SOURCE["unique_id"], place="DEV") for name in ("orders_here", "report")), SOURCE)
    assert "read by dbt_down's models" in explained(PUBLISHED, two).findings[0].what


def test_a_relation_without_a_name_is_its_parts() -> None:
    assert Node(name="x", resource_type="model", schema="S", alias="y").place == "S.y"
    assert Node(name="x", resource_type="seed").place == "x"


@pytest.mark.parametrize("entry", [{"meta": {"mesh": MARK}}, {"config": {"meta": {"mesh": MARK}}}])
def test_the_mark_of_a_source_is_found_where_any_dbt_puts_it(entry: Json) -> None:
    marked = msgspec.convert({"name": "orders", "resource_type": "source"} | entry, Node)
    assert marked.stands_for == "model.dbt_up.orders"


@pytest.mark.parametrize("mark", [None, {}, {"project": "dbt_up"}, "dbt_up"])
def test_a_source_that_a_person_wrote_stands_for_nothing(mark: Any) -> None:
    raw = msgspec.convert({"name": "raw", "resource_type": "source", "meta": {"mesh": mark}}, Node)
    assert raw.stands_for is None


def test_relations_that_are_none_are_compared_as_they_are_written(explained) -> None:
    odd = down(own("report", place="DEV") | {"relation_name": "not a relation!"})
    assert checks(explained(odd, odd)) == ["same-place"]


# -- after a sync ------------------------------------------------------------------------------------------------------


class World:
    """dbt_up published once; dbt_down published, synced in a way, and parsed for dev."""

    def __init__(self, root: Path, registry: Registry, way: str) -> None:
        self.root, self.registry, self.way = root, registry, way
        self.publish(1)
        reads = foreign("orders") if way == "loom" else SOURCE
        self.today = down(
            own("report", reads["unique_id"], place="DEV"), own("top", "model.dbt_down.report", place="DEV"), reads
        )
        publish(root, registry, down(own("report", reads["unique_id"]), own("top", "model.dbt_down.report"), reads))

    def publish(self, day: int, relation: str = "PROD.MARTS.orders") -> None:
        at = {"generated_at": f"2026-03-{day:02}T00:00:00Z"}
        publish(self.root, self.registry, manifest(node("orders", relation_name=relation), metadata=at))

    def sync(self, **changes: Any) -> None:
        upstream = Upstream(name="dbt_up", way=self.way, **changes)
        project = project_folder(self.root, DOWN)
        sync_mesh(SyncRequest(project=project, environment="prod", upstreams=[upstream]), self.registry)

    def explain(self) -> Explained:
        return explain_state(project_folder(self.root, DOWN, self.today))


@pytest.fixture(params=["sources", "loom"])
def world(request, tmp_path: Path, registry: Registry) -> World:
    return World(tmp_path, registry, request.param)


def test_a_synced_state_says_where_it_is_from_and_has_nothing_against_it(world: World) -> None:
    world.sync()
    found = world.explain()
    assert checks(found) == []
    assert found.state.origin is not None
    assert str(found.state.origin.publication).startswith("dbt_down@prod#1 2026")
    assert found.state.origin.upstreams.keys() == {"dbt_up"}
    if world.way == "loom":
        assert fates(found)["orders"] == ("defers", "PROD.MARTS.ORDERS")


def test_a_lock_of_another_branch_is_found(world: World, tmp_path: Path) -> None:
    world.sync()
    state = (tmp_path / "dbt_down/state/manifest.json").read_bytes()
    world.publish(2, "PROD.NEW.orders")
    world.sync()
    (tmp_path / "dbt_down/state/manifest.json").write_bytes(state)
    first, *_ = world.explain().findings
    assert (first.check, first.what) == ("stale-upstream", "dbt_up in it is not what mesh.lock pins")
    assert first.then == "run mesh sync"


def test_a_lock_that_no_longer_names_an_upstream_is_found(world: World, tmp_path: Path) -> None:
    world.sync()
    (tmp_path / "dbt_down/mesh.lock").unlink()
    assert checks(world.explain()) == ["stale-upstream"]


def test_a_manifest_from_before_the_map_was_changed_is_found(world: World) -> None:
    world.sync(databases={"PROD": "SHARED"})
    (finding,) = world.explain().findings
    assert finding.check == "stale-upstream"
    assert finding.what.startswith("dbt_up.orders is SHARED.MARTS.ORDERS in it, and is read from PROD.MARTS.")
    assert finding.then == "run mesh sync, then dbt parse"


def test_an_upstream_model_that_the_state_lacks_is_found(tmp_path: Path, registry: Registry) -> None:
    world = World(tmp_path, registry, "loom")
    world.sync()
    world.today["nodes"]["model.dbt_up.recent"] = foreign("recent")
    found = world.explain()
    assert [finding.what for finding in found.findings] == ["dbt_up.recent is not in it"]
    (recent,) = (standing for standing in found.standings if standing.label == "recent")
    assert recent.effect == "never deferred: it is not in the state, and read where it is, PROD.MARTS.recent"


def test_a_stub_stands_for_itself_whatever_its_mark_says(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, manifest(node("orders", version=2, latest_version=2)))
    stub = foreign("orders", version=2, latest_version=2, meta={"mesh": MARK}, original_file_path="models/orders.sql")
    today = down(own("report", stub["unique_id"], place="DEV"), stub)
    publish(tmp_path, registry, down(own("report", stub["unique_id"]), stub))
    project = project_folder(tmp_path, DOWN, today)
    upstream = Upstream(name="dbt_up", way="package")
    sync_mesh(SyncRequest(project=project, environment="prod", upstreams=[upstream]), registry)
    found = explain_state(project)
    assert checks(found) == []
    assert fates(found)["orders.v2"] == ("defers", "PROD.MARTS.ORDERS_V2")


def test_versions_are_found_by_their_mark(tmp_path: Path, registry: Registry) -> None:
    versions = (node("orders", version=number, latest_version=2) for number in (1, 2))
    publish(tmp_path, registry, manifest(*versions))
    sources = [
        source("orders_v1", "OLD.MARTS.orders_v1", mesh=MARK | {"version": 1}),
        source("orders", "OLD.MARTS.orders_v2", mesh=MARK),
    ]
    today = down(own("report", *(s["unique_id"] for s in sources), place="DEV"), *sources)
    publish(tmp_path, registry, down(own("report"), *sources))
    project = project_folder(tmp_path, DOWN, today)
    sync_mesh(SyncRequest(project=project, environment="prod", upstreams=[Upstream(name="dbt_up")]), registry)
    stale = [f.what for f in explain_state(project).findings if f.check == "stale-upstream"]
    assert stale == ["dbt_up.orders.v1 is PROD.MARTS.ORDERS_V1 in it, and is read from OLD.MARTS.orders_v1 here"]


def test_before_the_first_publication_it_is_said_that_all_is_new(tmp_path: Path, registry: Registry) -> None:
    publish(tmp_path, registry, manifest(node("orders")))
    project = project_folder(tmp_path, DOWN, IN_DEV)
    sync_mesh(SyncRequest(project=project, environment="prod", upstreams=[Upstream(name="dbt_up")]), registry)
    found = explain_state(project)
    assert found.state.origin is not None
    assert found.state.origin.publication is None
    assert checks(found) == ["nothing-in-common"]
    assert found.findings[0].then == "build and publish dbt_down once, then run mesh sync"


# -- what is said, with its place --------------------------------------------------------------------------------------


def test_no_state_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="the state for --defer is missing") as caught:
        explain_state(project_folder(tmp_path, DOWN))
    assert str(caught.value.where).endswith("dbt_down/state/manifest.json")
    assert caught.value.then == "run mesh sync, which writes it"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"metadata": {}, "nodes": []}', b'{"metadata": {}, "nodes": {"a": {}}}', b"\xff{}"],
)
@pytest.mark.parametrize("name", ["state/manifest.json", "target/manifest.json"])
def test_a_manifest_that_is_none_is_said_with_its_place(explained, tmp_path: Path, content: bytes, name: str) -> None:
    explained(PUBLISHED, IN_DEV)
    (tmp_path / DOWN / name).write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        explain_state(project_folder(tmp_path, DOWN))
    assert str(caught.value.where).startswith(str(tmp_path / DOWN / name))


def test_another_projects_target_is_said(explained) -> None:
    with pytest.raises(DocumentError, match="this is the manifest of dbt_up, not of dbt_down"):
        explained(PUBLISHED, manifest(node("orders")))


@pytest.mark.parametrize(
    "mark", [None, 7, {}, {"written_by": "mesh sync"}, {"written_by": "us", "upstreams": {}}, {"upstreams": {}}]
)
def test_a_mark_that_is_not_ours_says_nothing(explained, mark: Any) -> None:
    state = PUBLISHED | {"metadata": PUBLISHED["metadata"] | {"mesh": mark}}
    assert explained(state, IN_DEV).state.origin is None


def test_a_forged_mark_is_read_as_text(explained) -> None:
    forged = {"written_by": "mesh sync", "publication": 7, "upstreams": {"dbt_up": 7}}
    state = PUBLISHED | {"metadata": PUBLISHED["metadata"] | {"mesh": forged}}
    found = explained(state, IN_DEV)
    assert found.state.origin is not None
    assert (found.state.origin.publication, found.state.origin.upstreams) == (None, {"dbt_up": "7"})
    assert checks(found) == ["stale-upstream"]
