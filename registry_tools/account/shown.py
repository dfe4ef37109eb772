"""The rows of SHOW and DESCRIBE in, the names, owners and settings that they tell of out; nothing is asked here.

Settings are held in the words of ALTER ... SET, so that a statement can be told to change nothing.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from registry_tools.mesh.account import Entry, FutureGrant, Grant, Membership, Securable, parse_path

Row: TypeAlias = Mapping[str, object]

OWNERSHIP: Final = "OWNERSHIP"
_ALONE: Final = frozenset({"ROLE", "USER", "WAREHOUSE", "DATABASE", "INTEGRATION", "RESOURCE MONITOR"})
_PLAIN: Final = re.compile(r"[A-Z_][A-Z0-9_$]*(?:\.[A-Z_][A-Z0-9_$]*){0,2}", re.ASCII)
_SIZES: Final = {"X-Small": "XSMALL", "X-Large": "XLARGE", "2X-Large": "XXLARGE", "3X-Large": "XXXLARGE"}
_TRIGGERS: Final = (("notify_at", "NOTIFY"), ("suspend_at", "SUSPEND"), ("suspend_immediately_at", "SUSPEND_IMMEDIATE"))
# How many parts a name can have besides one; what is not listed stands in a schema.
_OF_A_SCHEMA: Final = (3,)
_DEPTHS: Final = {"SCHEMA": (2,), "DATABASE ROLE": (2,), **dict.fromkeys(_ALONE, ()), "SHARE": (3,)}
# DESCRIBE USER's properties that ALTER USER sets, without what is personal or secret. Public keys are public.
_USER: Final = (
    *("TYPE", "COMMENT", "DISABLED", "NETWORK_POLICY", "DEFAULT_ROLE", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE"),
    *("DEFAULT_SECONDARY_ROLES", "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"),
)
_IDENTIFIERS: Final = ("DEFAULT_ROLE", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE")


def text(row: Row, column: str) -> str:
    """What stands in a column, "" for nothing: Snowflake writes null for some of what is not set."""
    value = row.get(column)
    return "" if value is None or value == "null" else str(value)


def named(kind: str, written: str, database: str | None = None) -> Securable:
    """Something by the name that SHOW GRANTS writes: quoted where it has to be, and a database role's or a share's with
    or without what it is in (behaviour change 2371).
    """
    if kind == "ACCOUNT":
        return Securable(kind)
    parts = _parts(kind, written)
    if kind == "SHARE":
        return Securable(kind, parts[-1:])
    if kind == "DATABASE ROLE" and len(parts) == 1 and database:
        return Securable(kind, (database, *parts))
    return Securable(kind, parts)


def _parts(kind: str, written: str) -> tuple[str, ...]:
    """The parts of a name. One without the quotes that it needs is parted by its points, where it can have parts."""
    if '"' not in written and (kind in _ALONE or not _PLAIN.fullmatch(written)):
        parts = tuple(written.split("."))
        return parts if len(parts) in _DEPTHS.get(kind, _OF_A_SCHEMA) and all(parts) else (written,)
    try:
        return parse_path(written)
    except ValueError:
        return (written,)


def kind_of(written: str) -> str:
    """A kind as SQL calls it: SHOW GRANTS says DATABASE_ROLE."""
    return written.upper().replace("_", " ")


def owner(row: Row, database: str | None = None) -> Securable | None:
    """Who owns the thing of this row; None for what belongs to Snowflake itself."""
    name = text(row, "owner")
    kind = kind_of(text(row, "owner_role_type") or "ROLE")
    return named(kind, name, database) if name else None


def grant(row: Row) -> Grant | Membership:
    """The grant of one row of SHOW GRANTS ON or TO; the right to use a role is being in it."""
    kind = kind_of(text(row, "granted_on"))
    on = named(kind, text(row, "name"))
    to = named(kind_of(text(row, "granted_to")), text(row, "grantee_name"), on.database)
    if kind in {"ROLE", "DATABASE ROLE"} and text(row, "privilege") == "USAGE":
        return Membership(on, to)
    return Grant(text(row, "privilege"), on, to)


def is_inherited(row: Row) -> bool:
    """Whether this row of SHOW GRANTS is of everything of a kind (Managing access with inherited grants)."""
    return text(row, "is_inherited").lower() == "true"


def inherited(row: Row) -> FutureGrant:
    """The grant of such a row, which names what the things are in, and none of them."""
    parts = (text(row, "inherited_from_database"), text(row, "inherited_from_schema"))
    within = Securable(kind_of(text(row, "inherited_from")), tuple(filter(None, parts)))
    to = named(kind_of(text(row, "granted_to")), text(row, "grantee_name"), within.database)
    return FutureGrant(text(row, "privilege"), kind_of(text(row, "granted_on")), within, to, inherited=True)


def future(row: Row) -> FutureGrant:
    """The grant of one row of SHOW FUTURE GRANTS, whose name is `DBT_UP_PROD.MARTS.<TABLE>`."""
    written = text(row, "name").rpartition(".")[0]
    within = named("SCHEMA" if "." in written else "DATABASE", written)
    to = named(kind_of(text(row, "grant_to")), text(row, "grantee_name"), within.database)
    return FutureGrant(text(row, "privilege"), kind_of(text(row, "grant_on")), within, to)


def member(row: Row, role: Securable) -> Membership:
    """One row of SHOW GRANTS OF this role."""
    return Membership(role, named(kind_of(text(row, "granted_to")), text(row, "grantee_name"), role.database))


def of_user(row: Row) -> Membership | Grant:
    """One row of SHOW GRANTS TO USER, which names a role in a column of its own."""
    user = Securable("USER", (text(row, "grantee_name"),))
    if text(row, "role"):
        return Membership(Securable("ROLE", (text(row, "role"),)), user)
    return grant(row)


def described(rows: Iterable[Row]) -> dict[str, str]:
    """The rows of DESCRIBE USER as settings."""
    found = _properties(rows)
    settings = {key: found[key] for key in _USER if found.get(key)}
    if settings.get("DISABLED", "").lower() == "false":
        del settings["DISABLED"]
    if settings.get("DEFAULT_SECONDARY_ROLES"):
        settings["DEFAULT_SECONDARY_ROLES"] = _role_list(settings["DEFAULT_SECONDARY_ROLES"])
    return settings


def _properties(rows: Iterable[Row]) -> dict[str, str]:
    """What DESCRIBE says of each property, in whichever of the two columns that it writes to."""
    return {text(row, "property").upper(): text(row, "value") or text(row, "property_value") for row in rows}


def _role_list(shown: str) -> str:
    """`["ALL"]` as SQL says it: `('ALL')`; an empty list is `()`."""
    try:
        listed = json.loads(shown)
    except ValueError:
        return shown
    return "(" + ", ".join(f"'{role}'" for role in listed) + ")" if isinstance(listed, list) else shown


def fingerprints(rows: Iterable[Row]) -> dict[str, str]:
    """What DESCRIBE USER says of the user's public keys: the fingerprint of each that is set, by its property."""
    found = _properties(rows)
    return {key: found[key] for key in ("RSA_PUBLIC_KEY_FP", "RSA_PUBLIC_KEY_2_FP") if found.get(key)}


