"""A session, or rows that SHOW answered before, in; what the account holds of a project's reader roles out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from registry_tools.account import shown
from registry_tools.account.relations import MOST, relations_in
from registry_tools.account.session import Session
from registry_tools.account.shown import OWNERSHIP, Row, kind_of, named, text
from registry_tools.errors import AccountError
from registry_tools.mesh.account import (
    Account,
    Entry,
    FutureGrant,
    Grant,
    Membership,
    Securable,
    spelled,
)
from registry_tools.mesh.grant_plan import Held, ReaderRole, is_reader, schema_of

_DATABASE_ROLE: Final = "DATABASE ROLE"
_GRANTS: Final = ("show grants to", "show future grants to", "show grants of")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A SHOW of something in `database`, and what its rows do not tell of themselves: the kind of what is listed, or
    the database role that it is about.
    """

    sql: str
    database: str
    kind: str = _DATABASE_ROLE
    about: Securable | None = None


def read_held(session: Session, owner: str, database: str, wanted: Iterable[ReaderRole]) -> Held:
    """What reader roles of `database` and of those that are wanted hold and who has them, as the role `owner` sees it,
    which relations there are to be granted on, and which reader roles are the owner's elsewhere. Raises AccountError
    where a statement is declined or answered oddly.
    """
    readers, told = tuple(wanted), Told()
    schemas = sorted({schema for reader in readers for schema in reader.schemas})
    session.run(f"use role {spelled(owner)}")
    for name in sorted({database, *(schema.name[0] for schema in schemas)}):
        _ask(session, told, _roles_of(name))
        _ask(session, told, Question(sql=f"show schemas in database {spelled(name)}", database=name, kind="SCHEMA"))
    for reader in sorted(filter(is_reader, told.objects)):
        for question in _about(reader):
            _ask(session, told, question)
    schemas = sorted({*schemas, *(schema_of(grant.on) for grant in told.grants if grant.privilege == "SELECT")})
    for schema in schemas:
        if schema in told.objects:
            question = Question(sql=f"show objects in schema {schema.path}", database=schema.name[0])
            _take_up(told, [*relations_in(schema, session.run)], question)
    _ask(session, told, Question(sql=f"show grants to role {spelled(owner)}", database=database))
    return told.held(frozenset(schemas))


def questions(database: str, wanted: Iterable[ReaderRole]) -> Iterator[Question]:
    """What to ask an account by hand to know what these roles hold."""
    roles = sorted(reader.role for reader in wanted)
    for each in sorted({database, *(role.name[0] for role in roles)}):
        yield _roles_of(each)
    for role in roles:
        yield from _about(role)


def _roles_of(database: str) -> Question:
    return Question(sql=f"show database roles in database {spelled(database)}", database=database)


def _about(reader: Securable) -> Iterator[Question]:
    return (Question(sql=f"{w} database role {reader.path}", database=reader.name[0], about=reader) for w in _GRANTS)


def told_by(answers: Sequence[Sequence[Row]], database: str, wanted: Iterable[ReaderRole]) -> Held:
    """What the answers to these questions say, given in their order or, about a single database, in any.

    Raises ValueError for rows that answer something else.
    """
    asked, told = tuple(questions(database, wanted)), Told()
    databases = sorted({question.database for question in asked})
    if len(databases) == 1 or not any(answers):
        asked = ()
    elif len(answers) < len(asked):
        raise ValueError(
            f"it has {len(answers)} answers to {len(asked)} questions, and does not say"
            f" which are about {' and which about '.join(map(spelled, databases))}"
        )
    for at, rows in enumerate(answers):
        told.take(rows, asked[at] if at < len(asked) else _roles_of(database))
    return told.held()


def unanswered(held: Held) -> tuple[str, ...]:
    """The questions about reader roles that are there and of which it is not known what they hold."""
    account = held.account
    # a role of a database may use the database from its first day
    silent = {*filter(is_reader, account.objects)} - {grant.to for grant in account.grants}
    return tuple(question.sql for each in sorted(silent) for question in _about(each))


