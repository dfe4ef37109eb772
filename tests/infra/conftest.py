"""A bucket behind the golden policies, and nothing of this machine's AWS settings."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry_tools.registry.cache import Cache
from registry_tools.registry.location import open_registry
from registry_tools.registry.publications import Registry
from tests.infra.golden_policies import BUCKET
from tests.infra.guarded_s3 import MODULE
from tests.stores.local_s3 import aws_variables, child_server

As = Callable[..., Registry]


@pytest.fixture
def guarded_s3(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "server").mkdir()
    with child_server(tmp_path / "server", MODULE, "--bucket", BUCKET) as endpoint:
        yield endpoint


@pytest.fixture(params=["boto3", "signed"])
def become(
    request: pytest.FixtureRequest, guarded_s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Has what follows done in this role; reads go through either door."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in aws_variables(guarded_s3, tmp_path).items():
        monkeypatch.setenv(name, value)
    if request.param == "boto3":
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
