"""A classified change and what consumers read in, what the change does to each of them out.

A consumer that a change does not reach has no impact. What consumers build of a column and publish themselves is
followed to those who read that (checks.passing).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from registry_tools.checks.classes import classified as classify
from registry_tools.checks.comparison import compare
from registry_tools.checks.effects import Force, Found, force_of
from registry_tools.checks.passing import lost_wave, passed_on, wave_of
from registry_tools.checks.readership import Consumption, Held, Reached, Readership, owner_of
from registry_tools.mesh.audience import audience_of
from registry_tools.mesh.impact import EFFECTS, Effect, Impact, Reason
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.verdict import Classified

# A name means another model: what that does is what lies between the two.
_MOVED: Final = ("latest-version-moved", "model-versioned", "model-unversioned")
# No longer public, or ephemeral: it stands there, and nobody else can read it.
_UNREADABLE: Final = ("M02", "M07")
_REMOVED: Final = ("model-removed", "version-removed")


def impacts(change: Classified, readership: Readership) -> tuple[Impact, ...]:
    """What the change does to every consumer that it reaches, the worst first, then by consumer and environment."""
    found: dict[tuple[str, str], tuple[set[Reason], list[Consumption]]] = defaultdict(lambda: (set(), []))
    for by, reason in (*_reached(change, readership), *_failed(change, readership)):
        reasons, consumptions = found[by.consumer, by.environment]
        reasons.add(reason)
        consumptions.append(by)
    told = [_impact(*key, *of) for key, of in found.items()]
    return tuple(sorted(told, key=lambda each: (EFFECTS.index(each.effect), each.consumer, each.environment)))


def _impact(consumer: str, environment: str, reasons: set[Reason], consumptions: list[Consumption]) -> Impact:
    ordered = tuple(sorted(reasons, key=_rank))
    return Impact(
        consumer=consumer,
        environment=environment,
        effect=ordered[0].effect,
        reasons=ordered,
        owner=owner_of(consumptions),
    )


def _rank(reason: Reason) -> tuple[object, ...]:
    place = (reason.node, reason.model, reason.column or "", reason.path, reason.line)
    return (EFFECTS.index(reason.effect), *place, reason.rule, reason.through, reason.told)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Model:
    """A model as `old` and `new` have it, and whose reads are in question: all, or of those who take the latest."""

    readership: Readership
    old: PublicModel
    new: PublicModel | None
    latest_alone: bool = False

    @property
    def label(self) -> str:
        return self.old.label

    @property
    def reads(self) -> Iterator[Held]:
        return (held for held in self.readership.reads.get(self.label, ()) if self.means(held.read.version))

    @property
    def lost(self) -> Iterator[Held]:
        """The reads that find nothing any more."""
        return (held for held in self.reads if self.is_lost(held.read.version))

    def means(self, version: str) -> bool:
        return not (self.latest_alone and version)

    def is_lost(self, version: str) -> bool:
        return self.readership.new.find(self.old.name, version) is None


def _reached(change: Classified, readership: Readership) -> Iterator[Reached]:
    rule, label = change.change.rule, change.change.model
    if rule in _EVERYBODY:
        effect, reason = _EVERYBODY[rule]
        for known, reads in readership.reads.items():
            yield from (_at(held, known, _seen(effect, reason, held)) for held in reads)
    elif label is None:
        return
    elif rule in _MOVED:
        yield from _moved(label, readership)
    elif old := readership.old.labels.get(label):
        model = _Model(readership=readership, old=old, new=readership.new.labels.get(label))
        yield from _of_model(change, model)


# The rules of the whole project. Another platform has other names, another SQL, and may well read the same tables.
_EVERYBODY: Final[dict[str, tuple[Effect, str]]] = {
    "project-renamed": ("BROKEN", "reads-model"),
    "adapter-changed": ("UNKNOWN", "reads-relation"),
}


def _of_model(change: Classified, model: _Model) -> Iterator[Reached]:
    rule = change.change.rule
    if rule in _REMOVED or model.new is None:
        yield from _lost(model)
    elif change.code in _UNREADABLE and change.kind == "BREAKING" and rule not in _SPECIAL:
        yield from (_at(held, model.label, _seen("BROKEN", "reads-model", held)) for held in model.reads)
    elif special := _SPECIAL.get(rule):
        yield from (_at(held, model.label, found) for held in model.reads if (found := special(held, model)))
    elif force := force_of(change, model.readership.new.interface.adapter):
        yield from _by_columns(change, force, model)
    elif change.kind != "SAFE":
        yield from (_at(held, model.label, _seen("AFFECTED", "uses-model", held)) for held in model.reads)


def _at(held: Held, label: str, found: Found, column: str | None = None) -> Reached:
    return Reached(held.by, found.at(held.read, label, column))


def _seen(effect: Effect, rule: str, held: Held, told: str = "") -> Found:
    return Found(effect=effect, rule=rule, line=held.read.line, told=told)


def _lost(model: _Model) -> Iterator[Reached]:
    yield from (_at(held, model.label, _seen("BROKEN", "reads-model", held)) for held in model.lost)
    yield from passed_on(model.readership, model.label, lost_wave(), lambda p: model.means(p) and model.is_lost(p))


def _relation(held: Held, model: _Model) -> Found:
    """Who has built already reads the table under its old name until it has synced and built again, and nobody brings
    that table up to date any more.
    """
    rule = "pinned" if model.readership.is_behind(held.by) else "reads-relation"
    return _seen("AFFECTED", rule, held)


def _audience(held: Held, model: _Model) -> Found | None:
    assert model.new is not None  # noqa: S101  # for the type checker: a model that is gone is told as lost
    consumer = held.by.consumer
    if not model.new.admits(consumer):
        return _seen("BROKEN", "no-consumer", held) if model.old.admits(consumer) else None
    before, after = (_groups(each, consumer) for each in (model.old, model.new))
    if after is None or (before is not None and before <= after):
        return None
    return _seen("UNKNOWN", "no-consumer", held, f"only its groups {', '.join(sorted(after))} may read it")


def _groups(model: PublicModel, consumer: str) -> frozenset[str] | None:
    """The groups of the consumer whose nodes may read the model; None where all of them may."""
    audience = audience_of(model.meta)
    return None if audience is None else audience.groups_of(consumer)


_SPECIAL: Final[dict[str, Callable[[Held, _Model], Found | None]]] = {
    "relation-moved": _relation,
    "consumers-narrowed": _audience,
}


def _by_columns(change: Classified, force: Force, model: _Model) -> Iterator[Reached]:
    name = change.change.column
    here = model.new if change.change.rule == "column-added" else model.old
    column = here.columns.get(name) if here and name else None
    for naming in model.readership.columns(model.label).reached(name, column):
        if model.means(naming.held.read.version):
            found = force.on(naming.held.read, naming.spelled, takes=naming.takes)
            if found is not None:
                yield _at(naming.held, model.label, found, name)
    yield from passed_on(model.readership, model.label, wave_of(change, force), model.means)


def _moved(name: str, readership: Readership) -> Iterator[Reached]:
    """What lies between the old latest version and the new one, for those who name none."""
    old, new = readership.old.find(name, ""), readership.new.find(name, "")
    if old is None:
        return
    model = _Model(readership=readership, old=old, new=new, latest_alone=True)
    if new is None:
        yield from _lost(model)
        return
    for step in _between(model, new):
        for by, reason in _of_model(step, model):
            yield Reached(by, replace(reason, told=reason.told or step.says))


def _between(model: _Model, new: PublicModel) -> Iterator[Classified]:
    """The changes from the old latest version to the new one, as if it were one model that changed."""
    before, after = model.readership.old.interface, model.readership.new.interface
    same = ("unique_id", "name", "package_name", "version", "latest_version")
    as_old = msgspec.structs.replace(new, **{field: getattr(model.old, field) for field in same})
    pair = (
        Interface(project=before.project, adapter=before.adapter, models=(model.old,)),
        Interface(project=before.project, adapter=after.adapter, models=(as_old,)),
    )
    for step in classify(compare(*pair), *pair):
        # The old version's table is still brought up to date where that version stays.
        if not (step.change.rule == "relation-moved" and model.label in model.readership.new.labels):
            yield step


def _failed(change: Classified, readership: Readership) -> Iterator[Reached]:
    """The nodes that do not compile against `new`, for a change that can be why."""
    told, label = change.change, change.change.model
    if told.rule in _MOVED and label is not None:
        old = readership.old.find(label, "")
        label = old.label if old else None
    elif change.kind != "BREAKING" and told.rule != "column-added":
        return
    for by, failure in readership.failures.get(label or "", ()):
        if failure.column is None or told.column is None or failure.column.casefold() == told.column.casefold():
            yield Reached(
                by,
                Reason(
                    effect="BROKEN",
                    rule="not-compiled",
                    node=failure.node,
                    model=failure.model,
                    column=failure.column,
                    path=failure.path,
                    line=failure.line,
                    told=failure.told,
                ),
            )
