"""Laws of the vocabulary: what is printed reads back, what is named is safe, what is written is canonical."""

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.artifacts.lock_text import lock_text
from registry_tools.errors import UsageError
from registry_tools.mesh import names
from registry_tools.mesh.interface import Interface, read_interface
from registry_tools.mesh.lock import Lock, Pin
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.relation import Part, Relation, parse_relation
from registry_tools.mesh.relation_map import fits, renamed
from registry_tools.mesh.selector import Selector, parse_selector
from tests.builders import interface, public_model


def _accepted(proven: Callable[[str], str]) -> Callable[[str], bool]:
    """Whether a name is one: some that look right are devices on Windows."""

    def accepted(name: str) -> bool:
        try:
            return bool(proven(name))
        except UsageError:
            return False

    return accepted


PROJECTS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,62}", fullmatch=True).filter(_accepted(names.project_name))
ENVIRONMENTS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True).filter(_accepted(names.environment_name))
PINS = st.builds(
    Pin,
    environment=ENVIRONMENTS,
    publication=st.from_regex(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}", fullmatch=True),
    n=st.integers(1, 999_999_999_999),
    record=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    digest=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = st.builds(Part, name=st.from_regex(r"[A-Z_][A-Z0-9_$]{0,10}", fullmatch=True)) | st.builds(
    Part,
    name=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"`.$ '), min_size=1, max_size=10),
    quote=st.sampled_from(['"', "`"]),
)


@given(st.dictionaries(PROJECTS, PINS, max_size=4))
def test_a_lock_reads_back_from_its_file(pins: dict[str, Pin]) -> None:
    lock = Lock(pins=pins)
    assert Lock.from_dict(yaml.safe_load(lock_text(lock))) == lock


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_a_relation_reads_back_from_its_text(parts: list[Part]) -> None:
    missing: list[Part | None] = [None] * (3 - len(parts))
    database, schema = [*missing, *parts][:2]
    relation = Relation(database=database, schema=schema, identifier=parts[-1])
    assert parse_relation(str(relation), "snowflake") == relation


@given(st.text(), st.sampled_from(["snowflake", "bigquery"]))
def test_whatever_is_read_as_a_relation_prints_to_the_same_relation(text: str, adapter: str) -> None:
    try:
        relation = parse_relation(text, adapter)
    except ValueError:
        return
    assert parse_relation(str(relation), adapter) == relation


@given(st.text())
def test_a_project_that_is_taken_is_a_word_of_ascii(text: str) -> None:
    if _accepted(names.project_name)(text):
        assert text.isascii()
        assert text.isidentifier()


def _interfaces() -> st.SearchStrategy[Interface]:
    def build(name: str, meta: dict[str, Any], description: str, tags: list[str]) -> PublicModel:
        column = Column(name=name, description=description, meta=meta, tags=tuple(tags))
        return public_model(name, meta=meta, description=description, tags=tuple(tags), columns={name: column})

    text = st.text(st.characters(exclude_categories=["Cs"]))
    model_names = st.from_regex(r"[a-z_][a-z0-9_]{0,10}", fullmatch=True)
    metas = st.dictionaries(text, JSON, max_size=3)
    models = st.builds(build, model_names, metas, text, st.lists(text, max_size=3))
    return st.lists(models, max_size=3, unique_by=lambda model: model.name).map(lambda found: interface(*found))


@given(_interfaces())
def test_an_interface_reads_back_from_its_document(written: Interface) -> None:
    read, facts = read_interface(msgspec.json.encode(written.to_manifest({"n": 1})))
    assert read == written
    assert read.digest == written.digest
    assert facts == {"n": 1}


@given(_interfaces())
def test_the_digest_survives_any_json_writer(written: Interface) -> None:
    document = json.loads(msgspec.json.encode(written.to_manifest({})))
    read, _ = read_interface(json.dumps(document, indent=3, sort_keys=True, ensure_ascii=True).encode())
    in_order = Interface(project=read.project, adapter=read.adapter, models=written.models)
    assert {model.unique_id for model in read.models} == {model.unique_id for model in written.models}
    assert in_order.digest == written.digest
    assert sorted(map(repr, (m.description for m in read.models))) == sorted(
        repr(m.description) for m in written.models
    )


NAMES = st.text("ABC", min_size=1, max_size=4)
RULES = st.dictionaries(NAMES, NAMES, max_size=3) | st.dictionaries(
    st.builds("{}*{}".format, st.text("ABC", max_size=2), st.text("ABC", max_size=2)),
    st.builds("{}*{}".format, NAMES, st.text("ABC", max_size=2)),
    max_size=3,
)
PLACES = st.lists(st.tuples(NAMES, NAMES, st.booleans()), max_size=3)


@given(PLACES, RULES, RULES)
def test_a_map_changes_databases_and_schemas_of_what_it_fits_and_nothing_else(
    places: list[tuple[str, str, bool]], databases: dict[str, str], schemas: dict[str, str]
) -> None:
    published = interface(
        *(
            public_model(
                f"m{k}",
                relation_name=f'"{database}"."{schema}"."x.Y"' if quoted else f"{database}.{schema}.M{k}",
                database=database,
                schema=schema,
            )
            for k, (database, schema, quoted) in enumerate(places)
        )
    )
    for before, after in zip(published.models, published.mapped(databases, schemas).models, strict=True):
        here, there = before.relation("snowflake"), after.relation("snowflake")
        assert there.identifier == here.identifier
        for part, now, rules in (
            (here.database, there.database, databases),
            (here.schema, there.schema, schemas),
        ):
            assert part
            assert now
            assert now.quote == part.quote
            assert now.name == renamed(part.name, rules)
            assert any(fits(rule, part.name) for rule in rules) or now == part
        assert (there.database and there.database.name, there.schema and there.schema.name) == (
            after.database,
            after.schema,
        )
        location = {"relation_name": before.relation_name, "database": before.database, "schema": before.schema}
        assert msgspec.structs.replace(after, **location) == before


@given(NAMES, st.dictionaries(NAMES, NAMES), RULES)
def test_a_name_that_is_a_rule_is_renamed_by_it_whatever_the_patterns(
    name: str, literal: dict[str, str], patterns: dict[str, str]
) -> None:
    rules = patterns | literal | {name: "HERE"}
    assert renamed(name, rules) == "HERE"


SELECTORS = st.builds(
    lambda project, environment, rest: Selector(project=project, environment=environment, **rest),
    PROJECTS,
    ENVIRONMENTS,
    st.just({})
    | st.fixed_dictionaries({"n": st.integers(1, 999_999_999_999)})
    | st.fixed_dictionaries({"digest": st.from_regex(r"[0-9a-f]{12,64}", fullmatch=True)})
    | st.fixed_dictionaries({"publication": st.from_regex(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}", fullmatch=True)})
    | st.fixed_dictionaries({"moment": st.datetimes(timezones=st.just(UTC))}),
)


@given(SELECTORS)
def test_a_selector_reads_back_from_what_it_prints(selector: Selector) -> None:
    assert parse_selector(str(selector)) == selector
    assert parse_selector(str(selector), "other") == selector


@given(st.text() | st.from_regex(r"[a-z_]{1,5}@[a-z]{1,4}[@#!].{0,12}", fullmatch=True))
def test_whatever_is_taken_as_a_selector_prints_to_the_same_selector(text: str) -> None:
    try:
        selector = parse_selector(text)
    except UsageError:
        return
    assert parse_selector(str(selector)) == selector
