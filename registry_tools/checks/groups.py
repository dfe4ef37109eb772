"""The nodes of a consumer with their groups in, what they read and may not out.

dbt keeps private models to their group by itself, but not with dbt-loom, which puts a rule of its own in its place: a
node that has no group at all may read everything (dbt_loom/shims.py, is_invalid_private_ref). And dbt knows nothing of
who may read a model of another project.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from registry_tools.mesh.audience import audience_of
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.upstream import SyncedUpstream
from registry_tools.mesh.usage import Usage
from registry_tools.mesh.use import Finding, Node, Place


def private_reads(nodes: Sequence[Node]) -> tuple[Finding, ...]:
    """Each node that reads a private model of this project and is not in its group, as dbt itself would refuse it."""
    private = {node.id: node for node in nodes if node.access == "private"}
    return tuple(
        Finding(
            rule="private-group",
            level="error",
            what=f"{node.id} ({_group(node)}) reads {parent}, which is private to {_group(private[parent])}",
            then=f"put it into the {_group(private[parent])}, or read a model that is not private",
            places=(Place(path=node.path),),
            model=parent.split(".", 2)[2],
        )
        for node in sorted(nodes, key=lambda node: (node.path, node.id))
        for parent in sorted(set(node.parents) & private.keys())
        if node.id != parent and (node.group is None or node.group != private[parent].group)
    )


def unlisted_groups(
    consumer: str, upstreams: Sequence[SyncedUpstream], usage: Usage | None, nodes: Sequence[Node]
) -> tuple[Finding, ...]:
    """Each node that reads a model whose owner lists other groups of this project than the node's.

    Without a manifest (`usage` is None) a note says for which models this could not be looked at.
    """
    return tuple(
        finding for synced in upstreams for finding in _unlisted(consumer, synced, usage, {n.id: n for n in nodes})
    )


def _unlisted(
    consumer: str, synced: SyncedUpstream, usage: Usage | None, nodes: Mapping[str, Node]
) -> Iterator[Finding]:
    for model in synced.published.models:
        audience = audience_of(model.meta)
        groups = audience.groups_of(consumer) if audience and consumer != model.package_name else None
        if not groups:  # all of its nodes may, or none, which is said where the model is withheld
            continue
        label = f"{synced.upstream.name}.{model.label}"
        finding = partial(Finding, rule="not-a-consumer", upstream=synced.upstream.name, model=model.label)
        listed = f"{'groups' if len(groups) > 1 else 'group'} {', '.join(sorted(groups))} of {consumer} alone"
        if usage is None:
            what = f"{label} is for the {listed}, and which nodes read it is not known without target/manifest.json"
            yield finding(level="note", what=what, then="run dbt parse", places=())
            continue
        for node in _readers(model, usage, nodes):
            if node.group not in groups:
                yield finding(
                    level="error",
                    what=f"{label} is for the {listed}, and {node.id} ({_group(node)}) reads it",
                    then=f"ask {synced.published.owner_of(model) or synced.upstream.name} to list more in its "
                    "meta.mesh.consumers, or move the node into a group that is listed",
                    places=(Place(path=node.path),),
                )


def _readers(model: PublicModel, usage: Usage, nodes: Mapping[str, Node]) -> list[Node]:
    version = "" if model.version is None else str(model.version)
    versions = {version, ""} if model.is_latest else {version}
    read = {
        read.node
        for read in usage.reads
        if (read.upstream, read.model) == (model.package_name, model.name) and read.version in versions
    }
    return sorted((nodes[name] for name in read & nodes.keys()), key=lambda node: (node.path, node.id))


def _group(node: Node) -> str:
    return f"group {node.group}" if node.group else "no group"
