"""The public interface: own public models alone, in one canonical form."""

from typing import Any

import pytest

from registry_tools.errors import DocumentError
from registry_tools.intake.public_interface import extract_interface
from registry_tools.mesh.public_model import Constraint, Owner, PublicModel
from tests.builders import Json, column, data_test, foreign, group, interface_of, manifest, node, private, read


@pytest.fixture
def model(tmp_path):
    """The one public model of a manifest with a model of these fields, and these other entries."""

    def extract(*others: Json, **changes: Any) -> PublicModel:
        (found,) = interface_of(tmp_path, node("orders", **changes), *others).models
        return found

    return extract


def _names(folder, *entries: Json) -> list[str]:
    return [model.label for model in interface_of(folder, *entries).models]


def test_only_own_public_models_are_in_it_sorted(tmp_path) -> None:
    seed = node("raw_orders") | {"unique_id": "seed.dbt_up.raw_orders", "resource_type": "seed"}
    entries = node("orders"), node("customers"), private("stg"), foreign("products", "dbt_other"), seed
    assert _names(tmp_path, *entries) == ["customers", "orders"]


def test_an_ephemeral_model_has_no_table_and_is_left_out(tmp_path) -> None:
    assert _names(tmp_path, node("orders", config={"materialized": "ephemeral", "access": "public"})) == []


@pytest.mark.parametrize(
    ("access", "config", "public"),
    [
        ("public", {}, True),
        (None, {"access": "public"}, True),
        ("protected", {"access": "public"}, False),
        (None, {}, False),
    ],
)
def test_access_counts_wherever_dbt_writes_it(tmp_path, access: str | None, config: Json, *, public: bool) -> None:
    assert bool(_names(tmp_path, node("orders", access=access, config=config))) is public


def test_every_version_is_a_model_of_its_own(tmp_path) -> None:
    versions = [node("products", version=v, latest_version=2) for v in (1, 2, 3)]
    assert _names(tmp_path, *versions) == ["products.v1", "products.v2", "products.v3"]


# -- where it lives ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("prod.marts.orders", ("PROD.MARTS.ORDERS", "PROD", "MARTS", "ORDERS")),
        ('PROD.MARTS."Odd Name"', ('PROD.MARTS."Odd Name"', "PROD", "MARTS", "Odd Name")),
        ("marts.orders", ("MARTS.ORDERS", None, "MARTS", "ORDERS")),
        ("orders", ("ORDERS", None, None, "ORDERS")),
        (None, ("PROD.MARTS.ORDERS", "PROD", "MARTS", "ORDERS")),
    ],
)
def test_the_relation_and_its_parts_are_what_the_warehouse_stores(model, written: str | None, seen: Any) -> None:
    found = model(relation_name=written)
    assert (found.relation_name, found.database, found.schema, found.alias) == seen


def test_a_relation_that_is_none_names_the_model(model) -> None:
    with pytest.raises(DocumentError, match=r"model\.dbt_up\.orders: 'a\.b\.c\.d' is not"):
        model(relation_name="a.b.c.d")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "or/ders", "unique_id": "model.dbt_up.or/ders"},
        {"name": "{{ orders }}", "unique_id": "model.dbt_up.{{ orders }}"},
        {"name": "customers"},
        {"meta": {"mesh": {"freshness": "24h"}}},
    ],
)
def test_a_model_that_no_reader_could_name_is_said(tmp_path, model, changes: Json) -> None:
    with pytest.raises(DocumentError) as caught:
        model(**changes)
    assert caught.value.where == str(tmp_path / "manifest.json")


def test_an_entry_under_another_name_than_its_own_is_said(tmp_path) -> None:
    forged = manifest() | {"nodes": {"model.dbt_up.orders": node("customers")}}
    with pytest.raises(DocumentError, match=r"model\.dbt_up\.(orders|customers)"):
        extract_interface(read(tmp_path, forged))


# -- what it depends on -----------------------------------------------------------------------------------------------


def _on(*parents: str) -> Json:
    return {"depends_on": {"macros": ["macro.x"], "nodes": [f"model.dbt_up.{name}" for name in parents]}}


