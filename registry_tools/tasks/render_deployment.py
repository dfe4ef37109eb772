"""A deployment in, the files that set it up on the disk out: SQL, profiles, Terraform variables and workflows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from registry_tools.artifacts.files import FileChange, GeneratedFile, write_files
from registry_tools.artifacts.snowflake_profiles import profiles
from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.artifacts.terraform_vars import terraform_variables
from registry_tools.artifacts.workflow_files import workflows
from registry_tools.mesh.deployment import Deployment

Renderer = Callable[[Deployment], tuple[GeneratedFile, ...]]

PARTS: Final[Mapping[str, tuple[Renderer, ...]]] = {
    "snowflake": (snowflake_scripts, profiles),
    "terraform": (terraform_variables,),
    "workflows": (workflows,),
}
# Where files of a part stand that may be rendered no longer; those of them that carry our mark go.
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "snowflake": ("snowflake_setup/[0-9][0-9]_*.sql",),
    "workflows": (".github/workflows/*.yml",),
}


def render_deployment(
    deployment: Deployment, root: Path, parts: Collection[str], *, dry_run: bool
) -> tuple[FileChange, ...]:
    """Bring these parts of what stands below `root`, the folder of mesh.yml, to what mesh.yml says.

    Raises UsageError where mesh.yml does not say enough, and DocumentError where a file is a person's.
    """
    planned = [
        replace(file, path=root / file.path) for part in parts for render in PARTS[part] for file in render(deployment)
    ]
    kept = {file.path for file in planned}
    standing = (path for part in parts for place in _PLACES.get(part, ()) for path in sorted(root.glob(place)))
    obsolete = [path for path in standing if path not in kept]
    return tuple(write_files(planned, obsolete, dry_run=dry_run))
