"""A folder in, everything that measures need made in it out: projects with manifests, registries, loopback servers."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks import timing
from benchmarks.manifests import Shape, write_manifest

BUCKET: Final = "mesh"
_PATIENCE: Final = 60.0


class NotMeasurableError(Exception):
    """Something that a row needs is not on this machine."""


class Workshop:
    """Makes each thing once, when a row asks for it, and ends the servers that it started."""

    def __init__(self, folder: Path, *, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.environment = _environment(folder)
        self._servers: dict[tuple[str, ...], str] = {}
        self._stack = ExitStack()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def new_folder(self, what: str) -> Path:
        """An empty folder that nobody had before."""
        folder = self.folder / f"{what}_{next(self._numbers)}"
        folder.mkdir(parents=True)
        return folder

    def project(self, shape: Shape) -> Path:
        """A dbt project of this shape, built: its manifest stands in target/."""
        folder = self.folder / f"{shape.project}_{shape.models}_{shape.public_names}"
        if not (folder / "dbt_project.yml").exists():
            write_manifest(folder / "target/manifest.json", shape)
            (folder / "dbt_project.yml").write_text(f"name: {shape.project}\n")
        return folder

    def manifest(self, shape: Shape) -> Path:
        """The manifest of such a project."""
        return self.project(shape) / "target/manifest.json"

    def mesh(self, *words: str, folder: Path, endpoint: str | None = None) -> timing.Took:
        """`mesh ...` run in a folder, against the S3 at `endpoint` where there is one."""
        return self.python("-m", "registry_tools", *words, folder=folder, endpoint=endpoint)

    def python(self, *words: str, folder: Path | None = None, endpoint: str | None = None) -> timing.Took:
        """A fresh Python with our packages."""
        return self.run([sys.executable, *words], folder=folder, endpoint=endpoint)

    def run(self, command: Sequence[str], *, folder: Path | None = None, endpoint: str | None = None) -> timing.Took:
        """Any command, away from this machine's own settings."""
        environment = self.environment | (_aws(endpoint, self.folder) if endpoint else {})
        return timing.run(command, folder=folder or self.folder, environment=environment)

    def local_s3(self) -> str:
        """The endpoint of the embedded mesh's S3. Raises NotMeasurableError when it is not installed."""
        if find_spec("moto") is None:
            raise NotMeasurableError("the local S3 is not installed (pip install 'registry-tools[local]')")
        return self._serve("registry_tools.local.bucket", "--bucket", BUCKET)

    def slow_store(self, registry: Path, seconds: float) -> str:
        """The endpoint of an S3 that shows a directory registry, each request delayed."""
        return self._serve("benchmarks.slow_store", str(registry), "--seconds", str(seconds))

    def _serve(self, module: str, *words: str) -> str:
        command = (sys.executable, "-m", module, *words)
        if command not in self._servers:
            folder = self.new_folder("server")
            self._servers[command] = self._started([*command, "--ready", str(folder / "ready")], folder)
        return self._servers[command]

    def _started(self, command: Sequence[str], folder: Path) -> str:
        log = self._stack.enter_context((folder / "log").open("wb"))
        server = subprocess.Popen(command, cwd=_ROOT, env=self.environment, stdout=log, stderr=log)
        self._stack.callback(server.wait)
        self._stack.callback(server.terminate)
        deadline = time.monotonic() + _PATIENCE
        while not (folder / "ready").exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} does not come up:\n{(folder / 'log').read_text()}")
            time.sleep(0.02)
        return f"http://127.0.0.1:{json.loads((folder / 'ready').read_text())['port']}"


def tool(name: str) -> str:
    """Where a command of this machine is. Raises NotMeasurableError when it is nowhere."""
    found = shutil.which(name)
    if found is None:
        raise NotMeasurableError(f"{name} is not on the PATH")
    return found


_ROOT: Final = Path(__file__).parents[1]


def _environment(folder: Path) -> dict[str, str]:
    """No credentials, proxies or settings of the person who measures."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "NO_PROXY": "127.0.0.1",
    }


def _aws(endpoint: str, folder: Path) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
