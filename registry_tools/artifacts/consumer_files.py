"""What a consumer read of its upstreams in, the files that it builds with out, each upstream in its own way."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registry_tools.artifacts.files import GeneratedFile
from registry_tools.artifacts.loom import CONFIG_FILE, loom_config, loom_manifest, unnamed
from registry_tools.artifacts.loom import FOLDER as LOOM
from registry_tools.artifacts.package import STUBS, package_files
from registry_tools.artifacts.sources import is_sources_file, sources_files
from registry_tools.mesh.relation import quoting_of
from registry_tools.mesh.upstream import STUBS_FOLDER, SyncedUpstream


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerFolder:
    """Where a consumer's dbt runs, the first of its model paths, and what its dbt_project.yml says of quoting."""

    path: Path
    models: Path
    quoting: Mapping[str, bool] = field(default_factory=dict)

    def planned(self, upstreams: Sequence[SyncedUpstream], *, complete: bool) -> Iterator[GeneratedFile]:
        """The files for `upstreams`. Unless they are `complete`, what stands there for others is kept."""
        for synced in upstreams:
            if synced.upstream.way == "sources":
                files = sources_files(
                    synced.interface, synced.publication, tests=synced.upstream.tests, tables=synced.tables
                )
                for name, text in files.items():
                    yield GeneratedFile(path=self.models / name, content=text.encode())
            elif synced.upstream.way == "package":
                yield from self._package(synced)
        yield from self._loom([synced for synced in upstreams if synced.upstream.way == "loom"], complete=complete)

    def obsolete(self, planned: Collection[Path], upstreams: Sequence[SyncedUpstream], *, complete: bool) -> list[Path]:
        """Files of ours that nobody asks for any more: of every upstream, or of these alone."""
        sources, loom = self.models.glob("_mesh_*.yml"), (self.path / LOOM).glob("*.json")
        stubs = [path for pattern in STUBS for path in (self.path / STUBS_FOLDER).glob(f"*/{pattern}")]
        if complete:
            ours = [*sources, *loom, *stubs, self.path / CONFIG_FILE]
        else:
            names = {synced.upstream.name for synced in upstreams}
            ours = [path for path in sources if any(is_sources_file(path.name, name) for name in names)]
            ours += [path for path in loom if path.stem in names]
            ours += [path for path in stubs if path.relative_to(self.path / STUBS_FOLDER).parts[0] in names]
        return sorted(path for path in ours if path not in planned)

    def unnamed(self, upstreams: Sequence[SyncedUpstream]) -> Iterator[str]:
        """A line for each model that cannot be read in the way that was asked for."""
        for synced in upstreams:
            if synced.upstream.way == "loom":
                yield from unnamed(synced.interface, self._quoting(synced))

    def _package(self, synced: SyncedUpstream) -> Iterator[GeneratedFile]:
        files = package_files(synced.interface, self._quoting(synced), tests=synced.upstream.tests)
        folder = self.path / STUBS_FOLDER / synced.upstream.name
        for path, text in files.items():
            yield GeneratedFile(path=folder / path, content=text.encode())

    def _loom(self, upstreams: Sequence[SyncedUpstream], *, complete: bool) -> Iterator[GeneratedFile]:
        for synced in upstreams:
            path = self.path / LOOM / f"{synced.upstream.name}.json"
            yield GeneratedFile(path=path, content=loom_manifest(synced.interface, self._quoting(synced)))
        if upstreams:
            named = {synced.upstream.name for synced in upstreams}
            if not complete:
                named |= {path.stem for path in (self.path / LOOM).glob("*.json")}
            yield GeneratedFile(path=self.path / CONFIG_FILE, content=loom_config(sorted(named)).encode())

    def _quoting(self, synced: SyncedUpstream) -> dict[str, bool]:
        return quoting_of(synced.interface.adapter, self.quoting)
