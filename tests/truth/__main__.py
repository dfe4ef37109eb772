"""Flags in, what was said and what was true out, as tables; every fault as SQL that shows it in any DuckDB.

The exit code is 0 when nobody would be hurt unwarned and at most two of a hundred would be warned for nothing, else 1.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from tests.truth.agreement import Agreement, agreements
from tests.truth.engine import Engine
from tests.truth.pairs import Tally, run
from tests.truth.shrink import smallest

_BATCH = 200
_REPORTED_SECONDS = 10.0
_SHOWN = 5


def main() -> int:
    """What the flags ask for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5_000)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--no-corpora", action="store_true", help="leave out the queries that are always the same")
    asked = parser.parse_args()
    found = [] if asked.no_corpora else list(_corpora())
    begun = time.monotonic()
    tally = _watched(_tallies(asked.first, asked.pairs, asked.processes), asked.pairs)
    seconds = time.monotonic() - begun
    _say(*tally.lines(), "", *_figures(found, tally, seconds), "", *_smallest(tally))
    sound = not tally.missed and tally.share("false alarm") <= 2 and not any(each.faults for each in found)
    return 0 if sound else 1


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _corpora() -> Iterator[Agreement]:
    for agreement in agreements():
        _say(*agreement.faults)
        yield agreement


def _tallies(first: int, pairs: int, processes: int) -> Iterator[Tally]:
    """The tally of one batch of seeds after another, until there are so many pairs."""
    starts = range(first, first + pairs, _BATCH)
    batches = (range(start, start + _BATCH) for start in starts)
    if processes == 1:
        yield from map(run, batches)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(run, batches)


def _watched(tallies: Iterator[Tally], wanted: int) -> Tally:
    """All of them together, and a line now and then for whoever waits."""
    whole, told = Tally(), time.monotonic()
    for tally in tallies:
        whole.add(tally)
        if time.monotonic() - told > _REPORTED_SECONDS:
            told = time.monotonic()
            _say(f"{whole.counts['pairs']:,} of {wanted:,} pairs, {len(whole.missed)} missed")
        if whole.counts["pairs"] >= wanted:
            break
    return whole


def _figures(found: list[Agreement], tally: Tally, seconds: float) -> Iterator[str]:
    """The two tables that docs/rules.md shows."""
    yield "| queries | how many | columns | agreement | unread | seconds |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    yield from (each.row for each in found)
    yield ""
    yield "| pairs | false negatives | false alarms | of those said BROKEN | unread queries | seconds |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    counts = tally.counts
    broken = sum(number for (said, _), number in tally.said.items() if said == "BROKEN")
    alarms = counts["false alarm"]
    yield (
        f"| {counts['pairs']:,} | {len(tally.missed):,} | {alarms:,} ({tally.share('false alarm'):.2f} %)"
        f" | {100 * alarms / max(1, broken):.1f} % of {broken:,} | {counts['unread']:,} of {counts['queries']:,}"
        f" | {seconds:,.0f} |"
    )


def _smallest(tally: Tally) -> Iterator[str]:
    shown = [*tally.missed[:_SHOWN], *[pair for pair in tally.faults if pair.fault == "false alarm"][:_SHOWN]]
    with Engine() as engine:
        for pair in shown:
            yield from smallest(engine, pair).lines()
            yield ""


if __name__ == "__main__":
    sys.exit(main())
