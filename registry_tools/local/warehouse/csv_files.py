"""The CSV options of a COPY INTO in, what one file holds out: its columns' names, and how DuckDB reads it.

DuckDB guesses. It passes over blank lines and what looks like a comment, numbers columns of one name, and takes either
mark for the end of a line. So a file is gone through before it is read, and nothing is left to guess.
"""

import csv
import gzip
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from snowflake.connector.errors import ProgrammingError

from registry_tools.local.warehouse.answers import quoted
from registry_tools.local.warehouse.refusals import mistake, unsupported

# Options that change nothing with these values, which are their defaults on Snowflake.
_DEFAULTS: Final[dict[str, tuple[object, ...]]] = {
    "TYPE": ("CSV",),
    "RECORD_DELIMITER": ("\n",),
    "MULTI_LINE": (True,),
    "TRIM_SPACE": (False,),
    "SKIP_BLANK_LINES": (False,),
    "SKIP_BYTE_ORDER_MARK": (True,),
    "REPLACE_INVALID_CHARACTERS": (False,),
    "ENCODING": ("UTF8", "UTF-8"),
    "ESCAPE": ("NONE",),
    "DATE_FORMAT": ("AUTO",),
    "TIME_FORMAT": ("AUTO",),
    "TIMESTAMP_FORMAT": ("AUTO",),
}
_NULL: Final = "\\N"
# No field holds it: what stands for no text at all, where an empty field does not.
_NOTHING: Final = "\x01"
_LONGEST: Final = 16_777_216
_UNNAMED: Final = " "  # DuckDB wants a name for each column; this one is no table's
_ZIPPED: Final = ".gz"
# What COMPRESSION = AUTO finds out as well on Snowflake.
_PACKED: Final = (".bz2", ".zst", ".br", ".deflate", ".raw_deflate")
_Value = TypeVar("_Value", str, bool, int)
csv.field_size_limit(_LONGEST)


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvForm:
    """How a CSV file is to be read. `nulls` are the texts that stand for NULL, enclosed or not; an empty field is NULL
    only where it is not enclosed. `must_fit` is ERROR_ON_COLUMN_COUNT_MISMATCH.
    """

    delimiter: str
    quote: str
    skipped: int
    has_header: bool
    nulls: tuple[str, ...]
    empty_is_null: bool
    keeps_backslashes: bool
    must_fit: bool
    zipped: bool | None

    def columns_of(self, file: Path, wanted: int) -> list[str]:
        """The names of the file's columns, of which there are `wanted` in a file without names. Raises ProgrammingError
        for what Snowflake would not load, and for a backslash that it would not take as it stands.
        """
        with self._lines(file) as lines:
            options: dict[str, Any] = {"quotechar": self.quote} if self.quote else {"quoting": csv.QUOTE_NONE}
            rows = csv.reader(lines, delimiter=self.delimiter, strict=True, **options)
            try:
                names = next(rows, None) if self.has_header else [f"column {n}" for n in range(1, wanted + 1)]
                if not names:
                    raise mistake("The file has no header, which PARSE_HEADER = TRUE asks for", 100068, "22000")
                if self.must_fit and len(names) != wanted:
                    raise _does_not_fit(len(names), wanted)
                for row in rows:
                    if not row:
                        told = "End of record reached while expected to parse column"
                        raise mistake(f"{told}, line {self.skipped + rows.line_num}", 100068, "22000")
                    if len(row) != len(names):
                        raise _does_not_fit(len(row), len(names), f", line {self.skipped + rows.line_num}")
            except csv.Error as error:
                raise mistake(f"{error}, line {self.skipped + rows.line_num}", 100067, "22000") from None
            except UnicodeDecodeError as error:
                raise mistake(f"Invalid UTF8 detected in string ({error.reason})", 100142, "22000") from None
            except (EOFError, gzip.BadGzipFile) as error:
                raise mistake(f"The file is not gzip, which its name says ({error})", 100067, "22000") from None
        return names

    def reader(self, file: Path, names: Iterable[str]) -> str:
        """The DuckDB function that reads the file's columns as texts."""
        columns = ", ".join(f"{quoted(name or _UNNAMED)}: 'VARCHAR'" for name in names)
        arguments = {
            "columns": f"{{{columns}}}",
            "auto_detect": "false",
            "header": str(self.has_header).lower(),
            "skip": str(self.skipped),
            "delim": quoted(self.delimiter),
            "quote": quoted(self.quote),
            "escape": quoted(self.quote),
            "nullstr": f"[{quoted('' if self.empty_is_null else _NOTHING)}]",
            "allow_quoted_nulls": "false",
            "comment": "''",
            "strict_mode": "true",
            "compression": quoted("gzip" if self._is_zipped(file) else "none"),
        }
        return f"read_csv({quoted(str(file))}, {', '.join(f'{key} = {value}' for key, value in arguments.items())})"

    def _is_zipped(self, file: Path) -> bool:
        if self.zipped is None and file.suffix in _PACKED:
            raise unsupported(f"a CSV file that is compressed as {file.suffix}")
        return file.name.endswith(_ZIPPED) if self.zipped is None else self.zipped

    @contextmanager
    def _lines(self, file: Path) -> Iterator[Iterator[str]]:
        """The lines after those that are skipped, each as it ends in the file."""
        opening = gzip.open if self._is_zipped(file) else open
        with opening(file, "rt", encoding="utf-8-sig", newline="\n") as opened:
            for _ in range(self.skipped):
                next(opened, None)
            yield opened if self.keeps_backslashes else map(self._plain, opened)

    def _plain(self, line: str) -> str:
        around = re.escape(self.delimiter)
        if "\\" in line and "\\" in re.sub(rf"(?:^|(?<={around}))\\N(?=$|\r?\n|{around})", "", line):
            raise unsupported("a backslash in CSV without ESCAPE_UNENCLOSED_FIELD = NONE")
        return line


