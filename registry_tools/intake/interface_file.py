"""A file in, the interface that it holds out: what dbt wrote into target/, or what was published."""

from pathlib import Path
from typing import Any, Final

import msgspec

from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.documents import read_bytes
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.public_model import Value

_REMEDY: Final = "name a manifest that dbt wrote, or an interface in the registry: dbt_up@prod"


class _Metadata(Value, frozen=True):
    mesh: Any = None


class _Probe(Value, frozen=True):
    metadata: _Metadata


# Made once and here, because callers may run in threads (see mesh.interface).
_DECODER: Final = msgspec.json.Decoder(_Probe)


def read_interface_file(path: Path) -> Interface:
    """The interface in `path`. Raises DocumentError when the file is neither a manifest nor a whole interface."""
    content = read_bytes(path, noun="the manifest", then="run dbt build in the project, or name another file")
    if not _is_published(content):
        return extract_interface(read_manifest(path))
    try:
        interface, facts = read_interface(content)
        interface.checked()
    except (ValueError, RecursionError, UsageError) as error:
        what = error.what if isinstance(error, UsageError) else str(error)
        raise DocumentError(f"not an interface: {what}", where=str(path), then=_REMEDY) from None
    if facts.get("digest", interface.digest) != interface.digest:
        # dbt-loom's file, for one: it leaves the columns out, which would all look removed
        raise DocumentError("not the whole interface that was published", where=str(path), then=_REMEDY)
    return interface


def _is_published(content: bytes) -> bool:
    """Whether the document says that this mesh wrote it; whatever else is wrong with it, its reader says."""
    try:
        return _DECODER.decode(content).metadata.mesh is not None
    except (ValueError, RecursionError):
        return False
