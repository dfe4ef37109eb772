"""Rows and a PIVOT or UNPIVOT over them in, the rows that it makes of them out."""

from collections.abc import Iterator

from sqlglot import Expr, exp

from registry_tools.intake.sql.expressions import origins_of
from registry_tools.intake.sql.reading import Origin
from registry_tools.intake.sql.rows import NOTHING, Column, Rows
from registry_tools.intake.sql.scope import Reader, Scope, Source


def pivoted(reader: Reader, pivot: exp.Pivot, source: Source, scope: Scope) -> Rows:
    """The rows of `source` behind the pivot. Columns that it does not name stay; PIVOT tells its groups apart by them:
    all columns of a table that `*` has led here make one value together.
    """
    if not pivot.unpivot:
        reader.notes.whole(source.rows.carried, "value")
    inside = Scope(queries=scope.queries, around=scope.around, sources=[source])
    origins = NOTHING
    for part in _read_parts(pivot):
        origins |= origins_of(reader, part, inside, aliases=False)
    gone = {reader.names.key_of(column.parts[-1]) for part in _read_parts(pivot) for column in _columns(part)}
    made = [_made(reader, name, origins) for name in _names_made(pivot)]
    rows = source.rows.without(gone)
    return Rows(
        columns=(*rows.columns, *made),
        stars=rows.stars,
        open=rows.open,
        more=rows.more or not made,
    )


def _read_parts(pivot: exp.Pivot) -> Iterator[Expr]:
    if not pivot.unpivot:
        yield from (each for each in pivot.expressions if not isinstance(each, exp.Identifier))
    for each in pivot.args.get("fields") or ():
        if not pivot.unpivot:
            yield each.this
        yield from each.expressions
    for name in ("using", "default_on_null", "group"):
        part = pivot.args.get(name)
        yield from part if isinstance(part, list) else (part,) if isinstance(part, Expr) else ()


def _columns(part: Expr) -> Iterator[exp.Column]:
    """Those that stand in the part itself, not in a query inside of it."""
    for node in part.walk(prune=lambda each: isinstance(each, exp.Query)):
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
            yield node


def _names_made(pivot: exp.Pivot) -> Iterator[Expr]:
    if not pivot.unpivot:
        yield from () if pivot.find(exp.Query, exp.PivotAny) else pivot.args.get("columns") or ()
        return
    for each in (*(field.this for field in pivot.args.get("fields") or ()), *pivot.expressions):
        yield from each.find_all(exp.Identifier)


def _made(reader: Reader, name: Expr, origins: frozenset[Origin]) -> Column:
    return Column(name=reader.names.stored(name), key=reader.names.key_of(name), origins=origins)
