"""The manifests of a mesh in, its lineage out, with every difference to what mesh.yml declares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from registry_tools.checks.declarations import Finding, check_declarations
from registry_tools.errors import DocumentError
from registry_tools.intake.manifest import Manifest, read_manifest
from registry_tools.intake.project import read_project
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.usage import extract_usage
from registry_tools.mesh.lineage import Lineage, Member


@dataclass(frozen=True, kw_only=True, slots=True)
class Traced:
    """The graph, and where it is not as declared."""

    lineage: Lineage
    findings: tuple[Finding, ...]


def trace_lineage(projects: Iterable[tuple[str, Path, tuple[str, ...]]], environment: Mapping[str, str]) -> Traced:
    """The lineage of `projects` (name, folder, declared upstreams), read from each one's target/manifest.json."""
    manifests = [(declared, _manifest(name, path, environment)) for name, path, declared in projects]
    public = [extract_interface(manifest) for _, manifest in manifests]
    relations = {str(model.relation(interface.adapter)): model for interface in public for model in interface.models}
    members = tuple(
        Member(interface=interface, usage=extract_usage(manifest, relations), declared=declared)
        for (declared, manifest), interface in zip(manifests, public, strict=True)
    )
    lineage = Lineage(members=members)
    return Traced(lineage=lineage, findings=check_declarations(lineage))


def _manifest(name: str, path: Path, environment: Mapping[str, str]) -> Manifest:
    manifest = read_manifest(read_project(path, environment).manifest)
    if manifest.project != name:
        raise DocumentError(
            f"this is the manifest of {manifest.project}, not of {name}",
            where=str(manifest.path),
            then="correct projects in mesh.yml, or run dbt build there again",
        )
    return manifest
