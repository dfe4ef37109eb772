"""The account that the files make and the one that there is in, every difference that concerns us out.

Ours is what the files make, and whatever is in the databases that they make. What others have beside that is theirs;
what others can do with ours, and ours with what is theirs, is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from registry_tools.checks.access import mending
from registry_tools.checks.access.kinds import container_of
from registry_tools.checks.access.reading import MANAGED_ACCESS
from registry_tools.checks.access.standing import MANAGE_GRANTS, PUBLIC, exists, standing
from registry_tools.mesh.account import (
    ACCOUNT,
    PASSING_ON,
    SYSTEM_ROLES,
    Account,
    Entry,
    FutureGrant,
    Grant,
    Membership,
    Securable,
)

DeviationKind: TypeAlias = Literal[
    "missing-object",
    "extra-object",
    "other-owner",
    "other-setting",
    "missing-grant",
    "extra-grant",
    "missing-membership",
    "extra-membership",
]

# What is said once, when a thing is created, and is asked of nobody afterwards.
_AT_CREATION: Final = ("INITIALLY_SUSPENDED", "START_TIMESTAMP")
# What SHOW tells with all its settings, so that one that it does not tell is not set.
_TOLD_WHOLE: Final = ("DATABASE", "SCHEMA", "WAREHOUSE", "RESOURCE MONITOR", "USER", "SHARE", "AUTHENTICATION POLICY")
_Held: TypeAlias = Grant | FutureGrant | Membership


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Deviation:
    """One difference, in a sentence. `mend` is the statement after which there is none, where one is enough."""

    kind: DeviationKind
    about: Securable
    says: str
    mend: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What is not compared: what these database roles read in their own databases, and which roles of ours have them
    where the files do not name them. `mesh grants` plans both from the published interface.
    """

    planned: frozenset[Securable] = field(default_factory=frozenset)


