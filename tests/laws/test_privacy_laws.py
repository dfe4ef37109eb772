"""The law of privacy: of whatever is not promised, no byte is found in what others can read of a publication."""

import itertools
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.objects import ObjectStore
from registry_tools.registry.publications import Registry
from tests.builders import Json, column, data_test, foreign, group, manifest, node, publish, reader, source

_MARK = re.compile(r"zq[0-9a-f]{6}zq")
KINDS = st.sampled_from(["public", "public", "protected", "private", "ephemeral"])


@dataclass
class Marks:
    """Texts that stand nowhere else: those that readers are promised, and all the others."""

    numbers: Iterator[int] = field(default_factory=itertools.count)
    promised: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)

    def mark(self, *, promised: bool = False) -> str:
        text = f"zq{next(self.numbers):06x}zq"
        (self.promised if promised else self.private).add(text)
        return text


@dataclass
class Project:
    """A manifest in which every text has a mark of its own."""

    marks: Marks
    document: Json


@st.composite
def projects(draw: st.DrawFn) -> Project:
    marks = Marks()
    upstream = [foreign(marks.mark(promised=True), "dbt_other", description=marks.mark()) for _ in range(2)]
    entries: list[Json] = [source(marks.mark(), f"A.B.{marks.mark()}", "dbt_up"), *upstream]
    read: set[str] = set()
    models: list[Json] = []
    for kind in draw(st.lists(KINDS, min_size=1, max_size=6)):
        known = [entry["unique_id"] for entry in [*entries, *models]]
        parents = draw(st.lists(st.sampled_from(known), unique=True, max_size=3))
        read |= {parent for parent in parents if "dbt_other" in parent}
        models.append(_model(marks, kind, parents, draw(st.booleans())))
    others = [found for model in models for found in _about(marks, model, draw)]
    read |= {parent for other in others for parent in other["depends_on"]["nodes"] if "dbt_other" in parent}
    unread = {model["name"] for model in upstream if model["unique_id"] not in read}
    marks.promised -= unread
    marks.private |= unread
    return Project(marks=marks, document=_manifest(marks, [*entries, *models, *others]))


def _model(marks: Marks, kind: str, parents: list[str], grouped: bool) -> Json:  # noqa: FBT001  # drawn
    seen = kind == "public"
    access = "public" if kind == "ephemeral" else kind

    def told() -> str:
        return marks.mark(promised=seen)

    name, columns = told(), [told() for _ in range(2)]
    return node(
        name,
        access=access,
        description=f"{told()} and {told()}",
        columns={at: column(at, description=told(), meta={told(): [told()]}, tags=[told()]) for at in columns},
        tags=[told()],
        meta={told(): {"deep": [told()]}},
        group=told() if grouped else None,
        database=told(),
        schema=told(),
        alias=told(),
        relation_name=None,
        config={
            "materialized": "ephemeral" if kind == "ephemeral" else "table",
            "access": access,
            "pre-hook": [{"sql": marks.mark()}],
            "grants": {"select": [marks.mark()]},
            "unique_key": marks.mark(),
        },
        constraints=[
            {"type": "check", "expression": marks.mark()},
            {"type": "foreign_key", "columns": [], "to": f"A.B.{marks.mark()}", "to_columns": [marks.mark()]},
        ],
        depends_on={"macros": [marks.mark()], "nodes": parents},
        **{key: marks.mark() for key in ("path", "original_file_path", "patch_path", "root_path", "raw_code")},
        **{key: marks.mark() for key in ("compiled_code", "compiled_path", "build_path", "language")},
        fqn=[marks.mark()],
        unrendered_config={"alias": marks.mark()},
        doc_blocks=[marks.mark()],
        docs={"node_color": marks.mark()},
        extra_ctes=[{"id": marks.mark(), "sql": marks.mark()}],
        refs=[{"name": marks.mark()}],
    )


def _about(marks: Marks, model: Json, draw: st.DrawFn) -> Iterator[Json]:
    """What stands around a model: its group, tests, and whatever else reads it."""
    if model["group"]:
        seen = model["group"] in marks.promised
        told = marks.mark(promised=seen)
        yield group(model["group"], name=told, email=f"{marks.mark()}@example.com", phone=marks.mark()) | {
            "description": marks.mark(promised=seen),
            "path": marks.mark(),
            "depends_on": {"nodes": []},
        }
    guard = draw(st.sampled_from(["unique", "accepted_values"]))
    # that a column of a public model is unique is promised, and with it that there is such a column
    tested = marks.mark(promised=guard == "unique" and model["name"] in marks.promised)
    test = data_test(guard, model["unique_id"], tested)
    yield test | {"description": marks.mark(), "raw_code": marks.mark(), "test_metadata": _metadata(marks, test)}
    for kind in draw(st.lists(st.sampled_from(["exposure", "unit_test", "semantic_model", "snapshot", "analysis"]))):
        reads = draw(st.lists(st.sampled_from([model["unique_id"], *model["depends_on"]["nodes"]]), max_size=2))
        yield reader(kind, marks.mark(), reads, "dbt_up") | {key: marks.mark() for key in ("description", "raw_code")}


