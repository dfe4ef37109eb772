"""A parsed COPY INTO in, what it asks for out; what the local warehouse does not do is refused by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from duckdb import DuckDBPyConnection
from fakesnow.copy_into import handle_csv
from fakesnow.transforms.file_format import lookup_file_format
from fakesnow.transforms.options import parse_options
from snowflake.connector.errors import ProgrammingError
from sqlglot import Expr, exp

from registry_tools.local.warehouse.answers import quoted

# Options that change nothing with these values, which are their defaults on Snowflake.
_DEFAULTS: Final = {"ON_ERROR": "ABORT_STATEMENT", "PURGE": False}
# Options of Parquet that change nothing: DuckDB finds out by itself.
_FOUND_OUT: Final = frozenset({"TYPE", "COMPRESSION", "USE_LOGICAL_TYPE", "USE_VECTORIZED_SCANNER", "BINARY_AS_TEXT"})
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
    form: Mapping[str, Any]
    match: str
    files: tuple[str, ...]
    pattern: str | None
    force: bool

    def reader(self, path: str) -> str:
        """The DuckDB function that reads a file of this format."""
        if self.form["TYPE"] == "PARQUET":
            return f"read_parquet({quoted(path)})"
        options = {name: value for name, value in self.form.items() if name not in {"TYPE", "PARSE_HEADER"}}
        csv = handle_csv(options)
        nulls = ", ".join(quoted(null) for null in csv.null_if or ())
        arguments = [
            quoted(path),
            "all_varchar = true",
            f"header = {str(self._has_header).lower()}",
            f"skip = {csv.skip_header}",
            f"sep = {quoted(csv.sep)}",
            f"quote = {quoted(csv.quote or '')}",
            f"nullstr = [{nulls}]",
            f"compression = {quoted(csv.compression or 'auto')}",
        ]
        return f"read_csv({', '.join(arguments)})"

    def matched(self, inside: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
        """The file's column for each of the table's that it fills. Raises ProgrammingError where the two do not fit."""
        if self.match == "NONE":
            if self.form["TYPE"] == "PARQUET":
                raise mistake(f"SQL compilation error:\n{_ONE_VARIANT}", 2019, "0A000")
            if len(inside) != len(columns):
                told = f"Number of columns in file ({len(inside)}) does not match that of the corresponding table "
                raise mistake(f"{told}({len(columns)})", 100080, "22000")
            return dict(zip(columns, inside, strict=True))
        known = {self._compared(name): name for name in inside}
        found = {column: known[self._compared(column)] for column in columns if self._compared(column) in known}
        if not found:
            raise mistake(f"No column of the file ({', '.join(inside)}) is one of the table's", 2019, "0A000")
        return found

    def _compared(self, name: str) -> str:
        return name.upper() if self.match == "CASE_INSENSITIVE" else name

    @property
    def _has_header(self) -> bool:
        return bool(self.form.get("PARSE_HEADER", False))


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
    form = _format(options.pop("FILE_FORMAT", None), duck, database, schema)
    made = Copying(
        table=(table.catalog or database or "", table.db or schema or "", table.name),
        source=source,
        form=form,
        match=match,
        files=tuple(options.pop("FILES", ())),
        pattern=options.pop("PATTERN", None),
        force=bool(options.pop("FORCE", False)),
    )
    if options:
        raise unsupported(next(iter(options)))
    return made


def _format(
    said: dict[str, Any] | None, duck: DuckDBPyConnection, database: str | None, schema: str | None
) -> dict[str, Any]:
    if said is None:
        raise unsupported("COPY INTO without FILE_FORMAT")
    if name := said.pop("FORMAT_NAME", None):
        said = lookup_file_format(duck, str(name), database, schema) | said
    form = said | {"TYPE": str(said.get("TYPE", "CSV")).upper()}
    if form["TYPE"] not in {"CSV", "PARQUET"}:
        raise unsupported(f"TYPE = {form['TYPE']} of files in S3")
    if form["TYPE"] == "PARQUET" and (unknown := form.keys() - _FOUND_OUT):
        raise unsupported(f"FILE_FORMAT option {min(unknown)}")
    if form["TYPE"] == "CSV":
        try:
            handle_csv({name: value for name, value in form.items() if name != "PARSE_HEADER"})
        except NotImplementedError as error:
            raise unsupported(str(error)) from None
    return form


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


def unsupported(what: str) -> ProgrammingError:
    """What Snowflake says of a feature that an account does not have."""
    return mistake(f"Unsupported feature '{what}'.", 2, "0A000")


def mistake(told: str, errno: int, sqlstate: str = "22023") -> ProgrammingError:
    """The error that Snowflake would send."""
    return ProgrammingError(msg=told, errno=errno, sqlstate=sqlstate)
