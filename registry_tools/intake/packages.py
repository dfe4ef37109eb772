"""A project's folder in, the local packages that its packages.yml or dependencies.yml lists out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes

# dbt reads packages from either (https://docs.getdbt.com/docs/build/packages).
FILES: Final = ("packages.yml", "dependencies.yml")
_THEN: Final = "correct it; dbt deps cannot read it either"


@dataclass(frozen=True, kw_only=True, slots=True)
class Packages:
    """The file that lists a project's packages, or would; its text; the local ones in it, by their paths."""

    path: Path
    text: str
    local: frozenset[str]


def read_packages(project: Path) -> Packages:
    """What the project lists: in dependencies.yml where that alone lists packages, else in packages.yml.

    Raises DocumentError for a file that cannot be read.
    """
    found = [_read(project / name) for name in FILES]
    return next((packages for packages, lists in found if lists), found[0][0])


def _read(path: Path) -> tuple[Packages, bool]:
    entries, text = None, ""
    if path.exists() and path.stat().st_size:
        text = _decoded(path)
        entries = _entries(path, text)
    listed = entries if isinstance(entries, list) else []
    local = [e["local"] for e in listed if isinstance(e, dict) and isinstance(e.get("local"), str)]
    return Packages(path=path, text=text, local=frozenset(map(os.path.normpath, local))), entries is not None


def _decoded(path: Path) -> str:
    try:
        return read_bytes(path, noun="the list of packages", then=_THEN).decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"the list of packages is not text: {error}", where=str(path), then=_THEN) from None


def _entries(path: Path, text: str) -> Any:  # noqa: ANN401  # what a person wrote
    import yaml

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentError(f"the list of packages is not YAML: {error}", where=str(path), then=_THEN) from None
    return document.get("packages") if isinstance(document, dict) else None
