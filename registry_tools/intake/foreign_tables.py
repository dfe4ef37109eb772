"""Targets and interfaces in, the tables of other projects out: their places, columns, and how files call them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from registry_tools.intake.known_tables import KnownTables, table_name
from registry_tools.intake.manifest import Manifest
from registry_tools.intake.own_nodes import Described
from registry_tools.intake.targets import Target, version_text
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Contract, PublicModel, Value
from registry_tools.mesh.relation import fold

_HARD_CODED: Final = "relation "


class _Entry(Value, frozen=True):
    name: str
    source_name: str | None = None
    relation_name: str | None = None
    columns: dict[str, Described] = msgspec.field(default_factory=dict)
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    config: dict[str, Any] | None = None
    contract: Contract | None = None
    version: str | int | float | None = None
    latest_version: str | int | float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it has all columns: what mesh sync wrote says whether upstream's contract is enforced, and a model
        that was injected has a contract of its own, though maybe no columns.
        """
        meta = self.meta.get("mesh") or ((self.config or {}).get("meta") or {}).get("mesh")
        told = isinstance(meta, Mapping) and meta.get("contract") == "enforced"
        return bool(self.columns) and (told or bool(self.contract and self.contract.enforced))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spelling:
    """A model's columns: as the warehouse stores each, and as its interface spells it."""

    columns: Mapping[str, str]
    complete: bool


@dataclass(kw_only=True, slots=True)
class ForeignTables:
    """The public models of other projects that a project may read.

    Several entries can be one table: a version by its number and the latest one by no number.
    """

    adapter: str
    entries: dict[str, Target] = field(default_factory=dict)
    calls: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    _at: dict[str, list[str]] = field(default_factory=dict)
    _tables: dict[str, str] = field(default_factory=dict)
    _identifiers: set[str] = field(default_factory=set)
    _latest: set[str] = field(default_factory=set)
    _spelled: dict[tuple[str, str, str], _Spelling] = field(default_factory=dict)

    def table_of(self, unique_id: str) -> str | None:
        """The table of an entry; None where its relation is none."""
        return self._tables.get(unique_id)

    def is_foreign(self, table: str) -> bool:
        """Whether a table belongs to another project."""
        return table in self._at

    @property
    def identifiers(self) -> frozenset[str]:
        """The names of the tables alone, as KnownTables.is_named looks for them."""
        return frozenset(self._identifiers)

    def read_by(self, refs: Iterable[Any], parents: Iterable[str], table: str) -> tuple[Target, ...]:
        """What a node reads when its SQL names this table: of all that stand there what it depends on, if it says so.

        `refs` are its own as the manifest has them: one without a version takes whichever is the latest.
        """
        there = self._at.get(table, [])
        meant = [unique_id for unique_id in parents if unique_id in there] or there[:1]
        return tuple(sorted({target for unique_id in meant for target in self.meant_by(refs, unique_id)}))

    def meant_by(self, refs: Iterable[Any], unique_id: str) -> Iterator[Target]:
        """What the entry means to a node that refers to it."""
        target = self.entries[unique_id]
        versions = set()
        if target.via == "ref" and target.version:
            for ref in refs:
                match ref:
                    case {"name": target.model, "version": None} if unique_id in self._latest:
                        versions.add("")
                    case {"name": target.model, "version": version} if str(version) == target.version:
                        versions.add(target.version)
        for version in versions or {target.version}:
            yield target._replace(version=version)

    def is_complete(self, target: Target) -> bool:
        """Whether all columns of the model are known."""
        return self._spelled[target[:3]].complete

    def spell(self, target: Target, column: str) -> str:
        """A column as the interface has it; one that is not in it in lower case, where that is the same."""
        known = self._spelled[target[:3]].columns.get(column)
        return known if known is not None else spelled(column, self.adapter)

    def add(self, unique_id: str, target: Target, entry: _Entry, model: PublicModel | None, known: KnownTables) -> None:
        """Keep an entry of the manifest, its columns as the interface has them or else as the manifest does."""
        columns = model.columns.values() if model else entry.columns.values()
        complete = bool(model.contract.enforced and model.columns) if model else entry.is_complete
        stored = {Described(name=c.name, quote=c.quote).stored(self.adapter): c.name for c in columns}
        self._spell(target, entry.latest_version, _Spelling(columns=stored, complete=complete))
        self.entries[unique_id] = target
        if target.version and entry.version == entry.latest_version and unique_id.startswith("model."):
            self._latest.add(unique_id)
        self.calls[unique_id] = tuple(_calls(target, entry, is_latest=unique_id in self._latest))
        place = known.place(entry.relation_name or "")
        if place is not None:
            table = known.know(place, stored, complete=complete)
            self._tables[unique_id] = table
            self._identifiers.add(place[2].casefold())
            self._at.setdefault(table, []).append(unique_id)

    def _spell(self, target: Target, latest: Any, spelling: _Spelling) -> None:  # noqa: ANN401  # as dbt has it
        for version in {target.version, "" if version_text(latest) == target.version else target.version}:
            self._spelled.setdefault((target.upstream, target.model, version), spelling)

    def add_hard_coded(self, interfaces: Iterable[Interface], known: KnownTables) -> None:
        """Keep what stands nowhere in the manifest, for SQL that names its relation without `ref` or `source`."""
        for interface in interfaces:
            for model in interface.models:
                place = known.place(str(model.relation(interface.adapter)))
                target = Target(interface.project, model.name, version_text(model.version), "source")
                if place is not None and table_name(place) not in self._at:
                    entry = _Entry(name=model.name, relation_name=str(model.relation(interface.adapter)))
                    self.add(f"{_HARD_CODED}{model.unique_id}", target, entry, model, known)


def spelled(column: str, adapter: str) -> str:
    """A name that is stored so as people write it: in lower case, where that is the same to the warehouse."""
    return column.lower() if fold(column.lower(), adapter) == column else column


def foreign_tables(
    manifest: Manifest, targets: Mapping[str, Target], interfaces: Mapping[str, Interface], known: KnownTables
) -> ForeignTables:
    """The tables that these entries of the manifest stand for, with their columns from the interfaces where given."""
    tables = ForeignTables(adapter=manifest.adapter)
    sections = {**manifest.nodes, **manifest.sources}
    asked = {unique_id: sections[unique_id] for unique_id in sorted(targets)}
    for unique_id, entry in manifest.stated_entries(asked, ("",), _Entry):
        target = targets[unique_id]
        tables.add(unique_id, target, entry, _model_of(target, interfaces), known)
    tables.add_hard_coded((interfaces[name] for name in sorted(interfaces) if name != manifest.project), known)
    return tables


def _model_of(target: Target, interfaces: Mapping[str, Interface]) -> PublicModel | None:
    interface = interfaces.get(target.upstream)
    models = interface.models if interface else ()
    return next((m for m in models if m.answers(target.model, target.version or None, as_source=False)), None)


def _calls(target: Target, entry: _Entry, *, is_latest: bool) -> Iterator[tuple[str, ...]]:
    """The arguments with which a file refers to the entry, the version of a `ref` last."""
    if target.via == "source":
        yield entry.source_name or "", entry.name
        return
    for version in {target.version, ""} if is_latest else {target.version}:
        yield target.model, version
        yield target.upstream, target.model, version