def deviations(wanted: Account, found: Account, scope: Scope | None = None) -> tuple[Deviation, ...]:
    """Everything in which `found` is not what the files say, sorted. Accounts that are one another have none.

    A person whom the files find in the account (a user whose owner they do not know) is not ours.
    """
    sides = _Sides(wanted=wanted, found=found, planned=(scope or Scope()).planned)
    return tuple(sorted({*_objects(sides), *_grants(sides)}, key=lambda one: (one.kind, one.about, one.says)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sides:
    wanted: Account
    found: Account
    planned: frozenset[Securable]

    def is_ours(self, thing: Securable) -> bool:
        """Whether the files make it, or what it is in."""
        entry = self.wanted.objects.get(thing)
        if entry is not None:
            return entry.owner is not None
        return thing.database is not None and Securable("DATABASE", (thing.database,)) in self.wanted.objects

    def is_missing(self, thing: Securable) -> bool:
        """Whether the files make it, and it is not there: then that is told, and nothing of what would be on it."""
        return thing in self.wanted.objects and not exists(self.found, thing)

    def concerns_us(self, held: _Held) -> bool:
        """Whether it is held on what is ours or by us, or everywhere or by everybody, so that ours is among it."""
        if any(map(self.is_ours, _named(held))):
            return True
        match held:
            case Grant():
                return False
            case FutureGrant():
                return held.within == ACCOUNT and not _is_systems(held.to)
            case _:
                return held.to == PUBLIC and _is_systems(held.role)

    def is_foreseen(self, held: _Held) -> bool:
        """Whether it comes of what the files say of whatever comes, or `mesh grants` sees to it."""
        match held:
            case Grant():
                own = held.to in self.planned and held.to.database == held.on.database and _is_read(held)
                return own or any(_comes_of(held, future) for future in self.wanted.future)
            case FutureGrant():
                return False
            case _:
                to_ours = held.to in self.wanted.objects and held.to.kind != "DATABASE ROLE"
                return held.role in self.planned and held.role not in self.wanted.objects and to_ours

    def comes_by_itself(self, held: _Held) -> bool:
        """Whether Snowflake itself gives it: to a managed schema's owner (behaviour change 1397), to database roles."""
        if not isinstance(held, Grant):
            return False
        if held.on.kind == "DATABASE":
            return held.privilege == "USAGE" and held.to.kind == "DATABASE ROLE" and held.to.is_within(held.on)
        owner = self.found.objects.get(held.on, Entry()).owner
        privilege = held.privilege.removeprefix(PASSING_ON)
        return held.on.kind == "SCHEMA" and privilege == MANAGE_GRANTS and held.to == owner

    def may_make(self, owner: Securable, thing: Securable) -> bool:
        """Whether this is a role of the files that may create such things there: by the files, where they make what it
        is in.
        """
        container = container_of(thing)
        account = self.wanted if container in self.wanted.objects else self.found
        ours = owner.kind == "ROLE" and owner in self.wanted.objects
        return ours and standing(account, owner).holds(f"CREATE {thing.kind}", container)


# -- objects ----------------------------------------------------------------------------------------------------------


def _objects(sides: _Sides) -> Iterator[Deviation]:
    for thing, entry in sides.wanted.objects.items():
        if sides.is_missing(thing):
            yield Deviation(kind="missing-object", about=thing, says=f"there is no {thing}")
            continue
        there = sides.found.objects.get(thing, Entry())
        if entry.owner and there.owner and entry.owner != there.owner:
            says = f"{thing} is owned by {there.owner}, and should be by {entry.owner}"
            mend = mending.transferring(thing, entry.owner)
            yield Deviation(kind="other-owner", about=thing, says=says, mend=mend)
        yield from _settings(thing, dict(entry.settings), dict(there.settings))
    for thing, there in sides.found.objects.items():
        if thing in sides.wanted.objects or not sides.is_ours(thing) or there.owner is None:
            continue
        if not sides.may_make(there.owner, thing):
            says = f"{thing} is owned by {there.owner}: the files do not make it, nor let that role make it"
            yield Deviation(kind="extra-object", about=thing, says=says)


def _settings(thing: Securable, wanted: dict[str, str], found: dict[str, str]) -> Iterator[Deviation]:
    if thing.kind == "SCHEMA":
        for settings in (wanted, found):
            settings.setdefault(MANAGED_ACCESS, "FALSE")
    for key, value in wanted.items():
        told = key in found or (thing.kind in _TOLD_WHOLE and key not in _AT_CREATION)
        if told and found.get(key) != value:
            there = f"is {found[key]}" if key in found else "is not set"
            says = f"{key} of {thing} {there}, and should be {value}"
            mend = mending.setting(thing, key, value)
            yield Deviation(kind="other-setting", about=thing, says=says, mend=mend)


# -- grants -----------------------------------------------------------------------------------------------------------


def _grants(sides: _Sides) -> Iterator[Deviation]:
    there, said = _held(sides.found), _held(sides.wanted)
    for held in said - there:
        if not any(map(sides.is_missing, _named(held))):
            grants = mending.granting(held)
            kind: DeviationKind = "missing-membership" if isinstance(held, Membership) else "missing-grant"
            yield Deviation(kind=kind, about=_named(held)[1], says=f"missing: {grants}", mend=grants)
    for held in there - said:
        if sides.concerns_us(held) and not sides.is_foreseen(held) and not sides.comes_by_itself(held):
            mend = mending.revoking(held)
            says = f"not in the files: {mending.granting(held)}"
            kind = "extra-membership" if isinstance(held, Membership) else "extra-grant"
            yield Deviation(kind=kind, about=_named(held)[1], says=says, mend=mend)


def _held(account: Account) -> frozenset[_Held]:
    return frozenset({*account.grants, *account.future, *account.memberships})


def _named(held: _Held) -> tuple[Securable, Securable]:
    """What is held, or what it is held on, and who holds it."""
    match held:
        case Grant():
            return held.on, held.to
        case FutureGrant():
            return held.within, held.to
        case _:
            return held.role, held.to


def _comes_of(grant: Grant, future: FutureGrant) -> bool:
    asked = (future.privilege, future.kind, future.to, False)
    given = (grant.privilege, grant.on.kind, grant.to, future.inherited)
    return given == asked and grant.on.is_within(future.within)


def _is_read(grant: Grant) -> bool:
    """Whether it is of the kind that `mesh grants` plans: to read something in a schema, or to see the schema."""
    return grant.privilege == ("USAGE" if grant.on.kind == "SCHEMA" else "SELECT")


def _is_systems(who: Securable) -> bool:
    """Whether it is a role that Snowflake made and few have: what those may do is known."""
    return who.kind == "ROLE" and who.name[0] in SYSTEM_ROLES and who != PUBLIC
