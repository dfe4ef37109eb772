"""A classified change in, what it does to a node that reads the model out, by how the node reads it.

A node is reached where it names the column, where it carries whole rows (mesh.usage.Whole), and where a name in its SQL
means something else; where nobody knows how it reads, it may be any of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from registry_tools.mesh.change import Change
from registry_tools.mesh.datatypes import relation_of
from registry_tools.mesh.impact import EFFECTS, Effect, Reason
from registry_tools.mesh.usage import Read, Whole
from registry_tools.mesh.verdict import Classified

_CARRIED: Final[Mapping[Whole, str]] = {
    "position": "by-position",
    "contract": "own-contract",
    "output": "whole-row",
    "value": "whole-row",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is done to one node, how that is known (an id of mesh.impact.REASONS), and on which line it shows."""

    effect: Effect
    rule: str
    line: int = 0
    told: str = ""

    def at(self, read: Read, model: str, column: str | None = None, through: tuple[str, ...] = ()) -> Reason:
        """The same as a reason, for this node and what it reads."""
        return Reason(
            effect=self.effect,
            rule=self.rule,
            node=read.node,
            model=model,
            column=column,
            path=read.path,
            line=self.line,
            through=through,
            told=self.told,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Force:
    """What a change of a model's columns does to who names the column, to who gives its name another meaning, and to
    who carries whole rows; nothing to everybody else.
    """

    named: Effect = "UNAFFECTED"
    taken: Effect = "UNAFFECTED"
    whole: Mapping[Whole, Effect] = field(default_factory=dict)

    def on(self, read: Read, spelled: str | None, *, takes: bool = False) -> Found | None:
        """The worst that it does to the node; `spelled` is how the node's read has the column, if it names it, and
        `takes` whether the column's name means something else there.
        """
        found = [Found(effect=self.taken, rule="takes-name", line=read.line)] if takes else []
        if spelled is not None:
            found.append(Found(effect=self.named, rule="reads-column", line=read.line_of(spelled)))
        found += [
            Found(effect=self.whole.get(whole, "UNAFFECTED"), rule=_CARRIED[whole], line=read.line)
            for whole in sorted(read.whole)
        ]
        if read.is_every:
            found.append(unknown(read))
        worst = min(found, key=lambda each: EFFECTS.index(each.effect), default=None)
        return None if worst is None or worst.effect == "UNAFFECTED" else worst


def unknown(read: Read) -> Found:
    """What can be said of a node whose columns nobody knows."""
    rule = "unread" if read.unread else "not-recorded"
    return Found(effect="UNKNOWN", rule=rule, line=read.line, told=read.unread)


# A column is gone, or what it holds cannot be used as what it held.
_GONE: Final = Force(
    named="BROKEN", whole={"position": "BROKEN", "contract": "BROKEN", "output": "AFFECTED", "value": "AFFECTED"}
)
# The warehouse stores its name otherwise: rows keep their columns and the order of them, and values what they are.
_RENAMED: Final = Force(named="BROKEN", whole={"contract": "BROKEN", "output": "AFFECTED", "position": "AFFECTED"})
# A column is new.
_COME: Final = Force(
    taken="BROKEN", whole={"position": "BROKEN", "contract": "BROKEN", "output": "AFFECTED", "value": "AFFECTED"}
)
# The columns stand in another order: dbt matches those of a contract by their names.
_ORDER: Final = Force(whole={"position": "BROKEN", "output": "AFFECTED", "value": "AFFECTED"})
# A column takes more than it did: only who promised the old type to others has to say so.
_WIDER: Final = Force(whole={"contract": "AFFECTED"})
# A column is there, and what it holds may be something else.
_OTHER: Final = Force(
    named="AFFECTED",
    whole={"position": "AFFECTED", "contract": "AFFECTED", "output": "AFFECTED", "value": "AFFECTED"},
)
# A column of another model is made of one that goes or changes: what it holds is stale, or something else.
MADE_OF: Final = _OTHER

# The name that the warehouse stores is another one, where these are BREAKING.
_SPELLING: Final = ("column-case-changed", "column-quoting-changed")


def force_of(classified: Classified, adapter: str) -> Force | None:
    """The force of a change of columns on this adapter; None for one that does nothing to anybody, and for one of the
    whole model.
    """
    rule = classified.change.rule
    if rule == "column-added":
        return _COME
    if rule == "columns-reordered":
        return _ORDER
    if classified.kind == "SAFE":
        return _WIDER if rule == "column-type-changed" and _is_wider(classified.change, adapter) else None
    if classified.change.column is None:
        return None
    if classified.kind == "BREAKING" and rule.startswith("column-"):
        return _RENAMED if rule in _SPELLING else _GONE
    return _OTHER


def _is_wider(change: Change, adapter: str) -> bool:
    return relation_of(change.before or "", change.after or "", adapter) == "wider"
