"""What a statement asks for and an account in, the same with everything that it names found in the account out.

What the account would decline whoever asks raises DeclinedError.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from registry_tools.checks.access.actions import (
    Action,
    Alter,
    AlterAccounts,
    Create,
    Drop,
    Many,
    Member,
    Ownership,
    Privileges,
    Target,
    UseRole,
)
from registry_tools.checks.access.kinds import RELATIONS, SHAREABLE, container_of
from registry_tools.checks.access.obstacles import DeclinedError, UnknownStatementError
from registry_tools.checks.access.reading import AUTHENTICATION_POLICY, IS_SECURE, MANAGED_ACCESS, tag_of
from registry_tools.checks.access.reading_names import RELATION
from registry_tools.checks.access.standing import OWNERSHIP, PUBLIC, exists, roles_of, standing
from registry_tools.mesh.account import Account, Entry, Securable, parse_path

# Settings that name something else of the account.
_NAMING: Final = {
    "RESOURCE_MONITOR": "RESOURCE MONITOR",
    "STORAGE_INTEGRATION": "INTEGRATION",
    AUTHENTICATION_POLICY: AUTHENTICATION_POLICY,
}


def settled(action: Action, account: Account) -> Action | None:
    """The same with what it names looked up, or None where IF EXISTS leaves nothing to do."""
    if isinstance(action, Alter | AlterAccounts | Drop):
        if action.if_exists and not exists(account, action.what):
            return None
        _found(account, action.what)
    match action:
        case UseRole():
            _found(account, action.role)
        case Create():
            _creatable(action, account)
        case Alter():
            _alterable(action, account)
        case Privileges():
            return _given(replace(action, on=_target(account, action.on)), account)
        case Ownership():
            return _transferable(replace(action, on=_target(account, action.on)), account)
        case Member():
            _joinable(action, account)
    return action


def named_by(settings: Mapping[str, str]) -> Iterable[tuple[str, Securable]]:
    """The settings that name something else, each with what it names."""
    for key, value in settings.items():
        tag = tag_of(key)
        if tag:
            yield key, tag
        elif key in _NAMING and value != "NULL":
            yield key, Securable(_NAMING[key], _path(key, value))


def _path(key: str, value: str) -> tuple[str, ...]:
    try:
        return parse_path(value)
    except ValueError as error:
        raise UnknownStatementError(f"{key}: {error}") from None


def things(account: Account, on: Target) -> tuple[Securable, ...]:
    """What a target is in this account, in a stable order; nothing of what is still to come."""
    if not isinstance(on, Many):
        return (on,)
    kept = (thing for thing in account.objects if thing.kind == on.kind and thing.is_within(on.within))
    return () if on.future else tuple(sorted(kept))


def is_managed(account: Account, schema: Securable) -> bool:
    """Whether this is a schema with managed access."""
    entry = account.objects.get(schema)
    return entry is not None and entry.settings.get(MANAGED_ACCESS) == "TRUE"


def _found(account: Account, *wanted: Securable) -> None:
    for thing in wanted:
        if not exists(account, thing):
            before = f"create {thing} in a statement before this one"
            people = f"create {thing}, or take it out of the developers in mesh.yml: people are users before"
            raise DeclinedError(f"there is no {thing}", then=people if thing.kind == "USER" else before)


def _target(account: Account, on: Target) -> Target:
    if isinstance(on, Many):
        _found(account, on.within)
        return on
    if on.kind == RELATION:
        on = next((found for found in _relations(account, on)), Securable("TABLE", on.name))
    _found(account, on)
    return on


def _relations(account: Account, like: Securable) -> Iterable[Securable]:
    """The relations that have this name: one at most."""
    return (found for kind in RELATIONS if (found := Securable(kind, like.name)) in account.objects)


# -- what is there already, and what is named --------------------------------------------------------------------------


def _creatable(create: Create, account: Account) -> None:
    _found(account, container_of(create.what), *(thing for _, thing in named_by(create.settings)))
    if create.temporary:
        return
    if exists(account, create.what) and not (create.replaces or create.gives_way or create.alters):
        raise DeclinedError(
            f"{create.what} is there already", then="write CREATE ... IF NOT EXISTS, then ALTER ... SET"
        )
    if create.what.kind in RELATIONS:
        for found in _relations(account, create.what):
            if found != create.what:
                raise DeclinedError(f"{create.what} is there already, as a {found.kind}", then=f"DROP {found}")


def _alterable(alter: Alter, account: Account) -> None:
    _found(account, *(thing for _, thing in named_by(alter.sets)))
    entry = account.objects.get(alter.what)
    settings = entry.settings if entry else {}
    if AUTHENTICATION_POLICY in alter.sets and AUTHENTICATION_POLICY in settings and not alter.forced:
        # ALTER USER, SET ... POLICY: a user has one policy of a kind, and FORCE puts another one in its place
        raise DeclinedError(f"{alter.what} has an authentication policy already", then="add FORCE to the statement")
    to_come = any(future.within == alter.what for future in account.future)
    if alter.sets.get(MANAGED_ACCESS) == "TRUE" and to_come and not is_managed(account, alter.what):
        what = f"{alter.what} has future grants, which managed access would hand to its owner"
        raise DeclinedError(what, then=f"REVOKE ... ON FUTURE ... IN {alter.what} first")


# -- who can be given what ---------------------------------------------------------------------------------------------


def _given(asked: Privileges, account: Account) -> Privileges:
    _found(account, asked.to)
    _in_its_database(asked.to, asked.on)
    shared = [m.to for m in account.memberships if m.role == asked.to and m.to.kind == "SHARE"]
    if not asked.revoked and (shared or asked.to.kind == "SHARE"):
        share = min(shared, default=asked.to)
        if isinstance(asked.on, Many) and asked.on.future:
            raise DeclinedError(f"what is to come cannot be granted to {asked.to}: {share} is shared", then="name it")
        _only_shareable(asked.privileges, asked.to)
        _only_secure(things(account, asked.on), share, account)
    return asked


def _transferable(asked: Ownership, account: Account) -> Ownership:
    _found(account, asked.to)
    kind = asked.on.kind
    if kind == "SHARE" or asked.to.kind not in ("ROLE", "DATABASE ROLE"):
        raise DeclinedError(f"a {kind} cannot be owned by a {asked.to.kind}", then="give it to a role, or leave it out")
    _in_its_database(asked.to, asked.on)
    for thing in things(account, asked.on):
        _under_its_schemas_owner(container_of(thing), asked.to, account)
        owners_to_come = [f for f in account.future if f.within == thing and f.privilege == OWNERSHIP]
        if owners_to_come and is_managed(account, thing) and account.objects[thing].owner != asked.to:
            what = f"what comes to {thing} is to be owned by {min(owners_to_come).to}"
            raise DeclinedError(what, then=f"REVOKE OWNERSHIP ON FUTURE ... IN {thing} first")
        if asked.grants is None and any(grant.on == thing for grant in account.grants):
            raise DeclinedError(f"there are grants on {thing}", then="add COPY CURRENT GRANTS or REVOKE CURRENT GRANTS")
    if isinstance(asked.on, Many) and asked.on.future:
        _under_its_schemas_owner(asked.on.within, asked.to, account)
        _only_owner_to_come(asked.on, asked.to, account)
    return asked


def _under_its_schemas_owner(schema: Securable, to: Securable, account: Account) -> None:
    """GRANT <privileges> ... TO ROLE, Usage notes and Future grants: in managed access schemas."""
    owner = account.objects[schema].owner if is_managed(account, schema) else None
    if owner and to not in roles_of(account, owner):
        what = f"{schema} has managed access, so that only a role that {owner} has can own what is in it"
        raise DeclinedError(what, then=f"GRANT {to} TO {owner} first")


def _only_owner_to_come(on: Many, to: Securable, account: Account) -> None:
    for future in account.future:
        if (future.privilege, future.kind, future.within) == (OWNERSHIP, on.kind, on.within) and future.to != to:
            what = f"what comes to {on.within} is to be owned by {future.to} already"
            raise DeclinedError(what, then=f"REVOKE OWNERSHIP ON FUTURE ... IN {on.within} FROM {future.to} first")


def _joinable(asked: Member, account: Account) -> None:
    _found(account, asked.role, asked.to)
    if asked.to.kind == "DATABASE ROLE":
        if asked.role.kind == "ROLE":
            raise DeclinedError(
                f"{asked.to} cannot have {asked.role}", then="give the database role to the role instead"
            )
        _in_its_database(asked.to, asked.role)
    if not asked.revoked and asked.to in roles_of(account, asked.role) - {PUBLIC}:
        raise DeclinedError(f"{asked.role} has {asked.to} already: roles cannot have each other", then="leave one out")
    if asked.to.kind == "SHARE":
        _shareable_role(asked.role, asked.to, account)


def _shareable_role(given: Securable, share: Securable, account: Account) -> None:
    if given.kind == "ROLE":
        raise DeclinedError(f"a share cannot have {given}", then="give it a database role")
    held = standing(account, given)
    if any(future.to in held.roles for future in account.future):
        raise DeclinedError(f"{given} has future grants and cannot be shared", then="grant what there is, by its name")
    _only_shareable((privilege for privilege, _ in sorted(held.grants)), given)
    _only_secure((on for _, on in sorted(held.grants)), share, account)


def _only_shareable(privileges: Iterable[str], to: Securable) -> None:
    for privilege in privileges:
        if privilege not in SHAREABLE:
            raise DeclinedError(f"{to} is shared and cannot have {privilege}", then="share what may be read, no more")


def _only_secure(given: Iterable[Securable], share: Securable, account: Account) -> None:
    """Of a view that was not created here nothing is known, and nothing is said."""
    if account.objects.get(share, Entry()).settings.get("SECURE_OBJECTS_ONLY") == "FALSE":
        return
    for thing in given:
        entry = account.objects.get(thing)
        if entry and entry.settings.get(IS_SECURE) == "FALSE":
            # Share data in non-secure views
            what = f"{thing} is not a secure view, and {share} takes no other"
            raise DeclinedError(what, then="build the model with +secure: true, or as a table")


def _in_its_database(to: Securable, on: Target) -> None:
    on = on.within if isinstance(on, Many) else on
    if to.kind == "DATABASE ROLE" and to.database != on.database:
        raise DeclinedError(f"{to} can have nothing outside of its database, and so not {on}", then="use a ROLE for it")
