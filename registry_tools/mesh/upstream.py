"""One project that another one reads: how it wants to read it, and what was read of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from registry_tools.mesh.change import Change
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.lock import Pin
from registry_tools.mesh.publication import Publication

WAYS: Final = ("sources", "loom", "package")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """`environments` is empty where the consumer's own environment decides; of several, the first in which upstream has
    published is read. `databases` and `schemas` say what this
    consumer's account calls them; `tests` repeats upstream's unique and not_null tests at the consumer.
    """

    name: str
    way: str = "sources"
    environments: tuple[str, ...] = ()
    tests: bool = False
    databases: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedUpstream:
    """One upstream as this consumer sees it: its interface with the consumer's names for databases and schemas, its
    pin, and the pin that stood in mesh.lock before.

    `passed_over` are the environments that come before the one that is read, and in which upstream has published
    nothing. `changes` is what an upgrade that was asked for changes; `yanked` is why what is pinned was withdrawn.
    """

    upstream: Upstream
    publication: Publication
    interface: Interface
    pin: Pin
    before: Pin | None
    passed_over: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    yanked: str | None = None
