"""What stands in FROM in, its rows under their name out, added to the scope of the query one after the other."""

from collections.abc import Sequence

from sqlglot import Expr, exp

from registry_tools.intake.sql.binding import bound
from registry_tools.intake.sql.expressions import literal_name, origins_of
from registry_tools.intake.sql.names import line_of
from registry_tools.intake.sql.parsing import Unreadable
from registry_tools.intake.sql.pivots import pivoted
from registry_tools.intake.sql.reading import Origin
from registry_tools.intake.sql.rows import NOTHING, Column, Rows
from registry_tools.intake.sql.scope import Reader, Scope, Source

# Snowflake, FLATTEN, Output.
_FLATTENED = ("SEQ", "KEY", "PATH", "INDEX", "VALUE", "THIS")
# A query here sees what stands before it in FROM without being told so by LATERAL.
_ALWAYS_LATERAL = frozenset(("duckdb",))


def add_sources(reader: Reader, node: Expr, scope: Scope) -> list[Source]:
    """Adds what one item of FROM stands for, and gives it. Raises Unreadable."""
    begin = len(scope.sources)
    match node:
        case exp.Table():
            _add_table(reader, node, scope)
        case exp.Subquery():
            _add_subquery(reader, node, scope)
        case exp.Final():
            add_sources(reader, node.this, scope)
        case exp.Lateral(this=exp.Query() as query):
            _add(reader, node, reader.rows_of(reader, query, scope, scope.queries), scope)
        case exp.Lateral() | exp.TableFromRows() | exp.Unnest():
            _add_function(reader, node, scope)
        case exp.Values():
            _add(reader, node, reader.rows_of(reader, node, scope, scope.queries), scope)
        case _:
            raise Unreadable(f"{type(node).__name__} in FROM is not understood")
    return scope.sources[begin:]


def aliased(reader: Reader, rows: Rows, columns: Sequence[Expr]) -> Rows:
    """Rows under a column list, as in `t(a, b)`: it counts their columns."""
    if not columns:
        return rows
    reader.notes.whole(rows.carried, "position")
    return rows.renamed([(reader.names.stored(column), reader.names.key_of(column)) for column in columns])


def _add(reader: Reader, node: Expr, rows: Rows, scope: Scope, path: tuple[str, ...] = ()) -> None:
    """Adds the rows under the alias of the node, or of its last pivot, if it has one."""
    alias = node.args.get("alias")
    key = path[-1] if path else ""
    if isinstance(alias, exp.TableAlias):
        rows = aliased(reader, rows, alias.args.get("columns") or ())
        if alias.this:
            key, path = reader.names.key_of(alias.this), ()
    for pivot in node.args.get("pivots") or ():
        rows = pivoted(reader, pivot, Source(rows=rows, key=key, path=path), scope)
        alias = pivot.args.get("alias")
        if isinstance(alias, exp.TableAlias):
            rows = aliased(reader, rows, alias.args.get("columns") or ())
            key, path = reader.names.key_of(alias.this) if alias.this else key, ()
    scope.sources.append(Source(rows=rows, key=key, path=path))


# -- tables -----------------------------------------------------------------------------------------------------------


def _add_table(reader: Reader, node: exp.Table, scope: Scope) -> None:
    parts: Sequence[Expr] = node.parts
    if isinstance(node.this, exp.DynamicIdentifier):
        parts = literal_name(node.this, reader)
    if all(isinstance(part, exp.Identifier) for part in parts):
        path = tuple(map(reader.names.key_of, parts))
        if len(path) > 1 and any(source.key == path[0] for source in scope.sources):
            bound(reader, parts, scope, aliases=False)  # `from orders o, o.items i`: a column that holds rows
        _add(reader, node, _rows_of_table(reader, parts, scope), scope, path)
    elif isinstance(node.this, exp.Identifier | exp.Func):
        _add_function(reader, node, scope)
    elif isinstance(node.this, exp.Var | exp.Literal):
        _add(reader, node, Rows(more=True), scope)  # a stage, a file
    else:
        raise Unreadable("the name of a table is computed")
    add_joins(reader, node, scope)


