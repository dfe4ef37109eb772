"""run_results.json in, the nodes that failed in that run out."""

from pathlib import Path
from typing import Final

import msgspec

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes
from registry_tools.mesh.public_model import Value

_FAILED: Final = frozenset({"error", "fail", "runtime error", "partial success"})
_REMEDY: Final = "run dbt build again, or remove the file if no run belongs to this manifest"


class _Result(Value, frozen=True):
    unique_id: str
    status: str


class _RunResults(Value, frozen=True):
    results: tuple[_Result, ...]


def read_failures(path: Path) -> tuple[str, ...]:
    """The unique_ids of nodes that failed in the run, sorted; none when there was no run (no file).

    Raises DocumentError when the file is there and is not dbt's.
    """
    if not path.exists():
        return ()
    raw = read_bytes(path, noun="dbt's run_results", then=_REMEDY)
    try:
        run = msgspec.json.decode(raw, type=_RunResults)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"not dbt's run_results: {error}", where=str(path), then=_REMEDY) from None
    return tuple(sorted(result.unique_id for result in run.results if result.status in _FAILED))
