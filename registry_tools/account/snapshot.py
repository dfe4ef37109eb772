"""A session and what mesh.yml names in, the account as far as it has to do with these names out, by SHOW alone.

Besides what is ours, everybody is read who could reach it: nobody reaches anything in a database without a privilege
on the database, ownership of it, or a role of that database. So these are looked for, and the roles above and below
them. The roles that Snowflake made are trusted, and not followed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from registry_tools.account import shown
from registry_tools.account.relations import MOST, relations_in
from registry_tools.account.session import Session
from registry_tools.account.shown import OWNERSHIP, Row, named, text
from registry_tools.errors import AccountError
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
    quoted,
    role,
    spelled,
)
from registry_tools.mesh.account_document import Seen
from registry_tools.mesh.deployment import Deployment
from registry_tools.mesh.progress import Told, unheard

_PAGE = MOST  # a name by itself, so that tests need no 10,000 tables
_TIMEOUT: Final = "STATEMENT_TIMEOUT_IN_SECONDS"
_POLICY: Final = "AUTHENTICATION POLICY"
_EVERYBODY: Final = role("PUBLIC")
_HIGHEST: Final = role("ACCOUNTADMIN")  # what it may do is known
_GRANTED: Final = frozenset({"DATABASE", "WAREHOUSE", "INTEGRATION", "USER"})
_FOLLOWED: Final = frozenset({"ROLE", "DATABASE ROLE", "USER", "SHARE"})
# By how statements begin, the longer first.
_COLUMNS: Final = {
    "show grants of": ("granted_to", "grantee_name"),
    "show grants to user": ("grantee_name",),
    "show grants": ("privilege", "granted_on", "name", "granted_to", "grantee_name"),
    "show future grants": ("privilege", "grant_on", "name", "grant_to", "grantee_name"),
    "show databases": ("name", "owner"),
    "show schemas": ("name", "owner", "options"),
    "show database roles": ("name", "owner"),
    "show roles": ("name", "owner"),
    "show shares": ("kind", "name", "database_name", "to"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The names of what is ours. Of `people` nothing is read but that they are there."""

    databases: frozenset[str]
    warehouses: frozenset[str]
    roles: frozenset[str]
    users: frozenset[str]
    integrations: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()

    @classmethod
    def of(cls, deployment: Deployment) -> "Scope":
        """What mesh.yml names, in every environment."""
        places = [place for _, place in deployment.placed]
        return cls(
            databases=frozenset({place.database for place in places} | {deployment.snowflake.governance}),
            warehouses=frozenset(place.warehouse for place in places),
            roles=frozenset(name for place in places for name in (place.role, place.developer_role)),
            users=frozenset(place.user for place in places),
            integrations=frozenset(f"{each.name.upper()}_LANDING" for each in deployment.projects if each.landing),
            people=frozenset(name for project in deployment.projects for name in project.developers),
        )

    def has(self, thing: Securable) -> bool:
        """Whether this is ours, or in something of ours."""
        if thing.database:
            return thing.database in self.databases
        names = {
            "WAREHOUSE": self.warehouses,
            "ROLE": self.roles,
            "USER": self.users,
            "INTEGRATION": self.integrations,
        }.get(thing.kind, frozenset())
        return thing.name[:1] != () and thing.name[0] in names


