"""What people and CI do with a registry, each through the product, and each again when it fails."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from registry_tools.errors import MeshError, Refusal, UsageError
from registry_tools.mesh.publication import Actor, Approval, Record
from registry_tools.mesh.selector import Selector
from registry_tools.registry import amendments, collection
from registry_tools.registry.publications import Candidate, Registry
from tests.registry import ENVIRONMENT, PROJECT
from tests.simulator.candidates import CANDIDATES
from tests.simulator.client import Client, Crash
from tests.simulator.committed import expect
from tests.simulator.fates import Harsh

if TYPE_CHECKING:
    from tests.simulator.history import History

_ATTEMPTS: Final = 3
_START: Final = datetime(2026, 1, 23, 7, tzinfo=UTC)

Declines = Callable[[Record | None], bool]


class Job(ABC):
    """Something that is run until it succeeds, a bounded number of times, by a machine whose clock may be wrong."""

    act: str
    argument: str

    def __init__(self, history: "History") -> None:
        self.history = history
        self._skew = history.skew()

    def __call__(self) -> None:
        """The job's runs, until one of them ends as it should."""
        for _ in range(_ATTEMPTS):
            if self.run():
                return
            self.history.schedule.wait(self.history.pause())

    def run(self) -> bool:
        """One run of the job: whether nothing is left to do. An error must have had a cause."""
        client = self.history.client()
        call = self.history.begins(self.act, self.argument)
        try:
            answer = self.work(client, self.history.registry(client))
        except (Refusal, UsageError) as error:
            expect(self.may_decline(), "{} without a reason: {}", self.act, error)
            self.history.declined(call, error)
            return True
        except (Crash, MeshError) as error:
            excused = client.suffered or self.may_fail() or isinstance(error, Crash)
            expect(excused, "{} fails without any fault: {}", self.act, error)
            self.history.fails(call, error)
            return False
        self.history.returns(call, answer)
        return True

    @abstractmethod
    def work(self, client: Client, registry: Registry) -> object:
        """What the job does; what it was told."""

    @abstractmethod
    def may_decline(self) -> bool:
        """Whether there was a reason to refuse."""

    @abstractmethod
    def may_fail(self) -> bool:
        """Whether there was a reason to fail other than a fault that this run met itself."""

    def now(self) -> str:
        """The time by this machine's clock."""
        return (_START + timedelta(seconds=self.history.schedule.now + self._skew)).isoformat()


class Publisher(Job):
    """Publishes a candidate. `declines` says which base its check refuses."""

    act = "publish"

    def __init__(self, history: "History", candidate: Candidate, declines: Declines | None = None) -> None:
        super().__init__(history)
        self.argument = candidate.id
        self._candidate = candidate
        self._declines = declines

    def work(self, client: Client, registry: Registry) -> object:
        """See Job."""

        def check(record: Record | None) -> None:
            client.checked = record.n if record else 0
            if self._declines and self._declines(record):
                raise Refusal("it would break somebody", then="mend it")

        publication, is_new = registry.publish(replace(self._candidate, time=self.now()), check)
        self.history.witness.acknowledged(self.argument, publication, is_new=is_new)
        return publication.n

    def may_decline(self) -> bool:
        """See Job."""
        return self._declines is not None or self.history.witness.may_refuse(self.argument)

    def may_fail(self) -> bool:
        """See Job."""
        return self.history.is_disputed(self.argument) or self.argument in self.history.witness.collected


class Amender(Job):
    """Rolls back to a publication, withdraws it, or approves a change."""

    def __init__(self, history: "History", act: str) -> None:
        super().__init__(history)
        self.act = act
        self.argument = ""

    def __call__(self) -> None:
        """See Job. What it is about is decided when it begins, and mostly something that is there."""
        known = list(self.history.witness.published) or [candidate.id for candidate in CANDIDATES]
        self.argument = known[self.history.below(len(known))]
        super().__call__()

    def work(self, client: Client, registry: Registry) -> object:
        """See Job."""

        def check(before: Record, _after: Record) -> None:
            client.checked = before.n

        amendment = amendments.Amendment(
            project=PROJECT, environment=ENVIRONMENT, actor=Actor(), time=self.now(), reason=client.who
        )
        target = Selector(project=PROJECT, environment=ENVIRONMENT, publication=self.argument)
        since = self.history.witness.floor
        if self.act == "approve":
            approval = Approval(rule="C01", object=self.argument, until="2030-01-01", reason="agreed")
            amended = amendments.approve(registry, amendment, approval)
        elif self.act == "yank":
            amended = amendments.yank(registry, amendment, target, check)
        else:
            amended = amendments.roll_back(registry, amendment, target, check)
        return self.history.witness.read(since, amended.publication)

    def may_decline(self) -> bool:
        """See Job."""
        return True  # its target may be withdrawn, given up, the only one, or not published yet

    def may_fail(self) -> bool:
        """See Job."""
        return self.argument in self.history.witness.expired


class Collector(Job):
    """Removes what nobody needs, now and again days later."""

    act = "expire"
    argument = ""

    def __init__(self, history: "History", pinned: frozenset[str]) -> None:
        super().__init__(history)
        self._pinned = pinned
        self._retention = collection.Retention(publications=1 + history.below(3), days=history.below(3))

    def work(self, client: Client, registry: Registry) -> object:
        """See Job."""
        client.spared = frozenset({Harsh.LATE})
        plan = collection.plan_collection(registry, PROJECT, ENVIRONMENT, self._retention, self._pinned)
        record, _ = collection.collect(registry, plan, Actor(), self.now())
        return record and (record.made_current, record.current)

    def may_decline(self) -> bool:
        """See Job."""
        return False

    def may_fail(self) -> bool:
        """See Job."""
        return False
