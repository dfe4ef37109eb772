"""Plain values in, YAML text out that dbt reads back as exactly those values.

Everything that comes from a manifest is untrusted: text is quoted unless it is a bare word, what YAML cannot hold raw
is escaped, and what Jinja would act upon is turned into an expression that yields the same characters.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Bare words that YAML 1.1 reads as something else than text (https://yaml.org/type/).
_WORDS: Final = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])
# What a double-quoted scalar may hold raw: printable, and no character that YAML takes for a line break.
_RAW: Final = re.compile(
    r"[^\x20\x21\x23-\x5b\x5d-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# YAML looks for the colon of a plain key in the first 1024 characters (YAML 1.1, 7.4.2).
_LONGEST_KEY: Final = 1000
# What Jinja acts upon: the beginnings of its tags, every kind of line end, which become one, and the last of them,
# which goes (jinja2.Environment, newline_sequence and keep_trailing_newline). A brace before would begin our own tag.
_TAG: Final = re.compile(r"\{[{%#]")
_JINJA: Final = re.compile(rf"{_TAG.pattern}|\{{?(?:\r|\n\Z)")
# What dbt looks for before it gives a description to Jinja (dbt-core, clients/jinja.py, _HAS_RENDER_CHARS_PAT).
_TAGS: Final = re.compile(r"\{[{%#]|[#}%]\}")


def yaml_text(value: Mapping[str, Any]) -> str:
    """The mapping as a YAML document in block style."""
    lines: list[str] = []
    _mapping(value, "", "", lines)
    return "\n".join((*lines, ""))


def inert(text: str) -> str:
    """Text that Jinja renders to `text` itself: what it would act upon becomes an expression that yields it."""
    plain = "{" not in text and "\r" not in text and text[-1:] != "\n"  # as nearly all is
    return text if plain else _JINJA.sub(_yielding, text)


def inert_description(text: str) -> str:
    """The same for a description, which dbt gives to Jinja only where it looks like a template."""
    plain = "{" not in text and "}" not in text
    return text if plain or not _TAGS.search(text) else inert(text)


def inert_key(text: str) -> str:
    """The same for a key, which no dbt gives to Jinja: what could begin a tag comes back as the expression."""
    return _TAG.sub(_yielding, text)


def _yielding(found: re.Match[str]) -> str:
    return "{{ '" + found.group().replace("\r", "\\r").replace("\n", "\\n") + "' }}"


def _mapping(value: Mapping[str, Any], first: str, indent: str, lines: list[str]) -> None:
    """Append the mapping's lines. The first one is indented by `first`, which ends in a dash inside a list."""
    for key, item in value.items():
        written = word(key)
        if len(written) > _LONGEST_KEY:
            lines.append(f"{first}? {written}")
            _entry(f"{indent}:", item, indent, lines)
        elif isinstance(item, str):  # nearly always
            lines.append(f"{first}{written}: {word(item)}")
        else:
            _entry(f"{first}{written}:", item, indent, lines)
        first = indent


def _entry(head: str, item: Any, indent: str, lines: list[str]) -> None:  # noqa: ANN401  # any value of JSON
    if isinstance(item, str) or not item:
        lines.append(f"{head} {_scalar(item)}")
    elif isinstance(item, Mapping):
        lines.append(head)
        _mapping(item, f"{indent}  ", f"{indent}  ", lines)
    elif isinstance(item, list | tuple):
        lines.append(head)
        for element in item:
            _element(element, f"{indent}  ", lines)
    else:
        lines.append(f"{head} {_scalar(item)}")


def _element(item: Any, indent: str, lines: list[str]) -> None:  # noqa: ANN401  # any value of JSON
    if isinstance(item, Mapping) and item:
        _mapping(item, f"{indent}- ", f"{indent}  ", lines)
    else:
        _entry(f"{indent}-", item, indent, lines)


def _scalar(value: Any) -> str:  # noqa: ANN401  # any value of JSON
    if isinstance(value, str):  # nearly always
        return word(value)
    match value:
        case float() if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  # NaN
            return word(str(value))
        case float():
            # YAML 1.1 reads 1e+16 as text: a float has a point
            mantissa, exponent, power = repr(value).partition("e")
            point = "" if "." in mantissa else ".0"
            return f"{mantissa}{point}{exponent}{power}"
        case None | bool() | int():
            return json.dumps(value)
        case Mapping():
            return "{}"
        case _:
            return "[]"


@lru_cache(maxsize=4096)  # keys, types and tags come again and again
def word(value: str) -> str:
    """One text as it stands in a line: bare where YAML cannot read it as anything else, otherwise in quotes."""
    if _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return f'"{_RAW.sub(_escape, value)}"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    if character in short:
        return short[character]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  # half of a pair: no text of its own
        return "\\uFFFD"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004  # YAML's \xNN and \uNNNN
