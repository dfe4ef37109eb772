"""One login's statements in, Snowflake's answers out: fakesnow's connection and cursor with the gaps filled in."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import duckdb
import sqlglot
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import Expr, exp

from registry_tools.local.warehouse import account, account_shows, comments, copying, loads, refusals, rewrites
from registry_tools.local.warehouse.account import Relation
from registry_tools.local.warehouse.answers import DONE, Answer
from registry_tools.local.warehouse.grants import GrantBook
from registry_tools.local.warehouse.relations import Created, Dropped, Effect, Emptied, Renamed, effect_of
from registry_tools.local.warehouse.session import Session
from registry_tools.local.warehouse.stages import Stages
from registry_tools.local.warehouse.statements import NAME, one_spelling, parts

# Two sessions that write the same table at once: DuckDB refuses the second, Snowflake lets it wait. In all 2 s.
_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.6)
_UNDER_A_SCHEMA = frozenset(
    {"TABLE", "VIEW", "MATERIALIZED VIEW", "DYNAMIC TABLE", "STAGE", "SEQUENCE", "STREAM", "TASK"}
)
_CREATE_DATABASE = re.compile(
    rf"CREATE (?:OR REPLACE )?(?:TRANSIENT )?DATABASE (?:IF NOT EXISTS )?(?P<name>{NAME})(?: .*)?"
)
_DROP_DATABASE = re.compile(rf"DROP DATABASE (?P<if>IF EXISTS )?(?P<name>{NAME})(?: CASCADE| RESTRICT)?")


class LocalConnection(FakeSnowflakeConnection):
    """A login. Remembers its role and query tag, and keeps the account's book up to date with what it creates."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - fakesnow's own signature
        book: GrantBook,
        home: Path | None,
        **kwargs: Any,  # noqa: ANN401 - see above
    ) -> None:
        super().__init__(*args, **kwargs)
        self.session = Session()
        self._book = book
        self._stages = Stages(duck=self._duck_conn, home=home)

    @property
    def role(self) -> str:
        """The role that owns what this login creates."""
        return self.session.role

    @property
    def in_transaction(self) -> bool:
        """Whether BEGIN was said, and neither COMMIT nor ROLLBACK since."""
        return self._in_transaction

    @in_transaction.setter
    def in_transaction(self, value: bool) -> None:
        self._in_transaction = value

    def cursor(self, cursor_class: type[SnowflakeCursor] = SnowflakeCursor) -> "LocalCursor":
        """A cursor that answers account statements itself and leaves the rest to fakesnow."""
        del cursor_class  # whether rows come as dicts is the client's business, over HTTP
        return LocalCursor(conn=self, duck_conn=self._duck_conn)

    def answer(self, statement: str) -> Answer | None:
        """The answer to a statement that DuckDB has no notion of; None for those that it has to run."""
        return (
            self.session.answer(statement)
            or account.answer(self._book, self, statement)
            or account_shows.answer(self._book, self, statement)
            or comments.answer(self._duck_conn, statement)
            or self._stages.altered(statement, self.database, self._schema)
            or self._drop_stage(statement)
            or self._drop_database(statement)
        )

    def is_staged(self, expression: Expr) -> bool:
        """Whether LIST asks for a stage in S3, which fakesnow takes for a folder of its own."""
        here = (self.database, self._schema)
        return isinstance(expression, exp.ListStage) and self._stages.listed_in(expression, *here) is not None

    def staged_answer(self, expression: Expr) -> Answer | None:
        """The answer to COPY INTO or LIST where the files lie in S3; a COPY has then been carried out."""
        here = (self.database, self._schema)
        if isinstance(expression, exp.ListStage):
            return self._stages.listed(expression, *here)
        if isinstance(expression, exp.Copy) and (source := copying.source_of(expression)):
            staged = self._stages.named(source, *here)
            if staged is not None:
                asked = copying.copying_of(expression, self._duck_conn, source, *here)
                return loads.load(self._duck_conn, asked, staged, in_transaction=self.in_transaction)
        return None

    def whole_name(self, kind: str, path: tuple[str, ...]) -> str:
        """The path with the session's database and schema where it names none."""
        here = (self.database or "", self._schema or "")
        wanted = 3 if kind in _UNDER_A_SCHEMA else 2 if kind in {"SCHEMA", "DATABASE ROLE"} else len(path)
        return ".".join((*here[: max(wanted - len(path), 0)], *path))

    def relations(self, inside: str) -> list[Relation]:
        """The schemas, tables and views inside a database or schema, or the table or view of that very name."""
        rows = self._duck_conn.execute(
            """
            with named as (
                select
                    if(table_type = 'VIEW', 'VIEW', 'TABLE') as kind,
                    concat_ws('.', table_catalog, table_schema, table_name) as name
                from system.information_schema.tables
                where table_schema != '_fs_information_schema'
                union all
                select 'SCHEMA', concat_ws('.', catalog_name, schema_name)
                from system.information_schema.schemata
                where schema_name not in ('main', 'pg_catalog', 'information_schema', '_fs_information_schema')
            )
            select kind, name from named where upper(name) = upper($1) or starts_with(upper(name), upper($1) || '.')
            """,
            [inside],
        ).fetchall()
        return [Relation(kind=kind, name=name) for kind, name in rows]

    def _drop_stage(self, statement: str) -> Answer | None:
        name = self._stages.dropped(statement, self.database, self._schema)
        if name is None:
            return None
        self._book.dropped(name)
        return DONE

    def _drop_database(self, statement: str) -> Answer | None:
        """Detaches the database, which is all that DuckDB can do, and removes its file, which would bring it back."""
        found = _DROP_DATABASE.fullmatch(statement)
        if found is None or self.db_path is None:
            return None
        (name,) = parts(found["name"])
        attached = self._duck_conn.execute("select database_name from duckdb_databases()").fetchall()
        if (name,) not in attached:  # and so no name reaches beyond the directory
            if found["if"]:
                return DONE
            message = f"SQL compilation error:\nDatabase '{name}' does not exist or not authorized."
            raise ProgrammingError(msg=message, errno=2003, sqlstate="02000")
        if self.database == name:
            self._duck_conn.execute("USE memory")  # DuckDB detaches no database that the connection stands in
            self.database, self._schema, self.database_set, self.schema_set = None, None, False, False
        self._duck_conn.execute(f'DETACH "{name}"')
        for file in self.db_path.glob(f"{name}.db*"):  # with its write-ahead log
            file.unlink()
        self._book.dropped(name)
        self._stages.forget(f'"{name}"')
        return DONE

    def has_done(self, effect: Effect | None) -> None:
        """Notes in the account's book what a statement has done."""
        match effect:
            case Created(kind=kind, path=path, afresh=afresh):
                self._book.created(kind, self.whole_name(kind, path), role=self.role, afresh=afresh)
            case Renamed(path=path, to=to):
                old, new = self.whole_name("TABLE", path), self.whole_name("TABLE", to)
                self._book.renamed(old, new)
                self._history(old).follow(self._history(new).table)
            case Dropped(kind=kind, path=path):
                name = self.whole_name(kind, path)
                self._book.dropped(name)
                if kind in {"SCHEMA", "DATABASE"}:
                    self._stages.forget(name)
            case Emptied(path=path):
                self._history(self.whole_name("TABLE", path)).forget()

    def _history(self, name: str) -> loads.History:
        database, schema, table = parts(name)
        return loads.History(duck=self._duck_conn, table=(database, schema, table))

    def complete(self, statement: str) -> None:
        """Gives a new database its schema PUBLIC, which every database of Snowflake's begins with (CREATE DATABASE)."""
        if found := _CREATE_DATABASE.fullmatch(statement):
            (name,) = parts(found["name"])
            self._duck_conn.execute(f'CREATE SCHEMA IF NOT EXISTS "{name.replace(chr(34), chr(34) * 2)}"."PUBLIC"')
            self._book.created("SCHEMA", f"{name}.PUBLIC", role=self.role, afresh=False)

    def recover(self) -> None:
        """Ends the transaction that a failed statement has aborted. DuckDB refuses all that follows in it, and dbt
        keeps the connection, so every later node would fail. What never reached DuckDB has aborted nothing.

        Here we differ from Snowflake, which keeps what the transaction had done before the failure.
        """
        try:
            self._duck_conn.execute("SELECT 1")
        except duckdb.TransactionException:
            self._duck_conn.rollback()
            self.in_transaction = False


