"""A pair that shows a fault in, the smallest one that we find and that still shows it out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from tests.truth.engine import Engine
from tests.truth.grammar import Drawn
from tests.truth.pairs import Case, Pair, as_built, judged

_TOKEN: Final = re.compile(r"«[^»]*»|'[^']*'|[\w.]+(?:\.\*)?|[^\w\s]")


def smallest(engine: Engine, pair: Pair) -> Pair:
    """The pair with a shorter query, by leaving out what can be left out, large pieces first."""
    size = 32
    while size:
        shorter = _without_pieces(engine, pair, size)
        size = size if shorter is not pair and size == 1 else size // 2
        pair = shorter
    names = set(re.findall(r"\w+", pair.query.text)) | {pair.change.old.name}
    return replace(pair, tables=tuple(table for table in pair.tables if table.name in names))


def _without_pieces(engine: Engine, pair: Pair, size: int) -> Pair:
    """Once along the query, without every piece of this size that can go; at the end also without brackets alone."""
    tokens, start = _TOKEN.findall(pair.query.text), 0
    while start + size <= len(tokens):
        left = [*tokens[:start], *tokens[start + size :]]
        if found := _again(engine, pair, left):
            tokens, pair = left, found
        else:
            start += 1
    for start, end in [*_brackets(tokens)] if size == 1 else []:
        left = [*tokens[:start], *tokens[start + 1 : end], *tokens[end + 1 :]]
        if found := _again(engine, pair, left):
            return found
    return pair


def _brackets(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token == "(":
            opened.append(place)
        elif token == ")" and opened:
            yield opened.pop(), place


def _again(engine: Engine, pair: Pair, tokens: Sequence[str]) -> Pair | None:
    """The pair with this query, if it is one and shows the same fault."""
    query = Drawn(text=" ".join(tokens), constructs=pair.query.constructs)
    engine.keep(pair.tables)
    before = as_built(engine.runs(query.engine_sql))
    if before.refused or not before.columns:
        return None
    case = Case(seed=pair.seed, tables=pair.tables, query=query, before=before, reader=pair.reader)
    (found,) = judged(engine, case, [pair.change], Counter())
    return found if found.fault == pair.fault else None
