"""A manifest in, the same manifest out for the owner's own deferral state, without what names a person or a machine."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from registry_tools.intake.manifest import Manifest, as_mapping, collector_off

# Of the metadata, what dbt or we read again; `env` and `user_id` are verbatim environment and a person's machine.
_METADATA: Final = (
    "dbt_schema_version",
    "dbt_version",
    "generated_at",
    "project_name",
    "project_id",
    "adapter_type",
    "quoting",
)


def extract_state(manifest: Manifest) -> bytes:
    """The whole manifest as JSON: env, user ids, owners' e-mail addresses and absolute paths of a machine dropped.

    Code, checksums and configs stay as they are, because `state:modified` compares them.
    """
    with collector_off():
        document: dict[str, Any] = msgspec.json.decode(manifest.raw, type=dict[str, Raw])
        metadata = msgspec.json.decode(document["metadata"])
        document["metadata"] = {key: metadata[key] for key in _METADATA if key in metadata}
        document["metadata"].setdefault("project_name", manifest.project)
        seeds = {
            uid: _without_root(manifest, uid, raw) for uid, raw in manifest.nodes.items() if uid.startswith("seed.")
        }
        if seeds:
            document["nodes"] = manifest.nodes | seeds
        for section, entries in (("groups", manifest.groups), ("exposures", manifest.exposures)):
            document[section] = {uid: _without_person(manifest, uid, raw) for uid, raw in entries.items()}
        return msgspec.json.encode(document)


def _without_root(manifest: Manifest, unique_id: str, raw: Raw) -> dict[str, Any]:
    # Seeds carry the absolute root_path of the machine that built them (dbt-core, SeedNode); no other node does.
    return {key: value for key, value in as_mapping(manifest, raw, unique_id).items() if key != "root_path"}


def _without_person(manifest: Manifest, unique_id: str, raw: Raw) -> dict[str, Any]:
    entry = as_mapping(manifest, raw, unique_id)
    if isinstance(entry.get("owner"), dict):
        entry["owner"] = {key: value for key, value in entry["owner"].items() if key != "email"}
    return entry
