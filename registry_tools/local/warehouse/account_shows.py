"""Questions about what an account has and how it is set in, Snowflake's answers from the account's book out.

The columns are those that Snowflake's documentation names, less what nobody here asks for.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from registry_tools.local.warehouse.account import Asker
from registry_tools.local.warehouse.answers import Answer
from registry_tools.local.warehouse.grants import GrantBook
from registry_tools.local.warehouse.statements import NAME, PATH, parts

_Cell = str | int | None
_Show = Callable[[GrantBook, Asker, re.Match[str]], Answer]
_SIZES: Final = {"XSMALL": "X-Small", "XLARGE": "X-Large"}
_OWNED: Final = ("created_on", "name", "owner", "owner_role_type", "comment")
# What DESCRIBE USER says of a user; a public key also has a fingerprint.
_DESCRIBED: Final = (
    *("TYPE", "COMMENT", "DEFAULT_ROLE", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE"),
    *("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"),
)
_ARN: Final = re.compile(
    r"arn:(?P<awsPartition>[\w-]+):iam::(?P<awsAccount>\d+):(?P<word>role|user)/(?P<iamRole>[^']+)"
)
_LIKE: Final = r"(?: LIKE '(?P<like>[^']*)')?"


def answer(book: GrantBook, asker: Asker, statement: str) -> Answer | None:
    """The answer to such a question, in the one spelling; None when it is about something else."""
    for pattern, respond in _RULES:
        if found := pattern.fullmatch(statement):
            return respond(book, asker, found)
    return None


def matching(pattern: str | None) -> re.Pattern[str]:
    """What LIKE asks for: `%` and `_` stand for others, unless a backslash stands before them."""
    pieces = re.findall(r"\\.|.", pattern or "%", re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(each) or re.escape(each[-1]) for each in pieces), re.IGNORECASE | re.DOTALL)


def _listed(book: GrantBook, kind: str, within: str = "", like: str | None = None) -> Iterable[tuple[_Cell, ...]]:
    """Creation, name, owner, kind of owner and comment of everything of this kind."""
    wanted = matching(like)
    for name, since in book.objects(kind):
        inside = name.removeprefix(within)
        if name.startswith(within) and wanted.fullmatch(inside):
            yield (since, inside, *_owner(book, kind, name), book.settings(kind, name).get("COMMENT", ""))


def _owner(book: GrantBook, kind: str, name: str) -> tuple[str | None, str | None]:
    owns = book.find(lambda grant: (grant.privilege, grant.kind, grant.name) == ("OWNERSHIP", kind, name))
    if not owns:
        return None, None
    owner = owns[-1]
    bare = owner.to.rpartition(".")[2] if owner.to_kind == "DATABASE ROLE" else owner.to
    return bare, owner.to_kind.replace(" ", "_")


def _show_plain(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    groups = found.groupdict()
    within = f"{'.'.join(parts(groups['inside']))}." if groups.get("inside") else ""
    rows = tuple(_listed(book, found["kind"], within, groups.get("like")))
    return Answer(columns=_OWNED, rows=rows)


def _with(
    rows: Iterable[tuple[_Cell, ...]], columns: tuple[str, ...], more: Callable[[str], Iterable[_Cell]]
) -> Answer:
    return Answer(columns=(*_OWNED, *columns), rows=tuple((*row, *more(str(row[1]))) for row in rows))


def _show_warehouses(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    def more(name: str) -> Iterable[_Cell]:
        held = book.settings("WAREHOUSE", name)
        size = held.get("WAREHOUSE_SIZE", "XSMALL")
        yield _SIZES.get(size, size.capitalize())
        yield int(held.get("AUTO_SUSPEND", "600"))
        yield held.get("AUTO_RESUME", "TRUE").lower()
        yield held.get("RESOURCE_MONITOR", "null")

    columns = ("size", "auto_suspend", "auto_resume", "resource_monitor")
    return _with(_listed(book, "WAREHOUSE", like=found["like"]), columns, more)


def _show_monitors(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    def more(name: str) -> Iterable[_Cell]:
        held = book.settings("RESOURCE MONITOR", name)
        triggers = re.findall(r"ON (\d+) PERCENT DO (\w+)", held.get("TRIGGERS", ""))
        yield held.get("CREDIT_QUOTA")
        yield held.get("FREQUENCY", "MONTHLY")
        for word in ("NOTIFY", "SUSPEND", "SUSPEND_IMMEDIATE"):
            yield ",".join(f"{percent}%" for percent, does in triggers if does == word) or None

    columns = ("credit_quota", "frequency", "notify_at", "suspend_at", "suspend_immediately_at")
    return _with(_listed(book, "RESOURCE MONITOR", like=found["like"]), columns, more)


def _show_schemas(book: GrantBook, asker: Asker, found: re.Match[str]) -> Answer:
    (database,) = parts(found["inside"])
    rows: list[tuple[_Cell, ...]] = []
    for each in asker.relations(database):
        if each.kind == "SCHEMA":
            managed = book.settings("SCHEMA", each.name).get("MANAGED ACCESS") == "TRUE"
            name = each.name.removeprefix(f"{database}.")
            options = "MANAGED ACCESS" if managed else ""
            rows.append((_since(book, each.name), name, *_owner(book, "SCHEMA", each.name), "", database, options))
    return Answer(columns=(*_OWNED, "database_name", "options"), rows=tuple(rows))


def _since(book: GrantBook, schema: str) -> str | None:
    """When somebody came to own it, which is when it was created unless it was given away."""
    owns = book.find(lambda grant: (grant.privilege, grant.kind, grant.name) == ("OWNERSHIP", "SCHEMA", schema))
    return owns[-1].since if owns else None


def _show_tags(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    within = f"{'.'.join(parts(found['inside']))}."

    def more(name: str) -> Iterable[_Cell]:
        allowed = book.settings("TAG", f"{within}{name}").get("ALLOWED_VALUES")
        yield json.dumps(allowed.split(", ")) if allowed else None

    return _with(_listed(book, "TAG", within), ("allowed_values",), more)


def _tag_values(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    calls = re.findall(r"SYSTEM\$GET_TAG \( '([^']+)' , '([^']+)' , '([^']+)' \) AS (\w+)", found["calls"])
    values = (book.settings(kind.upper(), name).get(f"TAG {tag}") for tag, name, kind, _ in calls)
    return Answer(columns=tuple(alias.lower() for *_, alias in calls), rows=(tuple(values),))


def _parameters(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    value = book.settings("WAREHOUSE", ".".join(parts(found["name"]))).get(found["key"].upper())
    level = "WAREHOUSE" if value else ""
    return Answer(columns=("key", "value", "default", "level"), rows=((found["key"], value, "172800", level),))


def _describe_user(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    held = book.settings("USER", ".".join(parts(found["name"])))
    said: dict[str, str] = {key: held[key] for key in _DESCRIBED if key in held}
    secondary = re.findall(r"'(\w+)'", held.get("DEFAULT_SECONDARY_ROLES", "('ALL')"))
    said["DEFAULT_SECONDARY_ROLES"] = json.dumps(secondary)
    said |= {f"{key}_FP": _fingerprint(held[key]) for key in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2") if key in held}
    return _properties(said)


def _fingerprint(key: str) -> str:
    import base64
    import binascii
    import hashlib

    try:
        return f"SHA256:{base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode()}"
    except binascii.Error:
        return "SHA256:"


def _describe_policy(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    held = book.settings("AUTHENTICATION POLICY", ".".join(parts(found["name"])))
    return _properties({key: f"[{value.strip('()').replace(chr(39), '')}]" for key, value in held.items()})


def _properties(said: Mapping[str, str]) -> Answer:
    return Answer(columns=("property", "value"), rows=tuple(said.items()))


def _policies_on(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    held = book.settings("USER", ".".join(parts(found["name"]))).get("AUTHENTICATION POLICY")
    return Answer(columns=("database_name", "schema_name", "name"), rows=(parts(held),) if held else ())


def _workload(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    held = _ARN.search(book.settings("USER", ".".join(parts(found["name"]))).get("WORKLOAD_IDENTITY", ""))
    rows: tuple[tuple[str, ...], ...] = ()
    if held:
        info = {key: held[key] for key in ("awsPartition", "awsAccount", "iamRole")}
        rows = (("DEFAULT", "AWS", json.dumps({**info, "type": f"IAM_{held['word'].upper()}"})),)
    return Answer(columns=("name", "type", "additional_info"), rows=rows)


def _show_policies(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    within = f"{'.'.join(parts(found['inside']))}."
    return Answer(columns=_OWNED, rows=tuple(_listed(book, "AUTHENTICATION POLICY", within)))


def _show_shares(book: GrantBook, _asker: Asker, found: re.Match[str]) -> Answer:
    def more(name: str) -> Iterable[_Cell]:
        on = book.find(lambda grant: (grant.to_kind, grant.to, grant.kind) == ("SHARE", name, "DATABASE"))
        yield "OUTBOUND"
        yield on[0].name if on else ""
        yield book.settings("SHARE", name).get("ACCOUNTS", "")

    return _with(_listed(book, "SHARE", like=found["like"]), ("kind", "database_name", "to"), more)


def _none(_book: GrantBook, _asker: Asker, _found: re.Match[str]) -> Answer:
    return Answer(columns=_OWNED)


_RULES: Final[tuple[tuple[re.Pattern[str], _Show], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), respond)
    for pattern, respond in (
        (rf"SHOW WAREHOUSES{_LIKE}", _show_warehouses),
        (rf"SHOW RESOURCE MONITORS{_LIKE}", _show_monitors),
        (rf"SHOW (?P<kind>ROLE|USER)S{_LIKE}", _show_plain),
        (rf"SHOW SHARES{_LIKE}", _show_shares),
        (rf"SHOW AUTHENTICATION POLICIES IN SCHEMA (?P<inside>{PATH})", _show_policies),
        (rf"SHOW (?P<kind>DATABASE ROLE)S IN DATABASE (?P<inside>{NAME})", _show_plain),
        (rf"SHOW SCHEMAS IN DATABASE (?P<inside>{NAME})", _show_schemas),
        (rf"SHOW TAGS IN SCHEMA (?P<inside>{PATH})", _show_tags),
        (r"SELECT (?P<calls>SYSTEM\$GET_TAG .*)", _tag_values),
        (rf"SHOW PARAMETERS LIKE '(?P<key>\w+)' IN WAREHOUSE (?P<name>{NAME})", _parameters),
        (rf"DESC(?:RIBE)? USER (?P<name>{NAME})", _describe_user),
        (rf"SHOW USER WORKLOAD IDENTITY AUTHENTICATION METHODS FOR USER (?P<name>{NAME})", _workload),
        (rf"SHOW AUTHENTICATION POLICIES ON USER (?P<name>{NAME})", _policies_on),
        (rf"DESC(?:RIBE)? AUTHENTICATION POLICY (?P<name>{PATH})", _describe_policy),
        (r"SHOW INTEGRATIONS", _none),
    )
)
