"""What two versions of a model or a column say in meta and tags in, the changes between them out, each under its rule.

Most of it is for people. Some of it is a promise (freshness, which rows), and some marks data that need protection.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from registry_tools.checks.admission import without_consumers
from registry_tools.checks.place import Place, differ, where_they_differ
from registry_tools.mesh.change import Change

# Words of a tag or of a meta key by which personal, secret and masked data are commonly marked: `contains_pii`,
# `masking_policy`, `pii:email`.
PROTECTED: Final = frozenset(
    {"classification", "confidential", "confidentiality", "gdpr", "hipaa", "mask", "masked", "masking", "pci"}
    | {"personal", "phi", "pii", "privacy", "restricted", "sensitive", "sensitivity"}
)
_POLICIES: Final = re.compile(r"(?:policy|aggregation|projection|row[_ -]?access)[_ -]?(?:tag|policy)", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

_FRESHNESS: Final = frozenset({"freshness", "loaded_at_field"})
# In the order in which they are told; what is in none of them is for people.
_RULES: Final = ("freshness-changed", "rows-narrowed", "protection-changed", "meta-changed")


def meta_changes(place: Place, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The changes of a meta mapping, but for the consumers that it names (checks.admission)."""
    if not before and not after:
        return
    was, now = _split(without_consumers(before)), _split(without_consumers(after))
    for rule in _RULES:
        stood, stands = was[rule], now[rule]
        if differ(stood, stands):
            told = (side.get("rows") for side in (stood, stands)) if rule == "rows-narrowed" else None
            yield place.change(rule, *(told or where_they_differ(stood, stands)), exact=(stood, stands))


def tag_changes(place: Place, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Change]:
    """The changes of tags: of those that mark protected data under a rule of their own."""
    if before == after:
        return
    (were, was), (are, now) = (_parted(tags) for tags in (before, after))
    if were != are:
        yield place.change("protection-changed", were, are)
    if was != now or were == are:  # or they are the same ones in another order
        yield place.change("tags-changed", was, now, exact=(before, after))


def _parted(tags: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Those that mark protected data, and the others."""
    protecting = [tag for tag in tags if _protects(tag)]
    return protecting, [tag for tag in tags if tag not in protecting]


def _split(meta: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The meta under the rule by which each entry is judged; `mesh`, which is ours, entry by entry."""
    found: dict[str, dict[str, Any]] = {rule: {} for rule in _RULES}
    for key, value in meta.items():
        if key == "mesh" and isinstance(value, Mapping) and value:
            for name, entry in value.items():
                found[_rule(name)].setdefault("mesh", {})[name] = entry
        else:
            found["protection-changed" if _protects(key) else "meta-changed"][key] = value
    # of these, whoever reads the report knows where they stand
    for rule in ("freshness-changed", "rows-narrowed"):
        found[rule] = found[rule].get("mesh", {})
    return found


def _rule(name: str) -> str:
    if name in _FRESHNESS:
        return "freshness-changed"
    if name == "rows":
        return "rows-narrowed"
    return "protection-changed" if _protects(name) else "meta-changed"


def _protects(text: str) -> bool:
    words = {word.lower() for word in _WORD.findall(text)}
    return not words.isdisjoint(PROTECTED) or _POLICIES.search(text) is not None
