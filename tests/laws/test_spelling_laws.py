"""Laws of spelling: one manifest has one interface, however its JSON is written down, and json.loads agrees on it."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.intake.own_state import extract_state
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.usage import extract_usage
from registry_tools.mesh.interface import Interface
from tests.builders import Json, column, data_test, foreign, group, manifest, node, private, read, reader

NAMES = ("a", "b", "c", "d", "e")
ACCESSES = ("public", "protected", "private", None, "publi", "Public", "public ")
UNTIDY = st.integers(0, 1 << 32).map(Random)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests")


@st.composite
def models(draw: st.DrawFn) -> list[Json]:
    """Five models that read one another, in circles too, each with an access of its own wherever dbt may write it."""
    parents = st.lists(
        st.sampled_from([f"model.dbt_up.{name}" for name in NAMES] + ["model.dbt_other.x", "source.s"]),
        max_size=3,
        unique=True,
    )
    made = []
    for name in NAMES:
        access, in_config = draw(st.sampled_from(ACCESSES)), draw(st.sampled_from(ACCESSES))
        config = {"materialized": draw(st.sampled_from(["table", "ephemeral"])), "access": in_config}
        described = {"description": draw(st.sampled_from(["public", "é\n\"'\\", "a@b.example", "/home/ada/x", ""]))}
        columns = {"id": column("id", **described, tags=draw(st.sampled_from([[], ["x"]])))}
        links = {"nodes": draw(parents), "macros": []}
        made.append(node(name, access=access, config=config, columns=columns, depends_on=links, **described))
    return made


def document_of(entries: list[Json]) -> Json:
    """A manifest that has a reader, a test and a group of everything as well."""
    tests = [data_test("unique", f"model.dbt_up.{name}", "id") for name in NAMES]
    exposure = reader("exposure", "board", ["model.dbt_other.x"], "dbt_up")
    return manifest(*entries, *tests, foreign("x", "dbt_other"), private("y", "package"), group("core"), exposure)


def spelled(value: Any, untidy: Random) -> str:
    """JSON that means `value`: escapes, white space and keys that stand twice wherever JSON lets them stand."""
    space = "".join(untidy.choices(" \t\r\n", k=untidy.choice([0, 0, 1, 3])))
    match value:
        case str():
            return space + '"' + "".join(_letter(letter, untidy) for letter in value) + '"' + space
        case dict():
            members = [f"{spelled(key, untidy)}:{spelled(item, untidy)}" for key, item in value.items()]
            overruled = [f"{spelled(key, untidy)}:{_other(item)}" for key, item in value.items()]
            return f"{{{','.join(untidy.sample(overruled, min(1, len(overruled))) + members)}}}" + space
        case list():
            return f"{space}[{','.join(spelled(item, untidy) for item in value)}]"
        case _:
            return space + json.dumps(value) + space


def _other(value: Any) -> str:
    """Another value of the same type where there is one: the last of two keys is the one that counts."""
    match value:
        case str():
            return '"public"'
        case dict() if value and all(isinstance(item, dict) for item in value.values()):
            return json.dumps(dict([*value.items()][:1]))
        case _:
            return json.dumps(value)


def _letter(letter: str, untidy: Random) -> str:
    plain = json.dumps(letter, ensure_ascii=untidy.random() < 0.5)[1:-1]  # hypothesis's own
    return f"\\u{ord(letter):04x}" if untidy.random() < 0.2 else plain


def told(folder: Path, content: bytes) -> tuple[Interface, Any, Any]:
    found = read(folder, content)
    return extract_interface(found), extract_usage(found), json.loads(extract_state(found))


@given(entries=models(), untidy=UNTIDY)
def test_a_manifest_means_what_json_loads_reads_of_it(folder: Path, entries: list[Json], untidy: Random) -> None:
    text = spelled(document_of(entries), untidy)
    assert told(folder, text.encode()) == told(folder, json.dumps(json.loads(text)).encode())


@given(entries=models(), untidy=UNTIDY)
def test_the_interface_is_what_a_whole_read_makes_of_it(folder: Path, entries: list[Json], untidy: Random) -> None:
    text = spelled(document_of(entries), untidy)
    nodes = json.loads(text)["nodes"]
    public = {uid for uid, entry in nodes.items() if uid.startswith("model.dbt_up.") and _is_public(entry)}
    ancestors = {uid: tuple(sorted(_nearest(uid, nodes, public) - {uid})) for uid in public}
    found = extract_interface(read(folder, text.encode())).models
    assert {model.unique_id: model.depends_on.nodes for model in found} == ancestors
    assert all(model.config.mesh.tests == {"id": ("unique",)} for model in found)


def _is_public(entry: Json) -> bool:
    access = entry["access"] or entry["config"]["access"]
    return bool(access == "public" and entry["config"]["materialized"] != "ephemeral")


def _nearest(uid: str, nodes: Json, public: set[str], seen: frozenset[str] = frozenset()) -> set[str]:
    found = set()
    for parent in nodes[uid]["depends_on"]["nodes"] if uid in nodes else ():
        if parent in public:
            found.add(parent)
        elif parent not in seen:
            found |= _nearest(parent, nodes, public, seen | {parent})
    return found
