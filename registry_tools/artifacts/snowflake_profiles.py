"""A deployment in, dbt's profiles.yml out: every project's connections to its account and to the embedded mesh."""

from collections.abc import Iterator
from typing import Final

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.artifacts.snowflake_script import FOLDER, HEAD
from registry_tools.artifacts.yaml_text import word
from registry_tools.errors import UsageError
from registry_tools.mesh.account import spelled
from registry_tools.mesh.deployment import DEVELOPMENT, DeployedProject, Deployment, Identity, Place

_PRODUCTION: Final = "prod"
_STAGING: Final = "STAGING"

_CONNECTION: Final = """\
  type: snowflake
  account: "{{ env_var('SNOWFLAKE_ACCOUNT') }}"
  authenticator: "{{ env_var('SNOWFLAKE_AUTHENTICATOR', '%(authenticator)s') }}"
  private_key_path: "{{ env_var('SNOWFLAKE_PRIVATE_KEY_PATH'%(no_key)s) }}"
  private_key_passphrase: "{{ env_var('DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE', '') }}"
  client_session_keep_alive: false
  reuse_connections: true
  threads: 4
"""
# dbt reads no key where the path of it is empty, and sends no user where that is.
_NO_KEY: Final = ", ''"
_SERVICE: Final[dict[Identity, str]] = {
    "aws": """\
.service: &service
  user: "{{ env_var('SNOWFLAKE_USER', '') }}" # none: the AWS role tells who it is
  workload_identity_provider: AWS
"""
    + _CONNECTION % {"authenticator": "workload_identity", "no_key": _NO_KEY},
    "key_pair": """\
.service: &service
  workload_identity_provider: AWS
"""
    + _CONNECTION % {"authenticator": "snowflake_jwt", "no_key": ""},
}
_PERSON: Final = (
    """\
.person: &person
  user: "{{ env_var('SNOWFLAKE_USER') }}"
"""
    + _CONNECTION % {"authenticator": "externalbrowser", "no_key": _NO_KEY}
)
_EMBEDDED: Final = """\
.embedded: &embedded
  type: snowflake
  account: mesh
  protocol: http
  host: 127.0.0.1
  port: "{{ env_var('DBT_MESH_LOCAL_WAREHOUSE_PORT') | as_number }}"
  authenticator: oauth
  token: embedded # any word will do
  client_session_keep_alive: false
  reuse_connections: true
  # two first results at once lock each other up in Snowflake's connector (4.8, nanoarrow), and DuckDB has no use for
  # more than one
  threads: 1
"""
_WAYS: Final[dict[Identity, str]] = {
    "aws": "a service user by its AWS role (snowflake_jwt: by key pair)",
    "key_pair": "a service user by key pair (workload_identity: by its AWS role)",
}


def profiles(deployment: Deployment) -> tuple[GeneratedFile, ...]:
    """The one file, for all projects.

    Which proof is given is chosen by variables and not by further targets: models are built where the target's
    schema says (generate_schema_name), and the commands are the same for everybody. Raises UsageError for an
    environment that is called as one of the embedded mesh.
    """
    _expect_apart(deployment)
    identity = deployment.snowflake.identity
    parts = (
        _head(deployment),
        _SERVICE[identity],
        *((_PERSON,) if any(place.environment == DEVELOPMENT for _, place in deployment.placed) else ()),
        _EMBEDDED,
        "\n".join(_schemas(deployment)),
        "\n".join(_users(deployment)),
        *("\n".join(_profile(project, identity)) for project in deployment.projects),
    )
    content = "\n".join(part.rstrip("\n") + "\n" for part in parts)
    return (GeneratedFile(path=FOLDER / "profiles.yml", content=content.encode()),)


def _expect_apart(deployment: Deployment) -> None:
    environments = {place.environment for _, place in deployment.placed}
    for taken in sorted(environments & set(map(_local, environments))):
        what = f"the environment {taken} would have the target of the embedded mesh, which is {taken}"
        then = f"give environments.{taken} another name"
        raise UsageError(what, where="mesh.yml", then=then)


