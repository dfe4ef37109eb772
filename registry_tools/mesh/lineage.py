"""The whole mesh as one graph: projects, their public models, and who reads them through sources and refs alike."""

from collections.abc import Iterable
from dataclasses import dataclass

from registry_tools.mesh.interface import Interface
from registry_tools.mesh.usage import Read, Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One project of the mesh: what it promises, what it reads, and which upstreams it says it reads."""

    interface: Interface
    usage: Usage
    declared: tuple[str, ...]

    @property
    def project(self) -> str:
        """The project's name."""
        return self.usage.project

    def published_name(self, node: str) -> str:
        """How other projects find this node of ours in what we publish."""
        return self.usage.veiled(node, {model.unique_id for model in self.interface.models})


@dataclass(frozen=True, kw_only=True, slots=True)
class Lineage:
    """All members, in the order of mesh.yml."""

    members: tuple[Member, ...]

    def reads(self) -> Iterable[tuple[str, Read]]:
        """Every (reading project, read) of the mesh."""
        return ((member.project, read) for member in self.members for read in member.usage.reads)

    def readers_of(self, upstream: str, model: str, version: str) -> list[tuple[str, Read]]:
        """Who reads this public model or this version of it, sorted by project and node."""
        wanted = (upstream, model, version)
        return sorted((p, r) for p, r in self.reads() if (r.upstream, r.model, r.version) == wanted)
