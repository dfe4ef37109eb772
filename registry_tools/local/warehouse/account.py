"""Statements about the account (roles, users, warehouses, grants) in, the book changed and Snowflake's answer out.

DuckDB has no notion of any of them. Nothing is enforced: the book remembers, SHOW tells.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from snowflake.connector.errors import ProgrammingError

from registry_tools.checks.access.actions import Alter, Create
from registry_tools.checks.access.kinds import PRIVILEGES
from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.checks.access.reading import read
from registry_tools.local.warehouse.answers import DONE, Answer
from registry_tools.local.warehouse.grants import RELATIONS, Grant, GrantBook
from registry_tools.local.warehouse.statements import PATH, parts

_POLICY = r"(?:MASKING|ROW ACCESS|NETWORK|AUTHENTICATION|PASSWORD|SESSION|AGGREGATION|PROJECTION) POLICY"
_INTEGRATION = r"(?:STORAGE|SECURITY|API|NOTIFICATION|EXTERNAL ACCESS|CATALOG) INTEGRATION"
_KIND = rf"DATABASE ROLE|ROLE|USER|WAREHOUSE|SHARE|RESOURCE MONITOR|TAG|NETWORK RULE|{_POLICY}|{_INTEGRATION}"
_HOW = "(?P<replace>OR REPLACE |OR ALTER )?"
_PRIVILEGES = "(?P<privileges>[A-Z ,]+?)"
_ALL = re.compile("ALL(?: PRIVILEGES)?")
_GRANTEE = rf"(?:(?P<to_kind>DATABASE ROLE|ROLE|USER|SHARE) )?(?P<to>{PATH})"
_ON = (
    r"(?:(?P<account>ACCOUNT)"
    rf"|(?P<scope>ALL|FUTURE) (?P<kinds>[A-Z]+(?: [A-Z]+)?)S IN (?:SCHEMA|DATABASE) (?P<container>{PATH})"
    rf"|(?:(?P<kind>[A-Z]+(?: [A-Z]+)?) )?(?P<name>{PATH}))"
)
_ENDINGS = r"(?: (?:WITH GRANT OPTION|(?:COPY|REVOKE) CURRENT GRANTS|CASCADE|RESTRICT))?"
_SHOWN = ("created_on", "privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by")
_ANNOUNCED = ("created_on", "privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option")


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """A table, view or schema that exists, with its whole name."""

    kind: str
    name: str


class Asker(Protocol):
    """What an account statement needs to know about the session that sent it."""

    @property
    def role(self) -> str:
        """The role that grants and that owns what is created."""

    def whole_name(self, kind: str, path: tuple[str, ...]) -> str:
        """The path with the session's database and schema where it names none."""

    def relations(self, inside: str) -> list[Relation]:
        """The schemas, tables and views inside a database or schema, or the table or view of that very name."""


def answer(book: GrantBook, asker: Asker, statement: str) -> Answer | None:
    """The answer to a statement about the account, in the one spelling; None when it is about something else."""
    for pattern, respond in _RULES:
        if found := pattern.fullmatch(statement):
            return respond(book, asker, found)
    return None


