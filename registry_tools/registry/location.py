"""A registry's root as people write it in, the registry out: `s3://bucket/prefix`, `file:///path` or a directory."""

from pathlib import Path
from urllib.parse import urlsplit

from registry_tools.errors import UsageError
from registry_tools.registry.cache import Cache
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store


def open_registry(root: str, *, cache: Cache | None = None, offline: bool = False) -> Registry:
    """The registry at `root`; nothing is read or written yet. Raises UsageError for a root that is neither."""
    return Registry(_store(root), cache=cache, offline=offline)


def _store(root: str) -> ObjectStore:
    parts = urlsplit(root)
    if parts.scheme == "s3" and parts.netloc:
        return S3Store(parts.netloc, parts.path)
    if parts.scheme == "file" and parts.path:
        return DirectoryStore(Path(parts.path))
    if not parts.scheme and root:
        return DirectoryStore(Path(root))
    raise UsageError(f"{root!r} is no registry", then="use s3://bucket/prefix, or a directory such as .mesh/registry")
