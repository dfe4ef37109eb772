"""A log and how long to keep what in, what nobody needs any more out, and then out of the store.

Two things go: orphans, which no record names because their publisher never committed, and publications that a record
of the log has given up. Both wait for the grace of seven days by the store's own clock; a publisher refuses to commit
files that are older than one. The log itself never goes.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from registry_tools.errors import IntegrityError, OutcomeUnknown
from registry_tools.mesh.publication import Actor, Record
from registry_tools.registry import layout
from registry_tools.registry.log import INTEGRITY, Entry
from registry_tools.registry.objects import ObjectFacts
from registry_tools.registry.publications import Registry, latest_number

DAY: Final = 24 * 3600
GRACE: Final = 7 * DAY
# As many as one record has room for; the next run goes on.
_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """What is kept whatever its age: the newest `publications`, and everything younger than `days`."""

    publications: int = 50
    days: int = 180


@dataclass(frozen=True, kw_only=True, slots=True)
class Waste:
    """An object that nobody needs, and why."""

    facts: ObjectFacts
    publication: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a collection would do now: publications to give up, and objects to delete."""

    project: str
    environment: str
    give_up: tuple[str, ...]
    delete: tuple[Waste, ...]
    kept: int

    @property
    def size(self) -> int:
        """Bytes that the deletions free."""
        return sum(waste.facts.size for waste in self.delete)


def plan_collection(
    registry: Registry, project: str, environment: str, retention: Retention, pinned: Collection[str] = ()
) -> Plan:
    """What could go. `pinned` are publications that consumers say they were built against; they stay.

    Raises IntegrityError when the log's chain does not hold or its end is missing: then nothing may be deleted.
    """
    standing = _files(registry, project, environment)  # before the log is read: what commits meanwhile is named by it
    entries = _entries(registry, project, environment)
    given_up = {name: entry for entry in entries for name in entry.record.expired}
    published = {e.record.publication for e in entries if e.record.op == "publish"}
    readable = _readable(entries)
    waste: list[Waste] = []
    # Without any record everything would be an orphan; a log that is only not seen must not cost what it names.
    for publication, keys in standing.items() if entries else ():
        why = _why(publication, published, given_up)
        if why is None or publication in readable:
            continue
        if publication in given_up and _age(registry, project, environment, given_up[publication]) < GRACE:
            continue
        found = (registry.store.head(key) for key in keys)
        waste += (Waste(facts=f, publication=publication, why=why) for f in found if f and _ripe(f, why))
    give_up = _to_give_up(registry, project, environment, entries, retention, {*pinned, *given_up})
    return Plan(
        project=project,
        environment=environment,
        give_up=tuple(give_up),
        delete=tuple(waste),
        kept=len(published) - len(given_up) - len(give_up),
    )


def collect(registry: Registry, plan: Plan, actor: Actor, time: str) -> tuple[Record | None, int]:
    """Record what is given up, then delete what earlier runs gave up; the record, if one was needed, and how many went.

    An object that changed since the plan stays, and so does one that was put there again with the same bytes, which
    have the same tag. Deleting is safe to repeat.
    """
    record = _record_expiry(registry, plan, actor, time) if plan.give_up else None
    gone = 0
    for waste in plan.delete:
        facts = registry.store.head(waste.facts.key)
        if facts is None or not _ripe(facts, waste.why):
            continue
        try:
            gone += registry.store.delete(waste.facts.key, waste.facts.tag)
        except OutcomeUnknown:
            gone += registry.store.head(waste.facts.key) is None
    return record, gone


def _entries(registry: Registry, project: str, environment: str) -> list[Entry]:
    """The whole log, newest first. A log that lost its end would make orphans of what it named."""
    latest = registry.store.get(layout.latest_key(project, environment))  # before the log is read, as the files are
    newest = registry.newest(project, environment)
    log = registry.log(project, environment)
    n, end = (latest and latest_number(latest.content)) or 0, newest.record.n if newest else 0
    if n > end:
        what = f"plain readers get #{n}, and the log ends at #{end}"
        raise IntegrityError(what, where=log.place(end), then=INTEGRITY)
    return list(log.entries(newest)) if newest else []


def _record_expiry(registry: Registry, plan: Plan, actor: Actor, time: str) -> Record | None:
    log = registry.log(plan.project, plan.environment)

    def make(newest: Entry | None) -> Record | None:
        if newest is None:
            return None
        entries = list(log.entries(newest))
        taken = {*_readable(entries), *(name for entry in entries for name in entry.record.expired)}
        going = tuple(name for name in plan.give_up if name not in taken)
        if not going:
            return None
        before = newest.record
        yanked = {name: reason for name, reason in before.yanked.items() if name not in going}
        horizon = max(*going, before.horizon or "")
        return newest.followed_by("expire", before.current, actor, time, yanked=yanked, expired=going, horizon=horizon)

    entry, mine = log.append(log.newest(), make)
    return entry.record if entry is not None and mine else None


def _to_give_up(
    registry: Registry,
    project: str,
    environment: str,
    entries: list[Entry],
    retention: Retention,
    staying: Collection[str],
) -> list[str]:
    publishing = [entry for entry in entries if entry.record.op == "publish"]
    readable = _readable(entries)
    old = [e for e in publishing[retention.publications :] if e.record.publication not in {*staying, *readable}]
    # Nothing is published again up to the horizon, so an id from a clock that was wrong must not become the horizon.
    old = [e for e in old if e.record.publication < publishing[0].record.publication]
    ripe = (e for e in reversed(old) if _age(registry, project, environment, e) >= retention.days * DAY)
    return [entry.record.publication for _, entry in zip(range(_AT_ONCE), ripe, strict=False)]


def _readable(entries: list[Entry]) -> set[str]:
    """What readers get now."""
    return {entries[0].record.current} if entries else set()


def _why(publication: str, published: Collection[str], given_up: Collection[str]) -> str | None:
    if publication in given_up:
        return "given up"
    return None if publication in published else "never committed"


def _ripe(facts: ObjectFacts, why: str) -> bool:
    return why == "given up" or facts.age >= GRACE


def _age(registry: Registry, project: str, environment: str, entry: Entry) -> float:
    """How long the record has been in the log, by the store's clock; a record that is gone is as good as new."""
    facts = registry.store.head(layout.log_key(project, environment, entry.record.n))
    return facts.age if facts else 0.0


def _files(registry: Registry, project: str, environment: str) -> dict[str, list[str]]:
    """The objects of each publication's id. Whatever else stands there is not ours to delete."""
    found: dict[str, list[str]] = defaultdict(list)
    for prefix in layout.history_prefixes(project, environment):
        for key in registry.store.keys(prefix):
            if publication := layout.publication_of(project, environment, key):
                found[publication].append(key)
    return dict(found)