def _grant(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    grants = [
        Grant(privilege=privilege, kind=kind, name=name, to_kind=to_kind, to=to, future=future, by=asker.role)
        for kind, name, future in _targets(asker, found)
        for privilege in _privileges(found["privileges"], kind)
        for to_kind, to in [_grantee(asker, found)]
    ]
    if found["verb"] == "REVOKE":
        every = {_about(grant) for grant in grants if _ALL.fullmatch(found["privileges"])}
        book.revoke([*grants, *book.find(lambda old: old.privilege != "OWNERSHIP" and _about(old) in every)])
    else:
        if any(grant.privilege == "OWNERSHIP" for grant in grants):  # there is one owner at a time
            owned = {(grant.kind, grant.name) for grant in grants}
            book.revoke(book.find(lambda old: old.privilege == "OWNERSHIP" and (old.kind, old.name) in owned))
        book.grant(grants)
    return DONE


def _about(grant: Grant) -> tuple[str, str, bool, str, str]:
    return grant.kind, grant.name, grant.future, grant.to_kind, grant.to


def _privileges(listed: str, kind: str) -> list[str]:
    """What is listed; ALL stands for every one that there is for the kind."""
    if _ALL.fullmatch(listed):
        return [*PRIVILEGES.get(kind, ("ALL",))]
    return [" ".join(each.split()) for each in listed.split(",")]


def _grantee(asker: Asker, found: re.Match[str]) -> tuple[str, str]:
    kind = found["to_kind"] or "ROLE"
    return kind, asker.whole_name(kind, parts(found["to"]))


def _targets(asker: Asker, found: re.Match[str]) -> list[tuple[str, str, bool]]:
    """Kind, whole name and future of everything that ON means."""
    if found["account"]:
        return [("ACCOUNT", "", False)]
    if found["scope"]:
        kind = found["kinds"]
        container = asker.whole_name(
            "DATABASE" if len(parts(found["container"])) == 1 else "SCHEMA", parts(found["container"])
        )
        if found["scope"] == "FUTURE":
            return [(kind, container, True)]
        return [(each.kind, each.name, False) for each in asker.relations(container) if each.kind == kind]
    kind = found["kind"] or "TABLE"
    name = asker.whole_name(kind, parts(found["name"]))
    if kind not in RELATIONS:
        return [(kind, name, False)]
    # dbt names no kind when it grants on a view, and Snowflake takes TABLE for either.
    existing = [each for each in asker.relations(name) if each.kind in RELATIONS]
    if not existing:
        raise _missing(kind, name, sqlstate="42S02")
    return [(each.kind, each.name, False) for each in existing]


def _membership(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    to_kind, to = _grantee(asker, found)
    name = asker.whole_name(found["kind"], parts(found["name"]))
    grant = Grant(privilege="USAGE", kind=found["kind"], name=name, to_kind=to_kind, to=to, by=asker.role)
    (book.grant if found["verb"] == "GRANT" else book.revoke)([grant])
    return DONE


def _show_on(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    if found["account"]:
        return _shown(book.find(lambda grant: grant.kind == "ACCOUNT"))
    kind = found["kind"] or "TABLE"
    name = asker.whole_name(kind, parts(found["name"]))
    kinds = RELATIONS if kind in RELATIONS else {kind}
    return _shown(book.find(lambda grant: grant.kind in kinds and grant.name == name and not grant.future))


def _show_to(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    grantee = _grantee(asker, found)
    if found["future"]:
        return _announced(book.find(lambda grant: (grant.to_kind, grant.to) == grantee and grant.future))
    return _shown(book.find(lambda grant: (grant.to_kind, grant.to) == grantee and not grant.future))


def _show_future_in(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    name = asker.whole_name(found["kind"], parts(found["name"]))
    return _announced(book.find(lambda grant: grant.future and grant.name == name))


def _show_of(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    name = asker.whole_name(found["kind"], parts(found["name"]))
    members = book.find(
        lambda grant: (grant.kind, grant.name) == (found["kind"], name) and grant.privilege != "OWNERSHIP"
    )
    return Answer(
        columns=("created_on", "role", "granted_to", "grantee_name", "granted_by"),
        rows=tuple((grant.since, grant.name, _shown_kind(grant.to_kind), grant.to, grant.by) for grant in members),
    )


def _shown(grants: list[Grant]) -> Answer:
    rows = (
        (g.since, g.privilege, _shown_kind(g.kind), g.name, _shown_kind(g.to_kind), g.to, "false", g.by) for g in grants
    )
    return Answer(columns=_SHOWN, rows=tuple(rows))


def _announced(grants: list[Grant]) -> Answer:
    rows = (
        (g.since, g.privilege, g.kind, f"{g.name}.<{g.kind}>", _shown_kind(g.to_kind), g.to, "false") for g in grants
    )
    return Answer(columns=_ANNOUNCED, rows=tuple(rows))


def _shown_kind(kind: str) -> str:
    return kind.replace(" ", "_")  # SHOW says DATABASE_ROLE, and dbt looks for just that


def _create(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    kind, name = found["kind"], asker.whole_name(found["kind"], parts(found["name"]))
    if book.has(kind, name):
        if found["unless"]:
            return Answer(columns=("status",), rows=((f"{name} already exists, statement succeeded.",),))
        if not found["replace"]:
            message = f"SQL compilation error:\nObject '{name}' already exists."
            raise ProgrammingError(msg=message, errno=2002, sqlstate="42710")
    if not (found["replace"] == "OR ALTER " and book.has(kind, name)):
        book.create(kind, name, role=asker.role)
        if kind == "DATABASE ROLE":  # sees its own database (CREATE DATABASE ROLE, General usage notes)
            database, _, _ = name.partition(".")
            sees = Grant(privilege="USAGE", kind="DATABASE", name=database, to_kind=kind, to=name, by=asker.role)
            book.grant([sees])
    _note_settings(book, kind, name, found.string)
    return Answer(columns=("status",), rows=((f"{kind.capitalize()} {name} successfully created.",),))


def _change(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    kind, name = found["kind"], asker.whole_name(found["kind"], parts(found["name"]))
    if not book.has(kind, name) and not found["if"]:
        raise _missing(kind, name, sqlstate="02000")
    if found["verb"] == "DROP":
        book.drop(kind, name)
    else:
        _note_settings(book, kind, name, found.string)
    return DONE


def _change_container(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    """How a database or schema is tagged, and whether a schema's owner manages the access to all in it."""
    name = asker.whole_name(found["kind"], parts(found["name"]))
    if found["kind"] == "SCHEMA" and Relation(kind="SCHEMA", name=name) not in asker.relations(name):
        raise _missing("SCHEMA", name, sqlstate="02000")
    _note_settings(book, found["kind"], name, found.string)
    return DONE


def _note_settings(book: GrantBook, kind: str, name: str, statement: str) -> None:
    """Keeps what a statement sets, where the model of Snowflake's access rules can read it; elsewhere nobody asks."""
    try:
        action = read(statement)
    except UnknownStatementError:
        return
    match action:
        case Create(settings=sets):
            book.set(kind, name, sets)
        case Alter(sets=sets, unsets=unsets):
            book.set(kind, name, sets, unsets)


def _accept(_book: GrantBook, _asker: Asker, _found: re.Match[str]) -> Answer:
    return DONE


def _missing(kind: str, name: str, *, sqlstate: str) -> ProgrammingError:
    said = "Object" if kind in RELATIONS else kind.capitalize()
    message = f"SQL compilation error:\n{said} '{name}' does not exist or not authorized."
    return ProgrammingError(msg=message, errno=2003, sqlstate=sqlstate)


_RULES: tuple[tuple[re.Pattern[str], Callable[[GrantBook, Asker, re.Match[str]], Answer]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), respond)
    for pattern, respond in (
        (rf"(?P<verb>GRANT|REVOKE) (?P<kind>DATABASE ROLE|ROLE) (?P<name>{PATH}) (?:TO|FROM) {_GRANTEE}", _membership),
        (
            rf"(?P<verb>GRANT|REVOKE) (?:GRANT OPTION FOR )?{_PRIVILEGES} ON {_ON} (?:TO|FROM) {_GRANTEE}{_ENDINGS}",
            _grant,
        ),
        (rf"SHOW GRANTS ON (?:(?P<account>ACCOUNT)|(?:(?P<kind>[A-Z]+(?: [A-Z]+)?) )?(?P<name>{PATH}))", _show_on),
        (rf"SHOW (?P<future>FUTURE )?GRANTS TO {_GRANTEE}", _show_to),
        (rf"SHOW FUTURE GRANTS IN (?P<kind>SCHEMA|DATABASE) (?P<name>{PATH})", _show_future_in),
        (rf"SHOW GRANTS OF (?P<kind>DATABASE ROLE|ROLE|SHARE) (?P<name>{PATH})", _show_of),
        (rf"CREATE {_HOW}(?P<kind>{_KIND}) (?P<unless>IF NOT EXISTS )?(?P<name>{PATH})(?: .*)?", _create),
        (rf"(?P<verb>ALTER|DROP) (?P<kind>{_KIND}) (?P<if>IF EXISTS )?(?P<name>{PATH})(?: .*)?", _change),
        (rf"ALTER (?P<kind>SCHEMA) (?P<name>{PATH}) (?:ENABLE|DISABLE) MANAGED ACCESS", _change_container),
        (rf"ALTER (?P<kind>DATABASE|SCHEMA) (?P<name>{PATH}) (?:SET|UNSET) TAG .*", _change_container),
        (rf"ALTER (?:TABLE|VIEW) {PATH} .*(?:SET|UNSET|ADD|DROP) {_POLICY}.*", _accept),
        (r"ALTER ACCOUNT .*", _accept),
        (r"ALTER DYNAMIC TABLE (?:IF EXISTS )?.* (?:REFRESH|SUSPEND|RESUME)", _accept),
        (rf"COMMENT (?:IF EXISTS )?ON (?:{_KIND}|DATABASE|SCHEMA) .*", _accept),
    )
)
