"""Which environment of an upstream is read: the first in which it has published, and never because of a failure."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_tools.errors import IntegrityError, Refusal, RegistryError, UsageError
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.cache import Cache
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry
from registry_tools.tasks.sync_mesh import Synced, SyncRequest, sync_mesh
from tests.builders import Json, manifest, node, private, project_folder, publish

BOTH = ("staging", "prod")
Sync = Callable[..., Synced]


class _Unreachable(MemoryStore):
    """A store in which nobody can look below `staging`."""

    def first(self, prefix: str) -> Any:
        if "/staging/" in prefix:
            raise RegistryError("no answer", then="try again")
        return super().first(prefix)


@pytest.fixture
def sync(tmp_path: Path, registry: Registry) -> Sync:
    """Sync dbt_down, built in staging, with dbt_up."""

    def run(**asked: Any) -> Synced:
        used = asked.pop("registry", registry)
        upstream = Upstream(name="dbt_up", environments=asked.pop("environments", ()))
        project = project_folder(tmp_path, "dbt_down")
        fields: Json = {"project": project, "environment": "staging", "reads": BOTH, "upstreams": [upstream]}
        return sync_mesh(SyncRequest(**fields | asked), used)

    return run


@pytest.fixture
def up(tmp_path: Path, registry: Registry) -> Callable[..., None]:
    """Publish dbt_up in these environments."""

    def run(*environments: str, day: int = 1, **asked: Any) -> None:
        for environment in environments:
            at = {"generated_at": f"2026-03-{day:02}T00:00:00Z"}
            document = manifest(node("orders", description=f"{environment} {day}"), metadata=at)
            publish(tmp_path, asked.get("registry", registry), document, environment=environment)

    return run


def _read(synced: Synced) -> tuple[str, tuple[str, ...]]:
    return synced.upstreams[0].publication.environment, synced.upstreams[0].passed_over


def test_the_first_environment_in_which_it_has_published_is_read(sync, up) -> None:
    up("prod")
    assert _read(sync()) == ("prod", ("staging",))
    up("staging")
    assert _read(sync()) == ("staging", ())
    assert sync().upstreams[0].before.environment == "staging"


def test_what_an_upstream_says_of_itself_comes_first(sync, up) -> None:
    up("prod", "staging", "qa")
    assert _read(sync(environments=("nightly", "qa", "prod"))) == ("qa", ("nightly",))


def test_where_nothing_is_published_every_place_that_was_tried_is_named(sync, up) -> None:
    up("qa")
    with pytest.raises(UsageError, match="dbt_up has published nothing in 'prod'; there is qa") as caught:
        sync()
    assert caught.value.details == ("nor has it in staging, which comes before",)


def test_who_cannot_look_does_not_fall_back(sync, up) -> None:
    closed = Registry(_Unreachable())
    up("prod", registry=closed)
    with pytest.raises(RegistryError, match="no answer"):
        sync(registry=closed)


def test_a_log_that_vanished_is_not_one_that_never_was(sync, up, tmp_path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path / "cache")
    kept = Registry(store, cache=cache)
    up(*BOTH, registry=kept)
    sync(registry=kept)
    emptied = MemoryStore()
    emptied.identity = store.identity
    up("prod", registry=Registry(emptied))
    with pytest.raises(IntegrityError, match="rewritten"):
        sync(registry=Registry(emptied, cache=cache))


def test_offline_what_was_never_seen_was_not_published(sync, up, tmp_path) -> None:
    store, cache = MemoryStore(), Cache(tmp_path / "cache")
    up("prod", registry=Registry(store))
    sync(registry=Registry(store, cache=cache))
    assert _read(sync(registry=Registry(store, cache=cache, offline=True))) == ("prod", ("staging",))


def test_a_pin_decides_among_what_is_allowed(sync, up) -> None:
    up("prod")
    sync()
    up("staging")
    assert _read(sync(locked=True)) == ("prod", ())
    with pytest.raises(Refusal, match=r"pins dbt_up@prod, and staging or qa was asked for"):
        sync(locked=True, reads=("staging", "qa"))
    assert sync(upgrade=frozenset()).upstreams[0].changes != ()


def test_the_lock_names_the_environment_that_was_read(sync, up, tmp_path) -> None:
    up("prod")
    sync()
    lock = yaml.safe_load((tmp_path / "dbt_down/mesh.lock").read_text())
    assert lock["upstreams"]["dbt_up"]["environment"] == "prod"


@pytest.mark.parametrize(
    ("published", "choice"),
    [
        (("prod",), (("staging", "prod"), "prod")),
        (("prod", "staging"), (("staging", "prod"), "staging")),
        (("prod", "staging"), (("prod", "staging"), "staging")),  # its own comes first where it is listed
        (("prod", "staging"), (("prod",), "prod")),
        (("prod", "staging"), (("qa", "prod"), "prod")),
        (("staging",), ((), "staging")),
        (("qa",), (("staging", "prod"), None)),
    ],
)
def test_the_own_state_is_of_the_own_environment_first(
    sync, up, registry: Registry, tmp_path, published, choice
) -> None:
    reads, origin = choice
    up("prod", "staging", "qa")
    for environment in published:
        own = manifest(private(f"report_{environment}", "dbt_down"), project="dbt_down")
        publish(tmp_path, registry, own, environment=environment)
    synced = sync(reads=reads)
    assert (synced.own and synced.own.environment) == origin
    nodes = json.loads((tmp_path / "dbt_down/state/manifest.json").read_text())["nodes"]
    assert {name for name in nodes if "report" in name} == ({f"model.dbt_down.report_{origin}"} if origin else set())
