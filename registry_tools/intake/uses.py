"""A consumer's files and its manifest in, what it uses of its upstreams out, each name once with all of its places."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from registry_tools.intake.manifest import Manifest
from registry_tools.intake.references import Reference
from registry_tools.mesh.departure import Wanted
from registry_tools.mesh.public_model import DependsOn, Value
from registry_tools.mesh.usage import Usage
from registry_tools.mesh.use import Node, Place, Use

# What reads a model's rows or stands for somebody who does. A unit test gives the rows itself.
_KINDS: Final = ("model.", "snapshot.", "analysis.", "test.", "operation.", "exposure.")


def uses_in_files(references: Iterable[Reference]) -> tuple[Use, ...]:
    """The uses as people wrote them, in the order of their first places."""
    places: dict[tuple[str | None, Literal["ref", "source"], Wanted | None], list[Place]] = {}
    for reference in references:
        wanted = None
        if reference.model is not None and not reference.dynamic:
            wanted = Wanted(way=reference.way, model=reference.model, version=reference.version)
        key = (reference.upstream, reference.way, wanted)
        places.setdefault(key, []).append(Place(path=reference.path, line=reference.line))
    return tuple(
        Use(upstream=upstream, way=way, wanted=wanted, places=tuple(found))
        for (upstream, way, wanted), found in places.items()
    )


def uses_in_manifest(
    manifest: Manifest, usage: Usage, project: Path, nodes: Iterable[Node], known: Iterable[Use]
) -> tuple[Use, ...]:
    """What dbt found, as the manifest's `usage` has it, beyond the uses that are `known`: what a macro or a variable
    made.

    A file that was written after the manifest is left out, because the manifest tells of what it was.
    """
    paths = {node.id: node.path for node in nodes if node.path}
    told = {(use.upstream, place.path, name) for use in known for place in use.places for name in _names(use)}
    alone = {(path, name) for upstream, path, name in told if upstream is None}
    made = manifest.path.stat().st_mtime
    found: dict[tuple[str, Wanted], set[Place]] = {}
    for read in usage.reads:
        path = paths.get(read.node)
        table = f"{read.model}_v{read.version}" if read.version else read.model
        if path is None or (read.upstream, path, read.model) in told or (read.upstream, path, table) in told:
            continue
        if (path, read.model) in alone or _is_newer(project / path, made):
            continue
        if read.via == "source":
            wanted = Wanted(way="source", model=table)
        else:
            wanted = Wanted(way="ref", model=read.model, version=read.version or None)
        found.setdefault((read.upstream, wanted), set()).add(Place(path=path))
    return tuple(
        Use(upstream=upstream, way=wanted.way, wanted=wanted, places=tuple(sorted(places)))
        for (upstream, wanted), places in found.items()
    )


def _names(use: Use) -> Collection[str]:
    return (use.wanted.model,) if use.wanted else ()


def _is_newer(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime > moment
    except OSError:  # it is gone, and reads nothing
        return True


# -- nodes ------------------------------------------------------------------------------------------------------------


class _Config(Value, frozen=True):
    group: str | None = None
    access: str | None = None


class _Node(Value, frozen=True):
    package_name: str | None = None
    original_file_path: str = ""
    group: str | None = None
    access: str | None = None
    config: _Config = _Config()
    depends_on: DependsOn = DependsOn()


class _Access(Value, frozen=True):
    name: str
    package_name: str
    access: str | None = None
    config: _Config = _Config()


def consumer_nodes(manifest: Manifest) -> tuple[Node, ...]:
    """The project's own nodes that can read a model, with their groups."""
    return tuple(
        Node(
            id=unique_id,
            path=node.original_file_path,
            group=node.group or node.config.group,
            access=node.access or node.config.access,
            parents=node.depends_on.nodes,
        )
        for section in (manifest.nodes, manifest.exposures)
        for unique_id, node in manifest.entries(section, _KINDS, _Node)
        if node.package_name == manifest.project
    )


def access_in(manifest: Manifest, upstream: str) -> dict[str, str]:
    """The models of `upstream` that the manifest knows and that are not public: name -> `private` or `protected`."""
    return dict(_kept_back(manifest, upstream))


def _kept_back(manifest: Manifest, upstream: str) -> Iterator[tuple[str, str]]:
    for _, model in manifest.entries(manifest.nodes, (f"model.{upstream}.",), _Access):
        access = model.access or model.config.access or "protected"
        if access != "public":
            yield model.name, access
