"""Syncing: the consumer's files become what its upstreams have published, all of them or none."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_tools.errors import DocumentError, IntegrityError, UsageError
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.publications import Registry
from registry_tools.tasks.sync_mesh import Synced, SyncRequest, sync_mesh
from tests.builders import Json, files_below, foreign, manifest, node, private, project_folder, publish

UP = manifest(node("orders"), node("old", deprecation_date="2027-01-01"))
OTHER = manifest(node("prices", "dbt_other"), project="dbt_other")
NEXT = manifest(node("orders", description="New."), metadata={"generated_at": "2026-02-01T00:00:00Z"})
SOURCES = "models/_mesh_dbt_up.yml"
LOOM = ".mesh/loom/dbt_other.json"


@pytest.fixture
def published(tmp_path: Path, registry: Registry) -> Registry:
    """A registry with dbt_up and dbt_other in prod."""
    publish(tmp_path, registry, UP)
    publish(tmp_path, registry, OTHER)
    return registry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project_folder(tmp_path, "dbt_down").path


@pytest.fixture
def sync(folder: Path, published: Registry):
    """Sync dbt_down with these upstreams: `dbt_up` through sources, `dbt_other:loom` through dbt-loom."""

    def run(*upstreams: str, environment: str = "prod", tests: bool = False, **asked: Any) -> Synced:
        readings = [
            Upstream(name=name, environments=(environment,), way=way or "sources", tests=tests)
            for name, _, way in (upstream.partition(":") for upstream in upstreams)
        ]
        project = project_folder(folder.parent, "dbt_down")
        fields: Json = {"project": project, "environment": "prod", "upstreams": readings}
        return sync_mesh(SyncRequest(**fields | asked), published)

    return run


def _lock(folder: Path) -> Json:
    upstreams: Json = yaml.safe_load((folder / "mesh.lock").read_text())["upstreams"]
    return upstreams


def _actions(synced: Synced, folder: Path) -> dict[str, str]:
    return {str(change.path.relative_to(folder)): change.action for change in synced.changes}


def test_the_first_day_gives_every_file(sync, folder: Path) -> None:
    synced = sync("dbt_up", "dbt_other:loom")
    names = [SOURCES, LOOM, "dbt_loom.config.yml", "state/manifest.json", "mesh.lock"]
    assert _actions(synced, folder) == dict.fromkeys(names, "written")
    assert synced.drift == synced.changes
    assert synced.own is None
    state = json.loads((folder / "state/manifest.json").read_text())
    assert state["metadata"]["project_name"] == "dbt_down"
    assert state["nodes"].keys() == {"model.dbt_up.orders", "model.dbt_up.old", "model.dbt_other.prices"}
    tables = yaml.safe_load((folder / SOURCES).read_text())["sources"][0]["tables"]
    assert [table["name"] for table in tables] == ["old", "orders"]


def test_the_lock_names_what_was_read(sync, folder: Path, published: Registry) -> None:
    synced = sync("dbt_up")
    newest, current = published.newest("dbt_up", "prod"), published.current("dbt_up", "prod")
    assert newest is not None
    assert current is not None
    assert _lock(folder)["dbt_up"] == {
        "environment": "prod",
        "publication": current.id,
        "n": 1,
        "record": f"sha256:{newest.sha256}",
        "digest": f"sha256:{current.digest}",
    }
    assert (synced.upstreams[0].before, synced.upstreams[0].publication) == (None, current)
    again = sync("dbt_up").upstreams[0].before
    assert (again.publication, again.n) == (current.id, 1)


def test_deprecated_models_are_told(sync) -> None:
    assert list(sync("dbt_up").upstreams[0].interface.deprecations()) == ["old is deprecated and leaves on 2027-01-01."]


def test_a_second_sync_changes_nothing(sync, folder: Path) -> None:
    sync("dbt_up", "dbt_other:loom")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    synced = sync("dbt_up", "dbt_other:loom")
    assert synced.drift == ()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == times


def test_what_upstream_published_arrives(sync, folder: Path, published: Registry, tmp_path) -> None:
    sync("dbt_up")
    publish(tmp_path, published, NEXT)
    synced = sync("dbt_up")
    assert set(_actions(synced, folder).values()) == {"written"}
    assert (synced.upstreams[0].before.n, synced.upstreams[0].publication.n) == (1, 2)


def test_after_the_own_publication_the_state_is_the_own_manifest(sync, folder, published: Registry, tmp_path) -> None:
    own = manifest(private("report", "dbt_down"), foreign("gone"), project="dbt_down")
    done = publish(tmp_path, published, own)
    synced = sync("dbt_up")
    assert synced.own == done.publication
    nodes = json.loads((folder / "state/manifest.json").read_text())["nodes"]
    assert nodes.keys() == {"model.dbt_down.report", "model.dbt_up.orders", "model.dbt_up.old"}
    assert nodes["model.dbt_down.report"]["raw_code"] == "select 1 as id"


def test_an_own_publication_without_state_counts_as_none_to_defer_to(
    sync, folder, published: Registry, tmp_path
) -> None:
    publish(tmp_path, published, manifest(private("report", "dbt_down"), project="dbt_down"), with_state=False)
    assert sync("dbt_up").own is not None
    assert "model.dbt_down.report" not in (folder / "state/manifest.json").read_text()


def test_a_subset_keeps_the_other_pins_and_files(sync, folder: Path) -> None:
    sync("dbt_up", "dbt_other:loom")
    sync("dbt_up", complete=False)
    assert _lock(folder).keys() == {"dbt_up", "dbt_other"}
    assert (folder / LOOM).exists()


def test_a_complete_run_removes_what_nobody_asks_for(sync, folder: Path) -> None:
    sync("dbt_up", "dbt_other:loom")
    (theirs := folder / "models/_mesh_notes.yml").write_text("version: 2\n")
    synced = sync("dbt_up")
    assert {path for path, action in _actions(synced, folder).items() if action == "removed"} == {
        LOOM,
        "dbt_loom.config.yml",
    }
    assert _lock(folder).keys() == {"dbt_up"}
    assert theirs.exists()


def test_who_reads_nobody_any_more_has_no_pins(sync, folder: Path) -> None:
    sync("dbt_up")
    sync()
    assert not (folder / SOURCES).exists()
    assert not (folder / "mesh.lock").exists() or _lock(folder) == {}


def test_who_never_read_anybody_has_no_lock(sync, folder: Path) -> None:
    assert _actions(sync(), folder) == {"state/manifest.json": "written"}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"nodes": []}', b'{"nodes": {"\xff": 1}}'])
def test_a_standing_state_that_is_none_is_no_obstacle_or_said(sync, folder: Path, content: bytes) -> None:
    sync("dbt_up", "dbt_other")
    (folder / "state/manifest.json").write_bytes(content)
    try:
        sync("dbt_up", complete=False)
    except DocumentError as error:
        where = str(error.where)
    else:
        where = str(folder / "state/manifest.json")
    assert where == str(folder / "state/manifest.json")


def test_a_subset_through_loom_keeps_the_config_of_the_others(sync, folder: Path) -> None:
    sync("dbt_up:loom", "dbt_other:loom")
    sync("dbt_up:loom", complete=False)
    config = yaml.safe_load((folder / "dbt_loom.config.yml").read_text())
    assert [entry["name"] for entry in config["manifests"]] == ["dbt_other", "dbt_up"]


def test_a_subset_keeps_the_other_upstreams_in_the_state(sync, folder: Path) -> None:
    sync("dbt_up", "dbt_other")
    sync("dbt_up", complete=False)
    assert "model.dbt_other.prices" in (folder / "state/manifest.json").read_text()


def test_a_dry_run_writes_nothing_and_says_what_it_would(sync, folder: Path) -> None:
    before = files_below(folder)
    synced = sync("dbt_up", "dbt_other:loom", dry_run=True)
    assert files_below(folder) == before
    assert len(synced.drift) == 5
    sync("dbt_up", "dbt_other:loom")
    assert sync("dbt_up", "dbt_other:loom", dry_run=True).drift == ()


def test_names_in_the_consumers_account_are_mapped_everywhere(folder: Path, published: Registry) -> None:
    for way in ("sources", "loom"):
        reading = Upstream(
            name="dbt_up", environments=("prod",), way=way, databases={"PROD": "SHARED"}, schemas={"MARTS": "UP"}
        )
        project = project_folder(folder.parent, "dbt_down")
        sync_mesh(SyncRequest(project=project, environment="prod", upstreams=[reading]), published)
        written = SOURCES if way == "sources" else ".mesh/loom/dbt_up.json"
        text = (folder / written).read_text() + (folder / "state/manifest.json").read_text()
        assert "SHARED" in text
        assert "PROD" not in text


def test_tests_of_upstream_are_repeated_when_asked_for(sync, folder: Path) -> None:
    sync("dbt_up", tests=True)
    assert yaml.safe_load((folder / SOURCES).read_text())["version"] == 2


# -- what is said, and nothing written ---------------------------------------------------------------------------------


@pytest.fixture
def unwritten(folder: Path):
    before = files_below(folder)
    yield
    assert files_below(folder) == before


@pytest.mark.parametrize(
    ("upstream", "environment", "says"),
    [
        ("dbt_up", "staging", "dbt_up has published nothing in 'staging'; there is prod"),
        ("dbt_new", "prod", "dbt_new has published nothing; there is dbt_other, dbt_up"),
    ],
)
@pytest.mark.usefixtures("unwritten")
def test_who_has_published_nothing_says_who_has(sync, upstream: str, environment: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        sync("dbt_up", upstream, environment=environment)


def test_an_empty_registry_says_how_to_begin(folder: Path, registry: Registry) -> None:
    reading = Upstream(name="dbt_up", environments=("prod",), way="sources")
    request = SyncRequest(project=project_folder(folder.parent, "dbt_down"), environment="prod", upstreams=[reading])
    with pytest.raises(UsageError, match="the registry is empty") as caught:
        sync_mesh(request, registry)
    assert "publish_manifest" in caught.value.then


def _write_lock(folder: Path, **changes: Any) -> None:
    entry = _lock(folder)["dbt_up"] | changes
    (folder / "mesh.lock").write_text(
        f"# Written by mesh sync\n{json.dumps({'version': 1, 'upstreams': {'dbt_up': entry}})}"
    )


@pytest.mark.parametrize(
    "changes", [{"n": 2}, {"publication": "20260123T064541Z-ffffffffffff"}, {"digest": "sha256:" + "f" * 64}]
)
def test_a_registry_that_went_back_or_was_replaced_is_said(sync, folder: Path, changes: Json) -> None:
    sync("dbt_up")
    _write_lock(folder, **changes)
    (folder / SOURCES).unlink()
    before = files_below(folder)
    with pytest.raises(IntegrityError, match="dbt_up@prod was at") as caught:
        sync("dbt_up")
    assert files_below(folder) == before
    assert "delete mesh.lock" in caught.value.then
    assert caught.value.exit_code == 3


def test_a_pin_of_another_environment_is_no_promise(sync, folder: Path) -> None:
    sync("dbt_up")
    _write_lock(folder, environment="staging", n=99)
    assert sync("dbt_up").upstreams[0].publication.n == 1


@pytest.mark.parametrize("text", ["[]", "version: 9", "version: 1\nupstreams: {dbt_up: {}}", "a: [", ""])
def test_a_lock_that_is_none_is_said(sync, folder: Path, text: str) -> None:
    (folder / "mesh.lock").write_text(text)
    before = files_below(folder)
    with pytest.raises(DocumentError) as caught:
        sync("dbt_up")
    assert str(caught.value.where).startswith(str(folder / "mesh.lock"))
    assert files_below(folder) == before


@pytest.mark.parametrize("name", [SOURCES, "dbt_loom.config.yml", LOOM])
def test_a_persons_file_stops_everything(sync, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("version: 2\n")
    before = files_below(folder)
    with pytest.raises(DocumentError, match="was not written by mesh sync"):
        sync("dbt_up", "dbt_other:loom")
    assert files_below(folder) == before


def test_an_upstream_that_is_read_by_another_way_leaves_no_file_of_the_first_way(sync, folder: Path) -> None:
    sync("dbt_up", "dbt_other:loom")
    sync("dbt_up:loom", complete=False)
    assert not (folder / SOURCES).exists()
    assert (folder / ".mesh/loom/dbt_up.json").exists()
    assert (folder / LOOM).exists()


@pytest.mark.usefixtures("unwritten")
def test_a_project_is_no_upstream_of_itself(sync) -> None:
    with pytest.raises(UsageError, match="dbt_down is named as an upstream of itself"):
        sync("dbt_up", "dbt_down")


# -- many upstreams, and upstreams that read back ----------------------------------------------------------------------


def _nodes(folder: Path) -> dict[str, str]:
    """The relations in the state, by unique_id."""
    nodes = json.loads((folder / "state/manifest.json").read_text())["nodes"]
    return {unique_id: node["relation_name"] for unique_id, node in nodes.items()}


def test_upstreams_read_in_different_ways_are_all_where_they_are_now(
    sync, folder: Path, published: Registry, tmp_path
) -> None:
    stale = {"relation_name": "OLD.OLD.X"}
    own = manifest(
        private("report", "dbt_down"),
        foreign("orders", **stale),
        foreign("prices", "dbt_other", **stale),
        foreign("left", "dbt_other", **stale),
        foreign("kept", "dbt_third", **stale),
        project="dbt_down",
    )
    publish(tmp_path, published, own)
    sync("dbt_up", "dbt_other:loom")
    expected = {
        "model.dbt_down.report": "PROD.MARTS.report",
        "model.dbt_up.orders": "PROD.MARTS.ORDERS",
        "model.dbt_up.old": "PROD.MARTS.OLD",
        "model.dbt_other.prices": "PROD.MARTS.PRICES",
        "model.dbt_third.kept": "OLD.OLD.X",
    }
    assert _nodes(folder) == expected
    sync("dbt_other:package", complete=False)
    assert _nodes(folder) == expected
    sync("dbt_up:package", "dbt_other")
    assert _nodes(folder) == expected


@pytest.mark.parametrize("way", ["sources", "loom", "package"])
def test_an_upstream_that_reads_back_overwrites_no_own_node(sync, folder, published: Registry, tmp_path, way) -> None:
    mine = node("shared", "dbt_down", raw_code="select 'mine'", relation_name="MINE.MARTS.shared")
    publish(tmp_path, published, manifest(mine, foreign("orders"), project="dbt_down"))
    theirs = foreign("shared", "dbt_down", relation_name="STALE.MARTS.shared")
    at = {"generated_at": "2026-04-01T00:00:00Z"}
    publish(tmp_path, published, manifest(node("orders"), theirs, metadata=at))
    sync(f"dbt_up:{way}")
    state = json.loads((folder / "state/manifest.json").read_text())["nodes"]
    assert state["model.dbt_down.shared"] == json.loads(json.dumps(mine))
    assert _nodes(folder) == {"model.dbt_down.shared": "MINE.MARTS.shared", "model.dbt_up.orders": "PROD.MARTS.ORDERS"}


def test_a_lock_that_names_the_project_itself_brings_no_old_nodes_back(sync, folder, published, tmp_path) -> None:
    publish(tmp_path, published, manifest(private("report", "dbt_down"), project="dbt_down"))
    sync("dbt_up")
    lock = (folder / "mesh.lock").read_text()
    (folder / "mesh.lock").write_text(lock + lock.partition("upstreams:\n")[2].replace("dbt_up", "dbt_down"))
    at = {"generated_at": "2026-04-01T00:00:00Z"}
    publish(tmp_path, published, manifest(private("other", "dbt_down"), project="dbt_down", metadata=at))
    sync("dbt_up", complete=False)
    assert {name for name in _nodes(folder) if "dbt_down" in name} == {"model.dbt_down.other"}


# -- a package of stubs -----------------------------------------------------------------------------------------------

PACKAGE = "mesh_packages/dbt_up"


def _below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in (folder / "mesh_packages").rglob("*") if path.is_file()}


def test_a_package_has_a_stub_and_its_yaml_for_each_model(sync, folder: Path) -> None:
    synced = sync("dbt_up:package")
    files = {f"{PACKAGE}/models/{name}.{end}" for name in ("old", "orders") for end in ("sql", "yml")}
    files |= {f"{PACKAGE}/dbt_project.yml", f"{PACKAGE}/macros/mesh_stub_dbt_up.sql"}
    assert _below(folder) == files
    assert not (folder / "packages.yml").exists()
    assert [step[:34] for step in synced.left_to_do] == ["add  - local: mesh_packages/dbt_up"]


def test_packages_yml_is_written_on_request_alone(sync, folder: Path) -> None:
    (folder / "packages.yml").write_text("packages:\n  - local: ../ours  # why\n")
    synced = sync("dbt_up:package", write_packages=True)
    text = (folder / "packages.yml").read_text()
    assert text == f"packages:\n  - local: ../ours  # why\n  - local: {PACKAGE}\n"
    assert synced.left_to_do == ("run dbt deps",)
    assert sync("dbt_up:package", write_packages=True).drift == ()


def test_a_packages_yml_that_lists_no_packages_is_left_alone_and_so_is_everything_else(sync, folder: Path) -> None:
    (folder / "packages.yml").write_text("packages: {a: b}\n")
    with pytest.raises(DocumentError, match="no list") as caught:
        sync("dbt_up:package", write_packages=True)
    assert caught.value.where == str(folder / "packages.yml")
    assert _below(folder) == set()


def test_a_stub_of_a_model_that_left_goes_and_with_the_last_one_the_folder(
    sync, folder: Path, published: Registry, tmp_path: Path
) -> None:
    sync("dbt_up:package")
    publish(tmp_path, published, NEXT)
    sync("dbt_up:package")
    assert _below(folder).isdisjoint({f"{PACKAGE}/models/old.sql", f"{PACKAGE}/models/old.yml"})
    sync("dbt_up:sources")
    assert not (folder / "mesh_packages").exists()


def test_another_way_of_one_upstream_leaves_the_package_of_another(sync, folder: Path) -> None:
    sync("dbt_up:package", "dbt_other:package")
    sync("dbt_up:sources", complete=False)
    assert (folder / "mesh_packages/dbt_other/models/prices.sql").exists()
    assert not (folder / PACKAGE).exists()


# -- a narrowed upstream ----------------------------------------------------------------------------------------------


@pytest.fixture
def narrowed(folder: Path, published: Registry):
    """Sync dbt_up, narrowed like this, and say which tables there are."""

    def run(**settings: Any) -> list[str]:
        project = project_folder(folder.parent, "dbt_down")
        upstreams = [Upstream(name="dbt_up", **settings)]
        sync_mesh(SyncRequest(project=project, environment="prod", upstreams=upstreams), published)
        path = folder / SOURCES
        return [t["name"] for t in yaml.safe_load(path.read_text())["sources"][0]["tables"]] if path.exists() else []

    return run


@pytest.mark.parametrize(
    ("settings", "tables"),
    [
        ({}, ["old", "orders"]),
        ({"included": ("o*",)}, ["old", "orders"]),
        ({"included": ("ord*", "none")}, ["orders"]),
        ({"excluded": ("ord*",)}, ["old"]),
        ({"included": ("o*",), "excluded": ("old",)}, ["orders"]),
        ({"excluded": ("*",)}, []),
    ],
)
def test_what_is_included_and_not_excluded_is_read(narrowed, settings: Json, tables: list[str]) -> None:
    assert narrowed(**settings) == tables


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select 1", []),
        ("select * from {{ source('dbt_up', 'orders') }}", ["orders"]),
        ("select * from {{ source('dbt_up', 'gone') }}", []),
        ("select * from {{ source('other', 'orders') }}", []),
        ("select * from {{ ref('dbt_up', 'orders') }}", []),
        ("select * from {{ source('dbt_up', name) }}", ["old", "orders"]),
        ("{# {{ source('dbt_up', 'orders') }} #}", []),
    ],
)
def test_what_the_files_refer_to_is_all_that_is_written(narrowed, folder: Path, sql: str, tables: list[str]) -> None:
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/report.sql").write_text(sql)
    assert narrowed(used_only=True) == tables


VERSIONED = manifest(
    *(node("products", "dbt_ver", version=v, latest_version=2) for v in (1, 2)),
    node("orders", "dbt_ver"),
    project="dbt_ver",
)


@pytest.mark.parametrize(
    ("sql", "way", "files"),
    [
        ("source('dbt_ver', 'products_v1')", "sources", {"products_v1"}),
        ("source('dbt_ver', 'products')", "sources", {"products"}),
        ("ref('dbt_ver', 'products')", "package", {"products_v2"}),
        ("ref('dbt_ver', 'products', v=1)", "package", {"products_v1"}),
        ("ref('dbt_ver', 'products', v=which)", "package", {"products_v1", "products_v2"}),
        ("ref('dbt_ver', which)", "package", {"orders", "products_v1", "products_v2"}),
        ("source('dbt_ver', 'orders')", "package", set()),
    ],
)
def test_of_versions_the_one_that_is_used_is_written(  # three drawn, three of the tests' own
    folder: Path, published: Registry, tmp_path: Path, sql: str, way: str, files: set[str]
) -> None:
    publish(tmp_path, published, VERSIONED)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models/report.sql").write_text(f"{{{{ {sql} }}}}")
    upstreams = [Upstream(name="dbt_ver", way=way, used_only=True)]
    sync_mesh(
        SyncRequest(project=project_folder(tmp_path, "dbt_down"), environment="prod", upstreams=upstreams), published
    )
    stubs = {
        path.stem
        for path in (folder / "mesh_packages/dbt_ver/models").glob("*.sql")
        if "mesh_relation" in path.read_text()  # the latest version, where it is not read, is disabled
    }
    path = folder / "models/_mesh_dbt_ver.yml"
    tables = yaml.safe_load(path.read_text())["sources"][0]["tables"] if path.exists() else []
    assert stubs | {table["name"] for table in tables} == files


def test_a_pattern_that_fits_nothing_is_told(published: Registry) -> None:
    upstream = Upstream(name="dbt_up", included=("ord*",), excluded=("ol",))
    entry = published.newest("dbt_up", "prod")
    assert entry is not None
    there, _ = published.interface("dbt_up", "prod", entry.record)
    assert list(upstream.idle(there)) == ["excluded: ol fits no public model of dbt_up"]
