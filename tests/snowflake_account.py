"""A Snowflake account as far as grants go, in memory: it runs the statements that are planned and answers SHOW."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from registry_tools.errors import AccountError
from registry_tools.mesh.account import (
    Account,
    Entry,
    FutureGrant,
    Grant,
    Membership,
    Securable,
    database_role,
    parse_path,
    role,
    spelled,
)

Rows = list[dict[str, object]]

_PATH: Final = r'(?:"(?:[^"]|"")+"|[A-Z_][A-Z0-9_$]*)(?:\.(?:"(?:[^"]|"")+"|[A-Z_][A-Z0-9_$]*))*'
_RELATIONS: Final = "table|view|dynamic table|materialized view|external table|stream"


@dataclass(kw_only=True)
class SnowflakeAccount:
    """Held in sets; `ran` are the statements that changed something, and those that `declines` match are declined."""

    owner: str = "DBT_UP_ROLE"
    objects: dict[Securable, Entry] = field(default_factory=dict)
    grants: set[Grant] = field(default_factory=set)
    future: set[FutureGrant] = field(default_factory=set)
    memberships: set[Membership] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    declines: str = r"(?!)"

    @classmethod
    def of(cls, account: Account) -> "SnowflakeAccount":
        return cls(
            objects=dict(account.objects),
            grants=set(account.grants),
            future=set(account.future),
            memberships=set(account.memberships),
        )

    @property
    def account(self) -> Account:
        return Account(
            objects=dict(self.objects),
            grants=frozenset(self.grants),
            future=frozenset(self.future),
            memberships=frozenset(self.memberships),
        )

    def build(self, *relations: str, kind: str = "TABLE") -> None:
        """The relations, their schemas and database are there."""
        for path in map(parse_path, relations):
            self.objects |= {
                Securable("DATABASE", path[:1]): Entry(),
                Securable("SCHEMA", path[:2]): Entry(),
                Securable(kind, path): Entry(),
            }

    def run(self, statement: str) -> Rows:
        if re.match(self.declines, statement):
            raise AccountError("Snowflake declined: no", details=[f"in {statement}"], then="ask somebody")
        if statement.startswith("show "):
            return list(self._show(statement))
        self.ran.append(statement)
        if not statement.startswith("use role "):
            self._change(statement)
        return []

    def _show(self, statement: str) -> Iterator[dict[str, object]]:
        if found := re.fullmatch(rf"show (database roles|schemas) in database ({_PATH})", statement):
            yield from self._listed(found[1].removesuffix("s").upper(), *parse_path(found[2]))
        elif found := re.fullmatch(rf"show objects in schema ({_PATH})(?: limit 10000(?: from '(.*)')?)?", statement):
            yield from self._inside(parse_path(found[1]), (found[2] or "").replace("''", "'"))
        elif found := re.fullmatch(rf"show grants of database role ({_PATH})", statement):
            for member in sorted(self.memberships):
                if member.role.name == parse_path(found[1]):
                    yield {"role": found[1], "granted_to": _shown(member.to.kind), "grantee_name": member.to.path}
        elif found := re.fullmatch(rf"show grants to role ({_PATH})", statement):
            yield from self._owned(role(*parse_path(found[1])))
        elif found := re.fullmatch(rf"show (future )?grants to database role ({_PATH})", statement):
            yield from self._held(database_role(*parse_path(found[2])), future=bool(found[1]))
        else:
            raise AssertionError(statement)

    def _inside(self, schema: tuple[str, ...], after: str) -> Iterator[dict[str, object]]:
        """Ten thousand at most, those whose names come after the one that begins like this."""
        names = sorted(each.name for each in self.objects if len(each.name) == 3 and each.name[:2] == schema)
        kinds = {each.name: each.kind.replace(" ", "_") for each in self.objects}
        for name in [each for each in names if each[2] > after][:10_000]:
            place = {"database_name": name[0], "schema_name": name[1]}
            yield {"name": name[2], "kind": kinds[name], "owner": self.owner, **place}

    def _owned(self, owner: Securable) -> Iterator[dict[str, object]]:
        for each, entry in sorted(self.objects.items()):
            if entry.owner == owner:
                on = {"privilege": "OWNERSHIP", "granted_on": _shown(each.kind), "name": each.path}
                yield {**on, "granted_to": owner.kind, "grantee_name": owner.name[0]}

    def _listed(self, kind: str, database: str) -> Iterator[dict[str, object]]:
        for each, entry in self.objects.items():
            if each.kind == kind and each.name[0] == database:
                place = {"database_name": each.name[0]} if kind == "SCHEMA" else {}
                yield {"name": each.name[-1], "owner": entry.owner.name[0] if entry.owner else "", **place}

    def _held(self, reader: Securable, *, future: bool) -> Iterator[dict[str, object]]:
        """As Snowflake tells it since behaviour change 2371: the grantee without its database."""
        to = {"granted_to": "DATABASE_ROLE", "grant_to": "DATABASE_ROLE", "grantee_name": spelled(reader.name[1])}
        if future:
            for each in sorted(self.future):
                if each.to == reader:
                    name = f"{each.within.path}.<{each.kind}>"
                    yield {"privilege": each.privilege, "grant_on": _shown(each.kind), "name": name, **to}
            return
        for grant in sorted(self.grants):
            if grant.to == reader:
                on = {"granted_on": _shown(grant.on.kind), "name": grant.on.path}
                yield {"created_on": "", "privilege": grant.privilege, **on, **to, "granted_by": self.owner}

    def _change(self, statement: str) -> None:
        if found := re.fullmatch(rf"create database role if not exists ({_PATH})", statement):
            made = database_role(*parse_path(found[1]))
            self.objects.setdefault(made, Entry(owner=role(self.owner)))
            self.grants.add(Grant("USAGE", Securable("DATABASE", made.name[:1]), made))
        elif found := re.fullmatch(
            rf"(grant|revoke) (select|usage) on ({_RELATIONS}|schema) ({_PATH}) (?:to|from) database role ({_PATH})",
            statement,
        ):
            on, to = Securable(found[3].upper(), parse_path(found[4])), database_role(*parse_path(found[5]))
            self._put(self.grants, Grant(found[2].upper(), on, to), verb=found[1])
        elif found := re.fullmatch(
            rf"(grant|revoke) database role ({_PATH}) (?:to|from) (role|share) ({_PATH})", statement
        ):
            given = Membership(database_role(*parse_path(found[2])), Securable(found[3].upper(), parse_path(found[4])))
            self._put(self.memberships, given, verb=found[1])
        else:
            raise AssertionError(statement)

    def _put(self, held: set[Grant] | set[Membership], what: Grant | Membership, *, verb: str) -> None:
        """Grant or revoke; neither is ever planned where it changes nothing."""
        subject = what.to if isinstance(what, Grant) else what.role
        assert subject in self.objects, f"{subject} does not exist"
        assert (what in held) == (verb == "revoke"), f"{verb} {what} changes nothing"
        (held.add if verb == "grant" else held.discard)(what)  # type: ignore[arg-type]  # of either set


def _shown(kind: str) -> str:
    return kind.replace(" ", "_")
