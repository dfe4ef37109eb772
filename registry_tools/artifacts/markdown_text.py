"""Text that somebody else wrote in, Markdown out in which GitHub shows it and does not act upon it.

GitHub looks for mentions, issues and addresses in what Markdown has become, where an entity is its character again, and
leaves out what stands in `<code>`: so whatever could be one of them stands in it.
"""

import re
from typing import Final

from registry_tools.mesh.printable import printable

# What Markdown, HTML or GitHub could read as more than a letter. An underscore inside a word is none, and `www.`
# begins a link; see the GitHub Flavored Markdown Spec, 6.4 and 6.9.
_ACTIVE: Final = re.compile(r"[^\w .,…()=+-]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.", re.IGNORECASE)
# A word of a sentence, or a number, and the marks around it; a number with a full stop could begin a list.
_WORD: Final = re.compile(r"[(\"]?(?:[^\W\d_]+(?:['-][^\W\d_]+)*[\").,;:?]*|\d+[\"),;:]*)")
_MARKED: Final = re.compile(r"[,;:.]\Z")
_FENCE: Final = re.compile(r"`{3,}")


def code(text: str | None) -> str:
    """The text as inline code: GitHub makes no mention, link or emoji of it, and entities are never syntax."""
    if not text:
        return ""
    return f"<code>{_ACTIVE.sub(lambda found: f'&#{ord(found.group())};', printable(text))}</code>"


def prose(text: str) -> str:
    """A sentence on one line: words as they are, and names, commands and whatever else is no word as inline code."""
    written: list[str] = []
    odd: list[str] = []
    for word in (*printable(text).split(), ""):
        is_word = not word or _WORD.fullmatch(word)
        if not is_word:
            odd.append(word)
        if odd and (is_word or _MARKED.search(word)):
            name, mark = _parted(" ".join(odd))
            written.append(f"{code(name)}{mark}")
            odd = []
        if is_word:
            written.append(word)
    return " ".join(written).rstrip()


def _parted(text: str) -> tuple[str, str]:
    """A name, and the mark that ends the clause in which it stands; so does a bracket that was opened before."""
    name = _MARKED.sub("", text)
    if name.endswith(")") and name.count(")") > name.count("("):
        name = name[:-1]
    return name, text[len(name) :]


def fenced(text: str, language: str) -> str:
    """A block to copy, line by line as it is: its fence is longer than any that stands in it."""
    lines = [printable(line) for line in text.removesuffix("\n").split("\n")]
    fence = "`" * (1 + max((len(found) for found in _FENCE.findall("\n".join(lines))), default=2))
    return "\n".join((f"{fence}{language}", *lines, fence, ""))
