"""Two interfaces of one project and what others read of it in, the reads that would find nothing any more out."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry_tools.mesh.interface import Interface
from registry_tools.mesh.usage import Read, Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class LostRead:
    """A node of `consumer` that reads a public model which would be gone."""

    consumer: str
    read: Read

    def __str__(self) -> str:
        version = f".v{self.read.version}" if self.read.version else ""
        return f"{self.read.upstream}.{self.read.model}{version}  read by  {self.consumer}  {self.read.node}"


def lost_reads(before: Interface, after: Interface, usages: Iterable[Usage]) -> tuple[LostRead, ...]:
    """The reads of what `before` has and `after` has not, sorted; what is missing already is not told again."""
    lost = _names(before) - _names(after)
    found = {
        (usage.project, read)
        for usage in usages
        for read in usage.reads
        if read.upstream == before.project and (read.model, read.version) in lost
    }
    return tuple(LostRead(consumer=consumer, read=read) for consumer, read in sorted(found))


def _names(interface: Interface) -> set[tuple[str, str]]:
    """Each model by name and version, and by its name alone, which is how the latest version is read."""
    versions = {(model.name, "" if model.version is None else str(model.version)) for model in interface.models}
    return versions | {(model.name, "") for model in interface.models}
