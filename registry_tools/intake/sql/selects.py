"""A query in, the rows that it gives out: SELECT, WITH, set operations and VALUES, each read once."""

from collections.abc import Sequence
from typing import Final

from sqlglot import Expr, exp

from registry_tools.intake.sql.binding import bound_in
from registry_tools.intake.sql.expressions import origins_of
from registry_tools.intake.sql.parsing import Unreadable
from registry_tools.intake.sql.rows import Column, Rows, joined, same_layout, stacked
from registry_tools.intake.sql.scope import Queries, Reader, Scope
from registry_tools.intake.sql.sources import add_joins, add_sources, aliased
from registry_tools.intake.sql.stars import star_of, starred

# The parts of a SELECT that are read by name below; every other part is an expression like any.
_READ_APART: Final = frozenset(
    (
        "with_",
        "from_",
        "joins",
        "laterals",
        "expressions",
        "distinct",
        "group",
        "having",
        "order",
        "hint",
        "kind",
        "sample",
    )
)
# RECURSIVE is not written, or need not be (Snowflake, WITH; SQL Server, WITH common_table_expression; Oracle, SELECT).
_RECURSIVE_WITHOUT_SAYING: Final = frozenset(("snowflake", "sqlserver", "synapse", "fabric", "oracle"))
# In HAVING, where the others look for a column first (measured with DuckDB 2.0).
_ALIASES_WIN: Final = frozenset(("duckdb",))


def query_rows(reader: Reader, node: Expr, around: Scope | None, queries: Queries) -> Rows:
    """The rows of any query. Raises Unreadable."""
    queries = _with_named(reader, node, around, queries)
    match node:
        case exp.Select():
            return _select(reader, node, around, queries)
        case exp.SetOperation():
            return _set_operation(reader, node, around, dict(queries))
        case exp.Subquery():
            rows = query_rows(reader, node.this, around, queries)
            _order(reader, node, rows, Scope(queries=queries, around=around), 0)
            return rows
        case exp.Values():
            return _values(reader, node, around, queries)
        case _:
            raise Unreadable(f"{type(node).__name__} as a query is not understood")


# -- WITH -------------------------------------------------------------------------------------------------------------


def _with_named(reader: Reader, node: Expr, around: Scope | None, queries: Queries) -> Queries:
    """The names that are known behind the WITH of a query, which is read whether anybody uses them or not."""
    clause = node.args.get("with_")
    if clause is None:
        return queries
    known = dict(queries)
    for named in clause.expressions:
        alias = named.args["alias"]
        key = reader.names.key_of(alias.this)
        columns = alias.args.get("columns") or ()
        if _may_recur(reader, clause, named.this, key):
            inside = _with_named(reader, named.this, around, known)
            rows = _set_operation(reader, named.this, around, dict(inside), (key, columns))
        else:
            rows = query_rows(reader, named.this, around, known)
        known[key] = aliased(reader, rows, columns)
    return known


def _may_recur(reader: Reader, clause: Expr, query: Expr, key: str) -> bool:
    """Whether a query of WITH may read itself, under its name."""
    if not isinstance(query, exp.SetOperation):
        return False
    if clause.args.get("recursive"):
        return True
    if reader.names.adapter not in _RECURSIVE_WITHOUT_SAYING:
        return False
    return any(reader.names.key_of(table.this) == key for table in query.expression.find_all(exp.Table) if not table.db)


# -- SELECT -----------------------------------------------------------------------------------------------------------


def _select(reader: Reader, node: exp.Select, around: Scope | None, queries: Queries) -> Rows:
    if node.args.get("match"):
        raise Unreadable("match_recognize is not understood")
    scope = Scope(queries=queries, around=around)
    if source := node.args.get("from_"):
        add_sources(reader, source.this, scope)
    add_joins(reader, node, scope)
    for lateral in node.args.get("laterals") or ():
        add_sources(reader, lateral, scope)
    _know_aliases(reader, node, scope)
    rows, first_star = _select_list(reader, node, scope)
    _distinct(reader, node, rows, scope)
    _group(reader, node, rows, scope, first_star)
    for name in node.args.keys() - _READ_APART:
        _clause(reader, node.args[name], scope)
    scope.aliases_win = reader.names.adapter in _ALIASES_WIN
    _clause(reader, node.args.get("having"), scope)
    scope.aliases_win = False
    _order(reader, node, rows, scope, first_star)
    return rows


def _clause(reader: Reader, part: object, scope: Scope) -> None:
    for each in part if isinstance(part, list) else (part,):
        if isinstance(each, Expr):
            origins_of(reader, each, scope)


def _know_aliases(reader: Reader, node: exp.Select, scope: Scope) -> None:
    """Names of the select list, before what they stand for is known: one may be used before it is given."""
    for item in node.expressions:
        if isinstance(item, exp.Alias):
            scope.aliases[reader.names.key_of(item.args["alias"])] = frozenset()


def _select_list(reader: Reader, node: exp.Select, scope: Scope) -> tuple[Rows, int]:
    """The columns, and before how many of them nothing depends on the columns of a table."""
    parts: list[Rows] = []
    fixed: int | None = None
    for index, item in enumerate(node.expressions):
        star = star_of(item)
        if star is None:
            parts.append(Rows(columns=_columns_of(reader, item, scope)))
        else:
            parts.append(starred(reader, item, star, scope))
            if fixed is None and parts[-1].stars:
                fixed = index
    rows = joined(parts)
    if node.args.get("kind") and rows.stars:
        reader.notes.whole(rows.carried, "value")  # select as struct *
    return rows, len(rows.columns) if fixed is None else fixed


