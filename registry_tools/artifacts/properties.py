"""A public model in, what dbt's YAML says of it out: description, config, columns of a source or a stub."""

from collections.abc import Mapping
from typing import Any, Final

from registry_tools.artifacts.yaml_text import inert, inert_description, inert_key
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import GUARDS, Column, Constraint, PublicModel

# The integers that dbt can keep (msgpack, in its partial parsing); beyond them it stops.
_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1


def description(interface: Interface, model: PublicModel) -> str:
    """The owner's text, below a line about the day on which the model leaves."""
    told = (interface.deprecation_notice(model), model.description)
    return inert_description("\n\n".join(text for text in told if text))


def config(interface: Interface, model: PublicModel, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Tags and meta: the owner's own, and below `mesh` these `facts` with those that dbt's YAML has no place for."""
    own = {key: value for key, value in model.meta.items() if key != "mesh"}
    stated = {
        "owner": interface.owner_of(model),
        "group": model.group,
        "deprecation_date": model.leaves_on,
        "constraints": [_told(constraint) for constraint in model.constraints],
        "contract": "enforced" if model.contract.enforced else None,
    }
    told = dict(facts) | {key: value for key, value in stated.items() if value}
    tags: dict[str, Any] = {"tags": list(model.tags)} if model.tags else {}
    return inert_entries(tags | {"meta": own | {"mesh": told}})


def columns(model: PublicModel, *, tests: bool) -> list[dict[str, Any]]:
    """The columns with their types; with `tests`, also upstream's unique and not_null tests."""
    return [_column(model, column, tests=tests) for column in model.columns.values()]


def inert_entries(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with nothing in it, at any depth, that Jinja would act upon."""
    return {inert_key(str(key)): _inert_value(item) for key, item in entries.items()}


def _told(constraint: Constraint) -> str:
    target = f" to {constraint.to} ({', '.join(constraint.to_columns)})" if constraint.to else ""
    return f"{constraint.type}: {', '.join(constraint.columns)}{target}"


def _column(model: PublicModel, column: Column, *, tests: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": inert(column.name)}
    if column.data_type:
        entry["data_type"] = inert(column.data_type)
    if column.quote:
        entry["quote"] = True
    if column.description:
        entry["description"] = inert_description(column.description)
    meta = dict(column.meta)
    if column.constraints:
        meta["mesh"] = {"constraints": [constraint.type for constraint in column.constraints]}
    settings = ({"tags": list(column.tags)} if column.tags else {}) | ({"meta": meta} if meta else {})
    if settings:
        entry["config"] = inert_entries(settings)
    guards = [name for name in model.config.mesh.tests.get(column.name, ()) if name in GUARDS]
    if tests and guards:
        entry["data_tests"] = list(guards)
    return entry


def _inert_value(value: Any) -> Any:  # noqa: ANN401  # meta is whatever a person wrote
    match value:
        case str():
            return inert(value)
        case Mapping():
            return inert_entries(value)
        case list() | tuple():
            return [_inert_value(item) for item in value]
        case int() if not _LEAST <= value <= _MOST:
            return str(value)
        case _:
            return value