def _ancestors(folder, *entries: Json) -> list[str]:
    (found,) = (m for m in interface_of(folder, *entries).models if m.name == "orders")
    return [unique_id.removeprefix("model.dbt_up.") for unique_id in found.depends_on.nodes]


@pytest.mark.parametrize(
    ("entries", "ancestors"),
    [
        ([node("orders", **_on("a", "b")), node("a"), node("b")], ["a", "b"]),
        ([node("orders", **_on("x")), private("x", **_on("y")), private("y", **_on("z")), node("z")], ["z"]),
        ([node("orders", **_on("a")), node("a", **_on("b")), node("b")], ["a"]),
        (
            [
                node("orders", **_on("x", "y")),
                private("x", **_on("a")),
                private("y", **_on("a", "b")),
                node("a"),
                node("b"),
            ],
            ["a", "b"],
        ),
        ([node("orders", **_on("x")), private("x", **_on("y")), private("y", **_on("x", "a")), node("a")], ["a"]),
        ([node("orders", **_on("orders"))], []),
        ([node("orders", **_on("x")), private("x", **_on("orders"))], []),
        ([node("orders", **_on("gone"))], []),
        ([node("orders", **_on("e")), node("e", config={"materialized": "ephemeral"}, **_on("a")), node("a")], ["a"]),
    ],
    ids=["direct", "layers", "nearest", "diamond", "circle", "itself", "own-circle", "gone", "ephemeral"],
)
def test_lineage_leads_to_the_nearest_public_ancestors(tmp_path, entries: list[Json], ancestors: list[str]) -> None:
    assert _ancestors(tmp_path, *entries) == ancestors


def test_a_thousand_private_layers_are_walked(tmp_path) -> None:
    layers = [private(f"x{n}", **_on(f"x{n + 1}")) for n in range(1500)]
    assert _ancestors(tmp_path, node("orders", **_on("x0")), *layers, node("x1500")) == ["x1500"]


# -- what it promises -------------------------------------------------------------------------------------------------


def test_a_foreign_key_is_published_only_where_it_leads_to_a_public_model(model) -> None:
    keys: list[Json] = [
        {"type": "foreign_key", "columns": ["c"], "to": "prod.marts.customers", "to_columns": ["id"]},
        {"type": "foreign_key", "columns": ["s"], "to": "PROD.PRIVATE.STG", "to_columns": ["id"]},
        {"type": "foreign_key", "columns": ["s"], "to": "a.b.c.d", "to_columns": ["id"]},
    ]
    customers = private("customers", unique_id="model.dbt_up.customers")
    at_column = {"c": column("c", constraints=[*keys, {"type": "not_null"}])}
    found = model(customers, constraints=keys, columns=at_column)
    assert found.constraints == ()
    assert found.columns["c"].constraints == (Constraint(type="not_null"),)


def test_a_foreign_key_to_a_public_model_is_kept(tmp_path) -> None:
    key = {"type": "foreign_key", "columns": ["c"], "to": "prod.marts.customers", "to_columns": ["id"]}
    both = interface_of(tmp_path, node("orders", constraints=[key]), node("customers"))
    assert [c.to for m in both.models for c in m.constraints] == ["prod.marts.customers"]


def test_the_expression_of_a_check_is_not_published(model) -> None:
    found = model(constraints=[{"type": "check", "name": "positive", "expression": "amount > secret()"}])
    assert found.constraints == (Constraint(type="check", name="positive"),)


def test_tests_that_hold_for_every_row_are_promises(model) -> None:
    uid = "model.dbt_up.orders"
    found = model(
        data_test("unique", uid, "id"),
        data_test("not_null", uid, "id"),
        data_test("not_null", uid, "c", attached_node=None),
        data_test("not_null", uid, "d", config={}),
    )
    assert found.config.mesh.tests == {"id": ("not_null", "unique"), "c": ("not_null",), "d": ("not_null",)}


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"severity": "warn"}},
        {"config": {"severity": "WARN"}},
        {"config": {"where": "id > 0"}},
        {"config": {"error_if": "> 10"}},
        {"test_metadata": {"name": "relationships"}},
        {"test_metadata": {"name": "unique", "namespace": "dbt_utils"}},
        {"test_metadata": None},
        {"column_name": None},
        {"attached_node": "model.dbt_up.stg"},
        {"attached_node": None, "depends_on": {"nodes": ["model.dbt_up.orders", "model.dbt_up.stg"]}},
    ],
)
def test_a_test_that_promises_less_is_no_promise(model, changes: Json) -> None:
    assert model(data_test("unique", "model.dbt_up.orders", "id", **changes)).config.mesh.tests == {}


