"""A seed in, one history out: what everybody did, what became of it, and which promise broke, if one did."""

import hashlib
import random as global_random
import traceback
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from registry_tools.registry.inspection import inspect
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import StoredObject
from registry_tools.registry.patience import Clock
from registry_tools.registry.publications import Registry
from tests.registry import ENVIRONMENT, PROJECT
from tests.simulator.candidates import CANDIDATES, impostor
from tests.simulator.client import Client, Line
from tests.simulator.committed import Violation, expect
from tests.simulator.fates import DAY, Fates, Harsh
from tests.simulator.jobs import Amender, Collector, Job, Publisher
from tests.simulator.linearizability import NEVER, START, Call, is_linearizable, register_with_log
from tests.simulator.readers import MachineCache, Reader
from tests.simulator.schedule import Schedule
from tests.simulator.witness import Witness

_MOST_CALLS: Final = 12
_INSPECTED: Final = 16  # one history in so many, because fsck starts threads
_COLLECTED: Final = (2 * DAY, 9.5 * DAY, 17 * DAY)
_MEETING: Final = 30.0
_LATER: Final = 6.0  # seconds in which something is there to be amended
# The seconds within which things begin: everybody at once, one after the other, or so that files grow old.
_AT_ONCE: Final = (1.0, 1.0, 4.0)
_MINUTES: Final = (1.0, 10.0, 60.0)
_DAYS: Final = (1.0, 60.0, 2 * DAY, 10 * DAY)


@dataclass(slots=True)
class Result:
    """What one history came to."""

    seed: int
    counts: Counter[str]
    faults: Counter[str]
    violation: str | None
    trace: list[Line]
    failed: bool = False  # by an exception that nobody expects

    def lines(self) -> list[str]:
        """The trace as text, the same for the same seed."""
        told = [f"{time:13.3f}  {who:14}  {what:13}  {key}  {_told(it)}" for time, who, what, key, it in self.trace]
        return [f"seed {self.seed}", *told, f"violation: {self.violation}" if self.violation else "sound"]


