"""A manifest in, the interface out: its public models alone, cleaned of everything that is nobody else's business."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.manifest import Manifest, collector_off
from registry_tools.mesh.interface import (
    GUARDS,
    Column,
    Config,
    Constraint,
    DependsOn,
    Group,
    Interface,
    Owner,
    Promise,
    PublicModel,
    Value,
)
from registry_tools.mesh.relation import Relation, parse_relation

_EMAIL: Final = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_HOME: Final = re.compile(r"(?:/home/|/Users/|/root/|[A-Za-z]:\\Users\\)[^\s'\"]*")
_REMEDY: Final = "correct the model's YAML, run dbt build, then publish again"


class _Access(Value, frozen=True):
    access: str | None = None


class _Probe(Value, frozen=True):
    package_name: str
    access: str | None = None
    config: _Access = _Access()
    depends_on: Raw = Raw(b"{}")

    @property
    def is_public(self) -> bool:
        return (self.access or self.config.access) == "public"


class _Links(Value, frozen=True):
    depends_on: DependsOn = DependsOn()


class _ColumnConfig(Value, frozen=True):
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = msgspec.field(default_factory=dict)


class _OwnColumn(Value, frozen=True):
    config: _ColumnConfig = _ColumnConfig()


class _OwnColumns(Value, frozen=True):
    columns: dict[str, _OwnColumn] = msgspec.field(default_factory=dict)


class _TestMetadata(Value, frozen=True):
    name: str
    namespace: str | None = None


class _TestConfig(Value, frozen=True):
    severity: str | None = None
    where: str | None = None
    error_if: str | None = None


class _Test(Value, frozen=True):
    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: _TestMetadata | None = None
    config: _TestConfig = _TestConfig()
    depends_on: DependsOn = DependsOn()

    @property
    def guards(self) -> bool:
        """Whether it holds for every row, always: a `where` or a mere warning promises nothing to readers."""
        told = self.test_metadata is not None and not self.test_metadata.namespace and self.column_name is not None
        strict = not self.config.where and (self.config.severity or "error").lower() == "error"
        strict = strict and self.config.error_if in (None, "!= 0")
        return told and strict and self.test_metadata is not None and self.test_metadata.name in GUARDS

    @property
    def model(self) -> str | None:
        nodes = self.depends_on.nodes
        return self.attached_node or (nodes[0] if len(nodes) == 1 else None)


def extract_interface(manifest: Manifest) -> Interface:
    """The project's own public models and their groups. Raises DocumentError naming the model that is not usable."""
    with collector_off():
        models, links = _own_models(manifest)
        tests = _tests(manifest, models) if models else {}
        groups = _groups(manifest, {model.group for model in models.values()})
        cleaner = _Cleaner(manifest, models)
        ancestry = _Ancestry(manifest, frozenset(models), links)
        try:
            cleaned = tuple(
                cleaner.clean(model, tests.get(unique_id, {}), ancestry.of(unique_id))
                for unique_id, model in sorted(models.items())
            )
            return Interface(
                project=manifest.project, adapter=manifest.adapter, models=cleaned, groups=tuple(groups)
            ).checked()
        except (ValueError, UsageError, RecursionError) as error:
            what = error.what if isinstance(error, UsageError) else str(error)
            raise DocumentError(what, where=str(manifest.path), then=_REMEDY) from None


def _own_models(manifest: Manifest) -> tuple[dict[str, PublicModel], dict[str, Raw]]:
    """The project's public models, and of all its models what they depend on, to be decoded when somebody asks."""
    found, links = {}, {}
    # A project that consumes through dbt-loom carries foreign public models in its own manifest.
    for unique_id, probe in manifest.entries(manifest.nodes, (f"model.{manifest.project}.",), _Probe):
        links[unique_id] = probe.depends_on
        if probe.is_public and probe.package_name == manifest.project:
            model = manifest.decode(manifest.nodes[unique_id], PublicModel, unique_id)
            if model.config.materialized != "ephemeral":
                if model.unique_id != unique_id:
                    raise DocumentError(
                        f"{unique_id}: its unique_id is {model.unique_id!r}", where=str(manifest.path), then=_REMEDY
                    )
                found[unique_id] = model
    return found, links


def _tests(manifest: Manifest, models: Iterable[str]) -> dict[str, dict[str, set[str]]]:
    wanted = frozenset(models)
    found: dict[str, dict[str, set[str]]] = {}
    for _, test in manifest.entries(manifest.nodes, ("test.",), _Test):
        if test.model in wanted and test.guards and test.column_name and test.test_metadata:
            # dbt writes the name of a quoted column with its quotes
            found.setdefault(test.model, {}).setdefault(test.column_name.strip('"`'), set()).add(
                test.test_metadata.name
            )
    return found


def _groups(manifest: Manifest, used: set[str | None]) -> list[Group]:
    entries = manifest.entries(manifest.groups, (f"group.{manifest.project}.",), Group)
    return [
        msgspec.structs.replace(
            group,
            description=_scrub(group.description or ""),
            owner=Owner(name=_scrub_optional(group.owner.name), slack=_scrub_optional(group.owner.slack)),
        )
        for _, group in sorted(entries)
        if group.name in used
    ]


