"""No unit test reaches a network, a person's home directory or a mesh that the machine is set up for."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    disable_socket()
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def _nobody_at_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(home / "gitconfig"))
    jobs = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "JENKINS_URL")
    for variable in (*jobs, "DBT_MESH_REGISTRY", "DBT_MESH_BUCKET", "DBT_TARGET_PATH"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def registry(store: MemoryStore) -> Registry:
    return Registry(store)