class History:
    """One registry, everybody who uses it, and everything that goes wrong, all drawn from one seed."""

    def __init__(self, seed: int, harsh: Collection[Harsh] = ()) -> None:
        self.random = Random(seed)  # noqa: S311  # a seed that says everything is the point
        global_random.seed(seed)  # the product draws its pauses from there
        self.fates = Fates(self.random, harsh)
        self.schedule = Schedule(self.random, inertia=self.random.choice((0.0, 0.3, 0.8)))
        self._pinned = frozenset(candidate.id for candidate in CANDIDATES[:: 2 + self.below(3)])
        self.witness = Witness(lambda: self.schedule.now, self._pinned)
        self.trace: list[Line] = []
        self.counts: Counter[str] = Counter()
        self._pace = _DAYS if Harsh.LATE in harsh else self.random.choice((_AT_ONCE, _MINUTES, _DAYS, _DAYS))
        self._seed = seed
        self._clock = Clock(pause=self.schedule.wait, elapsed=lambda: self.schedule.now)
        self._calls: list[Call] = []
        self._moment = 0
        self._jobs: list[Job] = []
        self._declined: set[str] = set()
        self._disputed: set[str] = set()
        self._expected: set[str] = set()

    def run(self) -> Result:
        """Everything: the faults, and then the calm in which every job runs once more."""
        violation, failed = None, False
        try:
            self._storm()
            self._calm()
        except Violation as broken:
            violation = str(broken)
        except Exception:  # noqa: BLE001  # whatever else the product raises breaks a promise too, and needs its seed
            violation, failed = traceback.format_exc(), True
        for key, content in self.witness.bucket.standing():
            self.note("stands", key, content)
        self.counts["histories"] += 1
        self.counts["requests"] += len(self.trace)
        self.counts["faults"] += self.fates.met.total()
        return Result(self._seed, self.counts, self.fates.met, violation, self.trace, failed)

    def _storm(self) -> None:
        first = self.below(4)
        kinds = (self._everyday, self._everyday, self._contest, self._tidy_up)
        self.random.choice(kinds)(first)
        self.schedule.run()
        self._expect_linearizable()

    def _everyday(self, first: int) -> None:
        """Some publish, some read, some amend and, when there are days to do it in, some collect."""
        for k in range(first, first + 2 + self.below(5)):
            self._publish(k, self._soon)
        shared = MachineCache()
        for reader in range(1 + self.below(3)):
            cache = shared if self.random.random() < 0.5 else None
            self.schedule.start(f"reader {reader}", Reader(self, 1 + self.below(4), cache), at=self._soon())
        if self.random.random() < 0.4:
            for _ in range(1 + self.below(3)):
                self._amend(self._soon() + _LATER * self.random.random())
        if self._pace == _DAYS:
            for k in range(2 + self.below(4)):
                self._start("collector", Collector(self, self._pinned), 8 * DAY * k * self.random.random())

    def _contest(self, first: int) -> None:
        """Something is there already when several amend and publish at the same moment."""
        for k in range(first, first + 4):
            self._publish(k, self.random.random if k < first + 2 else self._together)
        for _ in range(3):
            self._amend(self._together())
        self.schedule.start("reader", Reader(self, 2, None), at=self._together())

    def _tidy_up(self, first: int) -> None:
        """Much is there already; collectors come after days, and others amend and publish just then."""
        for k in range(first, first + 5):
            self._publish(k, self.random.random if k < first + 4 else self._some_day)
        for day in _COLLECTED:
            self._start("collector", Collector(self, self._pinned), day + self.random.random())
        for _ in range(3):
            self._amend(self._some_day())
        self.schedule.start("reader", Reader(self, 2, None), at=self._some_day())

    def _amend(self, at: float) -> None:
        act = self.random.choice(("rollback", "rollback", "yank", "approve"))
        self._start(act, Amender(self, act), at)

    def _publish(self, k: int, when: Callable[[], float]) -> None:
        """Start the job that publishes k, mostly once."""
        candidate, kind = CANDIDATES[k], self.random.random()
        job = Publisher(self, candidate)
        if kind < 0.08:
            job = Publisher(self, candidate, lambda _record: True)
            self._declined.add(candidate.id)
        elif kind < 0.2:
            base = CANDIDATES[self.below(k + 1)].id
            job = Publisher(self, candidate, lambda record: record is not None and record.current == base)
        else:
            self._expected.add(candidate.id)
        self._start(f"publisher {k}", job, when())
        again = self.random.random()
        if again < 0.15:
            self._start(f"publisher {k} b", job, when())
        elif again < 0.2:
            self._disputed.add(candidate.id)
            self._start(f"impostor {k}", Publisher(self, impostor(candidate)), when())

    def _start(self, name: str, job: Job, at: float) -> None:
        self._jobs.append(job)
        self.schedule.start(name, job, at=at)

    def _together(self) -> float:
        return _MEETING + self.random.random()

    def _some_day(self) -> float:
        return self.random.choice(_COLLECTED) + 2 * self.random.random()

    def _soon(self) -> float:
        return self.random.choice(self._pace) * self.random.random()

    def _calm(self) -> None:
        """No faults any more: whatever was left undone is done by running it once more."""
        self.fates.calm = True
        for job in self._jobs:
            self.schedule.start("once more", job.run, at=self.schedule.now)
            self.schedule.run()
        self.schedule.start("last reader", Reader(self, 8, None), at=self.schedule.now)
        self.schedule.run()
        for name in self._declined - self._disputed:
            self.witness.never(name)
        self.witness.at_last(self._expected - self._disputed)
        if self._seed % _INSPECTED == 0:
            self._inspect()

    def _inspect(self) -> None:
        """mesh fsck finds nothing but what publishers left that never committed."""
        store = MemoryStore()
        for key, content in self.witness.bucket.standing():
            store.create(key, content)
        faults = inspect(Registry(store), PROJECT, ENVIRONMENT)
        wrong = [f"{fault.rule} {fault.key}: {fault.what}" for fault in faults if fault.rule != "orphan"]
        expect(not wrong, "mesh fsck says: {}", wrong)

    # -- what jobs ask for --------------------------------------------------------------------------------------------

    def client(self) -> Client:
        """A store for the task that runs now."""
        return Client(self.schedule, self.witness.bucket, self.fates, self.trace)

    def registry(self, client: Client, cache: MachineCache | None = None) -> Registry:
        """The product upon it."""
        return Registry(client, clock=self._clock, cache=cache)

    def below(self, number: int) -> int:
        """0 or more, and less than this."""
        return int(self.random.random() * number)

    def skew(self) -> float:
        """The seconds by which somebody's clock is wrong: mostly few, seldom days."""
        return self.random.choice((0.0, 1.0, -1.0, 600.0, 3 * DAY, -3 * DAY)) * self.random.random()

    def pause(self) -> float:
        """The seconds before a job that failed is started again."""
        return self.random.choice((1.0, 60.0, 3600.0, 3 * DAY)) * self.random.random()

    def rest(self) -> float:
        """The seconds between two reads."""
        return self.random.choice((0.0, 1.0, 10.0)) * self.random.random()

    def is_disputed(self, name: str) -> bool:
        """Whether two builds came to the same id."""
        return name in self._disputed

    def begins(self, act: str, argument: str = "") -> int:
        """Somebody begins to do this; the number of the call."""
        self._moment += 1
        self.counts["operations"] += 1
        self._calls.append(Call(act=act, argument=argument, began=self._moment))
        self.note(act, argument, "begins")
        return len(self._calls) - 1

    def returns(self, call: int, answer: object) -> None:
        """The call was answered."""
        self._moment += 1
        begun = self._calls[call]
        self.counts["acknowledged" if begun.act != "read" else "reads"] += 1
        if answer is not None:  # a collector without an answer may have been denied its own record
            self._calls[call] = replace(begun, answer=answer, ended=self._moment)
        self.note(begun.act, begun.argument, answer)

    def declined(self, call: int, error: Exception) -> None:
        """The call had no effect, and its caller knows."""
        self.fails(call, error)
        self._calls[call] = replace(self._calls[call], act="nothing")

    def fails(self, call: int, error: BaseException) -> None:
        """The call may have had its effect, or may yet have it."""
        begun = self._calls[call]
        self.note(begun.act, begun.argument, f"{type(error).__name__}: {getattr(error, 'what', '')}")

    def note(self, what: str, key: str, outcome: object) -> None:
        """A line of the trace."""
        self.trace.append((self.schedule.now, self.schedule.task.name, what, key, outcome))

    def _expect_linearizable(self) -> None:
        calls = [call for call in self._calls if call.ended != NEVER or call.act not in {"read", "nothing"}]
        if len(calls) > _MOST_CALLS or {"expire", "yank"} <= {call.act for call in calls}:
            return
        self.counts["linearizable"] += 1
        if not is_linearizable(calls, register_with_log, START):
            raise Violation("no order of the calls explains what was answered")


def _told(outcome: object) -> str:
    """Bytes by their size and digest: a line of the trace is to be read."""
    if isinstance(outcome, StoredObject):
        return _told(outcome.content)
    if isinstance(outcome, bytes):
        return f"{len(outcome)} bytes, {hashlib.sha256(outcome).hexdigest()[:12]}"
    return str(outcome) if not isinstance(outcome, tuple) else " ".join(map(_told, outcome))
