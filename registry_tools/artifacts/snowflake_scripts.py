"""A deployment in, the numbered SQL files that set its Snowflake account up out."""

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.artifacts.snowflake_databases import databases_and_warehouses, resource_monitors
from registry_tools.artifacts.snowflake_exchange import ingestion, shares
from registry_tools.artifacts.snowflake_roles import roles_and_users, service_identities
from registry_tools.mesh.deployment import Deployment

_FILES = (databases_and_warehouses, roles_and_users, service_identities, resource_monitors, shares, ingestion)


def snowflake_scripts(deployment: Deployment) -> tuple[GeneratedFile, ...]:
    """The files in the order in which they are run, by their paths below the folder of mesh.yml.

    Each may be run again: what exists is left, and then set as it is said here. Raises UsageError where mesh.yml does
    not say enough.
    """
    rendered = (render(deployment) for render in _FILES)
    return tuple(file for file in rendered if file is not None)
