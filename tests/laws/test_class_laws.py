"""Laws of types and classes: an order is an order, and every change has a class, whatever stood and stands there."""

from hypothesis import given
from hypothesis import strategies as st

from registry_tools.checks.class_table import RULINGS
from registry_tools.checks.classes import between, classified, classify
from registry_tools.checks.comparison import compare
from registry_tools.mesh.change import RULES
from registry_tools.mesh.datatypes import relation_of
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.verdict import CLASSES
from tests.laws.test_comparison_laws import PAIRS, STRANGERS, interfaces

ADAPTERS = st.sampled_from(["snowflake", "postgres", "bigquery", "duckdb", "redshift", "spark", "trino", "other"])
SIZES = st.integers(0, 40)
NUMBERS = st.builds("number({}, {})".format, SIZES, st.integers(0, 2)) | st.sampled_from(
    ["int", "number", "decimal(9)"]
)
PLAIN = NUMBERS | st.sampled_from(
    ["varchar", "text", "char", "date", "timestamp", "timestamp_tz", "float", "real", "x"]
)
TYPES = st.recursive(
    PLAIN | st.builds("varchar({})".format, SIZES) | st.text(max_size=12),
    lambda inner: (
        st.builds("array<{}>".format, inner)
        | st.builds("map({}, {})".format, inner, inner)
        | st.builds("struct<a {}, b: {}>".format, inner, inner)
        | st.builds("{}[]".format, inner)
    ),
    max_leaves=4,
)


@given(TYPES, TYPES, ADAPTERS)
def test_the_way_back_from_a_type_is_the_opposite(before: str, after: str, adapter: str) -> None:
    there, back = relation_of(before, after, adapter), relation_of(after, before, adapter)
    assert back == {"wider": "narrower", "narrower": "wider"}.get(there, there)
    assert relation_of(before, before.upper(), adapter) == relation_of(before.lower(), before.upper(), adapter)


@given(TYPES, TYPES, TYPES)
def test_what_is_the_same_type_is_the_same_to_every_other(one: str, two: str, other: str) -> None:
    if relation_of(one, two, "snowflake") == "same":
        assert relation_of(one, other, "snowflake") == relation_of(two, other, "snowflake")


@given(NUMBERS, NUMBERS, NUMBERS)
def test_wider_than_wider_is_wider(one: str, two: str, three: str) -> None:
    steps = {relation_of(one, two, "snowflake"), relation_of(two, three, "snowflake")}
    if steps <= {"wider", "same"}:
        assert relation_of(one, three, "snowflake") == ("wider" if "wider" in steps else "same")


@given(PAIRS | STRANGERS)
def test_every_change_has_one_class_and_one_sentence(pair: tuple[Interface, Interface]) -> None:
    changes = compare(*pair)
    found = classified(changes, *pair)
    assert sorted((one.change for one in found), key=changes.index) == list(changes)
    assert [CLASSES.index(one.kind) for one in found] == sorted(CLASSES.index(one.kind) for one in found)
    for one in found:
        rulings = RULINGS[one.change.rule].values()
        assert one == classify(one.change, *pair)
        assert (one.kind, one.code) in {(ruling.kind, ruling.code) for ruling in rulings}
        assert one.code == "" or one.code in RULES[one.change.rule].codes
        assert one.says.isprintable()
        assert one.says.endswith(".")


@given(PAIRS | STRANGERS)
def test_classes_do_not_depend_on_the_order_of_the_changes(pair: tuple[Interface, Interface]) -> None:
    changes = compare(*pair)
    assert classified(changes, *pair) == classified(reversed(changes), *pair)


@given(interfaces("up"), st.data())
def test_a_model_in_its_own_place_is_no_change(interface: Interface, data: st.DataObject) -> None:
    for model in interface.models:
        assert between("up", model, model, interface.adapter) == ()
        other = data.draw(st.sampled_from(interface.models))
        rules = {one.change.rule for one in between("up", model, other, interface.adapter)}
        assert rules.isdisjoint({"relation-moved", "identity-changed", "latest-version-moved"})