def workload_identity(row: Row) -> str:
    """One row of SHOW USER WORKLOAD IDENTITY AUTHENTICATION METHODS, as CREATE USER says it; the ways of GitHub's and
    other clouds' tokens are told by their kind and subject.
    """
    info = _document(text(row, "additional_info"))
    kind = text(row, "type")
    if kind != "AWS":
        told = [f"{key.upper()} = '{info[key]}'" for key in sorted(info)]
        return f"({' '.join((f'TYPE = {kind}', *told))})"
    word = "role" if info.get("type") != "IAM_USER" else "user"
    arn = f"arn:{info.get('awsPartition', 'aws')}:iam::{info.get('awsAccount')}:{word}/{info.get('iamRole')}"
    return f"(TYPE = AWS ARN = '{arn}')"


def warehouse(row: Row) -> Entry:
    """A warehouse of SHOW WAREHOUSES."""
    size = text(row, "size")
    settings = {
        "WAREHOUSE_SIZE": _SIZES.get(size, size.upper().replace("-", "")),
        "AUTO_SUSPEND": text(row, "auto_suspend"),
        "AUTO_RESUME": text(row, "auto_resume").upper(),
        "RESOURCE_MONITOR": text(row, "resource_monitor"),
        "COMMENT": text(row, "comment"),
    }
    return Entry(owner=owner(row), settings={key: value for key, value in settings.items() if value})


