"""An account and somebody in it in, what they have and may do out: through roles in roles, ownership and containers."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from registry_tools.checks.access.kinds import containers_of
from registry_tools.mesh.account import ACCOUNT, SYSTEM_ROLES, Account, Grant, Membership, Securable, role

OWNERSHIP: Final = "OWNERSHIP"
MANAGE_GRANTS: Final = "MANAGE GRANTS"
# The role that every role and every user has.
PUBLIC: Final = role("PUBLIC")
# No privilege: what `holds` says of those who have a role, or are it.
MEMBERSHIP: Final = "MEMBERSHIP"

# What system roles may do in every account, whatever was granted (Overview of Access Control, System-defined roles);
# ACCOUNTADMIN may do everything that can be done to the account itself.
_SYSTEM_RIGHTS: Final[Mapping[str, frozenset[str]]] = {
    "SECURITYADMIN": frozenset({MANAGE_GRANTS}),
    "SYSADMIN": frozenset({"CREATE DATABASE", "CREATE WAREHOUSE"}),
    "USERADMIN": frozenset({"CREATE ROLE", "CREATE USER"}),
}
_ACCOUNTADMIN: Final = role("ACCOUNTADMIN")
# What takes a grant, also for the owner of a user (ALTER USER, Access control requirements).
_NO_OWNERS: Final = "APPLY AUTHENTICATION POLICY"
# What MANAGE WAREHOUSES comes to on every one of them (Access control privileges).
_MANAGED_WAREHOUSE: Final = ("MODIFY", "MONITOR", "OPERATE")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Somebody with all the roles that they have, directly or through others: `roles` contains `who` they are.

    `grants` are the privileges that any of them was given, `seen` what any privilege at all was given on.
    """

    account: Account
    who: Securable
    roles: frozenset[Securable]
    grants: frozenset[tuple[str, Securable]]
    seen: frozenset[Securable]

    def owns(self, on: Securable) -> bool:
        """Whether one of the roles is its owner. Nobody owns the account."""
        entry = self.account.objects.get(on)
        return entry is not None and entry.owner in self.roles

    def holds(self, privilege: str, on: Securable) -> bool:
        """Whether they have it on this thing: an owner has every privilege. Its containers are not looked at."""
        if (privilege, on) in self.grants or (privilege == MEMBERSHIP and on in self.roles):
            return True
        if self.owns(on) and privilege != _NO_OWNERS:
            return True
        if on == ACCOUNT:
            given = (_SYSTEM_RIGHTS.get(held.name[0], ()) for held in self.roles if held.kind == "ROLE")
            return _ACCOUNTADMIN in self.roles or any(privilege in rights for rights in given)
        managed = on.kind == "WAREHOUSE" and privilege in _MANAGED_WAREHOUSE
        return managed and self.holds("MANAGE WAREHOUSES", ACCOUNT)

    def reaches(self, on: Securable) -> bool:
        """Whether they find it: with at least one privilege on its database, and on its schema.

        Any privilege will do, not USAGE alone (Access control privileges): whoever may create in a schema sees it.
        """
        return all(map(self.reaches_into, containers_of(on)))

    def reaches_into(self, container: Securable) -> bool:
        """Whether they own this database or schema, or have any privilege on it."""
        return self.owns(container) or container in self.seen

    def may(self, privilege: str, on: Securable) -> bool:
        """Whether they have this privilege on something that there is, and reach it."""
        return self.holds(privilege, on) and self.reaches(on)


def standing(account: Account, who: Securable) -> Standing:
    """What this role, database role, user or share comes to in this account."""
    roles = roles_of(account, who)
    given = [grant for grant in account.grants if grant.to in roles]
    given += _inherited(account, roles)
    return Standing(
        account=account,
        who=who,
        roles=roles,
        grants=frozenset((grant.privilege, grant.on) for grant in given),
        seen=frozenset(grant.on for grant in given),
    )


def roles_of(account: Account, who: Securable) -> frozenset[Securable]:
    """Whoever this is, with all the roles that they have. Every role and every user has the role PUBLIC."""
    has: dict[Securable, list[Securable]] = {}
    for membership in (*account.memberships, *_system_memberships()):
        has.setdefault(membership.to, []).append(membership.role)
    found: set[Securable] = set()
    waiting = [who, PUBLIC] if who.kind in ("ROLE", "USER") else [who]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += has.get(one, ())
    return frozenset(found)


def _inherited(account: Account, roles: Collection[Securable]) -> Iterator[Grant]:
    """What roles hold of everything that there is of a kind (Managing access with inherited grants)."""
    for future in account.future:
        if future.inherited and future.to in roles:
            for thing in account.objects:
                if thing.kind == future.kind and thing.is_within(future.within):
                    yield Grant(future.privilege, thing, future.to)


def exists(account: Account, thing: Securable) -> bool:
    """Whether the account has it, as every account has the system's roles."""
    return thing in account.objects or thing == ACCOUNT or _is_system(thing)


def holders(account: Account, rights: Collection[tuple[str, Securable]]) -> tuple[Securable, ...]:
    """The roles that hold one of these rights, without those that do so only because they have another such role."""
    roles = {*(thing for thing in account.objects if thing.kind == "ROLE"), *map(role, SYSTEM_ROLES)}
    carried = {one: standing(account, one) for one in roles}
    able = {one for one, found in carried.items() if any(found.may(*right) for right in rights)}
    return tuple(sorted(one for one in able if carried[one].roles & able == {one}))


def _is_system(thing: Securable) -> bool:
    return thing.kind == "ROLE" and thing.name[0] in SYSTEM_ROLES


def _system_memberships() -> Iterable[Membership]:
    return (Membership(role(name), role(to)) for name, parents in SYSTEM_ROLES.items() for to in parents)
