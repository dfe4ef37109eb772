"""What two versions of a model guarantee in, the changes between them out: constraints, tests, values, grants."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import msgspec

from registry_tools.checks.place import Place, differ
from registry_tools.mesh.change import Change
from registry_tools.mesh.public_model import Constraint, Promise

# A name with what is said of it: a column with its tests or its values, a privilege with its grantees.
Said: TypeAlias = Mapping[str, tuple[str, ...]]


def constraints(place: Place, old: tuple[Constraint, ...], new: tuple[Constraint, ...]) -> Iterator[Change]:
    """The changes of a model's or a column's constraints; one that has another name alone is the same one."""
    if old == new:
        return
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not gone and not come:
        listed = ([_promise(constraint) for constraint in constraints] for constraints in (old, new))
        yield place.change("guards-rewritten", *listed, exact=(old, new))
    partners: dict[Constraint, list[Constraint]] = defaultdict(list)
    for constraint in come.elements():
        partners[_nameless(constraint)].append(constraint)
    for constraint in gone.elements():
        if same := partners[_nameless(constraint)]:
            yield place.change("constraint-renamed", constraint.name, same.pop().name)
        else:
            yield place.change("constraint-removed", _promise(constraint), None)
    for left in partners.values():
        for constraint in left:
            yield place.change("constraint-added", None, _promise(constraint))


def _nameless(constraint: Constraint) -> Constraint:
    return msgspec.structs.replace(constraint, name=None)


def _promise(constraint: Constraint) -> str:
    """`primary_key (order_id)`, `foreign_key (product_id) to PROD.MARTS.PRODUCTS (product_id)`, `not_null`."""
    columns, there = (f" ({', '.join(c)})" if c else "" for c in (constraint.columns, constraint.to_columns))
    target = f" to {constraint.to}{there}" if constraint.to else there
    return f"{constraint.type}{columns}{target}"


def promises(place: Place, before: Promise, after: Promise, spelled: Mapping[str, str]) -> Iterator[Change]:
    """The changes of what is tested of a model's rows, and of those to whom its relation is granted.

    `spelled` are the columns whose names are now written in other cases, each with its name before.
    """
    if not differ(before, after):
        return
    yield from _tests(place, before.tests, _spelled(after.tests, spelled))
    yield from _accepted(place, before.accepted_values or {}, _spelled(after.accepted_values or {}, spelled))
    yield from _grants(place, before.grants or {}, after.grants or {})


def _spelled(said: Said, spelled: Mapping[str, str]) -> Said:
    return {spelled.get(column, column): values for column, values in said.items()}


def _tests(place: Place, before: Said, after: Said) -> Iterator[Change]:
    old, new = (Counter((column, t) for column, tests in all_.items() for t in tests) for all_ in (before, after))
    if old == new and differ(before, after):
        yield place.change("guards-rewritten", before, after)
    for column, test in (old - new).elements():
        yield replace(place, column=column).change("test-removed", test, None)
    for column, test in (new - old).elements():
        yield replace(place, column=column).change("test-added", None, test)


def _accepted(place: Place, before: Said, after: Said) -> Iterator[Change]:
    """In numbers: what the values are is not published."""
    for column in before.keys() | after.keys():
        was, now = before.get(column), after.get(column)
        if differ(was, now):
            old, new = set(was or ()), set(now or ())
            rule = "guards-rewritten" if was is not None and old == new else "accepted-values-changed"
            told = (_sum(was, old - new, "gone"), _sum(now, new - old, "new"))
            yield replace(place, column=column).change(rule, *told, exact=(was, now))


def _sum(values: tuple[str, ...] | None, others: set[str], are: str) -> str | None:
    """`3 values, 1 of them gone`."""
    if values is None:
        return None
    count = len(set(values))  # other hands may have listed one twice
    counted = "1 value" if count == 1 else f"{count} values"
    return counted + (f", {len(others)} of them {are}" if 0 < len(others) < count else "")


def _grants(place: Place, before: Said, after: Said) -> Iterator[Change]:
    """One change, in numbers: who the grantees are is not published."""
    if not differ(before, after):
        return
    old, new = ({(privilege, to) for privilege, all_ in said.items() for to in all_} for said in (before, after))
    rule = "grants-reduced" if old - new else "grants-widened" if new - old else "guards-rewritten"
    yield place.change(rule, *map(_counted, (before, after)), exact=(before, after))


def _counted(said: Said) -> str:
    """`select to 2`."""
    return ", ".join(f"{privilege} to {len(to)}" for privilege, to in sorted(said.items()))
