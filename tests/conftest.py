"""What tests of several folders share."""

import os
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import settings

from tests.running import RunningMesh, running_mesh

# A test is red for what was changed, and not for what was drawn: it draws the same every time, and `make laws` draws
# anew. And it is about values: a slow machine must not break it.
_DRAWN_ANEW: Final = os.environ.get("LAW_EXAMPLES")
settings.register_profile(
    "laws",
    max_examples=int(_DRAWN_ANEW or 100),
    derandomize=_DRAWN_ANEW is None,
    database=None,
    deadline=None,
)
settings.load_profile("laws")


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