def test_a_test_of_a_quoted_column_is_its_promise_too(model) -> None:
    """dbt 1.12 writes the column_name of such a test with its quotes: '"Id"'."""
    found = model(
        data_test("unique", "model.dbt_up.orders", '"Id"'), columns={"Id": column("Id", quote=True, name="Id")}
    )
    assert found.config.mesh.tests == {"Id": ("unique",)}


def test_a_group_is_published_with_its_team_and_only_where_a_public_model_is_in_it(tmp_path) -> None:
    entries = (
        node("orders", group="core"),
        private("stg", group="inner"),
        group("core", slack="#core"),
        group("inner"),
        group("core", "dbt_other"),
    )
    (found,) = interface_of(tmp_path, *entries).groups
    assert (found.unique_id, found.owner) == ("group.dbt_up.core", Owner(name="Core Data", slack="#core"))


# -- nobody's name, one form ------------------------------------------------------------------------------------------

PERSONAL = [
    "ask ada.lovelace+dbt@example.co.uk about it",
    "see /home/ada/notes.txt",
    "see /Users/ada/notes.txt",
    "see /root/notes.txt",
    "see C:\\Users\\ada\\notes.txt",
    "see C:/Users/ada/notes.txt",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_no_person_and_no_home_is_published(tmp_path, text: str) -> None:
    meta = {"contact": [text, {text: text}], "n": 1}
    model = node(
        "orders",
        description=text,
        tags=[text],
        meta=meta,
        group="core",
        columns={"id": column("id", description=text, tags=[text], meta=meta)},
    )
    told = group("core", name=text, slack=text) | {"description": text}
    found = interface_of(tmp_path, model, told)
    assert "lovelace" not in str(found)
    assert "notes" not in str(found)
    assert found.models[0].meta["n"] == 1
    assert "removed)" in str(found.groups[0].owner.name)


@pytest.mark.parametrize("text", ["a @ b", "5 @home", "https://example.com/a", "@here", "a/b", "ratio 1:2"])
def test_other_text_stays_as_it_is(model, text: str) -> None:
    assert model(description=text, meta={"x": text}).description == text


@pytest.mark.parametrize(
    ("written", "date"),
    [
        (None, None),
        ("", None),
        ("2027-01-01", "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:00:00", "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00+00:00"),
        # dbt gives a date without a zone the zone of the machine that parsed it: the person wrote this very date
        ("2027-01-01T00:00:00+01:00", "2027-01-01T00:00:00+00:00"),
        ("2027-01-01T00:00:00-08:00", "2027-01-01T00:00:00+00:00"),
        ("next spring", "next spring"),
    ],
)
def test_the_deprecation_date_is_the_day_that_was_written(model, written: str | None, date: str | None) -> None:
    assert model(deprecation_date=written).deprecation_date == date


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": 99.0},
        {"checksum": {"name": "sha256", "checksum": "f" * 64}},
        {"contract": {"enforced": False, "alias_types": True, "checksum": "x"}},
        {"raw_code": "select 2 as id"},
        {"compiled_code": "select 2"},
        {"relation_name": "prod.marts.ORDERS"},
        {"alias": "Orders"},
        {"tags": []},
        {"access": None},
        {"description": "All orders.", "patch_path": "dbt_up://models/x.yml"},
        {"depends_on": {"macros": ["macro.other"], "nodes": ["model.dbt_up.stg", "source.dbt_up.raw.orders"]}},
    ],
)
def test_what_readers_cannot_see_does_not_change_the_digest(tmp_path, changes: Json) -> None:
    base = interface_of(tmp_path, node("orders"), private("stg"))
    assert interface_of(tmp_path, private("stg"), node("orders", **changes)).digest == base.digest


