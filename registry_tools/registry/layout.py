"""Names of projects, environments and publications in, keys out: where everything stands below a registry's root."""

import re
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh import names

MANIFEST: Final = "manifest.json"
USAGE: Final = "usage.json.zst"
STATE: Final = "state.json.zst"
FILES: Final = (MANIFEST, USAGE, STATE)

# Record numbers count down in keys, so that one LIST of one key finds the newest of them.
_HIGHEST: Final = 999_999_999_999


def log_prefix(project: str, environment: str) -> str:
    """Below it stand the records, newest first."""
    return f"{project}/{environment}/log/"


def log_key(project: str, environment: str, n: int) -> str:
    """Where record n stands."""
    return f"{log_prefix(project, environment)}{_HIGHEST - n:012d}.json"


def number_of(log_key: str) -> int | None:
    """The record number of a log key, or None for a key that is no record's: the first record is number 1."""
    found = re.fullmatch(r"[^/]+/[^/]+/log/([0-9]{12})\.json", log_key)
    return (_HIGHEST - int(found[1]) or None) if found else None


def history_key(project: str, environment: str, publication: str, file: str) -> str:
    """Where a file of a publication stands; the owner's whole manifest apart from what everybody may read."""
    if file == STATE:
        return f"_private/{project}/{environment}/{publication}.json.zst"
    return f"{project}/{environment}/history/{publication}/{file}"


def history_prefixes(project: str, environment: str) -> tuple[str, str]:
    """Below these stand the files of publications, each below or under its id."""
    return f"{project}/{environment}/history/", f"_private/{project}/{environment}/"


def publication_of(project: str, environment: str, key: str) -> str | None:
    """The publication whose file stands at `key`, or None for a key at which none of ours can stand."""
    history, private = history_prefixes(project, environment)
    rest = key.removeprefix(history if key.startswith(history) else private)
    publication = rest.partition("/")[0].removesuffix(".json.zst")
    ours = {history_key(project, environment, publication, file) for file in FILES}
    try:
        return names.publication_id(publication) if key in ours else None
    except UsageError:
        return None


def latest_key(project: str, environment: str) -> str:
    """Where plain readers (dbt-loom, curl) find the current interface."""
    return f"{project}/{environment}/latest/manifest.json"


def edge_key(upstream: str, consumer: str) -> str:
    """The marker that `consumer` reads `upstream`."""
    return f"_edges/{upstream}/{consumer}"
