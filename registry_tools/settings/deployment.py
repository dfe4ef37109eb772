"""The mesh that mesh.yml describes in, where each of its projects runs out."""

import os
from collections.abc import Iterator

from registry_tools.errors import UsageError
from registry_tools.mesh.deployment import DEVELOPMENT, DeployedProject, Deployment, Place, Reader
from registry_tools.mesh.upstream import ENVIRONMENT
from registry_tools.settings.choices import PRODUCTION, environments_to_read
from registry_tools.settings.values import Mesh, Project

_SUFFIX = "_ROLE"


def deployment_of(mesh: Mesh) -> Deployment:
    """Where every project runs in every environment. Raises UsageError where mesh.yml does not say it."""
    if mesh.file is None:
        raise UsageError("there is no mesh.yml here or above", then="write one; the README shows how (mesh.yml)")
    environments = tuple(mesh.reads) or (PRODUCTION,)
    projects = [project for project in mesh.projects.values() if project.platform.database]
    for project in projects:
        for key in ("warehouse", "role"):
            if getattr(project.platform, key) is None:
                place = f"projects.{project.name}.snowflake.{key}"
                then = f"write snowflake: {{database: ..., {key}: ...}}"
                raise UsageError(f"'{place}' is missing", where=str(mesh.file), then=then)
    if not projects:
        then = "write projects.<name>.snowflake: {database: ..., warehouse: ..., role: ...}"
        raise UsageError("no project has a database", where=str(mesh.file), then=then)
    deployed = tuple(_deployed(project, mesh, environments) for project in projects)
    _expect_apart(deployed, mesh)
    terms = mesh.platform
    return Deployment(
        projects=deployed,
        snowflake=terms.snowflake,
        aws=terms.aws,
        repository=terms.repository,
        branch=terms.branch,
    )


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
        lasting=any(environment in environments_to_read(mesh, building) for building in environments),
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
    for consumer in mesh.projects.values():
        read = next((declared for declared in consumer.upstreams if declared.name == upstream), None)
        if read is None or consumer.platform.role is None:
            continue
        for building in environments:
            if environment in (read.environments or environments_to_read(mesh, building)):
                place = _place(consumer, building, mesh, ())
                yield Reader(project=consumer.name, role=place.role)
                if building == DEVELOPMENT and consumer.platform.developers:
                    yield Reader(project=consumer.name, role=place.developer_role)


def _named(template: str, environment: str) -> str:
    return template.replace(ENVIRONMENT, environment.upper().replace("-", "_"))


def _expect_apart(projects: tuple[DeployedProject, ...], mesh: Mesh) -> None:
    """Two places with one database, or two projects with one role, would each have what is the other's."""
    names: dict[str, str] = {}
    for name in (project.name for project in projects):
        if (other := names.setdefault(name.lower(), name)) != name:
            what = f"{other} and {name} differ in their letters' case alone"
            then = f"rename projects.{name}: GitHub's environments, AWS's roles and some file systems see one name"
            raise UsageError(what, where=str(mesh.file), then=then)
    seen: dict[tuple[str, str], str] = {}
    for project, place in Deployment(projects=projects).placed:
        here = f"{project.name} in {place.environment}"
        whose = (
            ("database", place.database, here),
            ("role", place.role, project.name),
            ("user", place.user, project.name),
        )
        for kind, name, owner in whose:
            other = seen.setdefault((kind, name), owner)
            if other != owner:
                raise UsageError(
                    f"{other} and {owner} would have one {kind}, {name}",
                    where=str(mesh.file),
                    then=f"name it apart, with {ENVIRONMENT} or without: projects.{project.name}.snowflake.{kind}",
                )
