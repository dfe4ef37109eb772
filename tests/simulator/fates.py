"""A seed in, what becomes of every request out: the fault model of the store, the network and the clients."""

from collections import Counter
from collections.abc import Collection
from enum import Enum
from random import Random
from typing import Final

MINUTE: Final = 60.0
DAY: Final = 86_400.0
# AWS refuses a signed request that is older (Signature Version 4); so nothing is under way for longer.
LANDS_WITHIN: Final = 15 * MINUTE


class Harsh(Enum):
    """What the product does not withstand yet, and what befalls it only where a history asks for it."""

    LATE = "a publisher stands still for days between its last look and its commit, or a collector while it works"


class Fate(Enum):
    """What becomes of one request."""

    FINE = "answered"
    REFUSED = "refused before it has any effect"
    DROPPED = "never carried out, and no answer"
    CONFLICT = "409, not carried out"
    LOST_ACK = "carried out, and the answer is lost"
    DELAYED = "no answer, and carried out later"
    DUPLICATED = "answered, and carried out again later"
    ECHOED = "carried out twice, and the second answer comes"
    CRASH_BEFORE = "its client dies before it is sent"
    CRASH_AFTER = "its client dies after it was carried out"
    TIMEOUT = "no answer to a read"
    TRUNCATED = "a part of the body is missing"
    CORRUPTED = "a byte of the body is another one"


_OF_WRITES: Final = (
    Fate.REFUSED,
    Fate.DROPPED,
    Fate.CONFLICT,
    Fate.LOST_ACK,
    Fate.DELAYED,
    Fate.DUPLICATED,
    Fate.ECHOED,
    Fate.CRASH_BEFORE,
    Fate.CRASH_AFTER,
)
_OF_DECISIONS: Final = (*_OF_WRITES, Fate.LOST_ACK, Fate.DELAYED, Fate.ECHOED, Fate.ECHOED)
_IN_OUTAGES: Final = (Fate.DROPPED, Fate.DROPPED, Fate.CONFLICT, Fate.LOST_ACK, Fate.DELAYED, Fate.DELAYED)
_OF_BODIES: Final = (Fate.TIMEOUT, Fate.TIMEOUT, Fate.TRUNCATED, Fate.CORRUPTED, Fate.CRASH_BEFORE)
_OF_FACTS: Final = (Fate.TIMEOUT, Fate.TIMEOUT, Fate.TIMEOUT, Fate.CRASH_BEFORE)
_RATES: Final = (0.0, 0.03, 0.08, 0.15, 0.25, 0.4)
_READS_FAIL_LESS: Final = 0.3
_OUTAGES: Final = (0.0, 0.0, 0.015, 0.04)
_OUTAGE_WRITES: Final = 24
# Some networks send a part of what they carry twice.
_ECHOES: Final = (0.0, 0.0, 0.0, 0.5)
_STALLS: Final = (0.0, 0.0, 0.02, 0.05)
# Without these nothing goes on, so they fail less.
_READ_FIRST: Final = ("/log/", "/latest/")
_DECISIVE: Final = 1.6
_DECISIVE_STALLS: Final = 5.0
_LENGTHS: Final = (MINUTE, 20 * MINUTE, DAY, 2 * DAY, 9 * DAY)
_BRIEF: Final = 2


class Fates:
    """Draws for one history, of which some are calm and some are stormy."""

    def __init__(self, random: Random, harsh: Collection[Harsh] = ()) -> None:
        self.met: Counter[str] = Counter()
        self.calm = False
        self._random = random
        self._harsh = frozenset(harsh)
        self._rate = random.choice(_RATES)
        self._outages = random.choice(_OUTAGES)
        self._unanswered = 0
        self._echoes = random.choice(_ECHOES)
        self._stalls = max(_STALLS) if Harsh.LATE in harsh else random.choice(_STALLS)

    def of_write(self, *, decisive: bool, spared: frozenset[Harsh]) -> Fate:
        """What becomes of a request that changes something; in an outage, many in a row go without an answer.

        A `decisive` one, which commits or deletes, meets more than others: there are few of them.
        """
        fate = self._of_write(decisive=decisive)
        late = fate in {Fate.DELAYED, Fate.DUPLICATED} and Harsh.LATE in spared - self._harsh
        return Fate.DROPPED if late else fate

    def _of_write(self, *, decisive: bool) -> Fate:
        if self._unanswered:
            self._unanswered -= 1
            return self._draw(1.0, _IN_OUTAGES)
        if decisive and self._random.random() < self._echoes:
            return self._draw(1.0, (Fate.ECHOED,))
        if self._random.random() < self._outages:
            self._unanswered = int(self._random.random() * _OUTAGE_WRITES)
        return self._draw(self._rate * _DECISIVE, _OF_DECISIONS) if decisive else self._draw(self._rate, _OF_WRITES)

    def of_body(self, key: str) -> Fate:
        """What becomes of a request for bytes."""
        often = not any(part in key for part in _READ_FIRST)
        return self._draw(self._rate * (1.0 if often else _READS_FAIL_LESS), _OF_BODIES)

    def of_facts(self) -> Fate:
        """What becomes of a request for a list or for facts."""
        return self._draw(self._rate * _READS_FAIL_LESS, _OF_FACTS)

    def stall(self, *, decisive: bool, spared: frozenset[Harsh]) -> float:
        """The seconds for which a client stands still before its next request: mostly none, seldom days."""
        if self.calm or self._random.random() >= self._stalls * (_DECISIVE_STALLS if decisive else 1.0):
            return 0.0
        self.met["stall"] += 1
        brief = Harsh.LATE not in self._harsh and (decisive or Harsh.LATE in spared)
        return self._random.choice(_LENGTHS[:_BRIEF] if brief else _LENGTHS) * (0.5 + self._random.random())

    def landing(self) -> float:
        """The seconds after which a request lands that nobody waits for any more: mostly soon."""
        return LANDS_WITHIN * self._random.random() ** 3

    def damaged(self, content: bytes, fate: Fate) -> bytes:
        """The body as the network delivers it."""
        place = int(self._random.random() * len(content))
        if fate is Fate.TRUNCATED:
            return content[:place]
        other = (content[place] + 1 + int(self._random.random() * 255)) % 256
        return content[:place] + bytes([other]) + content[place + 1 :]

    def _draw(self, rate: float, choices: tuple[Fate, ...]) -> Fate:
        if self.calm or self._random.random() >= rate:
            return Fate.FINE
        fate = choices[int(self._random.random() * len(choices))]
        self.met[fate.name] += 1
        return fate
