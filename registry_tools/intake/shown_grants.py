"""A file of what an account held in, the answers or the account that stand in it out.

Accepted are what `mesh snowflake snapshot` writes, and what `snow sql --format json` prints of the statements that
`mesh grants plan --questions` names: a list of rows for one statement, a list of such lists for several. An empty list
is an account in which nothing was set up yet.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes
from registry_tools.mesh.account import Account
from registry_tools.mesh.account_document import read_account

THEN: Final = "write it with mesh snowflake snapshot, or give what mesh grants plan --questions prints to snow sql"


def read_shown_grants(path: Path) -> Account | list[list[dict[str, object]]]:
    """The account, or answers: their rows, with the columns in lower case. Raises DocumentError for anything else."""
    raw = read_bytes(path, noun="the file of grants", then=THEN)
    try:
        document: Any = msgspec.json.decode(raw)
        return read_account(raw).account if isinstance(document, dict) else list(_answers(document))
    except msgspec.ValidationError as error:
        raise DocumentError(f"no snapshot of an account: {error}", where=str(path), then=THEN) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(f"no JSON: {error}", where=str(path), then=THEN) from None
    except ValueError as error:
        raise DocumentError(str(error), where=str(path), then=THEN) from None


def _answers(document: Any) -> Iterator[list[dict[str, object]]]:  # noqa: ANN401  # whatever JSON holds
    """Each list of rows; rows that stand beside each other are one answer."""
    match document:
        case []:
            yield []
        case [*entries] if all(isinstance(entry, dict) for entry in entries):
            yield [_row(entry) for entry in entries]
        case [*entries]:
            for entry in entries:
                yield from _answers([entry] if isinstance(entry, dict) else entry)
        case other:
            raise ValueError(f"{other!r:.40} is no row of an answer")


def _row(entry: dict[str, object]) -> dict[str, object]:
    return {column.lower(): value for column, value in entry.items()}
