"""A project's public reader in, what a consumer in another Snowflake account runs and writes to read it out.

The share itself is the producer's (snowflake_setup/10_share.sql). See CREATE DATABASE, Secure Data Sharing, and Share
secure database objects in Snowflake's documentation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry_tools.artifacts.snowflake_exchange import share_name
from registry_tools.mesh.account import Securable, database_role, spelled
from registry_tools.mesh.deployment import PUBLIC_READER, Place
from registry_tools.mesh.grant_plan import ReaderRole


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """Who reads through the share: the account that shares (ORGANIZATION.ACCOUNT), what the share is to be called in
    the other one, and the role that builds there. The names are as the accounts store them.
    """

    shared_by: str
    database: str
    role: str


def share_text(project: str, readers: Iterable[ReaderRole], place: Place, guest: Guest) -> str:
    """Two parts, the SQL and the lines of mesh.yml, each saying where it goes; what the share leaves out is told."""
    return "".join(f"{line}\n" for line in _lines(project, tuple(readers), place, guest))


def _lines(project: str, readers: tuple[ReaderRole, ...], place: Place, guest: Guest) -> Iterator[str]:
    shared = f"{guest.shared_by}.{spelled(share_name(place))}"
    reader = database_role(guest.database, PUBLIC_READER).path
    yield f"-- 1. In the account that reads {project}, by a role with IMPORT SHARE and CREATE DATABASE (ACCOUNTADMIN):"
    yield f"create database if not exists {spelled(guest.database)} from share {shared};"
    yield f"grant database role {reader} to role {spelled(guest.role)};"
    yield from (f"-- not in the share: {left}" for left in _left_out(readers, place))
    yield ""
    yield "# 2. In the mesh.yml there, so that what is written for dbt has the name of the share:"
    yield from ("projects:", "  YOUR_PROJECT:", "    upstreams:", f"      {project}:")
    yield f"        databases: {{{place.database}: {guest.database}}}"


def _left_out(readers: tuple[ReaderRole, ...], place: Place) -> Iterator[str]:
    for reader in readers:
        for relation, label in sorted(reader.relations.items()):
            if why := _obstacle(reader, relation, place):
                yield f"{label}, {why}"


def _obstacle(reader: ReaderRole, relation: Securable, place: Place) -> str | None:
    if not reader.is_public:
        return "which names its consumers (meta.mesh.consumers)"
    if relation.name[0] != place.database:
        return f"which lies in {spelled(relation.name[0])}: a share has one database"
    if relation.kind == "VIEW":
        return "a view, unless it is built with secure: true"
    return None
