"""Two interfaces of a project in, every difference between them out, in a stable order.

Interfaces with different digests have a difference, and equal ones have none. The digest does not see one thing that
is told here: the order of columns, which a reader by position relies on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from registry_tools.checks.admission import consumers, without_consumers
from registry_tools.checks.place import Place, differ, where_they_differ
from registry_tools.mesh.change import Change
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, Constraint, DependsOn, Group, PublicModel

# Fields that have a rule of their own and nothing more to say.
_MODEL: Final = {
    "description": "description-changed",
    "tags": "tags-changed",
    "group": "group-changed",
    "primary_key": "primary-key-changed",
}
_COLUMN: Final = {
    "name": "column-case-changed",
    "quote": "column-quoting-changed",
    "description": "description-changed",
    "tags": "tags-changed",
}


def compare(old: Interface, new: Interface) -> tuple[Change, ...]:
    """Every change from `old` to `new`, sorted by object and rule; each is told once.

    A model or a column that was renamed is one that went and one that came. A project that was renamed is compared
    as if it had kept its name, so that the rename is one change among those that matter.
    """
    found = set(_projects(old, new))
    if old.project != new.project:
        new = _as_named(new, old.project)
    found.update(_models(old, new), _latest(old, new), _groups(old, new))
    return tuple(sorted(found, key=lambda c: (c.object, c.rule, c.before or "", c.after or "")))


# -- the project ------------------------------------------------------------------------------------------------------


def _projects(old: Interface, new: Interface) -> Iterator[Change]:
    place = Place(project=old.project)
    yield from place.fields({"project": "project-renamed", "adapter": "adapter-changed"}, old, new)


def _as_named(interface: Interface, project: str) -> Interface:
    """The interface with every id and package as in a project of this name."""

    def named(unique_id: str) -> str:
        kind, own, rest = unique_id.partition(f".{interface.project}.")
        return f"{kind}.{project}.{rest}" if own and "." not in kind else unique_id

    def moved(entry: PublicModel | Group) -> dict[str, str]:
        package = project if entry.package_name == interface.project else entry.package_name
        return {"unique_id": named(entry.unique_id), "package_name": package}

    models = (
        msgspec.structs.replace(m, depends_on=DependsOn(nodes=tuple(map(named, m.depends_on.nodes))), **moved(m))
        for m in interface.models
    )
    groups = (msgspec.structs.replace(group, **moved(group)) for group in interface.groups)
    return msgspec.structs.replace(interface, project=project, models=tuple(models), groups=tuple(groups))


def _groups(old: Interface, new: Interface) -> Iterator[Change]:
    before, after = ({group.name: group for group in interface.groups} for interface in (old, new))
    for name in before.keys() | after.keys():
        place = Place(project=old.project, group=name)
        was, now = before.get(name), after.get(name)
        if was and now:
            yield from place.fields({"description": "description-changed"}, was, now)
            if was.owner != now.owner:
                owners = (msgspec.structs.asdict(group.owner) for group in (was, now))
                yield place.change("owner-changed", *where_they_differ(*owners))
            yield from _identity(place, ("unique_id", "package_name"), was, now)
        else:
            rule = "group-removed" if was else "group-added"
            yield place.change(rule, was and _owner(was), now and _owner(now))


def _owner(group: Group) -> str:
    return group.owner.name or group.owner.slack or "nobody"


def _identity(place: Place, fields: tuple[str, ...], before: object, after: object) -> Iterator[Change]:
    was, now = ({field: getattr(entry, field) for field in fields} for entry in (before, after))
    if differ(was, now):
        yield place.change("identity-changed", *where_they_differ(was, now))


# -- models -----------------------------------------------------------------------------------------------------------


def _models(old: Interface, new: Interface) -> Iterator[Change]:
    before, after = ({model.label: model for model in interface.models} for interface in (old, new))
    versions_before, versions_after = _versions(old), _versions(new)
    for label, model in before.items():
        place = Place(project=old.project, model=label)
        if label in after:
            yield from _model(place, (model, old.adapter), (after[label], new.adapter))
        elif model.version is None and model.name in versions_after:
            yield place.change("model-versioned", "no versions", ", ".join(versions_after[model.name]))
        else:
            rule = "version-removed" if model.version is not None and model.name in versions_after else "model-removed"
            yield place.change(rule, _written(model), None)
    for label, model in after.items():
        place = Place(project=old.project, model=label)
        if label in before:
            continue
        if model.version is None and model.name in versions_before:
            yield place.change("model-unversioned", ", ".join(versions_before[model.name]), "no versions")
        else:
            rule = "version-added" if model.version is not None and model.name in versions_before else "model-added"
            yield place.change(rule, None, _written(model))


def _versions(interface: Interface) -> dict[str, list[str]]:
    """Names of models, each with its versions; a model without any has none."""
    found: dict[str, list[str]] = {}
    for model in sorted(interface.models, key=_label):
        found.setdefault(model.name, []).extend([] if model.version is None else [f"v{model.version}"])
    return found


def _label(model: PublicModel) -> str:
    return model.label


def _latest(old: Interface, new: Interface) -> Iterator[Change]:
    """One change for a name, however many versions carry it."""
    before, after = {m.label: m for m in old.models}, {m.label: m for m in new.models}
    moves = [(before[label], after[label]) for label in before.keys() & after.keys()]
    before, after = ({m.name: m for m in sorted(i.models, key=_label) if m.version is not None} for i in (old, new))
    moves += [(before[name], after[name]) for name in before.keys() & after.keys()]
    for was, now in moves:
        place = Place(project=old.project, model=was.name)
        yield from place.fields({"latest_version": "latest-version-moved"}, was, now)


def _model(place: Place, old: tuple[PublicModel, str], new: tuple[PublicModel, str]) -> Iterator[Change]:
    before, after = old[0], new[0]
    spelled = _spelled(before, after)
    yield from _order(place, before, after, spelled)
    if not differ(before, after):
        return
    yield from place.fields(_MODEL, before, after)
    yield from _identity(place, ("unique_id", "name", "package_name", "version"), before, after)
    yield from _relation(place, old, new)
    yield from _contract(place, before, after)
    yield from _deprecation(place, before, after)
    for stood, stands in ((before.meta, after.meta), (before.config.meta, after.config.meta)):
        yield from consumers(place, stood, stands)
        yield from _meta(place, without_consumers(stood), without_consumers(stands))
    for was, now in ((before, after), (before.config, after.config)):
        yield from place.fields({"access": "access-changed"}, was, now)
    yield from place.fields({"materialized": "materialization-changed"}, before.config, after.config)
    if differ(before.depends_on, after.depends_on):
        yield place.change("lineage-changed", before.depends_on.nodes, after.depends_on.nodes)
    yield from _columns(place, before.columns, after.columns, spelled)
    yield from _constraints(place, before.constraints, after.constraints)
    yield from _tests(place, before.config.mesh.tests, after.config.mesh.tests, spelled)


def _relation(place: Place, old: tuple[PublicModel, str], new: tuple[PublicModel, str]) -> Iterator[Change]:
    (before, _), (after, _) = old, new
    was, now = ([m.relation_name, m.database, m.schema, m.alias] for m in (before, after))
    if was != now:
        rule = "relation-requoted" if _parts(*old) and _parts(*old) == _parts(*new) else "relation-moved"
        yield place.change(rule, _written(before), _written(after), exact=(was, now))


def _written(model: PublicModel) -> str:
    return model.relation_name or model.alias


def _parts(model: PublicModel, adapter: str) -> list[str | None] | None:
    """The relation's names as the warehouse stores them, or None where the relation is none."""
    try:
        relation = model.relation(adapter)
    except ValueError:
        return None
    return [part.name if part else None for part in (relation.database, relation.schema, relation.identifier)]


