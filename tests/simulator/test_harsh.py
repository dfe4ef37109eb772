"""What the registry does not withstand yet: the test passes on the day on which it does, and says so."""

import re

import pytest

from tests.simulator.process import simulator


def violations(harsh: str, histories: int) -> int:
    """How many promises are broken. Whatever else goes wrong is no AssertionError."""
    done = simulator("--harsh", harsh, "--histories", str(histories))
    told = re.search(r"violations +(\d+)", done.stdout)
    if told is None:
        raise RuntimeError(done.stdout + done.stderr)
    return int(told[1])


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="files without a record are deleted by an old look at the log"
)
def test_nobody_stands_still_too_long() -> None:
    """A publisher that sleeps for a week between its last look and its commit names files that a collector took; a
    collector that sleeps for days deletes what was committed since it read the log.
    """
    assert violations("late", 500) == 0
