"""Two projects and a registry directory, and the commands in this process with nothing of the machine's settings."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_tools.cli.app import mesh as mesh_command
from tests.stores.local_s3 import local_s3

MINI = Path(__file__).parent / "mini_manifest.json"
_OURS = ("DBT_", "AWS_", "GITHUB_", "CI_", "MESH_")


@dataclass(frozen=True)
class Commands:
    """A folder `up` with the project mini, built, a folder `down` that reads it, and `registry`, empty."""

    root: Path

    @property
    def up(self) -> Path:
        return self.root / "up"

    @property
    def down(self) -> Path:
        return self.root / "down"

    @property
    def registry(self) -> str:
        return str(self.root / "registry")

    def run(self, *words: str) -> Result:
        """One command in the folder that we stand in."""
        return CliRunner().invoke(mesh_command, list(words), prog_name="mesh", catch_exceptions=False)

    def publish(self, *words: str, folder: Path | None = None) -> Result:
        """Publish whatever changed; tests of the check itself say in which mode."""
        words = words if "--mode" in words else ("--mode", "off", *words)
        place = ["--project-dir", str(folder or self.up)]
        return self.run("publish", "--registry", self.registry, "--env", "prod", *place, *words)

    def sync(self, *words: str) -> Result:
        return self.run("sync", "--registry", self.registry, "--project-dir", str(self.down), *words)

    def snapshot(self) -> dict[str, tuple[bytes, int] | None]:
        """Every file and folder below the root, with the bytes and the time of the last change of each file."""
        return {
            str(path.relative_to(self.root)): (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
            for path in sorted(self.root.rglob("*"))
        }


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DBT_MESH_CACHE", str(tmp_path / "cache"))
    found = Commands(tmp_path / "work")
    (found.up / "target").mkdir(parents=True)
    (found.up / "dbt_project.yml").write_text("name: mini\n")
    shutil.copy(MINI, found.up / "target/manifest.json")
    found.down.mkdir()
    (found.down / "dbt_project.yml").write_text("name: reader\n")
    monkeypatch.chdir(found.root)
    return found


def assert_refused(commands: Commands, code: int, *needles: str, words: list[str]) -> str:
    """Run it, and see that it says what, where and what next, in words, and that it wrote nothing anywhere."""
    before = commands.snapshot()
    result = commands.run(*words)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: "), result.stderr
    assert "\n  next: " in result.stderr
    assert "Traceback" not in result.output
    for needle in needles:
        assert needle in result.stderr
    assert commands.snapshot() == before
    return result.stderr


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint
