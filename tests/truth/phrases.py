"""A scope and a source of chance in, parts of a query out: values, conditions, windows, subqueries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.truth.engine import Table
from tests.truth.interfaces import NAMES, Family, Field, fields_of

_ALIASES: Final = (*NAMES, "total", "n", "x", "place")


@dataclass(slots=True)
class Source:
    """What stands in FROM: an alias and its columns. Columns of `merged` need no alias: USING made them one."""

    alias: str
    fields: tuple[Field, ...]


@dataclass(slots=True)
class Scope:
    """The sources of one SELECT, and those of the query around it."""

    sources: list[Source] = field(default_factory=list)
    merged: frozenset[str] = frozenset()
    around: "Scope | None" = None

    def names(self) -> list[str]:
        """Every column's name, as often as it is there."""
        all_of_them = [f.name for source in self.sources for f in source.fields]
        return list(dict.fromkeys(all_of_them)) if self.merged else all_of_them

    def references(self, family: Family | None = None) -> list[tuple[str, Field]]:
        """The ways to name a column here, bare where that is clear, else behind its alias."""
        names = [f.name for source in self.sources for f in source.fields]
        ways = []
        for source in self.sources:
            for each in source.fields:
                if family in (None, each.family) and sum(f.name == each.name for f in source.fields) == 1:
                    if names.count(each.name) == 1 or each.name in self.merged:
                        ways.append((each.name, each))
                    ways.append((f"{source.alias}.{each.name}", each))
        return ways


class Phrases:
    """What SELECTs are made of. A table or CTE that was drawn before is known by its name."""

    def __init__(self, tables: Iterable[Table], chance: Random) -> None:
        self._chance = chance
        self._known = {table.name: fields_of(table) for table in tables}
        self._seen: set[str] = set()
        self._count = 0

    def _maybe(self, share: float, construct: str = "") -> bool:
        happens = self._chance.random() < share
        if happens and construct:
            self._seen.add(construct)
        return happens

    def _fresh(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def _free_name(self, taken: Iterable[str]) -> str:
        return self._chance.choice([name for name in _ALIASES if name not in set(taken)] or [self._fresh("y")])

    def _one(self, around: Scope | None = None) -> tuple[Scope, str]:
        """A table or a CTE, under its own name or an alias, and how FROM has it."""
        name = self._chance.choice(list(self._known))
        alias = self._fresh("s") if around or self._maybe(0.3) else name
        scope = Scope(sources=[Source(alias, self._known[name])], around=around)
        return scope, name if alias == name else f"{name} as {alias}"

    def _value(self, scope: Scope, depth: int) -> tuple[str, Family]:
        if self._maybe(0.14, "window"):
            return self._window(scope), "number"
        if depth < 2 and self._maybe(0.1, "scalar subquery"):
            return self._scalar(scope)
        families: tuple[Family, ...] = ("number", "number", "text", "time")
        family = self._chance.choice(families)
        ways = scope.references(family)
        if not ways:
            return "1", "number"
        way = self._chance.choice(ways)[0]
        forms: dict[Family, tuple[str, ...]] = {
            "number": ("{} + 1", "-{}", "coalesce({}, 0)", "case when {} > 2 then {} end", "cast({} as varchar)"),
            "text": ("upper({})", "{} || '!'", "coalesce({}, 'none')", "nullif({}, 'x')"),
            "time": ("date_trunc('month', {})", "coalesce({}, null)"),
            "list": ("{}",),
        }
        form = self._chance.choice(forms[family])
        return form.replace("{}", way), "text" if "varchar" in form else family

    def _window(self, scope: Scope) -> str:
        ways = [way for way, each in scope.references() if each.family != "list"]
        if not ways:
            return "count(*) over ()"
        by, order = self._chance.choice(ways), self._chance.choice(ways)
        call = self._chance.choice(("rank()", "dense_rank()", f"count({order})", f"max(length(cast({by} as varchar)))"))
        return f"{call} over (partition by {by} order by {order})"

    def _scalar(self, scope: Scope) -> tuple[str, Family]:
        inner, text = self._one(scope)
        numbers = inner.references("number")
        value = f"max({self._chance.choice(numbers)[0]})" if numbers else "count(*)"
        return f"(select {value} from {text}{self._correlated(inner, scope)})", "number"

    def _correlated(self, inner: Scope, outer: Scope) -> str:
        """A condition between the inner and the outer query, whose columns need no alias if no inner one hides them."""
        here = inner.references("number")
        hidden = set(inner.names())
        there = [way for way, each in outer.references("number") if "." in way or each.name not in hidden]
        aliases = {source.alias for source in inner.sources}
        there = [way for way in there if way.split(".")[0] not in aliases]
        if not here or not there:
            return ""
        self._seen.add("correlated")
        return f" where {self._chance.choice(here)[0]} = {self._chance.choice(there)}"

    def _where(self, scope: Scope, depth: int, aliases: Sequence[Field] = ()) -> str:
        return " where " + " and ".join(
            self._condition(scope, depth, aliases) for _ in range(self._chance.choice((1, 1, 2)))
        )

    def _condition(self, scope: Scope, depth: int, aliases: Sequence[Field] = ()) -> str:
        usable = [f for f in aliases if f.name not in scope.names() and f.family == "number"]
        if usable and self._maybe(0.3, "alias in where"):
            return f"{self._chance.choice(usable).name} > 1"
        if depth < 2 and self._maybe(0.22):
            return self._subquery_condition(scope)
        ways = scope.references()
        if not ways:
            return "1 = 1"
        way, each = self._chance.choice(ways)
        forms: dict[Family, tuple[str, ...]] = {
            "number": ("{} > 1", "{} <> 3", "{} between 1 and 20", "{} is not null"),
            "text": ("{} <> 'x'", "{} is not null", "{} in ('paid', 'open', 'y')", "{} like 'p%'"),
            "time": ("{} >= '2026-01-02'", "{} is not null"),
            "list": ("{} is not null",),
        }
        return self._chance.choice(forms[each.family]).replace("{}", way)

    def _subquery_condition(self, scope: Scope) -> str:
        inner, text = self._one(scope)
        if self._maybe(0.4, "exists"):
            what = self._chance.choice(("1", "*", *inner.names()[:1]))
            return f"exists (select {what} from {text}{self._correlated(inner, scope)})"
        mine, theirs = scope.references("number"), inner.references("number")
        if not mine or not theirs:
            return "1 = 1"
        self._seen.add("in subquery")
        way, chosen = self._chance.choice(mine)[0], self._chance.choice(theirs)[0]
        if len(inner.names()) == 1 and self._maybe(0.7, "in (select *)"):
            return f"{way} in (select * from {text})"
        return f"{way} in (select {chosen} from {text})"