@dataclass(kw_only=True, slots=True)
class Told:
    """Takes together what is answered about reader roles, and what there is."""

    objects: dict[Securable, Entry] = field(default_factory=dict)
    grants: set[Grant] = field(default_factory=set)
    future: set[FutureGrant] = field(default_factory=set)
    memberships: set[Membership] = field(default_factory=set)
    cut: set[Securable] = field(default_factory=set)

    def take(self, rows: Sequence[Row], question: Question) -> None:
        """Take up the rows of one answer. A row is known by its columns, so that those of several may be one answer.

        Raises ValueError for a row that answers something else.
        """
        holders: Counter[Securable] = Counter()
        for row in rows:
            match _told(row, question):
                case Grant(privilege=privilege, on=on, to=to) as grant:
                    holders[to] += 1
                    if privilege != OWNERSHIP and is_reader(to):
                        self.grants.add(grant)
                    elif privilege == OWNERSHIP and is_reader(on):  # ownership is no grant
                        self.objects.setdefault(on, Entry(owner=to))
                case FutureGrant() as announced:
                    self.future.add(announced)
                case Membership() as membership:
                    holders[membership.to] += 1
                    if is_reader(membership.role) or is_reader(membership.to):
                        self.memberships.add(membership)
                case (thing, entry):
                    self.objects[thing] = entry
        self.cut |= {each for each, rows_of_it in holders.items() if rows_of_it >= MOST}

    def held(self, listed: frozenset[Securable] = frozenset()) -> Held:
        """All of it, where of the schemas `listed` it is known what is in them."""
        account = Account(
            objects=self.objects,
            grants=frozenset(self.grants),
            future=frozenset(self.future),
            memberships=frozenset(self.memberships),
        )
        return Held(account=account, listed=listed, cut=frozenset(self.cut))


def _ask(session: Session, told: Told, question: Question) -> None:
    """Ask, and take up the answer."""
    _take_up(told, session.run(question.sql), question)


def _take_up(told: Told, rows: Sequence[Row], question: Question) -> None:
    try:
        told.take(rows, question)
    except ValueError as error:
        raise AccountError(
            f"the answer cannot be understood: {error}",
            details=[f"in {question.sql}"],
            then="run it by hand and see what it shows, and report it",
        ) from None


def _told(row: Row, question: Question) -> Grant | FutureGrant | Membership | tuple[Securable, Entry]:
    columns = {column for column in row if text(row, column)}
    if {"privilege", "granted_on", "name", "granted_to", "grantee_name"} <= columns:
        return _granted(row, question)
    if {"privilege", "grant_on", "name", "grant_to", "grantee_name"} <= columns:
        return _future(row, question)
    if {"role", "granted_to", "grantee_name"} <= columns:
        return shown.member(row, _reader(text(row, "role"), question, question.database))
    if {"name", "database_name", "schema_name"} <= columns:
        place = (text(row, "database_name"), text(row, "schema_name"), text(row, "name"))
        return Securable(kind_of(text(row, "kind") or "TABLE"), place), shown.plain(row, place[0])
    if "name" in columns:
        within = text(row, "database_name") or question.database
        return Securable(question.kind, (within, text(row, "name"))), shown.plain(row, within)
    raise ValueError(f"a row has {', '.join(sorted(map(str, columns))) or 'nothing'}, which none of these SHOW has")


def _reader(written: str, question: Question, database: str | None) -> Securable:
    """The database role that is written, with or without its database and quotes: the one that was asked about. Raises
    ValueError for another one.
    """
    about = question.about
    if about is None:
        return named(_DATABASE_ROLE, written, database or question.database)
    if not written.replace('"', "").endswith(about.name[-1].replace('"', "")):
        raise ValueError(f"a row is about {written}, and {about} was asked for")
    return about


def _grantee(row: Row, column: str, question: Question, database: str | None) -> Securable:
    kind, written = kind_of(text(row, column)), text(row, "grantee_name")
    return _reader(written, question, database) if kind == _DATABASE_ROLE else named(kind, written)


def _future(row: Row, question: Question) -> FutureGrant:
    """A row of SHOW FUTURE GRANTS."""
    found = shown.future(row)
    return replace(found, to=_grantee(row, "grant_to", question, found.within.database))


def _granted(row: Row, question: Question) -> Grant | Membership:
    """A row of SHOW GRANTS TO."""
    found = shown.grant(row)
    if isinstance(found, Membership):
        return Membership(found.role, _grantee(row, "granted_to", question, found.role.database))
    if question.about and found.on.database not in {None, question.about.database}:
        raise ValueError(f"a row is about {found.on}, where {question.about} can hold nothing")
    return Grant(found.privilege, found.on, _grantee(row, "granted_to", question, found.on.database))
