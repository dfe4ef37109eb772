"""A project's size in, its manifest as dbt 1.12 leaves it after a build out: the same bytes every time, 18 KB a model.

The shape is that of manifests which dbt itself compiled: 30 % staging, 30 % intermediate, 40 % marts, 16 typed columns
and 2.4 tests a model, a tenth of the models public with contract and group, sources, exposures and dbt's own macros.
At 100 to 10,000 models the size is theirs within six hundredths.
"""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from benchmarks import nodes, texts
from benchmarks.nodes import Json, Place

MACROS: Final = 512
_MACRO_BYTES: Final = (5.67, 1.0, 8000)  # of dbt-snowflake's macros: log of the median, its spread, the longest
_GENERATED_AT: Final = "2026-01-23T06:45:41.216693Z"
_EXPOSED_EVERY: Final = 50
_VERSIONED_EVERY: Final = 50
_THIRD_TEST: Final = (0, 2)  # of every five models
_EMPTY: Final = (
    *("docs", "metrics", "selectors", "disabled", "saved_queries", "semantic_models", "unit_tests", "functions"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How large a project is. A public model is the same however many others there are."""

    models: int
    project: str = "upstream"
    public: int | None = None

    @property
    def staging(self) -> int:
        """How many models read a source; as many stand in the middle."""
        return self.models * 3 // 10

    @property
    def marts(self) -> int:
        """How many models stand at the end."""
        return self.models - 2 * self.staging

    @property
    def public_names(self) -> int:
        """How many marts are public: a tenth of all models, or as many as were asked for."""
        return min(self.models // 10 if self.public is None else self.public, self.marts)

    @property
    def public_nodes(self) -> int:
        """The same, each version counted."""
        return sum(len(_versions(self, index)) for index in range(self.public_names))


@dataclass(slots=True)
class _Graph:
    """Who depends on what, gathered while entries are written."""

    parents: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)

    def with_(self, entry: Json) -> Json:
        unique_id: str = entry["unique_id"]
        self.parents[unique_id] = entry.get("depends_on", {}).get("nodes", [])
        self.children.setdefault(unique_id, [])
        for parent in self.parents[unique_id]:
            self.children.setdefault(parent, []).append(unique_id)
        if entry.get("group"):
            self.groups.setdefault(entry["group"], []).append(unique_id)
        return entry


def write_manifest(path: Path, shape: Shape) -> None:
    """Write the manifest entry by entry, so that whoever measures memory afterwards has stayed small."""
    graph, project = _Graph(), shape.project
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"metadata": {json.dumps(_metadata(shape))}')
        _section(file, "nodes", (graph.with_(node) for node in _nodes(shape)))
        _section(file, "sources", (graph.with_(nodes.source(project, index)) for index in range(shape.staging)))
        _section(file, "macros", (nodes.macro(number, size) for number, size in enumerate(_macro_sizes())))
        exposed = range(0, shape.marts, _EXPOSED_EVERY)
        _section(file, "exposures", (graph.with_(nodes.exposure(_marts(shape, index)[-1])) for index in exposed))
        _section(file, "groups", (nodes.group(project, number) for number in range(nodes.GROUPS)))
        maps: Json = {"parent_map": graph.parents, "child_map": graph.children, "group_map": graph.groups}
        empty: Json = {name: {} for name in _EMPTY}
        for name, content in (empty | maps).items():
            file.write(f', "{name}": {json.dumps(content)}')
        file.write("}")


def public_names_of(shape: Shape) -> list[str]:
    """What readers write into `ref`."""
    return [_marts(shape, index)[-1].name for index in range(shape.public_names)]


def _section(file: IO[str], name: str, entries: Iterable[Json]) -> None:
    file.write(f', "{name}": {{')
    separator = ""
    for entry in entries:
        file.write(f'{separator}"{entry["unique_id"]}": {json.dumps(entry)}')
        separator = ", "
    file.write("}")


def _metadata(shape: Shape) -> Json:
    return {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": "1.12.6",
        "generated_at": _GENERATED_AT,
        "invocation_id": "a3b00d39-67a0-465e-8c09-84d4ff8c4ae4",
        "env": {},
        "project_name": shape.project,
        "project_id": "44c6c370fd1859325f7119e96a81584e",
        "user_id": None,
        "send_anonymous_usage_stats": False,
        "adapter_type": "snowflake",
        "quoting": {"database": False, "schema": False, "identifier": False, "column": None},
        "run_started_at": _GENERATED_AT,
    }


def _nodes(shape: Shape) -> Iterator[Json]:
    for place, parents in _places(shape):
        yield nodes.model(place, parents)
        yield nodes.data_test(place, "unique", place.key)
        yield nodes.data_test(place, "not_null", place.key)
        if place.number % 5 in _THIRD_TEST:
            yield nodes.data_test(place, "accepted_values", nodes.STATUS)


def _places(shape: Shape) -> Iterator[tuple[Place, list[str]]]:
    """Every model with what it reads, always near its own index, so that a larger project leaves it as it is."""
    project, count = shape.project, shape.staging
    for index in range(count):
        yield Place(project, "staging", index), [f"source.{project}.raw.table_{index:05d}"]
    for index in range(count):
        read = {index, index // 2, index // 3} if index % 2 else {index}
        yield Place(project, "intermediate", index), [Place(project, "staging", at).unique_id for at in sorted(read)]
    for index in range(shape.marts):
        read = {(index * 3 // 4 + step) % count for step in range(1 + index % 3)}
        parents = [Place(project, "intermediate", at).unique_id for at in sorted(read)]
        if index and not index % 5:
            parents.append(_marts(shape, index // 2)[-1].unique_id)
        for place in _marts(shape, index):
            yield place, parents


def _marts(shape: Shape, index: int) -> list[Place]:
    public = index < shape.public_names
    return [Place(shape.project, "marts", index, public, version) for version in _versions(shape, index)]


def _versions(shape: Shape, index: int) -> tuple[int | None, ...]:
    twice = index < shape.public_names and index % _VERSIONED_EVERY == 1
    return (1, 2) if twice else (None,)


def _macro_sizes() -> Iterator[int]:
    chance = random.Random(texts.SEED)  # noqa: S311  # the same sizes every time, not a secret
    middle, spread, longest = _MACRO_BYTES
    return (int(min(chance.lognormvariate(middle, spread), longest)) for _ in range(MACROS))
