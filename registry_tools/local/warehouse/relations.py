"""A parsed statement in, what it does to the existence of a table, view, schema or database out."""

from dataclasses import dataclass

from sqlglot import Expr, exp

from registry_tools.local.warehouse.grants import RELATIONS


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """A table, view or schema exists after this. `afresh` says that grants of its predecessor do not carry over."""

    kind: str
    path: tuple[str, ...]
    afresh: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Renamed:
    """A table or view has another name after this."""

    path: tuple[str, ...]
    to: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """Nothing of this name and kind exists after this."""

    kind: str
    path: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Emptied:
    """A table has no rows after this, and was never loaded."""

    path: tuple[str, ...]


Effect = Created | Renamed | Dropped | Emptied


def effect_of(expression: Expr) -> Effect | None:
    """What the statement will do to relations, if it succeeds. Must see it before any rewrite changes it. Temporary
    relations have no effect: nobody is ever granted anything on them.
    """
    table = expression.find(exp.Table)
    if table is None:
        return None
    if isinstance(expression, exp.Create) and expression.kind in {*RELATIONS, "SCHEMA"}:
        if expression.find(exp.TemporaryProperty):
            return None
        afresh = bool(expression.args.get("replace")) and not expression.find(exp.CopyGrantsProperty)
        return Created(kind=expression.kind, path=_path(table), afresh=afresh)
    if isinstance(expression, exp.Drop) and expression.kind in {*RELATIONS, "SCHEMA", "DATABASE"}:
        return Dropped(kind=expression.kind, path=_path(table))
    if isinstance(expression, exp.Alter) and (rename := expression.find(exp.AlterRename)):
        return Renamed(path=_path(table), to=_path(rename.this))
    return Emptied(path=_path(table)) if isinstance(expression, exp.TruncateTable) else None


def _path(table: exp.Table) -> tuple[str, ...]:
    return tuple(
        part.name if part.args.get("quoted") else part.name.upper()
        for part in table.parts
        if isinstance(part, exp.Identifier)
    )
