"""A session, or rows that SHOW answered before, in; what the account holds of a project's reader roles out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from registry_tools.account import shown
from registry_tools.account.session import Session
from registry_tools.account.shown import OWNERSHIP, Row, kind_of, named, text
from registry_tools.errors import AccountError
from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable, spelled
from registry_tools.mesh.grant_plan import Held, ReaderRole, is_reader

# SHOW OBJECTS ends there, so that what is not among the rows may be there all the same (SHOW OBJECTS, Usage notes).
_MOST: Final = 10_000
_DATABASE_ROLE: Final = "DATABASE ROLE"
_LISTS: Final = {"show database roles": _DATABASE_ROLE, "show schemas": "SCHEMA"}
_GRANTS: Final = ("show grants to", "show future grants to", "show grants of")


def read_held(session: Session, role: str, database: str, wanted: Iterable[ReaderRole]) -> Held:
    """What reader roles of `database` and of those that are wanted hold and who has them, as `role` sees it, and which
    relations there are to be granted on. Raises AccountError where a statement is declined or answered oddly.
    """
    readers, asked = tuple(wanted), _Asked(session)
    schemas = sorted({schema for reader in readers for schema in reader.schemas})
    databases = sorted({database, *(schema.name[0] for schema in schemas)})
    session.run(f"use role {spelled(role)}")
    for name in databases:
        for what, kind in _LISTS.items():
            asked.note(f"{what} in database {spelled(name)}", name, kind)
    for reader in sorted(filter(is_reader, asked.known.objects)):
        for what in _GRANTS:
            asked.note(f"{what} database role {reader.path}", reader.name[0])
    listed = {schema for schema in schemas if schema not in asked.known.objects}
    for schema in (schema for schema in schemas if schema not in listed):
        if asked.note(f"show objects in schema {schema.path}", schema.name[0]) < _MOST:
            listed.add(schema)
    return Held(account=asked.known, listed=frozenset(listed))


def questions(database: str, wanted: Iterable[ReaderRole]) -> Iterator[str]:
    """The statements whose answers say what these roles hold, for who runs them by hand."""
    roles = sorted(reader.role for reader in wanted)
    for each in sorted({database, *(role.name[0] for role in roles)}):
        yield f"show database roles in database {spelled(each)}"
    for role in roles:
        yield from (f"{what} database role {role.path}" for what in _GRANTS)


def told_account(rows: Iterable[Row], database: str, kind: str = _DATABASE_ROLE) -> Account:
    """What the rows say of an account, taken together; a database role that they name alone is in `database`.

    A row is known by its columns, so that answers to several statements may stand in one list; `kind` is what is listed
    where they tell no more than names. Raises ValueError for a row that answers none of these statements.
    """
    objects: dict[Securable, Entry] = {}
    grants, future, memberships = set(), set(), set()
    for row in rows:
        match _told(row, database, kind):
            case Grant() as grant:
                # ownership is no grant
                grants |= set() if grant.privilege == OWNERSHIP else {grant}
            case FutureGrant() as announced:
                future.add(announced)
            case Membership() as membership:
                memberships.add(membership)
            case (thing, entry):
                objects[thing] = entry
    return Account(
        objects=objects, grants=frozenset(grants), future=frozenset(future), memberships=frozenset(memberships)
    )


@dataclass(slots=True)
class _Asked:
    """Asks, and takes together what is answered."""

    session: Session
    known: Account = Account()  # noqa: RUF009  # frozen

    def note(self, statement: str, database: str, kind: str = _DATABASE_ROLE) -> int:
        """Ask, and take up the answer; how many rows it had. A database role that it names alone is in `database`."""
        rows = self.session.run(statement)
        try:
            told = told_account(rows, database, kind)
        except ValueError as error:
            raise AccountError(
                f"the answer cannot be understood: {error}",
                details=[f"in {statement}"],
                then="run it by hand and see what it shows, and report it",
            ) from None
        self.known = Account(
            objects={**self.known.objects, **told.objects},
            grants=self.known.grants | told.grants,
            future=self.known.future | told.future,
            memberships=self.known.memberships | told.memberships,
        )
        return len(rows)


def _told(row: Row, database: str, kind: str) -> Grant | FutureGrant | Membership | tuple[Securable, Entry]:
    columns = {column for column in row if text(row, column)}
    if {"privilege", "granted_on", "name", "granted_to", "grantee_name"} <= columns:
        return shown.grant(row)
    if {"privilege", "grant_on", "name", "grant_to", "grantee_name"} <= columns:
        return _future(row)
    if {"role", "granted_to", "grantee_name"} <= columns:
        return shown.member(row, named(_DATABASE_ROLE, text(row, "role"), database))
    if {"name", "database_name", "schema_name"} <= columns:
        place = (text(row, "database_name"), text(row, "schema_name"), text(row, "name"))
        return Securable(kind_of(text(row, "kind") or "TABLE"), place), shown.plain(row, place[0])
    if "name" in columns:
        return Securable(kind, (text(row, "database_name") or database, text(row, "name"))), shown.plain(row, database)
    raise ValueError(f"a row has {', '.join(sorted(map(str, columns))) or 'nothing'}, which none of these SHOW has")


def _future(row: Mapping[str, object]) -> FutureGrant:
    """A row of SHOW FUTURE GRANTS, whose name is `DBT_UP_PROD.MARTS.<TABLE>`."""
    written = text(row, "name").rpartition(".")[0]
    within = named("SCHEMA" if "." in written else "DATABASE", written)
    to = named(kind_of(text(row, "grant_to")), text(row, "grantee_name"), within.database)
    return FutureGrant(text(row, "privilege"), kind_of(text(row, "grant_on")), within, to)
