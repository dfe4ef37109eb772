"""kill -9 at every boundary of `mesh publish`: readers keep the last good interface, and the next publish succeeds."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import pytest

from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.location import open_registry
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from registry_tools.tasks.publish_manifest import PublishRequest, publish_manifest
from tests import builders
from tests.registry import ENVIRONMENT, LATEST, PROJECT
from tests.registry.publishing import assert_sound, latest, published
from tests.stores.local_s3 import BUCKET, aws_variables, local_s3

REPOSITORY = Path(__file__).resolve().parent.parent.parent
_BEYOND = 1_000_000
_WORKERS = 2


def manifest(k: int) -> builders.Json:
    """The k-th build: it has k public models, one of them grown out of an upstream model."""
    upstream = builders.foreign("leads", "crm")
    first = builders.node("m1", depends_on={"macros": [], "nodes": ["model.crm.leads"]})
    others = [builders.node(f"m{n}") for n in range(2, k + 1)]
    generated = f"2026-01-23T06:45:{k:02d}.000000Z"
    return builders.manifest(upstream, first, *others, metadata={"generated_at": generated})


class Scene:
    """One project folder, one registry, and `earlier` publications in it."""

    def __init__(self, folder: Path, root: str, earlier: int) -> None:
        self.folder, self.root, self.earlier = folder, root, earlier
        for k in range(1, earlier + 1):
            self.publish(k)
        builders.project_folder(folder, PROJECT, manifest(earlier + 1))

    @cached_property
    def registry(self) -> Registry:
        return open_registry(self.root)

    @property
    def store(self) -> ObjectStore:
        return self.registry.store

    def publish(self, k: int) -> int:
        project = builders.project_folder(self.folder, PROJECT, manifest(k))
        request = PublishRequest(project=project, environment=ENVIRONMENT)
        return publish_manifest(request, self.registry).publication.n

    def killed(self, k: int) -> int | None:
        """Publish the next one, killed at boundary k; the number of boundaries if there were fewer."""
        report = self.folder / "report"
        words = ["publish", "--registry", self.root, "--env", ENVIRONMENT, "--project-dir", str(self.folder / PROJECT)]
        run = subprocess.run(
            [sys.executable, "-m", "tests.registry.killed", str(k), str(report), *words],
            cwd=REPOSITORY,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if report.exists():
            assert run.returncode == 0, run.stderr
            return int(report.read_text())
        assert run.returncode == -signal.SIGKILL, run.stderr
        return None

    def assert_whole(self) -> None:
        """Readers have the publication before or the one that was killed, and nothing between the two."""
        assert_sound(self.store)
        log = published(self.store)
        assert len(log) in {self.earlier, self.earlier + 1}
        if log:
            record = self.registry.require(PROJECT, ENVIRONMENT)
            interface, _ = self.registry.interface(PROJECT, ENVIRONMENT, record)
            assert [model.name for model in interface.models] == [f"m{n}" for n in range(1, len(log) + 1)]
        plain = latest(self.store)
        assert (plain[1] if plain else 0) in {self.earlier, self.earlier + 1}
        assert (plain[1] if plain else 0) <= len(log)

    def assert_finished(self, *numbers: int) -> None:
        """Publishing these succeeds, whatever the killed one has left, and the registry holds them once each."""
        for k in numbers:
            assert self.publish(k) == len(published(self.store))
        assert_sound(self.store)
        log = published(self.store)
        assert latest(self.store) == (log[-1], len(log))
        own = [key for key in self.store.keys("") if not key.startswith("_edges/")]
        assert all(key.endswith((".json", ".json.zst")) for key in own), own
        assert not any("/." in key or ".part" in key for key in own)
        assert [key for key in own if "/log/" in key or "/latest/" in key] == [
            LATEST,
            *(f"{PROJECT}/{ENVIRONMENT}/log/{999_999_999_999 - n:012d}.json" for n in range(len(log), 0, -1)),
        ]


@pytest.mark.parametrize("earlier", [0, 1])
def test_killed_at_every_boundary_of_a_directory(tmp_path: Path, earlier: int) -> None:
    origin = Scene(tmp_path / "origin", str(tmp_path / "origin/registry"), earlier)

    def copy(name: str) -> Scene:
        shutil.copytree(origin.folder, tmp_path / name)
        scene = Scene.__new__(Scene)
        scene.folder, scene.root, scene.earlier = tmp_path / name, str(tmp_path / name / "registry"), earlier
        return scene

    def survive(k: int) -> None:
        scene = copy(f"killed-{k}")
        assert scene.killed(k) is None
        scene.assert_whole()
        if k % 2:
            scene.assert_finished(earlier + 1, earlier + 2)  # the same job again, then the next build
        else:
            scene.assert_finished(earlier + 2)  # nobody runs the killed job again

    boundaries = copy("not-killed").killed(_BEYOND)
    assert boundaries is not None
    assert boundaries >= 30
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(survive, range(boundaries)))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.mark.parametrize("earlier", [0, 1])
def test_killed_at_every_put_to_s3(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch, earlier: int
) -> None:
    for name, value in aws_variables(endpoint, tmp_path).items():
        monkeypatch.setenv(name, value)

    def survive(k: int) -> int | None:
        scene = Scene(tmp_path / f"killed-{k}", f"s3://{BUCKET}/{uuid.uuid4().hex}", earlier)
        boundaries = scene.killed(k)
        scene.assert_whole()
        scene.assert_finished(*([earlier + 1] if k % 4 < 2 else []), earlier + 2)
        return boundaries

    boundaries = survive(_BEYOND)
    assert boundaries == 2 * 6  # state, interface, usage, edge, record, latest: before and after each
    with ThreadPoolExecutor(_WORKERS) as pool:
        assert list(pool.map(survive, range(boundaries))) == [None] * boundaries


def test_a_directory_shows_no_temporary_file_of_the_killed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, str(tmp_path / "registry"), 1)
    assert scene.killed(5) is None
    assert isinstance(scene.store, DirectoryStore)
    assert not [key for key in scene.store.keys("") if ".part" in key]
