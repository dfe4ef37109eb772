"""A built project's manifest in, what it reads of other projects by column and line out, and what it passes on."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from registry_tools.intake.column_reads import Tally
from registry_tools.intake.described_readers import DescribedReader, described_readers
from registry_tools.intake.foreign_tables import foreign_tables, spelled
from registry_tools.intake.known_tables import KnownTables
from registry_tools.intake.manifest import Manifest, collector_off
from registry_tools.intake.own_nodes import Described, OwnNode, read_own_nodes
from registry_tools.intake.project_flow import ProjectFlow, Seen
from registry_tools.intake.readings import Readings
from registry_tools.intake.sql.reading import Fault
from registry_tools.intake.targets import Target, find_targets
from registry_tools.intake.written import Files
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.progress import Told, unheard
from registry_tools.mesh.public_model import Value
from registry_tools.mesh.usage import EVERY, Passed, Read, Usage

_ANY: Final = EVERY[0]


class _OtherTable(Value, frozen=True):
    relation_name: str | None = None
    columns: dict[str, Described] = msgspec.field(default_factory=dict)


def read_usage(
    manifest: Manifest,
    interfaces: Mapping[str, Interface],
    readings: Readings,
    *,
    folder: Path | None = None,
    told: Told = unheard,
) -> Usage:
    """What the project reads of its upstreams: which columns, on which lines of its files, and what it passes on.

    `interfaces` are those of the upstreams as this project was built against them; of an upstream without one, the
    manifest's own entries tell the columns. `folder` is the project's, for the lines of files that dbt has stripped.
    `told` hears how many queries are done, and of how many. Raises DocumentError naming the entry that is none.
    """
    with collector_off():
        if not interfaces and not find_targets(manifest, {}):
            return Usage(project=manifest.project)
        project, files = _project(manifest, interfaces, folder), Files(folder=folder)
        reads: list[Read] = []
        passes: set[Passed] = set()
        for seen in project.walk(readings, told):
            if seen.node.package_name == manifest.project:
                reads += _reads_of(project, seen, files)
                if seen.unique_id.startswith("model.") and seen.node.is_public:
                    passes |= set(_passed_by(project, seen.unique_id, seen.node))
        for reader in described_readers(manifest):
            reads += _described_reads(project, reader, files)
    return Usage(project=manifest.project, reads=tuple(sorted(reads)), passes=tuple(sorted(passes)))


def read_faults(
    manifest: Manifest, interfaces: Mapping[str, Interface], readings: Readings
) -> Iterator[tuple[str, str, Fault]]:
    """The names for which the warehouse would decline the project's SQL if upstreams had these interfaces: each with
    the node and its file, and the line of that. What is not known to be wrong is left out.
    """
    with collector_off():
        project, files = _project(manifest, interfaces, None), Files(folder=None)
        for seen in project.walk(readings, unheard):
            if seen.reading.faults and seen.node.package_name == manifest.project:
                written = files.of_node(project, seen)
                for fault in seen.reading.faults:
                    yield seen.unique_id, written.path, replace(fault, line=written.line_of(fault.line, fault.name))


def _project(manifest: Manifest, interfaces: Mapping[str, Interface], folder: Path | None) -> ProjectFlow:
    known = KnownTables(adapter=manifest.adapter)
    public = {str(m.relation(i.adapter)): m for i in interfaces.values() for m in i.models}
    targets = find_targets(manifest, public)
    _know_other_sources(manifest, targets, known)
    return ProjectFlow(
        nodes=read_own_nodes(manifest, targets),
        foreign=foreign_tables(manifest, targets, interfaces, known),
        known=known,
        folder=folder,
    )


def _know_other_sources(manifest: Manifest, targets: Mapping[str, Target], known: KnownTables) -> None:
    """The tables of nobody's project: their columns tell whose a name is that stands without its table."""
    for unique_id, table in manifest.stated_entries(manifest.sources, ("source.",), _OtherTable):
        place = known.place(table.relation_name or "")
        if unique_id not in targets and place is not None:
            known.know(place, (c.stored(manifest.adapter) for c in table.columns.values()), complete=False)


def _reads_of(project: ProjectFlow, seen: Seen, files: Files) -> Iterator[Read]:
    tally = Tally(project=project)
    column = seen.node.tested_column
    if column is None:
        tally.add_query(seen)
    for parent in seen.node.depends_on.nodes if column else ():
        targets = project.foreign_of(seen.node.refs, parent)
        tally.add_columns(parent, targets, [project.known.stored(str(column))])
    if not tally.is_empty:
        yield from tally.reads(seen.unique_id, files.of_node(project, seen))


def _described_reads(project: ProjectFlow, reader: DescribedReader, files: Files) -> Iterator[Read]:
    tally = Tally(project=project)
    for asked in reader.asked:
        targets = project.foreign_of(reader.refs, asked.parent)
        if asked.unread:
            tally.add_every(targets | project.flow(asked.parent).passed_whole, asked.parent, asked.unread)
        else:
            tally.add_columns(asked.parent, targets, [project.known.stored(column) for column in asked.columns])
    yield from tally.reads(reader.unique_id, files.of_entry(reader.path, (reader.name,)))


def _passed_by(project: ProjectFlow, unique_id: str, node: OwnNode) -> Iterator[Passed]:
    """What an own public model passes on to whoever reads it."""
    adapter, flow = project.known.adapter, project.flow(unique_id)
    here = {column.stored(adapter): column.name for column in node.columns.values()}
    for name, given in flow.columns.items():
        for target, column in given.origins:
            yield Passed(
                upstream=target.upstream,
                model=target.model,
                version=target.version,
                column=project.foreign.spell(target, column),
                into=node.label,
                column_here=here.get(name) or spelled(name, adapter),
                whole=(target, column) in given.passed and not node.is_held,
            )
    for targets, whole in ((flow.loose, True), (flow.blind, False)):
        for upstream, model, version, _ in targets:
            yield Passed(
                upstream=upstream,
                model=model,
                version=version,
                column=_ANY,
                into=node.label,
                column_here=_ANY,
                whole=whole,
            )
