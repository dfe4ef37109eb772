"""An environment and a session in, the schemas that pull requests left behind there out, and dropped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry_tools.account.schemas import schemas_in
from registry_tools.account.session import Session
from registry_tools.errors import AccountError, Refusal
from registry_tools.mesh.account import spelled
from registry_tools.mesh.deployment import Place
from registry_tools.mesh.leftovers import Leftover, leftovers


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftovers:
    """What can go, how many other schemas of pull requests there are, and the places whose role the session has not."""

    schemas: tuple[Leftover, ...]
    staying: int
    beyond: tuple[Place, ...]


def find_leftovers(session: Session, places: Sequence[Place], available: frozenset[str], before: datetime) -> Leftovers:
    """What was created before this time, each place seen with its own role. Raises AccountError, and Refusal where none
    of these roles is available.
    """
    seen = [place for place in places if place.role in available]
    if not seen:
        roles = ", ".join(dict.fromkeys(place.role for place in places))
        raise Refusal(
            f"you have no role that builds there: {roles}",
            then="log in as a project's service user of that environment, or as somebody who has their roles",
        )
    schemas: list[Leftover] = []
    named = 0
    for place in seen:
        session.run(f"use role {spelled(place.role)}")
        found = schemas_in(session, place.database)
        named += sum(each.is_of_a_pull_request for each in found)
        schemas += leftovers(place, found, before)
    return Leftovers(
        schemas=tuple(schemas),
        staying=named - len(schemas),
        beyond=tuple(place for place in places if place not in seen),
    )


def drop_leftovers(session: Session, schemas: Sequence[Leftover]) -> Iterator[Leftover]:
    """Every schema once it is dropped, by the role that owns it. Stops at the first that is declined: AccountError."""
    for number, leftover in enumerate(schemas):
        try:
            session.run(f"use role {spelled(leftover.role)}")
            session.run(f"drop schema if exists {leftover.schema.path}")
        except AccountError as error:
            stands = f"{number} of {len(schemas)} schemas are dropped"
            then = f"{error.then}; then mesh snowflake prune again, which goes on with what is left"
            raise type(error)(error.what, where=error.where, details=(*error.details, stands), then=then) from error
        yield leftover
