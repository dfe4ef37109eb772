"""A statement in, the rows that leave it out: a query, or what writes the rows of one into a table."""

from collections.abc import Iterable

from sqlglot import Expr, exp

from registry_tools.intake.sql.expressions import origins_of
from registry_tools.intake.sql.parsing import Unreadable
from registry_tools.intake.sql.rows import Rows
from registry_tools.intake.sql.scope import Reader, Scope
from registry_tools.intake.sql.sources import add_joins, add_sources


def statement_rows(reader: Reader, statement: Expr) -> Rows:
    """The rows of a statement, after everything in it has been read. Raises Unreadable."""
    match statement:
        case exp.Insert(expression=exp.Query() as query) | exp.Create(expression=exp.Query() as query):
            return _written(reader, statement, query)
        case exp.Merge() | exp.Update() | exp.Delete():
            return _changed(reader, statement)
        case exp.Query() | exp.Values():
            return reader.rows_of(reader, statement, None, {})
        case _:
            raise Unreadable(f"a statement that is no query: {statement.key}")


def _written(reader: Reader, statement: Expr, query: Expr) -> Rows:
    """`insert into t select ...` counts the columns, as does `create view t (a, b) as ...`."""
    if statement.args.get("with_"):
        raise Unreadable(f"with before {statement.key} is not understood")
    rows = reader.rows_of(reader, query, None, {})
    counted = not statement.args.get("by_name") if isinstance(statement, exp.Insert) else _has_columns(statement)
    if counted:
        reader.notes.whole(rows.carried, "position")
    return rows


def _has_columns(create: Expr) -> bool:
    return isinstance(create.this, exp.Schema) and bool(create.this.expressions)


def _changed(reader: Reader, statement: Expr) -> Rows:
    """MERGE, UPDATE and DELETE: the columns that are written are the target's; every other name is anybody's."""
    if statement.args.get("with_"):
        raise Unreadable(f"with before {statement.key} is not understood")
    target = Scope(queries={})
    add_sources(reader, statement.this, target)
    scope = Scope(queries={}, sources=list(target.sources))
    for source in _sources(statement):
        add_sources(reader, source, scope)
    add_joins(reader, statement, scope)
    for name in ("on", "where"):
        if part := statement.args.get(name):
            origins_of(reader, part, scope, aliases=False)
    whens = statement.args.get("whens")
    for when in whens.expressions if whens else ():
        if condition := when.args.get("condition"):
            origins_of(reader, condition, scope, aliases=False)
        _write(reader, when.args["then"], target, scope)
    if isinstance(statement, exp.Update):
        _write(reader, statement, target, scope)
    return Rows()


def _sources(statement: Expr) -> Iterable[Expr]:
    for name in ("using", "from_"):
        found = statement.args.get(name)
        for each in found if isinstance(found, list) else [found] if found else []:
            yield each.this if isinstance(each, exp.From) else each


def _write(reader: Reader, action: Expr, target: Scope, scope: Scope) -> None:
    """`update set a = s.b`, `insert (a) values (s.b)`; `update set *` and `insert *` take whole rows by their names."""
    written, values = [], []
    if isinstance(action, exp.Update):
        pairs = action.expressions
        written = [pair.this for pair in pairs if isinstance(pair, exp.EQ)]
        values = [pair.expression if isinstance(pair, exp.EQ) else pair for pair in pairs]
        values += [part for part in (action.args.get("where"),) if part and not action.args.get("from_")]
    elif isinstance(action, exp.Insert):
        written, values = [action.this], [action.expression]
    for part in values:
        if isinstance(part, exp.Star) or part is None:
            reader.notes.whole(scope.carried, "output")
        else:
            origins_of(reader, part, scope, aliases=False)
    for part in written:
        if isinstance(part, Expr) and not isinstance(part, exp.Star):
            origins_of(reader, part, target, aliases=False)