class LocalCursor(FakeSnowflakeCursor):
    """Runs one statement. Whatever goes wrong is raised as the error that Snowflake would send."""

    _conn: LocalConnection
    _effect: Effect | None = None
    _last_transformed: Expr | None  # type: ignore[assignment]  # fakesnow's own None hides the type

    def execute(
        self,
        command: str,
        params: Sequence[Any] | dict[Any, Any] | None = None,
        *args: Any,  # noqa: ANN401 - fakesnow's own signature
        **kwargs: Any,  # noqa: ANN401 - see above
    ) -> Self:
        """Answers the statement, or runs it and notes what it did."""
        statement = one_spelling(command)
        refusals.decline(statement)
        try:
            if (answer := self._conn.answer(statement)) is not None:
                self._present(answer)
                return self
            self._effect = None
            self._run(rewrites.known_spelling(statement) or command, params, *args, **kwargs)
        except duckdb.Error as error:
            self._conn.recover()
            raise refusals.refusal(error) from error
        except AssertionError as error:  # how fakesnow says that it did not foresee a statement
            self._conn.recover()
            raise ProgrammingError(msg=f"Unsupported feature: {error}", errno=2, sqlstate="0A000") from error
        except Error:
            self._conn.recover()
            raise
        self._conn.has_done(self._effect)
        self._conn.complete(statement)
        return self

    def _run(self, command: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        for pause in _PAUSES:
            try:
                super().execute(command, *args, **kwargs)
            except duckdb.TransactionException as error:
                if self._conn.in_transaction or not refusals.is_conflict(error):
                    raise
                time.sleep(pause)
            else:
                return
        super().execute(command, *args, **kwargs)

    def _transform_explode(self, expression: Expr) -> list[Expr]:
        self._effect = effect_of(expression)
        return rewrites.split_statement(expression) or super()._transform_explode(expression)

    def _transform(self, expression: Expr, params: Any) -> Expr:  # noqa: ANN401 - fakesnow's own signature
        if self._conn.is_staged(expression):
            return expression
        readable = rewrites.with_session(rewrites.without_temporary(expression), self._conn.session)
        return comments.escape(super()._transform(readable, params))

    def _execute(self, transformed: Expr, params: Any = None) -> None:  # noqa: ANN401 - fakesnow's own signature
        if (answer := self._conn.staged_answer(transformed) or self._is_there_already(transformed)) is not None:
            self._present(answer)
            return
        super()._execute(transformed, params)
        if isinstance(transformed, exp.Transaction | exp.Commit | exp.Rollback):
            self._conn.in_transaction = isinstance(transformed, exp.Transaction)  # fakesnow: without autocommit only
        if isinstance(transformed, exp.Merge):
            done: Any = self._arrow_table
            self._present(rewrites.merge_answer(transformed, done.column(0).to_pylist()))
            self._last_transformed = transformed

    def _is_there_already(self, transformed: Expr) -> Answer | None:
        """What CREATE TABLE IF NOT EXISTS says of a table that is there. fakesnow would empty its load history."""
        made = self._effect
        if not (isinstance(made, Created) and made.kind == "TABLE" and transformed.args.get("exists")):
            return None
        name = self._conn.whole_name("TABLE", made.path)
        if name not in {each.name for each in self._conn.relations(name)}:
            return None
        self._effect = None
        return Answer(columns=("status",), rows=((f"{made.path[-1]} already exists, statement succeeded.",),))

    def _present(self, answer: Answer) -> None:
        """Makes the answer this cursor's result, as if DuckDB had been asked for it."""
        super()._execute(sqlglot.parse_one(answer.sql(), read="duckdb"))
