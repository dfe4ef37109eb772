"""What a project promises to others: its public models, held as the values of a dbt manifest (schema v12).

The names are dbt's, so that the document a consumer reads is itself a manifest that dbt, dbt-loom and any reader of
manifest.json understand. Nothing private has a field here.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from registry_tools.mesh import names
from registry_tools.mesh.audience import audience_of, replacement_of
from registry_tools.mesh.freshness import freshness_of
from registry_tools.mesh.public_model import (
    GUARDS,
    Asset,
    Constraint,
    DependsOn,
    Group,
    PublicModel,
    Value,
    nearest,
)
from registry_tools.mesh.relation import parse_relation

SCHEMA: Final = "https://schemas.getdbt.com/dbt/manifest/v12.json"
# The rest of a manifest, empty: readers of v12 look these keys up without asking.
_REST: Final = (
    *("sources", "macros", "docs", "exposures", "metrics", "selectors", "disabled", "parent_map", "child_map"),
    *("group_map", "saved_queries", "semantic_models", "unit_tests", "functions"),
)


class Withheld(Value, frozen=True):
    """A public model that the reading project may not have, and the team that can change this."""

    model: PublicModel
    owner: str | None = None


class Interface(Value, frozen=True):
    """All public models of one project, with their groups, in the order of their unique_ids, and what else it promises.

    `assets` is left out where there are none, as in all that was published before there were any.
    """

    project: str
    adapter: str
    models: tuple[PublicModel, ...] = ()
    groups: tuple[Group, ...] = ()
    assets: tuple[Asset, ...] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Raise ValueError for assets that are none: one interface would have two digests."""
        if self.assets == ():
            raise ValueError("mesh_assets is empty")

    @property
    def digest(self) -> str:
        """The sha256 of everything a reader can rely on; the same whichever dbt, invocation or time made it."""
        return _sha256(self)

    def find(self, unique_id: str) -> PublicModel | None:
        """The model with this unique_id, if it is public."""
        return next((model for model in self.models if model.unique_id == unique_id), None)

    def checked(self) -> "Interface":
        """The same interface, proven to hold only names that are safe in keys, paths, SQL and YAML.

        Raises ValueError or UsageError naming the model; whoever read the document says which file that was.
        """
        names.project_name(self.project)
        for model in self.models:
            names.model_name(model.name)
            version = "" if model.version is None else f".v{model.version}"
            names.model_name(f"{model.name}{version}")
            names.model_name(f"{model.name}.v{model.latest_version}")
            if model.unique_id != f"model.{self.project}.{model.name}{version}" or model.package_name != self.project:
                raise ValueError(f"{model.unique_id!r} is not the unique_id of {model.label} in {self.project}")
            model.relation(self.adapter)
            freshness_of(model.meta)
            audience_of(model.meta)
            replacement_of(model.meta)
            if not {test for tests in model.config.mesh.tests.values() for test in tests} <= set(GUARDS):
                raise ValueError(f"{model.unique_id} promises other tests than {' and '.join(GUARDS)}")
        called = Counter(name for model in self.models for name in model.called)
        if twice := next((name for name, count in called.items() if count > 1), None):
            raise ValueError(f"two models of {self.project} would be called {twice}: model.{self.project}.{twice}")
        return self

    def owner_of(self, model: PublicModel) -> str | None:
        """The name of the team that owns the model's group, or the group's name."""
        group = next((group for group in self.groups if group.name == model.group), None)
        return (group.owner.name or group.name) if group else model.group

    def deprecation_notice(self, model: PublicModel) -> str | None:
        """When a deprecated model leaves, and what to use instead; None for any other."""
        if not model.leaves_on:
            return None
        instead = self.instead_of(model)
        return (
            f"{model.label} is deprecated and leaves on {model.leaves_on}{f'; use {instead} instead' * bool(instead)}."
        )

    def instead_of(self, model: PublicModel) -> str | None:
        """What to read in place of a model that leaves or left: its latest version, or what its meta names."""
        others = [m for m in self.models if m.name == model.name and m.unique_id != model.unique_id]
        newest = next((m for m in others if m.is_latest), None)
        if newest is not None:
            return newest.label
        named = replacement_of(model.meta)
        return named if named and self.knows(named) else None

    def knows(self, text: str) -> bool:
        """Whether a person who writes this can mean something: a model here, or one of another project."""
        project, dot, _ = text.partition(".")
        return any(text in {m.name, m.label, *m.called} for m in self.models) or bool(
            dot and project != self.project and not any(m.name == project for m in self.models)
        )

    def deprecations(self) -> Iterator[str]:
        """What leaves, when, and what to use instead."""
        return filter(None, map(self.deprecation_notice, self.models))

    def granted_to(self, project: str) -> tuple["Interface", tuple[Withheld, ...]]:
        """The interface as this project may have it, and the models that are withheld from it.

        What stays names nothing that is withheld: lineage goes on at the nearest ancestors that are left, foreign keys
        to withheld tables go, and so do groups without a model.
        """
        withheld = tuple(
            Withheld(model=model, owner=self.owner_of(model)) for model in self.models if not model.admits(project)
        )
        return self.kept(lambda model: model.admits(project)), withheld

    def kept(self, keep: Callable[[PublicModel], bool]) -> "Interface":
        """The interface with the models alone that are kept. What stays names nothing that is gone (see granted_to)."""
        gone = {model.unique_id: model for model in self.models if not keep(model)}
        if not gone:
            return self
        tables = {str(model.relation(self.adapter)) for model in gone.values()}
        models = tuple(self._without(m, gone, tables) for m in self.models if m.unique_id not in gone)
        used = {model.group for model in models}
        return msgspec.structs.replace(
            self, models=models, groups=tuple(group for group in self.groups if group.name in used)
        )

    def _without(self, model: PublicModel, gone: Mapping[str, PublicModel], tables: AbstractSet[str]) -> PublicModel:
        parents = nearest(
            model.unique_id, lambda node: gone.get(node, model).depends_on.nodes, lambda node: node not in gone
        )
        columns = {
            name: msgspec.structs.replace(column, constraints=self._pointing(column.constraints, tables))
            for name, column in model.columns.items()
        }
        return msgspec.structs.replace(
            model,
            depends_on=DependsOn(nodes=parents),
            columns=columns,
            constraints=self._pointing(model.constraints, tables),
        )

    def _pointing(self, constraints: tuple[Constraint, ...], tables: AbstractSet[str]) -> tuple[Constraint, ...]:
        """Those that lead to none of `tables`. What is no relation leads nowhere that can be vouched for."""

        def leads_there(to: str) -> bool:
            try:
                return str(parse_relation(to, self.adapter)) in tables
            except ValueError:
                return True

        return tuple(c for c in constraints if c.to is None or not leads_there(c.to))

    def mapped(self, databases: Mapping[str, str], schemas: Mapping[str, str]) -> "Interface":
        """The interface as seen from an account where databases or schemas have other names.

        Raises ValueError where such a name would need quotes and the relation has none.
        """
        if not databases and not schemas:
            return self
        return msgspec.structs.replace(self, models=tuple(self._moved(m, databases, schemas) for m in self.models))

    def _moved(self, model: PublicModel, databases: Mapping[str, str], schemas: Mapping[str, str]) -> PublicModel:
        here = model.relation(self.adapter)
        there = parse_relation(str(here.mapped(databases, schemas)), self.adapter)
        moved: dict[str, str | None] = {"relation_name": str(there)} if there != here else {}
        for part, before, now in (("database", here.database, there.database), ("schema", here.schema, there.schema)):
            if now is None or now != before:
                moved[part] = now.name if now else None
        return msgspec.structs.replace(model, **moved)

    def to_manifest(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """A dbt manifest (v12) of the public models alone; `facts` of the publication stand in `metadata.mesh`."""
        assets = {} if self.assets is msgspec.UNSET else {"mesh_assets": msgspec.to_builtins(self.assets)}
        return {
            "metadata": {
                "dbt_schema_version": SCHEMA,
                "project_name": self.project,
                "adapter_type": self.adapter,
                "mesh": dict(facts),
                **assets,
            },
            "nodes": {model.unique_id: _as_node(model) for model in self.models},
            "groups": {group.unique_id: _as_group(group) for group in self.groups},
            **{key: {} for key in _REST},
        }


class _Metadata(Value, frozen=True):
    project_name: str
    adapter_type: str
    mesh: dict[str, Any]
    mesh_assets: tuple[Asset, ...] | msgspec.UnsetType = msgspec.UNSET


class _Document(Value, frozen=True):
    metadata: _Metadata
    nodes: dict[str, PublicModel]
    groups: dict[str, Group]


# Made once and here: msgspec looks a struct's fields up at its first use, and two threads that do so at once crash.
_DECODER: Final = msgspec.json.Decoder(_Document)


def read_interface(document: bytes) -> tuple[Interface, dict[str, Any]]:
    """The interface and the publication's facts from what `to_manifest` wrote. Raises msgspec.ValidationError."""
    read = _DECODER.decode(document)
    interface = Interface(
        project=read.metadata.project_name,
        adapter=read.metadata.adapter_type,
        models=tuple(read.nodes.values()),
        groups=tuple(read.groups.values()),
        assets=read.metadata.mesh_assets,
    )
    return interface, read.metadata.mesh


def _sha256(value: msgspec.Struct) -> str:
    import hashlib

    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def _as_node(model: PublicModel) -> dict[str, Any]:
    version = [] if model.version is None else [f"v{model.version}"]
    return {
        "resource_type": "model",
        "path": "",
        "original_file_path": "",
        "fqn": [model.package_name, model.name, *version],
        "checksum": {"name": "sha256", "checksum": _sha256(model)},
        **msgspec.to_builtins(model),
    }


def _as_group(group: Group) -> dict[str, Any]:
    return {"resource_type": "group", "path": "", "original_file_path": "", **msgspec.to_builtins(group)}
