"""A session and a database in, its schemas as SHOW tells of them out."""

from datetime import UTC, datetime
from typing import Final

from registry_tools.account import shown
from registry_tools.account.session import Session
from registry_tools.mesh.account import Securable, spelled
from registry_tools.mesh.leftovers import FoundSchema

_CREATED: Final = "created_on"


def schemas_in(session: Session, database: str) -> tuple[FoundSchema, ...]:
    """Those that the current role sees, 10,000 at most (SHOW SCHEMAS, Usage notes). Raises AccountError."""
    return tuple(
        FoundSchema(
            schema=Securable("SCHEMA", (database, shown.text(row, "name"))),
            owner=shown.owner(row, database),
            created=_created(row),
        )
        for row in session.run(f"show schemas in database {spelled(database)}")
    )


def _created(row: shown.Row) -> datetime | None:
    """When it was created; a time without a zone is UTC."""
    told = row.get(_CREATED)
    if not isinstance(told, datetime):
        try:
            told = datetime.fromisoformat(shown.text(row, _CREATED))
        except ValueError:
            return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
