"""A candidate interface and the registry in, the verdict on it out: the one question that check and publish ask.

It stands between the tasks, which never call each other, and the rooms, which do not know each other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.decision import Question, decide
from registry_tools.checks.impact import impacts
from registry_tools.checks.modes import Modes
from registry_tools.checks.readership import Consumption, Readership
from registry_tools.errors import UsageError
from registry_tools.mesh.impact import Impact
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.progress import Told, unheard
from registry_tools.mesh.publication import Approval, Record
from registry_tools.mesh.selector import Selector
from registry_tools.mesh.verdict import Classified, Reach, Unknown, Verdict
from registry_tools.registry.consumers import Consumer, consumers_beyond
from registry_tools.registry.publications import Registry

CANDIDATE: Final = "this project"

# Whom to talk to (team, contact), by project.
Owners = Mapping[str, Mapping[str, str]]
# Asked to look at a consumer more closely than what it said of itself: see tasks.check_changes.
Verify = Callable[[Consumption, Interface, Interface], Consumption]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """On what terms a candidate may take the place of what is published: the modes, whose usage counts, and what is
    done about what nobody knows. `approvals` are those of the record that is asked about, where none are given;
    `owners` those of mesh.yml, which knows better than what consumers published. `told` hears how many consumers
    have been read, and of how many.
    """

    modes: Modes = field(default_factory=Modes)
    reach: Reach = "current"
    unknown: Unknown = "refuse"
    approvals: tuple[Approval, ...] | None = None
    owners: Owners = field(default_factory=dict)
    told: Told = unheard
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessed:
    """A verdict, and the publications of the consumers on which it rests."""

    verdict: Verdict
    seen: frozenset[str] = frozenset()


def assess(
    registry: Registry,
    candidate: Interface,
    environment: str,
    record: Record,
    terms: Terms,
    verify: Verify | None = None,
) -> Assessed:
    """The verdict on publishing `candidate` in the place of what `record` makes current.

    Consumers are read only where something changed.
    """
    old, publication = registry.interface(candidate.project, environment, record)
    changes = compare(old, candidate)
    consumers = _consumers(registry, old.project, environment, terms.told) if changes else ()
    consumptions = [_consumption(one, terms.owners) for one in consumers]
    if verify is not None:
        consumptions = [verify(one, old, candidate) for one in consumptions]
    readership = Readership(old, candidate, consumptions, publication.id)
    found = [(one, impacts(one, readership)) for one in classified(changes, old, candidate)]
    if terms.reach == "supported":
        found = list(_with_pinned(registry, readership, found, environment))
    question = Question(
        environment=environment,
        names=(str(publication), CANDIDATE),
        old=old,
        new=candidate,
        found=found,
        readers=readership.readers(),
        today=terms.today,
        modes=terms.modes,
        approvals=terms.approvals if terms.approvals is not None else record.approvals,
        unknown=terms.unknown,
    )
    return Assessed(verdict=decide(question), seen=frozenset(str(one.publication) for one in consumers))


_Found = tuple[Classified, tuple[Impact, ...]]


def _with_pinned(
    registry: Registry, readership: Readership, found: Sequence[_Found], environment: str
) -> Iterator[_Found]:
    """The same, and what those who pin another publication would meet on their longer way to the new interface."""
    known = {(one.change.rule, one.change.object) for one, _ in found}
    further: dict[tuple[str, str], _Found] = {}
    new, project = readership.new.interface, readership.old.interface.project
    behind = [by for by in readership.consumptions if readership.is_behind(by)]
    for pin in sorted({by.usage.pins[project] for by in behind}):
        old = _pinned(registry, project, environment, pin)
        if old is None:
            continue
        theirs = Readership(old, new, [by for by in behind if by.usage.pins[project] == pin])
        for one in classified(compare(old, new), old, new):
            key = (one.change.rule, one.change.object)
            if key not in known and (reached := impacts(one, theirs)):
                told = tuple(_as_pinned(impact, pin) for impact in reached)
                further[key] = (one, (*further.get(key, (one, ()))[1], *told))
    yield from found
    yield from further.values()


def _pinned(registry: Registry, project: str, environment: str, publication: str) -> Interface | None:
    """The interface of a publication; None where it is no longer kept, or stands in another environment."""
    try:
        selected = Selector(project=project, environment=environment, publication=publication)
        return registry.interface(project, environment, registry.resolve(selected).record)[0]
    except UsageError:
        return None


def _as_pinned(impact: Impact, pin: str) -> Impact:
    reasons = tuple(replace(each, told=f"{each.told}; pinned to {pin}".removeprefix("; ")) for each in impact.reasons)
    return replace(impact, reasons=reasons)


def readership_of(registry: Registry, old: Interface, new: Interface, environment: str, owners: Owners) -> Readership:
    """What everybody reads of the project of `old` as it is published in `environment`, and of each other."""
    consumers = _consumers(registry, old.project, environment, unheard)
    return Readership(old, new, [_consumption(one, owners) for one in consumers])


def _consumers(registry: Registry, project: str, environment: str, told: Told) -> tuple[Consumer, ...]:
    """Who reads the project in this environment, or whoever reads it, in any environment of theirs."""
    return tuple(
        one
        for one in consumers_beyond(registry, project, told)
        if one.publication.project != project and one.usage.reads_from(project, environment)
    )


def _consumption(consumer: Consumer, owners: Owners) -> Consumption:
    publication = consumer.publication
    return Consumption(
        consumer=publication.project,
        environment=publication.environment,
        usage=consumer.usage,
        owner=owners.get(publication.project, {}),
    )
