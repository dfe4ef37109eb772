"""The three stores, each test on a folder or a prefix of its own."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.s3 import S3Store
from tests.stores.local_s3 import BUCKET, aws_variables, local_s3


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def _no_other_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's AWS settings is seen; until a test says otherwise, nobody listens."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in aws_variables("http://127.0.0.1:1", tmp_path).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def s3_store(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    return S3Store(BUCKET, f"tests/{uuid.uuid4().hex}")


@pytest.fixture(params=["memory", "directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "directory":
        return DirectoryStore(tmp_path / "registry")
    found: S3Store = request.getfixturevalue("s3_store")
    return found


@pytest.fixture
def fresh_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's session remembers the credentials that it found first; here it looks again."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
