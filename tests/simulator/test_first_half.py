"""Ten thousand histories; as many again run beside them, in another file and so on another core."""

from collections.abc import Callable

from tests.simulator.process import simulator


def test_every_history_is_sound(record_property: Callable[[str, object], None]) -> None:
    done = simulator("--from", "0", "--histories", "10000")
    record_property("told", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
