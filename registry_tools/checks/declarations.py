"""What a project says it reads and what it does read in, the differences out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from registry_tools.mesh.lineage import Lineage, Member

Rule = Literal["declared-unused", "used-undeclared", "unknown-model"]

# rule -> what it says, and what to do about it
_SAYS: Final[Mapping[Rule, tuple[str, str]]] = {
    "declared-unused": (
        "{project} declares the upstream {upstream} and reads none of its models",
        "remove projects.{project}.upstreams.{upstream} from mesh.yml, or use it",
    ),
    "used-undeclared": (
        "{project} reads {upstream}, which mesh.yml does not declare as its upstream",
        "add {upstream} to projects.{project}.upstreams in mesh.yml",
    ),
    "unknown-model": (
        "{project} reads {upstream}.{model}, which {upstream} does not make public",
        "run mesh sync in {project}, and read a model that {upstream} publishes",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One place where mesh.yml and a project's manifest do not agree."""

    rule: Rule
    project: str
    upstream: str
    nodes: tuple[str, ...] = ()
    model: str | None = None

    def __str__(self) -> str:
        return self._say(0)

    @property
    def then(self) -> str:
        """What to do about it."""
        return self._say(1)

    def _say(self, which: int) -> str:
        return _SAYS[self.rule][which].format(project=self.project, upstream=self.upstream, model=self.model)


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
