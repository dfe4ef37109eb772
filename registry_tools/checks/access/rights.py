"""What a statement asks for in, the rights that its role needs for that out: each is one of several that will do."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from registry_tools.checks.access.actions import (
    Alter,
    AlterAccounts,
    Change,
    Create,
    Drop,
    Many,
    Ownership,
    Privileges,
)
from registry_tools.checks.access.kinds import container_of, containers_of
from registry_tools.checks.access.obstacles import DeclinedError
from registry_tools.checks.access.reading import AUTHENTICATION_POLICY, MANAGED_ACCESS, tag_of
from registry_tools.checks.access.settled import is_managed, named_by, things
from registry_tools.checks.access.standing import (
    MANAGE_GRANTS,
    MEMBERSHIP,
    OWNERSHIP,
    Standing,
    exists,
    holders,
)
from registry_tools.mesh.account import ACCOUNT, Account, Securable

# A privilege on something.
_Right: TypeAlias = tuple[str, Securable]
_Need: TypeAlias = tuple[_Right, ...]

_GRANTING: Final = (MANAGE_GRANTS, ACCOUNT)
# What ACCOUNTADMIN alone may do, and nobody can be granted (CREATE RESOURCE MONITOR; ALTER WAREHOUSE, Access control
# requirements; ALTER ACCOUNT). The words are ours.
_ASSIGNING: Final = ("ASSIGN RESOURCE MONITOR", ACCOUNT)
_SETTING: Final = ("MODIFY", ACCOUNT)
# What MODIFY is enough to set. Everything else takes its owner.
_MODIFIED: Final = ("DATABASE", "SCHEMA", "WAREHOUSE", "RESOURCE MONITOR")


def demand(action: Change, runs: Standing) -> None:
    """Raises DeclinedError unless whoever this is may run the statement: it names the missing right and who has it."""
    account, role = runs.account, runs.who
    for need in _needs(action, account):
        if any(runs.may(*right) for right in need):
            continue
        if held := next((on for privilege, on in need if runs.holds(privilege, on)), None):
            unseen = next(container for container in containers_of(held) if not runs.reaches_into(container))
            what = f"{role} has no privilege on {unseen}, and so does not reach {held}"
            raise DeclinedError(what, then=f"GRANT USAGE ON {unseen} TO {role} first")
        able = holders(account, need)
        has = "has" if len(able) < 2 else "have"  # noqa: PLR2004  # one, or more
        who = f"which {' and '.join(one.path for one in able) or 'no role'} {has}"
        then = f"USE ROLE {able[0].path} before it" if able else f"GRANT {_worded(need[0])} first"
        raise DeclinedError(f"{role} lacks {' or '.join(map(_worded, need))}, {who}", then=then)


def _worded(right: _Right) -> str:
    privilege, on = right
    return f"the role {on.path}" if privilege == MEMBERSHIP else f"{privilege} on {on}"


def _needs(action: Change, account: Account) -> Iterator[_Need]:
    match action:
        case Create():
            yield from _to_create(action, account)
        case Alter() if action.what == ACCOUNT:
            yield (_SETTING,)
        case Alter():
            yield from _to_alter(action, account)
        case AlterAccounts() | Drop():
            yield ((OWNERSHIP, action.what),)
        case Privileges():
            yield from _to_grant(action, account)
        case Ownership():
            yield from _to_transfer(action, account)
        case _:
            yield ((OWNERSHIP, action.role), _GRANTING)
            yield from _for_share(action.to)


def _to_create(create: Create, account: Account) -> Iterator[_Need]:
    container = container_of(create.what)
    if create.temporary:
        # CREATE TABLE, Access control requirements: no CREATE TABLE for what is temporary
        yield (("USAGE", container),)
        return
    there = exists(account, create.what)
    if not (create.alters and there):
        yield ((f"CREATE {create.what.kind}", container),)
    if there and (create.alters or create.replaces):
        yield ((OWNERSHIP, create.what),)
    for key, named in named_by(create.settings):
        if key == "STORAGE_INTEGRATION":
            yield (("USAGE", named),)
        elif key == "RESOURCE_MONITOR":
            yield (_ASSIGNING,)
        else:
            yield (("APPLY TAG", ACCOUNT), ("APPLY", named))


def _to_alter(alter: Alter, account: Account) -> Iterator[_Need]:
    what, named = alter.what, dict(named_by(alter.sets))
    if what.kind == "USER" and AUTHENTICATION_POLICY not in (*alter.sets, *alter.unsets):
        # User management, Privileges required to create and modify users
        yield (("CREATE USER", ACCOUNT),)
    for key in (*alter.sets, *alter.unsets):
        if tag := tag_of(key):
            # Introduction to object tagging, Tag privileges
            yield (("APPLY TAG", ACCOUNT), (OWNERSHIP, what))
            yield (("APPLY TAG", ACCOUNT), ("APPLY", tag))
        elif key == AUTHENTICATION_POLICY:
            yield (("APPLY AUTHENTICATION POLICY", ACCOUNT), ("APPLY AUTHENTICATION POLICY", what))
        elif key == MANAGED_ACCESS:
            # ALTER SCHEMA, Usage notes: so that nobody comes to manage grants that MANAGE GRANTS made
            yield ((OWNERSHIP, what),)
            if alter.sets[key] == "TRUE" or any(future.within == what for future in account.future):
                yield (_GRANTING,)
        else:
            yield (("MODIFY" if what.kind in _MODIFIED else OWNERSHIP, what),)
            if key == "RESOURCE_MONITOR":
                yield (_ASSIGNING,)
            elif key == "STORAGE_INTEGRATION" and key in named:
                yield (("USAGE", named[key]),)
    if not alter.sets and not alter.unsets:
        yield ((OWNERSHIP, what),)


def _to_grant(asked: Privileges, account: Account) -> Iterator[_Need]:
    if isinstance(asked.on, Many) and asked.on.future:
        # Managing access with inherited grants: to own what they are in is not enough
        yield (_GRANTING,) if asked.inherited else _to_foresee(asked.on.within, account)
        if asked.to.kind == "DATABASE ROLE":
            yield (("USAGE", Securable("DATABASE", asked.to.name[:1])),)
    for thing in things(account, asked.on):
        yield _to_decide(thing, account)
    yield from _for_share(asked.to)


def _to_transfer(asked: Ownership, account: Account) -> Iterator[_Need]:
    if isinstance(asked.on, Many) and asked.on.future:
        yield _to_foresee(asked.on.within, account)
    for thing in things(account, asked.on):
        yield _to_decide(thing, account)
    if asked.grants == "COPY":
        yield (_GRANTING, (MEMBERSHIP, asked.to))


def _to_foresee(within: Securable, account: Account) -> _Need:
    """GRANT <privileges> ... TO ROLE, Access control requirements: grants on what is to come."""
    return ((OWNERSHIP, within), _GRANTING) if is_managed(account, within) else (_GRANTING,)


def _to_decide(thing: Securable, account: Account) -> _Need:
    """Who may say what others may do with a thing: its owner; in a managed access schema, the schema's instead."""
    if thing == ACCOUNT:
        return (_GRANTING,)
    schema = container_of(thing)
    return ((OWNERSHIP, schema if is_managed(account, schema) else thing), _GRANTING)


def _for_share(to: Securable) -> Iterator[_Need]:
    if to.kind == "SHARE":
        yield ((OWNERSHIP, to),)
