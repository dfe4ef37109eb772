"""The word of a kind in, what Snowflake lets one do with such things out: where they stand, what is granted on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from registry_tools.mesh.account import ACCOUNT, Securable

_READ: Final = ("SELECT", "REFERENCES")
_WRITE: Final = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_MADE_IN_SCHEMAS: Final = (
    "TABLE",
    "VIEW",
    "DYNAMIC TABLE",
    "MATERIALIZED VIEW",
    "TAG",
    "AUTHENTICATION POLICY",
    "FILE FORMAT",
    "STAGE",
)

# What can be read with SELECT; within a schema all of them share one set of names (Identifier Requirements).
RELATIONS: Final = ("TABLE", "VIEW", "DYNAMIC TABLE", "MATERIALIZED VIEW")
# What hides its query only where it is secure.
VIEWS: Final = ("VIEW", "MATERIALIZED VIEW")
# What can be given a role's privileges.
GRANTEES: Final = ("ROLE", "DATABASE ROLE", "USER", "SHARE")
# What a share, and so a role in it, may be given: nothing that writes (GRANT DATABASE ROLE ... TO SHARE, Usage notes).
SHAREABLE: Final = frozenset({"USAGE", "SELECT", "REFERENCE_USAGE", "REFERENCES"})

# What can be granted on things of a kind (GRANT <privileges> ... TO ROLE), without what a mesh has no use for.
PRIVILEGES: Final[Mapping[str, tuple[str, ...]]] = {
    "ACCOUNT": (
        *(f"CREATE {kind}" for kind in ("DATABASE", "WAREHOUSE", "ROLE", "USER", "SHARE", "INTEGRATION")),
        *("APPLY TAG", "APPLY AUTHENTICATION POLICY", "MANAGE GRANTS", "MANAGE WAREHOUSES"),
        *("MONITOR USAGE", "MONITOR EXECUTION", "EXECUTE TASK", "EXECUTE MANAGED TASK", "IMPORT SHARE"),
    ),
    "DATABASE": ("USAGE", "MODIFY", "MONITOR", "CREATE SCHEMA", "CREATE DATABASE ROLE"),
    "SCHEMA": ("USAGE", "MODIFY", "MONITOR", *(f"CREATE {kind}" for kind in _MADE_IN_SCHEMAS)),
    "WAREHOUSE": ("USAGE", "OPERATE", "MODIFY", "MONITOR"),
    "INTEGRATION": ("USAGE",),
    "RESOURCE MONITOR": ("MODIFY", "MONITOR"),
    "USER": ("MONITOR", "APPLY AUTHENTICATION POLICY"),
    "TABLE": (*_READ, *_WRITE),
    "VIEW": _READ,
    "DYNAMIC TABLE": ("SELECT", "MONITOR", "OPERATE"),
    "MATERIALIZED VIEW": _READ,
    "STAGE": ("USAGE", "READ", "WRITE"),
    "FILE FORMAT": ("USAGE",),
    "TAG": ("APPLY", "READ"),
    "AUTHENTICATION POLICY": ("APPLY",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """How many parts the names of its things have, and how SQL calls many of them (None: it never speaks of many)."""

    parts: int
    plural: str | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "DATABASE": Kind(parts=1),
    "WAREHOUSE": Kind(parts=1),
    "ROLE": Kind(parts=1),
    "USER": Kind(parts=1),
    "SHARE": Kind(parts=1),
    "INTEGRATION": Kind(parts=1),
    "RESOURCE MONITOR": Kind(parts=1),
    "SCHEMA": Kind(parts=2, plural="SCHEMAS"),
    "DATABASE ROLE": Kind(parts=2),
    "TABLE": Kind(parts=3, plural="TABLES"),
    "VIEW": Kind(parts=3, plural="VIEWS"),
    "DYNAMIC TABLE": Kind(parts=3, plural="DYNAMIC TABLES"),
    "MATERIALIZED VIEW": Kind(parts=3, plural="MATERIALIZED VIEWS"),
    "STAGE": Kind(parts=3, plural="STAGES"),
    "FILE FORMAT": Kind(parts=3, plural="FILE FORMATS"),
    "TAG": Kind(parts=3),
    "AUTHENTICATION POLICY": Kind(parts=3),
}
PLURALS: Final = {kind.plural: name for name, kind in KINDS.items() if kind.plural}


def plural_of(kind: str) -> str:
    """How SQL calls many things of a kind, of one that is not known here as well (`EXTERNAL TABLES`, `POLICIES`)."""
    known = KINDS.get(kind)
    if known and known.plural:
        return known.plural
    return f"{kind[:-1]}IES" if kind.endswith("Y") else f"{kind}S"


def container_of(thing: Securable) -> Securable:
    """The schema, the database or the account that it stands in."""
    kind = ("ACCOUNT", "DATABASE", "SCHEMA")[len(thing.name) - 1]
    return Securable(kind, thing.name[:-1]) if thing.name[:-1] else ACCOUNT


def containers_of(thing: Securable) -> tuple[Securable, ...]:
    """The database and the schema that it stands in, as far as it stands in any."""
    return tuple(
        Securable(kind, thing.name[:at]) for kind, at in (("DATABASE", 1), ("SCHEMA", 2)) if len(thing.name) > at
    )
