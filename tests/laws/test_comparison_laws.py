"""Laws of comparison: what differs is told, what is equal is not, and nothing depends on the order of a document."""

import random
from collections import Counter
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UnsetType

from registry_tools.artifacts.change_report import change_document, change_markdown, change_text
from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.mesh.change import RULES, Change
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Asset, Column, Constraint, Group, PublicModel
from tests.laws.test_mesh_laws import JSON

# Few words, so that two interfaces often speak of the same thing.
WORDS = st.sampled_from(["a", "A", "b", "model.up.a", "", "x\ny", "\x1b[1m", "v1", "long " * 40, "long " * 40 + "end"])
TEXTS = WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
METAS = st.dictionaries(WORDS, JSON, max_size=2) | st.fixed_dictionaries(
    {"mesh": st.dictionaries(st.sampled_from(["freshness", "loaded_at_field", "other"]), JSON, max_size=3)}
)
VERSIONS = st.none() | st.sampled_from([1, 2, "1", "a", 1.0, 1.5])
TOKENS = st.lists(st.sampled_from(["3f9a2c41e07b", "7c1d", "a", "b"]), min_size=1, max_size=3).map(tuple)
ASSETS = st.sets(st.sampled_from(["revenue", "costs"]), min_size=1).map(
    lambda names: tuple(Asset(kind="metric", name=name) for name in sorted(names))
)
GUARDS = st.lists(st.sampled_from(["unique", "not_null"]), max_size=2).map(tuple)


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field of an interface; a KeyError for a type that these laws have not met."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return of(hint)
    found: dict[Any, Any] = {
        str: lambda: TEXTS,
        str | None: lambda: st.none() | TEXTS,
        bool: st.booleans,
        bool | None: lambda: st.none() | st.booleans(),
        str | int | float | None: lambda: VERSIONS,
        tuple[str, ...]: lambda: st.lists(WORDS, max_size=3).map(tuple),
        tuple[Constraint, ...]: lambda: st.lists(of(Constraint), max_size=3).map(tuple),
        dict[str, Any]: lambda: METAS,
        dict[str, tuple[str, ...]]: lambda: st.dictionaries(WORDS, GUARDS, max_size=2),
        dict[str, tuple[str, ...]] | UnsetType: lambda: st.dictionaries(WORDS, TOKENS, min_size=1, max_size=2),
        tuple[Asset, ...] | UnsetType: lambda: ASSETS,
        dict[str, Column]: lambda: st.dictionaries(WORDS, of(Column), max_size=3),
    }
    strategy: st.SearchStrategy[Any] = found[hint]()
    return strategy


