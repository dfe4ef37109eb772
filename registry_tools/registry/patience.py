"""A number of tries in, the tries themselves out, each after a longer and random pause than the one before."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_FIRST_SECONDS: Final = 0.1


def _since_boot() -> float:
    """Seconds that only grow, also while a laptop sleeps, where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """How a publisher waits and how it measures what it waited, in seconds; a simulation brings its own."""

    pause: Callable[[float], None] = time.sleep
    elapsed: Callable[[], float] = _since_boot

    def tries(self, number: int) -> Iterator[int]:
        """0, 1, 2 ... below `number`. Every pause is drawn anew: publishers that met once are unlikely to again."""
        for attempt in range(number):
            if attempt:
                self.pause(random.uniform(0, _FIRST_SECONDS * 2**attempt))  # noqa: S311  # jitter, not a secret
            yield attempt


CLOCK: Final = Clock()
