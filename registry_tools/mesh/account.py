"""A Snowflake account as its SHOW commands tell it: what exists and whose it is, who was granted what, who is in whom.

Names are held as the account stores them (Identifier Requirements), each part by itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PLAIN: Final = re.compile(r"[A-Z_][A-Z0-9_$]*", re.ASCII)
_PARTS: Final = re.compile(r'"((?:[^"]|"")+)"|([A-Za-z_][\w$]*)', re.ASCII)

# Names that stand for something else in one clause or another (Snowflake, Reserved & Limited Keywords).
_RESERVED: Final = (
    "ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT CREATE CROSS "
    "CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE DISTINCT DROP ELSE "
    "EXISTS FALSE FOLLOWING FOR FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT INNER INSERT "
    "INTERSECT INTO IS ISSUE JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT NULL OF ON OR "
    "ORDER ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS SAMPLE SCHEMA SELECT SET SOME START TABLE "
    "TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE USING VALUES VIEW WHEN WHENEVER WHERE WITH"
)
RESERVED: Final = frozenset(_RESERVED.split())

# The roles that every account has, each with those that it is granted to (Overview of Access Control, System-defined).
SYSTEM_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "ACCOUNTADMIN": (),
    "SECURITYADMIN": ("ACCOUNTADMIN",),
    "SYSADMIN": ("ACCOUNTADMIN",),
    "USERADMIN": ("SECURITYADMIN",),
    "PUBLIC": (),
}
# Names that are no one's to choose: every account has these roles, or a database, a user or schemas of that name.
TAKEN: Final = frozenset(
    {*RESERVED, *SYSTEM_ROLES, "ORGADMIN", "GLOBALORGADMIN", "SNOWFLAKE", "SNOWFLAKE_SAMPLE_DATA", "INFORMATION_SCHEMA"}
)


@dataclass(frozen=True, order=True, slots=True)
class Securable:
    """Something that has an owner or that privileges are granted on or to: its kind in the words of SQL, in the
    singular and in upper case (`TABLE`, `DATABASE ROLE`), and the parts of its name. The account itself has no name.
    """

    kind: str
    name: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The name as SQL has to spell it: `DBT_UP_PROD.MARTS."Price List"`."""
        return ".".join(map(spelled, self.name))

    @property
    def database(self) -> str | None:
        """The database that it is in, or that it is; None for what stands beside databases."""
        in_database = len(self.name) > 1 or self.kind == "DATABASE"
        return self.name[0] if in_database else None

    def is_within(self, container: "Securable") -> bool:
        """Whether it stands in this database or schema, at whatever depth."""
        return len(self.name) > len(container.name) and self.name[: len(container.name)] == container.name

    def __str__(self) -> str:
        return f"{self.kind} {self.path}".rstrip()


ACCOUNT: Final = Securable("ACCOUNT")
# What a privilege is called that its holder may pass on (REVOKE <privileges> ... FROM ROLE).
PASSING_ON: Final = "GRANT OPTION FOR "


def role(name: str) -> Securable:
    """The account role of this name."""
    return Securable("ROLE", (name,))


def database_role(database: str, name: str) -> Securable:
    """The role of this name that lives in a database and can be given nothing outside of it."""
    return Securable("DATABASE ROLE", (database, name))


@dataclass(frozen=True, order=True, slots=True)
class Grant:
    """A privilege on something, given to a role, a database role, a user or a share. Ownership is no grant here.

    Who may pass it on has `GRANT OPTION FOR` it besides, as REVOKE calls that.
    """

    privilege: str
    on: Securable
    to: Securable


@dataclass(frozen=True, order=True, slots=True)
class FutureGrant:
    """A privilege that everything of one kind gets which comes to be in a database or a schema.

    One that is `inherited` (Managing access with inherited grants) is held on what is there as well, for as long as it
    is granted itself, and may be of the whole account.
    """

    privilege: str
    kind: str
    within: Securable
    to: Securable
    inherited: bool = False


@dataclass(frozen=True, order=True, slots=True)
class Membership:
    """A role or database role given to another one, or to a user or a share, which may then do what it may."""

    role: Securable
    to: Securable


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What is known of something that exists: the role that owns it, and how it is set, as ALTER ... SET would say it
    (`{"AUTO_SUSPEND": "60"}`); `MANAGED ACCESS` of a schema is `"TRUE"` or absent.
    """

    owner: Securable | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Everything that is known of an account. What is not in here does not exist or was not asked for."""

    objects: Mapping[Securable, Entry] = field(default_factory=dict)
    grants: frozenset[Grant] = frozenset()
    future: frozenset[FutureGrant] = frozenset()
    memberships: frozenset[Membership] = frozenset()


def spelled(part: str) -> str:
    """One part of a name as SQL has to spell it: in quotes unless Snowflake stores it unquoted as it is, and reads it
    as a name.
    """
    return part if _PLAIN.fullmatch(part) and part not in RESERVED else '"' + part.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """A text as SQL has to spell it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def parse_path(text: str) -> tuple[str, ...]:
    """The parts of a name in SQL, as the account stores them. Raises ValueError for what is no name."""
    found = list(_PARTS.finditer(text))
    if not found or ".".join(part.group() for part in found) != text:
        raise ValueError(f"{text!r} is no name of Snowflake's")
    return tuple(part[1].replace('""', '"') if part[1] else part[2].upper() for part in found)
