"""The repository's projects, built once by `mesh demo --keep`, for every test that needs a mesh that runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from registry_tools.account.connection import open_session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET: Final = "dbt-mesh"
REPOSITORY = Path(__file__).resolve().parent.parent
_DEMO_SECONDS = 300
_COMMAND_SECONDS = 120
_INSTALLED = ("mesh_packages", "dbt_packages", "package-lock.yml")
_COPIED = ("mesh.yml", "dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package", "examples", "snowflake_setup")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningMesh:
    """Where the demo's projects are, what it printed, and the environment in which commands reach its servers.

    `registry` and `locks` are what stood in the bucket and in each project's mesh.lock when the demo had ended: several
    tests publish and approve in the one mesh.
    """

    root: Path
    printed: str
    environment: dict[str, str]
    registry: Mapping[str, bytes]
    locks: Mapping[str, bytes]

    def run(self, folder: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One command in a folder of the mesh, its output kept."""
        return self._call(folder, list(words))

    def shell(self, folder: str, line: str) -> subprocess.CompletedProcess[str]:
        """One line as a person types it."""
        return self._call(folder, ["bash", "-c", line])

    def compiled(self, project: str, model: str, *flags: str) -> str:
        """The SQL that dbt compiles for a model with these flags, in a target folder of its own."""
        target = f"target_{abs(hash((model, flags)))}"
        run = self.run(project, "dbt", "compile", "--select", model, "--target-path", target, *flags)
        assert run.returncode == 0, run.stdout
        return next((self.root / project / target / "compiled").rglob(f"{model}.sql")).read_text()

    def forget_grants(self) -> None:
        """The warehouse as it was before anybody was granted anything on dbt_up, whatever tests did before."""
        with open_session(self.environment, embedded=True) as session:
            session.run("drop database role if exists DBT_UP_PROD.MESH_PUBLIC_READER")

    def forget_landing(self) -> None:
        """The bucket and the warehouse as they were before anything landed, whatever tests did before."""
        s3 = local_bucket(self.environment)
        for key in _keys(self.environment, "landing/"):
            s3.delete_object(Bucket=BUCKET, Key=key)
        with open_session(self.environment, embedded=True) as session:
            session.run("drop schema if exists DBT_UP_PROD.LANDED cascade")

    def _call(self, folder: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.root / folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_SECONDS,
            check=False,
        )


def local_bucket(environment: Mapping[str, str]) -> "S3Client":
    """A client of the S3 that these variables lead to."""
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )


def _objects(environment: Mapping[str, str]) -> dict[str, bytes]:
    """Everything in the registry, by its key below the root."""
    s3, keys = local_bucket(environment), _keys(environment, "registry/")
    return {key.removeprefix("registry"): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def _keys(environment: Mapping[str, str], prefix: str) -> list[str]:
    pages = local_bucket(environment).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


@contextmanager
def running_mesh(checkout: Path) -> Iterator[RunningMesh]:
    """Copy what a clone holds, run the demo there, and stop its servers afterwards."""
    for name in _COPIED:
        source = REPOSITORY / name
        made = shutil.ignore_patterns(
            "target", "logs", "state", "_mesh_*.yml", "mesh.lock", "dbt_loom.config.yml", *_INSTALLED
        )
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=made)
        else:
            shutil.copy(source, checkout / name)
    home = checkout / "home"
    home.mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "HOME": str(home), "USER": "ann"}
    root = checkout / ".mesh" / "demo"
    demo = subprocess.run(
        ["mesh", "demo", "--keep"],
        cwd=checkout,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_DEMO_SECONDS,
        check=False,
    )
    try:
        assert demo.returncode == 0, demo.stdout
        exports = subprocess.run(
            ["bash", "-c", f"set -a; source {root}/.mesh/local/env; env -0"],
            env=environment,
            text=True,
            capture_output=True,
            check=True,
        )
        pairs = (entry.partition("=") for entry in exports.stdout.split("\0") if entry)
        # The demo has been measured; dbt alone, from here on, is not ours to measure and slower by half with it.
        variables = {name: value for name, _, value in pairs if not name.startswith("COVERAGE_")}
        yield RunningMesh(
            root=root,
            printed=demo.stdout,
            environment=variables,
            registry=_objects(variables),
            locks={lock.parent.name: lock.read_bytes() for lock in root.glob("*/mesh.lock")},
        )
    finally:
        subprocess.run(["mesh", "local", "down"], cwd=root, env=environment, check=True, capture_output=True)
