"""Two interfaces of a project in, every difference between them out, in a stable order.

Interfaces with different digests have a difference, and equal ones have none. The digest does not see one thing that
is told here: the order of columns, which a reader by position relies on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from registry_tools.checks.admission import consumers
from registry_tools.checks.guards import constraints, promises
from registry_tools.checks.meta import meta_changes, tag_changes
from registry_tools.checks.place import Place, differ, where_they_differ
from registry_tools.checks.renames import renamed, stored_names
from registry_tools.mesh.change import Change
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, DependsOn, Group, PublicModel

# Fields that have a rule of their own and nothing more to say.
_MODEL: Final = {
    "description": "description-changed",
    "group": "group-changed",
    "primary_key": "primary-key-changed",
}
_COLUMN: Final = {
    "name": "column-case-changed",
    "quote": "column-quoting-changed",
    "description": "description-changed",
}


def compare_models(project: str, before: PublicModel, after: PublicModel, adapter: str) -> tuple[Change, ...]:
    """Every change for a reader who read `before` by its name and gets `after` under it, such as another version.

    Names, versions and relations are none: a reference finds its model wherever it is. The changes name `before`.
    """
    kept = ("unique_id", "name", "package_name", "version", "latest_version")
    placed = ("alias", "relation_name", "database", "schema")
    seen = msgspec.structs.replace(after, **{field: getattr(before, field) for field in (*kept, *placed)})
    return _sorted(set(_model(Place(project=project, model=before.label), (before, adapter), (seen, adapter))))


def compare(old: Interface, new: Interface) -> tuple[Change, ...]:
    """Every change from `old` to `new`, sorted by object and rule; each is told once.

    A column that was renamed is one that went and one that came; so is a model, unless its columns and its relation
    say that it is the same (checks.renames). A project that was renamed is compared as if it had kept its name, so that
    the rename is one change among those that matter.
    """
    found = set(_projects(old, new))
    if old.project != new.project:
        new = _as_named(new, old.project)
    found.update(_models(old, new), _latest(old, new), _groups(old, new), _assets(old, new))
    return _sorted(found)


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda c: (c.object, c.rule, c.before or "", c.after or "")))


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


def _assets(old: Interface, new: Interface) -> Iterator[Change]:
    before, after = (
        {f"{asset.kind}:{asset.name}": asset for asset in interface.assets or ()} for interface in (old, new)
    )
    for name in before.keys() ^ after.keys():
        rule = "promise-removed" if name in before else "promise-added"
        yield Place(project=old.project, asset=name).change(
            rule, *(name if name in s else None for s in (before, after))
        )


def _owner(group: Group) -> str:
    return group.owner.name or group.owner.slack or "nobody"


def _identity(place: Place, fields: tuple[str, ...], before: object, after: object) -> Iterator[Change]:
    was, now = ({field: getattr(entry, field) for field in fields} for entry in (before, after))
    if differ(was, now):
        yield place.change("identity-changed", *where_they_differ(was, now))


# -- models -----------------------------------------------------------------------------------------------------------


def _models(old: Interface, new: Interface) -> Iterator[Change]:
    before, after = ({model.label: model for model in interface.models} for interface in (old, new))
    gone = [model for label, model in before.items() if label not in after]
    come = [model for label, model in after.items() if label not in before]
    for label in before.keys() & after.keys():
        place = Place(project=old.project, model=label)
        yield from _model(place, (before[label], old.adapter), (after[label], new.adapter))
    if gone or come:
        yield from _gone_and_come(old, new, gone, come)


def _gone_and_come(
    old: Interface, new: Interface, gone: list[PublicModel], come: list[PublicModel]
) -> Iterator[Change]:
    versions_before, versions_after = _versions(old), _versions(new)
    left = [model for model in gone if model.name not in versions_after]
    joined = (model for model in come if model.name not in versions_before)
    same = renamed(left, joined, (old.adapter, new.adapter))
    named_anew = {model.label for model in same.values()}
    for model in gone:
        place = Place(project=old.project, model=model.label)
        if model.label in same:
            yield place.change("model-renamed", model.label, same[model.label].label)
        elif model.version is None and model.name in versions_after:
            yield place.change("model-versioned", "no versions", ", ".join(versions_after[model.name]))
        else:
            rule = "version-removed" if model.version is not None and model.name in versions_after else "model-removed"
            yield place.change(rule, _written(model), None)
    for model in come:
        place = Place(project=old.project, model=model.label)
        if model.label in named_anew:
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
    # most models have none, and to look all of them up would take half as long as to compare them
    named = {m.name for i in (old, new) for m in i.models if m.version is not None or m.latest_version is not None}
    before, after = ({m.label: m for m in i.models if m.name in named} for i in (old, new))
    moves = [(before[label], after[label]) for label in before.keys() & after.keys()]
    before, after = (
        {m.name: m for m in sorted(models.values(), key=_label) if m.version is not None} for models in (before, after)
    )
    moves += [(before[name], after[name]) for name in before.keys() & after.keys()]
    for was, now in moves:
        place = Place(project=old.project, model=was.name)
        yield from place.fields({"latest_version": "latest-version-moved"}, was, now)


def _model(place: Place, old: tuple[PublicModel, str], new: tuple[PublicModel, str]) -> Iterator[Change]:
    before, after = old[0], new[0]
    if _is_as_it_was(before, after):
        return  # as nearly all are
    spelled = _spelled(before, after)
    yield from _order(place, before, after, spelled)
    yield from place.fields(_MODEL, before, after)
    yield from _identity(place, ("unique_id", "name", "package_name", "version"), before, after)
    yield from _relation(place, old, new)
    yield from _contract(place, before, after)
    yield from _deprecation(place, before, after)
    for stood, stands in ((before.meta, after.meta), (before.config.meta, after.config.meta)):
        yield from consumers(place, stood, stands)
        yield from meta_changes(place, stood, stands)
    yield from tag_changes(place, before.tags, after.tags)
    for was, now in ((before, after), (before.config, after.config)):
        yield from place.fields({"access": "access-changed"}, was, now)
    yield from place.fields({"materialized": "materialization-changed"}, before.config, after.config)
    if differ(before.depends_on, after.depends_on):
        yield place.change("lineage-changed", before.depends_on.nodes, after.depends_on.nodes)
    yield from _columns(place, before.columns, after.columns, spelled)
    yield from constraints(place, before.constraints, after.constraints)
    yield from promises(place, before.config.mesh, after.config.mesh, spelled)


def _is_as_it_was(before: PublicModel, after: PublicModel) -> bool:
    """Whether nothing differs, nor the order of columns. To compare a whole model as JSON would take twice as long."""
    if before is after:
        return True
    return before == after and [*before.columns] == [*after.columns] and not differ(_loose(before), _loose(after))


def _loose(model: PublicModel) -> tuple[Any, ...]:
    """The values that may be equal to Python and not to JSON: 1 and True."""
    metas = [column.meta for column in model.columns.values() if column.meta]
    return model.version, model.latest_version, model.meta, model.config.meta, metas


def _relation(place: Place, old: tuple[PublicModel, str], new: tuple[PublicModel, str]) -> Iterator[Change]:
    (before, _), (after, _) = old, new
    was, now = ([m.relation_name, m.database, m.schema, m.alias] for m in (before, after))
    if was != now:
        stored = stored_names(*old)
        rule = "relation-requoted" if stored and stored == stored_names(*new) else "relation-moved"
        yield place.change(rule, _written(before), _written(after), exact=(was, now))


def _written(model: PublicModel) -> str:
    return model.relation_name or model.alias


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
            # what may be equal to Python and differ to JSON stands in meta alone
            if old != new or old.meta:
                yield from _column(replace(place, column=name), old, new)
        else:
            rule = "column-removed" if old else "column-added"
            yield replace(place, column=name).change(rule, old and _type(old), new and _type(new))


def _column(place: Place, before: Column, after: Column) -> Iterator[Change]:
    yield from place.fields(_COLUMN, before, after)
    yield from meta_changes(place, before.meta, after.meta)
    yield from tag_changes(place, before.tags, after.tags)
    yield from constraints(place, before.constraints, after.constraints)
    was, now = before.data_type, after.data_type
    if was != now:
        rule = "column-type-" + ("declared" if was is None else "undeclared" if now is None else "changed")
        yield place.change(rule, was, now)


def _type(column: Column) -> str:
    return column.data_type or "no type"
