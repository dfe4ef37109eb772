"""A change of an upstream's column and what consumers make of it in, what it does to those who read that out.

A column that a `*` passes on comes and goes with the one that it is: the change is the same change there. One that is
computed stays, and holds something else.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from registry_tools.checks.effects import MADE_OF, Force, Found
from registry_tools.checks.readership import Consumption, Reached, Readership
from registry_tools.mesh.usage import EVERY, Passed
from registry_tools.mesh.verdict import Classified


class Wave(NamedTuple):
    """What goes on: the change with its force, None where nobody knows; the column, None for any.

    It is the `same` change until a column is computed of it; what `arrives` is new to every `*`. One that is `mild`
    does nothing to what is computed.
    """

    force: Force | None
    column: str | None = None
    same: bool = False
    arrives: bool = False
    mild: bool = False

    def through(self, passed: Passed) -> "Wave | None":
        """What is left of it behind a column that is passed on."""
        if self.force is None or {passed.column, passed.column_here} & set(EVERY):
            return _BLIND
        if self.arrives:
            return self if passed.whole else None
        if self.column is not None and passed.column.casefold() != self.column.casefold():
            return None
        if passed.whole and self.same:
            return self._replace(column=passed.column_here)
        return None if self.mild else Wave(MADE_OF, passed.column_here)


_BLIND: Final = Wave(None)


def wave_of(change: Classified, force: Force) -> Wave:
    """A change of columns as it goes on."""
    arrives = change.change.column is None or change.change.rule == "column-added"
    return Wave(force, change.change.column, same=True, arrives=arrives, mild=change.kind == "SAFE")


def lost_wave() -> Wave:
    """A model that is gone: whatever is made of any of its columns is built no more."""
    return Wave(MADE_OF)


class _Shore(NamedTuple):
    """Where a wave has come to: a consumer's public model, and the way back from there."""

    by: Consumption
    into: str
    wave: Wave
    through: tuple[str, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it another one; a second way to the same place tells nothing new."""
        return (
            *(self.by.consumer, self.by.environment, self.into),
            *(self.wave.column, self.wave.same, self.wave.force is None),
        )


def passed_on(readership: Readership, label: str, wave: Wave, means: Callable[[str], bool]) -> Iterator[Reached]:
    """What the wave does beyond the consumers of the model, for those that read it by a version that `means` it.

    Of several ways to one place the shortest is told, then the first by name; circles end.
    """
    project = readership.old.interface.project
    first = [(by, passed) for by, passed in readership.passes(project, label) if means(passed.version)]
    coast = list(_shores(first, wave, ()))
    seen: set[tuple[object, ...]] = set()
    while coast:
        following: list[_Shore] = []
        for shore in sorted(coast, key=_order):
            if shore.key not in seen:
                seen.add(shore.key)
                yield from _landed(readership, shore)
                onwards = [
                    (by, passed)
                    for by, passed in readership.passes(shore.by.consumer, shore.into)
                    if by.usage.reads_from(shore.by.consumer, shore.by.environment)
                ]
                following += _shores(onwards, shore.wave, shore.through)
        coast = following


def _shores(passes: list[tuple[Consumption, Passed]], wave: Wave, through: tuple[str, ...]) -> Iterator[_Shore]:
    for by, passed in passes:
        behind = wave.through(passed)
        if behind is not None:
            name = ".".join(part for part in (by.consumer, passed.into, behind.column) if part)
            yield _Shore(by, passed.into, behind, (name, *through))


def _order(shore: _Shore) -> tuple[object, ...]:
    return shore.through, shore.by.environment, shore.wave.same


def _landed(readership: Readership, shore: _Shore) -> Iterator[Reached]:
    columns = readership.beyond(shore.by, shore.into)
    force, column, same, *_ = shore.wave
    if force is None:
        for by, read in columns.readers:
            blind = Found(effect="UNKNOWN", rule="through", line=read.line)
            yield Reached(by, blind.at(read, shore.into, None, shore.through))
        return
    for held, spelled, takes in columns.reached(column, None):
        found = force.on(held.read, spelled, takes=takes)
        if found is not None:
            known = found if same or found.effect == "UNKNOWN" else replace(found, rule="through")
            yield Reached(held.by, known.at(held.read, shore.into, column, shore.through))