def _rows_of_table(reader: Reader, parts: Sequence[Expr], scope: Scope) -> Rows:
    if len(parts) == 1:
        query = scope.queries.get(reader.names.key_of(parts[0]))
        if query is not None:
            return query
    return table_rows(reader, parts)


def table_rows(reader: Reader, parts: Sequence[Expr]) -> Rows:
    """The rows of a table or a view."""
    database, schema, identifier = [None] * (3 - len(parts)) + [reader.names.stored(part) for part in parts[-3:]]
    shape = reader.tables((database, schema, identifier or ""))
    if shape is None:
        return Rows(more=True)
    reader.notes.meet(shape, line_of(parts[-1]))
    columns = []
    for name in shape.columns:
        origin = Origin(table=shape.table, column=name)
        itself = frozenset((origin,))
        columns.append(
            Column(name=name, key=reader.names.key(name), origins=itself, named=itself, passed=origin),
        )
    unknown = frozenset(() if shape.complete else (shape.table,))
    return Rows(columns=tuple(columns), stars=((shape.table, len(columns)),), open=unknown)


# -- queries, and what stands between parentheses ---------------------------------------------------------------------


def _add_subquery(reader: Reader, node: exp.Subquery, scope: Scope) -> None:
    inner = node.this
    if isinstance(inner, exp.Table) or (isinstance(inner, exp.Subquery) and inner.args.get("joins")):
        _add_group(reader, node, scope)
    else:
        around = scope if reader.names.adapter in _ALWAYS_LATERAL else scope.around
        bare = node if node.args.get("with_") else inner
        _add(reader, node, reader.rows_of(reader, bare, around, scope.queries), scope)
    add_joins(reader, node, scope)


def _add_group(reader: Reader, node: exp.Subquery, scope: Scope) -> None:
    """`(a join b on ...)`: its own names first; without an alias they are names of the query as well."""
    group = Scope(queries=scope.queries, around=scope)
    add_sources(reader, node.this, group)
    if node.args.get("alias") or node.args.get("pivots"):
        _add(reader, node, group.every(), scope)
    else:
        scope.sources += group.sources


# -- functions --------------------------------------------------------------------------------------------------------


def _add_function(reader: Reader, node: Expr, scope: Scope) -> None:
    if isinstance(node, exp.TableFromRows) and (parts := _named_table(reader, node.this)):
        _add(reader, node, _rows_of_table(reader, parts, scope), scope, tuple(map(reader.names.key_of, parts)))
        return
    if isinstance(node.this, exp.Parameter | exp.Placeholder | exp.SessionParameter):
        raise Unreadable("the name of a table is computed")
    origins = NOTHING
    for argument in (node.this, *node.expressions):
        if isinstance(argument, Expr):
            origins |= origins_of(reader, argument, scope, aliases=False)
    columns = _given_columns(reader, node)
    rows = Rows(
        columns=tuple(Column(name=name, key=reader.names.key(name), origins=origins) for name in columns),
        more=not columns and not isinstance(node.this, exp.Generator),
    )
    if isinstance(node, exp.Unnest) and reader.names.adapter == "bigquery":
        rows.more = True  # the fields of a struct are columns as well
    scope.sources.append(Source(rows=rows, key=_alias_key(reader, node)))
    add_joins(reader, node, scope)


def _named_table(reader: Reader, node: Expr | None) -> Sequence[Expr]:
    """`table('db.schema.name')` and `table(identifier('...'))` are tables."""
    if isinstance(node, exp.DynamicIdentifier):
        return literal_name(node, reader)
    if isinstance(node, exp.Literal) and node.is_string:
        return literal_name(exp.DynamicIdentifier(this=node.copy()), reader)
    return ()


