"""Changes between two interfaces in, each with its class, its line of the compatibility table and a sentence out.

A class is what a change may do to somebody; what it does to whom is the evidence of consumers' SQL (checks.impact).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from registry_tools.checks.class_table import RULINGS
from registry_tools.checks.comparison import compare_models
from registry_tools.mesh.change import Change
from registry_tools.mesh.datatypes import relation_of
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.printable import printable
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.relation import fold
from registry_tools.mesh.verdict import CLASSES, Classified

# What dbt has the warehouse enforce (CONSTRAINT_SUPPORT of the adapters); not_null, of those that are not listed.
_ENFORCED: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("postgres", "duckdb"), frozenset({"check", "not_null", "unique", "primary_key", "foreign_key"})),
    "databricks": frozenset({"check", "not_null"}),
    "spark": frozenset(),
}
_TABLES: Final = ("table", "incremental")
_ACCESS: Final = ("private", "protected", "public")
# Where a column answers to its name in any case, quoted or not: the documentation of each, on identifiers.
_CASELESS: Final = ("bigquery", "duckdb", "spark", "databricks", "trino", "athena")


_Models: TypeAlias = Mapping[str, PublicModel]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sides:
    """What stood and what stands: models by their labels, and by their names those that are meant without a version."""

    project: str
    adapters: tuple[str, str]
    models: tuple[_Models, _Models]
    latest: tuple[_Models, _Models]

    def pair(self, change: Change) -> tuple[PublicModel, PublicModel]:
        """The model that a change of a part of it is about, as it was and as it is."""
        was, now = self.models
        return was[change.model or ""], now[change.model or ""]


# The key of the ruling among those of the rule, and what its sentence has to say besides.
_Choice: TypeAlias = tuple[str, str]


def classified(changes: Iterable[Change], old: Interface, new: Interface) -> tuple[Classified, ...]:
    """The changes of `compare(old, new)` with their classes, sorted: BREAKING first, then by object and rule."""
    sides = _sides(old, new)
    return _sorted(_classify(change, sides) for change in changes)


def classify(change: Change, old: Interface, new: Interface) -> Classified:
    """One change of `compare(old, new)` with its class."""
    return _classify(change, _sides(old, new))


def between(project: str, before: PublicModel, after: PublicModel, adapter: str) -> tuple[Classified, ...]:
    """The changes for a reader of `before` who gets `after` in its place, sorted and with their classes."""
    # under one label: to such a reader it is one model
    models = ({before.label: before}, {before.label: after})
    sides = _Sides(project=project, adapters=(adapter, adapter), models=models, latest=({}, {}))
    return _sorted(_classify(change, sides) for change in compare_models(project, before, after, adapter))


def _sides(old: Interface, new: Interface) -> _Sides:
    was, now = ({model.label: model for model in side.models} for side in (old, new))
    were, are = ({model.name: model for model in side.models if model.is_latest} for side in (old, new))
    return _Sides(project=old.project, adapters=(old.adapter, new.adapter), models=(was, now), latest=(were, are))


def _sorted(found: Iterable[Classified]) -> tuple[Classified, ...]:
    def order(one: Classified) -> tuple[int, str, str, str, str]:
        change = one.change
        return CLASSES.index(one.kind), change.object, change.rule, change.before or "", change.after or ""

    return tuple(sorted(found, key=order))


def _classify(change: Change, sides: _Sides) -> Classified:
    choose = _CHOOSE.get(change.rule)
    key, more = choose(change, sides) if choose else ("", "")
    ruling = RULINGS[change.rule][key]
    says = ruling.says.format(
        thing=printable(change.object.removeprefix(f"{change.project}.")),
        model=printable(change.model or change.project),
        before=change.before or "nothing",
        after=change.after or "nothing",
        more=printable(more),
    )
    return Classified(change=change, kind=ruling.kind, code=ruling.code, says=says)


# -- what decides among the rulings of a rule -------------------------------------------------------------------------


def _successor(change: Change, sides: _Sides) -> _Choice:
    """By the worst difference between what a reference without a version found and what it finds."""
    was, now = (latest.get(change.model or "") for latest in sides.latest)
    if now is None:
        return "gone", ""
    if was is None:
        return "new", ""
    found = between(sides.project, was, now, sides.adapters[1])
    return (found[0].kind, found[0].says) if found else ("SAFE", "")


def _access(change: Change, sides: _Sides) -> _Choice:
    was, now = (_ACCESS.index(a) if a in _ACCESS else -1 for a in map(_effective, sides.pair(change)))
    return ("narrower" if now < was else "wider"), ""


def _effective(model: PublicModel) -> str | None:
    return model.access or model.config.access


def _materialization(change: Change, sides: _Sides) -> _Choice:
    was, now = sides.pair(change)
    before, after = was.config.materialized, now.config.materialized
    if after == "ephemeral":
        return "ephemeral", ""
    if before in _TABLES and after in _TABLES:
        return "table", ""
    has_any = was.constraints or any(column.constraints for column in was.columns.values())
    guarded = was.contract.enforced and before in _TABLES and has_any
    return ("unguarded" if guarded else "other"), ""


def _type(change: Change, sides: _Sides) -> _Choice:
    was, now = (column.data_type for column in _columns(change, sides))
    return relation_of(was, now, sides.adapters[1]), ""


def _stored(change: Change, sides: _Sides) -> _Choice:
    adapter = sides.adapters[1]
    was, now = _columns(change, sides)
    stood, stands = (_as_stored(*of, adapter) for of in ((change.column or "", was), (_key(change, sides), now)))
    return ("folded", "") if stood == stands else ("stored", f"{stands} instead of {stood}")


def _as_stored(name: str, column: Column, adapter: str) -> str:
    if adapter in _CASELESS:
        return name.casefold()
    return name if column.quote else fold(name, adapter)


def _columns(change: Change, sides: _Sides) -> tuple[Column, Column]:
    was, now = sides.pair(change)
    return was.columns[change.column or ""], now.columns[_key(change, sides)]


def _key(change: Change, sides: _Sides) -> str:
    """The name under which the new model has the column, whose cases may be others."""
    was, now = sides.pair(change)
    name = change.column or ""
    if name in now.columns:
        return name
    return next(other for other in now.columns if other not in was.columns and other.casefold() == name.casefold())


def _constraint(change: Change, sides: _Sides) -> _Choice:
    was, _ = sides.pair(change)
    kind = (change.before or "").partition(" ")[0]
    if kind == "not_null":
        return "null", ""
    stood = was.contract.enforced and was.config.materialized in _TABLES
    enforced = kind in _ENFORCED.get(sides.adapters[0], ())
    return ("enforced" if stood and enforced else "told"), ""


def _in_its_place(change: Change, sides: _Sides) -> _Choice:
    """A new column of the same type, where the one that went stood: most likely it has another name now."""
    was, now = sides.pair(change)
    name = change.column or ""
    at, there = list(was.columns).index(name), list(now.columns)
    other = there[at] if at < len(there) else name
    same = now.columns[other].data_type == was.columns[name].data_type if other not in was.columns else False
    return "", f"; {other}, of the same type, stands in its place" if same else ""


_CHOOSE: Final[Mapping[str, Callable[[Change, _Sides], _Choice]]] = {
    "model-versioned": _successor,
    "model-unversioned": _successor,
    "latest-version-moved": _successor,
    "access-changed": _access,
    "materialization-changed": _materialization,
    "primary-key-changed": lambda change, _: ("changed" if change.before else "declared", ""),
    "column-removed": _in_its_place,
    "column-type-changed": _type,
    "column-case-changed": _stored,
    "column-quoting-changed": _stored,
    "constraint-removed": _constraint,
    "test-removed": lambda change, _: ("unique" if change.before == "unique" else "null", ""),
    "accepted-values-changed": lambda change, _: ("changed" if change.before else "tested", ""),
}
