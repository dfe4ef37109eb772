"""The checker tells histories that one order explains from those that none does; it is told so by hand here."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.linearizability import NEVER, START, Call, Entries, is_linearizable, register_with_log


def call(act: str, argument: str, answer: object, began: int, ended: int = NEVER) -> Call:
    return Call(act=act, argument=argument, answer=answer, began=began, ended=ended)


def publish(name: str, n: int | None, began: int, ended: int = NEVER) -> Call:
    return call("publish", name, n, began, ended)


def read(n: int, name: str | None, began: int, ended: int) -> Call:
    return call("read", "", (n, name), began, ended)


def explained(*calls: Call) -> bool:
    return is_linearizable(calls, register_with_log, START)


SOUND: dict[str, Sequence[Call]] = {
    "nothing at all": [],
    "one after the other": [publish("a", 1, 1, 2), read(1, "a", 3, 4), publish("b", 2, 5, 6), read(2, "b", 7, 8)],
    "a read beside a publication sees it": [publish("a", 1, 1, 4), read(1, "a", 2, 3)],
    "a read beside a publication does not see it": [publish("a", 1, 1, 4), read(0, None, 2, 3)],
    "two at once, in either order": [publish("a", 2, 1, 4), publish("b", 1, 2, 3)],
    "the second run of a job is told the number of the first": [publish("a", 1, 1, 2), publish("a", 1, 3, 4)],
    "no answer, and it happened": [publish("a", None, 1), read(1, "a", 2, 3)],
    "no answer, and it never happened": [publish("a", None, 1), read(0, None, 2, 3), read(0, None, 4, 5)],
    "no answer, and it happens later": [publish("a", None, 1), read(0, None, 2, 3), read(1, "a", 4, 5)],
    "a rollback leads back": [
        publish("a", 1, 1, 2),
        publish("b", 2, 3, 4),
        call("rollback", "a", (3, "a"), 5, 6),
        read(3, "a", 7, 8),
    ],
    "a rollback to what is current changes nothing": [
        publish("a", 1, 1, 2),
        call("rollback", "a", (1, "a"), 3, 4),
        read(1, "a", 5, 6),
    ],
    "a withdrawal of what is current leads to what was there before": [
        publish("a", 1, 1, 2),
        publish("b", 2, 3, 4),
        call("yank", "b", (3, "a"), 5, 6),
    ],
    "a withdrawal of something else leaves what is current, and takes a number": [
        publish("a", 1, 1, 2),
        publish("b", 2, 3, 4),
        call("yank", "a", (2, "b"), 5, 6),
        publish("c", 4, 7, 8),
    ],
}
BROKEN: dict[str, Sequence[Call]] = {
    "a stale read": [publish("a", 1, 1, 2), read(0, None, 3, 4)],
    "reads that go back": [publish("a", None, 1), read(1, "a", 2, 3), read(0, None, 4, 5)],
    "a publication that is lost": [publish("a", 1, 1, 2), publish("b", 1, 3, 4)],
    "a publication that is there twice": [publish("a", 1, 1, 2), publish("a", 2, 3, 4)],
    "one number for two": [publish("a", 1, 1, 4), publish("b", 1, 2, 3)],
    "a number that nobody has": [publish("a", 2, 1, 2)],
    "something that nobody published": [publish("a", 1, 1, 2), read(1, "b", 3, 4)],
    "out of order": [publish("a", 2, 1, 2), publish("b", 1, 3, 4)],
    "two readers see two orders": [
        publish("a", None, 1),
        publish("b", None, 2),
        read(1, "a", 3, 4),
        read(2, "b", 5, 6),
        read(1, "b", 7, 8),
    ],
    "one rollback that happens twice": [
        publish("a", 1, 1, 2),
        publish("b", 2, 3, 4),
        call("rollback", "a", (5, "a"), 5, 12),
        read(3, "a", 6, 7),
        publish("c", 4, 8, 9),
        read(5, "a", 10, 11),
    ],
    "a rollback that leads nowhere": [publish("a", 1, 1, 2), call("rollback", "a", (2, "a"), 3, 4)],
    "a withdrawal that leaves what it withdraws": [
        publish("a", 1, 1, 2),
        publish("b", 2, 3, 4),
        call("yank", "b", None, 5, 6),
        read(2, "b", 7, 8),
    ],
    "a withdrawal of the only one": [publish("a", 1, 1, 2), call("yank", "a", (2, "a"), 3, 4)],
}


@pytest.mark.parametrize("name", SOUND)
def test_what_one_order_explains(name: str) -> None:
    assert explained(*SOUND[name])


@pytest.mark.parametrize("name", BROKEN)
def test_what_no_order_explains(name: str) -> None:
    assert not explained(*BROKEN[name])


def by_force(calls: Sequence[Call]) -> bool:
    """The definition itself: every order of every choice of the calls without an answer."""
    for order in permutations(range(len(calls))):
        for length in range(len(order) + 1):
            chosen = [calls[i] for i in order[:length]]
            left = [calls[i] for i in order[length:]]
            in_time = all(chosen[j].ended >= chosen[i].began for i in range(length) for j in range(i + 1, length))
            if in_time and not any(one.returned for one in left) and _replayed(chosen):
                return True
    return False


def _replayed(calls: Sequence[Call]) -> bool:
    state: Entries | None = ()
    for one in calls:
        state = register_with_log(state, one) if state is not None else None
    return state is not None


@st.composite
def histories(draw: Any) -> list[Call]:
    """Up to five calls at random moments with random answers; about a third of them can be explained."""
    moments = draw(st.permutations(range(10)))
    calls = []
    for i in range(draw(st.integers(1, 5))):
        began, ended = sorted(moments[2 * i : 2 * i + 2])
        name, n = draw(st.sampled_from("ab")), draw(st.integers(1, 2))
        act = draw(st.sampled_from(["publish", "publish", "read", "rollback"]))
        answer: object = n if act == "publish" else draw(st.sampled_from([(n, name), (0, None)]))
        gone = act != "read" and draw(st.integers(0, 3)) == 0
        calls.append(call(act, name, None if gone else answer, began, NEVER if gone else ended))
    return calls


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(histories())
def test_it_agrees_with_the_definition(calls: list[Call]) -> None:
    assert is_linearizable(calls, register_with_log, START) == by_force(calls)
