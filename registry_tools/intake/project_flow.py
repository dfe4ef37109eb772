"""A project's nodes in, each with what its SQL reads out, in order: what one gives on is known to the next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from registry_tools.intake.flows import NOTHING, Around, Flow
from registry_tools.intake.foreign_tables import ForeignTables
from registry_tools.intake.known_tables import KnownTables, table_name
from registry_tools.intake.own_nodes import OwnNode, in_order, reachable
from registry_tools.intake.readings import Query, Readings
from registry_tools.intake.sql.reading import NOT_COMPILED, QueryReading
from registry_tools.intake.targets import Target, version_text
from registry_tools.mesh.progress import Told

_BUILT: Final = ("model.", "snapshot.", "seed.")
# What dbt adds to the columns of a snapshot (https://docs.getdbt.com/docs/build/snapshots), and where it is renamed.
_OF_SNAPSHOTS: Final = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
_DELETED: Final = "dbt_is_deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A node, its SQL, and what was read in it. `parents` are what it depends on, ephemeral models left out for what
    they read, each with the one by which it comes here.
    """

    unique_id: str
    node: OwnNode
    sql: str
    reading: QueryReading
    parents: Mapping[str, str]
    around: Around


@dataclass(kw_only=True)
class ProjectFlow:
    """What the nodes of a project give on, as far as they were read."""

    nodes: Mapping[str, OwnNode]
    foreign: ForeignTables
    known: KnownTables
    folder: Path | None = None
    flows: dict[str, Flow] = field(default_factory=dict)
    _own: dict[str, str] = field(default_factory=dict)  # tables to the nodes that are built as them
    _parents: dict[str, dict[str, str]] = field(default_factory=dict)
    _sql: dict[str, str] = field(default_factory=dict)
    _names: dict[str, frozenset[str]] = field(default_factory=dict)  # of the tables that may be named in the SQL

    def __post_init__(self) -> None:
        for unique_id, node in self.nodes.items():
            if unique_id.startswith(_BUILT):
                self._know(unique_id, (), complete=False)
            self._sql[unique_id] = "" if node.tested_column else node.sql(self.folder) or ""
        inlined = [unique_id for unique_id, node in self.nodes.items() if node.is_ephemeral]
        for step in in_order(inlined, self._links()):
            for unique_id in step:
                self.parents_of(unique_id)  # from the first one on, so that no chain of them is too long for Python

    def own_at(self, table: str) -> str | None:
        """The node that is built as this table."""
        return self._own.get(table)

    def tables_of(self, unique_id: str) -> frozenset[str]:
        """The tables that an own node or an entry of another project's may be in SQL; none of what is no table."""
        node = self.nodes.get(unique_id)
        if node is None:
            return frozenset(filter(None, [self.foreign.table_of(unique_id)]))
        places = (self.known.place(relation) for relation in node.relations)
        return frozenset(table_name(place) for place in places if place)

    def calls_to(self, parent: str, by: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The ways and arguments by which a file may refer to a parent, maybe through the ephemeral model `by`."""
        way = "source" if parent.startswith("source.") else "ref"
        yield from ((way, arguments) for arguments in self.foreign.calls.get(parent, ()))
        for own in dict.fromkeys((parent, by)):
            node = self.nodes.get(own)
            if node is None:
                continue
            for version in {"", version_text(node.version)}:
                yield "ref", (node.name, version)
                yield "ref", (node.package_name, node.name, version)

    def foreign_of(self, refs: Iterable[Any], parent: str) -> frozenset[Target]:
        """The models of other projects that a parent stands for, to whoever refers to it so; none of an own node."""
        return frozenset(self.foreign.meant_by(refs, parent)) if parent in self.foreign.entries else frozenset()

    def flow(self, unique_id: str) -> Flow:
        """What a node gives on; nothing of other projects when it was not asked or is not there."""
        return self.flows.get(unique_id, NOTHING)

    def _flow_at(self, table: str) -> Flow:
        return self.flows.get(self._own.get(table, ""), NOTHING)

    def walk(self, readings: Readings, told: Told) -> Iterator[Seen]:
        """Each node in which anything of another project may be, after those that it reads."""
        concerned = self._concerned()
        asked = concerned | self._ancestors(concerned)
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            told(done, len(asked))

        for step in in_order(asked, self._links()):
            queries = {
                unique_id: Query(sql=sql, tables=self.known.tables(self._names[unique_id]))
                for unique_id in step
                if (sql := self._sql[unique_id]) and self._is_sql(unique_id)
            }
            advance(len(step) - len(queries))
            found = dict(zip(queries, readings.of(list(queries.values()), advance), strict=True))
            seen = [self._seen(unique_id, found.get(unique_id)) for unique_id in step]
            for each in seen:
                self._give_on(each)
            yield from (each for each in seen if each.unique_id in concerned)

    # -- which nodes --------------------------------------------------------------------------------------------------

    def _links(self) -> dict[str, tuple[str, ...]]:
        return {unique_id: node.depends_on.nodes for unique_id, node in self.nodes.items()}

    def _concerned(self) -> set[str]:
        """What depends on another project, directly or not, or names a table of one in its SQL."""
        readers: dict[str, list[str]] = {}
        for unique_id, node in self.nodes.items():
            for parent in node.depends_on.nodes:
                readers.setdefault(parent, []).append(unique_id)
        self._names = {unique_id: self.known.names_in(sql) for unique_id, sql in self._sql.items() if sql}
        foreign = self.foreign.identifiers
        naming = [unique_id for unique_id, names in self._names.items() if not names.isdisjoint(foreign)]
        starts = (*self.foreign.entries, *naming)
        return {unique_id for unique_id in reachable(starts, readers) if unique_id in self.nodes}

    def _ancestors(self, concerned: set[str]) -> set[str]:
        """What those read beside it: its columns tell whose a name is that stands without its table."""
        found = reachable([unique_id for unique_id in concerned if unique_id.startswith(_BUILT)], self._links())
        return {unique_id for unique_id in found if unique_id in self.nodes}

    def parents_of(self, unique_id: str) -> dict[str, str]:
        """What a node depends on; of an ephemeral model, whose SQL stands in its own, what that depends on."""
        if unique_id not in self._parents:
            found: dict[str, str] = {}
            self._parents[unique_id] = found
            for parent in self.nodes[unique_id].depends_on.nodes:
                node = self.nodes.get(parent)
                inlined = self.parents_of(parent) if node is not None and node.is_ephemeral else {parent: parent}
                for each in inlined:
                    found.setdefault(each, parent)
        return self._parents[unique_id]

    def refs_of(self, unique_id: str) -> tuple[Any, ...]:
        """The `ref` calls of a node as the manifest has them, with those of the ephemeral models in its SQL."""
        inlined = (self.nodes[p] for p in set(self.parents_of(unique_id).values()) if p in self.nodes)
        return (*self.nodes[unique_id].refs, *(ref for node in inlined if node.is_ephemeral for ref in node.refs))

    # -- one node -----------------------------------------------------------------------------------------------------

    def _is_sql(self, unique_id: str) -> bool:
        return self.nodes[unique_id].language in (None, "sql")

    def _seen(self, unique_id: str, reading: QueryReading | None) -> Seen:
        parents, node = self.parents_of(unique_id), self.nodes[unique_id]
        if reading is None:
            reading = self._without_sql(unique_id)
        around = Around(
            meant=partial(self.foreign.read_by, self.refs_of(unique_id), tuple(parents)),
            flow=self._flow_at,
            is_complete=self.foreign.is_complete,
        )
        return Seen(
            unique_id=unique_id,
            node=node,
            sql=self._sql[unique_id],
            reading=reading,
            parents=parents,
            around=around,
        )

    def _without_sql(self, unique_id: str) -> QueryReading:
        if unique_id.startswith("seed."):
            return QueryReading()
        return QueryReading(unread=NOT_COMPILED if self._is_sql(unique_id) else "Python")

    def _targets_of(self, unique_id: str, parent: str) -> frozenset[Target]:
        return self.foreign_of(self.refs_of(unique_id), parent) | self.flow(parent).targets

    def _give_on(self, seen: Seen) -> None:
        if not seen.unique_id.startswith(_BUILT):
            return
        reading, node = seen.reading, seen.node
        if reading.unread:
            blind = {target for parent in seen.parents for target in self._targets_of(seen.unique_id, parent)}
            self.flows[seen.unique_id] = Flow(blind=frozenset(blind))
            return
        self.flows[seen.unique_id] = seen.around.flow_of(reading, held=node.is_held)
        if not seen.unique_id.startswith("seed."):
            self._know(seen.unique_id, [output.name for output in reading.outputs], complete=not reading.open)

    def _know(self, unique_id: str, columns: Iterable[str], *, complete: bool) -> None:
        node = self.nodes[unique_id]
        names = list(columns) or [column.stored(self.known.adapter) for column in node.columns.values()]
        if node.is_held:
            names, complete = [column.stored(self.known.adapter) for column in node.columns.values()], True
        if unique_id.startswith("snapshot."):
            names += [self.known.stored(name) for name in _added_by_snapshot(node)]
        for relation in () if node.is_ephemeral else node.relations:
            place = self.known.place(relation)
            if place is not None:
                self._own[self.known.know(place, names, complete=complete)] = unique_id


def _added_by_snapshot(node: OwnNode) -> Iterator[str]:
    renamed = node.setting("snapshot_meta_column_names")
    names = renamed if isinstance(renamed, dict) else {}
    deleted = [_DELETED] if node.setting("hard_deletes") == "new_record" else []
    for name in (*_OF_SNAPSHOTS, *deleted):
        yield str(names.get(name) or name)
