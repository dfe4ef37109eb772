"""A grant, a membership, an owner or a setting in, the statement that makes it so out."""

import re
from typing import Final

from registry_tools.checks.access.kinds import plural_of
from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.checks.access.reading import ACCOUNTS, AUTHENTICATION_POLICY, MANAGED_ACCESS, read, tag_of
from registry_tools.checks.access.words import Words
from registry_tools.mesh.account import PASSING_ON, FutureGrant, Grant, Membership, Securable

_BARE: Final = re.compile(r"\(.*\)|-?\d+(?:\.\d+)?|[A-Z_][A-Z0-9_$]*", re.DOTALL | re.ASCII)
# What has to be a text, even where it looks like a word.
_TEXTS: Final = (
    *("COMMENT", "DISPLAY_NAME", "EMAIL", "LOGIN_NAME", "NETWORK_POLICY", "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"),
    *("STORAGE_AWS_ROLE_ARN", "URL"),
)
# What is an identifier, in quotes of its own where it needs any.
_NAMES: Final = ("DEFAULT_ROLE", "DEFAULT_WAREHOUSE", "RESOURCE_MONITOR", "STORAGE_INTEGRATION")


def granting(grant: Grant | FutureGrant | Membership) -> str:
    """The statement that grants it."""
    if isinstance(grant, Grant) and grant.privilege.startswith(PASSING_ON):
        held = Grant(grant.privilege.removeprefix(PASSING_ON), grant.on, grant.to)
        return f"{granting(held)} WITH GRANT OPTION"
    return f"GRANT {_granted(grant)} TO {grant.to}"


def revoking(grant: Grant | FutureGrant | Membership) -> str | None:
    """The statement that takes it away. None for what the model cannot read, and so cannot prove to end it."""
    statement = f"REVOKE {_granted(grant)} FROM {grant.to}"
    try:
        read(statement)
    except UnknownStatementError:
        return None
    return statement


def transferring(what: Securable, owner: Securable) -> str | None:
    """The statement that makes this role its owner, with all that was granted on it left as it is. None for a share,
    which stays whose it is (GRANT OWNERSHIP).
    """
    return None if what.kind == "SHARE" else f"GRANT OWNERSHIP ON {what} TO {owner} COPY CURRENT GRANTS"


def setting(what: Securable, key: str, value: str) -> str | None:
    """The statement that sets this. None for what no ALTER sets to a whole new value at once."""
    if key == MANAGED_ACCESS:
        return f"ALTER {what} {'ENABLE' if value == 'TRUE' else 'DISABLE'} MANAGED ACCESS"
    if key == AUTHENTICATION_POLICY:
        return f"ALTER {what} SET AUTHENTICATION POLICY {value} FORCE"
    if key == "TRIGGERS":
        return f"ALTER {what} TRIGGERS {value}"
    if key == ACCOUNTS:
        return f"ALTER {what} SET ACCOUNTS = {value}"
    if key == "ALLOWED_VALUES":
        return None
    return f"ALTER {what} SET {key} = {_spelled(key, value)}"


def _granted(grant: Grant | FutureGrant | Membership) -> str:
    match grant:
        case Membership():
            return str(grant.role)
        case FutureGrant(inherited=True):
            return f"INHERITED {grant.privilege} ON ALL {plural_of(grant.kind)} IN {grant.within}"
        case FutureGrant():
            return f"{grant.privilege} ON FUTURE {plural_of(grant.kind)} IN {grant.within}"
        case _:
            return f"{grant.privilege} ON {grant.on}"


def _spelled(key: str, value: str) -> str:
    a_text = key in _TEXTS or tag_of(key) is not None
    if not a_text and (key in _NAMES or (_BARE.fullmatch(value) and _is_read_back(value))):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _is_read_back(value: str) -> bool:
    """Whether it comes back as it is where it is written bare: a list is spelled in one way."""
    words = Words(value)
    try:
        return words.value() == value and words.done
    except UnknownStatementError:
        return False
