"""mesh.lock in, the lock out; a lock that is not there is an empty one."""

from pathlib import Path
from typing import Final

from registry_tools.errors import DocumentError, MeshError
from registry_tools.intake.documents import read_bytes, read_yaml
from registry_tools.mesh.lock import Lock

LOCK: Final = "mesh.lock"
_REMEDY: Final = "delete mesh.lock and run mesh sync"


def read_lock(path: Path) -> Lock:
    """The lock at `path`. Raises DocumentError naming the key that is wrong, or the merge that is not finished."""
    if not path.exists():
        return Lock()
    if b"\n<<<<<<< " in b"\n" + read_bytes(path, noun="the lock", then=_REMEDY):
        raise DocumentError(
            "it holds both sides of a merge",
            where=str(path),
            then="delete mesh.lock and run mesh sync, or settle the merge by hand",
        )
    document = read_yaml(path, noun="the lock", then=_REMEDY)
    try:
        return Lock.from_dict(document)
    except MeshError as error:
        then = error.then if error.then.startswith("update") else _REMEDY
        place = f"{path}: {error.where}" if error.where else str(path)
        raise DocumentError(error.what, where=place, then=then) from None
