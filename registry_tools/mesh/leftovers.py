"""The schemas of the databases where pull requests are built in, those that can go because they are old out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh.account import Securable, role
from registry_tools.mesh.deployment import Deployment, Place

# `pr_7` is where CI builds pull request 7; dbt writes the schema that a model names behind it (generate_schema_name).
_OF_A_PULL_REQUEST: Final = re.compile(r"PR_[0-9]+(?:_.*)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundSchema:
    """A schema, who owns it, and when it was created; None where Snowflake does not say so."""

    schema: Securable
    owner: Securable | None
    created: datetime | None

    @property
    def is_of_a_pull_request(self) -> bool:
        """Whether its name is one that CI gives to pull requests, PR_7 or PR_7_MARTS."""
        return bool(_OF_A_PULL_REQUEST.fullmatch(self.schema.name[1]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """A schema that can go, the role that owns it and drops it, and when it was created."""

    schema: Securable
    role: str
    created: datetime


def passing_places(deployment: Deployment, environment: str) -> tuple[Place, ...]:
    """Where projects are built in this environment and nobody reads them. Raises UsageError where there are none: what
    anybody reads is never left over.
    """
    passing = [place for _, place in deployment.placed if not (place.lasting or place.readers)]
    if places := tuple(place for place in passing if place.environment == environment):
        return places
    known = environment in {place.environment for _, place in deployment.placed}
    what = f"{environment} lasts, and nothing is dropped there" if known else f"there is no environment {environment}"
    names = " or ".join(dict.fromkeys(place.environment for place in passing))
    then = f"use --env {names}" if names else "leave it: every environment of this mesh lasts"
    raise UsageError(what, where="mesh.yml", then=then)


def leftovers(place: Place, found: Iterable[FoundSchema], before: datetime) -> tuple[Leftover, ...]:
    """Those of a pull request that the place's own role owns and that were created before this time.

    One that is still open has its schemas made anew by the next build of it.
    """
    return tuple(
        Leftover(schema=each.schema, role=place.role, created=each.created)
        for each in found
        if each.is_of_a_pull_request
        and each.schema.name[0] == place.database
        and each.owner == role(place.role)
        and each.created is not None
        and each.created < before
    )
