"""A project's own published manifest and its upstreams' interfaces in, the state for `dbt build --defer` out.

dbt defers models, seeds and snapshots whose unique_id stands in one state manifest, and never a source
(dbt-core, Manifest.merge_from_artifact). So the state has to be the project's own; the upstream models in it, which
dbt-loom put there when the project was published, are brought to where upstream has them now.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from registry_tools.mesh.interface import Interface


def deferral_state(
    project: str,
    adapter: str,
    own: bytes | None,
    upstreams: Iterable[Interface],
    kept: Mapping[str, Raw] | None = None,
) -> bytes:
    """A dbt manifest: `own`, the whole manifest as last published, with the upstreams as they are now.

    Before the first publication `own` is None, and the upstreams are all that there is to defer to. `kept` are the
    nodes of upstreams that were not read this time. Raises msgspec.DecodeError when `own` is no manifest.
    """
    if own is None:
        document: dict[str, Any] = Interface(project=project, adapter=adapter).to_manifest({"written_by": "mesh sync"})
    else:
        document = msgspec.json.decode(own, type=dict[str, Raw])
        document["nodes"] = msgspec.json.decode(document["nodes"], type=dict[str, Raw])
    nodes: dict[str, Any] = document["nodes"] | dict(kept or {})
    for interface in upstreams:
        theirs = f"model.{interface.project}."
        nodes = {unique_id: node for unique_id, node in nodes.items() if not unique_id.startswith(theirs)}
        nodes |= {unique_id: _located(node) for unique_id, node in interface.to_manifest({})["nodes"].items()}
    return msgspec.json.encode(document | {"nodes": nodes})


def _located(node: dict[str, Any]) -> dict[str, Any]:
    """The node with its place and without its promises.

    dbt compares the state's contracts with those of today's manifest, where dbt-loom puts upstream models without any,
    and stops `state:modified` at what looks to it like a contract that was dropped (dbt-core, ModelNode.same_contract).
    """
    return node | {"contract": {"enforced": False}, "columns": {}, "constraints": []}
