"""What is counted is told, and what broke once is run first."""

from collections import Counter
from pathlib import Path

import pytest

from tests.simulator import soak
from tests.simulator.history import Result
from tests.simulator.soak import Tally, known_seeds


def test_seeds_that_broke_are_read_without_their_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "seeds.txt"
    path.write_text("# why\n12  # it was lost\n\n7\n")
    monkeypatch.setattr(soak, "SEEDS", path)
    assert known_seeds() == [12, 7]


def test_the_file_of_seeds_can_be_read() -> None:
    assert all(seed >= 0 for seed in known_seeds())


def test_the_table_names_every_broken_history() -> None:
    tally = Tally()
    for seed, violation in ((1, None), (2, "it was lost")):
        result = Result(seed, Counter(histories=1), Counter(DROPPED=3), violation, [])
        tally.add(Tally(counts=result.counts, faults=result.faults, broken=[result] if violation else []))
    told = "\n".join(tally.lines())
    assert "histories" in told
    assert "dropped 6" in told
    assert told.endswith("seed 2: it was lost")
