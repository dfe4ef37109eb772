"""A parsed COPY INTO in, what it asks for out; what the local warehouse does not do is refused by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from duckdb import DuckDBPyConnection
from fakesnow.transforms.file_format import lookup_file_format
from fakesnow.transforms.options import parse_options
from sqlglot import Expr, exp

from registry_tools.local.warehouse.csv_files import CsvForm, csv_form
from registry_tools.local.warehouse.parquet_files import ParquetForm, parquet_form
from registry_tools.local.warehouse.refusals import mistake, unsupported

# Options that change nothing with these values, which are their defaults on Snowflake.
_DEFAULTS: Final = {"ON_ERROR": "ABORT_STATEMENT", "PURGE": False}
_FORMS: Final[Mapping[str, Callable[[Mapping[str, Any]], CsvForm | ParquetForm]]] = {
    "CSV": csv_form,
    "PARQUET": parquet_form,
}
_MATCHES: Final = ("NONE", "CASE_SENSITIVE", "CASE_INSENSITIVE")
_ONE_VARIANT: Final = (
    "PARQUET file format can produce one and only one column of type variant, object, or array. Load data into "
    "separate columns using the MATCH_BY_COLUMN_NAME copy option or copy with transformation."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Copying:
    """One COPY INTO: the table, where from, which of the files there, and how they are read."""

    table: tuple[str, str, str]
    source: str
    form: CsvForm | ParquetForm
    match: str
    files: tuple[str, ...]
    pattern: str | None
    force: bool

    def matched(self, inside: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
        """The place in the file of each of the table's columns that it fills. Raises ProgrammingError where the two do
        not fit.
        """
        if self.match == "NONE":
            if isinstance(self.form, ParquetForm):
                raise mistake(f"SQL compilation error:\n{_ONE_VARIANT}", 2019, "0A000")
            return {column: place for place, column in enumerate(columns)}
        known: dict[str, int] = {}
        for place, name in enumerate(inside):
            if known.setdefault(self._compared(name), place) != place:
                raise mistake(f"The file has more than one column {name}", 100069, "22000")
        found = {column: known[self._compared(column)] for column in columns if self._compared(column) in known}
        if not found:
            raise mistake(f"No column of the file ({', '.join(inside)}) is one of the table's", 2019, "0A000")
        return found

    def _compared(self, name: str) -> str:
        return name.upper() if self.match == "CASE_INSENSITIVE" else name


def source_of(statement: exp.Copy) -> str | None:
    """`@stage/path` or `s3://...`, from which a table is loaded; None for everything else that COPY does."""
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    if not isinstance(target.this, exp.Identifier):
        return None
    found = statement.args["files"][0].find(exp.Var, exp.Literal)
    if isinstance(found.parent, exp.Table):
        return str(found.name)
    table = statement.args["files"][0].find(exp.Table)  # of a transformation: (select ... from @stage)
    return str(table.this.name) if table else None


def copying_of(
    statement: exp.Copy, duck: DuckDBPyConnection, source: str, database: str | None, schema: str | None
) -> Copying:
    """The statement as a value. Raises ProgrammingError for what is not done here."""
    table, from_ = statement.this, statement.args["files"][0]
    if isinstance(table, exp.Schema) or isinstance(from_, exp.Subquery):
        raise unsupported("COPY INTO with a list of columns or a transformation")
    options = {param.this.name.upper(): _value(param) for param in statement.args.get("params") or ()}
    for name, default in _DEFAULTS.items():
        if options.pop(name, default) != default:
            raise unsupported(f"{name} other than {default}")
    match = options.pop("MATCH_BY_COLUMN_NAME", "NONE")
    if match not in _MATCHES:
        raise mistake(f"SQL compilation error:\ninvalid value [{match}] for parameter 'MATCH_BY_COLUMN_NAME'", 1008)
    form = _form(options.pop("FILE_FORMAT", None), duck, database, schema)
    if isinstance(form, CsvForm) and form.has_header != (match != "NONE"):
        raise mistake(
            "SQL compilation error:\nPARSE_HEADER = TRUE and MATCH_BY_COLUMN_NAME need each other for CSV", 1008
        )
    if isinstance(form, CsvForm) and not form.must_fit and match == "NONE":
        raise unsupported("ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE without MATCH_BY_COLUMN_NAME")
    force = options.pop("FORCE", False)
    if not isinstance(force, bool):
        raise mistake(f"SQL compilation error:\ninvalid value [{force}] for parameter 'FORCE'", 1008)
    made = Copying(
        table=(table.catalog or database or "", table.db or schema or "", table.name),
        source=source,
        form=form,
        match=match,
        files=tuple(options.pop("FILES", ())),
        pattern=options.pop("PATTERN", None),
        force=force,
    )
    if options:
        raise unsupported(next(iter(options)))
    return made


def _form(said: object, duck: DuckDBPyConnection, database: str | None, schema: str | None) -> CsvForm | ParquetForm:
    if not isinstance(said, dict):
        raise unsupported("COPY INTO without FILE_FORMAT = (...)")
    if name := said.pop("FORMAT_NAME", None):
        said = lookup_file_format(duck, str(name), database, schema) | said
    kind = str(said.get("TYPE", "CSV")).upper()
    if kind not in _FORMS:
        raise unsupported(f"TYPE = {kind} of files in S3")
    return _FORMS[kind](said)


def _value(parameter: exp.CopyParameter) -> Any:  # noqa: ANN401  # a text, a number, a list or a mapping
    """What stands behind an option's name: keywords in upper case, texts as they are."""
    if parameter.expressions:
        said = [each for each in parameter.expressions if not isinstance(each, exp.SequenceProperties)]  # commas
        for each in said:
            if isinstance(name := each.args.get("value"), exp.Table):  # a format's name without quotes around it
                each.set("value", exp.Literal.string(name.sql(dialect="snowflake")))
        return parse_options(said)
    value: Expr | None = parameter.args.get("expression")
    if isinstance(value, exp.Var):
        return value.name.upper()
    if isinstance(value, exp.Boolean):
        return value.this
    if isinstance(value, exp.Tuple | exp.Paren):
        return [each.name for each in value.find_all(exp.Literal)]
    return value.name if value else None
