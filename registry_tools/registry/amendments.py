"""A registry and what to change of a log in, the record that changes it out: rollback, yank, approve.

None of them uploads anything. Each is a record like any other: it is built upon the newest one, judged again when
somebody else was faster, and asking for what holds already changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from registry_tools.errors import Refusal
from registry_tools.mesh.publication import Actor, Approval, Operation, Publication, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry.log import Entry, Log
from registry_tools.registry.publications import Registry

# Gets what readers have now and what they would have, and raises to decline.
Check = Callable[[Record, Record], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Amendment:
    """Who changes the log of one project and environment, when, and why."""

    project: str
    environment: str
    actor: Actor
    time: str
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amended:
    """What readers get after it, and whether this call did it."""

    publication: Publication
    record: Record
    is_new: bool


def roll_back(registry: Registry, amendment: Amendment, target: Selector, check: Check) -> Amended:
    """Make the selected publication current again. Raises Refusal when it was yanked or given up since.

    `check` is asked before, and its files are read, so that readers are never led to something that is not there.
    """
    wanted = registry.resolve(target).record
    _expect_there(registry, amendment, wanted)
    log = registry.log(amendment.project, amendment.environment)

    def make(newest: Entry) -> Record | None:
        record = newest.record
        if record.current == wanted.current:
            return None
        if wanted.current in record.yanked:
            what = f"{target} was yanked: {record.yanked[wanted.current]}"
            raise Refusal(what, where=log.place(record.n), then=_choose(amendment))
        _expect_kept(log, newest, wanted, _choose(amendment))
        after = _upon(newest, amendment, "rollback", wanted.current, onto=wanted)
        check(record, after)
        return after

    return _amend(registry, amendment, make)


def yank(registry: Registry, amendment: Amendment, target: Selector, check: Check) -> Amended:
    """Withdraw the selected publication: nobody gets it any more who has not pinned it.

    When it is the current one, readers get what they had before it. Raises Refusal when there was nothing before it,
    and for what was given up and nobody gets anyway.
    """
    selected = registry.resolve(target).record
    wanted = selected.current
    log = registry.log(amendment.project, amendment.environment)

    def make(newest: Entry) -> Record | None:
        record = newest.record
        if wanted in record.yanked:
            return None
        _expect_kept(log, newest, selected, _choose(amendment))
        yanked = record.yanked | {wanted: amendment.reason or ""}
        fallback = _before(log, newest, yanked, amendment) if record.current == wanted else None
        after = msgspec.structs.replace(_upon(newest, amendment, "yank", wanted, onto=fallback), yanked=yanked)
        if fallback is not None:
            _expect_there(registry, amendment, fallback)
            check(record, after)
        return after

    return _amend(registry, amendment, make)


def approve(registry: Registry, amendment: Amendment, approval: Approval) -> Amended:
    """Allow a change that a rule forbids, until the approval's day. Approvals that have run out leave the list."""

    def make(newest: Entry) -> Record | None:
        standing = newest.record.approvals
        if approval in standing:
            return None
        lasting = [one for one in standing if one.until >= amendment.time[:10]]
        others = [one for one in lasting if (one.rule, one.object) != (approval.rule, approval.object)]
        after = _upon(newest, amendment, "approve", newest.record.current, onto=None)
        return msgspec.structs.replace(after, approvals=(*others, approval))

    return _amend(registry, amendment, make)


def _amend(registry: Registry, amendment: Amendment, make: Callable[[Entry], Record | None]) -> Amended:
    project, environment = amendment.project, amendment.environment
    base = registry.resolve(Selector(project=project, environment=environment))
    entry, mine = registry.log(project, environment).append(base, lambda newest: make(newest or base))
    record = (entry or base).record
    registry.bring_latest(project, environment, record)
    return Amended(publication=record.publication_in(project, environment), record=record, is_new=mine)


def _upon(newest: Entry, amendment: Amendment, op: Operation, publication: str, *, onto: Record | None) -> Record:
    """The next record: readers get what `onto` made current, or what they have where it is None."""
    moved: dict[str, Any] = {}
    if onto is not None:
        moved = {"current": onto.current, "digest": onto.digest, "files": onto.files, "since": None}
    reason = amendment.reason
    return newest.followed_by(op, publication, amendment.actor, amendment.time, reason=reason, **moved)


def _before(log: Log, newest: Entry, yanked: dict[str, str], amendment: Amendment) -> Record:
    """What readers had before what they have, less what was withdrawn or given up."""
    gone = set(yanked)
    for entry in log.entries(newest):
        if entry.record.current not in gone:
            return entry.record
        gone |= set(entry.record.expired)
    raise Refusal(
        f"{amendment.project}@{amendment.environment} has no other publication that readers could get",
        where=log.place(newest.record.n),
        then="publish a mended build first, then yank this one",
    )


def _expect_there(registry: Registry, amendment: Amendment, wanted: Record) -> None:
    """Read every file from the store: what this machine's cache has is no help to other readers."""
    uncached = Registry(registry.store, clock=registry.clock)
    for file in wanted.files:
        uncached.file(amendment.project, amendment.environment, wanted, file)


def _expect_kept(log: Log, newest: Entry, wanted: Record, then: str) -> None:
    given_up = log.expiry(newest, wanted.current, wanted.n)
    if given_up is not None:
        what = f"{wanted.current} is no longer kept since {given_up.time[:10]}"
        raise Refusal(what, where=log.place(given_up.n), then=then)


def _choose(amendment: Amendment) -> str:
    return f"mesh history {amendment.project}@{amendment.environment} shows which publications there are"
