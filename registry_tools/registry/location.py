"""A registry's root as people write it in, the registry out: `s3://bucket/prefix`, `file:///path` or a directory."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from registry_tools.errors import UsageError
from registry_tools.registry.cache import Cache
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store
from registry_tools.registry.s3_options import S3Options

_PLAIN: Final = S3Options()


def open_registry(
    root: str, options: S3Options = _PLAIN, *, cache: Cache | None = None, offline: bool = False
) -> Registry:
    """The registry at `root`; nothing is read or written yet. Raises UsageError for a root that is neither.

    `options` say how a bucket is reached; a directory has no use for them.
    """
    return Registry(_store(root, options), cache=cache, offline=offline)


def _store(root: str, options: S3Options) -> ObjectStore:
    parts = urlsplit(root)
    if parts.scheme == "s3" and parts.netloc:
        return S3Store(parts.netloc, parts.path, options)
    if parts.scheme == "file" and parts.path:
        return DirectoryStore(Path(parts.path))
    if not parts.scheme and root:
        return DirectoryStore(Path(root))
    raise UsageError(f"{root!r} is no registry", then="use s3://bucket/prefix, or a directory such as .mesh/registry")
