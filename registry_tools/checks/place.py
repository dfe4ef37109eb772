"""A place in an interface and the two values that stand there in, the change between them out, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

import msgspec

from registry_tools.mesh.change import Change
from registry_tools.mesh.printable import printable

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_LONGEST: Final = 80  # characters of a value in a report
_CONTEXT: Final = 20  # characters that are shown before the first difference of two long texts


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where to look: a project, one of its models, groups or assets, a column of a model."""

    project: str
    model: str | None = None
    column: str | None = None
    group: str | None = None
    asset: str | None = None

    def change(
        self,
        rule: str,
        before: Any,  # noqa: ANN401  # any value of an interface
        after: Any,  # noqa: ANN401  # see above
        *,
        exact: tuple[Any, Any] | None = None,
    ) -> Change:
        """The change of one value into another; None, and what is empty, is no value.

        `exact` are the whole values, for where the ones that people read turn out alike.
        """
        was, now = _text(before), _text(after)
        if was == now:  # 1 and "1", or what looks alike when it is printed
            was, now = (printable(_json(value)) for value in exact or (before, after))
        was, now = _excerpts(was, now)
        return Change(
            rule=rule,
            project=self.project,
            model=self.model,
            column=self.column,
            group=self.group,
            asset=self.asset,
            before=was,
            after=now,
        )

    def fields(self, rules: Mapping[str, str], before: object, after: object) -> Iterator[Change]:
        """A change by its rule for each of these fields that is not the same."""
        for field, rule in rules.items():
            old, new = getattr(before, field), getattr(after, field)
            if differ(old, new):
                yield self.change(rule, old, new)


def differ(before: Any, after: Any) -> bool:  # noqa: ANN401  # any value of an interface
    """Whether two values differ for a reader: Python takes 1, 1.0 and True for equal, JSON and the digest do not."""
    if before is after:
        return False
    if isinstance(before, str) and isinstance(after, str):  # as most values are
        return before != after
    return _ENCODER.encode(before) != _ENCODER.encode(after)


def where_they_differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Both mappings without the entries that are the same in both."""
    alike = {key for key in before.keys() & after.keys() if not differ(before[key], after[key])}
    return ({key: value for key, value in side.items() if key not in alike} for side in (before, after))


def _json(value: Any) -> str:  # noqa: ANN401  # any value of an interface
    return _ENCODER.encode(value).decode()


def _text(value: Any) -> str | None:  # noqa: ANN401  # any value of an interface
    match value:
        case None | "" | []:
            return None
        case {} if not value:
            return None
        case str():
            return printable(value)
        case [*items] if all(isinstance(item, str) for item in items):
            return printable(", ".join(items))
        case _:
            return printable(_json(value))


def _excerpts(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Both texts, short: of long ones the part where they begin to differ."""
    if max(len(before or ""), len(after or "")) <= _LONGEST:
        return before, after
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(before or "", after or "", strict=False))
    start = max(0, sum(1 for _ in alike) - _CONTEXT)
    was, now = (text if text is None else _cut("…" * (start > 0) + text[start:]) for text in (before, after))
    return was, now


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
