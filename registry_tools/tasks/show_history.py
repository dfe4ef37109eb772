"""A selector in, what its log tells out: every record with what became of its publication, or one of them whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from registry_tools.mesh.interface import Interface
from registry_tools.mesh.publication import Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry.publications import Registry

Fate = Literal["current", "kept", "yanked", "given up"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A record, and what became of the publication that it is about."""

    record: Record
    fate: Fate


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One publication: the record after which readers got it, what became of it, and its interface."""

    line: Line
    interface: Interface


def show_history(selector: Selector, registry: Registry, limit: int | None = None) -> tuple[Line, ...]:
    """The records of the log, newest first, at most `limit`. Raises UsageError when nothing was published."""
    newest = registry.resolve(Selector(project=selector.project, environment=selector.environment))
    entries = registry.log(selector.project, selector.environment).entries(newest)
    return tuple(islice(_told((entry.record for entry in entries), newest.record), limit))


def show_publication(selector: Selector, registry: Registry) -> Shown:
    """What readers got then. Raises UsageError for what was never published or is no longer kept."""
    wanted = registry.resolve(selector).record
    history = show_history(selector, registry)
    gone = {name for line in history for name in line.record.expired}
    fate = _fate(wanted.current, history[0].record, gone)
    interface, _ = registry.interface(selector.project, selector.environment, wanted)
    return Shown(line=Line(record=wanted, fate=fate), interface=interface)


def _told(records: Iterable[Record], newest: Record) -> Iterator[Line]:
    """Newest first: what a record gives up comes after the records that it gives up."""
    gone: set[str] = set()
    for record in records:
        yield Line(record=record, fate=_fate(record.publication, newest, gone))
        gone |= set(record.expired)


def _fate(publication: str, newest: Record, gone: set[str]) -> Fate:
    if publication == newest.current:
        return "current"
    if publication in newest.yanked:
        return "yanked"
    return "given up" if publication in gone else "kept"
