"""Interfaces in, what dbt-loom reads out: a slim manifest for each upstream, and the config that names them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import yaml_text
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.relation import fold

CONFIG_FILE: Final = "dbt_loom.config.yml"
FOLDER: Final = ".mesh/loom"
# What warehouses store as it is written, with quotes and without, but for the case of its letters.
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def loom_manifest(interface: Interface, quoting: Mapping[str, bool]) -> bytes:
    """The public models as a manifest. It holds no time, so the same interface gives the same bytes.

    `quoting` says what the consumer's dbt puts into quotes by itself (mesh.relation.Relation.spelled): a reference is
    written with the database, schema and alias of the node, whatever its relation_name says (dbt-core,
    RuntimeRefResolver.create_relation). A model that dbt-loom would look for elsewhere is left out (see `unnamed`).
    """
    named = interface.kept(lambda model: _is_named(model, interface.adapter, quoting))
    document = named.to_manifest({"written_by": "mesh sync", "digest": interface.digest})
    for model in named.models:
        node = document["nodes"][model.unique_id]
        # dbt-loom has no use for columns, and they are nine tenths of the file that every dbt command reads.
        del node["columns"]
        name = model.relation(interface.adapter).spelled(quoting)
        node |= {"database": name["database"] or None, "schema": name["schema"]}
        if not model.is_dated:
            node["deprecation_date"] = None
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def unnamed(interface: Interface, quoting: Mapping[str, bool]) -> Iterator[str]:
    """A line for each model that dbt-loom cannot name, and how it can be read."""
    for model in interface.models:
        if not _is_named(model, interface.adapter, quoting):
            where, name = model.relation(interface.adapter), f"{interface.project}.{model.label}"
            yield f"dbt-loom cannot name {where}: {name} is left out; read {interface.project} as package or as sources"


def _is_named(model: PublicModel, adapter: str, quoting: Mapping[str, bool]) -> bool:
    """Whether dbt-loom finds the table.

    It takes what follows the last dot of the relation_name, without quotes and brackets (dbt-loom 0.9,
    ManifestNode.identifier), so a table that needs quotes where dbt writes none cannot be named.
    """
    relation = model.relation(adapter)
    table = relation.identifier
    bare = bool(_BARE.fullmatch(table.name)) and fold(table.name, adapter) == table.name
    quoted = not table.quote or quoting["identifier"] or bare
    return relation.schema is not None and quoted and not re.search(r'[."`\[\]]', table.name)


def loom_config(upstreams: Iterable[str]) -> str:
    """dbt_loom.config.yml for manifests below FOLDER, relative to where dbt runs (dbt-loom README, Configuration)."""
    manifests: list[dict[str, Any]] = [
        {"name": upstream, "type": "file", "config": {"path": f"{FOLDER}/{upstream}.json"}} for upstream in upstreams
    ]
    head = f"# {MARK}; do not edit, run mesh sync.\n"
    return head + yaml_text({"enable_telemetry": False, "manifests": manifests})
