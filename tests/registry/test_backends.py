"""One model against memory, a directory and S3 over HTTP: whatever is done in whatever order, all three do as the list.

How long it looks comes from the environment: MODEL_EXAMPLES and MODEL_STEPS for each store.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import SearchStrategy

from registry_tools.errors import Refusal, UsageError
from registry_tools.mesh.publication import Actor, Approval
from registry_tools.mesh.selector import Selector
from registry_tools.registry import amendments, layout
from registry_tools.registry.amendments import Amended, Amendment
from registry_tools.registry.cache import Cache
from registry_tools.registry.collection import Retention, collect, plan_collection
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.inspection import inspect, repair
from registry_tools.registry.log import Entry
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from registry_tools.registry.s3 import S3Store
from tests.registry import ENVIRONMENT, LATEST, PROJECT, killed
from tests.registry.faults import Crash, Fault, FaultyStore
from tests.registry.model import DAY, WRITES, Approved, Death, DiedError, Model, RefusedError, Step
from tests.registry.publishing import assert_sound, candidate, latest, publication_id, records
from tests.stores.aging_s3 import MODULE, put_forward
from tests.stores.local_s3 import BUCKET, aws_variables, local_s3

_PLACES: Final = {"edge": "_edges/", "record": "/log/", "latest": "/latest/"}
# No sum of them is a day or a week, so that the second that a real store takes decides nothing.
_WAITS: Final = (31_968, 97_632, 457_920, 629_856, 200 * DAY + 77)
_NEEDING_A_LOG: Final = ("roll_back", "yank", "approve", "read_by_number", "read_by_name", "read_by_date")
_DONE: Final = ("publish", "publish", "publish", "collect", "fsck", "roll_back", *_NEEDING_A_LOG)
_DIGESTS: Final = {candidate(k).interface.digest: k for k in range(9)}

Draw = Callable[[SearchStrategy[Any]], Any]

builds = st.integers(0, 8)
waits = st.sampled_from([0, 0, 0, 0, *_WAITS])
deaths = st.builds(Death, at=st.sampled_from(WRITES), after=st.booleans())
approvals = st.builds(
    Approved,
    rule=st.sampled_from(["column-removed", "model-removed"]),
    object=st.just("dbt_up.customers"),
    until=st.sampled_from(["2026-01-24", "2026-03-01", "2030-01-01"]),
    reason=st.sampled_from(["agreed", "nobody reads it"]),
)


def place(k: int, name: str) -> str:
    """The part of a key by which a write is told."""
    return _PLACES[name] if name in _PLACES else layout.history_key(PROJECT, ENVIRONMENT, publication_id(k), name)


class Backend(RuleBasedStateMachine):
    """A registry on some store, and the model that tells what it must do."""

    store: ObjectStore

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.folder = Path(tempfile.mkdtemp(prefix="backend-"))
        self.store = self.open()
        self.reader = Registry(self.store, cache=Cache(self.folder / "cache"))

    def open(self) -> ObjectStore:
        return MemoryStore(clock=lambda: float(self.model.now))

    def age(self, seconds: int) -> None:
        """Bring the store's clock forward; the model's has been."""

    @initialize(builds=st.lists(st.tuples(builds, waits), min_size=1, max_size=5))
    def begin(self, builds: list[tuple[int, int]]) -> None:
        for k, seconds in builds:
            self._wait(seconds)
            self._publish(k, None)

    @rule(what=st.sampled_from(_DONE), data=st.data())
    def do(self, what: str, data: st.DataObject) -> None:
        """One rule for all that is done: hypothesis leaves out whole rules, and some histories need them all."""
        self._wait(data.draw(waits))
        if what in _NEEDING_A_LOG and not self.model.log:
            return
        getattr(self, what)(data.draw)

    # -- what is done -------------------------------------------------------------------------------------------------

    def publish(self, draw: Draw) -> None:
        """Publish a build, or once more one of those of which there is something already."""
        k, again, death = draw(builds), draw(st.booleans()), draw(st.none() | deaths)
        known = sorted({each for each, _ in self.model.files})
        self._publish(known[k % len(known)] if again and known else k, death)

    def roll_back(self, draw: Draw) -> None:
        n, amendment = self._standing(draw), self._amendment()
        self._same(
            lambda: self.model.roll_back(n, self._moment),
            lambda: amendments.roll_back(self._registry, amendment, self._select(n=n), lambda _now, _then: None),
        )

    def yank(self, draw: Draw) -> None:
        n, amendment = self._standing(draw), self._amendment()
        self._same(
            lambda: self.model.yank(n, self._moment, amendment.reason or ""),
            lambda: amendments.yank(self._registry, amendment, self._select(n=n), lambda _now, _then: None),
        )

    def approve(self, draw: Draw) -> None:
        approved, amendment = draw(approvals), self._amendment()
        approval = Approval(rule=approved.rule, object=approved.object, until=approved.until, reason=approved.reason)
        self._same(
            lambda: self.model.approve(approved, self._moment),
            lambda: amendments.approve(self._registry, amendment, approval),
        )

    def collect(self, draw: Draw) -> None:
        keep, days = draw(st.integers(1, 3)), draw(st.sampled_from([1, 30]))
        moment = self.model.moment()
        plan = plan_collection(self._registry, PROJECT, ENVIRONMENT, Retention(publications=keep, days=days))
        record, gone = collect(self._registry, plan, Actor(), moment.isoformat())
        assert (record is not None, gone) == self.model.collect(keep, days, moment)

    # -- what is read -------------------------------------------------------------------------------------------------

    def read_by_number(self, draw: Draw) -> None:
        n = self._standing(draw)
        self._expect(self._select(n=n), n)

    def read_by_name(self, draw: Draw) -> None:
        k, digits = draw(builds), draw(st.integers(12, 64))
        digest = next(each for each, build in _DIGESTS.items() if build == k)[:digits]
        n = self._last(lambda step: step.current == k)
        self._expect(self._select(digest=digest), n)
        self._expect(self._select(publication=publication_id(k)), n)

    def read_by_date(self, draw: Draw) -> None:
        moment = self.model.log[self._standing(draw) - 1].moment + timedelta(seconds=draw(st.integers(-1, 1)))
        self._expect(self._select(moment=moment), self._last(lambda step: step.moment <= moment))

    def fsck(self, draw: Draw) -> None:
        self._fsck(mend=draw(st.booleans()))

    # -- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def readers_get_what_the_model_has(self) -> None:
        for registry in (self._registry, self.reader):
            newest = registry.newest(PROJECT, ENVIRONMENT)
            assert (newest.record.n if newest else 0) == len(self.model.log)
            if newest is not None:
                self._expect_entry(newest, len(self.model.log))
        plain = self.model.plain
        assert latest(self.store) == (plain and (publication_id(plain[0]), plain[1]))

    def teardown(self) -> None:
        try:
            log = records(self.store)
            assert [r.op for r in log] == [step.op for step in self.model.log]
            self._fsck(mend=True)
            self._fsck(mend=False)
            if not any(step.expired for step in self.model.log) and len({r.publication for r in log}) == len(log):
                assert_sound(self.store)
        finally:
            shutil.rmtree(self.folder)

    # -- how ----------------------------------------------------------------------------------------------------------

    @property
    def _registry(self) -> Registry:
        return Registry(self.store)

    def _wait(self, seconds: int) -> None:
        if seconds:
            self.model.wait(seconds)
            self.age(seconds)

    def _fsck(self, *, mend: bool) -> None:
        found = list(inspect(self._registry, PROJECT, ENVIRONMENT))
        stale = {("stale-latest", LATEST)} if self.model.is_stale else set()
        orphans = {("orphan", place(*orphan)) for orphan in self.model.orphans()}
        assert {(fault.rule, fault.key) for fault in found} == stale | orphans
        if mend and stale:
            assert [repair(self._registry, fault) for fault in found].count(True) == 1
            self.model.refresh()

    def _standing(self, draw: Draw) -> int:
        drawn: int = draw(st.integers(1, 30))
        return drawn % len(self.model.log) + 1

    def _last(self, fits: Callable[[Step], bool]) -> int | None:
        return max((n for n, step in enumerate(self.model.log, 1) if fits(step)), default=None)

    def _select(self, **chosen: Any) -> Selector:
        return Selector(project=PROJECT, environment=ENVIRONMENT, **chosen)

    def _amendment(self) -> Amendment:
        self._moment = self.model.moment()
        return Amendment(
            project=PROJECT, environment=ENVIRONMENT, actor=Actor(), time=self._moment.isoformat(), reason="because"
        )

    def _publish(self, k: int, death: Death | None) -> None:
        moment = self.model.moment()
        part = place(k, death.at) if death else ""
        fault = Fault.CRASH_AFTER if death and death.after else Fault.CRASH_BEFORE
        store = FaultyStore(self.store, lambda _n, key: fault if death and part in key else Fault.NONE)
        told: object
        try:
            publication, is_new = Registry(store).publish(candidate(k, time=moment.isoformat()), lambda _current: None)
            told = publication.n, is_new
        except Refusal:
            told = RefusedError
        except Crash:
            told = DiedError
        expected: object
        try:
            expected = self.model.publish(k, moment, death)
        except (RefusedError, DiedError) as outcome:
            expected = type(outcome)
        assert told == expected

    def _same(self, expected: Callable[[], bool], act: Callable[[], Amended]) -> None:
        try:
            is_new: bool | None = expected()
        except RefusedError:
            is_new = None
        try:
            told = act()
        except (Refusal, UsageError):
            assert is_new is None
        else:
            assert told.is_new == is_new
            assert told.publication.id == publication_id(self.model.newest.current)

    def _expect(self, selector: Selector, n: int | None) -> None:
        """What is selected is record n, and its interface is whole unless it was given up and is gone."""
        try:
            entry = self.reader.resolve(selector)
        except UsageError:
            assert n is None
            return
        assert n is not None
        self._expect_entry(entry, n)
        k = self.model.log[n - 1].current
        try:
            interface, _ = self._registry.interface(PROJECT, ENVIRONMENT, entry.record)
        except UsageError:
            assert not self.model.is_whole(k)
            return
        assert self.model.is_whole(k)
        assert _DIGESTS[interface.digest] == k

    def _expect_entry(self, entry: Entry, n: int) -> None:
        record, step = entry.record, self.model.log[n - 1]
        assert (record.n, record.op, record.made_current) == (n, step.op, step.since)
        assert (record.publication, record.current) == (publication_id(step.about), publication_id(step.current))
        assert _DIGESTS[record.digest] == step.current
        assert record.moment == step.moment
        assert record.yanked == {publication_id(k): reason for k, reason in step.yanked.items()}
        assert set(record.expired) == {publication_id(k) for k in step.expired}
        assert record.horizon == (None if step.horizon < 0 else publication_id(step.horizon))
        assert [(a.rule, a.object, a.until, a.reason) for a in record.approvals] == [
            (a.rule, a.object, a.until, a.reason) for a in step.approvals
        ]


class Directory(Backend):
    def open(self) -> ObjectStore:
        return DirectoryStore(self.folder / "registry")

    def age(self, seconds: int) -> None:
        for path in (self.folder / "registry").rglob("*"):
            written = path.stat().st_mtime - seconds
            os.utime(path, (written, written))


def settled(examples: int, steps: int) -> settings:
    """As many as the environment says, drawn anew; else so many, always the same."""
    asked = os.environ.get("MODEL_EXAMPLES")
    return settings(
        max_examples=int(asked or examples),
        stateful_step_count=int(os.environ.get("MODEL_STEPS", steps)),
        deadline=None,
        derandomize=asked is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def test_memory_does_as_the_model() -> None:
    run_state_machine_as_test(Backend, settings=settled(100, 30))


def test_a_directory_does_as_the_model() -> None:
    run_state_machine_as_test(Directory, settings=settled(15, 25))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_s3(tmp_path_factory.mktemp("s3"), MODULE) as found:
        yield found


def test_s3_does_as_the_model(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws_variables(endpoint, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "Session", lambda: killed.SESSION)

    class Bucket(Backend):
        def open(self) -> ObjectStore:
            return S3Store(BUCKET, uuid.uuid4().hex)

        def age(self, seconds: int) -> None:
            put_forward(endpoint, seconds)

    run_state_machine_as_test(Bucket, settings=settled(6, 20))
