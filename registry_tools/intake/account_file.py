"""A file of mesh snowflake snapshot in, the account that it tells of out."""

from pathlib import Path
from typing import Final

from registry_tools.errors import DocumentError
from registry_tools.intake.documents import read_bytes
from registry_tools.mesh.account_document import Seen, read_account

_REMEDY: Final = "mesh snowflake snapshot --output account.json"


def read_account_file(path: Path) -> Seen:
    """The account in `path`. Raises DocumentError when it is not whole, or not what mesh snowflake snapshot writes."""
    content = read_bytes(path, noun="the account", then=_REMEDY)
    try:
        return read_account(content)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"not an account: {error}", where=str(path), then=_REMEDY) from None
