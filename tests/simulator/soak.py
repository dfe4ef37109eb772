"""Seeds in, one table of counts and the broken histories out, on as many processes as there are to use."""

import multiprocessing
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.simulator.fates import Harsh
from tests.simulator.history import History, Result
from tests.simulator.mistakes import MUTANTS
from tests.simulator.mutants import Mutant

SEEDS: Final = Path(__file__).with_name("seeds.txt")
WITHIN: Final = 2_000  # histories in which a mutant must be killed
_BATCH: Final = 250


@dataclass(slots=True)
class Tally:
    """What many histories came to."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[Result] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count these too."""
        self.counts += other.counts
        self.faults += other.faults
        self.broken += other.broken

    def lines(self) -> Iterator[str]:
        """The table."""
        for what in ("histories", "operations", "requests", "faults", "acknowledged", "reads", "linearizable"):
            yield f"{what:14}{self.counts[what]:>14,}"
        yield f"{'violations':14}{len(self.broken):>14,}"
        yield "faults: " + ", ".join(f"{name.lower()} {number:,}" for name, number in sorted(self.faults.items()))
        for result in self.broken:
            yield f"seed {result.seed}: {result.violation}"


def known_seeds() -> list[int]:
    """The seeds that once broke a promise; they come first."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]


def run(seeds: Iterable[int], harsh: Collection[Harsh] = ()) -> Tally:
    """The histories of these seeds, here."""
    tally = Tally()
    for seed in seeds:
        result = History(seed, harsh).run()
        tally.counts += result.counts
        tally.faults += result.faults
        tally.broken += [result] if result.violation else []
    return tally


def run_on(processes: int, seeds: Sequence[int], harsh: Collection[Harsh] = ()) -> Iterator[Tally]:
    """The same on so many processes; the tally so far after every batch."""
    tally = Tally()
    batches = (seeds[start : start + _BATCH] for start in range(0, len(seeds), _BATCH))
    work = partial(run, harsh=tuple(harsh))
    with ExitStack() as stack:
        pool = stack.enter_context(multiprocessing.Pool(processes)) if processes > 1 else None
        done = pool.imap_unordered(work, batches) if pool else map(work, batches)
        for batch in done:
            tally.add(batch)
            yield tally


def kill(mutant: Mutant, within: int = WITHIN) -> Result | None:
    """The first history that shows the mistake, or None when all of them look sound.

    Raises ValueError for a mutant that cannot even run: whatever that shows, it is not the mistake.
    """
    with mutant.alive():
        results = (History(seed).run() for seed in range(within))
        found = next((result for result in results if result.violation), None)
    if found is not None and found.failed:
        raise ValueError(f"{mutant.name}: {found.violation}")
    return found


def kill_all() -> Iterator[tuple[Mutant, Result | None]]:
    """Every mutant with the history that killed it."""
    return ((mutant, kill(mutant)) for mutant in MUTANTS)
