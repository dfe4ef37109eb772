"""Tasks in, their steps in an order drawn from a seed out: simulated time, one thread, and no waiting."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from greenlet import getcurrent, greenlet

_STEP_SECONDS: Final = 0.2


@dataclass(slots=True)
class Task:
    """Work that is under way, and when it goes on."""

    name: str
    coroutine: greenlet
    wakes: float


class Schedule:
    """Tasks that run one at a time, each until it waits; who is next is drawn from `random`.

    A task that has been chosen goes on being chosen with the probability `inertia`: some faults need that everybody
    takes turns, others that one task is left standing while another one finishes. `now` is in seconds.
    """

    def __init__(self, random: Random, inertia: float) -> None:
        self.now = 0.0
        self.task = Task("nobody", getcurrent(), 0.0)
        self._hub = getcurrent()
        self._random = random
        self._inertia = inertia
        self._tasks: list[Task] = []
        self._landings: list[tuple[float, int, Callable[[], object]]] = []
        self._number = 0

    def start(self, name: str, work: Callable[[], object], *, at: float = 0.0) -> None:
        """Begin `work` when the time `at` has come; what it raises, `run` raises."""
        self._tasks.append(Task(name, greenlet(work), at))

    def wait(self, seconds: float = 0.0) -> None:
        """Let others go first, and go on after so many seconds at the earliest."""
        self.task.wakes = self.now + seconds
        self._hub.switch()

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Carry out what nobody waits for."""
        self._number += 1
        heapq.heappush(self._landings, (self.now + seconds, self._number, act))

    def run(self) -> None:
        """All tasks to their ends, and then whatever has not landed yet."""
        while self._tasks:
            ready = [task for task in self._tasks if task.wakes <= self.now]
            if not ready:
                self._pass(min(task.wakes for task in self._tasks))
                continue
            if self.task not in ready or self._random.random() >= self._inertia:
                self.task = ready[int(self._random.random() * len(ready))]
            self.task.coroutine.switch()
            if self.task.coroutine.dead:
                self._tasks.remove(self.task)
            self._pass(self.now + _STEP_SECONDS * self._random.random())
        while self._landings:
            self._pass(self._landings[0][0])

    def _pass(self, until: float) -> None:
        while self._landings and self._landings[0][0] <= until:
            self.now, _, act = heapq.heappop(self._landings)
            act()
        self.now = until
