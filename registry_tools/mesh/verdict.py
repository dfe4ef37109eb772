"""What a check comes to: every change with its class, whom it hurts, whether it may go on, and what to do instead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from registry_tools.mesh.change import Change
from registry_tools.mesh.impact import EFFECTS, Effect, Impact
from registry_tools.mesh.publication import Approval

# BREAKING: SQL of a consumer may not compile or read the wrong thing. DANGEROUS: it compiles, and its result may be
# another one. SAFE: neither.
Class = Literal["BREAKING", "DANGEROUS", "SAFE"]
CLASSES: Final[tuple[Class, ...]] = ("BREAKING", "DANGEROUS", "SAFE")

# What a mode refuses is tabled in docs/rules.md.
Mode = Literal["off", "consumers", "consumers-strict", "contract", "frozen"]
MODES: Final[tuple[Mode, ...]] = ("off", "consumers", "consumers-strict", "contract", "frozen")

# Whose usage counts: what each consumer has now, or also the publications that consumers have pinned.
Reach = Literal["current", "supported"]
REACHES: Final[tuple[Reach, ...]] = ("current", "supported")
# What becomes of a change of which nobody knows what it does to a consumer.
Unknown = Literal["refuse", "allow"]
UNKNOWNS: Final[tuple[Unknown, ...]] = ("refuse", "allow")

# The name of the older interface where nothing is published yet.
NOTHING: Final = "nothing"

Outcome = Literal["allowed", "approved", "unknown", "refused"]
Answer = Literal["yes", "unknown", "no"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """A change with its class, the line of the compatibility table that says so (`C01`), and a sentence for people."""

    change: Change
    kind: Class
    code: str
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """A way to do what was meant without hurting anybody: a sentence, and the text to paste or type for it."""

    way: Literal["deprecate", "add-version", "alias", "approve", "talk"]
    says: str
    paste: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A change with what it does to every consumer that it reaches, and whether it may go on in its mode.

    `kind` is the class that the evidence bears out: a change that is SAFE by its nature and breaks a consumer's SQL
    is BREAKING. `because` says in a sentence why it may go on or may not.
    """

    classified: Classified
    kind: Class
    mode: Mode
    outcome: Outcome
    because: str
    impacts: tuple[Impact, ...] = ()
    approval: Approval | None = None
    advice: tuple[Advice, ...] = ()

    @property
    def change(self) -> Change:
        """The change itself."""
        return self.classified.change

    @property
    def effect(self) -> Effect:
        """The worst that it does to anybody."""
        return min((impact.effect for impact in self.impacts), key=EFFECTS.index, default="UNAFFECTED")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A consumer that was looked at, in which environment, and what is known of its reads.

    `nodes` and `unread` count its nodes that read this upstream, and those of them whose SQL could not be read;
    `verified` says whether its whole SQL was compiled again (`--compile`), and `why_not` what stood in the way.
    """

    consumer: str
    environment: str
    nodes: int
    unread: int
    owner: Mapping[str, str]
    verified: bool = False
    why_not: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer to "can I publish?", with everything that it rests on, sorted: refused changes first.

    `old` and `new` are the names of the two interfaces; `notices` are what to know besides, such as approvals that
    run out.
    """

    project: str
    environment: str
    old: str
    new: str
    answer: Answer
    judged: tuple[Judged, ...]
    readers: tuple[Reader, ...]
    notices: tuple[str, ...] = ()