def _given_columns(reader: Reader, node: Expr) -> list[str]:
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or () if isinstance(alias, exp.TableAlias) else ()
    names = [reader.names.stored(column) for column in columns]
    offset = node.args.get("offset")
    if isinstance(offset, exp.Identifier):
        names.append(reader.names.stored(offset))
    if not names and reader.names.adapter == "snowflake" and isinstance(node.this, exp.Explode):
        names += _FLATTENED
    return names


def _alias_key(reader: Reader, node: Expr) -> str:
    alias = node.args.get("alias")
    return reader.names.key_of(alias.this) if isinstance(alias, exp.TableAlias) and alias.this else ""


# -- joins ------------------------------------------------------------------------------------------------------------


def add_joins(reader: Reader, node: Expr, scope: Scope) -> None:
    """Adds what the node is joined with, in order, and reads the conditions. Raises Unreadable."""
    for join in node.args.get("joins") or ():
        before = len(scope.sources)
        added = add_sources(reader, join.this, scope)
        if join.method == "NATURAL":
            _natural(reader, join, scope, before)
        elif join.args.get("using"):
            _merge(reader, join.args["using"], scope, before)
        for condition in (join.args.get("on"), join.args.get("match_condition")):
            if condition is not None:
                origins_of(reader, condition, scope, aliases=False)
        if join.kind in ("SEMI", "ANTI"):
            del scope.sources[before : before + len(added)]


def _natural(reader: Reader, join: exp.Join, scope: Scope, before: int) -> None:
    """All columns of one name are compared: a new one of either side may be one of them."""
    left = [column for source in scope.sources[:before] for column in source.rows.columns if source.found(column.key)]
    right = [column for source in scope.sources[before:] for column in source.rows.columns]
    here = {column.key for column in left}
    for one, others in ((scope.sources[:before], right), (scope.sources[before:], left)):
        for source in one:
            reader.notes.whole(source.rows.carried, "value")
            reader.notes.take(source.rows.carried, {column.key for column in others})
    both = [column for column in right if column.key in here]
    identifiers = [exp.Identifier(this=column.name, quoted=True) for column in both]
    for identifier in identifiers:
        identifier.meta["line"] = line_of(join)
    _merge(reader, identifiers, scope, before)


def _merge(reader: Reader, names: Sequence[Expr], scope: Scope, before: int) -> None:
    """`using (a)`: two columns are one, which `*` gives once and whose bare name is not ambiguous."""
    left = Scope(queries=scope.queries, sources=scope.sources[:before])
    right = Scope(queries=scope.queries, sources=scope.sources[before:])
    merged: dict[str, frozenset[Origin]] = {}
    for name in names:
        identifier = name.parts[-1] if isinstance(name, exp.Column) else name
        origins = origins_of(reader, exp.Column(this=identifier.copy()), left, aliases=False)
        origins |= origins_of(reader, exp.Column(this=identifier.copy()), right, aliases=False)
        merged[reader.names.key_of(identifier)] = origins
    scope.sources[:before] = [_with_both(source, merged) for source in scope.sources[:before]]
    scope.sources[before:] = [
        Source(rows=source.rows, key=source.key, path=source.path, merged=source.merged | merged.keys())
        for source in scope.sources[before:]
    ]


def _with_both(source: Source, merged: dict[str, frozenset[Origin]]) -> Source:
    """The left side's column is made of both from now on."""
    if not any(source.found(key) for key in merged):
        return source
    columns = tuple(
        Column(name=column.name, key=column.key, origins=merged[column.key], named=column.named)
        if column.key in merged
        else column
        for column in source.rows.columns
    )
    rows = Rows(columns=columns, stars=source.rows.stars, open=source.rows.open, more=source.rows.more)
    return Source(rows=rows, key=source.key, path=source.path, merged=source.merged)
