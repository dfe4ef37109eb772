"""A directory in, a Snowflake account out: its databases, comments and grants are there again after any kind of end."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show

from registry_tools.local.warehouse.connection import LocalConnection
from registry_tools.local.warehouse.grants import GrantBook

_RESULTS_KEPT = 64


class LocalSnowflake(FakeSnow):
    """One account. Each database is a DuckDB file, which survives kill -9 by DuckDB's write-ahead log and is locked
    against other processes for as long as this one lives. `home` is where the local S3 is written down, whose files
    stages name.
    """

    def __init__(self, data: Path, home: Path | None = None) -> None:
        data.mkdir(parents=True, exist_ok=True)
        super().__init__(db_path=data)
        self.results_cache = _RecentResults()
        self._home = home
        self.book = GrantBook(data / "grants.json")
        self._attach_again(data)

    def connect(
        self,
        database: str | None = None,
        schema: str | None = None,
        nop_regexes: list[str] | None = None,
        **kwargs: Any,  # noqa: ANN401 - fakesnow's own signature
    ) -> LocalConnection:
        """Logs in; a database or schema that does not exist yet is created."""
        return LocalConnection(
            self.duck_conn.cursor(),
            self.results_cache,
            database,
            schema,
            db_path=self.db_path,
            nop_regexes=nop_regexes,
            book=self.book,
            home=self._home,
            **kwargs,
        )

    def close(self) -> None:
        """Writes everything into the database files and lets go of them."""
        self.duck_conn.close()

    def _attach_again(self, data: Path) -> None:
        """Every database of the last time, and fakesnow's own one, which holds table comments and varchar lengths and
        would otherwise live in memory.
        """
        duck = self.duck_conn
        duck.execute(f"DETACH {GLOBAL_DATABASE_NAME}")
        duck.execute(f"ATTACH '{data / GLOBAL_DATABASE_NAME}.db' AS {GLOBAL_DATABASE_NAME}")
        duck.execute(info_schema.fs_global_creation_sql())
        duck.execute(show.fs_global_creation_sql())
        for file in sorted(data.glob("*.db")):
            if file.stem != GLOBAL_DATABASE_NAME:
                duck.execute(f"ATTACH '{file}' AS {file.stem}")
                duck.execute(info_schema.per_db_creation_sql(file.stem))
                duck.execute(macros.creation_sql(file.stem))


class _RecentResults(OrderedDict[str, tuple[Any, ...]]):
    """The last results, for RESULT_SCAN. fakesnow keeps every result for as long as the server lives."""

    def __setitem__(self, query: str, result: tuple[Any, ...]) -> None:
        super().__setitem__(query, result)
        while len(self) > _RESULTS_KEPT:
            self.popitem(last=False)
