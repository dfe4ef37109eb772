"""`mesh show --resolved`: a consumer's folder in, what it reads of each upstream, from where and why out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from click.core import ParameterSource

from registry_tools.cli.opening import open_from
from registry_tools.cli.output import detail, done, show_json, warn
from registry_tools.intake.project import read_project
from registry_tools.mesh import names
from registry_tools.mesh.resolution import ResolvedModel, resolved_models
from registry_tools.settings import Flags, Mesh, environments_to_read, upstreams_to_sync
from registry_tools.tasks.resolve_mesh import ResolvedUpstream, ResolveRequest, resolve_mesh

_SAID_BY: Final = {ParameterSource.COMMANDLINE: "--env", ParameterSource.ENVIRONMENT: "DBT_MESH_ENV"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What was typed: an upstream or none, the folder, the environment to build in and what said so."""

    upstream: str | None
    folder: Path
    environment: str
    source: ParameterSource | None


def show_resolved(asked: Asked, where: Flags, form: str) -> None:
    """Print it. Raises UsageError for an upstream that has published nothing where it may be read."""
    names.environment_name(asked.environment, where="--env")
    project = read_project(asked.folder, os.environ)
    opened = open_from(where, asked.folder)
    request = ResolveRequest(
        project=project,
        environment=asked.environment,
        reads=environments_to_read(opened.mesh, asked.environment),
        upstreams=upstreams_to_sync(opened.mesh, project.name, (asked.upstream,) if asked.upstream else ()),
    )
    found = resolve_mesh(request, opened.registry)
    reasons = [_because(opened.mesh, project.name, asked, upstream) for upstream in found]
    if form == "json":
        told = [_document(upstream, why) for upstream, why in zip(found, reasons, strict=True)]
        show_json({"project": project.name, "environment": asked.environment, "upstreams": told})
        return
    for upstream, why in zip(found, reasons, strict=True):
        _show(upstream, why)
    if not found:
        done(f"{project.name} reads no upstream")


def _because(mesh: Mesh, project: str, asked: Asked, upstream: ResolvedUpstream) -> str:
    """What says which environments may be read: a flag, a key of mesh.yml, or the rule where neither does."""
    declared = upstream.synced.upstream
    if declared.environments:
        return f"projects.{project}.upstreams.{declared.name}.environment in mesh.yml"
    if mesh.reads.get(asked.environment):
        return f"environments.{asked.environment}.reads in mesh.yml"
    if upstream.environments != (asked.environment,):
        return f"what {asked.environment} reads where mesh.yml does not say"
    return _SAID_BY.get(asked.source, "the default of --env") if asked.source else "the default of --env"


def _show(upstream: ResolvedUpstream, why: str) -> None:
    read = upstream.synced
    done(f"{read.publication} as {read.upstream.way}, {_standing(upstream)}")
    detail(f"reads {', else '.join(upstream.environments)}, by {why}")
    for environment in read.passed_over:
        nothing = f"{read.upstream.name} has published nothing in {environment}"
        detail(f"{nothing}: {read.publication.environment} is read instead")
    models = list(resolved_models(read))
    width = max((len(name) for model in models for name in model.written), default=0)
    for model in models:
        for name in model.written:
            detail(f"  {name:<{width}}  {_place(model)}")
    if read.yanked is not None:
        warn(f"{read.publication} was yanked: {read.yanked}")
    for notice in read.upstream.idle(read.published):
        warn(notice)


def _standing(upstream: ResolvedUpstream) -> str:
    if not upstream.pinned:
        return "current"
    now, read = upstream.current, upstream.synced.publication
    newer = f", while {now} is current" if now and now.id != read.id else ", and current"
    return f"pinned in mesh.lock{newer}"


def _place(model: ResolvedModel) -> str:
    if model.here == model.published:
        return str(model.here)
    return f"{model.published} -> {model.here}  ({'; '.join(model.rules)})"


def _document(upstream: ResolvedUpstream, why: str) -> dict[str, Any]:
    read = upstream.synced
    return {
        "upstream": read.upstream.name,
        "environments": list(upstream.environments),
        "because": why,
        "environment": read.publication.environment,
        "passed_over": list(read.passed_over),
        "publication": read.publication.id,
        "n": read.publication.n,
        "digest": f"sha256:{read.publication.digest}",
        "pinned": upstream.pinned,
        "current": upstream.current.id if upstream.current else None,
        "yanked": read.yanked,
        "as": read.upstream.way,
        "idle_rules": list(read.upstream.idle(read.published)),
        "models": [
            {
                "model": model.model.label,
                "written": list(model.written),
                "published": str(model.published),
                "here": str(model.here),
                "rules": list(model.rules),
            }
            for model in resolved_models(read)
        ],
    }
