"""One project that another one reads, and how it wants to read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

WAYS: Final = ("sources", "loom")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """`environment` is empty where the consumer's own environment decides; `databases` and `schemas` say what this
    consumer's account calls them; `tests` repeats upstream's unique and not_null tests at the consumer.
    """

    name: str
    way: str = "sources"
    environment: str | None = None
    tests: bool = False
    databases: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
