"""A project's own published manifest and its upstreams' interfaces in, the state for `dbt build --defer` out.

dbt defers models, seeds and snapshots whose unique_id stands in one state manifest, and never a source
(dbt-core, Manifest.merge_from_artifact). So the state has to be the project's own; the upstream models in it, which
dbt-loom or a package of stubs put there when the project was published, are brought to where upstream has them now.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from registry_tools.mesh.interface import Interface
from registry_tools.mesh.upstream import SyncedUpstream

# Of a project that has published nothing and reads nobody, nothing says which it is.
DEFAULT_ADAPTER: Final = "snowflake"
_NONE: Final = Raw(b"{}")


def deferral_state(
    project: str,
    own: bytes | None,
    upstreams: Sequence[SyncedUpstream],
    *,
    quoting: Mapping[str, bool],
    facts: Mapping[str, Any] | None = None,
    kept: Mapping[str, Raw] | None = None,
) -> bytes:
    """A dbt manifest: `own`, the whole manifest as last published, with the upstreams as they are now.

    Before the first publication `own` is None, and the upstreams are all that there is to defer to. `quoting` says
    what this project's dbt quotes by itself; `facts` say where the state is from and stand in `metadata.mesh`, which
    dbt reads over; `kept` are the nodes of upstreams that were not read this time. Raises
    msgspec.DecodeError when `own` is no manifest.
    """
    mark = {"written_by": "mesh sync", **(facts or {})}
    if own is None:
        adapter = next((synced.interface.adapter for synced in upstreams), DEFAULT_ADAPTER)
        document: dict[str, Any] = Interface(project=project, adapter=adapter).to_manifest(mark)
    else:
        document = msgspec.json.decode(own, type=dict[str, Raw])
        document["nodes"] = msgspec.json.decode(document.get("nodes", _NONE), type=dict[str, Raw])
        if facts is not None:
            metadata = msgspec.json.decode(document.get("metadata", _NONE), type=dict[str, Raw])
            document["metadata"] = metadata | {"mesh": mark}
    nodes: dict[str, Any] = document["nodes"] | dict(kept or {})
    for synced in upstreams:
        theirs = f"model.{synced.interface.project}."
        before = {unique_id: node for unique_id, node in nodes.items() if unique_id.startswith(theirs)}
        nodes = {unique_id: node for unique_id, node in nodes.items() if unique_id not in before}
        stubs = before if synced.upstream.way == "package" else {}
        nodes |= _brought_up(synced.interface, quoting, stubs)
    return msgspec.json.encode(document | {"nodes": nodes})


def _brought_up(interface: Interface, quoting: Mapping[str, bool], stubs: Mapping[str, Any]) -> dict[str, Any]:
    """The upstream's nodes, each at its place of today.

    A stub keeps all the rest as dbt parsed it when the project was published, so that `state:modified` finds what
    upstream changed since. What dbt-loom injects has no code and no config that could be compared.
    """
    nodes: dict[str, Any] = interface.to_manifest({})["nodes"]
    for model in interface.models:
        name = model.relation(interface.adapter).spelled(quoting)
        place = {"database": name["database"] or None, "schema": name["schema"] or None, "alias": name["identifier"]}
        stub = stubs.get(model.unique_id)
        node = _unpromising(nodes[model.unique_id]) if stub is None else msgspec.json.decode(stub)
        nodes[model.unique_id] = node | place | {"relation_name": model.relation_name}
    return nodes


def _unpromising(node: dict[str, Any]) -> dict[str, Any]:
    """The node without its promises.

    dbt compares the state's contracts with those of today's manifest, where dbt-loom puts upstream models without any,
    and stops `state:modified` at what looks to it like a contract that was dropped (dbt-core, ModelNode.same_contract).
    """
    return node | {"contract": {"enforced": False}, "columns": {}, "constraints": []}
