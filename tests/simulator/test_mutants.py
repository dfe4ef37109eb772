"""The simulator sees every mistake that it is there for."""

from collections.abc import Callable

import pytest

from registry_tools.registry.log import Log
from tests.simulator.mistakes import MUTANTS
from tests.simulator.mutants import Edit, Mutant
from tests.simulator.process import simulator


def test_every_mutant_is_killed(record_property: Callable[[str, object], None]) -> None:
    done = simulator("--mutants")
    record_property("told", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("killed by history") == len(MUTANTS) >= 10


def test_a_mutant_whose_line_is_gone_does_not_pass_for_one() -> None:
    gone = Mutant("gone", (Edit(Log, "append", "a line that nobody wrote", ""),))
    with pytest.raises(LookupError, match="0 times in append"), gone.alive():
        pass


def test_the_product_is_itself_again_afterwards() -> None:
    sound = Log.append
    with next(mutant for mutant in MUTANTS if mutant.name == "old records are deleted").alive():
        assert Log.append is not sound
    assert Log.append is sound
