"""An expression of GitHub's workflows and its contexts in, its value out.

The part of https://docs.github.com/actions/reference/workflows-and-actions/expressions that our workflows use; anything
else is an error, so that nobody relies on what was never run.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!()\[\].,*]))"
)
_WORDS: Final = {"true": True, "false": False, "null": None}
_STATUS: Final = ("always", "success", "failure", "cancelled")
_WHOLE: Final = re.compile(r"\s*\$\{\{(.*?)\}\}\s*", re.DOTALL)
_PART: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Contexts = Mapping[str, Any]


def interpolated(text: str, contexts: Contexts) -> str:
    """The text with the value of each `${{ }}` in its place."""
    return _PART.sub(lambda found: written(evaluate(found[1], contexts)), text)


def value_of(text: Any, contexts: Contexts) -> Any:
    """What a key of the workflow means: the value itself, where it is one expression and nothing else."""
    if not isinstance(text, str):
        return text
    whole = _WHOLE.fullmatch(text) if text.count("${{") == 1 else None
    return evaluate(whole[1], contexts) if whole else interpolated(text, contexts)


def holds(condition: Any, contexts: Contexts) -> bool:
    """Whether an `if` lets its job or step run: without a status function, only while everything went well."""
    if condition is None:
        condition = "success()"
    if isinstance(condition, bool):
        condition = str(condition).lower()
    whole = _WHOLE.fullmatch(condition)
    expression = whole[1] if whole else condition
    if not re.search(rf"\b(?:{'|'.join(_STATUS)})\(\)", expression):
        expression = f"success() && ({expression})"
    return truth(evaluate(expression, contexts))


def evaluate(expression: str, contexts: Contexts) -> Any:
    """The value of what stands between the braces."""
    parser = _Parser(expression, contexts)
    value = parser.either()
    parser.expect_end()
    return value


def truth(value: Any) -> bool:
    return not (value is None or value == "" or value is False or value == 0)


def written(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Parser:
    """Reads and evaluates at once; what `&&` and `||` leave out has no effect that would have to be held back."""

    def __init__(self, expression: str, contexts: Contexts) -> None:
        self._tokens = list(_tokens(expression))
        self._contexts = contexts
        self._at = 0

    def either(self) -> Any:
        value = self._both()
        while self._took("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._took("&&"):
            other = self._compared()
            value = other if truth(value) else value
        return value

    def _compared(self) -> Any:
        value = self._single()
        for sign, wanted in (("==", True), ("!=", False)):
            if self._took(sign):
                return _alike(value, self._single()) is wanted
        return value

    def _single(self) -> Any:
        if self._took("!"):
            return not truth(self._single())
        if self._took("("):
            value = self.either()
            self._need(")")
            return value
        kind, token = self._next()
        if kind == "name" and token not in _WORDS:
            return self._called(token) if self._took("(") else self._reached(token)
        return _literal(kind, token)

    def _called(self, name: str) -> Any:
        arguments = []
        while not self._took(")"):
            arguments.append(self.either())
            self._took(",")
        if name in _STATUS:
            return _status(name, self._contexts)
        return _FUNCTIONS[name](*arguments)

    def _reached(self, name: str) -> Any:
        if name not in self._contexts:
            raise LookupError(f"there is no context {name!r} here")
        value = self._contexts[name]
        while self._took("."):
            kind, key = self._next()
            if key == "*":
                self._need(".")
                _, key = self._next()
                value = [entry.get(key) for entry in value.values()]
                continue
            if kind != "name":
                raise SyntaxError(f"{key!r} is no key")
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def expect_end(self) -> None:
        if self._at != len(self._tokens):
            raise SyntaxError(f"{self._tokens[self._at][1]!r} is one too many")

    def _took(self, sign: str) -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)
        self._at += taken
        return taken

    def _need(self, sign: str) -> None:
        if not self._took(sign):
            raise SyntaxError(f"{sign!r} is missing")

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    at = 0
    while expression[at:].strip():
        found = _TOKEN.match(expression, at)
        if not found or not found.lastgroup:
            raise SyntaxError(f"{expression[at:].strip()!r} is not understood")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _literal(kind: str, token: str) -> Any:
    match kind:
        case "text":
            return token[1:-1].replace("''", "'")
        case "number":
            return int(token)
        case "name":
            return _WORDS[token]
    raise SyntaxError(f"{token!r} is not where a value begins")


def _status(name: str, contexts: Contexts) -> bool:
    failed: bool = contexts["job"]["status"] == "failure"
    values = {"always": True, "success": not failed, "failure": failed, "cancelled": False}
    return values[name]


def _alike(one: Any, other: Any) -> bool:
    """GitHub's loose equality: texts without regard to case, and numbers where the types differ."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"-?\d+(?:\.\d+)?", value) else (math.nan if value else 0.0)
    return float(value or 0)


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_alike(entry, what) for entry in where)
    return written(what).lower() in written(where).lower()


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "contains": _contains,
    "format": lambda text, *values: re.sub(r"\{(\d+)\}", lambda found: written(values[int(found[1])]), text),
    "fromJSON": json.loads,
    "join": lambda values, between=",": between.join(map(written, values)),
}
