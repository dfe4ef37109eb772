"""Names as they come from files and flags in, the same names proven fit for keys, paths and YAML out."""

import re
from typing import Final

from registry_tools.errors import UsageError

# A leading underscore is the registry's own (`_edges`, `_private`); the rest is what dbt accepts for a project.
_PROJECT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_ENVIRONMENT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_PUBLICATION: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}")
# dbt takes a model's name from its file; we leave out what YAML, Jinja, SQL or a path could read as more than a name.
_MODEL: Final = re.compile(r"\w[\w.$ -]{0,254}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# Names that cannot be files on Windows, where a registry directory or a checkout may live.
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


def project_name(text: str, *, where: str | None = None) -> str:
    """`text`, a dbt project's name that is safe as a key and as a folder. Raises UsageError."""
    return _checked(text, _PROJECT, "a project name", "a letter, then letters, digits and underscores", where)


def environment_name(text: str, *, where: str | None = None) -> str:
    """`text`, an environment's name that is safe as a key and as a folder. Raises UsageError."""
    return _checked(text, _ENVIRONMENT, "an environment", "lower-case letters, digits, '-' and '_'", where)


def publication_id(text: str, *, where: str | None = None) -> str:
    """`text`, an id of the form 20260123T064541Z-0123456789ab. Raises UsageError."""
    return _checked(text, _PUBLICATION, "a publication id", "a time and twelve hexadecimal digits", where)


def model_name(text: str, *, where: str | None = None) -> str:
    """`text`, a model's name without quotes, braces, slashes or line breaks. Raises UsageError."""
    return _checked(text, _MODEL, "a model name", "letters, digits, '_', '.', '$', '-' and spaces", where)


def sha256(text: str, *, where: str | None = None) -> str:
    """`text`, a digest of 64 hexadecimal digits. Raises UsageError."""
    return _checked(text, _SHA256, "a sha256", "64 hexadecimal digits", where)


def _checked(text: str, pattern: re.Pattern[str], noun: str, rule: str, where: str | None) -> str:
    if pattern.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    shown = text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004  # one line of a terminal
    raise UsageError(f"{shown!r} is not {noun}", where=where, then=f"use {rule}")