def _contract(place: Place, before: PublicModel, after: PublicModel) -> Iterator[Change]:
    if before.contract.enforced and not after.contract.enforced:
        yield place.change("contract-dropped", "enforced", None)
    elif after.contract.enforced and not before.contract.enforced:
        yield place.change("contract-added", None, "enforced")
    yield from place.fields({"alias_types": "contract-aliases-changed"}, before.contract, after.contract)


def _deprecation(place: Place, before: PublicModel, after: PublicModel) -> Iterator[Change]:
    was, now = before.deprecation_date, after.deprecation_date
    if was != now:
        moved = "deprecation-set" if was is None else "deprecation-withdrawn" if now is None else "deprecation-moved"
        yield place.change(moved, before.leaves_on, after.leaves_on, exact=(was, now))


def _meta(place: Place, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    if not before and not after:
        return
    promises, rests = zip(_split(before), _split(after), strict=True)
    if differ(*promises):
        yield place.change("freshness-changed", *where_they_differ(*promises))
    if differ(*rests):
        yield place.change("meta-changed", *where_they_differ(*rests))


def _split(meta: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `meta.mesh` promises about freshness (mesh.freshness), and all the rest."""
    mesh = meta.get("mesh")
    told = {"freshness", "loaded_at_field"} & mesh.keys() if isinstance(mesh, Mapping) else set()
    if not told:
        return {}, dict(meta)
    promise, rest = ({k: v for k, v in meta["mesh"].items() if (k in told) is wanted} for wanted in (True, False))
    others = {key: value for key, value in meta.items() if key != "mesh"}
    return promise, others | ({"mesh": rest} if rest else {})


# -- columns ----------------------------------------------------------------------------------------------------------


def _spelled(before: PublicModel, after: PublicModel) -> dict[str, str]:
    """Columns of `after` whose names stand in `before` in other cases, each with its name there."""
    candidates: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for which, here, there in ((0, before, after), (1, after, before)):
        for name in here.columns:
            if name not in there.columns:
                candidates[name.casefold()][which].append(name)
    return {new[0]: old[0] for old, new in candidates.values() if len(old) == len(new) == 1}


def _order(place: Place, before: PublicModel, after: PublicModel, spelled: Mapping[str, str]) -> Iterator[Change]:
    now = [name for name in (spelled.get(name, name) for name in after.columns) if name in before.columns]
    standing = set(now)
    was = [name for name in before.columns if name in standing]
    if was != now:
        moved = [pair for pair in zip(was, now, strict=True) if pair[0] != pair[1]]
        yield place.change("columns-reordered", *(list(names) for names in zip(*moved, strict=True)))


def _columns(
    place: Place, before: Mapping[str, Column], after: Mapping[str, Column], spelled: Mapping[str, str]
) -> Iterator[Change]:
    now = {spelled.get(name, name): column for name, column in after.items()}
    for new_name, old_name in spelled.items():
        yield replace(place, column=old_name).change("column-case-changed", old_name, new_name)
    for name in before.keys() | now.keys():
        old, new = before.get(name), now.get(name)
        if old and new:
            if differ(old, new):
                yield from _column(replace(place, column=name), old, new)
        else:
            rule = "column-removed" if old else "column-added"
            yield replace(place, column=name).change(rule, old and _type(old), new and _type(new))


def _column(place: Place, before: Column, after: Column) -> Iterator[Change]:
    yield from place.fields(_COLUMN, before, after)
    yield from _meta(place, before.meta, after.meta)
    yield from _constraints(place, before.constraints, after.constraints)
    was, now = before.data_type, after.data_type
    if was != now:
        rule = "column-type-" + ("declared" if was is None else "undeclared" if now is None else "changed")
        yield place.change(rule, was, now)


def _type(column: Column) -> str:
    return column.data_type or "no type"


# -- what guards them -------------------------------------------------------------------------------------------------


def _constraints(place: Place, old: tuple[Constraint, ...], new: tuple[Constraint, ...]) -> Iterator[Change]:
    if old == new:
        return
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not gone and not come:
        listed = ([_promise(constraint) for constraint in constraints] for constraints in (old, new))
        yield place.change("guards-rewritten", *listed, exact=(old, new))
    partners: dict[Constraint, list[Constraint]] = defaultdict(list)
    for constraint in come.elements():
        partners[_nameless(constraint)].append(constraint)
    for constraint in gone.elements():
        if same := partners[_nameless(constraint)]:
            yield place.change("constraint-renamed", constraint.name, same.pop().name)
        else:
            yield place.change("constraint-removed", _promise(constraint), None)
    for left in partners.values():
        for constraint in left:
            yield place.change("constraint-added", None, _promise(constraint))


def _nameless(constraint: Constraint) -> Constraint:
    return msgspec.structs.replace(constraint, name=None)


def _promise(constraint: Constraint) -> str:
    """`primary_key (order_id)`, `foreign_key (product_id) to PROD.MARTS.PRODUCTS (product_id)`, `not_null`."""
    columns, there = (f" ({', '.join(c)})" if c else "" for c in (constraint.columns, constraint.to_columns))
    target = f" to {constraint.to}{there}" if constraint.to else there
    return f"{constraint.type}{columns}{target}"


def _tests(
    place: Place,
    before: Mapping[str, tuple[str, ...]],
    after: Mapping[str, tuple[str, ...]],
    spelled: Mapping[str, str],
) -> Iterator[Change]:
    after = {spelled.get(column, column): tests for column, tests in after.items()}
    old, new = (Counter((column, t) for column, tests in all_.items() for t in tests) for all_ in (before, after))
    if old == new and differ(before, after):
        yield place.change("guards-rewritten", before, after)
    for column, test in (old - new).elements():
        yield replace(place, column=column).change("test-removed", test, None)
    for column, test in (new - old).elements():
        yield replace(place, column=column).change("test-added", None, test)
