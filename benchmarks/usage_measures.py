"""A workshop in, what the usage of a whole project takes out: the first time, and when nothing has changed."""

import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from benchmarks import timing
from benchmarks.consumers import write_consumer
from benchmarks.measures import Row
from benchmarks.timing import Measured
from benchmarks.workshop import Workshop

if TYPE_CHECKING:
    from pathlib import Path

_MODELS: Final = 900
_READS: Final = _MODELS // 3  # at the least: a reader that finds nothing is fast
_FEWEST: Final = 2  # runs that read everything, which takes seconds


def usage_rows() -> Iterator[Row]:
    """Both rows are of a project with 900 models, two tests to each, all compiled."""
    for name, target, is_warm in (("cold", 10.0, False), ("warm", 0.5, True)):
        yield Row(
            name=f"usage-{name}",
            says=f"usage by column of {_MODELS} models, {'all read before' if is_warm else 'none read before'}",
            target=target,
            measure=partial(reading, is_warm=is_warm),
            unit=" s",
        )


def reading(workshop: Workshop, *, is_warm: bool) -> Measured:
    """The seconds on the clock from the cache's file to the usage, all processes that read SQL included."""
    folder = workshop.new_folder("usage")
    write_consumer(folder / "manifest.json", _MODELS)
    if is_warm:
        _read(workshop, folder / "manifest.json", folder / "cache")
    runs = workshop.runs if is_warm else min(_FEWEST, workshop.runs)
    caches = [folder / "cache" if is_warm else folder / f"cache_{run}" for run in range(runs)]
    told = [_read(workshop, folder / "manifest.json", cache) for cache in caches]
    middle = timing.median([each["wall"] for each in told])
    last = told[-1]
    detail = f"{last['cpu']:.1f} s of cpu, {last['cold']} queries read, {last['reads']} reads, {last['unread']} unread"
    return Measured(value=middle.value, noise=middle.noise, detail=detail)


def _read(workshop: Workshop, manifest: "Path", cache: "Path") -> dict[str, Any]:
    result = workshop.new_folder("result") / "told.json"
    workshop.python("-m", "benchmarks.usage_reading", str(manifest), str(cache), str(result))
    found: dict[str, Any] = json.loads(result.read_text())
    if found["unread"] or found["reads"] < _READS:
        raise RuntimeError(f"{found['reads']} reads were found, {found['unread']} of them unread")
    return found
