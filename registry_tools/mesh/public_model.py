"""One public model as a dbt manifest (schema v12) has it: its columns, contract, relation, versions, group and owner.

Nothing private has a field here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from registry_tools.mesh.audience import audience_of
from registry_tools.mesh.relation import Relation, parse_relation

# The tests that readers may be promised.
GUARDS: Final = ("not_null", "unique")


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """The base of what is decoded from JSON; unknown keys are left out."""


class Constraint(Value, frozen=True):
    """A constraint of a column or a model. An expression is SQL and therefore stays at home."""

    type: str
    name: str | None = None
    columns: tuple[str, ...] = ()
    to: str | None = None
    to_columns: tuple[str, ...] = ()


class Column(Value, frozen=True):
    """A column that readers may rely on."""

    name: str
    description: str | None = None
    data_type: str | None = None
    constraints: tuple[Constraint, ...] = ()
    quote: bool | None = None
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = {}


class Contract(Value, frozen=True):
    """Whether dbt enforces the columns and types when it builds the model."""

    enforced: bool = False
    alias_types: bool = True


class Promise(Value, frozen=True):
    """What v12 has no field for: the names of the tests that guard a column (`unique`, `not_null`), the values that a
    column is tested to have, and the grantees of each privilege on the relation; values and grantees under tokens.

    The later two are left out of the document where there are none, as in all that were published before they came.
    """

    tests: dict[str, tuple[str, ...]] = {}
    accepted_values: dict[str, tuple[str, ...]] | msgspec.UnsetType = msgspec.UNSET
    grants: dict[str, tuple[str, ...]] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Raise ValueError where nothing is written down as something: one interface would have two digests."""
        if not (self.accepted_values is msgspec.UNSET or self.accepted_values):
            raise ValueError("accepted_values is empty")
        if not (self.grants is msgspec.UNSET or self.grants):
            raise ValueError("grants is empty")


class Config(Value, frozen=True):
    """The part of a model's config that readers may see."""

    materialized: str | None = None
    access: str | None = None
    meta: dict[str, Any] = {}
    mesh: Promise = Promise()


class DependsOn(Value, frozen=True):
    """The nearest public ancestors, by unique_id."""

    nodes: tuple[str, ...] = ()


def nearest(
    unique_id: str, parents_of: Callable[[str], Iterable[str]], is_kept: Callable[[str], bool]
) -> tuple[str, ...]:
    """The nearest ancestors of a node that are kept, sorted: from it through those that are not."""
    found, seen, waiting = set(), {unique_id}, list(parents_of(unique_id))
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if is_kept(node):
            found.add(node)
        else:
            waiting += parents_of(node)
    return tuple(sorted(found))


class PublicModel(Value, frozen=True):
    """One public model, or one version of it."""

    unique_id: str
    name: str
    package_name: str
    alias: str
    relation_name: str | None = None
    database: str | None = None
    schema: str | None = None
    access: str | None = None
    description: str | None = None
    columns: dict[str, Column] = {}
    constraints: tuple[Constraint, ...] = ()
    contract: Contract = Contract()
    config: Config = Config()
    primary_key: tuple[str, ...] = ()
    group: str | None = None
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = {}
    version: str | int | float | None = None
    latest_version: str | int | float | None = None
    deprecation_date: str | None = None
    depends_on: DependsOn = DependsOn()

    @property
    def is_latest(self) -> bool:
        """Whether a reference without a version means this one."""
        return self.version == self.latest_version

    @property
    def label(self) -> str:
        """The name a reader knows: `public_products.v1` where there are versions."""
        return self.name if self.version is None else f"{self.name}.v{self.version}"

    @property
    def declared_key(self) -> tuple[str, ...]:
        """The primary key that is declared, on the model or on one of its columns; no guess from tests."""
        keys = [c.columns for c in self.constraints if c.type == "primary_key"]
        keys += [(n,) for n, column in self.columns.items() for c in column.constraints if c.type == "primary_key"]
        return keys[0] if keys else ()

    @property
    def is_dated(self) -> bool:
        """Whether dbt reads `deprecation_date` as a time. What a person wrote instead is told as text alone."""
        try:
            return datetime.fromisoformat(self.deprecation_date or "").date().isoformat() == self.leaves_on
        except ValueError:
            return False

    @property
    def leaves_on(self) -> str | None:
        """The day after which the model may be gone."""
        return self.deprecation_date and self.deprecation_date[:10]

    def answers(self, name: str, version: str | None, *, as_source: bool) -> bool:
        """Whether `ref` of this name, or `source` of this table, reads this model; without a version, the latest."""
        if as_source:
            return name in self.called
        return name == self.name and (self.is_latest if version is None else str(self.version) == version)

    @property
    def called(self) -> tuple[str, ...]:
        """The names under which sources have it: by version, and the latest one also without."""
        if self.version is None:
            return (self.name,)
        return (f"{self.name}_v{self.version}", *([self.name] if self.is_latest else []))

    def admits(self, project: str) -> bool:
        """Whether the project may read it: its own project, everybody where no list stands, and who is listed."""
        audience = audience_of(self.meta)
        return audience is None or project == self.package_name or audience.admits(project)

    def relation(self, adapter: str) -> Relation:
        """Where the model lives. Raises ValueError when its relation_name is not one."""
        return parse_relation(self.relation_name or self.alias, adapter)


class Asset(Value, frozen=True):
    """Something else that readers are promised: its owner wrote `meta: {mesh: {public: true}}` on it."""

    kind: Literal["exposure", "metric", "saved_query", "semantic_model"]
    name: str


class Owner(Value, frozen=True):
    """A team, never a person: e-mail addresses are not published."""

    name: str | None = None
    slack: str | None = None


class Group(Value, frozen=True):
    """The group that public models belong to, and its owner."""

    name: str
    unique_id: str
    package_name: str
    owner: Owner = Owner()
    description: str | None = None
