"""A history of overlapping calls and a sequential model in, whether some order of the calls explains all answers out.

Wing and Gong's search (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory of what was tried: call by
call, whatever may come next by real time is tried on the model. It knows nothing of the registry's log.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

NEVER: Final = 1 << 60

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call between two moments. One that never returned may have had its effect at any time since, or never."""

    act: str
    argument: str = ""
    answer: object = None
    began: int
    ended: int = NEVER

    @property
    def returned(self) -> bool:
        """Whether its answer is known."""
        return self.ended != NEVER


def is_linearizable(calls: Sequence[Call], apply: Callable[[State, Call], State | None], start: State) -> bool:
    """Whether the calls can be put in an order that real time allows and in which `apply` accepts every answer.

    `apply` gives the state after a call, or None when the call cannot have been answered so in that state.
    """
    must = sum(1 << i for i, call in enumerate(calls) if call.returned)
    tried: set[tuple[int, State]] = set()

    def search(done: int, state: State) -> bool:
        if done & must == must:
            return True
        if (done, state) in tried:
            return False
        tried.add((done, state))
        waiting = [(i, call) for i, call in enumerate(calls) if not done >> i & 1]
        first_end = min(call.ended for _, call in waiting)
        for i, call in waiting:
            if call.began < first_end:
                after = apply(state, call)
                if after is not None and search(done | 1 << i, after):
                    return True
        return False

    return search(0, start)


# What was done, to which publication, which one readers get after it, and since which entry.
Entry = tuple[str, str, str, int]
Entries = tuple[Entry, ...]


START: Final[Entries] = ()


def register_with_log(state: Entries, call: Call) -> Entries | None:
    """The registry in one place and one thread: what was published, rolled back, withdrawn, in order.

    Publishing answers with a number, and what is published already keeps its number. Reading and rolling back answer
    with what is current then, and asking for what holds already changes nothing.
    """
    if call.act == "publish":
        known = next((n for n, entry in enumerate(state, 1) if entry[:2] == ("publish", call.argument)), None)
        n = len(state) + 1
        if call.returned and call.answer != (known or n):
            return None
        return state if known else (*state, ("publish", call.argument, call.argument, n))
    after = _after(state, call)
    if after is None or not call.returned or call.act not in {"read", "rollback"}:
        return after
    return after if call.answer == (_current(after) if after else (0, None)) else None


def _current(state: Entries) -> tuple[int, str]:
    return state[-1][3], state[-1][2]


def _after(state: Entries, call: Call) -> Entries | None:
    if call.act == "read":
        return state
    if not state:
        return None
    made, current = _current(state)
    if call.act == "rollback" and current != call.argument:
        made, current = len(state) + 1, call.argument
    elif call.act == "rollback" or (call.act != "expire" and (call.act, call.argument) in {e[:2] for e in state}):
        return state
    elif call.act == "yank" and current == call.argument:
        gone = {about for act, about, _, _ in state if act == "yank"} | {current}
        before = next((entry[2] for entry in reversed(state) if entry[2] not in gone), None)
        if before is None:
            return None
        made, current = len(state) + 1, before
    return (*state, (call.act, call.argument, current, made))