def read_account(session: Session, scope: Scope, told: Told = unheard) -> Seen:
    """The account as the current role of the session sees it. Raises AccountError, also where SHOW leaves rows out."""
    (here,) = session.run("select current_account_name() as name, current_role() as role")
    reading = _Reading(session=session, scope=scope, told=told)
    reading.list_objects()
    reading.list_grants()
    reading.follow()
    return Seen(
        account=reading.account(),
        name=text(here, "name"),
        role=text(here, "role"),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@dataclass(kw_only=True, slots=True)
class _Reading:
    session: Session
    scope: Scope
    told: Told
    objects: dict[Securable, Entry] = field(default_factory=dict)
    grants: set[Grant] = field(default_factory=set)
    future: set[FutureGrant] = field(default_factory=set)
    memberships: set[Membership] = field(default_factory=set)
    queue: list[Securable] = field(default_factory=list)
    seen: set[Securable] = field(default_factory=set)
    asked: int = 0
    expected: int = 1

    def account(self) -> Account:
        return Account(
            objects=self.objects,
            grants=frozenset(self.grants),
            future=frozenset(self.future),
            memberships=frozenset(self.memberships),
        )

    def _counted(self, statement: str) -> list[dict[str, object]]:
        rows = self.session.run(statement)
        self.asked += 1
        self.told(self.asked, max(self.expected, self.asked))
        return rows

    def ask(self, statement: str) -> list[dict[str, object]]:
        """The rows of an answer that is whole."""
        rows = self._counted(statement)
        missing = [column for column in _expected(statement) if rows and column not in rows[0]]
        if missing:
            raise AccountError(
                f"the answer has no column {' and no '.join(missing)}, so some of it would go unseen",
                where=statement,
                then="run it by hand and see what it shows, and report it",
            )
        if len(rows) >= MOST:
            raise AccountError(
                f"Snowflake shows {MOST:,} rows at most, so some would be missing",
                where=statement,
                then="take what nobody needs out of there, or ask us for a way around: the rest would go unseen",
            )
        return rows

    # --- what exists --------------------------------------------------------------------------------------------------

    def list_objects(self) -> None:
        """Everything of ours that exists, with its owner and how it is set."""
        scope = self.scope
        databases = self._listed("show databases", "DATABASE", scope.databases)
        warehouses = {text(row, "name"): row for row in self.ask("show warehouses")}
        self.expected = 12 + 6 * len(databases) + 5 * len(scope.users) + 3 * len(scope.roles)
        for name in sorted(scope.warehouses & warehouses.keys()):
            self._add(Securable("WAREHOUSE", (name,)), shown.warehouse(warehouses[name]), self._timeout(name))
        monitors = {self.objects[thing].settings.get("RESOURCE_MONITOR") for thing in self.objects}
        for row in self.ask("show resource monitors"):
            if text(row, "name") in monitors or text(row, "name").removesuffix("_MONITOR") in scope.warehouses:
                self._add(Securable("RESOURCE MONITOR", (text(row, "name"),)), shown.monitor(row))
        for row in self.ask("show roles"):
            if text(row, "name") in scope.roles:
                self._add(role(text(row, "name")), shown.plain(row))
        for row in self.ask("show integrations"):
            if text(row, "name") in scope.integrations:
                integration = Securable("INTEGRATION", (text(row, "name"),))
                told = shown.integration(row, self.ask(f"describe integration {integration.path}"))
                self._add(integration, shown.plain(row), told)
        for name in databases:
            self._list_database(name)
        self._list_governance()
        for name in sorted(scope.users | scope.people):
            self._list_user(name)

    def _listed(self, statement: str, kind: str, ours: frozenset[str]) -> list[str]:
        rows = {text(row, "name"): row for row in self.ask(statement) if text(row, "name") in ours}
        for name, row in rows.items():
            self._add(Securable(kind, (name,)), shown.plain(row))
        return sorted(rows)

    def _add(self, thing: Securable, entry: Entry, more: dict[str, str] | None = None) -> None:
        settings = {**entry.settings, **(more or {})}
        self.objects[thing] = Entry(owner=entry.owner, settings=settings)

    def _timeout(self, warehouse: str) -> dict[str, str]:
        rows = self.ask(f"show parameters like '{_TIMEOUT}' in warehouse {spelled(warehouse)}")
        own = [text(row, "value") for row in rows if text(row, "level") == "WAREHOUSE"]
        return {_TIMEOUT: own[0]} if own else {}

    def _list_database(self, name: str) -> None:
        where = f"in database {spelled(name)}"
        for row in self.ask(f"show schemas {where}"):
            if text(row, "name").upper() != "INFORMATION_SCHEMA":
                self._add(Securable("SCHEMA", (name, text(row, "name"))), shown.schema(row))
        for row in self._relations(name):
            path = (name, text(row, "schema_name"), text(row, "name"))
            if path[1].upper() != "INFORMATION_SCHEMA":
                self._add(Securable(shown.kind_of(text(row, "kind") or "TABLE"), path), shown.plain(row, name))
        if self.scope.integrations:
            for row in self.ask(f"show stages {where}"):
                self._add(Securable("STAGE", (name, text(row, "schema_name"), text(row, "name"))), shown.stage(row))
            for row in self.ask(f"show file formats {where}"):
                path = (name, text(row, "schema_name"), text(row, "name"))
                self._add(Securable("FILE FORMAT", path), shown.file_format(row))
        for row in self.ask(f"show database roles {where}"):
            self._add(Securable("DATABASE ROLE", (name, text(row, "name"))), shown.plain(row, name))

    def _relations(self, database: str) -> Iterator[dict[str, object]]:
        """All tables and views of a database: schema by schema, and in pages, where there are more than SHOW tells."""
        every = self._counted(f"show objects in database {spelled(database)}")
        if len(every) < _PAGE:
            yield from every
            return
        for schema in [thing for thing in self.objects if thing.kind == "SCHEMA" and thing.name[0] == database]:
            yield from relations_in(schema, self._counted, _PAGE)

    def _list_governance(self) -> None:
        """Tags, with what of ours they are set to, and the policies of how users log in."""
        tags: list[Securable] = []
        for name in sorted(self.scope.databases):
            if Securable("SCHEMA", (name, "TAGS")) in self.objects:
                for row in self.ask(f"show tags in schema {spelled(name)}.TAGS"):
                    tags.append(Securable("TAG", (name, "TAGS", text(row, "name"))))
                    self._add(tags[-1], shown.tag(row))
            if Securable("SCHEMA", (name, "POLICIES")) in self.objects:
                for row in self.ask(f"show authentication policies in schema {spelled(name)}.POLICIES"):
                    policy = Securable(_POLICY, (name, "POLICIES", text(row, "name")))
                    told = shown.policy(self.ask(f"describe authentication policy {policy.path}"))
                    self._add(policy, shown.plain(row), told)
        tagged = [thing for thing in self.objects if thing.kind in {"DATABASE", "WAREHOUSE"}]
        pairs = [(tag, thing) for tag in tags for thing in tagged]
        if pairs:
            calls = (
                f"system$get_tag({quoted(a.path)}, {quoted(b.path)}, '{b.kind.lower()}') as t{n}"
                for n, (a, b) in enumerate(pairs)
            )
            (row,) = self.ask(f"select {', '.join(calls)}")
            for number, (tag, thing) in enumerate(pairs):
                if value := text(row, f"t{number}"):
                    self._add(thing, self.objects[thing], {f"TAG {tag.path}": value})

    def _list_user(self, name: str) -> None:
        pattern = name.replace("_", "\\\\_")
        found = [row for row in self.ask(f"show users like '{pattern}'") if text(row, "name") == name]
        if not found:
            return
        user, settings = Securable("USER", (name,)), {}
        if name in self.scope.users:
            settings = shown.described(self.ask(f"describe user {user.path}"))
            methods = self.ask(f"show user workload identity authentication methods for user {user.path}")
            if methods:
                settings["WORKLOAD_IDENTITY"] = ", ".join(sorted(map(shown.workload_identity, methods)))
            for row in self.ask(f"show authentication policies on user {user.path}"):
                parts = (text(row, "database_name"), text(row, "schema_name"), text(row, "name"))
                settings[_POLICY] = Securable(_POLICY, parts).path
        self._add(user, Entry(owner=shown.owner(found[0])), settings)

    # --- who may ------------------------------------------------------------------------------------------------------

    def list_grants(self) -> None:
        """Who holds privileges on our databases and on what of ours is in none, and who may do everything."""
        for row in self.ask("show grants on account"):
            grant = shown.grant(row)
            if shown.is_inherited(row):
                self._announce([shown.inherited(row)])
            elif isinstance(grant, Grant) and grant.to != _HIGHEST:
                self._note(Grant(grant.privilege, ACCOUNT, grant.to))
        for thing in [each for each in self.objects if each.kind in _GRANTED and each.name[0] not in self.scope.people]:
            self._take(self.ask(f"show grants on {thing.kind.lower()} {thing.path}"))
            if thing.kind == "DATABASE":
                self._announce(map(shown.future, self.ask(f"show future grants in database {thing.path}")))
        for row in self.ask("show shares"):
            if text(row, "kind") == "OUTBOUND" and text(row, "database_name") in self.scope.databases:
                share = named("SHARE", text(row, "name"))
                self._add(share, shown.plain(row), shown.accounts(row))
                self.queue.append(share)
        self.queue += [_EVERYBODY]
        self.queue += [each for each in self.objects if each.kind in {"ROLE", "DATABASE ROLE", "USER"}]

    def follow(self) -> None:
        """The roles, users and shares in the queue, those that they are in, and those that are in them."""
        while self.queue:
            whom = self.queue.pop()
            if whom in self.seen or whom.kind not in _FOLLOWED or _is_system(whom):
                continue
            self.seen.add(whom)
            self.expected = max(self.expected, self.asked + 3 * len(self.queue))
            if whom.kind == "USER":
                if whom.name[0] in self.scope.users:
                    self._take_roles(shown.of_user(row) for row in self.ask(f"show grants to user {whom.path}"))
                continue
            self._take(self.ask(f"show grants to {whom.kind.lower()} {whom.path}"))
            if whom.kind == "SHARE":
                continue
            announced = self.ask(f"show future grants to {whom.kind.lower()} {whom.path}")
            self._announce(map(shown.future, announced))
            if whom != _EVERYBODY:
                rows = self.ask(f"show grants of {whom.kind.lower()} {whom.path}")
                self._take_roles(shown.member(row, whom) for row in rows)

    def _take(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if shown.is_inherited(row):
                self._announce([shown.inherited(row)])
                continue
            found = shown.grant(row)
            if isinstance(found, Membership):
                self._take_roles([found])
            elif found.privilege == OWNERSHIP:
                self._owned(found)
            elif self.scope.has(found.on) or self.scope.has(found.to):
                self._note(Grant(found.privilege, self._kind(found.on), found.to))
                if text(row, "grant_option").lower() == "true":
                    self._note(Grant(PASSING_ON + found.privilege, self._kind(found.on), found.to))

    def _take_roles(self, found: Iterable[Membership | Grant]) -> None:
        for each in found:
            if isinstance(each, Grant):
                self._note(each)
            elif self._matters(each):
                self.memberships.add(each)
                self.queue += [each.role, each.to]

    def _matters(self, membership: Membership) -> bool:
        """PUBLIC has database roles that Snowflake gives away; those are neither ours nor a way to ours."""
        return membership.to != _EVERYBODY or membership.role.kind == "ROLE" or self.scope.has(membership.role)

    def _note(self, grant: Grant) -> None:
        self.grants.add(grant)
        if self.scope.has(grant.on):
            self.queue.append(grant.to)

    def _owned(self, grant: Grant) -> None:
        thing = self._kind(grant.on)
        if self.scope.has(thing):
            known = self.objects.get(thing)
            self._add(thing, Entry(owner=grant.to, settings=known.settings if known else {}))
            self.queue.append(grant.to)

    def _kind(self, thing: Securable) -> Securable:
        """The thing by the kind that it is of: SHOW GRANTS may say TABLE of a view (behaviour change 2371)."""
        if thing.kind != "TABLE" or thing in self.objects:
            return thing
        others = (Securable(kind, thing.name) for kind in ("VIEW", "MATERIALIZED VIEW", "DYNAMIC TABLE"))
        return next((other for other in others if other in self.objects), thing)

    def _announce(self, announced: Iterable[FutureGrant]) -> None:
        for found in announced:
            if self.scope.has(found.within) or self.scope.has(found.to) or found.within == ACCOUNT:
                self.future.add(found)
                self.queue.append(found.to)


def _expected(statement: str) -> tuple[str, ...]:
    """The columns without which an answer would say nothing, or less than it seems to."""
    return next((columns for begin, columns in _COLUMNS.items() if statement.startswith(begin)), ())


def _is_system(whom: Securable) -> bool:
    return whom.kind == "ROLE" and whom.name[0] in SYSTEM_ROLES and whom != _EVERYBODY
