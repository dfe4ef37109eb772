"""An interface and who reads the project by mesh.yml in, the database roles that should read its models out."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh.account import Securable, database_role
from registry_tools.mesh.audience import Audience, audience_of
from registry_tools.mesh.deployment import PUBLIC_READER, Deployment, Place
from registry_tools.mesh.grant_plan import READER, ReaderRole
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.observation import Observation
from registry_tools.mesh.public_model import PublicModel

AREA: Final = "grants"
_ADAPTER: Final = "snowflake"
# What dbt-snowflake builds; everything else that it knows, incremental models among them, is a table.
_KINDS: Final[Mapping[str | None, str]] = {
    "view": "VIEW",
    "dynamic_table": "DYNAMIC TABLE",
    "materialized_view": "MATERIALIZED VIEW",
}
_NOWHERE: Final = "ephemeral"
_LONGEST: Final = 255  # characters of an identifier (Snowflake, Identifier Requirements)
_KEPT: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The roles that should be there, and what is to be said of models that not everybody who may read them can."""

    readers: tuple[ReaderRole, ...]
    remarks: tuple[Observation, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Built:
    """A public model, and what is built of it."""

    model: PublicModel
    relation: Securable
    audience: Audience | None


def wanted_readers(interface: Interface, place: Place, deployment: Deployment) -> Wanted:
    """A role for what everybody may read in each database, and one for each model that only some projects may.

    Whoever admits nobody (`consumers: []`) gets no role. Raises UsageError for an interface of another warehouse than
    Snowflake, for a model that lies where this project has nothing to grant, and for two that lie in one place.
    """
    if interface.adapter != _ADAPTER:
        what = f"{interface.project} is built on {interface.adapter or 'an unknown warehouse'}, and these are grants"
        raise UsageError(f"{what} of Snowflake's", then="grant there as that warehouse does: dbt's own grants config")
    built = [_built(model, place, deployment) for model in interface.models if _is_somewhere(model)]
    _expect_apart(built)
    listed = [each for each in built if each.audience is not None and each.audience != Audience()]
    remarks: list[Observation] = []
    readers = [*_public(built, place), *_listed(listed, place, deployment, remarks)]
    return Wanted(readers=tuple(sorted(readers, key=lambda reader: reader.role)), remarks=tuple(remarks))


def _is_somewhere(model: PublicModel) -> bool:
    return model.config.materialized != _NOWHERE


def _built(model: PublicModel, place: Place, deployment: Deployment) -> _Built:
    relation = model.relation(_ADAPTER)
    if relation.database is None or relation.schema is None:
        what = f"{model.unique_id} has the relation {relation}, without a database and a schema"
        raise UsageError(what, then="build it with a profile that names both, and publish again")
    names = (relation.database.name, relation.schema.name, relation.identifier.name)
    if not all(map(str.isprintable, names)):
        what = f"{model.unique_id} has the relation {relation}, with characters that no line of SQL shows"
        raise UsageError(what, then="give it another alias, build it and publish again")
    for project, other in deployment.placed:
        if other.database == names[0] != place.database:
            raise UsageError(
                f"{model.unique_id} lies in {names[0]}, the database of {project.name} in {other.environment}",
                then=f"build it in {place.database} and publish again, or correct projects.*.snowflake in mesh.yml",
            )
    kind = _KINDS.get(model.config.materialized, "TABLE")
    return _Built(model=model, relation=Securable(kind, names), audience=audience_of(model.meta))


def _expect_apart(built: Iterable[_Built]) -> None:
    """Names that differ in case alone are two for dbt, and who may read the one model would read the other."""
    seen: dict[tuple[str, ...], PublicModel] = {}
    for each in built:
        other = seen.setdefault(each.relation.name, each.model)
        if other is not each.model:
            what = f"{other.label} and {each.model.label} are both built as {each.relation.path}"
            raise UsageError(what, then="give one of them another alias, build it and publish again")


def _public(built: Iterable[_Built], place: Place) -> Iterator[ReaderRole]:
    """What everybody may read, a role for each database that it lies in."""
    relations: dict[str, dict[Securable, str]] = {}
    for each in built:
        if each.audience is None:
            relations.setdefault(each.relation.name[0], {})[each.relation] = each.model.label
    members = {reader.role: reader.project for reader in place.readers}
    for database, its in relations.items():
        yield ReaderRole(role=database_role(database, PUBLIC_READER), relations=its, members=members)


def _listed(
    built: list[_Built], place: Place, deployment: Deployment, remarks: list[Observation]
) -> Iterator[ReaderRole]:
    names = _names([each.relation for each in built])
    for each in built:
        admitted = [reader for reader in place.readers if each.audience and each.audience.admits(reader.project)]
        remarks += _missed(each, {reader.project for reader in admitted}, deployment, place)
        yield ReaderRole(
            role=database_role(each.relation.name[0], names[each.relation]),
            relations={each.relation: each.model.label},
            members={reader.role: reader.project for reader in admitted},
        )


def _missed(each: _Built, found: set[str], deployment: Deployment, place: Place) -> Iterator[Observation]:
    """Projects that may read the model and have no role to do it with."""
    audience, upstream = each.audience or Audience(), each.model.package_name
    for name in sorted((audience.projects | {project for project, _ in audience.groups}) - found - {upstream}):
        if deployment.project(name) is None:
            check, what = "unknown-consumer", f"{name} may read {each.model.label}, and mesh.yml does not say its role"
            names = "snowflake: {database: ..., warehouse: ..., role: ...}"
            then = f"add projects.{name} with {names} and upstreams: {{{upstream}: {{}}}} to mesh.yml"
        else:
            check = "undeclared-consumer"
            what = f"{name} may read {each.model.label}, and mesh.yml does not say that it reads {upstream}"
            then = f"add {upstream} to projects.{name}.upstreams in mesh.yml, for who reads {place.environment}"
        yield Observation(area=AREA, check=check, verdict="warning", what=what, then=then)


def _names(relations: list[Securable]) -> dict[Securable, str]:
    """What the role of each relation is called: after its identifier, and where that is not its alone or too long,
    after a digest of its whole name as well. Raises UsageError where two would still have one.
    """
    plain = {relation: f"{READER}{relation.name[-1].upper()}" for relation in relations}
    counts = Counter((relation.name[0], name) for relation, name in plain.items())
    names = {
        relation: name if counts[relation.name[0], name] == 1 and len(name) <= _LONGEST else _digested(relation, name)
        for relation, name in plain.items()
    }
    seen: dict[tuple[str, str], Securable] = {}
    for relation, name in names.items():
        other = seen.setdefault((relation.name[0], name), relation)
        if other != relation:  # who may read the one would read the other
            what = f"{other.path} and {relation.path} would be read by one role, {name}"
            raise UsageError(what, then="give one of the models another alias, build it and publish again")
    return names


def _digested(relation: Securable, name: str) -> str:
    digest = hashlib.sha256(relation.path.encode()).hexdigest()[:12].upper()
    return f"{name[:_KEPT]}_{digest}"
