"""Commands and calls in, what they took out: in pairs that take turns, so that a busy machine hits both alike."""

import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_TAIL: Final = 2000
_FEWEST_FOR_NOISE: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Took:
    """What one process or call took: seconds on the clock, seconds of cpu, and the largest resident size in bytes."""

    wall: float
    cpu: float
    peak: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A median, half the distance between its quartiles, and the two medians that it came from."""

    value: float
    noise: float
    detail: str = ""


def run(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Took:
    """What a whole process took, with all that it started and waited for. Raises RuntimeError when it failed.

    Linux counts the parent's resident size into the child's until it has become another program (exec_mmap in the
    kernel's fs/exec.c), so whoever measures memory with this keeps small itself.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            tail = said.read()[-_TAIL:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    return Took(wall=wall, cpu=used.ru_utime + used.ru_stime, peak=used.ru_maxrss * _RSS_UNIT)


def call(function: Callable[[], object]) -> Took:
    """What a call in this process took; its peak is that of the process so far."""
    gc.collect()
    started, began = time.perf_counter(), time.process_time()
    function()
    wall, cpu = time.perf_counter() - started, time.process_time() - began
    return Took(wall=wall, cpu=cpu, peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT)


def paired(ours: Callable[[], Took], theirs: Callable[[], Took], *, runs: int) -> list[tuple[Took, Took]]:
    """A B A B ..., after one uncounted run of each."""
    ours(), theirs()
    return [(ours(), theirs()) for _ in range(runs)]


def cpu(took: Took) -> float:
    """Seconds of cpu: what stays when others keep the machine busy."""
    return took.cpu


def wall(took: Took) -> float:
    """Seconds on the clock: what a person waits, the network included."""
    return took.wall


def peak(took: Took) -> float:
    """The largest resident size in MiB."""
    return took.peak / (1 << 20)


def ratio(pairs: Sequence[tuple[Took, Took]], of: Callable[[Took], float]) -> Measured:
    """The median of the ratios within each pair."""
    ours, theirs = [of(a) for a, _ in pairs], [of(b) for _, b in pairs]
    unit = "MiB" if of is peak else "s"
    digits = 0 if of is peak else 3
    middle = median([a / b for a, b in zip(ours, theirs, strict=True)])
    of_both = f"{statistics.median(ours):.{digits}f} / {statistics.median(theirs):.{digits}f} {unit}"
    return Measured(value=middle.value, noise=middle.noise, detail=of_both)


def median(values: Sequence[float]) -> Measured:
    """The median of the values; one value alone states no noise."""
    if len(values) < _FEWEST_FOR_NOISE:
        return Measured(value=values[0], noise=0.0)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Measured(value=statistics.median(values), noise=(high - low) / 2)
