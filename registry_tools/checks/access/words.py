"""A statement's text in, its words one after the other out, with what is still unread."""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.mesh.account import spelled

_TOKEN: Final = re.compile(
    r"(?P<text>'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$)|(?P<quoted>\"(?:[^\"]|\"\")+\")|(?P<word>[A-Za-z_][\w$]*)"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<blank>\s+)|(?P<sign>.)",
    re.DOTALL | re.ASCII,
)
_Item = TypeVar("_Item")
_ESCAPED: Final = re.compile(r"\\(.)|''", re.DOTALL)


class Words:
    """Reads one statement from left to right. Whatever it cannot read raises UnknownStatementError.

    No message repeats a text in quotes: it may be a secret.
    """

    def __init__(self, text: str) -> None:
        self._tokens = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(text) if m.lastgroup != "blank"]
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._tokens)

    def sees(self, phrase: str) -> bool:
        """Whether the next words, in any letter case, are these."""
        wanted = phrase.split()
        following = self._tokens[self._at : self._at + len(wanted)]
        return [text.upper() for _, text in following] == wanted

    def take(self, *phrases: str) -> str | None:
        """The longest of these phrases that comes next, and then it is read; or None, and nothing is."""
        for phrase in sorted(phrases, key=len, reverse=True):
            if self.sees(phrase):
                self._at += len(phrase.split())
                return phrase
        return None

    def must(self, *phrases: str) -> str:
        """The one of these phrases that comes next."""
        taken = self.take(*phrases)
        if taken is None:
            raise self.stuck(" or ".join(sorted(phrases)))
        return taken

    def word(self) -> str:
        """The next word, in upper case."""
        return self._next("word", "a word").upper()

    def number(self) -> str:
        """The next number, as it is written."""
        return self._next("number", "a number")

    def part(self) -> str:
        """One part of a name, as the account stores it."""
        kind, text = self._peek()
        if kind == "quoted":
            self._at += 1
            return text[1:-1].replace('""', '"')
        return self._next("word", "a name").upper()

    def path(self) -> tuple[str, ...]:
        """A name with all its parts, as the account stores them."""
        parts = [self.part()]
        while self.take("."):
            parts.append(self.part())
        return tuple(parts)

    def value(self) -> str:
        """What a setting is set to: a text without its quotes, a number, a name, a word in upper case, or a list in
        parentheses as it is written, its words in upper case and single blanks between them.
        """
        kind, text = self._peek()
        if kind == "text":
            self._at += 1
            return _unquoted(text)
        if kind == "number":
            return self.number()
        if self.sees("("):
            return self.group()
        if self.take("-"):
            return "-" + self.number()
        path = self.path()
        # true and null are reserved: as names they would need the quotes that as words they must not have
        is_word = kind == "word" and len(path) == 1
        return path[0] if is_word else ".".join(map(spelled, path))

    def group(self) -> str:
        """All between one parenthesis and the one that closes it, both included."""
        self.must("(")
        open_, shown = 1, "("
        while open_:
            kind, text = self._peek()
            if not kind:
                raise self.stuck(")")
            self._at += 1
            open_ += {"(": 1, ")": -1}.get(text, 0)
            glued = text in "),." or shown[-1] in "(."
            shown += ("" if glued else " ") + (text.upper() if kind == "word" else text)
        return shown

    def listed(self, one: Callable[[], _Item]) -> Iterator[_Item]:
        """What `one` reads, again after every comma."""
        yield one()
        while self.take(","):
            yield one()

    def rest(self, without: tuple[str, ...] = ()) -> None:
        """Leaves the rest unread, a query or what is said of columns; none of these words may be in it."""
        while not self.done:
            if any(map(self.sees, without)):
                raise self.stuck("the end")
            self._at += 1

    def end(self) -> None:
        """The statement must be over."""
        if not self.done:
            raise self.stuck("the end")

    def stuck(self, wanted: str) -> UnknownStatementError:
        """The error that says what should come next, and what does."""
        kind, text = self._peek()
        found = {"": "the end", "text": "a text"}.get(kind, text.upper())
        before = self._tokens[max(0, self._at - 4) : self._at]
        read = (
            " ".join("a text" if kind == "text" else text.upper() for kind, text in before)
            .replace(" . ", ".")
            .removeprefix(". ")
        )
        where = f" after {read}" if read else ""
        return UnknownStatementError(f"the model of Snowflake's access rules expects {wanted}{where}, not {found}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _next(self, kind: str, wanted: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise self.stuck(wanted)
        self._at += 1
        return text


def _unquoted(text: str) -> str:
    if text.startswith("$$"):
        return text[2:-2]
    return _ESCAPED.sub(lambda found: found[1] or "'", text[1:-1])
