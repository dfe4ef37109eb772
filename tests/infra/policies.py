"""IAM policies as JSON and a request in, whether AWS would let it pass out: as much of AWS's rules as our policies use.

An element or an operator that is not known here is an error, so that no policy says more than what is judged. The rules
are those of the IAM user guide: Policy evaluation logic, JSON policy elements.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Policy = Mapping[str, Any]
Verdict = Literal["allowed", "denied", "not allowed"]

ACCOUNT: Final = "123456789012"
ROOT: Final = f"arn:aws:iam::{ACCOUNT}:root"
_ASKED_FIRST: Final = ("kms:", "sts:")
_ELEMENTS: Final = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks for what, and what the request says besides: the condition keys that it has, in any case of letters."""

    action: str
    resource: str = "*"
    principal: tuple[str, str] = ("AWS", f"arn:aws:iam::{ACCOUNT}:role/somebody")
    context: Mapping[str, str] = field(default_factory=dict)


def judge(request: Request, identity: Iterable[Policy], resource: Policy | None = None) -> Verdict:
    """Denied where any policy denies it; allowed where the principal's own policies or the resource's allow it.

    A resource that allows the account leaves it to the principal's own policies. Keys and roles have to allow
    something themselves, a bucket has not.
    """
    own = [statement for policy in identity for statement in _statements(policy) if _applies(statement, request)]
    its = [s for s in _statements(resource or {}) if _is_about(s["Principal"], request) and _applies(s, request)]
    if any(statement["Effect"] == "Deny" for statement in (*own, *its)):
        return "denied"
    if request.action.startswith(_ASKED_FIRST) and not its:
        return "not allowed"
    by_name = [statement for statement in its if statement["Principal"] != {"AWS": ROOT}]
    return "allowed" if own or by_name else "not allowed"


def _statements(policy: Policy) -> Iterator[Mapping[str, Any]]:
    for statement in _listed(policy.get("Statement", ())):
        unknown = statement.keys() - _ELEMENTS
        if unknown or statement["Effect"] not in ("Allow", "Deny"):
            raise NotImplementedError(f"{sorted(unknown) or statement['Effect']} is not known to the evaluator")
        yield statement


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    actions = (action.lower() for action in _listed(statement["Action"]))
    return (
        any(_like(action, request.action.lower()) for action in actions)
        # a trust policy names no resource: it is that of the role
        and any(_like(resource, request.resource) for resource in _listed(statement.get("Resource", "*")))
        and all(_holds(*condition, request.context) for condition in _conditions(statement))
    )


def _is_about(principal: str | Mapping[str, Any], request: Request) -> bool:
    kind, name = request.principal
    if isinstance(principal, str):
        return principal == "*"
    named = _listed(principal.get(kind, ()))
    in_account = kind == "AWS" and ROOT in named and name.split(":")[4] == ACCOUNT
    return name in named or "*" in named or in_account


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, _listed(values)


def _holds(operator: str, key: str, values: Sequence[str], context: Mapping[str, str]) -> bool:
    """All conditions of a statement have to hold, and of the values of each one of them."""
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return any((found is None) == (value == "true") for value in values)
    if operator not in _OPERATORS:
        raise NotImplementedError(f"{operator} is not known to the evaluator")
    negated, compare = _OPERATORS[operator]
    if found is None:
        return negated
    return any(compare(value, found) for value in values) != negated


def _like(pattern: str, text: str) -> bool:
    """`*` is any text, `/` included, and `?` is one letter."""
    parts = (".*" if letter == "*" else "." if letter == "?" else re.escape(letter) for letter in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _equal(value: str, found: str) -> bool:
    return value == found


def _same_truth(value: str, found: str) -> bool:
    return value.lower() == found.lower()


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | Mapping) else list(value)


# What a key that the request has not makes of each: a comparison does not hold, its negation does.
_OPERATORS: Final[Mapping[str, tuple[bool, Callable[[str, str], bool]]]] = {
    "StringEquals": (False, _equal),
    "StringNotEquals": (True, _equal),
    "StringLike": (False, _like),
    "ArnEquals": (False, _like),
    "Bool": (False, _same_truth),
}
