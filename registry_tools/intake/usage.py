"""A manifest in, what the project reads of other projects out: every node that depends on a foreign public model."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from registry_tools.intake.manifest import Manifest
from registry_tools.intake.own_nodes import OWN_TESTS, TestMetadata
from registry_tools.intake.targets import find_targets
from registry_tools.mesh.public_model import DependsOn, PublicModel, Value
from registry_tools.mesh.usage import EVERY, Read, Usage

# Everything of a project that can depend on a model. Unit tests and exposures read as well as models do.
_READERS: Final = (
    "model.",
    "snapshot.",
    "test.",
    "analysis.",
    "operation.",
    "exposure.",
    "unit_test.",
    "semantic_model.",
)


class _ReaderConfig(Value, frozen=True):
    where: Any = None


class _Reader(Value, frozen=True):
    package_name: str | None = None
    depends_on: DependsOn = DependsOn()
    column_name: str | None = None
    test_metadata: TestMetadata | None = None
    config: _ReaderConfig = _ReaderConfig()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads of its only parent: of one of dbt's own tests without a condition, the tested."""
        test = self.test_metadata
        told = test is not None and not test.namespace and test.name in OWN_TESTS and not self.config.where
        alone = len(self.depends_on.nodes) == 1 and self.column_name
        return (self.column_name.strip('"`'),) if told and alone and self.column_name else EVERY


def extract_usage(manifest: Manifest, public: Mapping[str, PublicModel] | None = None) -> Usage:
    """Who reads what, through `ref` and through the sources that mesh sync wrote, sorted.

    With `public`, the public models of the mesh by their relations, sources that people wrote by hand count as well.
    """
    targets = find_targets(manifest, public or {})
    if not targets:
        return Usage(project=manifest.project)
    reads = {
        Read(upstream=upstream, model=model, version=version, node=node, via=via, columns=reader.columns)
        for node, reader in _readers(manifest)
        for upstream, model, version, via in (
            targets[parent] for parent in reader.depends_on.nodes if parent in targets
        )
    }
    return Usage(project=manifest.project, reads=tuple(sorted(reads)))


def _readers(manifest: Manifest) -> Iterator[tuple[str, _Reader]]:
    for section in (manifest.nodes, manifest.exposures, manifest.unit_tests, manifest.semantic_models):
        for unique_id, reader in manifest.entries(section, _READERS, _Reader):
            if reader.package_name == manifest.project:
                yield unique_id, reader
