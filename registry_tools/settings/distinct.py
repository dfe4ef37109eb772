"""A deployment in, an error out where a name in it is none, or would be that of two things in the accounts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh.account import TAKEN, spelled
from registry_tools.mesh.deployment import DeployedProject, Deployment, Place
from registry_tools.mesh.upstream import ENVIRONMENT

# Characters of a name, so that there is room for what is appended to it: of 255 (Snowflake, Identifier Requirements).
_LONGEST: Final = 240


def expect_distinct(deployment: Deployment, file: Path) -> None:
    """Whoever has the same database, role or user as another has what is the other's. Raises UsageError."""
    for project in deployment.projects:
        for place in project.places:
            for key, name in _names(place):
                _expect_name(name, f"projects.{project.name}.snowflake.{key}", place.environment, file)
    owners: dict[tuple[str, str], str] = {("database", deployment.snowflake.governance): "tags and policies"}
    for kind, name, owner, key in _owned(deployment):
        other = owners.setdefault((kind, name), owner)
        if other != owner:
            what = f"{other} and {owner} would have one {kind}, {name}"
            raise UsageError(what, where=str(file), then=f"name it apart, with {ENVIRONMENT} or without, in {key}")


def _names(place: Place) -> Iterator[tuple[str, str]]:
    """The names of a place, each with its key in mesh.yml."""
    yield "database", place.database
    yield "warehouse", place.warehouse
    yield "role", place.role
    yield "user", place.user
    yield "developer_role", place.developer_role


def _expect_name(name: str, key: str, environment: str, file: Path) -> None:
    if spelled(name) != name or name in TAKEN or len(name) > _LONGEST:
        shown = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."
        what = f"'{key}' is {shown!r} in {environment}, which is no name or another's to Snowflake"
        then = f"begin it with a letter, keep it below {_LONGEST} characters, and put a word beside {ENVIRONMENT}"
        raise UsageError(what, where=str(file), then=then)


def _owned(deployment: Deployment) -> Iterator[tuple[str, str, str, str]]:
    """What may be one's alone: its kind and name, whose it is, and the key in mesh.yml that says so."""
    for project in deployment.projects:
        here = f"projects.{project.name}.snowflake"
        # IAM does not tell roles apart by the case of letters, and GitHub does not so with environments
        yield "AWS role and GitHub environment", project.name.lower(), project.name, f"projects.{project.name}"
        for place in project.places:
            yield "database", place.database, f"{project.name} in {place.environment}", f"{here}.database"
            yield "role", place.role, project.name, f"{here}.role"
            yield "role", place.developer_role, f"people of {project.name}", f"{here}.developer_role"
            yield "user", place.user, project.name, f"{here}.user"
        yield from _schemas(project, here)
    for project in deployment.projects:
        for developer in project.developers:
            yield "user", developer, "people", f"projects.{project.name}.snowflake.developers"


def _schemas(project: DeployedProject, here: str) -> Iterator[tuple[str, str, str, str]]:
    """The schemas that are made beforehand, in whatever database of the project."""
    for schema in project.schemas:
        yield "schema", f"{project.name}.{schema}", f"all of {project.name}", f"{here}.schemas"
    for developer in project.developers:
        yield "schema", f"{project.name}.{developer}_DEV", f"{developer} of {project.name}", f"{here}.schemas"
