"""kill -9 at every boundary of publish, rollback and gc: readers have the state before or after, and running the same
command again finishes it once.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import boto3
import pytest

from registry_tools.mesh.publication import Actor
from registry_tools.registry.cache import Cache
from registry_tools.registry.collection import Retention, collect, plan_collection
from registry_tools.registry.inspection import Fault as Finding
from registry_tools.registry.inspection import inspect, repair
from registry_tools.registry.location import open_registry
from registry_tools.registry.log import Log
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from registry_tools.tasks.publish_manifest import PublishRequest, publish_manifest
from tests import builders
from tests.registry import ENVIRONMENT, LATEST, PROJECT, killed
from tests.registry.faults import Crash, Fault, FaultyStore, at
from tests.registry.publishing import latest, moment, publication_id, publish, records
from tests.stores.aging_s3 import MODULE, put_forward
from tests.stores.local_s3 import BUCKET, aws_variables, local_s3

_WORKERS: Final = 2
_DAY: Final = 24 * 3600
_ORPHAN: Final = 40
# What a crash may leave: files whose publisher never committed, and a view of the log that is behind it.
_LEFT: Final = {"orphan", "stale-latest"}

Tick = Callable[[Sequence["Scene"], int], None]


def manifest(k: int) -> builders.Json:
    """The k-th build: it has k public models, one of them grown out of an upstream model."""
    upstream = builders.foreign("leads", "crm")
    first = builders.node("m1", depends_on={"macros": [], "nodes": ["model.crm.leads"]})
    others = [builders.node(f"m{n}") for n in range(2, k + 1)]
    generated = f"2026-01-23T06:45:{k:02d}.000000Z"
    return builders.manifest(upstream, first, *others, metadata={"generated_at": generated})


@dataclass(frozen=True)
class State:
    """All that a registry holds, and what readers make of it."""

    objects: dict[str, bytes]
    log: Sequence[tuple[object, ...]]
    plain: tuple[str, int] | None


@dataclass
class Scene:
    """A folder with a project and a cache in it, and a registry."""

    folder: Path
    root: str
    environment: dict[str, str] = field(default_factory=dict)

    @cached_property
    def registry(self) -> Registry:
        return open_registry(self.root, cache=Cache(self.folder / "cache"))

    @property
    def store(self) -> ObjectStore:
        return self.registry.store

    def build(self, k: int) -> None:
        builders.project_folder(self.folder, PROJECT, manifest(k))

    def publish(self, k: int) -> int:
        project = builders.project_folder(self.folder, PROJECT, manifest(k))
        request = PublishRequest(project=project, environment=ENVIRONMENT)
        return publish_manifest(request, self.registry).publication.n

    def run(self, words: Sequence[str], kill_at: int | None = None) -> killed.Ended | None:
        variables = {**os.environ, **self.environment, "DBT_MESH_CACHE": str(self.folder / "cache")}
        return killed.run([*words, "--registry", self.root], variables, self.folder, kill_at)

    def finish(self, words: Sequence[str]) -> int:
        """Run it to its end; the number of its boundaries."""
        ended = self.run(words)
        assert ended is not None
        assert ended.code == 0, ended.printed
        return ended.boundaries

    def state(self) -> State:
        objects = {}
        for key in self.store.keys(""):
            stored = self.store.get(key)
            assert stored is not None
            objects[key] = stored.content
        log = [(r.op, r.publication, r.current, r.made_current, r.digest, r.expired) for r in records(self.store)]
        return State(objects=objects, log=log, plain=latest(self.store))

    def findings(self) -> list[Finding]:
        return list(inspect(self.registry, PROJECT, ENVIRONMENT))


def assert_between(now: State, before: State, after: State) -> None:
    """Whoever reads gets what was before or what is to come, and nothing that both have is gone or has other bytes."""
    assert now.log in [before.log, after.log]
    assert now.plain in [before.plain, after.plain]
    assert (now.plain or ("", 0))[1] <= len(now.log)
    assert now.objects.keys() <= before.objects.keys() | after.objects.keys()
    kept = before.objects.keys() & after.objects.keys() - {LATEST}
    assert {key: now.objects.get(key) for key in kept} == {key: before.objects[key] for key in kept}


def survive(scene: Scene, words: Sequence[str], k: int, before: State, after: State) -> None:
    """Killed at boundary k: readers are served, fsck finds what a crash may leave, and once more is once."""
    assert scene.run(words, k) is None
    assert_between(scene.state(), before, after)
    found = scene.findings()
    assert {finding.rule for finding in found} <= _LEFT
    if k % 2:
        assert all(repair(scene.registry, finding) for finding in found if finding.rule == "stale-latest")
        assert {finding.rule for finding in scene.findings()} <= {"orphan"}
    scene.finish(words)
    now = scene.state()
    assert (now.log, now.plain, now.objects.keys()) == (after.log, after.plain, after.objects.keys())
    assert scene.findings() == []


# -- the three commands, each upon a registry that has something to lose ----------------------------------------------


def before_publish(earlier: int) -> Callable[[Sequence[Scene], Tick], None]:
    def prepare(scenes: Sequence[Scene], _tick: Tick) -> None:
        for scene in scenes:
            for k in range(1, earlier + 2):
                (scene.publish if k <= earlier else scene.build)(k)

    return prepare


def before_rollback(scenes: Sequence[Scene], _tick: Tick) -> None:
    for scene in scenes:
        for k in range(1, 4):
            publish(scene.store, k)


def before_gc(scenes: Sequence[Scene], tick: Tick) -> None:
    """1 was given up more than a week ago, 2 is to be given up now, 3 is kept, and one publisher never committed."""
    for scene in scenes:
        publish(scene.store, 1)
        publish(scene.store, 2)
        with pytest.raises(Crash):
            publish(FaultyStore(scene.store, at("/log/", Fault.CRASH_BEFORE)), _ORPHAN)
    tick(scenes, 2 * _DAY)
    for scene in scenes:
        plan = plan_collection(scene.registry, PROJECT, ENVIRONMENT, Retention(publications=1, days=1))
        assert collect(scene.registry, plan, Actor(), moment(3))[0]
    tick(scenes, 8 * _DAY)
    for scene in scenes:
        publish(scene.store, 3)
    tick(scenes, 2 * _DAY)


PUBLISH: Final = ["publish", "--env", ENVIRONMENT, "--project-dir", PROJECT]
ROLLBACK: Final = ["rollback", f"{PROJECT}@{ENVIRONMENT}#1", "--reason", "2 and 3 are wrong"]
GC: Final = ["gc", f"{PROJECT}@{ENVIRONMENT}", "--keep", "1", "--keep-days", "1", "--delete"]
COMMANDS: Final = {
    "first publish": (PUBLISH, before_publish(0), {"publish"}, 0),
    "publish": (PUBLISH, before_publish(1), {"publish"}, 0),
    "rollback": (ROLLBACK, before_rollback, {"rollback"}, 0),
    "gc": (GC, before_gc, {"expire"}, 6),
}


def assert_told(command: str, before: State, after: State) -> None:
    """The command that is about to be killed does what it is for, so that its boundaries are worth something."""
    _, _, ops, deletions = COMMANDS[command]
    assert after.log[: len(before.log)] == before.log
    assert {entry[0] for entry in after.log[len(before.log) :]} == ops
    gone = before.objects.keys() - after.objects.keys()
    assert len(gone) == deletions
    assert all(publication_id(1) in key or publication_id(_ORPHAN) in key for key in gone)


# -- on a directory ---------------------------------------------------------------------------------------------------


def age_folder(scenes: Sequence[Scene], seconds: int) -> None:
    for scene in scenes:
        for path in Path(scene.root).rglob("*"):
            written = path.stat().st_mtime - seconds
            os.utime(path, (written, written))


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_every_boundary_on_a_directory(tmp_path: Path, command: str) -> None:
    words, prepare, _, _ = COMMANDS[command]
    origin = Scene(tmp_path / "origin", str(tmp_path / "origin/registry"))
    origin.folder.mkdir()
    prepare([origin], age_folder)
    before = origin.state()

    def copy(name: str) -> Scene:
        shutil.copytree(origin.folder, tmp_path / name)
        return Scene(tmp_path / name, str(tmp_path / name / "registry"))

    whole = copy("whole")
    boundaries = whole.finish(words)
    after = whole.state()
    assert_told(command, before, after)
    assert boundaries >= 20

    def attempt(k: int) -> None:
        scene = copy(f"killed-{k}")
        survive(scene, words, k, before, after)
        assert publish(scene.store, 50)[0].n == len(after.log) + 1
        shutil.rmtree(scene.folder)

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(attempt, range(boundaries)))


# -- on S3 over HTTP --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3"), MODULE) as found:
        yield found


# Before and after each of: state, interface, usage, one of them again (to see whether a store that is not Amazon's
# declines), edge, record, latest; record, latest; record, six deletions.
@pytest.mark.parametrize(("command", "requests"), [("first publish", 7), ("publish", 7), ("rollback", 2), ("gc", 7)])
def test_killed_at_every_request_to_s3(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch, command: str, requests: int
) -> None:
    variables = dict(aws_variables(endpoint, tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "Session", lambda: killed.SESSION)
    words, prepare, _, _ = COMMANDS[command]
    scenes = [Scene(tmp_path / str(k), f"s3://{BUCKET}/{uuid.uuid4().hex}", variables) for k in range(2 * requests + 1)]
    for scene in scenes:
        scene.folder.mkdir()
    prepare(scenes, lambda _scenes, seconds: put_forward(endpoint, seconds))
    before = scenes[-1].state()
    assert scenes[-1].finish(words) == 2 * requests
    after = scenes[-1].state()
    assert_told(command, before, after)

    def attempt(k: int) -> None:
        ours = replace(before, objects=scenes[k].state().objects)
        survive(scenes[k], words, k, ours, after)
        assert publish(scenes[k].store, 50)[0].n == len(after.log) + 1

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(attempt, range(2 * requests)))


def test_a_directory_shows_no_temporary_file_of_the_killed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, str(tmp_path / "registry"))
    scene.publish(1)
    scene.build(2)
    parts = []
    for k in range(12):
        assert scene.run(PUBLISH, k) is None
        parts = list(Path(scene.root).rglob("*.part"))
    assert parts
    assert not [key for key in scene.store.keys("") if ".part" in key]
    assert Log(scene.store, PROJECT, ENVIRONMENT).newest()