def _columns_of(reader: Reader, item: Expr, scope: Scope) -> tuple[Column, ...]:
    if isinstance(item, exp.Aliases):
        names = [each for each in item.args["expressions"] if isinstance(each, exp.Identifier)]
        value = item.this
    elif isinstance(item, exp.Alias):
        names, value = [item.args["alias"]], item.this
    else:
        names, value = [], item
    given = [(reader.names.stored(each), reader.names.key_of(each)) for each in names] or [_own_name(reader, item)]
    if isinstance(item, exp.Alias):
        scope.aliases.pop(given[0][1], None)  # in `sum(amount) as amount` the name is not yet given
    origins = origins_of(reader, value, scope)
    if isinstance(item, exp.Alias):
        scope.aliases[given[0][1]] = origins
    return tuple(Column(name=name, key=key, origins=origins) for name, key in given)


def _own_name(reader: Reader, item: Expr) -> tuple[str, str]:
    """The name of a column to which the query gives none; empty where it is the platform that thinks of one."""
    own = item.this if isinstance(item, exp.Column) else item.expression if isinstance(item, exp.Dot) else None
    if isinstance(own, exp.Identifier):
        return reader.names.stored(own), reader.names.key_of(own)
    name = reader.names.stored(exp.Identifier(this=item.output_name))
    return name, reader.names.key(name)


def _distinct(reader: Reader, node: exp.Select, rows: Rows, scope: Scope) -> None:
    distinct = node.args.get("distinct")
    if distinct is None:
        return
    if distinct.args.get("on") is not None:
        origins_of(reader, distinct.args["on"], scope)
    else:
        reader.notes.whole(rows.carried, "value")


def _group(reader: Reader, node: exp.Select, rows: Rows, scope: Scope, first_star: int) -> None:
    group = node.args.get("group")
    if group is None:
        return
    if group.args.get("all") and rows.stars:
        reader.notes.whole(rows.carried, "value")
    for part in group.iter_expressions():
        if not _is_ordinal(reader, part, rows, first_star):
            origins_of(reader, part, scope)


def _order(reader: Reader, node: Expr, rows: Rows, scope: Scope, first_star: int) -> None:
    """A name in ORDER BY is one of the select list if there is such a one."""
    order = node.args.get("order")
    if order is None:
        return
    for ordered in order.expressions:
        value = ordered.this
        is_name = isinstance(value, exp.Column) and len(value.parts) == 1 and isinstance(value.this, exp.Identifier)
        if is_name and rows.found(reader.names.key_of(value.this)):
            bound_in(reader, rows, value.this)
        elif is_name and value.this.name.lower() == "all" and not value.this.args.get("quoted"):
            reader.notes.whole(rows.carried, "position")
        elif not _is_ordinal(reader, value, rows, first_star):
            origins_of(reader, value, scope)


def _is_ordinal(reader: Reader, node: Expr, rows: Rows, first_star: int) -> bool:
    """Whether it is the number of a column: behind a star that depends on how many the star stands for."""
    if not isinstance(node, exp.Literal) or node.is_string or not node.name.isdigit():
        return False
    if rows.stars and int(node.name) > first_star:
        reader.notes.whole(rows.carried, "position")
    return True


# -- set operations and VALUES ----------------------------------------------------------------------------------------


def _set_operation(
    reader: Reader,
    node: exp.SetOperation,
    around: Scope | None,
    queries: dict[str, Rows],
    itself: tuple[str, Sequence[Expr]] | None = None,
) -> Rows:
    """Down the left side without recursion: a union of five hundred queries is nested five hundred deep.

    `itself` are the name and the column list of a query that reads itself: as far as its first part gives it.
    """
    chain = [(node, queries)]
    while isinstance(chain[-1][0].this, exp.SetOperation):
        inner = chain[-1][0].this
        chain.append((inner, dict(_with_named(reader, inner, around, chain[-1][1]))))
    innermost, known = chain[-1]
    rows = query_rows(reader, innermost.this, around, known)
    if itself is not None:
        for _, names in chain:
            names[itself[0]] = aliased(reader, rows, itself[1])
    for operation, names in reversed(chain):
        right = query_rows(reader, operation.expression, around, names)
        rows = _combined(reader, operation, rows, right)
        _order(reader, operation, rows, Scope(queries=names, around=around), 0)
    return rows


def _combined(reader: Reader, operation: exp.SetOperation, left: Rows, right: Rows) -> Rows:
    by_name = bool(operation.args.get("by_name"))
    if not by_name and not same_layout(left, right):
        reader.notes.whole(left.carried | right.carried, "position")
    if operation.args.get("distinct") or not isinstance(operation, exp.Union):
        reader.notes.whole(left.carried | right.carried, "value")
    return stacked(left, right, by_name=by_name)


def _values(reader: Reader, node: exp.Values, around: Scope | None, queries: Queries) -> Rows:
    scope = Scope(queries=queries, around=around)
    rows = node.expressions
    for row in rows:
        origins_of(reader, row, scope, aliases=False)
    width = len(rows[0].expressions) if rows and isinstance(rows[0], exp.Tuple) else 1
    first, named = (0, "col") if reader.names.adapter == "duckdb" else (1, "column")
    identifiers = [exp.to_identifier(f"{named}{number}") for number in range(first, first + width)]
    return Rows(
        columns=tuple(Column(name=reader.names.stored(each), key=reader.names.key_of(each)) for each in identifiers)
    )