def test_another_dbt_at_another_time_gives_the_same_digest(tmp_path) -> None:
    facts = {"dbt_version": "1.9.0", "generated_at": "2027-01-01T00:00:00Z", "invocation_id": "x", "user_id": "y"}
    schema = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v13.json"}
    later = extract_interface(read(tmp_path, manifest(node("orders"), metadata=facts | schema)))
    assert later.digest == interface_of(tmp_path, node("orders")).digest


def test_tags_are_sorted_and_stand_once(model) -> None:
    assert model(tags=["b", "a", "b"]).tags == ("a", "b")


def test_meta_of_the_config_counts_where_the_model_has_none(model) -> None:
    assert model(meta={}, config={"meta": {"pii": True}, "access": "public"}).meta == {"pii": True}
    assert model(description=None).description == ""


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"primary_key": ["id", "name"]}, ()),
        ({"constraints": [{"type": "primary_key", "columns": ["name", "id"]}], "primary_key": ["id"]}, ("name", "id")),
        ({"columns": {"id": column("id", constraints=[{"type": "primary_key"}])}}, ("id",)),
        ({"columns": {"id": column("id", constraints=[{"type": "unique"}])}, "primary_key": ["id"]}, ()),
    ],
)
def test_the_primary_key_is_the_declared_one_as_dbt_guesses_in_any_order(model, changes: Json, key: Any) -> None:
    """dbt 1.9, nodes.py, ModelNode.infer_primary_key: a set of the columns that have tests, as a list."""
    assert model(**changes).primary_key == key


V2_COLUMNS = {
    "bare": column("bare", tags=["daily"], meta={"pii": True}) | {"config": {}},
    "own": column("own", tags=["key"], meta={"a": 1}) | {"config": {"tags": ["key"], "meta": {"a": 1}}},
    "versioned": column("versioned", tags=["x"], meta={"b": 2}) | {"config": {}},
    "half": column("half", tags=["key"], meta={"pii": True}) | {"config": {"tags": ["key"]}},
}


@pytest.mark.parametrize(
    ("dbt_version", "bare", "half"),
    [("2.0.0-alpha.4", ((), {}), (("key",), {})), ("1.12.6", (("daily",), {"pii": True}), (("key",), {"pii": True}))],
)
def test_a_column_has_not_what_dbt_v2_gives_it_of_its_model(tmp_path, dbt_version: str, bare: Any, half: Any) -> None:
    inherited = node("orders", tags=["daily"], meta={"pii": True}, columns=V2_COLUMNS)
    document = manifest(inherited, metadata={"dbt_version": dbt_version})
    (found,) = extract_interface(read(tmp_path, document)).models
    columns = {name: (c.tags, c.meta) for name, c in found.columns.items()}
    assert columns == {"bare": bare, "own": (("key",), {"a": 1}), "versioned": (("x",), {"b": 2}), "half": half}


@pytest.mark.parametrize("meta", [{}, {"pii": True}])
def test_a_config_where_dbt_v2_writes_null_says_nothing(tmp_path, meta: Json) -> None:
    """dbt 2.0.0-beta.46: `config.meta`, `config.tags` and `config.contract` are null where nobody wrote any."""
    nothing = {"materialized": "table", "access": "public", "meta": None, "tags": None, "contract": None}
    document = manifest(node("orders", config=nothing, meta=meta), metadata={"dbt_version": "2.0.0-beta.46"})
    (found,) = extract_interface(read(tmp_path, document)).models
    assert (found.meta, found.config.materialized) == (meta, "table")


def test_a_config_that_is_none_names_the_model_for_dbt_v2_too(tmp_path) -> None:
    bad = node("orders", access="public") | {"config": {"materialized": 1}}
    with pytest.raises(DocumentError, match=r"model\.dbt_up\.orders"):
        extract_interface(read(tmp_path, manifest(bad, metadata={"dbt_version": "2.0.0"})))
