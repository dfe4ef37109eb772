"""A Snowflake account in memory behind the protocol of a session: SQL is run by the model of Snowflake's access rules,
and SHOW, DESCRIBE and the few SELECTs that we ask are answered from what it then has, in Snowflake's columns.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from registry_tools.checks.access.running import run
from registry_tools.checks.access.standing import standing
from registry_tools.errors import AccountError, DocumentError, Refusal
from registry_tools.mesh.account import (
    ACCOUNT,
    PASSING_ON,
    SYSTEM_ROLES,
    Account,
    Entry,
    FutureGrant,
    Grant,
    Securable,
    parse_path,
    role,
)

RELATIONS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "DYNAMIC TABLE")
SIZES = {"XSMALL": "X-Small", "SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large", "XLARGE": "X-Large"}
CASES = {"TRUE": "true", "FALSE": "false"}
Row = dict[str, Any]


@dataclass(kw_only=True)
class FakeAccount:
    """One login: `user` has the roles `available`. `fails` is asked before each statement and may raise.

    With `old_names` SHOW GRANTS writes as it did before behaviour change 2371.
    """

    account: Account = field(default_factory=Account)
    role: str = "ACCOUNTADMIN"
    available: tuple[str, ...] = tuple(SYSTEM_ROLES)
    fails: Callable[[str], None] = lambda _statement: None
    old_names: bool = False
    place: str = "FAKE"
    log: list[str] = field(default_factory=list)

    def run(self, statement: str) -> list[dict[str, object]]:
        self.log.append(statement)
        self.fails(statement)
        for pattern, answer in ANSWERS:
            if found := re.fullmatch(pattern, statement, re.IGNORECASE | re.DOTALL):
                return list(answer(self, *found.groups()))
        if found := re.fullmatch(r"use role (\S+)", statement, re.IGNORECASE):
            (name,) = parse_path(found[1])
            if name not in self.available:
                raise AccountError(f"Role '{name}' is not granted to this user", then="use another role")
            self.role = name
            return [{"status": "Statement executed successfully."}]
        try:
            self.account, _ = run(statement, self.account, role=self.role)
        except (Refusal, DocumentError) as error:
            raise AccountError(f"Snowflake declined: {error.what}", where=self.place, then=error.then) from error
        return [{"status": "Statement executed successfully."}]

    @property
    def changes(self) -> list[str]:
        """The statements that could change something."""
        return [line for line in self.log if not re.match(r"(?i)(show|describe|select|use)\b", line)]

    # --- what SHOW says -----------------------------------------------------------------------------------------------

    def of(self, kind: str, within: Securable | None = None) -> Iterable[tuple[Securable, Entry]]:
        for thing, entry in sorted(self.account.objects.items()):
            if thing.kind == kind and (within is None or thing.is_within(within)):
                yield thing, entry

    def listed(self, kind: str, within: Securable | None = None) -> Iterable[Row]:
        for thing, entry in self.of(kind, within):
            yield self.row(thing, entry)

    def row(self, thing: Securable, entry: Entry) -> Row:
        owner = entry.owner
        where = {"database_name": thing.name[0], "schema_name": thing.name[1] if len(thing.name) > 2 else None}
        return {
            "created_on": "2026-11-21",
            "name": thing.name[-1],
            "owner": (owner.path if owner.kind == "ROLE" else owner.name[-1]) if owner else None,
            "owner_role_type": owner.kind.replace(" ", "_") if owner else None,
            "comment": entry.settings.get("COMMENT", ""),
            **(where if len(thing.name) > 1 else {}),
        }

    def grants_on(self, thing: Securable) -> Iterable[Row]:
        entry = self.account.objects.get(thing)
        if entry and entry.owner:
            yield self.granted("OWNERSHIP", thing, entry.owner)
        yield from (self.granted(g.privilege, g.on, g.to) for g in self.direct if g.on == thing)
        for each in sorted(self.account.future):
            if each.inherited and each.kind == thing.kind and thing.is_within(each.within):
                yield {**self.inherited(each), "name": thing.path}

    def grants_to(self, whom: Securable) -> Iterable[Row]:
        owned = (thing for thing, entry in self.account.objects.items() if entry.owner == whom)
        yield from (self.granted("OWNERSHIP", thing, whom) for thing in sorted(owned))
        yield from (self.granted(g.privilege, g.on, g.to) for g in self.direct if g.to == whom)
        yield from (self.inherited(f) for f in sorted(self.account.future) if f.inherited and f.to == whom)
        members = (each for each in sorted(self.account.memberships) if each.to == whom)
        yield from (self.granted("USAGE", each.role, whom) for each in members)

    def granted(self, privilege: str, on: Securable, to: Securable) -> Row:
        kind = "TABLE" if self.old_names and on.kind in RELATIONS else on.kind
        return {
            "privilege": privilege,
            "granted_on": kind.replace(" ", "_"),
            "name": on.path or "FAKE",
            "granted_to": to.kind.replace(" ", "_"),
            "grantee_name": self.grantee(to),
            "grant_option": str(Grant(PASSING_ON + privilege, on, to) in self.account.grants).lower(),
            "granted_by": "SYSADMIN",
        }

    @property
    def direct(self) -> Iterable[Grant]:
        return sorted(grant for grant in self.account.grants if not grant.privilege.startswith(PASSING_ON))

    def inherited(self, held: FutureGrant) -> Row:
        """A row without a name, and with columns of its own, as an account with inherited grants shows it."""
        names = (*held.within.name, "", "")
        columns = {"inherited_from_database": names[0], "inherited_from_schema": names[1]}
        thing = Securable(held.kind, ("",))
        row = {**self.granted(held.privilege, thing, held.to), "name": "", "is_inherited": "true", **columns}
        return {**row, "inherited_from": held.within.kind}

    def grantee(self, to: Securable) -> str:
        if to.kind == "SHARE":
            return f"ACME.FAKE.{to.path}" if self.old_names else to.path
        return to.path if self.old_names or to.kind != "DATABASE ROLE" else to.path.partition(".")[2]

    def members_of(self, whose: Securable) -> Iterable[Row]:
        for each in sorted(self.account.memberships):
            if each.role == whose:
                shown = {"granted_to": each.to.kind.replace(" ", "_"), "grantee_name": self.grantee(each.to)}
                yield {"role": whose.path, **shown}

    def announced(self, wanted: Callable[[Any], bool]) -> Iterable[Row]:
        for each in sorted(one for one in self.account.future if wanted(one) and not one.inherited):
            yield {
                "privilege": each.privilege,
                "grant_on": each.kind.replace(" ", "_"),
                "name": f"{each.within.path}.<{each.kind}>",
                "grant_to": each.to.kind.replace(" ", "_"),
                "grantee_name": self.grantee(each.to),
            }

    def settings(self, kind: str, path: str) -> dict[str, str]:
        thing = named(kind, path)
        if thing not in self.account.objects:
            raise AccountError(f"{thing} does not exist or not authorized.", then="look for it")
        return dict(self.account.objects[thing].settings)


def named(kind: str, path: str) -> Securable:
    return Securable(kind.upper(), parse_path(path))


def databases(fake: FakeAccount) -> Iterable[Row]:
    return fake.listed("DATABASE")


def warehouses(fake: FakeAccount) -> Iterable[Row]:
    for thing, entry in fake.of("WAREHOUSE"):
        held = entry.settings
        yield {
            **fake.row(thing, entry),
            "size": SIZES[held.get("WAREHOUSE_SIZE", "XSMALL")],
            "auto_suspend": int(held.get("AUTO_SUSPEND", "600")),
            "auto_resume": held.get("AUTO_RESUME", "TRUE").lower(),
            "resource_monitor": held.get("RESOURCE_MONITOR", "null"),
        }


def parameters(fake: FakeAccount, key: str, path: str) -> Iterable[Row]:
    held = fake.settings("WAREHOUSE", path)
    yield {"key": key, "value": held.get(key, "172800"), "level": "WAREHOUSE" if key in held else ""}


def monitors(fake: FakeAccount) -> Iterable[Row]:
    for thing, entry in fake.of("RESOURCE MONITOR"):
        triggers = re.findall(r"ON (\d+) PERCENT DO (\w+)", entry.settings.get("TRIGGERS", ""))
        at = {
            column: ",".join(f"{percent}%" for percent, does in triggers if does == word) or None
            for column, word in (("notify_at", "NOTIFY"), ("suspend_at", "SUSPEND"))
        }
        quota = float(entry.settings["CREDIT_QUOTA"])
        frequency = entry.settings.get("FREQUENCY", "MONTHLY")
        yield {**fake.row(thing, entry), "credit_quota": f"{quota:.2f}", "frequency": frequency, **at}


def roles(fake: FakeAccount) -> Iterable[Row]:
    yield from fake.listed("ROLE")
    yield from ({"name": name, "owner": None, "comment": ""} for name in SYSTEM_ROLES)


def integrations(fake: FakeAccount) -> Iterable[Row]:
    for thing, entry in fake.of("INTEGRATION"):
        held = entry.settings
        yield {**fake.row(thing, entry), "type": held.get("TYPE"), "category": "STORAGE", "enabled": "true"}


def schemas(fake: FakeAccount, path: str) -> Iterable[Row]:
    yield {"name": "INFORMATION_SCHEMA", "database_name": path, "owner": None, "options": None}
    for thing, entry in fake.of("SCHEMA", named("DATABASE", path)):
        managed = "MANAGED ACCESS" if entry.settings.get("MANAGED ACCESS") == "TRUE" else ""
        yield {**fake.row(thing, entry), "options": managed}


def objects(fake: FakeAccount, path: str) -> Iterable[Row]:
    for kind in RELATIONS:
        for thing, entry in fake.of(kind, named("DATABASE", path)):
            yield {**fake.row(thing, entry), "kind": kind}


def page(fake: FakeAccount, path: str, size: str, after: str | None) -> Iterable[Row]:
    """As many as asked for, of those whose names come after the one that begins like this."""
    rows = sorted(objects(fake, path), key=lambda row: str(row["name"]))
    return [row for row in rows if after is None or row["name"] > after.replace("''", "'")][: int(size)]


def stages(fake: FakeAccount, path: str) -> Iterable[Row]:
    for thing, entry in fake.of("STAGE", named("DATABASE", path)):
        held = entry.settings
        yield {**fake.row(thing, entry), "url": held.get("URL"), "storage_integration": held.get("STORAGE_INTEGRATION")}


def formats(fake: FakeAccount, path: str) -> Iterable[Row]:
    for thing, entry in fake.of("FILE FORMAT", named("DATABASE", path)):
        options = {key: json_value(value) for key, value in entry.settings.items() if key != "COMMENT"}
        yield {**fake.row(thing, entry), "type": entry.settings["TYPE"], "format_options": json.dumps(options)}


def json_value(text: str) -> object:
    return {"TRUE": True, "FALSE": False}.get(text, text)


def tags(fake: FakeAccount, path: str) -> Iterable[Row]:
    for thing, entry in fake.of("TAG", named("SCHEMA", path)):
        allowed = entry.settings.get("ALLOWED_VALUES")
        yield {**fake.row(thing, entry), "allowed_values": json.dumps(allowed.split(", ")) if allowed else None}


def tag_values(fake: FakeAccount, calls: str) -> Iterable[Row]:
    row = {}
    for tag, path, kind, name in re.findall(r"system\$get_tag\('([^']+)', '([^']+)', '(\w+)'\) as (\w+)", calls):
        row[name] = fake.settings(kind, path).get(f"TAG {tag}")
    yield row


def policies(fake: FakeAccount, path: str) -> Iterable[Row]:
    return fake.listed("AUTHENTICATION POLICY", named("SCHEMA", path))


def policy(fake: FakeAccount, path: str) -> Iterable[Row]:
    for key, value in fake.settings("AUTHENTICATION POLICY", path).items():
        yield {"property": key, "value": "[" + value.strip("()").replace("'", "") + "]"}


def users(fake: FakeAccount, pattern: str) -> Iterable[Row]:
    like = re.escape(pattern).replace(r"\\\\_", "_")
    for row in fake.listed("USER"):
        if re.fullmatch(like, row["name"]):
            yield row


def user(fake: FakeAccount, path: str) -> Iterable[Row]:
    held = fake.settings("USER", path)
    held["DEFAULT_SECONDARY_ROLES"] = json.dumps(re.findall(r"'(\w+)'", held.get("DEFAULT_SECONDARY_ROLES", "('ALL')")))
    for key in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        if key in held:
            held[f"{key}_FP"] = f"SHA256:{held[key][-8:]}"
    yield {"property": "NAME", "value": path}
    yield {"property": "PASSWORD", "value": "********"}
    yield {"property": "DISABLED", "value": "false"}
    for key, value in held.items():
        if key not in {"WORKLOAD_IDENTITY", "AUTHENTICATION POLICY"}:
            yield {"property": key, "value": value}
    yield {"property": "EMAIL", "value": "null"}


def workload(fake: FakeAccount, path: str) -> Iterable[Row]:
    held = fake.settings("USER", path).get("WORKLOAD_IDENTITY")
    if held:
        partition, account, name = re.findall(r"arn:([\w-]+):iam::(\d+):role/([^']+)", held)[0]
        info = {"awsPartition": partition, "awsAccount": account, "type": "IAM_ROLE", "iamRole": name}
        yield {"name": "DEFAULT", "type": "AWS", "additional_info": json.dumps(info)}


def policies_on(fake: FakeAccount, path: str) -> Iterable[Row]:
    held = fake.settings("USER", path).get("AUTHENTICATION POLICY")
    if held:
        database, schema, name = parse_path(held)
        yield {"database_name": database, "schema_name": schema, "name": name}


def shares(fake: FakeAccount) -> Iterable[Row]:
    yield {"kind": "INBOUND", "name": "SNOWFLAKE.ACCOUNT_USAGE", "database_name": "SNOWFLAKE", "to": "", "owner": ""}
    for thing, entry in fake.of("SHARE"):
        on = [grant.on.name[0] for grant in sorted(fake.account.grants) if grant.to == thing]
        accounts = entry.settings.get("ACCOUNTS", "")
        yield {**fake.row(thing, entry), "kind": "OUTBOUND", "to": accounts, "database_name": on[0] if on else ""}


def user_grants(fake: FakeAccount, path: str) -> Iterable[Row]:
    whom = named("USER", path)
    for each in sorted(fake.account.memberships):
        if each.to == whom:
            yield {"role": each.role.name[-1], "granted_to": "USER", "grantee_name": path}
    for grant in fake.direct:
        if grant.to == whom:
            yield {**fake.granted(grant.privilege, grant.on, grant.to), "role": ""}


def account_grants(fake: FakeAccount) -> Iterable[Row]:
    yield fake.granted("MONITOR USAGE", ACCOUNT, role("ACCOUNTADMIN"))
    yield from fake.grants_on(ACCOUNT)


def available(fake: FakeAccount) -> Iterable[Row]:
    has = {held.name[0] for name in fake.available for held in standing(fake.account, role(name)).roles}
    yield {"roles": json.dumps(sorted(has))}


def nothing(_fake: FakeAccount, *_parts: str) -> Iterable[Row]:
    return ()


def in_database(fake: FakeAccount, path: str) -> Iterable[Row]:
    return fake.announced(lambda each: each.within == named("DATABASE", path))


def integration(fake: FakeAccount, path: str) -> Iterable[Row]:
    for key, value in fake.settings("INTEGRATION", path).items():
        if key not in {"TYPE", "COMMENT"}:
            listed = re.findall(r"'([^']*)'", value)
            yield {
                "property": key,
                "property_value": ",".join(listed) if value.startswith("(") else CASES.get(value, value),
            }


_GRANTEE = r"(role|database role|share) (\S+)"
ANSWERS: tuple[tuple[str, Callable[..., Iterable[Row]]], ...] = (
    (
        r"select current_account_name\(\) as name, current_role\(\) as role",
        lambda fake: [{"name": "FAKE", "role": fake.role}],
    ),
    (r"select current_available_roles\(\) as roles", available),
    (r"select (system\$get_tag.*)", tag_values),
    (r"use secondary roles none", nothing),
    (r"show databases", databases),
    (r"show warehouses", warehouses),
    (r"show parameters like '(\w+)' in warehouse (\S+)", parameters),
    (r"show resource monitors", monitors),
    (r"show roles", roles),
    (r"show integrations", integrations),
    (r"describe integration (\S+)", integration),
    (r"show schemas in database (\S+)", schemas),
    (r"show objects in (?:database|schema) (\S+)", objects),
    (r"show objects in schema (\S+) limit (\d+)(?: from '((?:[^']|'')*)')?", page),
    (r"show stages in database (\S+)", stages),
    (r"show file formats in database (\S+)", formats),
    (
        r"show database roles in database (\S+)",
        lambda fake, path: fake.listed("DATABASE ROLE", named("DATABASE", path)),
    ),
    (r"show tags in schema (\S+)", tags),
    (r"show authentication policies in schema (\S+)", policies),
    (r"show authentication policies on user (\S+)", policies_on),
    (r"describe authentication policy (\S+)", policy),
    (r"show users like '([^']+)'", users),
    (r"describe user (\S+)", user),
    (r"show user workload identity authentication methods for user (\S+)", workload),
    (r"show grants on account", account_grants),
    (r"show grants on (database|warehouse|integration|user) (\S+)", lambda f, k, path: f.grants_on(named(k, path))),
    (r"show future grants in database (\S+)", in_database),
    (
        rf"show future grants to {_GRANTEE}",
        lambda fake, k, path: fake.announced(lambda each: each.to == named(k, path)),
    ),
    (r"show shares", shares),
    (r"show grants to user (\S+)", user_grants),
    (rf"show grants to {_GRANTEE}", lambda fake, k, path: fake.grants_to(named(k, path))),
    (rf"show grants of {_GRANTEE}", lambda fake, k, path: fake.members_of(named(k, path))),
)
