"""A manifest in, the same manifest out for the owner's own deferral state, without what names a person or a machine."""

from collections.abc import Iterator, Mapping
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
    return b"".join(state_pieces(manifest))


def state_pieces(manifest: Manifest) -> Iterator[bytes | memoryview]:
    """The same, piece by piece and without a copy of what is passed on: for whoever packs or sends it meanwhile."""
    document = _document(manifest)
    yield from _object({name: _object(part) if isinstance(part, dict) else part for name, part in document.items()})


def _document(manifest: Manifest) -> dict[str, Any]:
    with collector_off():
        document: dict[str, Any] = msgspec.json.decode(manifest.raw, type=dict[str, Raw])
        metadata = msgspec.json.decode(document["metadata"])
        document["metadata"] = {key: metadata[key] for key in _METADATA if key in metadata}
        document["metadata"].setdefault("project_name", manifest.project)
        seeds = {uid: manifest.nodes[uid] for uid in manifest.node_ids if uid.startswith("seed.")}
        if seeds:
            document["nodes"] = manifest.nodes | _all_anonymous(manifest, seeds)
        for section, entries in (("groups", manifest.groups), ("exposures", manifest.exposures)):
            document[section] = _all_anonymous(manifest, entries)
        if "disabled" in document:
            disabled = manifest.decode(document["disabled"], dict[str, list[dict[str, Any]]], "disabled")
            document["disabled"] = {uid: [_anonymous(entry) for entry in entries] for uid, entries in disabled.items()}
        return document


def _object(members: Mapping[str, Any]) -> Iterator[bytes | memoryview]:
    """A JSON object whose members are undecoded, values, or come in pieces themselves."""
    separator = b"{"
    for name, member in members.items():
        yield separator + msgspec.json.encode(name) + b":"
        match member:
            case Raw():
                yield memoryview(member)
            case Iterator():
                yield from member
            case _:
                yield msgspec.json.encode(member)
        separator = b","
    yield b"}" if members else b"{}"


def _all_anonymous(manifest: Manifest, entries: dict[str, Raw]) -> dict[str, Any]:
    return {unique_id: _anonymous(as_mapping(manifest, raw, unique_id)) for unique_id, raw in entries.items()}


def _anonymous(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without its owner's address and without the folder of a machine.

    Seeds carry the absolute root_path of the machine that built them (dbt-core, SeedNode); no other node does.
    """
    kept = {key: value for key, value in entry.items() if key != "root_path"}
    if isinstance(kept.get("owner"), dict):
        kept["owner"] = {key: value for key, value in kept["owner"].items() if key != "email"}
    return kept
