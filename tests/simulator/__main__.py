"""Flags in, histories and their table out: one seed with its trace, a soak of many, or the mutants.

The exit code is 0 when every history is sound (or every mutant dead), else 1, with the trace of a broken history.
"""

import argparse
import sys
import time
from collections.abc import Collection, Iterable

from tests.simulator.fates import Harsh
from tests.simulator.history import History
from tests.simulator.soak import WITHIN, Tally, kill_all, known_seeds, run_on

_REPORTED_SECONDS = 10.0


def main() -> int:
    """What the flags ask for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, help="this history alone")
    parser.add_argument("--trace", action="store_true", help="print every request instead of the table")
    parser.add_argument("--harsh", choices=[one.name.lower() for one in Harsh], help="what is not withstood yet")
    parser.add_argument("--histories", type=int, default=1_000, help="so many, after those of seeds.txt")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--mutants", action="store_true", help=f"kill every mutant within {WITHIN:,} histories")
    asked = parser.parse_args()
    if asked.mutants:
        return _mutants()
    seeds = range(asked.first, asked.first + asked.histories) if asked.seed is None else [asked.seed]
    harsh = [Harsh[asked.harsh.upper()]] if asked.harsh else []
    if asked.trace:
        return max(_trace(seed, harsh) for seed in seeds)
    known = known_seeds() if asked.seed is None else []
    return _soak([*known, *seeds], asked.processes, harsh)


def _trace(seed: int, harsh: Collection[Harsh]) -> int:
    result = History(seed, harsh).run()
    sys.stdout.writelines(f"{line}\n" for line in result.lines())
    return 1 if result.violation else 0


def _soak(seeds: list[int], processes: int, harsh: Collection[Harsh]) -> int:
    begun = time.monotonic()
    tally = _watched(run_on(processes, seeds, harsh), len(seeds))
    sys.stdout.writelines(f"{line}\n" for line in tally.lines())
    rate = len(seeds) / (time.monotonic() - begun)
    sys.stdout.write(f"{rate:.0f} histories a second on {processes} process{'es' * (processes > 1)}\n")
    if tally.broken:
        sys.stdout.writelines(f"{line}\n" for line in min(tally.broken, key=lambda result: result.seed).lines())
    return 1 if tally.broken else 0


def _watched(tallies: Iterable[Tally], all_of_them: int) -> Tally:
    """The last of them, and a line now and then for whoever waits."""
    told, broken, tally = time.monotonic(), 0, Tally()
    for tally in tallies:  # the last one is the result
        for result in tally.broken[broken:]:
            sys.stderr.write(f"seed {result.seed}: {result.violation}\n")
        broken = len(tally.broken)
        if time.monotonic() - told >= _REPORTED_SECONDS:
            told = time.monotonic()
            done = tally.counts["histories"]
            sys.stderr.write(f"{done:,} of {all_of_them:,} histories, {len(tally.broken)} broken\n")
    return tally


def _mutants() -> int:
    survivors = 0
    for mutant, killed in kill_all():
        survivors += killed is None
        fate = f"killed by history {killed.seed + 1:,}: {killed.violation}" if killed else "SURVIVES"
        sys.stdout.write(f"{mutant.name}\n    {fate}\n")
    sys.stdout.write(f"{survivors} of them survive\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
