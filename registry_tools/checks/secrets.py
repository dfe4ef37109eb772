"""A JSON document about to be published in, every place of it that holds a secret out: which kind, never which one."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw

from registry_tools.checks.secret_rules import RULES, Rule, traces_of, value_rules

_REST_OF_TEXT: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"')
_VALUE_OF_KEY: Final = re.compile(rb'\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*")')
_HIDDEN: Final = "(removed)"
_QUOTE, _BACKSLASH = ord('"'), ord("\\")


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """One secret at one place. Its words can be shown to everybody."""

    rule: str
    place: str
    noun: str
    length: int

    @property
    def id(self) -> str:
        """What a person types to say that exactly this one is none."""
        return f"{self.rule}:{self.place}"

    def __str__(self) -> str:
        return f"{self.place}: {self.noun}, {self.length} characters"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hit:
    """A secret in a text, and that text as it is written in the document."""

    rule: Rule
    secret: str
    text: str
    written: bytes


def find_leaks(document: bytes, environment: Mapping[str, str], *, readers: bool) -> tuple[Leak, ...]:
    """Every leak in a document that the project's owner reads, or with `readers` everybody, sorted by place.

    The document is well-formed JSON. The values of secret variables of `environment` are looked for everywhere.
    """
    traces = traces_of(document)
    rules = [*(rule for rule in RULES if readers or not rule.readers), *value_rules(environment)]
    hits = [hit for rule in rules for hit in _hits(document, rule, traces)]
    if not hits:
        return ()
    leaks = {(leak.place, leak.rule, leak.noun): leak for leak in _located(document, hits)}
    return tuple(leak for _, leak in sorted(leaks.items()))


def _hits(document: bytes, rule: Rule, traces: bytes) -> Iterator[_Hit]:
    for probe in rule.probes_in(traces):
        for start, end in _texts(document, probe):
            written = document[start:end]
            text = _decoded(written)
            asked = text
            if rule.pairs and (value := _VALUE_OF_KEY.match(document, end)):
                asked = f"{text}: '{_decoded(value[1])}'"
            for secret in rule.secrets_in(asked):
                yield _Hit(rule=rule, secret=secret, text=text, written=written)


def _texts(document: bytes, probe: bytes | re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """Where the texts that hold the probe begin and end, their quotes included, each once."""
    at = _search(document, probe, 0)
    while at >= 0:
        start = document.rfind(b'"', 0, at)
        while start > 0 and _is_escaped(document, start):
            start = document.rfind(b'"', 0, start)
        rest = _REST_OF_TEXT.match(document, start + 1)
        if start < 0 or rest is None or rest.end() <= at:
            raise ValueError(f"byte {at} stands in no text")
        yield start, rest.end()
        at = _search(document, probe, rest.end())


def _search(document: bytes, probe: bytes | re.Pattern[bytes], start: int) -> int:
    if isinstance(probe, bytes):
        return document.find(probe, start)
    found = probe.search(document, start)
    return found.start() if found else -1


def _is_escaped(document: bytes, at: int) -> bool:
    before = at
    while document[before - 1] == _BACKSLASH:
        before -= 1
    return (at - before) % 2 == 1


def _decoded(written: bytes) -> str:
    return msgspec.json.decode(written, type=str)


def _located(document: bytes, hits: Iterable[_Hit]) -> Iterator[Leak]:
    by_text: dict[str, list[_Hit]] = defaultdict(list)
    for hit in hits:
        by_text[hit.text].append(hit)
    secrets = sorted({hit.secret for found in by_text.values() for hit in found}, key=len, reverse=True)
    written = {hit.written for found in by_text.values() for hit in found}
    for text, place in _places(document, by_text.keys(), written):
        for secret in secrets:
            place = place.replace(secret, _HIDDEN)  # noqa: PLW2901  # a key may hold what its text may not
        for hit in by_text[text]:
            yield Leak(rule=hit.rule.id, place=place, noun=hit.rule.noun, length=len(hit.secret))


def _places(document: bytes, texts: Iterable[str], written: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Each of the texts with each place where it stands, from the node that it belongs to downwards.

    One level is decoded after the other, and of each only what holds one of the texts as `written`.
    """
    todo: list[tuple[bytes, tuple[str, ...]]] = [(document, ())]
    while todo:
        content, place = todo.pop()
        if content[0] == _QUOTE:
            yield _decoded(content), ".".join(place)
            continue
        for key, inner in _entries(content):
            if key in texts:
                yield key, ".".join((*place, key))
            if any(each in inner for each in written):
                todo.append((inner, _below(place, key, inner)))


def _entries(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content[:1] == b"{":
        return ((key, bytes(inner)) for key, inner in msgspec.json.decode(content, type=dict[str, Raw]).items())
    return ((str(number), bytes(inner)) for number, inner in enumerate(msgspec.json.decode(content, type=list[Raw])))


class _Named(msgspec.Struct):
    unique_id: str | None = None


def _below(place: tuple[str, ...], key: str, inner: bytes) -> tuple[str, ...]:
    """The place of an entry; a node's is its unique_id, wherever the document has it."""
    if inner[:1] == b"{":
        try:
            if name := msgspec.json.decode(inner, type=_Named).unique_id:
                return (name,)
        except msgspec.ValidationError:
            pass
    return (*place, key)
