"""Interfaces in, what dbt-loom reads out: a slim manifest for each upstream, and the config that names them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import yaml_text
from registry_tools.errors import UsageError
from registry_tools.mesh.interface import Interface, PublicModel
from registry_tools.mesh.relation import fold

CONFIG_FILE: Final = "dbt_loom.config.yml"
FOLDER: Final = ".mesh/loom"
# What warehouses store as it is written, with quotes and without, but for the case of its letters.
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def loom_manifest(interface: Interface, quoting: Mapping[str, bool]) -> bytes:
    """The public models as a manifest. It holds no time, so the same interface gives the same bytes.

    `quoting` says what the consumer's dbt puts into quotes by itself (mesh.relation.Relation.spelled): a reference is
    written with the database, schema and alias of the node, whatever its relation_name says (dbt-core,
    RuntimeRefResolver.create_relation). Raises UsageError for a model that dbt-loom would look for elsewhere.
    """
    document = interface.to_manifest({"written_by": "mesh sync", "digest": interface.digest})
    for model in interface.models:
        node = document["nodes"][model.unique_id]
        # dbt-loom has no use for columns, and they are nine tenths of the file that every dbt command reads.
        del node["columns"]
        node |= _place(model, interface.adapter, quoting)
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _place(model: PublicModel, adapter: str, quoting: Mapping[str, bool]) -> dict[str, str | None]:
    """Database and schema as they are written. The alias is dbt-loom's to find.

    It takes what follows the last dot of the relation_name, without quotes and brackets (dbt-loom 0.9,
    ManifestNode.identifier), so a table that needs quotes where dbt writes none cannot be named.
    """
    relation = model.relation(adapter)
    table = relation.identifier
    kept = bool(_BARE.fullmatch(table.name)) and fold(table.name, adapter) == table.name
    named = not re.search(r'[."`\[\]]', table.name) and (not table.quote or quoting["identifier"] or kept)
    if not named or not relation.schema:
        raise UsageError(
            f"dbt-loom cannot name {str(relation)!r}, where {model.label} of {model.package_name} is",
            then=f"read {model.package_name} as sources or as package (mesh.yml, upstreams)",
        )
    name = relation.spelled(quoting)
    return {"database": name["database"] or None, "schema": name["schema"]}


def loom_config(upstreams: Iterable[str]) -> str:
    """dbt_loom.config.yml for manifests below FOLDER, relative to where dbt runs (dbt-loom README, Configuration)."""
    manifests: list[dict[str, Any]] = [
        {"name": upstream, "type": "file", "config": {"path": f"{FOLDER}/{upstream}.json"}} for upstream in upstreams
    ]
    head = f"# {MARK}; do not edit, run mesh sync.\n"
    return head + yaml_text({"enable_telemetry": False, "manifests": manifests})
