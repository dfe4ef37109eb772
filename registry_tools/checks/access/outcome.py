"""What a statement asks for and an account in, the account after it out. Nobody's rights are looked at here."""

from dataclasses import replace

from registry_tools.checks.access.actions import (
    Alter,
    AlterAccounts,
    Change,
    Create,
    Drop,
    Many,
    Member,
    Ownership,
    Privileges,
)
from registry_tools.checks.access.kinds import container_of
from registry_tools.checks.access.reading import ACCOUNTS, AUTHENTICATION_POLICY, MANAGED_ACCESS, tag_of
from registry_tools.checks.access.settled import is_managed, things
from registry_tools.checks.access.standing import OWNERSHIP, exists
from registry_tools.mesh.account import PASSING_ON, Account, Entry, FutureGrant, Grant, Membership, Securable


def outcome(action: Change, account: Account, role: Securable) -> Account:
    """The account after a settled action that this role runs. Owners are roles: what is created is the role's."""
    match action:
        case Create():
            after = account if action.temporary else _created(action, account, role)
        case Alter():
            after = _altered(action, account)
        case AlterAccounts():
            after = _shared(action, account)
        case Drop():
            after = without(action.what, account, heir=role)
        case Privileges():
            after = _privileged(action, account)
        case Ownership():
            after = _transferred(action, account)
        case _:
            after = _joined(action, account)
    return after


def without(what: Securable, account: Account, *, heir: Securable) -> Account:
    """The account without this thing, what is in it, and every grant that names any of it.

    What a role owned goes to `heir`, the role that drops it (DROP ROLE, Usage notes).
    """

    def stays(thing: Securable) -> bool:
        return thing != what and not (what.kind in ("DATABASE", "SCHEMA") and thing.is_within(what))

    return Account(
        objects={
            thing: replace(entry, owner=heir) if entry.owner == what else entry
            for thing, entry in account.objects.items()
            if stays(thing)
        },
        grants=frozenset(grant for grant in account.grants if stays(grant.on) and stays(grant.to)),
        future=frozenset(future for future in account.future if stays(future.within) and stays(future.to)),
        memberships=frozenset(m for m in account.memberships if stays(m.role) and stays(m.to)),
    )


# -- objects ----------------------------------------------------------------------------------------------------------


def _created(create: Create, account: Account, role: Securable) -> Account:
    what = create.what
    there = exists(account, what)
    if there and create.gives_way:
        return account
    if there and create.alters:
        return _with_settings(what, {**_attached(account.objects[what]), **create.settings}, account)
    kept = frozenset(grant for grant in account.grants if grant.on == what) if create.copies_grants else frozenset()
    account = without(what, account, heir=role) if there else account
    made = {what: Entry(owner=role, settings=dict(create.settings))}
    grants = account.grants | kept
    if what.kind == "DATABASE":
        made[Securable("SCHEMA", (*what.name, "PUBLIC"))] = Entry(owner=role)
    elif what.kind == "DATABASE ROLE":
        # CREATE DATABASE ROLE, General usage notes
        grants |= {Grant("USAGE", container_of(what), what)}
    account = replace(account, objects={**account.objects, **made}, grants=grants)
    # CREATE TABLE, COPY GRANTS: what copies grants takes over no future ones
    return account if there and create.copies_grants else _as_foreseen(what, account)


def _as_foreseen(what: Securable, account: Account) -> Account:
    """The account with what future grants say of something new.

    Those of its schema are taken instead of its database's, for whomever either are; those of a database hand no
    ownership over in a managed access schema (GRANT <privileges> ... TO ROLE, Future grants).
    """
    container = container_of(what)
    given = [future for future in account.future if future.kind == what.kind and not future.inherited]
    near = [future for future in given if future.within == container]
    wide = [future for future in given if what.is_within(future.within) and future.within != container]
    if is_managed(account, container):
        wide = [future for future in wide if future.privilege != OWNERSHIP]
    for future in near or wide:
        if future.privilege == OWNERSHIP:
            account = _owned(what, future.to, account)
        else:
            account = replace(account, grants=account.grants | {Grant(future.privilege, what, future.to)})
    return account


def _owned(what: Securable, owner: Securable, account: Account) -> Account:
    return replace(account, objects={**account.objects, what: replace(account.objects[what], owner=owner)})


def _altered(alter: Alter, account: Account) -> Account:
    entry = account.objects.get(alter.what, Entry())
    settings = {key: value for key, value in {**entry.settings, **alter.sets}.items() if key not in alter.unsets}
    if settings.get(MANAGED_ACCESS) == "FALSE":
        del settings[MANAGED_ACCESS]
    return _with_settings(alter.what, settings, account)


def _attached(entry: Entry) -> dict[str, str]:
    """What CREATE OR ALTER leaves as it is: tags and policies (CREATE OR ALTER, Usage notes)."""
    return {k: v for k, v in entry.settings.items() if k == AUTHENTICATION_POLICY or tag_of(k)}


def _shared(alter: AlterAccounts, account: Account) -> Account:
    entry = account.objects[alter.what]
    had = {name for name in entry.settings.get(ACCOUNTS, "").split(", ") if name}
    asked = set(alter.accounts)
    has = {"SET": asked, "ADD": had | asked, "REMOVE": had - asked}[alter.how]
    return _with_settings(alter.what, {**entry.settings, ACCOUNTS: ", ".join(sorted(has))}, account)


def _with_settings(what: Securable, settings: dict[str, str], account: Account) -> Account:
    entry = account.objects.get(what, Entry())
    if settings == entry.settings:
        return account
    return replace(account, objects={**account.objects, what: replace(entry, settings=settings)})


# -- grants -----------------------------------------------------------------------------------------------------------


def _privileged(asked: Privileges, account: Account) -> Account:
    if isinstance(asked.on, Many) and asked.on.future:
        whose = (asked.on.kind, asked.on.within, asked.to, asked.inherited)
        future = {FutureGrant(privilege, *whose) for privilege in asked.privileges}
        return replace(account, future=account.future - future if asked.revoked else account.future | future)
    on = things(account, asked.on)
    grants = {Grant(privilege, thing, asked.to) for thing in on for privilege in asked.privileges}
    if asked.revoked:
        # with a privilege goes the right to pass it on
        grants |= {replace(grant, privilege=PASSING_ON + grant.privilege) for grant in grants}
    return replace(account, grants=account.grants - grants if asked.revoked else account.grants | grants)


def _transferred(asked: Ownership, account: Account) -> Account:
    if isinstance(asked.on, Many) and asked.on.future:
        return replace(
            account, future=account.future | {FutureGrant(OWNERSHIP, asked.on.kind, asked.on.within, asked.to)}
        )
    for thing in things(account, asked.on):
        account = _owned(thing, asked.to, account)
        if asked.grants == "REVOKE":
            account = replace(account, grants=frozenset(grant for grant in account.grants if grant.on != thing))
    return account


def _joined(asked: Member, account: Account) -> Account:
    one = {Membership(role=asked.role, to=asked.to)}
    members = account.memberships
    return replace(account, memberships=members - one if asked.revoked else members | one)
