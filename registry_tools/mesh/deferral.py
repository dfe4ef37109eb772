"""What `dbt --defer` looks at: the nodes of two manifests, that of today and the state, and where each is read from.

dbt-core 1.12, Manifest.merge_from_artifact and RuntimeRefResolver: a model, seed, snapshot or function is deferred when
its unique_id stands in both manifests and it is not ephemeral; what it stands for is then read from the state's place
unless the target's own has it, or, with --favor-state, unless it is selected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from registry_tools.mesh.public_model import DependsOn, Value
from registry_tools.mesh.relation import parse_relation

DEFERRABLE: Final = ("model", "seed", "snapshot", "function")

Fate = Literal["defers", "new", "never"]


class _Config(Value, frozen=True):
    materialized: str | None = None
    meta: dict[str, Any] | None = None  # dbt v2 writes null


class Node(Value, frozen=True):
    """One entry of a manifest: a model, a source, a test, whatever else there is."""

    name: str
    resource_type: str
    package_name: str = ""
    source_name: str | None = None
    relation_name: str | None = None
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    version: str | int | float | None = None
    config: _Config = _Config()
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    depends_on: DependsOn = DependsOn()

    @property
    def label(self) -> str:
        """The name that a person knows it by: `orders.v2` where there are versions, `dbt_up.orders` of a source."""
        if self.source_name is not None:
            return f"{self.source_name}.{self.name}"
        return self.name if self.version is None else f"{self.name}.v{self.version}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it can be asked for by, beside its unique_id."""
        return (self.label,) if self.source_name is not None else (self.label, self.name)

    @property
    def place(self) -> str:
        """The relation, as dbt wrote it or as its parts make it."""
        return self.relation_name or ".".join(filter(None, (self.database, self.schema, self.alias or self.name)))

    @property
    def is_ephemeral(self) -> bool:
        """Whether it has no relation, because its SQL becomes a part of whoever reads it."""
        return self.config.materialized == "ephemeral"

    @property
    def stands_for(self) -> str | None:
        """The unique_id of the upstream model that this source is, as mesh sync marked it; a stub stands for itself."""
        if self.resource_type != "source":
            return None
        match self.meta.get("mesh") or (self.config.meta or {}).get("mesh"):
            case {"project": str(project), "model": str(model), **rest}:
                version = rest.get("version")
                return f"model.{project}.{model}" + ("" if version is None else f".v{version}")
            case _:
                return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What mesh sync wrote into the state: which publication of the project it is, None before the first one, and the
    digests of the upstreams' interfaces in it.
    """

    publication: str | None
    upstreams: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """A manifest as --defer sees it. `origin` is None where the file does not say that mesh sync wrote it."""

    project: str | None
    adapter: str | None
    generated_at: str | None
    origin: Origin | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    sources: Mapping[str, Node] = field(default_factory=dict)

    def same_place(self, here: Node, there: Node) -> bool:
        """Whether both are one relation to the warehouse, however each is written."""
        return _parsed(here.place, self.adapter or "") == _parsed(there.place, self.adapter or "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What --defer does to one node. `deferred` is where it is read then, `target` where the target of today's manifest
    has it, and `why` the reason of one that is never deferred.
    """

    unique_id: str
    label: str
    kind: str
    fate: Fate
    deferred: str | None = None
    target: str | None = None
    is_moved: bool = True
    why: str = ""

    @property
    def effect(self) -> str:
        """The same in words."""
        if self.fate == "never":
            return f"never deferred: {self.why}"
        if self.fate == "new":
            return "not in the state: read from your target, where it has to be built first"
        if not self.is_moved:
            return f"read from {self.deferred}, which is also its place in your target"
        return f"read from {self.deferred} unless it stands in your target (--favor-state: unless it is selected)"


def _parsed(place: str, adapter: str) -> object:
    try:
        return parse_relation(place, adapter)
    except ValueError:
        return place
