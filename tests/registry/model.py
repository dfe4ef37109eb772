"""What a registry promises of one project's environment, as a list of states and the times of its files.

Nothing of the registry's own code is in here but the numbers of its promises: a week of grace, a day for a publisher.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

DAY: Final = 24 * 3600
FILES: Final = ("manifest.json", "usage.json.zst", "state.json.zst")
# What a publisher writes, in this order.
WRITES: Final = (*FILES, "edge", "record", "latest")


class RefusedError(Exception):
    """The registry declines, or there is no such thing any more."""


class DiedError(Exception):
    """The publisher was killed."""


@dataclass(frozen=True, kw_only=True)
class Approved:
    rule: str
    object: str
    until: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One record of the log and what holds after it. Publications are numbers, a later build has a higher one."""

    op: str
    about: int
    current: int
    since: int
    written: int
    moment: datetime
    yanked: dict[int, str] = field(default_factory=dict)
    approvals: tuple[Approved, ...] = ()
    expired: frozenset[int] = frozenset()
    horizon: int = -1


@dataclass(frozen=True, kw_only=True)
class Death:
    """A publisher dies at one of its WRITES: before it is sent, or after it was carried out."""

    at: str
    after: bool


class Model:
    """`now` is the store's clock in seconds; `files` tells for each publication's file when it was written."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.log: list[Step] = []
        self.files: dict[tuple[int, str], int] = {}
        self.plain: tuple[int, int] | None = None
        self._moment = datetime.fromisoformat("2026-01-23T07:00:00+00:00")

    # -- what is there ------------------------------------------------------------------------------------------------

    @property
    def newest(self) -> Step:
        return self.log[-1]

    @property
    def is_stale(self) -> bool:
        return bool(self.log) and self.plain != (self.newest.current, self.newest.since)

    def orphans(self) -> set[tuple[int, str]]:
        """The files that nobody can commit any more: for a day their publisher may still be at work."""
        old = (entry for entry, written in self.files.items() if self.now - written > DAY)
        return {(k, name) for k, name in old if self.published_as(k) is None}

    def published_as(self, k: int) -> int | None:
        """The number of the record that published k."""
        return next((n for n, step in enumerate(self.log, 1) if (step.op, step.about) == ("publish", k)), None)

    def given_up(self, k: int) -> int | None:
        """When k was given up."""
        return next((step.written for step in self.log if k in step.expired), None)

    def is_whole(self, k: int) -> bool:
        return all((k, name) in self.files for name in FILES)

    def moment(self) -> datetime:
        """The next moment by the writer's clock, later than every one before."""
        self._moment += timedelta(seconds=1)
        return self._moment

    def wait(self, seconds: int) -> None:
        self.now += seconds
        self._moment += timedelta(seconds=seconds)

    # -- what is done to it -------------------------------------------------------------------------------------------

    def publish(self, k: int, moment: datetime, death: Death | None) -> tuple[int, bool]:
        """The number of k's record, and whether this made it."""
        earlier = self.published_as(k)
        at_once = earlier == len(self.log) or bool(self.log and k == self.newest.current)
        if earlier and (at_once or (k <= self.newest.horizon and self.given_up(k) is None)):
            return self._told(earlier, death), False
        if self.log and (k in self.newest.yanked or k <= self.newest.horizon):
            raise RefusedError
        there = [name for name in FILES if (k, name) in self.files]
        for name in FILES:
            with_death(death, name, lambda name=name: self.files.setdefault((k, name), self.now))  # type: ignore[misc]
        if there and earlier:
            return self._told(earlier, death), False
        if any(self.now - self.files[k, name] > DAY for name in there):
            raise RefusedError
        with_death(death, "edge", lambda: None)
        n = len(self.log) + 1
        step = self._next("publish", k, moment, current=k, since=n)
        with_death(death, "record", lambda: self.log.append(step))
        return self._told(n, death), True

    def roll_back(self, n: int, moment: datetime) -> bool:
        """Whether there was anything to do; the same for the other amendments."""
        k = self.log[n - 1].current
        is_new = k != self.newest.current
        if not self.is_whole(k) or (is_new and (k in self.newest.yanked or self.given_up(k) is not None)):
            raise RefusedError
        if is_new:
            self.log.append(self._next("rollback", k, moment, current=k, since=len(self.log) + 1))
        self.refresh()
        return is_new

    def yank(self, n: int, moment: datetime, reason: str) -> bool:
        k = self.log[n - 1].current
        is_new = k not in self.newest.yanked
        if is_new and self.given_up(k) is not None:
            raise RefusedError
        if is_new:
            step = self._next("yank", k, moment)
            if k == self.newest.current:
                gone = {k, *self.newest.yanked, *(each for step in self.log for each in step.expired)}
                left = [step.current for step in self.log if step.current not in gone]
                if not left:
                    raise RefusedError
                step = replace(step, current=left[-1], since=len(self.log) + 1)
            self.log.append(replace(step, yanked={**step.yanked, k: reason}))
        self.refresh()
        return is_new

    def approve(self, approved: Approved, moment: datetime) -> bool:
        standing = self.newest.approvals
        is_new = approved not in standing
        if is_new:
            today = moment.date().isoformat()
            same = (approved.rule, approved.object)
            lasting = tuple(each for each in standing if each.until >= today and (each.rule, each.object) != same)
            step = self._next("approve", self.newest.current, moment)
            self.log.append(replace(step, approvals=(*lasting, approved)))
        self.refresh()
        return is_new

    def collect(self, keep: int, days: int, moment: datetime) -> tuple[bool, int]:
        """Whether publications were given up, and how many objects went."""
        going_files = [each for each in self.files if self._is_waste(*each)]
        published = [(n, step) for n, step in enumerate(self.log, 1) if step.op == "publish"]
        old = [s.about for _, s in published[: max(0, len(published) - keep)] if self.now - s.written >= days * DAY]
        newest = (
            published[-1][1].about if published else 0
        )  # what was built later than it may come from a clock that was wrong
        going = frozenset(k for k in old if self.given_up(k) is None and k != self.newest.current and k < newest)
        if going:
            step = self._next("expire", self.newest.current, moment)
            yanked = {k: reason for k, reason in step.yanked.items() if k not in going}
            self.log.append(replace(step, expired=going, yanked=yanked, horizon=max(*going, step.horizon)))
        for each in going_files:
            del self.files[each]
        return bool(going), len(going_files)

    def refresh(self) -> None:
        self.plain = (self.newest.current, self.newest.since)

    def _told(self, n: int, death: Death | None) -> int:
        if self.newest.current == self.log[n - 1].about and self.is_stale:
            with_death(death, "latest", self.refresh)
        return n

    def _is_waste(self, k: int, name: str) -> bool:
        if not self.log or k == self.newest.current:
            return False
        given_up = self.given_up(k)
        if given_up is not None:
            return self.now - given_up >= 7 * DAY
        return self.published_as(k) is None and self.now - self.files[k, name] >= 7 * DAY

    def _next(self, op: str, about: int, moment: datetime, **changes: int) -> Step:
        if not self.log:
            return Step(op=op, about=about, written=self.now, moment=moment, current=about, since=1)
        news = {"op": op, "about": about, "written": self.now, "moment": moment, "expired": frozenset()}
        return replace(self.newest, **{**news, **changes})  # type: ignore[arg-type]


def with_death(death: Death | None, write: str, act: Callable[[], object]) -> None:
    """Carry out a write, unless the publisher dies of it."""
    dying = death is not None and death.at == write
    if death is None or not dying or death.after:
        act()
    if dying:
        raise DiedError
