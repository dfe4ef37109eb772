"""The stores, each test on a folder or a prefix of its own; a bucket is read through either door."""

import os
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import boto3
import pytest

from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.s3 import S3Store
from tests.stores.local_s3 import BUCKET, aws_variables, local_s3

DOORS = ("boto3", "signed")

NewStore = Callable[..., ObjectStore]


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def _no_other_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's AWS settings is seen; until a test says otherwise, nobody listens."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)
    for name, value in aws_variables("http://127.0.0.1:1", tmp_path).items():
        monkeypatch.setenv(name, value)


def open_door(door: str) -> None:
    """Have buckets read so: where there is a settings file, only boto3 knows what it means."""
    if door == "boto3":
        Path(os.environ["AWS_CONFIG_FILE"]).write_text("[default]\n")


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    open_door(request.param)
    return str(request.param)


@pytest.fixture
def s3_store(s3_endpoint: str, door: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    return S3Store(BUCKET, f"tests/{door}/{uuid.uuid4().hex}")


@pytest.fixture(params=["memory", "directory", *DOORS])
def new_store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewStore:
    """Makes a store of this kind, with its own limit of what a reader takes where one is given."""
    if request.param == "memory":
        return MemoryStore
    if request.param == "directory":
        return partial(DirectoryStore, tmp_path / "registry")
    open_door(request.param)
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_endpoint"))
    return partial(S3Store, BUCKET, f"tests/{request.param}/{uuid.uuid4().hex}")


@pytest.fixture
def store(new_store: NewStore) -> ObjectStore:
    return new_store()


@pytest.fixture
def fresh_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's session remembers the credentials that it found first; here it looks again."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
