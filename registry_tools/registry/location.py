"""A registry's root as people write it in, the registry out: `s3://bucket/prefix`, `file:///path` or a directory."""

from pathlib import Path
from urllib.parse import urlsplit

from registry_tools.errors import UsageError
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store


def open_registry(root: str) -> Registry:
    """The registry at `root`; nothing is read or written yet. Raises UsageError for a root that is neither."""
    parts = urlsplit(root)
    if parts.scheme == "s3" and parts.netloc:
        return Registry(S3Store(parts.netloc, parts.path))
    if parts.scheme == "file" and parts.path:
        return Registry(DirectoryStore(Path(parts.path)))
    if not parts.scheme and root:
        return Registry(DirectoryStore(Path(root)))
    raise UsageError(f"{root!r} is no registry", then="use s3://bucket/prefix, or a directory such as .mesh/registry")
