"""A manifest in, the interface out: its public models alone, cleaned of everything that is nobody else's business."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.manifest import Manifest, collector_off
from registry_tools.intake.promises import accepted_values, granted, own_assets
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import (
    Column,
    Config,
    Constraint,
    DependsOn,
    Group,
    Owner,
    Promise,
    PublicModel,
    Value,
    nearest,
)
from registry_tools.mesh.relation import Relation, parse_relation

_EMAIL: Final = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_HOME: Final = re.compile(r"(?:/home/|/Users/|/root/|[A-Za-z]:\\Users\\)[^\s'\"]*")
_REMEDY: Final = "correct the model's YAML, run dbt build, then publish again"


class _ColumnConfig(Value, frozen=True):
    tags: tuple[str, ...] | None = None
    meta: dict[str, Any] | None = None


class _OwnColumn(Value, frozen=True):
    config: _ColumnConfig = _ColumnConfig()


class _OwnConfig(Config, frozen=True):
    grants: Any = None


class _OwnModel(PublicModel, frozen=True):
    """A public model with what is told of it in another form."""

    config: _OwnConfig = _OwnConfig()


class _OwnColumns(Value, frozen=True):
    columns: dict[str, _OwnColumn] = msgspec.field(default_factory=dict)


def extract_interface(manifest: Manifest) -> Interface:
    """The project's own public models and their groups. Raises DocumentError naming the model that is not usable."""
    with collector_off():
        models = _own_models(manifest)
        groups = _groups(manifest, {model.group for model in models.values()})
        cleaner = _Cleaner(manifest, models)
        try:
            cleaned = tuple(
                cleaner.clean(model, nearest(unique_id, manifest.parents_of, models.__contains__))
                for unique_id, model in sorted(models.items())
            )
            return Interface(
                project=manifest.project,
                adapter=manifest.adapter,
                models=cleaned,
                groups=tuple(groups),
                assets=own_assets(manifest),
            ).checked()
        except (ValueError, UsageError, RecursionError) as error:
            what = error.what if isinstance(error, UsageError) else str(error)
            raise DocumentError(what, where=str(manifest.path), then=_REMEDY) from None


def _own_models(manifest: Manifest) -> dict[str, _OwnModel]:
    found = {}
    for unique_id, model in manifest.own_public(_OwnModel):
        if model.config.materialized != "ephemeral":
            if model.unique_id != unique_id:
                raise DocumentError(
                    f"{unique_id}: its unique_id is {model.unique_id!r}", where=str(manifest.path), then=_REMEDY
                )
            found[unique_id] = model
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


class _Cleaner:
    """Brings models to the canonical form: the same model gives the same values whichever dbt wrote it."""

    def __init__(self, manifest: Manifest, models: dict[str, _OwnModel]) -> None:
        self._manifest = manifest
        self._relations = {unique_id: self._relation(model) for unique_id, model in models.items()}
        self._public = {str(relation) for relation in self._relations.values()}

    def clean(self, model: _OwnModel, ancestors: tuple[str, ...]) -> PublicModel:
        relation = self._relations[model.unique_id]
        return PublicModel(
            unique_id=model.unique_id,
            name=model.name,
            package_name=model.package_name,
            access="public",
            relation_name=str(relation),
            database=relation.database.name if relation.database else None,
            schema=relation.schema.name if relation.schema else None,
            alias=relation.identifier.name,
            description=_scrub(model.description or ""),
            columns={name: self._column(column) for name, column in self._columns(model).items()},
            constraints=self._constraints(model.constraints),
            contract=model.contract,
            config=Config(
                materialized=model.config.materialized,
                access="public",
                mesh=self._promise(model),
            ),
            # dbt 1.9 and newer guess one from tests as well, in any order; tests are told on their own
            primary_key=model.declared_key,
            group=model.group,
            tags=_clean_tags(model.tags),
            meta=_scrub_value(_stated(model)),
            version=model.version,
            latest_version=model.latest_version,
            deprecation_date=_clean_date(model.deprecation_date),
            depends_on=DependsOn(nodes=ancestors),
        )

    def _promise(self, model: _OwnModel) -> Promise:
        survey, project = self._manifest.survey, self._manifest.project
        return Promise(
            tests={name: tuple(sorted(found)) for name, found in sorted(survey.guards[model.unique_id].items())},
            accepted_values=accepted_values(survey.accepted.get(model.unique_id, {}), model.columns, project),
            grants=granted(model.config.grants, project),
        )

    def _columns(self, model: PublicModel) -> dict[str, Column]:
        """Each column without what it has of its model: dbt v2 writes the model's tags and meta where it has none.

        What the column's config says is its own, and so is what differs from the model's: of a versioned model, dbt v2
        leaves the config empty.
        """
        if not self._manifest.is_of_v2:
            return model.columns
        stated = self._manifest.decode(self._manifest.nodes[model.unique_id], _OwnColumns, model.unique_id).columns
        own = {name: column.config for name, column in stated.items()}
        return {
            name: msgspec.structs.replace(
                column,
                tags=() if own[name].tags is None and column.tags == model.tags else column.tags,
                meta={} if own[name].meta is None and column.meta == model.meta else column.meta,
            )
            for name, column in model.columns.items()
        }

    def _column(self, column: Column) -> Column:
        told = column.description
        if told is not None and not (_is_suspect(told) or column.constraints or column.tags or column.meta):
            return column  # as nearly all are
        return msgspec.structs.replace(
            column,
            description=_scrub(told or ""),
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


def _is_suspect(text: str) -> bool:
    """Whether an e-mail address or a path may be in it: three looks at a text cost less than one regular expression."""
    return "@" in text or "/" in text or "\\" in text


def _scrub(text: str) -> str:
    if not _is_suspect(text):
        return text
    return _HOME.sub("(path removed)", _EMAIL.sub("(e-mail address removed)", text))


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
