"""The Parquet options of a COPY INTO in, what one file holds out: its columns' names, and how DuckDB reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registry_tools.local.warehouse.answers import quoted
from registry_tools.local.warehouse.refusals import mistake, unsupported

# Options that change nothing: DuckDB finds out by itself.
_FOUND_OUT: Final = frozenset({"TYPE", "COMPRESSION", "USE_VECTORIZED_SCANNER"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetForm:
    """How a Parquet file is to be read: whether its times are times (USE_LOGICAL_TYPE), and bytes of no declared type
    texts (BINARY_AS_TEXT).
    """

    knows_times: bool
    binary_is_text: bool
    has_header: bool = True
    nulls: tuple[str, ...] = ()

    def columns_of(self, file: Path, _wanted: int) -> list[str]:
        """The names of the file's columns as they are written in it: DuckDB numbers those of one name. Raises
        ProgrammingError where there are no columns, and for times that Snowflake would take for numbers.
        """
        import pyarrow as pa
        from pyarrow import parquet

        try:
            schema = parquet.read_schema(file)
        except (pa.ArrowException, OSError) as error:
            raise mistake(f"The file is not Parquet: {str(error).splitlines()[0]}", 100038, "22018") from None
        timed = (field.name for field in schema if pa.types.is_timestamp(field.type) or pa.types.is_time(field.type))
        if not self.knows_times and (name := next(timed, None)):
            raise unsupported(f"the times of column {name} without USE_LOGICAL_TYPE = TRUE")
        return list(schema.names)

    def reader(self, file: Path, _names: Iterable[str]) -> str:
        """The DuckDB function that reads the file."""
        return f"read_parquet({quoted(str(file))}, binary_as_string = {str(self.binary_is_text).lower()})"


def parquet_form(said: Mapping[str, Any]) -> ParquetForm:
    """The options as a value. Raises ProgrammingError for what is not done here."""
    options = {name: value for name, value in said.items() if name not in _FOUND_OUT}
    form = ParquetForm(
        knows_times=options.pop("USE_LOGICAL_TYPE", False) is True,
        binary_is_text=options.pop("BINARY_AS_TEXT", True) is True,
    )
    if options:
        raise unsupported(f"FILE_FORMAT option {min(options)}")
    return form
