"""What a project says it reads and what it does read in, the differences out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from registry_tools.mesh.lineage import Lineage, Member


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One place where mesh.yml and a project's manifest do not agree."""

    rule: Literal["declared-unused", "used-undeclared", "unknown-model"]
    project: str
    upstream: str
    nodes: tuple[str, ...] = ()
    model: str | None = None

    def __str__(self) -> str:
        match self.rule:
            case "declared-unused":
                return f"{self.project} declares the upstream {self.upstream} and reads none of its models"
            case "used-undeclared":
                return f"{self.project} reads {self.upstream}, which mesh.yml does not declare as its upstream"
            case "unknown-model":
                return f"{self.project} reads {self.upstream}.{self.model}, which {self.upstream} does not make public"

    @property
    def then(self) -> str:
        """What to do about it."""
        match self.rule:
            case "declared-unused":
                return f"remove projects.{self.project}.upstreams.{self.upstream} from mesh.yml, or use it"
            case "used-undeclared":
                return f"add {self.upstream} to projects.{self.project}.upstreams in mesh.yml"
            case "unknown-model":
                return f"run mesh sync in {self.project}, and read a model that {self.upstream} publishes"


def check_declarations(lineage: Lineage) -> tuple[Finding, ...]:
    """Every upstream that is declared and not used, used and not declared, or read by a name that it does not have."""
    return tuple(finding for member in lineage.members for finding in _findings(member, lineage))


def _findings(member: Member, lineage: Lineage) -> Iterator[Finding]:
    used = set(member.usage.upstreams)
    for upstream in sorted(set(member.declared) - used):
        yield Finding(rule="declared-unused", project=member.project, upstream=upstream)
    for upstream in sorted(used - set(member.declared)):
        nodes = tuple(sorted({read.node for read in member.usage.reads if read.upstream == upstream}))
        yield Finding(rule="used-undeclared", project=member.project, upstream=upstream, nodes=nodes)
    known = {other.project: {model.name for model in other.interface.models} for other in lineage.members}
    for upstream in sorted(used & known.keys()):
        read = {read.model for read in member.usage.reads if read.upstream == upstream}
        for model in sorted(read - known[upstream]):
            nodes = tuple(sorted({r.node for r in member.usage.reads if (r.upstream, r.model) == (upstream, model)}))
            yield Finding(rule="unknown-model", project=member.project, upstream=upstream, nodes=nodes, model=model)
