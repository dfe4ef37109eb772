"""Interfaces in, what dbt-loom reads out: a slim manifest for each upstream, and the config that names them."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from registry_tools.artifacts.files import MARK
from registry_tools.artifacts.yaml_text import yaml_text
from registry_tools.mesh.interface import Interface

CONFIG_FILE: Final = "dbt_loom.config.yml"
FOLDER: Final = ".mesh/loom"


def loom_manifest(interface: Interface) -> bytes:
    """The public models as a manifest. It holds no time, so the same interface gives the same bytes."""
    document = interface.to_manifest({"written_by": "mesh sync", "digest": interface.digest})
    for node in document["nodes"].values():
        # dbt-loom has no use for columns, and they are nine tenths of the file that every dbt command reads.
        del node["columns"]
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def loom_config(upstreams: Iterable[str]) -> str:
    """dbt_loom.config.yml for manifests below FOLDER, relative to where dbt runs (dbt-loom README, Configuration)."""
    manifests: list[dict[str, Any]] = [
        {"name": upstream, "type": "file", "config": {"path": f"{FOLDER}/{upstream}.json"}} for upstream in upstreams
    ]
    head = f"# {MARK}; do not edit, run mesh sync.\n"
    return head + yaml_text({"enable_telemetry": False, "manifests": manifests})
