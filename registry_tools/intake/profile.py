"""dbt's profiles.yml in, the address of the Snowflake account that a project builds on out. Nobody is logged in.

Jinja is understood as far as `env_var('NAME')` and `env_var('NAME', 'default')` go, because dbt need not be installed;
whatever else a value says is left to dbt and told as such.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_yaml
from registry_tools.intake.project import FILE as PROJECT_FILE

FILE: Final = "profiles.yml"
_HTTPS: Final = 443
_MAX_PORT: Final = 65_535
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,250}[A-Za-z0-9])?")
_VARIABLE: Final = re.compile(
    r"""\{\{ \s* env_var\( \s* (['"])(?P<name>\w+)\1 \s* (?:, \s* (['"])(?P<default>[^'"]*)\3 \s*)? \)
    \s* (?:\| \s* (?:as_number|as_text|int|string) \s*)? \}\}""",
    re.VERBOSE,
)


class NotSaidError(Exception):
    """The address is not known to us, and its text says what would make it known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a project's Snowflake answers."""

    host: str
    port: int
    protocol: str

    def __str__(self) -> str:
        return f"{self.protocol}://{self.host}:{self.port}"


def find_profiles(folder: Path, given: Path | None, environment: Mapping[str, str]) -> Path:
    """The profiles.yml that dbt takes in `folder`: --profiles-dir, DBT_PROFILES_DIR, the folder itself, ~/.dbt."""
    if named := given or environment.get("DBT_PROFILES_DIR"):
        return (folder / named / FILE).resolve()
    beside = folder / FILE
    return beside if beside.exists() else Path(environment.get("HOME", "/")) / ".dbt" / FILE


def read_address(folder: Path, profiles: Path, target: str | None, environment: Mapping[str, str]) -> Address:
    """Where the project in `folder` builds. Raises DocumentError for files that are none or do not fit each other,
    NotSaidError for values that only dbt understands, variables that are not set, and other warehouses.
    """
    project = folder / PROJECT_FILE
    name = read_yaml(project, noun="a dbt project", then="name the project's folder", unique=False).get("profile")
    if not isinstance(name, str):
        raise DocumentError("'profile' is missing", where=str(project), then=f"write profile: with a name in {FILE}")
    then = f"add the profile, or name the folder of another {FILE} with --profiles-dir or DBT_PROFILES_DIR"
    document = read_yaml(profiles, noun="dbt's profiles.yml", then=then, unique=False)
    reader = _Reader(environment)
    profile = _mapping(document, name, place=name, file=profiles, then=then)
    chosen = target or environment.get("DBT_TARGET") or reader.text(profile.get("target"), "target") or "default"
    outputs = _mapping(profile, "outputs", place=f"{name}.outputs", file=profiles, then=then)
    output = _mapping(
        outputs, chosen, place=f"{name}.outputs.{chosen}", file=profiles, then=f"use --target {_either(outputs)}"
    )
    return reader.address(output)


def _mapping(within: Mapping[str, Any], key: str, *, place: str, file: Path, then: str) -> dict[str, Any]:
    found = within.get(key)
    if not isinstance(found, dict):
        raise DocumentError(
            f"'{place}' is {'missing' if found is None else 'not a mapping'}", where=str(file), then=then
        )
    return found


def _either(outputs: Mapping[str, Any]) -> str:
    return " or ".join(str(name) for name in outputs) or "a target that is there"


class _Reader:
    """Values as dbt would render them, where that needs no more than variables."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def address(self, output: Mapping[str, Any]) -> Address:
        kind = self.text(output.get("type"), "type")
        if kind != "snowflake":
            raise NotSaidError(f"the target is of type {kind!r}, not snowflake")
        host = self.text(output.get("host"), "host") or self._host(self.text(output.get("account"), "account"))
        protocol = (self.text(output.get("protocol"), "protocol") or "https").lower()
        port = self.text(output.get("port"), "port") or str(_HTTPS)
        if not _HOST.fullmatch(host) or protocol not in {"http", "https"}:
            raise NotSaidError(f"{protocol}://{host} is no address")
        if not port.isdecimal() or not 0 < int(port[:6]) <= _MAX_PORT:
            raise NotSaidError(f"'port' is {port!r}, no port")
        return Address(host=host, port=int(port), protocol=protocol)

    def text(self, value: Any, key: str) -> str | None:  # noqa: ANN401  # what a person wrote
        if value is None:
            return None
        text = str(value).strip()
        if found := _VARIABLE.fullmatch(text):
            set_to = self._environment.get(found["name"], found["default"])
            if set_to is None:
                raise NotSaidError(f"set {found['name']}")
            text = set_to
        elif "{{" in text or "{%" in text:
            raise NotSaidError(f"'{key}' is Jinja that only dbt understands; run dbt debug")
        return text

    def _host(self, account: str | None) -> str:
        if not account:
            raise NotSaidError("'account' is missing")
        _, _, region = account.partition(".")
        return f"{account}.snowflakecomputing.{'cn' if region.lower().startswith('cn-') else 'com'}"
