"""The text of a dbt file in, the calls of `ref` and `source` that stand in it out, each with its place.

Nothing is rendered: a call counts where Jinja or Python would see code, whether or not it is ever reached, and what is
computed when dbt runs is said to be unknown.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Way = Literal["ref", "source"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call: its positional arguments and its version, each None where it is not a literal, and its offset.

    `version` is empty where none is written. `complete` is False where not even the number of arguments is known.
    """

    way: Way
    arguments: tuple[str | None, ...]
    version: str | None
    at: int
    complete: bool = True


# What Jinja ends a block with, and what it reads between; a quote that nothing closes is no string.
_OPENING: Final = re.compile(r"\{#|\{\{|\{%")
_RAW: Final = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_END_OF_RAW: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")"""
    r"|(?P<name>[^\W\d]\w*)|(?P<number>\d+(?:\.\d+)?)|(?P<end>[-+]?(?:\}\}|%\}))|(?P<sign>\S))",
    re.DOTALL,
)
_WAYS: Final[dict[str, Way]] = {"ref": "ref", "source": "source"}
_VERSION: Final = frozenset({"v", "version"})
_NO_VERSION: Final = frozenset({"none", "None"})
_OPEN: Final = frozenset("([{")
_CLOSED: Final = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def calls_in_template(text: str, offset: int = 0) -> Iterator[Call]:
    """The calls in `{{ }}` and `{% %}` of a template, in their order; `offset` is where it stands in its file.

    A template within a string counts, as in the hooks of a config, which dbt renders for their refs.
    """
    at = 0
    while opening := _OPENING.search(text, at):
        if opening[0] == "{#":
            at = _after(text, text.find("#}", opening.end()), 2)
        elif raw := _RAW.match(text, opening.start()):
            end = _END_OF_RAW.search(text, raw.end())
            at = end.end() if end else len(text)
        else:
            tokens, at = _tokens(text, opening.end())
            yield from _calls(tokens, offset)


def calls_in_expression(text: str) -> Iterator[Call]:
    """The calls in what dbt reads as an expression without braces, as in the `depends_on` of an exposure."""
    tokens, _ = _tokens(text, 0)
    yield from _calls(tokens, 0)


def calls_in_python(text: str) -> Iterator[Call]:
    """The calls `dbt.ref(...)` and `dbt.source(...)` of a Python model, each at the start of its line.

    There are none in what is not Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    starts = [0, *(found.end() for found in re.finditer(r"\n", text))]
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="dbt"), attr="ref" | "source" as way)):
                yield _python_call(node, _WAYS[way], starts[node.lineno - 1])


def _after(text: str, found: int, length: int) -> int:
    return len(text) if found < 0 else found + length


def _tokens(text: str, at: int) -> tuple[list[_Token], int]:
    """What stands from here to the end of the block, and where that is. A brace that is open inside closes nothing."""
    tokens: list[_Token] = []
    depth = 0
    while found := _TOKEN.match(text, at):
        kind = found.lastgroup or "sign"
        word = found[kind]
        if kind == "end" and depth and word[-2:] == "}}":  # of a mapping in a mapping
            at = found.end() - len(word) + 1
            kind, word = "sign", word[0]
        elif kind == "end" or (kind == "sign" and word in "'\""):
            return tokens, found.end() if kind == "end" else len(text)
        else:
            at = found.end()
        depth += (word in _OPEN) - (word in _CLOSED)
        tokens.append(_Token(kind, word, at - len(word)))
    return tokens, len(text)


def _calls(tokens: Sequence[_Token], offset: int) -> Iterator[Call]:
    for index, token in enumerate(tokens):
        if token.kind == "text" and ("{{" in token.text or "{%" in token.text):
            yield from calls_in_template(token.text[1:-1], offset + token.at + 1)
        elif token.kind == "name" and token.text in _WAYS and _is_called(tokens, index):
            arguments = _arguments(tokens, index + 2)
            if arguments is not None:
                yield _call(_WAYS[token.text], arguments, offset + token.at)


def _is_called(tokens: Sequence[_Token], index: int) -> bool:
    """Whether this is dbt's own function with arguments: no macro of that name, and no method but `builtins.ref`."""
    if index + 1 >= len(tokens) or tokens[index + 1].text != "(":
        return False
    before = [token.text for token in tokens[max(0, index - 2) : index]]
    return before == ["builtins", "."] or before[-1:] not in (["."], ["macro"])


def _arguments(tokens: Sequence[_Token], start: int) -> list[list[_Token]] | None:
    """The tokens of each argument, from behind the bracket to the one that closes it; None where nothing does."""
    arguments: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens[start:]:
        if token.text in _CLOSED:
            if not depth:
                return [argument for argument in arguments if argument]
            depth -= 1
        if token.text == "," and not depth:
            arguments.append([])
            continue
        depth += token.text in _OPEN
        arguments[-1].append(token)
    return None


def _call(way: Way, arguments: list[list[_Token]], at: int) -> Call:
    positional: list[str | None] = []
    version: str | None = ""
    complete = True
    for argument in arguments:
        words = [token.text for token in argument]
        if words[0] == "*":
            complete = False
        elif words[1:2] == ["="] and words[2:3] != ["="]:
            if words[0] in _VERSION:
                version = _version(argument[2:])
        else:
            positional.append(_literal(argument))
    return Call(way=way, arguments=tuple(positional), version=version, at=at, complete=complete)


def _version(value: Sequence[_Token]) -> str | None:
    words = [token.text for token in value]
    if len(words) == 1 and words[0] in _NO_VERSION:
        return ""
    return words[0] if [token.kind for token in value] == ["number"] else _literal(value)


def _literal(argument: Sequence[_Token]) -> str | None:
    """The text of a string that stands alone; one with a backslash in it counts as computed."""
    if len(argument) != 1 or argument[0].kind != "text" or "\\" in argument[0].text:
        return None
    return argument[0].text[1:-1]


def _python_call(node: ast.Call, way: Way, at: int) -> Call:
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    versions = [keyword.value for keyword in node.keywords if keyword.arg in _VERSION]
    return Call(
        way=way,
        arguments=tuple(_python_text(argument) for argument in node.args),
        version=_python_version(versions[0]) if versions else "",
        at=at,
        complete=not starred and all(keyword.arg for keyword in node.keywords),
    )


def _python_text(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case _:
            return None


def _python_version(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=None):
            return ""
        case ast.Constant(value=str() | int() | float() as version):
            return str(version)
        case _:
            return None
