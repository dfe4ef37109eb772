"""A number of tries in, the tries themselves out, each after a longer and random pause than the one before."""

import random
import time
from collections.abc import Callable, Iterator

_FIRST_SECONDS = 0.1

Pause = Callable[[float], None]


def tries(number: int, pause: Pause = time.sleep) -> Iterator[int]:
    """0, 1, 2 ... below `number`. Publishers that met once are unlikely to meet again: every pause is drawn anew."""
    for attempt in range(number):
        if attempt:
            pause(random.uniform(0, _FIRST_SECONDS * 2**attempt))  # noqa: S311  # jitter, not a secret
        yield attempt
