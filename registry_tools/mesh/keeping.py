"""How a public model is built, as far as the grants on it outlive it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """A model by the name that readers know, its materialization, the language that it is written in, and whether
    `copy_grants` is set.
    """

    label: str
    materialized: str
    copies: bool
    language: str = "sql"
