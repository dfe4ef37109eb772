"""A project's manifest and the names of models in, where its YAML declares them and their columns out."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml

from registry_tools.intake.manifest import Manifest, posix
from registry_tools.mesh.public_model import Value
from registry_tools.mesh.use import Place


class _Declared(Value, frozen=True):
    name: str
    version: Any = None
    patch_path: str | None = None
    original_file_path: str = ""


def declared_places(manifest: Manifest, folder: Path, labels: Collection[str]) -> dict[str, Place]:
    """Where these models are declared, and below `label.column` each of their columns: for the eye of a reviewer.

    A model without YAML stands in its SQL file. What cannot be found is left out, and so is a file that is no YAML.
    """
    found: dict[str, Place] = {}
    documents: dict[str, yaml.Node | None] = {}
    for _, model in manifest.entries(manifest.nodes, (f"model.{manifest.project}.",), _Declared):
        label = model.name if model.version is None else f"{model.name}.v{model.version}"
        if label not in labels:
            continue
        path = posix((model.patch_path or "").partition("://")[2])
        if not path:
            found[label] = Place(path=posix(model.original_file_path))
            continue
        if path not in documents:
            documents[path] = _compose(folder / path)
        found[label] = Place(path=path)
        for entry in _entries(documents[path], "models"):
            if _name(entry) == model.name:
                found[label] = Place(path=path, line=_line(entry))
                for column in filter(_name, _columns(entry, model.version)):
                    found[f"{label}.{_name(column)}"] = Place(path=path, line=_line(column))
    return found


def _compose(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None


def _columns(entry: yaml.Node, version: Any) -> Iterator[yaml.Node]:  # noqa: ANN401  # a number or a text
    """The columns of the model, and those of this version of it."""
    yield from _entries(entry, "columns")
    for one in _entries(entry, "versions"):
        if _text(_value(one, "v")) == str(version):
            yield from _entries(one, "columns")


def _entries(node: yaml.Node | None, key: str) -> Iterator[yaml.Node]:
    listed = _value(node, key)
    if isinstance(listed, yaml.SequenceNode):
        yield from listed.value


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if _text(name) == key), None)


def _name(entry: yaml.Node) -> str:
    return _text(_value(entry, "name"))


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
