"""A deployment in, the SQL of its roles, service users and people out, and of how service users prove who they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.artifacts.snowflake_databases import schemas
from registry_tools.artifacts.snowflake_script import Section, Stretch, script, settings
from registry_tools.errors import UsageError
from registry_tools.mesh.account import quoted
from registry_tools.mesh.deployment import (
    DEVELOPMENT,
    PUBLIC_READER,
    AwsTerms,
    DeployedProject,
    Deployment,
    Place,
)

_METHODS: Final = {"aws": "WORKLOAD_IDENTITY", "key_pair": "KEYPAIR"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Login:
    """A service user with the roles and warehouses of the places for which it logs in."""

    user: str
    places: tuple[Place, ...]


def roles_and_users(deployment: Deployment) -> GeneratedFile:
    """02: who may do what."""
    sections = [section for project in deployment.projects for section in (_project(project), *_people(project))]
    return script(
        "02_roles_and_users.sql",
        (
            "One role a project, which owns its schemas, and a service user that has no other role.",
            "Who may read a public model is not said here: mesh grants plans it from the published interface.",
        ),
        (*sections, *_readers(deployment)),
    )


def service_identities(deployment: Deployment) -> GeneratedFile:
    """03: how service users log in. Raises UsageError where mesh.yml does not say by which AWS role."""
    terms = deployment.snowflake
    policy = f"{terms.governance}.POLICIES.MESH_SERVICE"
    method = _METHODS[terms.identity]
    allows = (("authentication_methods", f"({quoted(method)})"),)
    policed = settings(f"create or alter authentication policy {policy}", allows)
    allowed = Section(
        title=policy,
        why="A service user logs in in one way and in no other, whatever else somebody may set for it.",
        stretches=(Stretch("SYSADMIN", (policed,)),),
    )
    return script(
        "03_service_identities.sql",
        ("How service users prove who they are. No password is set anywhere, and nothing secret stands here.",),
        (allowed, *(_identity(project, deployment, policy) for project in deployment.projects)),
    )


def _logins(project: DeployedProject) -> tuple[_Login, ...]:
    """The service users of a project, each once."""
    users = dict.fromkeys(place.user for place in project.places)
    return tuple(_Login(user=user, places=tuple(p for p in project.places if p.user == user)) for user in users)


def _project(project: DeployedProject) -> Section:
    roles = tuple(dict.fromkeys(place.role for place in project.places))
    passing = tuple(dict.fromkeys(place.role for place in project.places if not place.lasting))
    made = [*_roles(roles), *(line for login in _logins(project) for line in _user(login))]
    built = dict.fromkeys(line for place in project.places for line in _built(project, place))
    looked = [
        line
        for place in project.places
        if place.lasting
        for role in passing
        if role != place.role
        for line in _looks(project, place, role)
    ]
    lasting = " and ".join(place.environment for place in project.places if place.lasting)
    why = f"In {lasting} the role creates no schema, so that nobody builds beside what others read."
    return Section(
        title=project.name,
        why=why
        if lasting
        else "Nothing that is built here is read by others, so the role creates schemas as it likes.",
        stretches=(
            Stretch("USERADMIN", tuple(made)),
            Stretch("SYSADMIN", tuple(built)),
            Stretch("SECURITYADMIN", tuple(looked)),
        ),
    )


def _roles(roles: tuple[str, ...]) -> Iterator[str]:
    for role in roles:
        yield f"create role if not exists {role}"
        yield f"grant role {role} to role SYSADMIN"


def _user(login: _Login) -> Iterator[str]:
    first = login.places[0]
    yield f"create user if not exists {login.user} type = SERVICE"
    yield settings(
        f"alter user {login.user} set",
        (
            ("type", "SERVICE"),
            ("default_role", first.role),
            ("default_warehouse", first.warehouse),
            ("default_secondary_roles", "()"),
        ),
    )
    yield from (f"grant role {role} to user {login.user}" for role in dict.fromkeys(p.role for p in login.places))


def _built(project: DeployedProject, place: Place) -> Iterator[str]:
    """What the role needs in order to build there. A database role is its own as well, so that it grants by itself."""
    yield f"grant usage on warehouse {place.warehouse} to role {place.role}"
    may = "create database role" if place.lasting else "create schema"
    yield f"grant usage, {may} on database {place.database} to role {place.role}"
    for schema in schemas(project, place):
        yield _given("schema", schema, place.role)
    if place.lasting:
        reader = f"{place.database}.{PUBLIC_READER}"
        yield f"create database role if not exists {reader}"
        yield f"grant usage on database {place.database} to database role {reader}"
        yield _given("database role", reader, place.role)


def _given(kind: str, name: str, role: str) -> str:
    return f"grant ownership on {kind} {name} to role {role} copy current grants"


def _looks(project: DeployedProject, place: Place, role: str) -> Iterator[str]:
    """Everything of this place to read, now and later, which is for the project's own people and roles alone."""
    yield f"grant usage on database {place.database} to role {role}"
    for schema in schemas(project, place):
        yield f"grant usage on schema {schema} to role {role}"
        for kind in ("tables", "views"):
            yield f"grant select on all {kind} in schema {schema} to role {role}"
            yield f"grant select on future {kind} in schema {schema} to role {role}"


