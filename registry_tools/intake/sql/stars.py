"""A `*` of a select list in, the columns that it stands for out: less those it excludes, under the names it gives."""

import re
from collections.abc import Sequence

from sqlglot import Expr, exp

from registry_tools.intake.sql.binding import bound, bound_in
from registry_tools.intake.sql.expressions import origins_of
from registry_tools.intake.sql.reading import Origin
from registry_tools.intake.sql.rows import Column, Rows
from registry_tools.intake.sql.scope import Reader, Scope


def star_of(item: Expr) -> exp.Star | None:
    """The star that an item of a select list is; None if it is something else."""
    star = item.this if isinstance(item, exp.Column) else item
    return star if isinstance(star, exp.Star) else None


def starred(reader: Reader, item: Expr, star: exp.Star, scope: Scope) -> Rows:
    """The columns that the item stands for. Raises Unreadable."""
    rows = _behind(reader, item, scope)
    if not star.args:
        return rows
    pattern = star.args.get("ilike")
    if isinstance(pattern, exp.Literal):
        rows = _like(rows, pattern.name)
    excluded = set()
    for each in star.args.get("except_") or ():
        excluded.add(reader.names.key_of(_parts(each)[-1]))
        _name(reader, each, rows, scope)
    return _changed(reader, star, rows.without(excluded), scope)


def _behind(reader: Reader, item: Expr, scope: Scope) -> Rows:
    if not isinstance(item, exp.Column):
        return scope.every()
    qualifier = item.parts[:-1]
    source = scope.source(tuple(map(reader.names.key_of, qualifier)))
    if source is not None:
        return source.rows
    bound(reader, qualifier, scope, aliases=False)  # the fields of a struct
    return Rows(more=True)


def _changed(reader: Reader, star: exp.Star, rows: Rows, scope: Scope) -> Rows:
    """With the columns of `replace (x as a)` and under the names of `rename a as b`."""
    changed: dict[str, Column] = {}
    for each in star.args.get("replace") or ():
        key, name = reader.names.key_of(each.args["alias"]), reader.names.stored(each.args["alias"])
        _name(reader, each.args["alias"], rows, scope)
        changed[key] = Column(name=name, key=key, origins=origins_of(reader, each.this, scope, aliases=False))
    for each in star.args.get("rename") or ():
        origins = _name(reader, each.this, rows, scope)
        key, name = reader.names.key_of(each.args["alias"]), reader.names.stored(each.args["alias"])
        changed[reader.names.key_of(_parts(each.this)[-1])] = Column(name=name, key=key, origins=origins)
    if not changed:
        return rows
    columns = tuple(changed.get(column.key, column) for column in rows.columns)
    return Rows(columns=columns, stars=rows.stars, open=rows.open, more=rows.more)


def _name(reader: Reader, node: Expr, rows: Rows, scope: Scope) -> frozenset[Origin]:
    """What is named beside a star is one of the columns that the star stands for."""
    parts = _parts(node)
    return bound(reader, parts, scope, aliases=False) if len(parts) > 1 else bound_in(reader, rows, parts[0])


def _parts(node: Expr) -> Sequence[Expr]:
    return node.parts if isinstance(node, exp.Column) else (node,)


def _like(rows: Rows, pattern: str) -> Rows:
    expression = re.compile(
        "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern), re.IGNORECASE | re.DOTALL
    )
    return rows.where([expression.fullmatch(column.name) is not None for column in rows.columns])
