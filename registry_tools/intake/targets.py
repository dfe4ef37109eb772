"""A consumer's manifest in, the tables of other projects that stand in it out: what each source, stub and model that
dbt-loom injected stands for.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from registry_tools.errors import UsageError
from registry_tools.intake.manifest import Manifest
from registry_tools.mesh import names
from registry_tools.mesh.public_model import PublicModel, Value
from registry_tools.mesh.relation import parse_relation


class Target(NamedTuple):
    """A public model of another project, and by which way it is read."""

    upstream: str
    model: str
    version: str
    via: Literal["ref", "source"]


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


def find_targets(manifest: Manifest, public: Mapping[str, PublicModel]) -> dict[str, Target]:
    """What each entry of the manifest stands for, by its unique_id; `public` are public models by their relations."""
    found = (*_referenced(manifest), *_sourced(manifest, public))
    return {unique_id: target for unique_id, target in found if _is_named(target)}


def _referenced(manifest: Manifest) -> Iterator[tuple[str, Target]]:
    """Models of other projects: what dbt-loom injects has no file here, a stub has the mark of mesh sync.

    The models of any other package that is installed are built here, and are therefore nobody else's.
    """
    own = f"model.{manifest.project}."
    for unique_id in manifest.node_ids:
        if unique_id.startswith("model.") and not unique_id.startswith(own):
            model = manifest.decode(manifest.nodes[unique_id], _Foreign, unique_id)
            if not model.original_file_path or model.is_stub:
                yield unique_id, Target(model.package_name, model.name, version_text(model.version), "ref")


def _sourced(manifest: Manifest, public: Mapping[str, PublicModel]) -> Iterator[tuple[str, Target]]:
    """Sources that carry the mark of mesh sync, and those that name the relation of a public model."""
    for unique_id, source in manifest.entries(manifest.sources, ("source.",), _Source):
        match source.meta.get("mesh") or (source.config.meta or {}).get("mesh"):
            case {"project": str(upstream), "model": str(model), **rest}:
                yield unique_id, Target(upstream, model, version_text(rest.get("version")), "source")
            case _:
                found = public.get(_canonical(source.relation_name or "", manifest.adapter))
                if found and found.package_name != manifest.project:
                    yield unique_id, Target(found.package_name, found.name, version_text(found.version), "source")


def _is_named(target: Target) -> bool:
    """Whether its names are names: a mark is whatever a person wrote, and the upstream becomes a registry's key."""
    try:
        names.project_name(target.upstream)
        names.model_name(target.model)
        names.model_name(f"{target.model}.v{target.version}")
    except UsageError:
        return False
    return True


def _canonical(relation_name: str, adapter: str) -> str:
    try:
        return str(parse_relation(relation_name, adapter))
    except ValueError:
        return relation_name


def version_text(version: Any) -> str:  # noqa: ANN401  # a number, a text or nothing, as dbt has it
    """A version as usage has it: empty where there is none."""
    return "" if version is None else str(version)
