"""Flags, variables and mesh.yml in, what is meant out: flags beat variables beat mesh.yml beat defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh import names
from registry_tools.mesh.upstream import Upstream
from registry_tools.settings.values import Flags, Mesh

LOCAL_REGISTRY: Final = ".mesh/registry"
PRODUCTION: Final = "prod"
_BUILT_APART: Final = ("dev", "ci")  # where nobody publishes for others


def registry_root(flags: Flags, mesh: Mesh, environment: Mapping[str, str], folder: Path) -> str:
    """The registry's root, from the strongest place that names one. Raises UsageError when none or two flags do."""
    for flag, value in (("--registry", flags.registry), ("--bucket", flags.bucket)):
        if value == "":
            raise UsageError(f"{flag} is empty", then=f"set the variable that was meant, or leave {flag} out")
    typed = [root for root in (flags.registry, flags.bucket and f"s3://{flags.bucket}/registry") if root]
    if flags.local:
        home = mesh.file.parent if mesh.file else _checkout(folder)
        typed.append(str(home / LOCAL_REGISTRY))
    if len(typed) > 1:
        raise UsageError("--registry, --bucket and --local name different registries", then="use one of the three")
    bucket = environment.get("DBT_MESH_BUCKET")
    from_environment = environment.get("DBT_MESH_REGISTRY") or (f"s3://{bucket}/registry" if bucket else None)
    root = typed[0] if typed else from_environment or mesh.registry
    if not root:
        raise UsageError(
            "no registry is named",
            then="add --bucket NAME (or --registry s3://bucket/prefix, or --local), or set DBT_MESH_BUCKET",
        )
    return root


def environments_to_read(mesh: Mesh, environment: str) -> tuple[str, ...]:
    """The environments of its upstreams that a consumer in `environment` reads: the first in which one has published.

    It is what mesh.yml says; without that, `dev` and `ci` read what is in production, and any other reads the same.
    """
    return mesh.reads.get(environment) or ((PRODUCTION,) if environment in _BUILT_APART else (environment,))


def upstreams_to_sync(mesh: Mesh, project: str, asked: tuple[str, ...]) -> tuple[Upstream, ...]:
    """The upstreams named on the command line, as mesh.yml describes them if it does; without any, all declared."""
    declared = (
        {upstream.name: upstream for upstream in mesh.projects[project].upstreams} if project in mesh.projects else {}
    )
    if not asked:
        return tuple(declared.values())
    return tuple(declared.get(name) or Upstream(name=names.project_name(name, where="--upstream")) for name in asked)


def _checkout(folder: Path) -> Path:
    """The git checkout that `folder` is in, so that projects side by side share one local registry; else `folder`."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)
