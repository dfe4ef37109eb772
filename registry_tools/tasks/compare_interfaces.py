"""Two interfaces, each in the registry or in a file, in, every change between them with its class out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.errors import UsageError
from registry_tools.intake.interface_file import read_interface_file
from registry_tools.intake.project import ProjectFolder
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.verdict import Classified
from registry_tools.registry.publications import Registry


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What leads from one interface to the other; `old` and `new` are the names by which people know the two."""

    old: str
    new: str
    changes: tuple[Classified, ...]


def compare_interfaces(
    old: Selector | Path, new: Selector | Path | ProjectFolder, registry: Callable[[], Registry]
) -> Compared:
    """The changes from `old` to `new`, BREAKING first. A folder means what it would publish now; `registry` is asked
    for selectors.

    Raises UsageError for what was never published and for a folder of another project, DocumentError for a file that
    holds no interface.
    """
    was, before = _read(old, registry)
    path = new.manifest if isinstance(new, ProjectFolder) else new
    now, after = _read(path, registry)
    if isinstance(new, ProjectFolder) and before.project != after.project:
        raise UsageError(
            f"{was} is an interface of {before.project}, and this is the manifest of {after.project}",
            where=now,
            then=f"name the folder of {before.project} with --project-dir, or both sides: mesh diff A B",
        )
    return Compared(old=was, new=now, changes=classified(compare(before, after), before, after))


def _read(side: Selector | Path, registry: Callable[[], Registry]) -> tuple[str, Interface]:
    if isinstance(side, Path):
        return str(side), read_interface_file(side)
    asked = registry()
    record = asked.resolve(side).record
    interface, publication = asked.interface(side.project, side.environment, record)
    return str(publication), interface
