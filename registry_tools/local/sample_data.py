"""A seed and a number of rows in, the raw files of the shop out as bytes, one after the other.

CSV is the same on every machine. Parquet is the same wherever pyarrow has the same version, which it writes into each
file; its compression is zstd, because snappy's output differs between processors.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from registry_tools.disk import write_whole
from registry_tools.errors import UsageError
from registry_tools.local.landing import LocalFiles
from registry_tools.local.shop import Row, deliveries

if TYPE_CHECKING:
    import pyarrow as pa

_MONEY: Final = frozenset({"unit_price", "unit_cost", "amount"})


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleFile:
    """One file of a delivery: the table that it is for, its name below the landing, and how many rows it holds."""

    table: str
    name: str
    rows: int
    content: bytes


def sample_files(seed: int, rows: int, formats: Sequence[str]) -> Iterator[SampleFile]:
    """The files of as many whole deliveries as it takes for at least so many rows, one for each table and format."""
    for number, delivery in enumerate(deliveries(seed), 1):
        for table, loaded in delivery.items():
            for form in formats:
                name = f"{table}/{number:04}.{form}"
                yield SampleFile(table=table, name=name, rows=len(loaded), content=_WRITERS[form](loaded))
        rows -= sum(map(len, delivery.values()))
        if rows <= 0:
            return


def as_csv(rows: Sequence[Row]) -> bytes:
    """The rows with a header; a missing value is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """The rows with their types; nothing of when or where they were written."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(column, _parquet_type(column)) for column in rows[0]])
    table = pa.table({column: [row[column] for row in rows] for column in rows[0]}, schema=schema)
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def _parquet_type(column: str) -> "pa.DataType":
    import pyarrow as pa

    if column.endswith("_at"):
        return pa.timestamp("us")
    if column.startswith("is_"):
        return pa.bool_()
    if column in _MONEY:
        return pa.decimal128(12, 2)
    return pa.int32() if column == "quantity" else pa.string()


_WRITERS: Final[dict[str, Callable[[Sequence[Row]], bytes]]] = {"parquet": as_parquet, "csv": as_csv}
FORMATS: Final = tuple(_WRITERS)


class Place(Protocol):
    """Where sample files go. A file that is there already with other bytes is never written over."""

    def put(self, file: SampleFile) -> bool:
        """Whether the file is new there. Raises UsageError where another one has its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A folder of this machine."""

    path: Path

    def put(self, file: SampleFile) -> bool:
        """See Place."""
        path = self.path / file.name
        try:
            if path.exists():
                return _is_new(file.content == path.read_bytes(), str(path), "name another folder by --output")
            write_whole(path, file.content)
        except OSError as error:
            raise UsageError(str(error), where=str(path), then="name another folder by --output") from None
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Landing:
    """The local S3, below the prefix from which raw files are loaded."""

    files: LocalFiles
    prefix: str

    def put(self, file: SampleFile) -> bool:
        """See Place."""
        key = self.prefix + file.name
        found = next((each for each in self.files.below(key) if each.key == key), None)
        if found:
            is_same = found.tag == hashlib.md5(file.content, usedforsecurity=False).hexdigest()
            return _is_new(is_same, self.files.url(key), "empty it by mesh local down && mesh local up")
        self.files.put(key, file.content)
        return True


def _is_new(is_same: bool, where: str, way_out: str) -> bool:  # noqa: FBT001  # a private question
    if not is_same:
        raise UsageError(
            "is there already, and holds other rows: of another seed, or written by another pyarrow",
            where=where,
            then=f"give the --seed of before, or {way_out}",
        )
    return False
