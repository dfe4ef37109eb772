"""How far some work is, for whoever waits for it: how much is done, and of how much."""

from collections.abc import Callable

Told = Callable[[int, int], None]


def unheard(_done: int, _total: int) -> None:
    """What is told where nobody listens."""
