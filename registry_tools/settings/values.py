"""mesh.yml as values: the mesh, its projects, and what stops a change of their interfaces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from registry_tools.checks.modes import Modes
from registry_tools.mesh.upstream import Upstream
from registry_tools.mesh.verdict import Reach, Unknown
from registry_tools.registry.s3_options import S3Options
from registry_tools.settings.platform_file import MeshPlatform, ProjectPlatform

FILE: Final = "mesh.yml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Compatibility:
    """What stops a change of a project's interface: the mode of each model (checks.decision), whose pins count, and
    whether a change passes of which nobody knows what it does.
    """

    modes: Modes = field(default_factory=Modes)
    reach: Reach = "current"
    unknown: Unknown = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """One project of the mesh."""

    name: str
    path: Path
    owner: Mapping[str, str] = field(default_factory=dict)
    compatibility: Compatibility = field(default_factory=Compatibility)
    readers: str = "named"
    upstreams: tuple[Upstream, ...] = ()
    platform: ProjectPlatform = field(default_factory=ProjectPlatform)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mesh:
    """mesh.yml as read, or what stands for it where there is none.

    `reads` has all environments in their order, and none for those of which it does not say what they read
    (choices.environments_to_read).
    """

    file: Path | None
    registry: str | None = None
    s3: S3Options = field(default_factory=S3Options)
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    compatibility: Compatibility = field(default_factory=Compatibility)
    platform: MeshPlatform = field(default_factory=MeshPlatform)

    @property
    def owners(self) -> dict[str, Mapping[str, str]]:
        """Whom to talk to (team, contact), by project, as far as it says so."""
        return {name: project.owner for name, project in self.projects.items() if project.owner}


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """Where to find the registry, as typed on the command line."""

    registry: str | None = None
    bucket: str | None = None
    local: bool = False