class _Ancestry:
    """Walks from a public model through private ones to the nearest public ancestors, each node read once."""

    def __init__(self, manifest: Manifest, public: frozenset[str], links: dict[str, Raw]) -> None:
        self._manifest = manifest
        self._public = public
        self._links = links
        self._parents: dict[str, tuple[str, ...]] = {}

    def of(self, unique_id: str) -> tuple[str, ...]:
        found, seen, todo = set(), set(), list(self._parents_of(unique_id))
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in self._public:
                found.add(node)
            else:
                todo += self._parents_of(node)
        return tuple(sorted(found - {unique_id}))

    def _parents_of(self, unique_id: str) -> tuple[str, ...]:
        if unique_id not in self._parents:
            self._parents[unique_id] = self._read(unique_id).nodes
        return self._parents[unique_id]

    def _read(self, unique_id: str) -> DependsOn:
        if unique_id in self._links:
            return self._manifest.decode(self._links[unique_id], DependsOn, unique_id)
        raw = self._manifest.nodes.get(unique_id)
        return DependsOn() if raw is None else self._manifest.decode(raw, _Links, unique_id).depends_on


class _Cleaner:
    """Brings models to the canonical form: the same model gives the same values whichever dbt wrote it."""

    def __init__(self, manifest: Manifest, models: dict[str, PublicModel]) -> None:
        self._manifest = manifest
        self._relations = {unique_id: self._relation(model) for unique_id, model in models.items()}
        self._public = {str(relation) for relation in self._relations.values()}

    def clean(self, model: PublicModel, tests: dict[str, set[str]], ancestors: tuple[str, ...]) -> PublicModel:
        relation = self._relations[model.unique_id]
        return msgspec.structs.replace(
            model,
            access="public",
            relation_name=str(relation),
            database=relation.database.name if relation.database else None,
            schema=relation.schema.name if relation.schema else None,
            alias=relation.identifier.name,
            description=_scrub(model.description or ""),
            columns={name: self._column(column) for name, column in self._columns(model).items()},
            constraints=self._constraints(model.constraints),
            config=Config(
                materialized=model.config.materialized,
                access="public",
                mesh=Promise(tests={name: tuple(sorted(found)) for name, found in sorted(tests.items())}),
            ),
            # dbt 1.9 and newer guess one from tests as well, in any order; tests are told on their own
            primary_key=model.declared_key,
            tags=_clean_tags(model.tags),
            meta=_scrub_value(_stated(model)),
            deprecation_date=_clean_date(model.deprecation_date),
            depends_on=DependsOn(nodes=ancestors),
        )

    def _columns(self, model: PublicModel) -> dict[str, Column]:
        """Each column with what is its own: dbt v2 writes the model's tags and meta on columns that have none."""
        if not self._manifest.dbt_version.startswith("2."):
            return model.columns
        own = self._manifest.decode(self._manifest.nodes[model.unique_id], _OwnColumns, model.unique_id).columns
        return {
            name: msgspec.structs.replace(column, tags=own[name].config.tags, meta=own[name].config.meta)
            for name, column in model.columns.items()
        }

    def _column(self, column: Column) -> Column:
        description = _scrub(column.description or "")
        if description == column.description and not (column.constraints or column.tags or column.meta):
            return column  # as nearly all are
        return msgspec.structs.replace(
            column,
            description=description,
            constraints=self._constraints(column.constraints),
            tags=_clean_tags(column.tags),
            meta=_scrub_value(column.meta),
        )

    def _constraints(self, constraints: Iterable[Constraint]) -> tuple[Constraint, ...]:
        """Without the foreign keys that point at private relations: their names are not published."""
        return tuple(c for c in constraints if c.to is None or self._canonical(c.to) in self._public)

    def _canonical(self, relation_name: str) -> str | None:
        try:
            return str(parse_relation(relation_name, self._manifest.adapter))
        except ValueError:
            return None

    def _relation(self, model: PublicModel) -> Relation:
        written = model.relation_name or ".".join(p for p in (model.database, model.schema, model.alias) if p)
        try:
            return parse_relation(written, self._manifest.adapter)
        except ValueError as error:
            raise DocumentError(f"{model.unique_id}: {error}", where=str(self._manifest.path), then=_REMEDY) from None


def _stated(model: PublicModel) -> dict[str, Any]:
    """The model's meta. dbt writes it twice, and who may read the model is not lost where the two differ."""
    meta = model.meta or model.config.meta
    own, other = (stated.get("mesh") for stated in (meta, model.config.meta))
    if isinstance(other, dict) and "consumers" in other and not (isinstance(own, dict) and "consumers" in own):
        rest = own if isinstance(own, dict) else {}
        return meta | {"mesh": rest | {"consumers": other["consumers"]}}
    return meta


def _clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({_scrub(tag) for tag in tags}))


def _clean_date(text: str | None) -> str | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    # dbt stamps the day that a person wrote with its machine's offset, and compares it with a time that has one.
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC).isoformat()


def _scrub(text: str) -> str:
    if "@" in text:
        text = _EMAIL.sub("(e-mail address removed)", text)
    if "/" in text or "\\" in text:
        text = _HOME.sub("(path removed)", text)
    return text


def _scrub_optional(text: str | None) -> str | None:
    return None if text is None else _scrub(text)


def _scrub_value(value: Any) -> Any:  # noqa: ANN401  # meta is whatever a person wrote
    match value:
        case str():
            return _scrub(value)
        case dict():
            return {_scrub(str(key)): _scrub_value(item) for key, item in value.items()}
        case list():
            return [_scrub_value(item) for item in value]
        case _:
            return value
