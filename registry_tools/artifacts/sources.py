"""An interface in, the source YAML of a consumer out: `source('dbt_up', 'public_orders')` reads the public table."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import inert, yaml_text
from registry_tools.mesh.freshness import freshness_of
from registry_tools.mesh.interface import GUARDS, Column, Interface, PublicModel
from registry_tools.mesh.publication import Publication
from registry_tools.mesh.relation import Relation


def sources_file_name(upstream: str) -> str:
    """The file's name below the consumer's model path."""
    return f"_mesh_{upstream}.yml"


def sources_yaml(interface: Interface, publication: Publication, *, tests: bool) -> str:
    """The public models as sources, one block for each database and schema, versions as `public_products_v2`.

    The text depends on the interface alone, so an upstream that publishes again without changing its interface leaves
    the file, and with it dbt's partial parsing, as it is. `tests` also repeats the upstream's unique and not_null
    tests here.
    """
    head = (
        f"# {MARK} from {interface.project}@{publication.environment}; do not edit, run mesh sync.\n"
        f"# interface sha256:{interface.digest}\n"
    )
    located = sorted(
        ((model.relation(interface.adapter), model) for model in interface.models),
        key=lambda pair: (str(pair[0].database), str(pair[0].schema), pair[1].name, str(pair[1].version)),
    )
    blocks = [
        _block(interface, list(pairs), tests=tests)
        for _, pairs in groupby(located, key=lambda pair: (pair[0].database, pair[0].schema))
    ]
    return head + yaml_text({"version": 2, "sources": blocks})


def _block(interface: Interface, pairs: list[tuple[Relation, PublicModel]], *, tests: bool) -> dict[str, Any]:
    relation = pairs[0][0]
    block: dict[str, Any] = {
        "name": interface.project,
        "description": f"The public models of {interface.project}.",
    }
    if relation.database:
        block["database"] = inert(relation.database.inner)
    if relation.schema:
        block["schema"] = inert(relation.schema.inner)
    quoted = {"database": relation.database, "schema": relation.schema}
    quoting = {name: True for name, part in quoted.items() if part and part.quote}
    if quoting:
        block["quoting"] = quoting
    block["config"] = {"meta": {"mesh": {"project": interface.project}}}
    block["tables"] = [
        _table(interface, model, name, place, tests=tests) for place, model in pairs for name in model.called
    ]
    return block


def _table(interface: Interface, model: PublicModel, name: str, relation: Relation, *, tests: bool) -> dict[str, Any]:
    table: dict[str, Any] = {"name": name, "identifier": inert(relation.identifier.inner)}
    if relation.identifier.quote:
        table["quoting"] = {"identifier": True}
    if description := _description(interface, model):
        table["description"] = inert(description)
    table["config"] = _config(interface, model, unversioned=name == model.name)
    columns = [_column(model, column, tests=tests) for column in model.columns.values()]
    if columns:
        table["columns"] = columns
    return table


def _description(interface: Interface, model: PublicModel) -> str:
    return "\n\n".join(text for text in (interface.deprecation_notice(model), model.description) if text)


def _config(interface: Interface, model: PublicModel, *, unversioned: bool) -> dict[str, Any]:
    own = {key: value for key, value in model.meta.items() if key != "mesh"}
    facts: dict[str, Any] = {"project": interface.project, "model": model.name}
    if model.version is not None and not unversioned:
        facts["version"] = model.version
    stated = {
        "owner": interface.owner_of(model),
        "group": model.group,
        "deprecation_date": model.leaves_on,
        "constraints": [f"{c.type}: {', '.join(c.columns)}" for c in model.constraints],
        "contract": "enforced" if model.contract.enforced else None,
    }
    facts |= {key: value for key, value in stated.items() if value}
    config: dict[str, Any] = {"tags": list(model.tags)} if model.tags else {}
    config["meta"] = own | {"mesh": facts}
    if freshness := freshness_of(model.meta):
        if freshness.loaded_at_field:
            config["loaded_at_field"] = freshness.loaded_at_field
        if freshness.thresholds:
            config["freshness"] = dict(freshness.thresholds)
    return _inert(config)


def _column(model: PublicModel, column: Column, *, tests: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": inert(column.name)}
    if column.data_type:
        entry["data_type"] = inert(column.data_type)
    if column.quote:
        entry["quote"] = True
    if column.description:
        entry["description"] = inert(column.description)
    meta = dict(column.meta)
    if column.constraints:
        meta["mesh"] = {"constraints": [constraint.type for constraint in column.constraints]}
    config = ({"tags": list(column.tags)} if column.tags else {}) | ({"meta": meta} if meta else {})
    if config:
        entry["config"] = _inert(config)
    guards = [name for name in model.config.mesh.tests.get(column.name, ()) if name in GUARDS]
    if tests and guards:
        entry["data_tests"] = list(guards)
    return entry


def _inert(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {inert(str(key)): _inert_value(item) for key, item in entries.items()}


def _inert_value(value: Any) -> Any:  # noqa: ANN401  # meta is whatever a person wrote
    match value:
        case str():
            return inert(value)
        case Mapping():
            return _inert(value)
        case list() | tuple():
            return [_inert_value(item) for item in value]
        case _:
            return value