def _metadata(marks: Marks, test: Json) -> Json:
    kept: Json = test["test_metadata"] | {"kwargs": {"values": [marks.mark()]}}
    return kept


def _manifest(marks: Marks, entries: list[Json]) -> Json:
    def section(kind: str, **fields: Any) -> Json:
        name = marks.mark()
        return {f"{kind}.dbt_up.{name}": {"name": name, "package_name": "dbt_up", **fields}}

    hidden = node(marks.mark(), description=marks.mark(), raw_code=marks.mark())
    return manifest(
        *entries,
        metadata={"env": {marks.mark(): marks.mark()}, "user_id": marks.mark(), "invocation_id": marks.mark()}
        | {"project_id": marks.mark()},
        macros=section("macro", macro_sql=marks.mark(), original_file_path=marks.mark()),
        docs=section("doc", block_contents=marks.mark()),
        metrics=section("metric", label=marks.mark()),
        saved_queries=section("saved_query", label=marks.mark()),
        selectors={marks.mark(): marks.mark()},
        disabled={hidden["unique_id"]: [hidden]},
        parent_map={marks.mark(): [marks.mark()]},
        child_map={marks.mark(): [marks.mark()]},
        group_map={marks.mark(): [marks.mark()]},
    )


def _readable(store: ObjectStore) -> str:
    """Every key and every byte that the registry shows to others, in lower case, as Snowflake has no case."""
    unpack = zstandard.ZstdDecompressor()
    texts = []
    for key in store.keys(""):
        stored = store.get(key)
        if stored and not key.startswith("_private/"):
            content = unpack.decompress(stored.content) if key.endswith(".zst") else stored.content
            texts.append(f"{key}\n{content.decode()}")
    return "\n".join(texts).lower()


STORES: dict[str, Callable[[Path], ObjectStore]] = {
    "memory": lambda _root: MemoryStore(),
    "directory": lambda root: DirectoryStore(root / "registry"),
}


@pytest.mark.parametrize("kind", STORES)
@given(project=projects())
def test_readers_find_what_is_promised_and_no_mark_besides(kind: str, project: Project) -> None:
    """Of a project that keeps the names of its readers to itself; see docs/decisions/0010."""
    with tempfile.TemporaryDirectory() as folder:
        store = STORES[kind](Path(folder))
        publish(Path(folder), Registry(store), project.document, veiled=True)
        found = set(_MARK.findall(_readable(store)))
        private = [content for key in store.keys("_private/") if (content := store.get(key))]
    assert found & project.marks.private == set()
    assert project.marks.promised <= found
    kept = zstandard.ZstdDecompressor().decompress(private[0].content)
    assert len(set(_MARK.findall(kept.decode()))) > len(project.marks.promised)


@given(project=projects())
def test_of_a_private_node_nothing_but_its_name_and_file_is_found_and_only_where_it_reads_others(
    project: Project,
) -> None:
    entries = [each for section in project.document.values() for each in section.values() if isinstance(each, dict)]
    readers: list[Json] = []
    reached = {"dbt_other"}
    while come := [each for each in entries if each not in readers and _reads(each, reached)]:
        readers += come
        reached |= {each["unique_id"] for each in come}
    named = {mark for each in readers for key in ("unique_id", "original_file_path") for mark in _marks(each.get(key))}
    store = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder), Registry(store), project.document)
    assert set(_MARK.findall(_readable(store))) & project.marks.private <= named


def _reads(entry: Json, reached: set[str]) -> bool:
    """Whether it reads the other project, or a node that does."""
    depends_on = entry.get("depends_on")
    parents = depends_on.get("nodes", []) if isinstance(depends_on, dict) else []
    return any(parent in reached or parent.split(".")[1] in reached for parent in parents)


def _marks(text: object) -> list[str]:
    return _MARK.findall(str(text).lower())


@given(project=projects())
def test_every_mark_stands_in_the_manifest(project: Project) -> None:
    """Otherwise the law would hold for texts that nobody wrote."""
    marks = project.marks
    assert set(_MARK.findall(json.dumps(project.document))) == marks.promised | marks.private
    assert len(marks.private) > 30
