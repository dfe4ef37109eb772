"""One world for all runs of workflows; what a test did to the repository and told GitHub is taken back."""

from collections.abc import Iterator

import pytest

from tests.running import RunningMesh
from tests.workflows.world import World, make_world


@pytest.fixture(scope="session")
def _world(demo: RunningMesh, tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("workflows"), demo)


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    github, main = _world.github, _world.git("rev-parse", "main")
    yield _world
    _world.git("switch", "--quiet", "--discard-changes", "main")
    _world.git("reset", "--quiet", "--hard", main)
    _world.git("clean", "--quiet", "--force", "-d")
    _world.change_github(**github)
