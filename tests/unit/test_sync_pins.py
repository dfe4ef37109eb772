"""mesh sync with pins: --locked obeys mesh.lock, --upgrade moves what it names, --offline asks nobody."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from registry_tools.errors import DocumentError, IntegrityError, MeshError, Refusal, RegistryError, UsageError
from registry_tools.mesh.publication import Actor, Approval
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry import layout
from registry_tools.registry.cache import Cache
from registry_tools.registry.collection import Retention, collect, plan_collection
from registry_tools.registry.log import encode_record
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import StoredObject
from registry_tools.registry.publications import Registry
from registry_tools.tasks.amend_log import AmendRequest, approve, roll_back, yank
from registry_tools.tasks.sync_mesh import Synced, SyncRequest, sync_mesh
from tests.builders import Json, files_below, manifest, node, project_folder, publish

LOCK = "mesh.lock"
YEAR = 365 * 24 * 3600
Sync = Callable[..., Synced]


def build(k: int, project: str = "dbt_up", name: str = "orders") -> Json:
    """The k-th manifest of a project: its one model says which it is."""
    at = f"2026-0{k}-01T00:00:00Z"
    return manifest(node(name, project, description=f"Build {k}."), project=project, metadata={"generated_at": at})


class World:
    """Two upstreams with two builds each, a consumer that has synced, and the store's clock."""

    def __init__(self, root: Path) -> None:
        self.root, self.now = root, 0.0
        self.store = MemoryStore(lambda: self.now)
        self.registry = Registry(self.store, cache=Cache(root / "cache"))
        self.folder = project_folder(root, "dbt_down").path
        for project in ("dbt_up", "dbt_other"):
            publish(root, self.registry, build(1, project))

    def publish(self, k: int, project: str = "dbt_up", **asked: Any) -> str:
        return publish(self.root, self.registry, build(k, project), **asked).publication.id

    def sync(self, *upstreams: str, **asked: Any) -> Synced:
        readings = [Upstream(name=name) for name in upstreams or ("dbt_up", "dbt_other")]
        registry = asked.pop("registry", self.registry)
        project = project_folder(self.root, "dbt_down")
        fields: Json = {"project": project, "environment": "prod", "upstreams": readings}
        return sync_mesh(SyncRequest(**fields | asked), registry)

    def pins(self) -> dict[str, int]:
        upstreams = yaml.safe_load((self.folder / LOCK).read_text())["upstreams"]
        return {name: pin["n"] for name, pin in upstreams.items()}

    def built(self, project: str = "dbt_up") -> str:
        return (self.folder / f"models/_mesh_{project}.yml").read_text()

    def edit(self, **changes: Any) -> None:
        """Change the pin of dbt_up by hand."""
        document = yaml.safe_load((self.folder / LOCK).read_text())
        assert changes.keys() <= document["upstreams"]["dbt_up"].keys()
        document["upstreams"]["dbt_up"] |= changes
        (self.folder / LOCK).write_text("# Written by mesh sync\n" + yaml.safe_dump(document))

    def amend(self, n: int) -> AmendRequest:
        return AmendRequest(
            target=Selector(project="dbt_up", environment="prod", n=n), reason="leaks", folder=self.root
        )

    def collect(self) -> None:
        plan = plan_collection(self.registry, "dbt_up", "prod", Retention(publications=1, days=1))
        collect(self.registry, plan, Actor(), "2026-11-01T00:00:00+00:00")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.sync()
    for project in ("dbt_up", "dbt_other"):
        made.publish(2, project)
    return made


# -- locked ------------------------------------------------------------------------------------------------------------


def test_locked_reads_what_is_pinned_and_changes_no_file(world: World) -> None:
    before = files_below(world.folder)
    synced = world.sync(locked=True)
    assert [read.publication.n for read in synced.upstreams] == [1, 1]
    assert synced.drift == ()
    assert files_below(world.folder) == before


def test_locked_writes_the_files_again_in_a_fresh_checkout_without_a_cache(world: World) -> None:
    before = files_below(world.folder)
    shutil.rmtree(world.folder / "models")
    shutil.rmtree(world.folder / "state")
    world.sync(locked=True, registry=Registry(world.store))
    assert files_below(world.folder) == before


def test_without_locked_everything_moves(world: World) -> None:
    world.sync()
    assert world.pins() == {"dbt_up": 2, "dbt_other": 2}
    assert "Build 2." in world.built()


def test_locked_leaves_a_lock_as_a_person_wrote_it(world: World) -> None:
    """Comments, another order or other line ends are no reason to write it."""
    document = yaml.safe_load((world.folder / LOCK).read_text())
    document["upstreams"] = dict(sorted(document["upstreams"].items(), reverse=True))
    text = "# ours\r\n" + yaml.safe_dump(document, sort_keys=False).replace("\n", "\r\n")
    (world.folder / LOCK).write_bytes(text.encode())
    assert world.sync(locked=True).drift == ()
    assert (world.folder / LOCK).read_bytes() == text.encode()


