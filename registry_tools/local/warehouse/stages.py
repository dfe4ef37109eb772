"""A reference to a stage in, the files that it names in the local S3 out; also as LIST answers them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from duckdb import DuckDBPyConnection
from fakesnow.transforms import stage
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local.landing import LocalFiles, Stored, local_files
from registry_tools.local.warehouse.answers import DONE, Answer
from registry_tools.local.warehouse.refusals import unsupported
from registry_tools.local.warehouse.statements import PATH, TEXT, parts, text

_ALTER: Final = re.compile(rf"ALTER STAGE (?P<if>IF EXISTS )?(?P<name>{PATH}) SET (?P<properties>.*)", re.DOTALL)
_DROP: Final = re.compile(rf"DROP STAGE (?P<if>IF EXISTS )?(?P<name>{PATH})")
_URL: Final = re.compile(rf"\bURL = {TEXT}")
_ELSEWHERE: Final = frozenset({"gcs", "azure", "s3china", "s3gov", "s3compat"})
_LISTED: Final = ("name", "size", "md5", "last_modified")
_STAGE: Final = """
    SELECT url FROM _fs_global._fs_information_schema._fs_stages
    WHERE database_name = $1 AND schema_name = $2 AND name = $3
"""
_GONE: Final = """
    DELETE FROM _fs_global._fs_information_schema._fs_stages
    WHERE database_name = $1 AND schema_name = $2 AND name = $3
"""
_MOVE: Final = """
    UPDATE _fs_global._fs_information_schema._fs_stages SET url = $4
    WHERE database_name = $1 AND schema_name = $2 AND name = $3
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """What a reference names: the files of one bucket whose keys begin with `prefix`."""

    bucket: LocalFiles
    prefix: str

    def files(self, pattern: str | None = None) -> Iterator[Stored]:
        """Those files, or the ones whose whole key the pattern matches. Raises ProgrammingError as Snowflake does where
        the bucket cannot be read.
        """
        try:
            for found in self.bucket.below(self.prefix):
                is_folder = found.key.endswith("/")  # what the AWS console puts there for an empty one
                if not is_folder and (pattern is None or re.fullmatch(pattern, found.key, re.DOTALL)):
                    yield found
        except LookupError as error:
            raise _unreadable(error.args[0]) from None
        except EmbeddedMeshError as error:
            raise _unreadable(error.what) from None
        except re.error as error:
            message = f"Invalid regular expression: '{pattern}', {error}"
            raise ProgrammingError(msg=message, errno=100048, sqlstate="2201B") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """The stages of the account whose URL is s3://...; every other one is fakesnow's. `home` says where the S3 is."""

    duck: DuckDBPyConnection
    home: Path | None

    def named(self, reference: str, database: str | None, schema: str | None) -> Staged | None:
        """What `@db.schema.stage/path` or `s3://bucket/path` stands for; None for what lies elsewhere than in S3.
        Raises ProgrammingError for a stage that does not exist, and for another cloud's.
        """
        url = self._url(reference, database, schema) if reference.startswith("@") else reference
        parts = urlsplit(url)
        if parts.scheme in _ELSEWHERE:
            raise unsupported(f"stages at {parts.scheme}://")
        if parts.scheme != "s3":
            return None
        try:
            if self.home is None:
                raise _unreadable("this warehouse was started without a local S3")
            bucket = local_files(self.home, parts.netloc)
        except EmbeddedMeshError as error:
            raise _unreadable(error.what) from None
        return Staged(bucket=bucket, prefix=url.removeprefix(f"s3://{parts.netloc}").lstrip("/"))

    def listed_in(self, statement: exp.ListStage, database: str | None, schema: str | None) -> Staged | None:
        """The stage in S3 that LIST asks for; None for another stage."""
        return self.named(statement.this.name.strip("'"), database, schema)

    def listed(self, statement: exp.ListStage, database: str | None, schema: str | None) -> Answer | None:
        """What LIST says of a stage in S3; None for another stage."""
        staged = self.listed_in(statement, database, schema)
        if staged is None:
            return None
        pattern = statement.args.get("pattern")
        found = staged.files(pattern.name if pattern else None)
        rows = ((staged.bucket.url(each.key), each.size, each.tag, _as_http(each.modified)) for each in found)
        return Answer(columns=_LISTED, rows=tuple(rows))

    def altered(self, statement: str, database: str | None, schema: str | None) -> Answer | None:
        """Give a stage another URL, if that is what the statement in the one spelling does; None otherwise. Its other
        properties have no effect here, and fakesnow has no ALTER STAGE.
        """
        found = _ALTER.fullmatch(statement)
        if found is None:
            return None
        whole = self._found(found, database, schema)
        if url := _URL.search(found["properties"]):
            self.duck.execute(_MOVE, [*whole, text(url[1])])
        return DONE

    def dropped(self, statement: str, database: str | None, schema: str | None) -> str | None:
        """Drop a stage, if that is what the statement in the one spelling does, and tell its whole name; None
        otherwise. fakesnow has no DROP STAGE.
        """
        found = _DROP.fullmatch(statement)
        if found is None:
            return None
        whole = self._found(found, database, schema)
        self.duck.execute(_GONE, whole)
        return ".".join(whole)

    def forget(self, container: str) -> None:
        """Drop the stages of a database or schema that is gone."""
        database, *schema = parts(container)
        inside = "WHERE database_name = $1 AND schema_name = coalesce($2, schema_name)"
        gone = f"DELETE FROM _fs_global._fs_information_schema._fs_stages {inside}"  # noqa: S608  # all of it is ours
        self.duck.execute(gone, [database, next(iter(schema), None)])

    def _found(self, found: re.Match[str], database: str | None, schema: str | None) -> tuple[str, ...]:
        """The whole name of the stage that a statement is about, which has to be there unless it says IF EXISTS."""
        named = parts(found["name"])
        whole = (*(database or "", schema or "")[: 3 - len(named)], *named)
        if not found["if"] and self.duck.execute(_STAGE, whole).fetchone() is None:
            raise stage.not_found_error(".".join(whole))
        return whole

    def _url(self, reference: str, database: str | None, schema: str | None) -> str:
        name, _, path = reference.removeprefix("@").partition("/")
        whole = stage.parts_from_var(name, database, schema)
        if stage.is_table_stage(whole[-1]):
            return ""
        found = self.duck.execute(_STAGE, whole).fetchone()
        if found is None:
            raise stage.not_found_error(".".join(whole))
        return f"{found[0].rstrip('/')}/{path}" if found[0] else ""


def _unreadable(cause: str) -> ProgrammingError:
    return ProgrammingError(msg=f"Failure using stage area. Cause: [{cause}]", errno=91003, sqlstate="55000")


def _as_http(modified: str) -> str:
    return datetime.fromisoformat(modified).strftime("%a, %d %b %Y %H:%M:%S GMT")
