"""A bucket behind the golden policies, and nothing of this machine's AWS settings."""

import os
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry_tools.registry.cache import Cache
from registry_tools.registry.location import open_registry
from registry_tools.registry.publications import Registry
from tests.infra.golden_policies import BUCKET
from tests.infra.guarded_s3 import EMPTY, MODULE
from tests.stores.local_s3 import aws_variables, child_server

As = Callable[..., Registry]


@pytest.fixture(scope="module")
def guarded_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with child_server(tmp_path_factory.mktemp("guarded"), MODULE, "--bucket", BUCKET) as endpoint:
        yield endpoint


@pytest.fixture
def door() -> str:
    """How reads go: `signed`, as in a CI job, or `boto3`."""
    return "signed"


@pytest.fixture
def become(guarded_s3: str, door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has what follows done in this role, on an empty bucket."""
    with urllib.request.urlopen(f"{guarded_s3}{EMPTY}") as answer:  # noqa: S310  # our own server
        assert answer.status == 200
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in aws_variables(guarded_s3, tmp_path).items():
        monkeypatch.setenv(name, value)
    if door == "boto3":
        Path(os.environ["AWS_CONFIG_FILE"]).write_text("[default]\n")

    def as_role(role: str) -> None:
        import boto3

        monkeypatch.setenv("AWS_ACCESS_KEY_ID", role)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    return as_role


@pytest.fixture
def as_role(become: Callable[[str], None], tmp_path: Path) -> As:
    """The registry as a role sees it, with a cache of its own each time, as a CI job has it."""

    def registry(role: str) -> Registry:
        become(role)
        return open_registry(f"s3://{BUCKET}/registry", cache=Cache(tmp_path / uuid.uuid4().hex))

    return registry
