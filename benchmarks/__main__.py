"""Sizes in, the table of speeds against their targets out: `python -m benchmarks`."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.check_measures import check_rows
from benchmarks.dbt_measures import dbt_rows
from benchmarks.measures import Row, rows
from benchmarks.timing import Measured
from benchmarks.trust_measures import trust_rows
from benchmarks.usage_measures import usage_rows
from benchmarks.workshop import NotMeasurableError, Workshop

_WIDTHS = (74, 10, 15, 5)


def main() -> int:
    """0 when every target is reached within its row's stated noise, 1 when one is missed, 2 when asked wrongly."""
    options = _options()
    chosen = [row for row in _all_rows(options) if not options.only or options.only in row.name]
    if not chosen:
        print(f"no row is called {options.only}; there is {', '.join(row.name for row in _all_rows(options))}")
        return 2
    _show("measure", "must reach", "measured", "", "medians of both sides, and their peaks of memory")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, Workshop(Path(folder), runs=options.runs) as shop:
        for row in chosen:
            try:
                measured = row.measure(shop)
            except NotMeasurableError as error:
                _show(row.says, _number(row.target, row.unit), "not measured", "", str(error))
                continue
            verdict = judge(row.target, measured)
            missed += verdict == "no"
            reached = f"{_number(measured.value, row.unit)} ±{measured.noise:.2f}"
            _show(row.says, _number(row.target, row.unit), reached, verdict, f"[{row.name}] {measured.detail}")
    return 1 if missed else 0


def judge(target: float | None, measured: Measured) -> str:
    """yes, no, or `noise` for what is missed by less than the noise that was measured; nothing without a target."""
    if target is None:
        return ""
    if measured.value <= target:
        return "yes"
    return "no" if measured.value > target + measured.noise else "noise"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--models", default="1000,10000", help="sizes of manifests, the largest for all but extraction")
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs for each row")
    parser.add_argument("--only", default="", metavar="NAME", help="rows whose name (in brackets) holds this")
    parser.add_argument("--dbt", action="store_true", help="also measure dbt parse with dbt-loom, which takes minutes")
    return parser.parse_args()


def _all_rows(options: argparse.Namespace) -> Iterator[Row]:
    counts = [int(each) for each in options.models.split(",")]
    yield from rows(counts)
    yield from usage_rows()
    yield from trust_rows(max(counts))
    yield from check_rows(max(counts))
    if options.dbt:
        yield from dbt_rows(min(counts), max(counts))


def _number(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.2f}{unit}"


def _show(*cells: str) -> None:
    padded = [cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    print(" ".join([*padded, *cells[len(_WIDTHS) :]]).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
