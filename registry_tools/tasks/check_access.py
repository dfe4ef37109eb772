"""SQL files, an account and what mesh.yml says in, the access matrix and every deviation out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from registry_tools.checks.access.deviations import Scope, deviations
from registry_tools.checks.access.questions import Access, matrix
from registry_tools.checks.access.running import run
from registry_tools.intake.setup_scripts import SetupScript
from registry_tools.mesh.access_table import AccessRow, Checked, Difference
from registry_tools.mesh.account import SYSTEM_ROLES, Account, Securable, database_role, role
from registry_tools.mesh.deployment import PUBLIC_READER, Deployment

# What a model's own readers are called, behind the database (mesh grants makes them).
_OWN_READERS: Final = "MESH_READER_"


def check_access(
    scripts: Sequence[SetupScript], nothing: Account, found: Account | None, deployment: Deployment
) -> Checked:
    """What the files make of `nothing`, an account in which nothing was set up yet, held against the one that was
    `found`. Without one, the matrix is that of the files. Raises DocumentError or Refusal for files that are wrong.
    """
    wanted = nothing
    for script in scripts:
        wanted, _ = run(script.text, wanted, where=script.name)
    if found is None:
        return Checked(rows=tuple(_rows(wanted, deployment)), found=False)
    differences = deviations(wanted, found, Scope(planned=frozenset(_planned(found, deployment))))
    return Checked(
        rows=tuple(_rows(found, deployment)),
        differences=tuple(Difference(kind=one.kind, says=one.says, mend=one.mend) for one in differences),
    )


def _planned(found: Account, deployment: Deployment) -> Iterator[Securable]:
    """The database roles whose grants come of the published interface, and not of the files."""
    ours = {place.database for _, place in deployment.placed if place.lasting}
    yield from (database_role(name, PUBLIC_READER) for name in ours)
    for thing in found.objects:
        if thing.kind == "DATABASE ROLE" and thing.name[0] in ours and thing.name[-1].startswith(_OWN_READERS):
            yield thing


def _rows(account: Account, deployment: Deployment) -> Iterator[AccessRow]:
    databases = {place.database for _, place in deployment.placed} | {deployment.snowflake.governance}
    for access in matrix(account, _asked(account)):
        if access.database in databases:
            purposes = tuple(dict.fromkeys(_purposes(access, deployment)))
            yield AccessRow(
                role=access.who.path,
                database=access.database,
                permissions=access.says,
                purpose="; ".join(purposes) or "mesh.yml knows of no purpose",
                foreseen=bool(purposes),
            )


def _asked(account: Account) -> Iterable[Securable]:
    """Every role that has to do with it and that Snowflake has not made, and PUBLIC, which is everybody."""
    named = {thing for thing in account.objects if thing.kind == "ROLE"}
    named |= {held.to for held in account.grants} | {held.to for held in account.future}
    named |= {held.to for held in account.memberships}
    named |= {entry.owner for entry in account.objects.values() if entry.owner}
    return sorted(
        one for one in named if one.kind == "ROLE" and (one.name[0] not in SYSTEM_ROLES or one == role("PUBLIC"))
    )


def _purposes(access: Access, deployment: Deployment) -> Iterator[str]:
    """What mesh.yml has this role for in this database."""
    for project, place in deployment.placed:
        if place.database != access.database:
            continue
        name = access.who.name[0]
        if place.role == name:
            yield f"builds {project.name} in {place.environment}"
        elif name in {other.role for other in project.places}:
            yield f"reads what {project.name} built in {place.environment}"
        if project.developers and name in {other.developer_role for other in project.places}:
            yield f"people of {project.name}"
        if name in {reader.role for reader in place.readers}:
            yield f"reads the public models of {project.name}"
