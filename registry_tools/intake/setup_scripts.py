"""The folder of mesh.yml in, the SQL files that set its Snowflake account up out, in the order of their numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes

FOLDER: Final = "snowflake_setup"
_NUMBERED: Final = "[0-9][0-9]_*.sql"
_REMEDY: Final = "mesh render writes these files from mesh.yml"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetupScript:
    """One SQL file, by the name that people know it by."""

    name: str
    text: str


def read_scripts(root: Path, named: Sequence[Path] = ()) -> tuple[SetupScript, ...]:
    """The numbered files below `root`, or those that are named instead. Raises DocumentError for none, or a bad one."""
    folder = root / FOLDER
    files = tuple(named) or tuple(sorted(folder.glob(_NUMBERED)))
    if not files:
        raise DocumentError("there is no numbered SQL file", where=str(folder), then=_REMEDY)
    return tuple(SetupScript(name=_name(file, folder), text=_text(file)) for file in files)


def _name(file: Path, folder: Path) -> str:
    return file.name if file.parent == folder else str(file)


def _text(file: Path) -> str:
    try:
        return read_bytes(file, noun="the SQL file", then=_REMEDY).decode()
    except UnicodeDecodeError:
        raise DocumentError("the SQL file is not UTF-8", where=str(file), then=_REMEDY) from None
