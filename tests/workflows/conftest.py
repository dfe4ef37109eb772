"""One world for all runs of workflows; each test leaves its branch and what it told GitHub behind, and nothing else."""

from collections.abc import Iterator

import pytest

from tests.running import RunningMesh
from tests.workflows.world import World, make_world


@pytest.fixture(scope="session")
def _world(demo: RunningMesh, tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("workflows"), demo)


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    before = _world.github
    yield _world
    _world.git("switch", "--quiet", "main")
    _world.change_github(**before)
