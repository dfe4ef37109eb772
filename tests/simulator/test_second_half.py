"""The other ten thousand histories, and what holds of any: the same seed is the same history."""

from collections.abc import Callable

from tests.simulator.process import simulator


def test_every_history_is_sound(record_property: Callable[[str, object], None]) -> None:
    done = simulator("--from", "10000", "--histories", "10000")
    record_property("told", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_is_a_history_byte_for_byte() -> None:
    """In another process, where strings have other hashes, the same requests meet the same fates."""
    once, again = (simulator("--histories", "200", "--trace", PYTHONHASHSEED=hashes) for hashes in ("1", "2"))
    assert once.returncode == 0
    assert once.stdout.count("seed ") == 200
    assert once.stdout == again.stdout
