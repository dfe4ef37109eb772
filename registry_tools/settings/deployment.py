"""The mesh that mesh.yml describes in, where each of its projects runs out."""

import os
from collections.abc import Iterator
from dataclasses import replace

from registry_tools.errors import UsageError
from registry_tools.mesh.deployment import DEVELOPMENT, DeployedProject, Deployment, Place, Reader
from registry_tools.mesh.upstream import ENVIRONMENT, Upstream
from registry_tools.settings.choices import PRODUCTION, environments_to_read
from registry_tools.settings.distinct import expect_distinct
from registry_tools.settings.platform_file import ProjectPlatform
from registry_tools.settings.values import Mesh, Project

_SUFFIX = "_ROLE"


def deployment_of(mesh: Mesh) -> Deployment:
    """Where every project runs in every environment. Raises UsageError where mesh.yml does not say it."""
    if mesh.file is None:
        raise UsageError("there is no mesh.yml here or above", then="write one; the README shows how (mesh.yml)")
    environments = tuple(mesh.reads) or (PRODUCTION,)
    projects = [project for project in mesh.projects.values() if _is_placed(project.platform)]
    for project in projects:
        for key in ("database", "warehouse", "role"):
            if getattr(project.platform, key) is None:
                place = f"projects.{project.name}.snowflake.{key}"
                then = "write snowflake: {database: ..., warehouse: ..., role: ...}"
                raise UsageError(f"'{place}' is missing", where=str(mesh.file), then=then)
    if not projects:
        then = "write projects.<name>.snowflake: {database: ..., warehouse: ..., role: ...}"
        raise UsageError("no project has a database", where=str(mesh.file), then=then)
    deployed = tuple(_deployed(project, mesh, environments) for project in projects)
    _expect_read_environments(projects, mesh, environments)
    terms = mesh.platform
    deployment = Deployment(
        projects=deployed,
        snowflake=terms.snowflake,
        aws=terms.aws,
        repository=terms.repository,
        branch=terms.branch,
    )
    expect_distinct(deployment, mesh.file)
    return deployment


def _is_placed(platform: ProjectPlatform) -> bool:
    """Whether mesh.yml says anything of where in Snowflake the project runs."""
    return replace(platform, repository=None, subject=None) != ProjectPlatform()


def _deployed(project: Project, mesh: Mesh, environments: tuple[str, ...]) -> DeployedProject:
    platform, root = project.platform, mesh.file.parent if mesh.file else project.path
    repository = platform.repository or mesh.platform.repository
    inherited = None if platform.repository else mesh.platform.subject  # another repository has another subject
    return DeployedProject(
        name=project.name,
        folder=os.path.relpath(project.path, root).replace(os.sep, "/"),
        places=tuple(_place(project, environment, mesh, environments) for environment in environments),
        schemas=platform.schemas,
        size=platform.size,
        credits=platform.credits,
        developers=platform.developers,
        shared_with=platform.shared_with,
        landing=platform.landing,
        repository=repository,
        subject=platform.subject or inherited or (f"repo:{repository}" if repository else None),
        upstreams=tuple(upstream.name for upstream in project.upstreams),
        consumers=tuple(
            other.name
            for other in mesh.projects.values()
            if any(upstream.name == project.name for upstream in other.upstreams)
        ),
        needs_deps=any(upstream.way == "package" for upstream in project.upstreams),
    )


def _place(project: Project, environment: str, mesh: Mesh, environments: tuple[str, ...]) -> Place:
    platform = project.platform
    role = _named(platform.role or "", environment)
    bare = role.removesuffix(_SUFFIX)
    return Place(
        environment=environment,
        database=_named(platform.database or "", environment),
        warehouse=_named(platform.warehouse or "", environment),
        role=role,
        user=_named(platform.user or f"{bare}_SVC", environment),
        developer_role=_named(platform.developer_role or f"{bare}_DEVELOPER", environment),
        lasting=any(environment in environments_to_read(mesh, building) for building in environments)
        or any(environment in read.environments for _, read in _consumers(project.name, mesh)),
        readers=tuple(dict.fromkeys(_readers(project.name, environment, mesh, environments))),
        reads=tuple(
            dict.fromkeys(
                read
                for upstream in project.upstreams
                for read in upstream.environments or environments_to_read(mesh, environment)
            )
        ),
    )


def _readers(upstream: str, environment: str, mesh: Mesh, environments: tuple[str, ...]) -> Iterator[Reader]:
    """The roles with which the consumers of `upstream` read this environment of it."""
    for consumer, read in _consumers(upstream, mesh):
        for building in environments:
            if environment in (read.environments or environments_to_read(mesh, building)):
                place = _place(consumer, building, mesh, ())
                yield Reader(project=consumer.name, role=place.role)
                if building == DEVELOPMENT and consumer.platform.developers:
                    yield Reader(project=consumer.name, role=place.developer_role)


def _consumers(upstream: str, mesh: Mesh) -> Iterator[tuple[Project, Upstream]]:
    """The projects in Snowflake that declare `upstream`, each with how it does."""
    for project in mesh.projects.values():
        if project.platform.role is not None:
            yield from ((project, declared) for declared in project.upstreams if declared.name == upstream)


def _expect_read_environments(projects: list[Project], mesh: Mesh, environments: tuple[str, ...]) -> None:
    """Nothing stands, and nobody is let in, where mesh.yml has no environment."""
    for upstream in projects:
        for consumer, read in _consumers(upstream.name, mesh):
            for building in environments:
                for environment in read.environments or environments_to_read(mesh, building):
                    if environment not in environments:
                        what = f"{consumer.name} in {building} reads {upstream.name} in {environment}, which is nowhere"
                        key = f"projects.{consumer.name}.upstreams.{upstream.name}.environment"
                        key = key if read.environments else f"environments.{building}.reads"
                        then = f"add {environment} to environments, or name another one in {key}"
                        raise UsageError(what, where=str(mesh.file), then=then)


def _named(template: str, environment: str) -> str:
    return template.replace(ENVIRONMENT, environment.upper().replace("-", "_"))
