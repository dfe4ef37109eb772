"""An expression of a query in, the columns that its value is made of out."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from registry_tools.intake.sql.binding import bound, named
from registry_tools.intake.sql.parsing import Unreadable
from registry_tools.intake.sql.reading import Origin
from registry_tools.intake.sql.rows import NOTHING, Rows
from registry_tools.intake.sql.scope import Reader, Scope

_NO_VALUES: Final = (exp.DataType, exp.Hint, exp.Identifier, exp.JSONPath, exp.Literal, exp.Var)
# Statements and clauses that stand among expressions and bind names by rules of their own.
_UNREADABLE: Final[Mapping[type[Expr], str]] = {
    exp.Columns: "columns()",
    exp.MatchRecognize: "match_recognize",
    exp.Command: "a command",
}


def origins_of(
    reader: Reader, root: Expr, scope: Scope, *, aliases: bool = True, hidden: frozenset[str] = frozenset()
) -> frozenset[Origin]:
    """What the value of an expression is made of. With `aliases` the names of the select list may be used in it;
    `hidden` are names that mean something else in it, as in a lambda.

    Raises Unreadable.
    """
    origins = NOTHING
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Column):
            origins |= _column(reader, node, scope, aliases=aliases, hidden=hidden)
        elif not isinstance(node, _NO_VALUES):
            found = _with_rules_of_its_own(reader, node, scope, aliases=aliases, hidden=hidden)
            if found is None:
                waiting += node.iter_expressions()
            else:
                origins |= found
    return origins


def _with_rules_of_its_own(
    reader: Reader, node: Expr, scope: Scope, *, aliases: bool, hidden: frozenset[str]
) -> frozenset[Origin] | None:
    """The origins of what is more than its parts; None for everything else."""
    match node:
        case exp.Query():
            return _subquery(reader, node, scope)
        case exp.Lambda():
            names = hidden.union(map(reader.names.key_of, node.expressions))
            return origins_of(reader, node.this, scope, aliases=aliases, hidden=names)
        case exp.Comprehension():
            return _comprehension(reader, node, scope, hidden)
        case exp.DynamicIdentifier():
            return bound(reader, literal_name(node, reader), scope, aliases=aliases)
        case _ if type(node) in _UNREADABLE:
            raise Unreadable(f"{_UNREADABLE[type(node)]} is not understood")
        case _:
            return _of_whole_rows(reader, node, scope)


def _of_whole_rows(reader: Reader, node: Expr, scope: Scope) -> frozenset[Origin] | None:
    match node:
        case exp.Exists(this=exp.Query() as query):
            reader.rows_of(reader, query, scope, scope.queries)
            return NOTHING
        case exp.Count(this=exp.Star()) | exp.PivotAny(this=None):
            return NOTHING
        case exp.Star():
            return _every(reader, scope.every()) | _beside(reader, node, scope)
        case exp.Parameter(this=exp.Literal(is_string=False)):
            return _positional(reader, node, scope.every())
        case _:
            return None


def literal_name(node: Expr, reader: Reader) -> Sequence[Expr]:
    """The parts of the name in `identifier('db.schema.name')`. Raises Unreadable where it is computed."""
    if not (isinstance(node.this, exp.Literal) and node.this.is_string):
        raise Unreadable("identifier() of something that is computed")
    try:
        table = exp.to_table(node.this.name, dialect="snowflake" if reader.names.adapter == "snowflake" else None)
    except (SqlglotError, ValueError) as error:
        raise Unreadable("identifier() of something that is no name") from error
    for part in table.parts:
        part.meta["line"] = node.this.meta.get("line", 0)
    return table.parts


def _column(
    reader: Reader, node: exp.Column, scope: Scope, *, aliases: bool, hidden: frozenset[str]
) -> frozenset[Origin]:
    parts: Sequence[Expr] = node.parts
    if isinstance(parts[-1], exp.Identifier):
        if hidden and reader.names.key_of(parts[0]) in hidden:
            return NOTHING
        return bound(reader, parts, scope, aliases=aliases)
    source = scope.source(tuple(map(reader.names.key_of, parts[:-1])))
    if not isinstance(parts[-1], exp.Star):
        return _positional(reader, parts[-1], source.rows if source else scope.every())
    if source is None:
        return bound(reader, parts[:-1], scope, aliases=aliases)  # the fields of a struct
    return _every(reader, source.rows) | _beside(reader, parts[-1], scope)


def _beside(reader: Reader, star: Expr, scope: Scope) -> frozenset[Origin]:
    """The columns that a star in a value names: `hash(* exclude (a))`."""
    return NOTHING.union(*(origins_of(reader, each, scope, aliases=False) for each in star.iter_expressions()))


def _every(reader: Reader, rows: Rows) -> frozenset[Origin]:
    """All columns in one value: `hash(*)`, `object_construct(t.*)`."""
    reader.notes.whole(rows.carried, "value")
    return rows.origins


def _positional(reader: Reader, node: Expr, rows: Rows) -> frozenset[Origin]:
    """`$1`, `t.$1`: the first column, whichever it is."""
    reader.notes.whole(rows.carried, "position")
    number = int(node.this.name) if node.this.name.isdigit() else 0
    return named(reader, rows.columns[number - 1 : number], node) if number and not rows.more else NOTHING


def _subquery(reader: Reader, node: exp.Query, scope: Scope) -> frozenset[Origin]:
    """A query as a value or as a list of values: its columns are counted."""
    rows = reader.rows_of(reader, node, scope, scope.queries)
    reader.notes.whole(rows.carried, "position")
    return rows.origins


def _comprehension(reader: Reader, node: exp.Comprehension, scope: Scope, hidden: frozenset[str]) -> frozenset[Origin]:
    """`[x + a for x in list if x > b]`."""
    inside = hidden.union(reader.names.key_of(each) for each in (node.expression, node.args.get("position")) if each)
    origins = origins_of(reader, node.args["iterator"], scope, hidden=hidden)
    for part in (node.this, node.args.get("condition")):
        if part is not None:
            origins |= origins_of(reader, part, scope, hidden=inside)
    return origins