def _people(project: DeployedProject) -> Iterator[Section]:
    if project.developers:
        yield _developers(project, project.place(DEVELOPMENT) or project.places[0])


def _developers(project: DeployedProject, place: Place) -> Section:
    """People build where nothing lasts, in schemas of their own, and read what their project has built."""
    role = place.developer_role
    made = [*_roles((role,)), *(f"grant role {role} to user {developer}" for developer in project.developers)]
    built = [f"grant usage on warehouse {place.warehouse} to role {role}"]
    if place.environment == DEVELOPMENT and not place.lasting:
        built.append(f"grant usage, create schema on database {place.database} to role {role}")
        for schema in (f"{place.database}.{developer}_DEV" for developer in project.developers):
            built += (f"create schema if not exists {schema}", _given("schema", schema, role))
    looked = [line for other in project.places if other.lasting for line in _looks(project, other, role)]
    return Section(
        title=f"{project.name}: people",
        why="They read everything that their own project has built, and write in schemas of their own.",
        stretches=(
            Stretch("USERADMIN", tuple(made)),
            Stretch("SYSADMIN", tuple(built)),
            Stretch("SECURITYADMIN", tuple(looked)),
        ),
    )


def _readers(deployment: Deployment) -> Iterator[Section]:
    granted = tuple(
        f"grant database role {place.database}.{PUBLIC_READER} to role {role}"
        for _, place in deployment.placed
        if place.lasting
        for role in dict.fromkeys(reader.role for reader in place.readers)
    )
    if granted:
        yield Section(
            title="Who reads whose public models",
            why="A consumer has nothing on another project's database but this role, which holds its public models.",
            stretches=(Stretch("SYSADMIN", granted),),
        )


def _identity(project: DeployedProject, deployment: Deployment, policy: str) -> Section:
    users = _logins(project)
    terms, aws = deployment.snowflake, deployment.aws
    known = [_known(project, users, aws)] if terms.identity == "aws" else []
    why = (
        "Whoever has this AWS role is this user: GitHub's jobs of the project take it with their own tokens."
        if terms.identity == "aws"
        else "; ".join(
            f"./setup_keypair_auth.sh create --user {login.user} --apply makes its key known" for login in users
        )
    )
    held = tuple(f"alter user {login.user} set authentication policy {policy} force" for login in users)
    return Section(
        title=project.name, why=why, stretches=(Stretch("USERADMIN", tuple(known)), Stretch("ACCOUNTADMIN", held))
    )


def _known(project: DeployedProject, users: tuple[_Login, ...], aws: AwsTerms | None) -> str:
    """The AWS role by which Snowflake knows the user. It can stand for one, as no name is told when it logs in."""
    if aws is None:
        raise UsageError(
            "service users log in by AWS roles, and 'aws' is missing",
            where="mesh.yml",
            then="write aws: {account: ..., region: ..., bucket: ...}, or identity: key_pair below snowflake",
        )
    if len(users) > 1:
        raise UsageError(
            f"{project.name} has one AWS role, and would have {len(users)} service users in Snowflake",
            where="mesh.yml",
            then=f"name one user for all: projects.{project.name}.snowflake.user; or write identity: key_pair",
        )
    proof = f"(type = aws arn = {quoted(aws.role_arn(project.name))})"
    return settings(f"alter user {users[0].user} set", (("workload_identity", proof),))