def monitor(row: Row) -> Entry:
    """A resource monitor of SHOW RESOURCE MONITORS; `80%,90%` are two triggers."""
    quota = text(row, "credit_quota")
    triggers = [
        f"ON {percent.strip().removesuffix('%')} PERCENT DO {does}"
        for column, does in _TRIGGERS
        for percent in text(row, column).split(",")
        if percent.strip()
    ]
    settings = {
        "CREDIT_QUOTA": quota.removesuffix(".00").removesuffix(".0"),
        "FREQUENCY": text(row, "frequency").upper(),
        "TRIGGERS": " ".join(triggers),
    }
    return Entry(owner=owner(row), settings={key: value for key, value in settings.items() if value})


def schema(row: Row) -> Entry:
    """A schema of SHOW SCHEMAS."""
    managed = {"MANAGED ACCESS": "TRUE"} if "MANAGED ACCESS" in text(row, "options").upper() else {}
    comment = {"COMMENT": text(row, "comment")} if text(row, "comment") else {}
    return Entry(owner=owner(row, text(row, "database_name")), settings=managed | comment)


def plain(row: Row, database: str | None = None) -> Entry:
    """Anything else that SHOW lists: its owner and its comment."""
    comment = {"COMMENT": text(row, "comment")} if text(row, "comment") else {}
    return Entry(owner=owner(row, database), settings=comment)


def tag(row: Row) -> Entry:
    """A tag of SHOW TAGS, with the values that it may have."""
    try:
        allowed = json.loads(text(row, "allowed_values") or "[]")
    except ValueError:
        allowed = []
    told = {"ALLOWED_VALUES": ", ".join(map(str, allowed))} if allowed else {}
    entry = plain(row)
    return Entry(owner=entry.owner, settings={**entry.settings, **told})


def policy(rows: Iterable[Row]) -> dict[str, str]:
    """The rows of DESCRIBE AUTHENTICATION POLICY as settings: `[KEYPAIR, WORKLOAD_IDENTITY]` is a list of texts."""
    settings = {}
    for row in rows:
        value = text(row, "value")
        listed = re.fullmatch(r"\[(.*)\]", value)
        if listed:
            value = "(" + ", ".join(f"'{each.strip()}'" for each in listed[1].split(",")) + ")"
        if text(row, "property").upper() in {"AUTHENTICATION_METHODS", "CLIENT_TYPES", "SECURITY_INTEGRATIONS"}:
            settings[text(row, "property").upper()] = value
    return settings


def accounts(row: Row) -> dict[str, str]:
    """The accounts that may use the share of a row of SHOW SHARES."""
    listed = sorted(each.strip() for each in text(row, "to").split(",") if each.strip())
    return {"ACCOUNTS": ", ".join(listed)} if listed else {}


def integration(row: Row, rows: Iterable[Row]) -> dict[str, str]:
    """A storage integration: its row of SHOW INTEGRATIONS, and what DESCRIBE says of how it is set."""
    found = _properties(rows)
    settings = {"TYPE": text(row, "type"), "STORAGE_PROVIDER": found.get("STORAGE_PROVIDER", "")}
    settings["ENABLED"] = found.get("ENABLED", "").upper()
    settings["STORAGE_AWS_ROLE_ARN"] = found.get("STORAGE_AWS_ROLE_ARN", "")
    allowed = [each.strip() for each in found.get("STORAGE_ALLOWED_LOCATIONS", "").split(",") if each.strip()]
    settings["STORAGE_ALLOWED_LOCATIONS"] = "(" + ", ".join(f"'{each}'" for each in allowed) + ")" if allowed else ""
    return {key: value for key, value in settings.items() if value}


def stage(row: Row) -> Entry:
    """A stage of SHOW STAGES."""
    entry = plain(row, text(row, "database_name"))
    told = {"URL": text(row, "url"), "STORAGE_INTEGRATION": text(row, "storage_integration")}
    return Entry(owner=entry.owner, settings={**entry.settings, **{key: value for key, value in told.items() if value}})


def file_format(row: Row) -> Entry:
    """A file format of SHOW FILE FORMATS; of its many options those that are set to something."""
    entry = plain(row, text(row, "database_name"))
    options = _document(text(row, "format_options"))
    told = {str(key).upper(): _option(value) for key, value in options.items() if value not in (None, "NONE")}
    return Entry(owner=entry.owner, settings={"TYPE": text(row, "type"), **entry.settings, **told})


def _option(value: object) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)


def _document(written: str) -> dict[str, object]:
    """The JSON object that stands in a column; empty where something else does."""
    try:
        document = json.loads(written)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
