"""The name of a connection in, its parameters out, as Snowflake's own tools find them (connections.toml)."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from registry_tools.account.login import from_home, key_parameters
from registry_tools.errors import DocumentError, UsageError

_CONNECTIONS: Final = "connections.toml"
_CONFIG: Final = "config.toml"
# What the connector takes, less what is about other things than logging in.
_TAKEN: Final = frozenset(
    {
        *("account", "user", "role", "warehouse", "host", "port", "protocol", "region", "database", "schema"),
        *("authenticator", "password", "passcode", "passcode_in_password", "token", "token_file_path"),
        *("workload_identity_provider", "workload_identity_entra_resource", "workload_identity_impersonation_path"),
        *("proxy_host", "proxy_port", "proxy_user", "proxy_password", "client_store_temporary_credential"),
        *("oauth_client_id", "oauth_client_secret", "oauth_authorization_url", "oauth_token_request_url"),
        *("oauth_redirect_uri", "oauth_scope"),
    }
)
_NO_TEXTS: Final = frozenset(
    {"port", "passcode_in_password", "client_store_temporary_credential", "workload_identity_impersonation_path"}
    | {"proxy_port"}
)
# snow takes either spelling, the connector the first.
_KEY_FILES: Final = ("private_key_file", "private_key_path")
_KEY_WORDS: Final = ("private_key_file_pwd", "private_key_passphrase")


def named_parameters(name: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of the connection. Raises UsageError for an unknown name, DocumentError for a bad file."""
    folder = _folder(variables)
    file = next((folder / each for each in (_CONNECTIONS, _CONFIG) if (folder / each).is_file()), None)
    if file is None:
        then = "snow connection add, or export SNOWFLAKE_ACCOUNT and the other variables"
        raise UsageError(f"there is no {_CONNECTIONS} and no {_CONFIG}", where=str(folder), then=then)
    document = _read(file)
    connections = document if file.name == _CONNECTIONS else document.get("connections")
    listed = connections if isinstance(connections, dict) else {}
    known = {key: held for key, held in listed.items() if isinstance(held, dict)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        then = f"did you mean {near[0]}?" if near else f"name one of {', '.join(known) or 'none, snow connection add'}"
        raise UsageError(f"there is no connection {name!r}", where=str(file), then=then)
    _expect_texts(known[name], name, file)
    return _parameters(known[name], variables)


def _folder(variables: Mapping[str, str]) -> Path:
    """Where Snowflake's tools keep their files: SNOWFLAKE_HOME, or where the system has such things."""
    home = from_home(variables.get("SNOWFLAKE_HOME") or "~/.snowflake")
    if home.is_dir():
        return home
    from platformdirs import user_config_path

    return user_config_path("snowflake", appauthor=False)


def _read(file: Path) -> dict[str, Any]:
    then = "snow connection list says whether Snowflake's own tool reads it"
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"it cannot be read: {error.strerror}"
        raise DocumentError(what, where=str(file), then=then) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # what the parser shows of the text around the fault may be a password
        place = str(error).rpartition(" (at ")[2].rstrip(")") if " (at " in str(error) else "somewhere"
        raise DocumentError(f"it is no TOML, {place}", where=str(file), then=then) from None


def _expect_texts(held: Mapping[str, Any], name: str, file: Path) -> None:
    """What the connector stumbles over, and tells in words of its own insides."""
    then = f"write it between quotes below [{name}]"
    for key in sorted(_TAKEN & held.keys() - _NO_TEXTS):
        if not isinstance(held[key], str):
            raise DocumentError(f"{key} of connection {name!r} is no text", where=str(file), then=then)
    if not held.get("account"):
        then = f'write account = "organization-account" below [{name}]'
        raise DocumentError(f"connection {name!r} does not say which account", where=str(file), then=then)


def _parameters(held: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    taken = {key: value for key, value in held.items() if key in _TAKEN}
    path = next((held[key] for key in _KEY_FILES if held.get(key)), None)
    if path:
        written = next((held[key] for key in _KEY_WORDS if held.get(key)), None)
        taken |= key_parameters(str(path), variables)
        taken |= {"private_key_file_pwd": str(written)} if written else {}
        taken.setdefault("authenticator", "SNOWFLAKE_JWT")
    return taken
