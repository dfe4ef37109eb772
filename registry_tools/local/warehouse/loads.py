"""COPY INTO a table from S3 in, rows in that table and Snowflake's answer out; a file is loaded once.

fakesnow leaves this to DuckDB's httpfs extension, which is a download. Its own COPY also keeps the files before the one
that fails, where Snowflake keeps none, looks one folder deep, and knows neither PATTERN nor headers of CSV.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection
from snowflake.connector.errors import ProgrammingError

from registry_tools.local.landing import Stored
from registry_tools.local.warehouse.answers import Answer
from registry_tools.local.warehouse.columns import Column, columns_of
from registry_tools.local.warehouse.copying import Copying
from registry_tools.local.warehouse.refusals import mistake
from registry_tools.local.warehouse.stages import Staged

_COLUMNS: Final = (
    *("file", "status", "rows_parsed", "rows_loaded", "error_limit", "errors_seen"),
    *("first_error", "first_error_line", "first_error_character", "first_error_column_name"),
)
# Two loads of one table would both find its files new: DuckDB sees no conflict in rows that are only added. Snowflake
# locks the table.
_LOADING: Final = Lock()
_SUFFIX: Final = 12  # tells how the file is compressed; a whole name may be too long for one here
_NOTHING: Final = Answer(columns=("status",), rows=(("Copy executed with 0 files processed.",),))


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """Which files a table has been loaded from, beside the table in its own database, so that both are written in one
    transaction. fakesnow's table of them is what LOAD_HISTORY shows and what CREATE TABLE empties; the second one adds
    the ETags, because a file that has changed since is loaded again.
    """

    duck: DuckDBPyConnection
    table: tuple[str, str, str]

    @property
    def _shown(self) -> str:
        return f'"{self.table[0]}"._fs_information_schema._fs_load_history'

    @property
    def _tags(self) -> str:
        return f'"{self.table[0]}"._fs_information_schema._mesh_load_tags'

    def prepare(self) -> None:
        """Make room for the ETags."""
        columns = "schema_name VARCHAR, table_name VARCHAR, file_name VARCHAR, tag VARCHAR"
        self.duck.execute(f"CREATE TABLE IF NOT EXISTS {self._tags} ({columns})")

    def loaded(self) -> set[tuple[str, str]]:
        """File and ETag of every load so far."""
        sql = f"""
            SELECT file_name, tag FROM {self._shown} JOIN {self._tags} USING (schema_name, table_name, file_name)
            WHERE schema_name = $1 AND table_name = $2
        """  # noqa: S608  # names of this account, quoted
        return {(file, tag) for file, tag in self.duck.execute(sql, self.table[1:]).fetchall()}

    def note(self, done: Sequence[tuple[str, str, int]]) -> None:
        """Remember loads, each as file, ETag and number of rows, instead of earlier ones of the same files."""
        files, tags, rows = (list(each) for each in zip(*done, strict=True))
        self._delete("AND file_name IN (SELECT unnest($3))", files)
        schema, table = self.table[1:]
        told = "'LOADED', rows, rows, NULL, NULL, NULL, NULL, 0, 1"
        sql = f"SELECT $1, file, $2, $3, {told} FROM (SELECT unnest($4) AS file, unnest($5) AS rows)"  # noqa: S608
        self.duck.execute(f"INSERT INTO {self._shown} {sql}", [schema, table, datetime.now(UTC), files, rows])
        sql = "SELECT $1, $2, file, tag FROM (SELECT unnest($3) AS file, unnest($4) AS tag)"
        self.duck.execute(f"INSERT INTO {self._tags} {sql}", [schema, table, files, tags])

    def forget(self) -> None:
        """Forget every load: TRUNCATE does, so that the same files fill the table again."""
        self._delete("")

    def follow(self, to: tuple[str, str, str]) -> None:
        """The table has this name from now on. Its loads go with it; those of a table that had the name are gone."""
        moved = History(duck=self.duck, table=to)
        if moved._is_known():
            moved.forget()
        if self._is_known():
            where = "schema_name = $3 AND table_name = $4"
            for name in (self._shown, self._tags):
                sql = f"UPDATE {name} SET schema_name = $1, table_name = $2 WHERE {where}"  # noqa: S608
                self.duck.execute(sql, [*to[1:], *self.table[1:]])

    def _is_known(self) -> bool:
        sql = f"SELECT 1 FROM {self._shown} WHERE schema_name = $1 AND table_name = $2"  # noqa: S608
        return self.duck.execute(sql, self.table[1:]).fetchone() is not None

    def _delete(self, more: str, *values: Sequence[str]) -> None:
        self.prepare()
        for name in (self._shown, self._tags):
            where = f"schema_name = $1 AND table_name = $2 {more}"
            self.duck.execute(f"DELETE FROM {name} WHERE {where}", [*self.table[1:], *values])  # noqa: S608


def load(duck: DuckDBPyConnection, copying: Copying, staged: Staged, *, in_transaction: bool) -> Answer:
    """Load every file that is new to the table, or none of them: the first error undoes the statement, which is what
    ON_ERROR = ABORT_STATEMENT says.
    """
    columns = columns_of(duck, copying.table)
    history = History(duck=duck, table=copying.table)
    chosen = dict.fromkeys(_chosen(copying, staged))
    done: list[tuple[str, str, int]] = []
    with _LOADING, _all_or_nothing(duck, history, in_transaction=in_transaction):
        loaded = set() if copying.force else history.loaded()
        for file in chosen:
            url = staged.bucket.url(file.key)
            if (url, file.tag) not in loaded:
                done.append((url, file.tag, _insert(duck, copying, staged, file, columns)))
        if done:
            history.note(done)
    rows = tuple((url, "LOADED", count, count, 1, 0, None, None, None, None) for url, _, count in done)
    return Answer(columns=_COLUMNS, rows=rows) if rows else _NOTHING


def _chosen(copying: Copying, staged: Staged) -> Iterator[Stored]:
    if not copying.files:
        yield from staged.files(copying.pattern)
        return
    for name in copying.files:
        key = staged.prefix + name
        found = next((each for each in staged.files() if each.key == key), None)
        if found is None:
            message = f"Remote file '{staged.bucket.url(key)}' was not found."
            raise ProgrammingError(msg=message, errno=91016, sqlstate="22000")
        yield found


def _insert(duck: DuckDBPyConnection, copying: Copying, staged: Staged, file: Stored, columns: list[Column]) -> int:
    """The file's rows, in the table. They pass through a temporary file: memory stays what it is."""
    with NamedTemporaryFile(suffix=PurePosixPath(file.key).suffix[:_SUFFIX]) as copy:
        staged.bucket.fetch(file.key, copy.file)
        copy.flush()
        try:
            return _insert_from(duck, copying, Path(copy.name), columns)
        except duckdb.Error as error:
            if not isinstance(error, duckdb.ConversionException | duckdb.InvalidInputException | duckdb.IOException):
                raise
            said = [line for line in str(error).splitlines() if line.startswith("Error when")] or str(
                error
            ).splitlines()
            raise mistake(f"{said[0].replace(copy.name, file.key)}\n  File '{file.key}'", 100038, "22018") from None
        except ProgrammingError as error:
            raise mistake(f"{error.raw_msg}\n  File '{file.key}'", error.errno or 0, error.sqlstate or "") from None


def _insert_from(duck: DuckDBPyConnection, copying: Copying, file: Path, columns: list[Column]) -> int:
    names = copying.form.columns_of(file, len(columns))
    matched = copying.matched(names, [column.name for column in columns])
    source = copying.form.reader(file, names)
    inside = duck.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608  # quoted by reader
    filled = {
        _quoted(column.name): column.filled(_quoted(name), of, copying.form.nulls)
        for column in columns
        if column.name in matched
        for name, of, *_ in [inside[matched[column.name]]]
    }
    into, target = ", ".join(filled), ".".join(map(_quoted, copying.table))
    sql = f"INSERT INTO {target} ({into}) SELECT {', '.join(filled.values())} FROM {source}"  # noqa: S608  # quoted above
    ((count,),) = duck.execute(sql).fetchall()
    return int(count)


@contextmanager
def _all_or_nothing(duck: DuckDBPyConnection, history: History, *, in_transaction: bool) -> Iterator[None]:
    """A transaction of its own, or part of the one that the session is in."""
    history.prepare()
    if in_transaction:
        yield
        return
    duck.begin()
    try:
        yield
    except BaseException:
        duck.rollback()
        raise
    duck.commit()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
