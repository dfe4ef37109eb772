"""The repository's projects, built once by `mesh demo --keep`, for every test that needs a mesh that runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_DEMO_SECONDS = 300
_COMMAND_SECONDS = 120
_INSTALLED = ("mesh_packages", "dbt_packages", "package-lock.yml")
_COPIED = ("mesh.yml", "dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package", "examples", "snowflake_setup")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningMesh:
    """Where the demo's projects are, what it printed, and the environment in which commands reach its servers."""

    root: Path
    printed: str
    environment: dict[str, str]

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
        yield RunningMesh(root=root, printed=demo.stdout, environment=variables)
    finally:
        subprocess.run(["mesh", "local", "down"], cwd=root, env=environment, check=True, capture_output=True)
