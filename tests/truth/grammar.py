"""Tables and a source of chance in, a consumer's query over them out, with the constructs that people use.

Where Snowflake and DuckDB write a thing in two ways, the text has both: «Snowflake¦DuckDB».
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.truth.interfaces import Field
from tests.truth.phrases import Scope, Source
from tests.truth.sources import Sources

_MARK: Final = re.compile(r"«([^«»¦]*)¦([^«»¦]*)»")


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A query as it was drawn, and which constructs it has."""

    text: str
    constructs: frozenset[str]

    @property
    def sql(self) -> str:
        """As Snowflake reads it."""
        return _MARK.sub(r"\1", self.text)

    @property
    def engine_sql(self) -> str:
        """As DuckDB reads it."""
        return _MARK.sub(r"\2", self.text)


class Grammar(Sources):
    """One query for the tables that it was made with."""

    def draw(self) -> Drawn:
        """The query."""
        drawn = [self._cte() for _ in range(self._chance.choice((0, 0, 1, 2, 3)))]
        body, _ = self._query(0)
        ctes: list[str] = []
        for name, text in reversed(drawn):  # what nobody reads, DuckDB does not even look at
            if re.search(rf"\b{name}\b", " ".join((*ctes, body))):
                ctes.insert(0, text)
        recursive = "recursive " if "recursive" in self._seen else ""
        text = f"with {recursive}{', '.join(ctes)} {body}" if ctes else body
        return Drawn(text=text, constructs=frozenset(self._seen))

    def _cte(self) -> tuple[str, str]:
        """A name and what it stands for."""
        name = self._fresh("c")
        self._seen.add("with")
        if self._maybe(0.06, "recursive"):
            text, fields = self._recursive(name)
        elif self._maybe(0.4, "import cte"):
            table = self._chance.choice(list(self._known))
            text, fields = f"select * from {table}", self._known[table]
            text += self._where(Scope(sources=[Source(table, fields)]), 2) if self._maybe(0.3) else ""
        else:
            text, fields = self._query(1)
        if "*" not in text and self._maybe(0.15, "cte columns") and len({f.name for f in fields}) == len(fields):
            renamed = [Field(name=f"{f.name}_{index}", family=f.family) for index, f in enumerate(fields)]
            self._known[name] = tuple(renamed)
            return name, f"{name} ({', '.join(f.name for f in renamed)}) as ({text})"
        self._known[name] = fields
        return name, f"{name} as ({text})"

    def _recursive(self, name: str) -> tuple[str, tuple[Field, ...]]:
        scope, source = self._one()
        numbers = scope.references("number")
        if not numbers:
            self._seen.discard("recursive")
            return self._query(1)
        way, column = self._chance.choice(numbers)
        text = (
            f"select {way} as {column.name}, 1 as depth from {source} union all "
            f"select {name}.{column.name}, {name}.depth + 1 from {name} where {name}.depth < 3"
        )
        return text, (Field(name=column.name, family="number"), Field(name="depth", family="number"))

    def _query(self, depth: int, around: Scope | None = None) -> tuple[str, tuple[Field, ...]]:
        if depth < 3 and self._maybe(0.14, "set operation"):
            return self._set_operation(depth)
        return self._select(depth, around)

    def _set_operation(self, depth: int) -> tuple[str, tuple[Field, ...]]:
        word = self._chance.choice(("union all", "union all", "union", "intersect", "except"))
        if self._maybe(0.3, "set operation of stars"):
            table = self._chance.choice(list(self._known))
            fields = self._known[table]
            left = f"select * from {table}"
            right = left if self._maybe(0.3) else f"select {', '.join(f.name for f in fields)} from {table}"
            if len({f.name for f in fields}) == len(fields):
                return f"{left} {word} {right}", fields
        left, fields = self._select(depth + 1, None)
        right = self._select_of(fields, depth + 1)
        if word == "union all" and len({f.name for f in fields}) == len(fields) and self._maybe(0.15, "union by name"):
            word = "union all by name"
        return f"{left} {word} {right}", fields

    def _select_of(self, wanted: Sequence[Field], depth: int) -> str:
        """A SELECT that gives columns of these families."""
        scope, source = self._from(depth)
        items = []
        for each in wanted:
            ways = scope.references(each.family)
            items.append(self._chance.choice(ways)[0] if ways else "null")
            if self._maybe(0.4):
                items[-1] += f" as {each.name}"
        return f"select {', '.join(items)} from {source}{self._where(scope, depth) if self._maybe(0.3) else ''}"

    # -- SELECT ---------------------------------------------------------------------------------------------------

    def _select(self, depth: int, around: Scope | None) -> tuple[str, tuple[Field, ...]]:
        scope, source = self._from(depth, around)
        if self._maybe(0.22, "group by"):
            return self._grouped(scope, source, depth)
        items, fields = self._items(scope, depth)
        distinct = "distinct " if self._maybe(0.08, "distinct") else ""
        parts = [f"select {distinct}{', '.join(items)} from {source}"]
        aliases = [f for item, f in zip(items, fields, strict=False) if f" as {f.name}" in item]
        if self._maybe(0.4):
            parts.append(self._where(scope, depth, aliases))
        if not distinct and self._maybe(0.15, "qualify"):
            parts.append(self._qualify(scope))
        if depth == 0 and not distinct and self._maybe(0.15, "order by"):
            parts.append(self._order(scope, fields))
        return "".join(parts), fields

    def _items(self, scope: Scope, depth: int) -> tuple[list[str], tuple[Field, ...]]:
        if self._maybe(0.33, "star"):
            items, fields = self._star(scope)
            if self._maybe(0.35):
                item, extra = self._item(scope, depth, {f.name for f in fields}, [])
                return [*items, item], (*fields, extra)
            return items, fields
        taken: set[str] = set()
        given: list[Field] = []
        items = []
        for _ in range(self._chance.randint(1, 4)):
            item, each = self._item(scope, depth, taken, given)
            items.append(item)
            taken.add(each.name)
            given.append(each)
        return items, tuple(given)

    def _star(self, scope: Scope) -> tuple[list[str], tuple[Field, ...]]:
        source = self._chance.choice(scope.sources)
        alone = len(scope.sources) == 1
        qualified = not alone or self._maybe(0.3, "alias.*")
        if not alone and not scope.merged and self._maybe(0.25, "star of a join"):
            return ["*"], tuple(f for each in scope.sources for f in each.fields)
        star = f"{source.alias}.*" if qualified else "*"
        fields = list(source.fields)
        names = [f.name for f in fields]
        if len(fields) > 1 and len(set(names)) == len(names) and self._maybe(0.35, "exclude, rename, replace"):
            return self._amended(star, fields)
        return [star], tuple(fields)

    def _amended(self, star: str, fields: list[Field]) -> tuple[list[str], tuple[Field, ...]]:
        kind = self._chance.choice(("exclude", "rename", "replace"))
        chosen = self._chance.choice(fields)
        if kind == "exclude":
            return [f"{star} exclude ({chosen.name})"], tuple(f for f in fields if f is not chosen)
        if kind == "replace":
            value = f"coalesce({chosen.name}, null)"
            return [f"{star} replace ({value} as {chosen.name})"], tuple(fields)
        new = self._free_name({f.name for f in fields})
        renamed = (Field(name=new, family=f.family) if f is chosen else f for f in fields)
        return [f"{star} rename ({chosen.name} as {new})"], tuple(renamed)

    def _item(self, scope: Scope, depth: int, taken: set[str], given: list[Field]) -> tuple[str, Field]:
        """One more column of a select list that has no name of `taken` yet."""
        earlier = [each for each in given if each.name not in scope.names()]
        if earlier and self._maybe(0.2, "lateral alias"):
            each = self._chance.choice(earlier)
            name = self._free_name(taken)
            return f"{each.name} as {name}", Field(name=name, family=each.family)
        ways = [way for way in scope.references() if way[1].name not in taken]
        if ways and self._maybe(0.55):
            way, each = self._chance.choice(ways)
            if self._maybe(0.3):
                name = self._free_name(taken)
                return f"{way} as {name}", Field(name=name, family=each.family)
            return way, each
        value, family = self._value(scope, depth)
        name = self._free_name(taken)
        return f"{value} as {name}", Field(name=name, family=family)

    def _qualify(self, scope: Scope) -> str:
        return f" qualify {self._window(scope)} >= 1"

    def _order(self, scope: Scope, fields: Sequence[Field]) -> str:
        if self._maybe(0.3, "order by ordinal"):
            return f" order by {self._chance.randint(1, max(1, len(fields)))}"
        names = [f.name for f in fields if sum(g.name == f.name for g in fields) == 1]
        ways = [*names, *(way for way, _ in scope.references())]
        return f" order by {self._chance.choice(ways)}" if ways else ""

    def _grouped(self, scope: Scope, source: str, depth: int) -> tuple[str, tuple[Field, ...]]:
        ways = [(way, each) for way, each in scope.references() if each.family != "list"]
        if not ways:
            return f"select count(*) as n from {source}", (Field(name="n", family="number"),)
        way, each = self._chance.choice(ways)
        name = self._free_name({each.name})
        key = self._chance.choice((way, f"coalesce({way}, null)"))
        numbers = [w for w, f in scope.references("number")]
        total = f"sum({self._chance.choice(numbers)})" if numbers and self._maybe(0.6) else "count(*)"
        result = self._free_name({each.name, name})
        where = self._where(scope, depth) if self._maybe(0.3) else ""
        kinds: tuple[Callable[[], str], ...] = (
            lambda: key,
            lambda: "1" if self._maybe(1, "group by ordinal") else "",
            lambda: "all" if self._maybe(1, "group by all") else "",
            lambda: name if self._maybe(1, "group by alias") and name not in scope.names() else key,
        )
        group = self._chance.choice(kinds)()
        having = ""
        if self._maybe(0.3, "having"):
            by_alias = result not in scope.names() and self._maybe(0.5, "having alias")
            having = f" having {result if by_alias else total} >= 1"
        text = f"select {key} as {name}, {total} as {result} from {source}{where} group by {group}{having}"
        return text, (Field(name=name, family=each.family), Field(name=result, family="number"))