def csv_form(said: Mapping[str, Any]) -> CsvForm:
    """The options as a value. Raises ProgrammingError for what is not done here."""
    options = dict(said)
    for name, values in _DEFAULTS.items():
        value = options.pop(name, values[0])
        if (value.upper() if isinstance(value, str) else value) not in values:
            raise unsupported(f"FILE_FORMAT option {name} = {value}")
    nulls = options.pop("NULL_IF", _NULL)
    compression = _one_of(options, "COMPRESSION", ("AUTO", "GZIP", "NONE"))
    form = CsvForm(
        delimiter=_given(options, "FIELD_DELIMITER", ","),
        quote=_one_of(options, "FIELD_OPTIONALLY_ENCLOSED_BY", ("NONE", '"', "'")).replace("NONE", ""),
        skipped=_given(options, "SKIP_HEADER", 0),
        has_header=_given(options, "PARSE_HEADER", False),
        nulls=tuple(map(str, nulls if isinstance(nulls, list) else [nulls])),
        empty_is_null=_given(options, "EMPTY_FIELD_AS_NULL", True),
        keeps_backslashes=_one_of(options, "ESCAPE_UNENCLOSED_FIELD", ("\\", "NONE")) == "NONE",
        must_fit=_given(options, "ERROR_ON_COLUMN_COUNT_MISMATCH", True),
        zipped=None if compression == "AUTO" else compression == "GZIP",
    )
    if options:
        raise unsupported(f"FILE_FORMAT option {next(iter(options))}")
    if len(form.delimiter) != 1:
        raise unsupported(f"FILE_FORMAT option FIELD_DELIMITER = {form.delimiter}")
    if form.has_header and form.skipped:
        raise mistake("SQL compilation error:\nSKIP_HEADER and PARSE_HEADER = TRUE exclude each other", 1008)
    return form


def _given(options: dict[str, Any], name: str, default: _Value) -> _Value:
    """The value of an option, which is of its default's type."""
    value = options.pop(name, default)
    if type(value) is not type(default):
        raise mistake(f"SQL compilation error:\ninvalid value [{value}] for parameter '{name}'", 1008)
    return value


def _one_of(options: dict[str, Any], name: str, values: tuple[str, ...]) -> str:
    """The value of an option, of which the first is the default."""
    value = str(options.pop(name, values[0])).upper()
    if value not in values:
        raise unsupported(f"FILE_FORMAT option {name} = {value}")
    return value


def _does_not_fit(inside: int, wanted: int, where: str = "") -> ProgrammingError:
    told = f"Number of columns in file ({inside}) does not match that of the corresponding table ({wanted})"
    advice = "use file format option error_on_column_count_mismatch=false to ignore this error"
    return mistake(f"{told}, {advice}{where}", 100080, "22000")
