"""A name and a consumer's rules in (`DBT_UP_PROD: SHARED_UP`, `DBT_UP_*: SHARED_*`), the name that it has here out."""

from collections.abc import Mapping
from typing import Final

ANY: Final = "*"


def rule_for(name: str, rules: Mapping[str, str]) -> str | None:
    """The rule that renames `name`: the one that is the name itself, else the pattern with the most characters.

    Of patterns that are equally long, the one that is written first. Case counts: names are as the warehouse stores
    them. None where no rule fits.
    """
    if name in rules:
        return name
    return max((rule for rule in rules if fits(rule, name)), key=len, default=None)


def fits(rule: str, name: str) -> bool:
    """Whether the rule is about `name`; its `*` stands for any characters, or for none."""
    start, star, end = rule.partition(ANY)
    if not star:
        return rule == name
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)


def renamed(name: str, rules: Mapping[str, str]) -> str:
    """The name here; itself where no rule fits."""
    rule = rule_for(name, rules)
    if rule is None:
        return name
    start, star, end = rule.partition(ANY)
    between = name[len(start) : len(name) - len(end)] if star and rule != name else ""
    return rules[rule].replace(ANY, between)
