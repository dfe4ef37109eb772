"""Parsed Snowflake SQL in, SQL that fakesnow and DuckDB agree on out; each rewrite says which fact asks for it."""

import json
import re

import sqlglot
from fakesnow.transforms.merge import operations
from sqlglot import Expr, exp

from registry_tools.local.warehouse.answers import Answer
from registry_tools.local.warehouse.session import Session
from registry_tools.local.warehouse.statements import PATH
from registry_tools.mesh.account import SYSTEM_ROLES

NULL_IN_NOT_NULL = "NULL result in a non-nullable column"

_DYNAMIC = re.compile(r"(DROP|ALTER) DYNAMIC TABLE (.*)", re.DOTALL)
_SCHEMA = re.compile(rf"CREATE (?:TRANSIENT )?SCHEMA (IF NOT EXISTS )?({PATH})(?: WITH MANAGED ACCESS)?")
_ACTIONS = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}


def known_spelling(statement: str) -> str | None:
    """A statement that fakesnow cannot read, said in words that it can; None when there is no need. Takes and returns
    the one spelling. DuckDB has neither dynamic tables (they are built here as tables) nor kinds of schemas.
    """
    if found := _DYNAMIC.fullmatch(statement):
        return f"{found[1]} TABLE {found[2]}"
    if found := _SCHEMA.fullmatch(statement):
        return f"CREATE SCHEMA {found[1] or ''}{found[2]}"
    return None


def without_temporary(expression: Expr) -> Expr:
    """A temporary table or view with a qualified name becomes an ordinary one: DuckDB keeps temporary objects in the
    catalog `temp` alone, and dbt makes them as DATABASE.SCHEMA.X__dbt_tmp and drops or replaces them itself.
    """
    if isinstance(expression, exp.Create) and (table := expression.find(exp.Table)) and table.db:
        properties = expression.args.get("properties")
        if properties is not None:
            kept = [each for each in properties.expressions if not isinstance(each, exp.TemporaryProperty)]
            properties.set("expressions", kept)
    return expression


def split_statement(expression: Expr) -> list[Expr] | None:
    """The statements to run instead of this one; None leaves the matter to fakesnow.

    MERGE stays whole: DuckDB has it, and fakesnow's own emulation trips over columns of the same name on both sides,
    which every dbt snapshot has. RETURNING tells what was done with each row.
    """
    if isinstance(expression, exp.Merge):
        expression.set("returning", exp.Returning(expressions=[exp.column("merge_action")]))
        return [expression]
    if _is_contracted(expression):
        return _keeping_contract(expression)
    return None


def merge_answer(merge: exp.Merge, actions: list[str]) -> Answer:
    """What Snowflake says after a MERGE, from what was done with each row: a count for each kind of clause it has."""
    kinds = [kind for kind, clauses in operations(merge).items() if clauses]
    return Answer(
        columns=tuple(f"number of rows {kind}" for kind in kinds),
        rows=(tuple(actions.count(_ACTIONS[kind]) for kind in kinds),),
    )


def with_session(expression: Expr, session: Session) -> Expr:
    """CURRENT_ROLE() and its sisters become what they stand for in this session; DuckDB has others or none."""
    facts = {
        exp.CurrentRole: session.role,
        exp.CurrentUser: session.user,
        exp.CurrentWarehouse: session.warehouse,
        exp.CurrentAccountName: "EMBEDDED",
        exp.CurrentAvailableRoles: json.dumps([*SYSTEM_ROLES, session.role]),  # nobody is checked
    }
    for call in list(expression.find_all(*facts)):
        call.replace(exp.Literal.string(facts[type(call)]))
    return expression


def _is_contracted(expression: Expr) -> bool:
    return (
        isinstance(expression, exp.Create)
        and expression.kind == "TABLE"
        and isinstance(expression.this, exp.Schema)
        and isinstance(expression.expression, exp.Query)
        and any(isinstance(column, exp.ColumnDef) for column in expression.this.expressions)
    )


def _keeping_contract(create: Expr) -> list[Expr]:
    """CREATE TABLE (columns and constraints) AS SELECT, which fakesnow miscounts once a constraint is in the list.

    Of the constraints only NOT NULL stays, the one that Snowflake enforces. It is checked inside the SELECT, so that a
    violation leaves the old table as it was, and put on the new table afterwards. Creating the empty table first
    would need a transaction, in which DuckDB lets nobody write two databases, as fakesnow does for varchar lengths.
    """
    columns = [column for column in create.this.expressions if isinstance(column, exp.ColumnDef)]
    required = [column.this for column in columns if column.find(exp.NotNullColumnConstraint)]
    for column in columns:
        column.set("constraints", None)
    create.this.set("expressions", columns)
    source = create.expression.unnest() if isinstance(create.expression, exp.Subquery) else create.expression
    names = [column.this.copy() for column in columns]
    checked = exp.Select(expressions=[_never_null(name) if name in required else _column(name) for name in names])
    alias = exp.TableAlias(this=exp.to_identifier("contract"), columns=names)
    create.set("expression", checked.from_(exp.Subquery(this=source.copy(), alias=alias)))
    return [create, *(_set_not_null(create.this.this, name) for name in required)]


def _column(name: exp.Identifier) -> exp.Column:
    return exp.Column(this=name.copy())


def _never_null(name: exp.Identifier) -> exp.Case:
    refusal = exp.Anonymous(this="error", expressions=[exp.Literal.string(NULL_IN_NOT_NULL)])
    return exp.Case(
        ifs=[exp.If(this=exp.Is(this=_column(name), expression=exp.Null()), true=refusal)], default=_column(name)
    )


def _set_not_null(table: Expr, column: exp.Identifier) -> Expr:
    sql = f"ALTER TABLE {table.sql(dialect='snowflake')} ALTER COLUMN {column.sql(dialect='snowflake')} SET NOT NULL"
    return sqlglot.parse_one(sql, read="snowflake")
