"""A deployment in, the SQL of what leaves and enters an account out: shares for other accounts, files that arrive."""

from collections.abc import Iterator
from typing import Final

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.artifacts.snowflake_script import Section, Stretch, script, settings
from registry_tools.errors import UsageError
from registry_tools.mesh.account import quoted
from registry_tools.mesh.deployment import PUBLIC_READER, DeployedProject, Deployment, Landing, Place

# Where dbt's macro load_raw finds raw files.
_RAW: Final = "RAW"
_STAGE: Final = "LANDING"


def shares(deployment: Deployment) -> GeneratedFile | None:
    """10: what other accounts read, where there are any."""
    shared = [project for project in deployment.projects if project.shared_with]
    if not shared:
        return None
    return script(
        "10_share.sql",
        ("Public models for other accounts, through the very role that consumers in this account have.",),
        (_share(project) for project in shared),
    )


def ingestion(deployment: Deployment) -> GeneratedFile | None:
    """12: how raw files come in, where any do. Raises UsageError for a project that has nowhere to put them."""
    landed = [(project, project.landing) for project in deployment.projects if project.landing]
    if not landed:
        return None
    return script(
        "12_ingestion.sql",
        ("Raw files in S3: Snowflake takes an AWS role to read them, and no key is held by anyone.",),
        (_landing(project, landing) for project, landing in landed),
    )


def share_name(place: Place) -> str:
    """The share through which other accounts read the public models of this place."""
    return f"{place.database}_SHARE"


def _lasting(project: DeployedProject) -> Iterator[Place]:
    return (place for place in project.places if place.lasting)


def _share(project: DeployedProject) -> Section:
    statements = list[str]()
    for place in _lasting(project):
        share = share_name(place)
        statements += (
            f"create share if not exists {share}",
            f"grant usage on database {place.database} to share {share}",
            f"grant database role {place.database}.{PUBLIC_READER} to share {share}",
            f"alter share {share} set accounts = {', '.join(project.shared_with)}",
        )
    return Section(
        title=project.name,
        why="A view has to be a secure one to be read through a share. Accounts that are not named here lose it.",
        stretches=(Stretch("ACCOUNTADMIN", tuple(statements)),),
    )


def _landing(project: DeployedProject, landing: Landing) -> Section:
    if _RAW not in project.schemas:
        raise UsageError(
            f"files of {project.name} land in the schema {_RAW}, which it does not have",
            where="mesh.yml",
            then=f"add {_RAW} to projects.{project.name}.snowflake.schemas",
        )
    integration = f"{project.name.upper()}_LANDING"
    properties = (
        ("enabled", "true"),
        ("storage_aws_role_arn", quoted(landing.role_arn)),
        ("storage_allowed_locations", f"({quoted(landing.url)})"),
    )
    kind = (("type", "external_stage"), ("storage_provider", "'S3'"))
    trusted = [
        settings(f"create storage integration if not exists {integration}", (*kind, *properties)),
        settings(f"alter storage integration {integration} set", properties),
        # for the stage alone: a project that had it could point stages of its own at the bucket, and write there
        f"grant usage on integration {integration} to role SYSADMIN",
    ]
    staged = [line for place in _lasting(project) for line in _staged(place, integration, landing)]
    return Section(
        title=project.name,
        why=f"desc integration {integration} tells which AWS user and which external id that AWS role has to trust.",
        stretches=(Stretch("ACCOUNTADMIN", tuple(trusted)), Stretch("SYSADMIN", tuple(staged))),
    )


def _staged(place: Place, integration: str, landing: Landing) -> Iterator[str]:
    stage = f"{place.database}.{_RAW}.{_STAGE}"
    properties = (("url", quoted(landing.url)), ("storage_integration", integration))
    yield settings(f"create stage if not exists {stage}", properties)
    yield settings(f"alter stage {stage} set", properties)
    yield f"grant usage on stage {stage} to role {place.role}"
