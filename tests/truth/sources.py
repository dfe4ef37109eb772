"""A source of chance in, FROM clauses out: tables, joins of every kind, derived tables, flattened lists, pivots."""

from collections.abc import Callable

from tests.truth.interfaces import Field
from tests.truth.phrases import Phrases, Scope, Source


class Sources(Phrases):
    """What stands behind FROM."""

    def _query(self, depth: int, around: Scope | None = None) -> tuple[str, tuple[Field, ...]]:
        raise NotImplementedError

    def _from(self, depth: int, around: Scope | None = None) -> tuple[Scope, str]:
        """Up to three sources, and the scope in which their columns can be named."""
        scope, text = self._first(depth, around)
        for _ in range(self._chance.choice((0, 0, 0, 1, 1, 2))):
            joined = self._chance.choice(self._ways_to_join())
            more = joined(scope, depth)
            if more is None:
                break
            text += more
        return scope, text

    def _first(self, depth: int, around: Scope | None) -> tuple[Scope, str]:
        if depth < 2 and self._maybe(0.12, "derived table"):
            alias = self._fresh("d")
            inner, fields = self._query(depth + 1)
            return Scope(sources=[Source(alias, self._distinct_names(fields))], around=around), f"({inner}) as {alias}"
        if self._maybe(0.06):
            found = self._pivoted(around) if self._maybe(0.5) else self._unpivoted(around)
            if found:
                return found
        return self._one(around)

    def _distinct_names(self, fields: tuple[Field, ...]) -> tuple[Field, ...]:
        """Columns that can be named: those whose names stand there once."""
        names = [f.name for f in fields]
        return tuple(f for f in fields if names.count(f.name) == 1)

    def _ways_to_join(self) -> tuple[Callable[[Scope, int], str | None], ...]:
        by_condition = (self._join_on,) * 4
        return (
            *by_condition,
            self._join_using,
            self._join_using,
            self._natural,
            self._comma,
            self._flatten,
            self._lateral,
        )

    def _other(self, scope: Scope) -> tuple[Source, str]:
        """One more table, under a name that is free here."""
        name = self._chance.choice(list(self._known))
        free = name not in {source.alias for source in scope.sources} and self._maybe(0.7)
        alias = name if free else self._fresh("j")
        return Source(alias, self._known[name]), name if free else f"{name} as {alias}"

    def _join_on(self, scope: Scope, _depth: int) -> str | None:
        source, text = self._other(scope)
        mine = [way for way, _ in scope.references("number") if "." in way]
        theirs = [f"{source.alias}.{f.name}" for f in self._distinct_names(source.fields) if f.family == "number"]
        if not mine or not theirs or scope.merged:
            return None
        self._seen.add("join on")
        kind = self._chance.choice(("inner", "left", "full outer"))
        bare = [f.name for f in source.fields if f.family == "number" and f.name not in scope.names()]
        right = self._chance.choice(bare) if bare and self._maybe(0.3) else self._chance.choice(theirs)
        scope.sources.append(source)
        return f" {kind} join {text} on {self._chance.choice(mine)} = {right}"

    def _join_using(self, scope: Scope, _depth: int) -> str | None:
        source, text = self._other(scope)
        shared = self._shared(scope, source)
        if not shared or len(scope.sources) > 1:
            return None
        self._seen.add("join using")
        key = self._chance.choice(shared)
        scope.sources.append(source)
        scope.merged = frozenset((key,))
        return f" {self._chance.choice(('inner', 'left'))} join {text} using ({key})"

    def _shared(self, scope: Scope, source: Source) -> list[str]:
        mine = {(f.name, f.family) for each in scope.sources for f in self._distinct_names(each.fields)}
        return [
            f.name for f in self._distinct_names(source.fields) if (f.name, f.family) in mine and f.family != "list"
        ]

    def _natural(self, scope: Scope, _depth: int) -> str | None:
        source, text = self._other(scope)
        shared = self._shared(scope, source)
        mine = {f.name for each in scope.sources for f in each.fields}
        if source.fields == scope.sources[0].fields:
            return None  # with itself: nobody does that, and hardly any change of it shows
        if not shared or len(scope.sources) > 1 or len(shared) != len(mine & {f.name for f in source.fields}):
            return None
        self._seen.add("natural join")
        scope.sources.append(source)
        scope.merged = frozenset(shared)
        return f" natural join {text}"

    def _comma(self, scope: Scope, _depth: int) -> str | None:
        if scope.merged or len(scope.sources) > 1:
            return None
        source, text = self._other(scope)
        self._seen.add("cross join")
        scope.sources.append(source)
        return f" cross join {text}"

    def _flatten(self, scope: Scope, _depth: int) -> str | None:
        lists = [way for way, _ in scope.references("list")]
        if not lists:
            return None
        self._seen.add("lateral flatten")
        alias, way = self._fresh("f"), self._chance.choice(lists)
        scope.sources.append(Source(alias, (Field(name="value", family="text"),)))
        return f" cross join «lateral flatten(input => {way})¦lateral (select unnest({way}) as value)» as {alias}"

    def _lateral(self, scope: Scope, _depth: int) -> str | None:
        inner, text = self._one(scope)
        numbers = inner.references("number")
        if not numbers or scope.merged:
            return None
        self._seen.add("lateral subquery")
        way, column = self._chance.choice(numbers)
        alias = self._fresh("l")
        condition = self._correlated(inner, scope)
        scope.sources.append(Source(alias, (Field(name=column.name, family="number"),)))
        return f" cross join lateral (select {way} from {text}{condition}) as {alias}"

    def _pivoted(self, around: Scope | None) -> tuple[Scope, str] | None:
        name = self._chance.choice(list(self._known))
        fields = self._known[name]
        texts = [f for f in fields if f.family == "text"]
        numbers = [f for f in fields if f.family == "number"]
        if not texts or not numbers or self._distinct_names(fields) != fields:
            return None
        key, value = self._chance.choice(texts), self._chance.choice(numbers)
        self._seen.add("pivot")
        alias = self._fresh("p")
        others = [f for f in fields if f not in (key, value)]
        given = [*others, Field(name="paid", family="number"), Field(name="opened", family="number")]
        source = name
        if self._maybe(0.4):
            source = f"(select {', '.join(f.name for f in (*others, key, value))} from {name}) as {self._fresh('q')}"
        columns = ", ".join(f.name for f in given)
        pivot = f"pivot (sum({value.name}) for {key.name} in ('paid', 'open')) as {alias} ({columns})"
        return Scope(sources=[Source(alias, tuple(given))], around=around), f"{source} {pivot}"

    def _unpivoted(self, around: Scope | None) -> tuple[Scope, str] | None:
        name = self._chance.choice(list(self._known))
        fields = self._known[name]
        texts = [f for f in fields if f.family == "text"]
        if len(texts) < 2 or self._distinct_names(fields) != fields:
            return None
        self._seen.add("unpivot")
        others = tuple(f for f in fields if f not in texts)
        given = (*others, Field(name="which", family="text"), Field(name="what", family="text"))
        alias = self._fresh("u")
        listed = ", ".join(f.name for f in texts)
        return (
            Scope(sources=[Source(alias, given)], around=around),
            f"{name} unpivot (what for which in ({listed})) as {alias}",
        )
