"""A manifest in, what the project reads of other projects out: every node that depends on a foreign public model."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from registry_tools.errors import UsageError
from registry_tools.intake.manifest import Manifest
from registry_tools.mesh import names
from registry_tools.mesh.public_model import DependsOn, PublicModel, Value
from registry_tools.mesh.relation import parse_relation
from registry_tools.mesh.usage import EVERY, Read, Usage

# Everything of a project that can depend on a model. Unit tests and exposures read as well as models do.
_READERS: Final = (
    "model.",
    "snapshot.",
    "test.",
    "analysis.",
    "operation.",
    "exposure.",
    "unit_test.",
    "semantic_model.",
)
# Tests of dbt that look at the column below which they stand, and at nothing else.
_OWN_TESTS: Final = ("not_null", "unique", "accepted_values")


class _TestMetadata(Value, frozen=True):
    name: str
    namespace: str | None = None


class _ReaderConfig(Value, frozen=True):
    where: Any = None


class _Reader(Value, frozen=True):
    package_name: str | None = None
    depends_on: DependsOn = DependsOn()
    column_name: str | None = None
    test_metadata: _TestMetadata | None = None
    config: _ReaderConfig = _ReaderConfig()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads of its only parent: of one of dbt's own tests without a condition, the tested."""
        test = self.test_metadata
        told = test is not None and not test.namespace and test.name in _OWN_TESTS and not self.config.where
        alone = len(self.depends_on.nodes) == 1 and self.column_name
        return (self.column_name.strip('"`'),) if told and alone and self.column_name else EVERY


class _Config(Value, frozen=True):
    meta: dict[str, Any] | None = None  # dbt v2 writes null


class _Foreign(Value, frozen=True):
    name: str
    package_name: str
    original_file_path: str = ""
    version: str | int | float | None = None
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    config: _Config = _Config()

    @property
    def is_stub(self) -> bool:
        """Whether mesh sync wrote it (`as: package`): dbt v2 leaves meta in the config alone."""
        mark = self.meta.get("mesh") or (self.config.meta or {}).get("mesh")
        return isinstance(mark, Mapping) and mark.get("project") == self.package_name


class _Source(Value, frozen=True):
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    config: _Config = _Config()
    relation_name: str | None = None


# What a source or a foreign model stands for: upstream, model, version, and by which way it is read.
Target = tuple[str, str, str, Literal["ref", "source"]]


def extract_usage(manifest: Manifest, public: Mapping[str, PublicModel] | None = None) -> Usage:
    """Who reads what, through `ref` and through the sources that mesh sync wrote, sorted.

    With `public`, the public models of the mesh by their relations, sources that people wrote by hand count as well.
    """
    found = (*_referenced(manifest), *_sourced(manifest, public or {}))
    targets = {unique_id: target for unique_id, target in found if _is_named(target)}
    if not targets:
        return Usage(project=manifest.project)
    reads = {
        Read(upstream=upstream, model=model, version=version, node=node, via=via, columns=reader.columns)
        for node, reader in _readers(manifest)
        for upstream, model, version, via in (
            targets[parent] for parent in reader.depends_on.nodes if parent in targets
        )
    }
    return Usage(project=manifest.project, reads=tuple(sorted(reads)))


def _readers(manifest: Manifest) -> Iterator[tuple[str, _Reader]]:
    for section in (manifest.nodes, manifest.exposures, manifest.unit_tests, manifest.semantic_models):
        for unique_id, reader in manifest.entries(section, _READERS, _Reader):
            if reader.package_name == manifest.project:
                yield unique_id, reader


def _referenced(manifest: Manifest) -> Iterator[tuple[str, Target]]:
    """Models of other projects: what dbt-loom injects has no file here, a stub has the mark of mesh sync.

    The models of any other package that is installed are built here, and are therefore nobody else's.
    """
    own = f"model.{manifest.project}."
    for unique_id in manifest.node_ids:
        if unique_id.startswith("model.") and not unique_id.startswith(own):
            model = manifest.decode(manifest.nodes[unique_id], _Foreign, unique_id)
            if not model.original_file_path or model.is_stub:
                yield unique_id, (model.package_name, model.name, _version(model.version), "ref")


def _sourced(manifest: Manifest, public: Mapping[str, PublicModel]) -> Iterator[tuple[str, Target]]:
    """Sources that carry the mark of mesh sync, and those that name the relation of a public model."""
    for unique_id, source in manifest.entries(manifest.sources, ("source.",), _Source):
        match source.meta.get("mesh") or (source.config.meta or {}).get("mesh"):
            case {"project": str(upstream), "model": str(model), **rest}:
                yield unique_id, (upstream, model, _version(rest.get("version")), "source")
            case _:
                found = public.get(_canonical(source.relation_name or "", manifest.adapter))
                if found and found.package_name != manifest.project:
                    yield unique_id, (found.package_name, found.name, _version(found.version), "source")


def _is_named(target: Target) -> bool:
    """Whether its names are names: a mark is whatever a person wrote, and the upstream becomes a registry's key."""
    upstream, model, version, _ = target
    try:
        names.project_name(upstream)
        names.model_name(model)
        names.model_name(f"{model}.v{version}")
    except UsageError:
        return False
    return True


def _canonical(relation_name: str, adapter: str) -> str:
    try:
        return str(parse_relation(relation_name, adapter))
    except ValueError:
        return relation_name


def _version(version: Any) -> str:  # noqa: ANN401  # a number, a text or nothing, as dbt has it
    return "" if version is None else str(version)
