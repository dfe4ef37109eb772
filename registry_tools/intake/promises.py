"""What a manifest says beside its public models in, what readers are promised of it out: values, grants, assets."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from registry_tools.intake.manifest import Manifest
from registry_tools.mesh.public_model import Asset, Value

# Of a sha256: who guesses a value or a grantee can check it, and nobody reads one out of it (docs/decisions/0005).
_DIGITS: Final = 12

# A privilege as a warehouse names it; what else stands there may be anything.
_PRIVILEGE: Final = re.compile(r"[A-Za-z_ ]{1,60}")

_Said = dict[str, tuple[str, ...]]


class _Marked(Value, frozen=True):
    """Where an asset's owner may have marked it as public, whatever else stands there."""

    meta: Any = None
    config: Any = None


_ARGUMENTS: Final = msgspec.json.Decoder()


def accepted_values(tests: Mapping[str, Iterable[Raw]], columns: Iterable[str], project: str) -> _Said | UnsetType:
    """The values that each of the columns is tested to have, under tokens: those that all of its tests name.

    Values are data, and stay at home: readers learn that they changed. A column that the model's YAML does not list is
    left out, as nobody promised that there is one. Raises msgspec.DecodeError for arguments that are no JSON.
    """
    found: _Said = {}
    for column in sorted(tests.keys() & set(columns)):
        lists = [values for values in map(_values, tests[column]) if values is not None]
        if lists:
            found[column] = _tokens(project, set.intersection(*lists))
    return found or UNSET


def _values(arguments: Raw) -> set[str] | None:
    read = _ARGUMENTS.decode(arguments)
    values = read.get("values") if isinstance(read, dict) else None
    return {_text(value) for value in values} if isinstance(values, list) else None


def _text(value: Any) -> str:  # noqa: ANN401  # a value is whatever a person wrote
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def granted(grants: Any, project: str) -> _Said | UnsetType:  # noqa: ANN401  # as somebody wrote it
    """Each privilege with its grantees under tokens: a role may be a person, and a person's address."""
    if not isinstance(grants, dict):
        return UNSET
    listed = {name: [to] if isinstance(to, str) else to for name, to in grants.items()}
    return {
        name: _tokens(project, map(_text, to))
        for name, to in sorted(listed.items())
        if isinstance(to, list) and to and _PRIVILEGE.fullmatch(name)
    } or UNSET


def _tokens(project: str, texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({hashlib.sha256(f"{project} {text}".encode()).hexdigest()[:_DIGITS] for text in texts}))


def own_assets(manifest: Manifest) -> tuple[Asset, ...] | UnsetType:
    """The project's exposures, metrics, saved queries and semantic models that `meta: {mesh: {public: true}}` marks."""
    sections: dict[Any, dict[str, Raw]] = {
        "exposure": manifest.exposures,
        "metric": manifest.metrics,
        "saved_query": manifest.saved_queries,
        "semantic_model": manifest.semantic_models,
    }
    found = [
        Asset(kind=kind, name=unique_id.removeprefix(prefix))
        for kind, section in sections.items()
        for prefix in (f"{kind}.{manifest.project}.",)
        for unique_id, entry in manifest.entries(section, (prefix,), _Marked)
        if _is_public(entry.meta) or (isinstance(entry.config, dict) and _is_public(entry.config.get("meta")))
    ]
    return tuple(sorted(found, key=lambda asset: (asset.kind, asset.name))) or UNSET


def _is_public(meta: Any) -> bool:  # noqa: ANN401  # meta is whatever a person wrote
    mesh = meta.get("mesh") if isinstance(meta, dict) else None
    return isinstance(mesh, dict) and mesh.get("public") is True
