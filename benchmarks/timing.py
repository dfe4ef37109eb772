"""Commands and calls in, what they took out: in pairs that take turns, so that a busy machine hits both alike."""

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
_TAIL: Final = 2000
_FEWEST_FOR_NOISE: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Took:
    """What one process or call took: seconds on the clock and of cpu, and the most memory it held, in bytes."""

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
    """What a call in this process took; its peak is what Python allocated in a second one, not timed."""
    gc.collect()
    started, began = time.perf_counter(), time.process_time()
    function()
    wall, cpu = time.perf_counter() - started, time.process_time() - began
    tracemalloc.start()
    function()
    _, allocated = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Took(wall=wall, cpu=cpu, peak=allocated)


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
    """The most memory held, in MiB."""
    return took.peak / (1 << 20)


def ratio(pairs: Sequence[tuple[Took, Took]], of: Callable[[Took], float]) -> Measured:
    """The median of the ratios within each pair."""
    middle = median([of(a) / of(b) for a, b in pairs])
    peaks = _of_both(pairs, peak, "MiB", digits=0)
    times = "" if of is peak else f"{_of_both(pairs, of, 's', digits=3)}, "
    return Measured(value=middle.value, noise=middle.noise, detail=f"{times}{peaks}")


def _of_both(pairs: Sequence[tuple[Took, Took]], of: Callable[[Took], float], unit: str, *, digits: int) -> str:
    ours, theirs = (statistics.median(of(took) for took in side) for side in zip(*pairs, strict=True))
    return f"{ours:.{digits}f} / {theirs:.{digits}f} {unit}"


def median(values: Sequence[float]) -> Measured:
    """The median of the values; one value alone states no noise."""
    if len(values) < _FEWEST_FOR_NOISE:
        return Measured(value=values[0], noise=0.0)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Measured(value=statistics.median(values), noise=(high - low) / 2)
