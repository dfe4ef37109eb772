"""The meshes of tests/cases/deployments, as the files that are rendered of them."""

from collections.abc import Iterable
from pathlib import Path

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.mesh.deployment import Deployment
from registry_tools.settings import deployment_of, read_mesh
from tests.running import REPOSITORY

CASES = sorted(path.parent for path in (REPOSITORY / "tests/cases/deployments").glob("*/mesh.yml"))


def deployment_in(folder: Path) -> Deployment:
    """What the mesh.yml of this folder describes."""
    return deployment_of(read_mesh(folder / "mesh.yml", {}))


def written(folder: Path, text: str) -> Deployment:
    """What this text describes, once it stands in a mesh.yml in this folder."""
    (folder / "mesh.yml").write_text(text, encoding="utf-8")
    return deployment_in(folder)


def told(files: Iterable[GeneratedFile]) -> str:
    """The files one below the other, each with its path above it."""
    return "\n".join(f"=== {file.path.as_posix()} ===\n{file.content.decode()}" for file in files)