@st.composite
def of(draw: st.DrawFn, /, kind: type[msgspec.Struct], **fixed: Any) -> Any:
    """A struct with any values in some of its fields, also in those that it gets one day."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    needed = {name for name, field in fields.items() if field.required} - fixed.keys()
    chosen = draw(st.sets(st.sampled_from(sorted(fields.keys() - fixed.keys())), max_size=4)) | needed
    return kind(**{name: draw(of_type(fields[name].type)) for name in sorted(chosen)}, **fixed)


@st.composite
def interfaces(draw: st.DrawFn, *projects: str) -> Interface:
    """An interface as a document can hold it: every label and every group once, in their order."""
    project = draw(st.sampled_from(projects))
    models: dict[str, PublicModel] = {}
    groups: dict[str, Group] = {}
    for name in draw(st.lists(WORDS, max_size=3)):
        version = draw(VERSIONS)
        facts = {"name": name, "package_name": project, "version": version, "unique_id": f"model.{project}.{name}"}
        model = draw(of(PublicModel, **facts))
        models[model.label] = model
        group = draw(of(Group, name=draw(WORDS)))
        groups[group.name] = group
    adapter = draw(st.sampled_from(["snowflake", "bigquery"]))
    return Interface(
        project=project,
        adapter=adapter,
        models=tuple(models[label] for label in sorted(models)),
        groups=tuple(groups[name] for name in sorted(groups)),
        assets=draw(st.just(msgspec.UNSET) | ASSETS),
    )


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[Interface, Interface]:
    """Two interfaces that differ in some field of one model or of one of its columns, if at all."""
    old = draw(interfaces("up").filter(lambda interface: interface.models))
    model = old.models[0]
    if model.columns:
        name = draw(st.sampled_from(sorted(model.columns)))
        columns = model.columns | {name: draw(replaced(model.columns[name]))}
        changed = msgspec.structs.replace(model, columns=columns)
    else:
        changed = draw(replaced(model))
    models = {m.label: m for m in (changed, *old.models[1:])}
    return old, msgspec.structs.replace(old, models=tuple(models[label] for label in sorted(models)))


@st.composite
def replaced(draw: st.DrawFn, value: Any) -> Any:
    field = draw(st.sampled_from(msgspec.structs.fields(type(value))))
    return msgspec.structs.replace(value, **{field.name: draw(of_type(field.type))})


PAIRS = st.tuples(interfaces("up"), interfaces("up")) | neighbours()
STRANGERS = st.tuples(interfaces("a", "up"), interfaces("a", "up", ""))


def columns(interface: Interface) -> list[list[str]]:
    return [list(model.columns) for model in interface.models]


@given(interfaces("up"))
def test_nothing_differs_from_itself(interface: Interface) -> None:
    assert compare(interface, interface) == ()
    assert compare(interface, msgspec.json.decode(msgspec.json.encode(interface), type=Interface)) == ()


@given(PAIRS | STRANGERS)
def test_a_difference_is_told_exactly_where_there_is_one(pair: tuple[Interface, Interface]) -> None:
    """The digest of two interfaces sees all but the order of columns."""
    old, new = pair
    differs = old.digest != new.digest
    if differs:
        assert compare(old, new)
    elif columns(old) == columns(new):
        assert compare(old, new) == ()
    else:
        assert {change.rule for change in compare(old, new)} == {"columns-reordered"}


@given(PAIRS | STRANGERS)
def test_a_change_is_short_printable_and_says_two_things(pair: tuple[Interface, Interface]) -> None:
    for change in compare(*pair):
        assert change.rule in RULES
        assert change.before != change.after
        for text in (change.before, change.after):
            assert text is None or (text.isprintable() and len(text) <= 80)


@given(PAIRS, st.randoms())
def test_the_order_of_a_document_makes_no_difference(pair: tuple[Interface, Interface], chance: random.Random) -> None:
    def shuffled(interface: Interface) -> Interface:
        models, groups = list(interface.models), list(interface.groups)
        chance.shuffle(models)
        chance.shuffle(groups)
        return msgspec.structs.replace(interface, models=tuple(models), groups=tuple(groups))

    assert compare(*map(shuffled, pair)) == compare(*pair)


@given(PAIRS)
def test_changes_are_sorted_and_each_is_told_once(pair: tuple[Interface, Interface]) -> None:
    found = compare(*pair)
    assert [(c.object, c.rule) for c in found] == sorted((c.object, c.rule) for c in found)
    assert len(set(found)) == len(found)


@given(PAIRS)
def test_the_way_back_undoes_what_the_way_there_did(pair: tuple[Interface, Interface]) -> None:
    """What came goes again, what was before is after; a column that was written in another case is named by both, and
    a model that has another name by the one that it had.
    """

    def told(change: Change) -> tuple[str, str | None, str | None]:
        named = change.project if change.rule == "model-renamed" else change.object
        return named.casefold(), change.before, change.after

    there = Counter((name, after, before) for name, before, after in map(told, compare(*pair)))
    assert there == Counter(map(told, compare(*reversed(pair))))


@given(PAIRS | STRANGERS, TEXTS)
def test_every_change_is_reported_on_a_line_of_its_own(pair: tuple[Interface, Interface], heading: str) -> None:
    changes = classified(compare(*pair), *pair)
    text = change_text(changes, heading)
    assert text.count("\n") == len(text.splitlines()) == len(changes) + 1
    assert [line.split()[-1] for line in text.splitlines()[1:]] == [one.kind for one in changes]
    assert text.replace("\n", "").isprintable()
    rows = [line for line in change_markdown(changes, heading).splitlines() if line.startswith("| ")]
    assert len(rows) == (len(changes) + 1 if changes else 0)
    assert all(row.endswith(f" {one.kind} |") for row, one in zip(rows[1:], changes, strict=False))
    document = change_document(changes, "a", "b")
    assert document["changed"] is bool(changes)
    assert [entry["class"] for entry in document["changes"]] == [one.kind for one in changes]
