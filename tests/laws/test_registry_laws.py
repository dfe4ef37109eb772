"""Laws of a registry's life: whatever is published, taken back and collected, what is said to be kept is readable."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from registry_tools.errors import Refusal, UsageError
from registry_tools.mesh.publication import Actor, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry import layout
from registry_tools.registry.amendments import Amendment, roll_back, yank
from registry_tools.registry.collection import Retention, collect, plan_collection
from registry_tools.registry.inspection import inspect
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.patience import Clock
from registry_tools.registry.publications import Candidate, Registry
from registry_tools.tasks.show_history import show_history, show_publication
from tests.builders import candidate, interface, public_model
from tests.registry import ENVIRONMENT, PROJECT
from tests.registry.faults import Crash, Fault, FaultyStore, at

DAY = 24 * 3600
TIME = "2026-11-01T12:00:00+00:00"
PATIENT = Clock(pause=lambda _seconds: None)
WHOLE = Selector(project=PROJECT, environment=ENVIRONMENT)


def _candidate(k: int) -> Candidate:
    """The k-th build; its state tells which one it is."""
    digest = hashlib.sha256(str(k).encode()).hexdigest()[:12]
    publication = f"20260101T{k // 3600:02d}{k // 60 % 60:02d}{k % 60:02d}Z-{digest}"
    return candidate(interface(public_model(f"orders_{k % 3}")), id=publication, state=b"%d" % k, time=TIME)


@dataclass
class World:
    """A registry, the store's clock, and the bytes of everything that was ever uploaded."""

    now: float = 0.0
    builds: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore(lambda: self.now)
        self.registry = Registry(self.store, clock=PATIENT)
        self.uploaded: dict[str, bytes] = {}

    def act(self, step: Callable[[], object]) -> None:
        """One step, which may be declined; then the promise."""
        with suppress(Refusal, UsageError, Crash):
            step()
        for key in self.store.keys(""):
            if layout.publication_of(PROJECT, ENVIRONMENT, key) and (stored := self.store.get(key)):
                assert self.uploaded.setdefault(key, stored.content) == stored.content
        self.assert_kept()

    def assert_kept(self) -> None:
        """Whatever the history calls current, kept or yanked is there byte for byte, and fsck misses nothing."""
        if self.registry.newest(PROJECT, ENVIRONMENT) is None:
            return
        lines = show_history(WHOLE, self.registry)
        assert [line.fate for line in lines].count("current") >= 1
        for line in lines:
            if line.fate == "given up" or line.record.current != line.record.publication:
                continue
            chosen = Selector(project=PROJECT, environment=ENVIRONMENT, n=line.record.n)
            shown = show_publication(chosen, self.registry)
            assert shown.line.fate == line.fate
            assert shown.interface.digest == line.record.digest
            for file in line.record.files:
                key = layout.history_key(PROJECT, ENVIRONMENT, line.record.current, file)
                assert self.registry.file(PROJECT, ENVIRONMENT, line.record, file) == self.uploaded[key]
        left_by_a_crash = {"orphan", "stale-latest"}
        assert {fault.rule for fault in inspect(self.registry, PROJECT, ENVIRONMENT)} <= left_by_a_crash

    # -- the steps ----------------------------------------------------------------------------------------------------

    def build(self) -> None:
        self.builds += 1
        self.registry.publish(_candidate(self.builds), _no_check)

    def publish_again(self, k: int) -> None:
        self.registry.publish(_candidate(k % (self.builds + 1)), _no_check)

    def crash(self, part: str) -> None:
        self.builds += 1
        dying = Registry(FaultyStore(self.store, at(part, Fault.CRASH_AFTER)), clock=PATIENT)
        dying.publish(_candidate(self.builds), _no_check)

    def roll_back(self, n: int) -> None:
        roll_back(self.registry, _amendment(), self._some(n), _no_check)

    def yank(self, n: int) -> None:
        yank(self.registry, _amendment(), self._some(n), _no_check)

    def collect(self, keep: int, days: int, pinned: int | None) -> None:
        pins = [] if pinned is None else [_candidate(pinned).id]
        before = self.registry.newest(PROJECT, ENVIRONMENT)
        plan = plan_collection(self.registry, PROJECT, ENVIRONMENT, Retention(publications=keep, days=days), pins)
        assert before is None or before.record.current not in plan.give_up
        assert not set(pins) & set(plan.give_up)
        collect(self.registry, plan, Actor(), TIME)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def _some(self, n: int) -> Selector:
        newest = self.registry.newest(PROJECT, ENVIRONMENT)
        return Selector(project=PROJECT, environment=ENVIRONMENT, n=n % newest.record.n + 1 if newest else 1)


def _amendment() -> Amendment:
    return Amendment(project=PROJECT, environment=ENVIRONMENT, actor=Actor(), time=TIME, reason="law")


def _no_check(*_records: Record | None) -> None:
    pass


NUMBERS = st.integers(0, 12)
STEPS: st.SearchStrategy[tuple[str, tuple[Any, ...]]] = st.one_of(
    st.just(("build", ())),
    st.tuples(st.just("publish_again"), st.tuples(NUMBERS)),
    st.tuples(st.just("crash"), st.tuples(st.sampled_from(["/history/", "/log/", "/latest/", "_private/"]))),
    st.tuples(st.just("roll_back"), st.tuples(NUMBERS)),
    st.tuples(st.just("yank"), st.tuples(NUMBERS)),
    st.tuples(st.just("collect"), st.tuples(st.integers(1, 3), st.integers(1, 20), st.none() | NUMBERS)),
    # a store's clock may be set back as well
    st.tuples(st.just("wait"), st.tuples(st.sampled_from([-30 * DAY, -1.0, 3600.0, 1.1 * DAY, 6.9 * DAY, 40.0 * DAY]))),
)


@settings(max_examples=max(150, settings().max_examples))
@given(st.lists(STEPS, min_size=4, max_size=25))
def test_what_the_history_keeps_is_readable_byte_for_byte(steps: list[tuple[str, tuple[Any, ...]]]) -> None:
    world = World()
    for name, words in steps:
        world.act(partial(getattr(world, name), *words))
