"""A schema in, its tables and views as SHOW tells of them out, in as many answers as that takes."""

from collections.abc import Callable, Iterator
from typing import Final

from registry_tools.account.shown import text
from registry_tools.mesh.account import Securable, quoted

# SHOW ends there and does not say that there is more (SHOW OBJECTS and SHOW GRANTS, Usage notes). Only the former has a
# way to ask for the rest.
MOST: Final = 10_000


def relations_in(
    schema: Securable, ask: Callable[[str], list[dict[str, object]]], page: int = MOST
) -> Iterator[dict[str, object]]:
    """Each row of SHOW OBJECTS. What is asked for at once is `page`, and each answer goes on after the last name."""
    after = ""
    while rows := ask(f"show objects in schema {schema.path} limit {page}{after}"):
        yield from rows
        if len(rows) < page:
            return
        after = f" from {quoted(text(rows[-1], 'name'))}"
