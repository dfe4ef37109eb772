"""A manifest.json in, what --defer looks at in it out: state/manifest.json as well as the manifest of today."""

from pathlib import Path
from typing import Any, Final

import msgspec

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes
from registry_tools.intake.manifest import collector_off
from registry_tools.mesh.deferral import Node, Nodes, Origin
from registry_tools.mesh.public_model import Value

# Where mesh sync writes it, below the project's folder.
STATE: Final = "state/manifest.json"


class _Metadata(Value, frozen=True):
    project_name: str | None = None
    adapter_type: str | None = None
    generated_at: str | None = None
    mesh: Any = None


class _Document(Value, frozen=True):
    metadata: _Metadata
    nodes: dict[str, Node]
    sources: dict[str, Node] = msgspec.field(default_factory=dict)
    functions: dict[str, Node] = msgspec.field(default_factory=dict)


# Made once and here, because callers may run in threads (see mesh.interface).
_DECODER: Final = msgspec.json.Decoder(_Document)


def read_nodes(path: Path, *, noun: str, then: str) -> Nodes:
    """The manifest at `path`. Raises DocumentError saying what it should be (`noun`) and how to get it (`then`)."""
    content = read_bytes(path, noun=noun, then=then)
    try:
        with collector_off():
            document = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"no dbt manifest: {error}", where=str(path), then=then) from None
    metadata = document.metadata
    return Nodes(
        project=metadata.project_name,
        adapter=metadata.adapter_type,
        generated_at=metadata.generated_at,
        origin=_origin(metadata.mesh),
        nodes=document.nodes | document.functions,
        sources=document.sources,
    )


def _origin(mark: Any) -> Origin | None:  # noqa: ANN401  # what stands in a file
    match mark:
        case {"written_by": "mesh sync", "upstreams": dict(upstreams), **rest}:
            publication = rest.get("publication")
            return Origin(
                publication=publication if isinstance(publication, str) else None,
                upstreams={str(name): str(digest) for name, digest in upstreams.items()},
            )
        case _:
            return None
