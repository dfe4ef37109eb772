"""A way of reading upstreams in, the fixture consumer as somebody would write it for that way out, synchronised."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry_tools.artifacts.yaml_text import yaml_text
from tests.matrix.engines import FIXTURES, environment

UPSTREAMS: Final = ("shop", "legacy")
_SPELLED: Final = re.compile(r"upstream\('(\w+)', '(\w+)'(?:, v=(\d+))?\)")
_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """The consumer in `folder`, which reads its upstreams from `registry` in this way, and as sources what the way
    cannot name: dbt-loom takes the quotes off a table's name, and all of `legacy` is quoted.
    """

    root: Path
    way: str
    registry: Path

    @property
    def folder(self) -> Path:
        """Its dbt project."""
        return self.root / "reader"

    def way_of(self, upstream: str) -> str:
        """How it reads one of them."""
        return "sources" if (self.way, upstream) == ("loom", "legacy") else self.way

    def write(self) -> None:
        """The fixture's texts, with every reference spelled for this way, and mesh.yml beside them."""
        shutil.copytree(FIXTURES / "reader", self.folder)
        for path in self.folder.rglob("*.*"):
            path.write_text(self.spelled(path.read_text()))
        if self.way == "package":
            listed = {"packages": [{"local": f"mesh_packages/{upstream}"} for upstream in UPSTREAMS]}
            (self.folder / "packages.yml").write_text(yaml_text(listed))

    def spelled(self, text: str) -> str:
        """The text with `upstream('shop', 'products', v=1)` as this way has it."""
        return _SPELLED.sub(self._reference, text)

    def sync(self, databases: Mapping[str, Mapping[str, str]] | None = None, *, mixed: bool = True) -> str:
        """Run mesh sync, with the databases of each upstream renamed, and return what it printed.

        Unless it may be `mixed`, every upstream is read in the one way, able or not.
        """
        upstreams = {
            name: {
                "as": self.way_of(name) if mixed else self.way,
                "tests": True,
                "databases": dict((databases or {}).get(name, {})),
            }
            for name in UPSTREAMS
        }
        projects = {"reader": {"path": "reader", "upstreams": upstreams}}
        described = {"version": 1, "registry": str(self.registry), "projects": projects}
        (self.root / "mesh.yml").write_text(yaml_text(described))
        return mesh("sync", "--env", "prod", folder=self.folder)

    def _reference(self, found: re.Match[str]) -> str:
        project, model, version = found.groups()
        if self.way_of(project) == "sources":
            return f"source('{project}', '{model}{f'_v{version}' if version else ''}')"
        return f"ref('{project}', '{model}'{f', v={version}' if version else ''})"


def mesh(*words: str, folder: Path) -> str:
    """One command of ours in a folder, as a person types it, which has to succeed; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "registry_tools", *words],
        cwd=folder,
        env=environment({"DBT_MESH_CACHE": str(folder.parent / "cache")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
