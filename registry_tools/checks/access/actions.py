"""What a statement asks for, as a frozen value: one class for each sort of statement that the model knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from registry_tools.mesh.account import Securable


@dataclass(frozen=True, kw_only=True, slots=True)
class UseRole:
    """The role in which the statements after it run."""

    role: Securable


@dataclass(frozen=True, kw_only=True, slots=True)
class UseOther:
    """A warehouse, a database, a schema or no secondary roles for this session: nobody may do more or less for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Create:
    """Something new. It may take the place of what is there (`replaces`), give way to it (`gives_way`), or be that,
    set as it says and in no other way (`alters`). What is `temporary` is seen by its own session, and goes with it.
    """

    what: Securable
    settings: Mapping[str, str] = field(default_factory=dict)
    replaces: bool = False
    gives_way: bool = False
    alters: bool = False
    copies_grants: bool = False
    temporary: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Alter:
    """Settings of something that exists: those it gets and those it loses. `forced`: in place of an earlier policy."""

    what: Securable
    sets: Mapping[str, str] = field(default_factory=dict)
    unsets: tuple[str, ...] = ()
    if_exists: bool = False
    forced: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AlterAccounts:
    """The accounts that may use a share: in place of those it has, besides them, or no longer."""

    what: Securable
    how: Literal["SET", "ADD", "REMOVE"]
    accounts: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """Something that goes, with all that is in it and all that was granted on it or to it."""

    what: Securable
    if_exists: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Many:
    """Everything of one kind in a database or a schema: what is there, or what is still to come."""

    kind: str
    within: Securable
    future: bool


Target: TypeAlias = Securable | Many


@dataclass(frozen=True, kw_only=True, slots=True)
class Privileges:
    """Privileges that somebody gets or loses. A relation whose kind the statement leaves open is a `RELATION`.

    What is `inherited` is of everything of a kind, as it is there and as it comes.
    """

    privileges: tuple[str, ...]
    on: Target
    to: Securable
    revoked: bool = False
    inherited: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ownership:
    """Who owns something from now on, and what becomes of the grants on it; None: there may not be any."""

    on: Target
    to: Securable
    grants: Literal["COPY", "REVOKE"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A role or database role that somebody gets or loses."""

    role: Securable
    to: Securable
    revoked: bool = False


Change: TypeAlias = Create | Alter | AlterAccounts | Drop | Privileges | Ownership | Member
Action: TypeAlias = UseRole | UseOther | Change
