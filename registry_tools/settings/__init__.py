"""mesh.yml, the environment and flags in, one set of settings out: flags beat variables beat mesh.yml beat defaults."""

from registry_tools.settings.choices import (
    LOCAL_REGISTRY,
    PRODUCTION,
    environments_to_read,
    registry_root,
    upstreams_to_sync,
)
from registry_tools.settings.deployment import deployment_of
from registry_tools.settings.mesh_file import READERS, find_mesh, read_mesh
from registry_tools.settings.values import FILE, Compatibility, Flags, Mesh, Project

__all__ = [
    "FILE",
    "LOCAL_REGISTRY",
    "PRODUCTION",
    "READERS",
    "Compatibility",
    "Flags",
    "Mesh",
    "Project",
    "deployment_of",
    "environments_to_read",
    "find_mesh",
    "read_mesh",
    "registry_root",
    "upstreams_to_sync",
]
