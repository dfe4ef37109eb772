"""Flags and a folder in, the registry that they mean out, with this machine's cache."""

import os
from dataclasses import dataclass
from pathlib import Path

from registry_tools.intake.project import read_project
from registry_tools.mesh.selector import Selector, parse_selector
from registry_tools.registry.cache import Cache, cache_folder
from registry_tools.registry.location import open_registry
from registry_tools.registry.publications import Registry
from registry_tools.settings import PRODUCTION, Flags, Mesh, find_mesh, registry_root


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A registry, the root by which people know it, and the mesh that it belongs to."""

    registry: Registry
    root: str
    mesh: Mesh


def open_from(where: Flags, folder: Path, *, offline: bool = False) -> Opened:
    """The registry that the flags, the environment or the mesh.yml of `folder` name. Raises UsageError for none."""
    mesh = find_mesh(folder, os.environ)
    root = registry_root(where, mesh, os.environ, folder.resolve())
    registry = open_registry(root, mesh.s3, cache=Cache(cache_folder(os.environ)), offline=offline)
    return Opened(registry=registry, root=root, mesh=mesh)


def readings_of(project: str) -> Path:
    """Where this machine keeps what the SQL of a project reads."""
    return cache_folder(os.environ) / "readings" / f"{project}.msgpack"


def selected(text: str | None, folder: Path, environment: str | None = None) -> Selector:
    """What was typed; a project alone, or the project of `folder` where nothing was, is meant in `environment`, or in
    production.
    """
    environment = environment or os.environ.get("DBT_MESH_ENV") or PRODUCTION
    return parse_selector(text or read_project(folder, os.environ).name, environment)
