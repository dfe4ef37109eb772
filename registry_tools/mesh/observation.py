"""What was looked at, what was seen, and what to do about it: one line of an examination."""

from dataclasses import dataclass
from typing import Literal

# `note` is something to know that asks for nothing; `warning` may hurt later; `error` hurts now.
Verdict = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """`check` is a stable name for programs, `what` is for people. `then` is empty where nothing has to be done."""

    area: str
    check: str
    verdict: Verdict
    what: str
    then: str = ""
