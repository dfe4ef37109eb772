"""What tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.running import RunningMesh, running_mesh


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """The demo's mesh, still running; started when the first test asks for it."""
    with running_mesh(tmp_path_factory.mktemp("checkout")) as running:
        yield running


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share the running mesh on one worker, so that it is started once."""
    for item in items:
        if "demo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.mesh)
            item.add_marker(pytest.mark.xdist_group("mesh"))
