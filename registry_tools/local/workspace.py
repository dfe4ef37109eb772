"""A mesh's folder in, a fresh copy of its projects out, so that the demo builds without touching the checkout."""

import shutil
from pathlib import Path
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh.upstream import STUBS_FOLDER
from registry_tools.settings import FILE, Mesh

PROFILES: Final = "snowflake_setup"
# What dbt and mesh make: the demo makes it again.
_MADE: Final = shutil.ignore_patterns(
    *("target", "logs", "state", "dbt_packages", "package-lock.yml"),
    *(".mesh", "mesh.lock", STUBS_FOLDER, "_mesh_*.yml", "dbt_loom.config.yml"),
)


def copy_mesh(mesh: Mesh, workspace: Path) -> None:
    """Replace `workspace` by a copy of mesh.yml, its projects and profiles. Raises UsageError without a mesh.yml."""
    if mesh.file is None or not mesh.projects:
        raise UsageError(
            "the demo needs a mesh.yml with its projects here or above",
            then="run it in a checkout of this repository",
        )
    root = mesh.file.parent
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    shutil.copy(mesh.file, workspace / FILE)
    for folder in (root / PROFILES, *(project.path for project in mesh.projects.values())):
        if not folder.is_dir():
            raise UsageError(f"{folder} is not there", where=str(mesh.file), then="correct projects.*.path in mesh.yml")
        shutil.copytree(folder, workspace / folder.relative_to(root), ignore=_MADE)