def test_locked_without_a_lock_is_declined(world: World) -> None:
    (world.folder / LOCK).unlink()
    before = files_below(world.folder)
    with pytest.raises(Refusal, match=r"mesh.lock does not name exactly the upstreams of dbt_down") as caught:
        world.sync(locked=True)
    assert caught.value.details == ("it does not name dbt_other", "it does not name dbt_up")
    assert "without --locked and commit mesh.lock" in caught.value.then
    assert files_below(world.folder) == before


def test_locked_with_an_upstream_too_few_or_too_many_is_declined(world: World) -> None:
    with pytest.raises(Refusal) as caught:
        world.sync("dbt_up", "dbt_new", locked=True)
    assert caught.value.details == ("it does not name dbt_new", "it names dbt_other, which is no upstream")


def test_locked_for_one_upstream_minds_that_one_alone(world: World) -> None:
    assert [read.publication.n for read in world.sync("dbt_up", locked=True, complete=False).upstreams] == [1]
    assert world.pins() == {"dbt_up": 1, "dbt_other": 1}
    with pytest.raises(Refusal, match="does not name exactly"):
        world.sync("dbt_new", locked=True, complete=False)


def test_locked_in_another_environment_is_declined(world: World) -> None:
    with pytest.raises(Refusal, match=r"mesh\.lock pins dbt_up@prod, and staging was asked for") as caught:
        world.sync(locked=True, environment="staging")
    assert "ask for the environment that is pinned" in caught.value.then


def test_locked_in_a_check_finds_what_was_edited(world: World) -> None:
    assert world.sync(locked=True, dry_run=True).drift == ()
    (world.folder / "models/_mesh_dbt_up.yml").write_text(world.built() + "# edited\n")
    assert [change.action for change in world.sync(locked=True, dry_run=True).drift] == ["written"]


def test_what_is_pinned_and_yanked_is_read_with_a_warning(world: World) -> None:
    yank(world.amend(1), world.registry)
    synced = world.sync(locked=True)
    assert [read.yanked for read in synced.upstreams] == ["leaks", None]
    assert world.sync().upstreams[0].yanked is None


def test_what_is_pinned_and_given_up_says_so_once_its_files_are_gone(world: World) -> None:
    world.now = YEAR
    world.collect()
    bare = Registry(world.store)
    assert world.sync(locked=True, registry=bare).upstreams[0].publication.n == 1
    world.now += YEAR
    world.collect()
    with pytest.raises(UsageError, match="is no longer kept since 2026-11-01") as caught:
        world.sync(locked=True, registry=bare)
    assert "mesh sync moves a pin to what is current" in caught.value.then
    assert world.sync(locked=True).upstreams[0].publication.n == 1  # whoever has it in the cache goes on


@pytest.mark.parametrize("upgrade", [None, frozenset(), frozenset({"dbt_up"})], ids=["plain", "all", "named"])
def test_a_pin_that_is_given_up_moves_on(world: World, upgrade: frozenset[str] | None) -> None:
    for _ in range(2):
        world.now += YEAR
        world.collect()
    synced = world.sync(registry=Registry(world.store), upgrade=upgrade)
    assert synced.upstreams[0].publication.n == 2
    assert synced.upstreams[0].changes == ()


# -- a lock that was edited -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cached", [True, False], ids=["cached", "bare"])
@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("n", 2, IntegrityError),
        ("n", 99, IntegrityError),
        ("n", 0, DocumentError),
        ("record", "sha256:" + "0" * 64, IntegrityError),
        ("record", "sha256:zz", DocumentError),
        ("digest", "sha256:" + "0" * 64, DocumentError),
        ("publication", "20250101T000000Z-000000000000", DocumentError),
        ("publication", "../../etc", DocumentError),
        ("environment", "../prod", DocumentError),
    ],
)
def test_a_pin_edited_by_hand_is_not_obeyed(
    world: World, field: str, value: object, kind: type[MeshError], *, cached: bool
) -> None:
    world.edit(**{field: value})
    before = files_below(world.folder)
    with pytest.raises(kind) as caught:
        world.sync(locked=True, registry=world.registry if cached else Registry(world.store))
    assert "\n  next: " in str(caught.value)
    assert files_below(world.folder) == before


def forge(world: World, n: int, **changes: Any) -> None:
    """Another record in the place of record n, and whatever follows it named anew."""
    log = Registry(world.store).log("dbt_up", "prod")
    records = [entry.record for entry in log.entries()][::-1]
    previous = records[n - 1].previous
    for record in records[n - 1 :]:
        changed = msgspec.structs.replace(record, previous=previous, **(changes if record.n == n else {}))
        world.store._objects[layout.log_key("dbt_up", "prod", record.n)] = StoredObject(
            content=encode_record(changed), tag="forged"
        )
        previous = log.require(record.n).sha256


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize("published", [1, 2])
def test_another_history_is_told_from_the_lock_alone(tmp_path: Path, published: int, *, locked: bool) -> None:
    """A fresh machine has no cache; at the same number and below a higher one stands another record."""
    world = World(tmp_path)
    world.sync()
    if published == 2:
        world.publish(2)
    forge(world, 1, reason="rewritten")
    before = files_below(world.folder)
    with pytest.raises(IntegrityError) as caught:
        world.sync(locked=locked, registry=Registry(world.store))
    assert caught.value.exit_code == 3
    assert files_below(world.folder) == before


