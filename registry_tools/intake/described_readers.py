"""A manifest in, what reads a table without SQL of its own out: exposures, unit tests, semantic models."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from registry_tools.intake.calls import Call, calls_in_expression
from registry_tools.intake.manifest import Manifest
from registry_tools.intake.own_nodes import NAME
from registry_tools.mesh.public_model import DependsOn, Value

_LITERAL: Final = re.compile(r"\s*(?:-?\d+(?:\.\d+)?|'[^']*'|true|false|null)\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is read of one node or table: columns as they are written; or, where those are not told, `unread` says
    why.
    """

    parent: str
    columns: tuple[str, ...] = ()
    unread: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedReader:
    """One such reader, the entry in which it stands, and its `ref` calls as the manifest has them."""

    unique_id: str
    name: str
    path: str
    refs: tuple[Any, ...] = ()
    asked: tuple[Asked, ...] = field(default_factory=tuple)


class _Described(Value, frozen=True):
    name: str = ""
    package_name: str | None = None
    original_file_path: str | None = None
    depends_on: DependsOn = DependsOn()
    refs: tuple[Any, ...] = ()
    meta: dict[str, Any] | None = None
    config: dict[str, Any] | None = None


class _Given(Value, frozen=True):
    input: str = ""
    rows: Any = None


class _Expected(Value, frozen=True):
    rows: Any = None


class _UnitTest(_Described, frozen=True):
    model: str = ""
    given: tuple[_Given, ...] = ()
    expect: _Expected = _Expected()

    @property
    def refs_given(self) -> list[Call]:
        """The `ref` calls among its inputs, which the manifest does not list."""
        calls = (call for given in self.given for call in calls_in_expression(given.input))
        return [call for call in calls if call.way == "ref" and call.arguments]


class _Measured(Value, frozen=True):
    name: str
    expr: str | bool | int | float | None = None


class _SemanticModel(_Described, frozen=True):
    entities: tuple[_Measured, ...] = ()
    dimensions: tuple[_Measured, ...] = ()
    measures: tuple[_Measured, ...] = ()


class _Named(Value, frozen=True):
    name: str
    package_name: str
    source_name: str | None = None
    version: str | int | float | None = None
    latest_version: str | int | float | None = None


def described_readers(manifest: Manifest) -> Iterator[DescribedReader]:
    """The project's own, each with what it reads of the nodes and tables of the manifest."""
    for unique_id, exposure in manifest.stated_entries(manifest.exposures, ("exposure.",), _Described):
        yield _reader(manifest, unique_id, exposure, _of_exposure(exposure))
    for unique_id, model in manifest.stated_entries(manifest.semantic_models, ("semantic_model.",), _SemanticModel):
        yield _reader(manifest, unique_id, model, _of_semantic_model(model))
    names = _Names(manifest)
    for unique_id, test in manifest.stated_entries(manifest.unit_tests, ("unit_test.",), _UnitTest):
        meant = tuple({"name": call.arguments[-1], "version": call.version or None} for call in test.refs_given)
        yield _reader(manifest, unique_id, test, _of_unit_test(test, names), meant)


def _reader(
    manifest: Manifest, unique_id: str, entry: _Described, asked: Iterable[Asked], refs: tuple[Any, ...] = ()
) -> DescribedReader:
    return DescribedReader(
        unique_id=unique_id,
        name=entry.name,
        path=entry.original_file_path or "",
        refs=(*entry.refs, *refs),
        asked=tuple(asked) if entry.package_name == manifest.project else (),
    )


def _of_exposure(exposure: _Described) -> Iterator[Asked]:
    """Nobody says which columns a dashboard reads, but in `meta.mesh.columns`: a list below each model's name."""
    meta = exposure.meta or (exposure.config or {}).get("meta")
    mesh = meta.get("mesh") if isinstance(meta, dict) else None
    told = mesh.get("columns") if isinstance(mesh, dict) else None
    for parent in exposure.depends_on.nodes:
        named = told.get(_model_name(parent)) if isinstance(told, dict) else None
        columns = tuple(str(name) for name in named) if isinstance(named, list) else ()
        unread = "" if columns else "an exposure names no columns"
        yield Asked(parent=parent, columns=columns, unread=unread)


def _model_name(unique_id: str) -> str:
    parts = unique_id.split(".")
    if parts[0] == "source":
        return parts[-1]
    return parts[2] if len(parts) > 2 else ""  # noqa: PLR2004  # model.project.name


def _of_semantic_model(model: _SemanticModel) -> Iterator[Asked]:
    named = [
        part.name if part.expr is None else str(part.expr)
        for part in (*model.entities, *model.dimensions, *model.measures)
    ]
    expressions = [text for text in named if not _LITERAL.fullmatch(text)]
    plain = all(NAME.fullmatch(text) for text in expressions)
    for parent in model.depends_on.nodes:
        yield Asked(
            parent=parent,
            columns=tuple(expressions) if plain else (),
            unread="" if plain else "an expression of a semantic model",
        )


def _of_unit_test(test: _UnitTest, names: "_Names") -> Iterator[Asked]:
    """The columns whose values it gives, and those that it expects of the model. dbt looks each one up in the table."""
    for given in test.given:
        for call in calls_in_expression(given.input):
            for parent in names.of(call, test.package_name):
                yield _of_rows(parent, given.rows)
    for parent in test.depends_on.nodes:
        if _model_name(parent) == test.model:
            yield _of_rows(parent, test.expect.rows)
        elif not test.given:
            yield Asked(parent=parent, unread="a unit test without inputs")


def _of_rows(parent: str, rows: Any) -> Asked:  # noqa: ANN401  # text or rows, as dbt has it
    match rows:
        case [*entries]:
            named = {str(name): None for row in entries if isinstance(row, Mapping) for name in row}
            return Asked(parent=parent, columns=tuple(named))
        case str() if "select" not in rows.casefold():
            head = next(csv.reader(io.StringIO(rows.strip())), [])
            return Asked(parent=parent, columns=tuple(name.strip() for name in head if name.strip()))
        case None:
            return Asked(parent=parent)
        case _:
            return Asked(parent=parent, unread="rows of a unit test in SQL")


class _Names:
    """Which node a `ref` or a `source` of an expression means, looked up when the first is met."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._known: dict[tuple[str | None, ...], list[str]] | None = None

    def of(self, call: Call, package: str | None) -> list[str]:
        """The unique_ids; a `ref` without a package means the own one first."""
        if self._known is None:
            self._known = {}
            for key, unique_id in self._entries():
                self._known.setdefault(key, []).append(unique_id)
        if call.way == "source" or len(call.arguments) > 1:
            return self._known.get((call.way, *call.arguments, call.version or ""), [])
        name = (*call.arguments, call.version or "")
        return self._known.get(("ref", package, *name)) or self._known.get(("ref", None, *name), [])

    def _entries(self) -> Iterator[tuple[tuple[str | None, ...], str]]:
        manifest = self._manifest
        for unique_id, node in manifest.stated_entries(manifest.nodes, ("model.", "seed.", "snapshot."), _Named):
            versions = {"" if node.version is None else str(node.version)}
            versions |= {""} if node.version == node.latest_version else set()
            for version in versions:
                yield ("ref", node.package_name, node.name, version), unique_id
                yield ("ref", None, node.name, version), unique_id
        for unique_id, node in manifest.stated_entries(manifest.sources, ("source.",), _Named):
            yield ("source", node.source_name, node.name, ""), unique_id