def _head(deployment: Deployment) -> str:
    environments = dict.fromkeys(place.environment for _, place in deployment.placed)
    services = ", ".join(name for name in environments if name != DEVELOPMENT)
    told = [(services, _WAYS[deployment.snowflake.identity])]
    if DEVELOPMENT in environments:
        told.append((DEVELOPMENT, "you, SNOWFLAKE_USER, in a browser (snowflake_jwt: by key pair)"))
    told.append((", ".join(map(_local, environments)), "the embedded mesh, which asks for no proof"))
    width = max(len(names) for names, _ in told) + 2
    count = len(deployment.projects)
    return "\n".join(
        (
            f"# {HEAD}",
            f"# The connections of {count} project{'s' * (count != 1)}; nothing secret stands here.",
            "#",
            *(f"#   {names.ljust(width)}{what}" for names, what in told if names),
            "#",
            "# What stands in brackets is had by setting SNOWFLAKE_AUTHENTICATOR to it. A key pair takes two more:",
            "# SNOWFLAKE_USER and SNOWFLAKE_PRIVATE_KEY_PATH.",
        )
    )


def _local(environment: str) -> str:
    """The target of the embedded mesh that stands for an environment."""
    return "local" if environment == _PRODUCTION else f"local_{environment}"


def _schemas(deployment: Deployment) -> Iterator[str]:
    yield "# Where models without a schema of their own go (generate_schema_name): in upper case where it lasts, and in"
    yield "# lower case where it is the builder's own, with which the names of all of theirs begin."
    passing = dict.fromkeys(place.environment for _, place in deployment.placed if not place.lasting)
    if any(place.lasting for _, place in deployment.placed):
        yield from (".lasting: &lasting", f"  schema: {_STAGING}")
    for environment in passing:
        yield from (f".in_{environment}: &in_{environment}", f'  schema: "{_own_schema(environment)}"')


def _own_schema(environment: str) -> str:
    if environment == DEVELOPMENT:
        return "{{ env_var('DBT_USER', env_var('USER', 'dev')) | replace('.', '_') | replace('-', '_') }}_dev"
    name = environment.replace("-", "_")
    plain = name if spelled(name.upper()) == name.upper() else f"in_{name}"
    return f"{{{{ env_var('DBT_CI_SCHEMA', '{plain}') | lower }}}}"


def _users(deployment: Deployment) -> Iterator[str]:
    yield "# Who logs in where SNOWFLAKE_USER does not say it"
    for user in dict.fromkeys(place.user for _, place in deployment.placed):
        yield f".{user}: &{_anchor(user)}"
        yield f"  user: \"{{{{ env_var('SNOWFLAKE_USER', '{user}') }}}}\""


def _anchor(name: str) -> str:
    """The name as an anchor of YAML, where a dollar may not stand (and no name has a hyphen)."""
    return name.replace("$", "-")


def _profile(project: DeployedProject, identity: Identity) -> Iterator[str]:
    target = DEVELOPMENT if project.place(DEVELOPMENT) else project.places[0].environment
    yield f"{word(project.name)}:"
    yield f"  target: {word(target)}"
    yield "  outputs:"
    for place in project.places:
        person = place.environment == DEVELOPMENT
        named = ["person"] if person else ["service"] if identity == "aws" else ["service", _anchor(place.user)]
        role = place.developer_role if person and project.developers else place.role
        yield _output(project, place, word(place.environment), named, role)
    for place in project.places:
        yield _output(project, place, word(_local(place.environment)), ["embedded", _anchor(place.user)], place.role)


def _output(project: DeployedProject, place: Place, target: str, merged: list[str], role: str) -> str:
    where = "lasting" if place.lasting else f"in_{place.environment}"
    sources = ", ".join(f"*{name}" for name in (*merged, where))
    told = {"database": place.database, "warehouse": place.warehouse, "role": role}
    if place.lasting and _STAGING not in project.schemas:
        told["schema"] = project.schemas[0]
    return f"    {target}: {{<<: [{sources}], {', '.join(f'{key}: {word(name)}' for key, name in told.items())}}}"
