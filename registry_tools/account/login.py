"""The SNOWFLAKE_* variables in, the parameters of a login at Snowflake's connector out; nothing is asked of anybody.

The same variables as in snowflake_setup/profiles.yml, so that whoever can build can also plan grants.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from registry_tools.errors import DocumentError, UsageError

PORT: Final = "DBT_MESH_LOCAL_WAREHOUSE_PORT"
# Where the passphrase of a private key is looked for; dbt hides from its logs what begins with DBT_ENV_SECRET_.
PASSPHRASES: Final = ("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE")
_KEY_PAIR: Final = "SNOWFLAKE_JWT"
_WORKLOAD: Final = "WORKLOAD_IDENTITY"
_BROWSER: Final = "EXTERNALBROWSER"
_PROVIDERS: Final = ("AWS", "AZURE", "GCP")  # OIDC's token lives for minutes and would have to be handed over
_WAYS: Final = (
    "SNOWFLAKE_PRIVATE_KEY_PATH=key.p8, or SNOWFLAKE_AUTHENTICATOR=workload_identity, or =externalbrowser, "
    "or --connection NAME of Snowflake's own connections.toml"
)


def login_parameters(variables: Mapping[str, str]) -> dict[str, Any]:
    """How the variables say to log in. Raises UsageError where they do not say it, DocumentError for a missing key."""
    account = variables.get("SNOWFLAKE_ACCOUNT", "")
    if not account:
        then = "export SNOWFLAKE_ACCOUNT=organization-account, or name --connection NAME, or --embedded"
        raise UsageError("nothing says which Snowflake account is meant", then=then)
    named = {
        key: variables[f"SNOWFLAKE_{key.upper()}"]
        for key in ("user", "role", "warehouse", "host")
        if variables.get(f"SNOWFLAKE_{key.upper()}")
    }
    way = _way(variables)
    if way != _WORKLOAD and "user" not in named:
        raise UsageError("nothing says who logs in", then="export SNOWFLAKE_USER=name")
    return {"account": account, "authenticator": way, **named, **_proof(way, variables)}


def embedded_parameters(variables: Mapping[str, str]) -> dict[str, Any]:
    """A login at the embedded warehouse, which asks for no proof and lets anybody be anything."""
    port = variables.get(PORT, "")
    if not port.isdecimal():
        then = "mesh local up, then source .mesh/local/env"
        raise UsageError(f"{PORT} does not say where the embedded warehouse is", where="--embedded", then=then)
    return {
        "account": "mesh",
        "protocol": "http",
        "host": "127.0.0.1",
        "port": int(port),
        "authenticator": "oauth",
        "token": "embedded",
        "user": variables.get("SNOWFLAKE_USER", "MESH"),
        "role": variables.get("SNOWFLAKE_ROLE", "ACCOUNTADMIN"),
    }


def key_parameters(path: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """The private key in a file, with the passphrase that the variables have for it."""
    file = from_home(path)
    if not file.is_file():
        then = "snowflake_setup/setup_keypair_auth.sh makes one"
        raise DocumentError("the private key is missing", where=path, then=then)
    passphrase = next((variables[name] for name in PASSPHRASES if variables.get(name)), None)
    return {"private_key_file": str(file)} | ({"private_key_file_pwd": passphrase} if passphrase else {})


def from_home(path: str) -> Path:
    """The path with a home in place of its ~; as it is where there is no such home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _way(variables: Mapping[str, str]) -> str:
    chosen = variables.get("SNOWFLAKE_AUTHENTICATOR", "").upper()
    if chosen in {"", "SNOWFLAKE"}:
        if variables.get("SNOWFLAKE_PRIVATE_KEY_PATH"):
            return _KEY_PAIR
        if variables.get("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER"):
            return _WORKLOAD
        raise UsageError("nothing proves who logs in", then=f"export {_WAYS}")
    if chosen not in {_KEY_PAIR, _WORKLOAD, _BROWSER}:
        raise UsageError(
            f"{variables['SNOWFLAKE_AUTHENTICATOR']!r} is no way to log in that variables can describe",
            where="SNOWFLAKE_AUTHENTICATOR",
            then=f"export {_WAYS}",
        )
    return chosen


def _proof(way: str, variables: Mapping[str, str]) -> dict[str, Any]:
    if way == _KEY_PAIR:
        path = variables.get("SNOWFLAKE_PRIVATE_KEY_PATH", "")
        if not path:
            raise UsageError("nothing says where the private key is", then="export SNOWFLAKE_PRIVATE_KEY_PATH=key.p8")
        return key_parameters(path, variables)
    if way == _WORKLOAD:
        provider = variables.get("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "AWS").upper()
        if provider not in _PROVIDERS:
            where = "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER"
            raise UsageError(
                f"{provider!r} vouches for nobody", where=where, then=f"use one of {', '.join(_PROVIDERS)}"
            )
        return {"workload_identity_provider": provider}
    return {}
