"""What tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.running import RunningMesh, running_mesh


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests want to be read also when they pass, such as how many histories were simulated."""
    for report in terminalreporter.getreports("passed"):
        for told in (value for name, value in report.user_properties if name == "told"):
            terminalreporter.write_sep("-", report.nodeid)
            terminalreporter.write_line(str(told))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees what another one, or this machine, has read."""
    monkeypatch.setenv("DBT_MESH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """The demo's mesh, still running; started when the first test asks for it."""
    with running_mesh(tmp_path_factory.mktemp("checkout")) as running:
        yield running