# -- upgrade -----------------------------------------------------------------------------------------------------------


def test_an_upgrade_of_one_leaves_the_other_at_its_pin(world: World) -> None:
    synced = world.sync(upgrade=frozenset({"dbt_up"}))
    assert world.pins() == {"dbt_up": 2, "dbt_other": 1}
    assert [read.before.n if read.before else None for read in synced.upstreams] == [1, 1]
    assert ("Build 2." in world.built(), "Build 1." in world.built("dbt_other")) == (True, True)


def test_an_upgrade_of_all_is_a_sync(world: World) -> None:
    world.sync(upgrade=frozenset())
    assert world.pins() == {"dbt_up": 2, "dbt_other": 2}


def test_an_upgrade_in_a_check_writes_nothing(world: World) -> None:
    before = files_below(world.folder)
    assert world.sync(upgrade=frozenset({"dbt_up"}), dry_run=True).drift
    assert files_below(world.folder) == before


def test_an_upgrade_reads_an_upstream_without_a_pin_as_it_is_now(world: World) -> None:
    (world.folder / LOCK).unlink()
    world.sync(upgrade=frozenset({"dbt_up"}))
    assert world.pins() == {"dbt_up": 2, "dbt_other": 2}


def test_an_upgrade_for_one_upstream_alone_keeps_the_others_pin(world: World) -> None:
    world.sync("dbt_up", upgrade=frozenset({"dbt_up"}), complete=False)
    assert world.pins() == {"dbt_up": 2, "dbt_other": 1}


# -- what moves a log and nobody's pin ---------------------------------------------------------------------------------


def test_an_approval_moves_no_pin_and_no_file(world: World) -> None:
    world.sync()
    before = files_below(world.folder)
    approval = Approval(rule="r", object="dbt_up.orders", until="2099-01-01", reason="ok")
    approve(world.amend(1), world.registry, approval)
    world.now = YEAR
    world.collect()
    synced = world.sync()
    assert synced.drift == ()
    assert world.sync(locked=True, registry=Registry(world.store)).drift == ()
    assert files_below(world.folder) == before


def test_a_rollback_moves_the_pin_forward_to_its_own_record(world: World) -> None:
    world.sync()
    roll_back(world.amend(1), world.registry)
    world.sync()
    assert world.pins()["dbt_up"] == 3
    assert "Build 1." in world.built()
    assert world.sync(locked=True, registry=Registry(world.store)).drift == ()


# -- offline -----------------------------------------------------------------------------------------------------------


def unplugged(world: World) -> Registry:
    class Unplugged(MemoryStore):
        def __getattribute__(self, name: str) -> Any:
            if name in {"get", "head", "first", "keys", "folders", "create", "replace", "delete"}:
                raise AssertionError(name)
            return super().__getattribute__(name)

    return Registry(Unplugged(), cache=world.registry.cache, offline=True)


@pytest.mark.parametrize("asked", [{}, {"locked": True}, {"upgrade": frozenset()}, {"dry_run": True}], ids=str)
def test_offline_gives_what_was_seen_last(world: World, asked: Json) -> None:
    world.sync()
    before = files_below(world.folder)
    assert world.sync(registry=unplugged(world), **asked).drift == ()
    assert files_below(world.folder) == before


def test_offline_after_an_approval_gives_the_same(world: World) -> None:
    approval = Approval(rule="r", object="dbt_up.orders", until="2099-01-01", reason="ok")
    approve(world.amend(1), world.registry, approval)
    world.sync()
    assert world.sync(registry=unplugged(world)).drift == ()


def test_offline_does_not_know_what_was_published_since(world: World) -> None:
    assert [read.publication.n for read in world.sync(registry=unplugged(world)).upstreams] == [1, 1]


def test_offline_of_what_was_never_read_says_so_and_writes_nothing(world: World) -> None:
    before = files_below(world.folder)
    with pytest.raises(RegistryError, match="dbt_new@prod is not in the cache"):
        world.sync("dbt_up", "dbt_new", registry=unplugged(world))
    assert files_below(world.folder) == before


def test_offline_and_locked_on_an_empty_cache_says_so(world: World) -> None:
    shutil.rmtree(world.root / "cache")
    with pytest.raises(RegistryError, match=r"dbt_\w+@prod#1 is not in the cache"):
        world.sync(locked=True, registry=unplugged(world))
