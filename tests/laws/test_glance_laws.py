"""The law of the glance: however a manifest is written down, a glance at it and decoding all of it come to the same."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from registry_tools.errors import DocumentError
from registry_tools.intake.manifest import Manifest, read_manifest
from registry_tools.intake.places import values_around
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.interface import Interface
from tests.builders import Json, column, data_test, foreign, group, manifest, node, private

# Every letter is drawn, which is more than hypothesis would shrink.
SEEDS = st.integers(0, 1 << 32)
ACCESS = ("public", "public", "protected", "private", None, "")
LIKENESS = node("orders", description="of a likeness", columns={"forged": column("forged")})
# What a damaged manifest has where dbt writes something else.
WRONG = (None, 1, "x", [1], {"x": 1}, {"nodes": [1]}, {"access": 1}, {"name": None})


class Writer:
    """Writes JSON as no program does: any spaces and order, letters escaped, keys twice of which the last counts."""

    def __init__(self, chance: Random, *, doubled: float) -> None:
        self._chance = chance
        self._doubled = doubled
        self._escaped = chance.choice((0, 0, 0.02))
        self._spaces = chance.choice((("",), (" ",), ("", " ", "\n\t")))

    def text(self, value: Any) -> str:
        match value:
            case dict():
                members = [member for key, item in self._shuffled(value) for member in self._members(key, item)]
                return f"{{{self._space()}{','.join(members)}}}"
            case list():
                return f"[{','.join(self._space() + self.text(item) for item in value)}]"
            case str():
                return f'"{"".join(self._letter(letter) for letter in value)}"'
            case _:
                return json.dumps(value)

    def _members(self, key: str, item: Any) -> list[str]:
        items = [item]
        if self._chance.random() < self._doubled:
            items = [self._other(item), item]
        written = (f"{self.text(key)}{self._space()}:{self._space()}{self.text(each)}" for each in items)
        return [f"{self._space()}{each}{self._space()}" for each in written]

    def _other(self, item: Any) -> Any:
        if isinstance(item, dict) and "unique_id" in item:
            return item | {"description": "of the first of two", "access": self._chance.choice(ACCESS)}
        return "public" if isinstance(item, str) else item

    def _shuffled(self, value: Json) -> list[tuple[str, Any]]:
        members = list(value.items())
        if self._chance.random() < 0.3:  # mostly as dbt orders them
            self._chance.shuffle(members)
        return members

    def _space(self) -> str:
        return self._chance.choice(self._spaces)

    def _letter(self, letter: str) -> str:
        return f"\\u{ord(letter):04x}" if self._chance.random() < self._escaped else json.dumps(letter)[1:-1]


def _likenesses(chance: Random, depth: int = 2) -> Json:
    """Objects under the keys of nodes, as deep as meta goes, and the same as text."""
    forged = LIKENESS | {"description": f"forged at {depth}"}
    inner = _likenesses(chance, depth - 1) if depth and chance.random() < 0.5 else {}
    return {forged["unique_id"]: forged | inner, "raw_code": json.dumps({forged["unique_id"]: forged})}


def _project(chance: Random) -> Json:
    def made(name: str, **changes: Any) -> Json:
        likeness = {"odd": _likenesses(chance)} if chance.random() < 0.5 else {}
        return node(name, access=chance.choice(ACCESS), raw_code=json.dumps(LIKENESS), **likeness | changes)

    entries = [
        made("stg", depends_on={"nodes": ["model.dbt_other.products"]}),
        made("orders", group="core", depends_on={"nodes": ["model.dbt_up.stg", "source.dbt_up.raw.orders"]}),
        made("öre_2", description="\U0001f680", depends_on={"nodes": ["model.dbt_up.orders"]}),
        private("int", config={"access": chance.choice(ACCESS), "materialized": "view"}),
        foreign("products", "dbt_other"),
        data_test("unique", "model.dbt_up.orders", "id"),
        data_test("not_null", "model.dbt_up.orders", '"id"', attached_node=None),
        data_test("not_null", "model.dbt_up.stg", "id", config={"where": chance.choice((None, "1 = 1"))}),
        group("core"),
    ]
    chance.shuffle(entries)
    first = {"odd": _likenesses(chance)} if chance.random() < 0.5 else {}
    return first | manifest(*entries)


def _come_to(found: Manifest) -> Interface | str:
    try:
        return extract_interface(found)
    except DocumentError as error:
        return str(error)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests") / "manifest.json"


@given(seed=SEEDS, doubled=st.sampled_from([0, 0, 0.05, 0.2]))
def test_a_glance_comes_to_what_decoding_everything_does(path: Path, seed: int, doubled: float) -> None:
    chance = Random(seed)  # noqa: S311  # what is drawn is the same for a seed, not a secret
    text = Writer(chance, doubled=doubled).text(_project(chance))
    path.write_text(text, encoding="utf-8")
    found = read_manifest(path)
    glanced = _come_to(found)
    assert glanced == _come_to(replace(found, surveyed=None))
    if isinstance(glanced, Interface):
        decoded = {uid: item for uid, item in json.loads(text)["nodes"].items() if uid.startswith("model.dbt_up.")}
        public = {uid: item for uid, item in decoded.items() if _is_public(item)}
        assert {model.unique_id: model.description for model in glanced.models} == {
            uid: item["description"] for uid, item in public.items()
        }


def _is_public(item: Json) -> bool:
    return bool((item["access"] or item["config"].get("access")) == "public" and item["package_name"] == "dbt_up")


@given(seed=SEEDS, wrong=st.sampled_from(WRONG))
def test_what_is_wrong_in_a_node_is_said_as_if_everything_were_decoded(path: Path, seed: int, wrong: Any) -> None:
    chance = Random(seed)  # noqa: S311  # as above
    document = _project(chance)
    entry = document["nodes"][chance.choice(list(document["nodes"]))]
    entry[chance.choice(list(entry))] = wrong
    path.write_text(json.dumps(document), encoding="utf-8")
    found = read_manifest(path)
    assert _come_to(found) == _come_to(replace(found, surveyed=None))


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
def test_what_programs_write_is_not_decoded_twice(path: Path, separators: tuple[str, str]) -> None:
    likeness = {LIKENESS["unique_id"]: LIKENESS}
    document = manifest(node("orders", meta=likeness), node("lines"), private("stg"), disabled=likeness)
    path.write_text(json.dumps(document, separators=separators), encoding="utf-8")
    found = read_manifest(path)
    assert found.surveyed is not None
    assert [model.name for model in extract_interface(found).models] == ["lines", "orders"]
    assert "nodes" not in vars(found)


def _around(written: bytes, name: Raw | None = None) -> bytes | None:
    found = msgspec.json.decode(written, type=dict[str, dict[str, Raw]])["model.p.a"]["name"]
    objects = values_around(written, {"model.p.a": name or found})
    return None if objects is None else bytes(objects["model.p.a"])


def test_the_object_around_a_part_is_the_one_under_the_key() -> None:
    likeness = b'{"name": "a", "odd": {"model.p.a": {"name": "a"}}}'
    for written in (b'{"model.p.a": %s}', b'{"b": {"model.p.a": {}}, "model.p.a": %s , "c": {}}'):
        assert _around(written % likeness) == likeness + b" " * written.count(b"%s ")
    twice = b'{"model.p.a": {"name": "a", "of": 1}, "model.p.a": {"of": 2, "name": "a"}}'
    assert _around(twice) == b'{"of": 2, "name": "a"}'


@pytest.mark.parametrize(
    "written",
    [
        b'{"model.p.\\u0061": {"name": "a"}}',
        b'{"model.p.\\u0061": {"odd": {"model.p.a": {}}, "name": "a"}}',
        b'{"model.p.a": {"odd": 1%s, "name": "a"}}' % (b" " * (1 << 15)),
    ],
)
def test_a_part_whose_object_is_not_found_at_once_has_none(written: bytes) -> None:
    assert _around(written) is None


def test_a_part_of_another_text_has_no_object() -> None:
    assert _around(b'{"model.p.a": {"name": "a"}}', Raw(b'"a"')) is None
