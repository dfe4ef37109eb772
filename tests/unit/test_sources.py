"""Sources YAML: nothing that upstream wrote becomes more than text in the consumer's project."""

from typing import Any

import pytest
import yaml

from registry_tools.artifacts.sources import MOST, is_sources_file, sources_files
from registry_tools.mesh.public_model import Column, Config, Constraint, Promise, PublicModel
from tests.builders import Json, interface, public_model, publication, sources_blocks

HOSTILE = 'x"\nevil: {a: [1\n# - \\" {{ env_var("SECRET") }} {% set x %}\n\n---\n'


def _document(*models: PublicModel, tests: bool = False, **changes: Any) -> Json:
    return {"sources": sources_blocks(interface(*models, **changes), tests=tests)}


def _table(model: PublicModel, *, tests: bool = False) -> Json:
    (block,) = _document(model, tests=tests)["sources"]
    (table,) = block["tables"]
    assert isinstance(table, dict)
    return table


def _files(*relations: str) -> dict[str, list[str]]:
    """The tables by file, of models that live there."""
    models = [public_model(f"m{at}", relation_name=relation) for at, relation in enumerate(relations)]
    files = sources_files(interface(*models), publication(), tests=False)
    return {
        name: [table["name"] for block in yaml.safe_load(text)["sources"] for table in block["tables"]]
        for name, text in files.items()
    }


def test_the_file_is_named_after_its_upstream() -> None:
    assert _files("PROD.MARTS.A", "PROD.MARTS.B") == {"_mesh_dbt_up.yml": ["m0", "m1"]}


def test_each_schema_has_a_file_because_dbt_overlooks_changes_in_the_first_of_two_blocks() -> None:
    assert _files("PROD.MARTS.A", "PROD.CORE.B") == {
        "_mesh_dbt_up.PROD.CORE.yml": ["m1"],
        "_mesh_dbt_up.PROD.MARTS.yml": ["m0"],
    }


@pytest.mark.parametrize("other", ['"../up"', '"prod"', f'"{"x" * 300}"', '"A B"', '"AB"'])
def test_places_that_are_no_file_names_or_alike_have_a_number(other: str) -> None:
    names = list(_files("PROD.MARTS.A", f"{other}.MARTS.B", '"A-B".MARTS.C', '"AB".MARTS.D'))
    assert len({name.casefold() for name in names}) == len({other, "PROD", '"A-B"', '"AB"'})
    for name in names:
        assert "/" not in name
        assert len(name) < 200
        assert is_sources_file(name, "dbt_up")


def test_many_tables_are_dealt_to_files_that_they_never_leave() -> None:
    names = [f"model_{at}" for at in range(3 * MOST)]
    few, many = (
        sources_files(interface(*map(public_model, some)), publication(), tests=False) for some in (names[:-1], names)
    )
    assert len(few) == len(many) > 3
    assert sum(few[name] != many[name] for name in few) == 1
    blocks = sources_blocks(interface(*map(public_model, names)))
    assert max(len(block["tables"]) for block in blocks) <= MOST
    assert sorted(table["name"] for block in blocks for table in block["tables"]) == sorted(names)


def test_as_many_tables_as_fit_stand_in_one_file() -> None:
    models = [public_model(f"model_{at}") for at in range(MOST)]
    assert list(sources_files(interface(*models), publication(), tests=False)) == ["_mesh_dbt_up.yml"]


def test_an_upstream_without_public_models_needs_no_file() -> None:
    assert sources_files(interface(), publication(), tests=False) == {}


@pytest.mark.parametrize("name", ["_mesh_dbt_up2.yml", "_mesh_dbt_u.yml", "_mesh_dbt_up.json", "dbt_up.yml"])
def test_files_of_others_are_not_taken_for_ours(name: str) -> None:
    assert not is_sources_file(name, "dbt_up")


def test_hostile_text_stays_inside_its_scalar() -> None:
    hostile_meta = {HOSTILE: HOSTILE, "list": [HOSTILE, {HOSTILE: (HOSTILE,)}]}
    model = public_model(
        description=HOSTILE,
        tags=(HOSTILE,),
        meta=hostile_meta,
        group=HOSTILE,
        deprecation_date=HOSTILE,
        constraints=(Constraint(type=HOSTILE, columns=(HOSTILE,)),),
        columns={
            "id": Column(name=HOSTILE, description=HOSTILE, data_type=HOSTILE, tags=(HOSTILE,), meta=hostile_meta)
        },
    )
    table = _table(model)
    assert table.keys() == {"name", "identifier", "description", "config", "columns"}
    assert table["config"].keys() == {"tags", "meta"}
    assert "{{ env_var" not in str(table)
    assert "{% set" not in str(table)


@pytest.mark.parametrize("part", ['"a{{ x }}b"', '"{% x %}"', '"{# x"'])
def test_jinja_in_the_name_of_a_table_does_not_run(part: str) -> None:
    model = public_model(relation_name=f"{part}.{part}.{part}")
    (block,) = _document(model)["sources"]
    for text in (block["database"], block["schema"], block["tables"][0]["identifier"]):
        assert text.startswith(("a{{ '{{' }}", "{{ '{%' }}", "{{ '{#' }}"))


def test_a_quote_in_a_quoted_name_is_doubled_because_dbt_does_not() -> None:
    """dbt-adapters, BaseRelation.quoted: the quote character, the identifier as it is, the quote character."""
    (block,) = _document(public_model(relation_name='"a""b"."c""d"."e""f"'))["sources"]
    assert (block["database"], block["schema"], block["tables"][0]["identifier"]) == ('a""b', 'c""d', 'e""f')


@pytest.mark.parametrize(
    ("relation", "database", "schema", "quoting"),
    [
        ("PROD.MARTS.ORDERS", "PROD", "MARTS", None),
        ('"prod".MARTS.ORDERS', "prod", "MARTS", {"database": True}),
        ('PROD."marts".ORDERS', "PROD", "marts", {"schema": True}),
        ("MARTS.ORDERS", None, "MARTS", None),
        ("ORDERS", None, None, None),
    ],
)
def test_a_block_has_the_parts_that_the_relation_has(relation: str, database: Any, schema: Any, quoting: Any) -> None:
    (block,) = _document(public_model(relation_name=relation))["sources"]
    assert (block.get("database"), block.get("schema"), block.get("quoting")) == (database, schema, quoting)


@pytest.mark.parametrize(("relation", "quoted"), [("`p-1`.`m`.`O`", True), ("p-1.m.O", False)])
def test_what_is_quoted_is_said_where_dbt_would_quote_by_itself(relation: str, *, quoted: bool) -> None:
    (block,) = _document(public_model(relation_name=relation), adapter="bigquery")["sources"]
    assert block["quoting"] == {"database": quoted, "schema": quoted}
    assert block["tables"][0]["quoting"] == {"identifier": quoted}


def test_nothing_is_said_of_the_quotes_of_a_part_that_is_not_there() -> None:
    (block,) = _document(public_model(relation_name="m.o"), adapter="spark")["sources"]
    assert block["quoting"] == {"schema": False}


def test_models_in_one_schema_share_a_block() -> None:
    blocks = _document(public_model("b"), public_model("c", relation_name="X.MARTS.C"), public_model("a"))["sources"]
    assert [[table["name"] for table in block["tables"]] for block in blocks] == [["a", "b"], ["c"]]


def test_tests_are_repeated_only_when_asked_for() -> None:
    model = public_model(config=Config(mesh=Promise(tests={"id": ("not_null", "unique"), "gone": ("unique",)})))
    assert "data_tests" not in _table(model)["columns"][0]
    assert _table(model, tests=True)["columns"][0]["data_tests"] == ["not_null", "unique"]


def test_a_promise_of_an_unknown_test_runs_nothing_here() -> None:
    promised: dict[str, tuple[str, ...]] = {"id": ("unique", "dbt_utils.expression", "x) }}{{ evil(")}
    model = public_model(config=Config(mesh=Promise(tests=promised)))
    assert _table(model, tests=True)["columns"][0].get("data_tests") in (None, ["unique"])


def test_freshness_becomes_what_dbt_asks_a_source_for() -> None:
    day = {"warn_after": {"count": 1, "period": "day"}}
    both = _table(public_model(meta={"mesh": {"loaded_at_field": "at", "freshness": day}}))["config"]
    assert (both["loaded_at_field"], both["freshness"]) == ("at", day)
    assert "freshness" not in _table(public_model(meta={"mesh": {"loaded_at_field": "at"}}))["config"]
    assert "loaded_at_field" not in _table(public_model(meta={"mesh": {"freshness": day}}))["config"]


def test_what_a_model_does_not_have_is_not_written() -> None:
    table = _table(public_model(description="", columns={"id": Column(name="id")}))
    assert "description" not in table
    assert table["columns"] == [{"name": "id"}]
    assert "columns" not in _table(public_model(columns={}))


def test_meta_of_the_column_cannot_stand_for_what_we_say_of_it() -> None:
    column = Column(name="id", meta={"mesh": "forged"}, constraints=(Constraint(type="unique"),))
    (written,) = _table(public_model(columns={"id": column}))["columns"]
    assert written["config"]["meta"] == {"mesh": {"constraints": ["unique"]}}


def test_meta_of_the_model_cannot_forge_its_mark() -> None:
    forged = {"mesh": {"project": "other", "model": "other", "version": 9}}
    assert _table(public_model(meta=forged))["config"]["meta"]["mesh"] == {"project": "dbt_up", "model": "orders"}


@pytest.mark.parametrize(
    ("version", "notice"),
    [
        (1, "products.v1 is deprecated and leaves on 2027-01-01; use products.v2 instead."),
        (2, "products.v2 is deprecated and leaves on 2027-01-01."),
    ],
)
def test_a_deprecation_says_when_and_what_instead(version: int, notice: str) -> None:
    day = "2027-01-01T00:00:00+00:00"
    models = [public_model("products", version=v, latest_version=2, deprecation_date=day) for v in (1, 2)]
    assert interface(*models).deprecation_notice(models[version - 1]) == notice
    assert interface().deprecation_notice(public_model("products", version=version)) is None


@pytest.mark.parametrize(
    ("number", "written"), [(2**64, str(2**64)), (-(2**63) - 1, str(-(2**63) - 1)), (2**63, 2**63)]
)
def test_a_number_that_dbt_stops_at_becomes_text(number: int, written: Any) -> None:
    """dbt packs what it parsed with msgpack, which has integers of 64 bits."""
    assert _table(public_model(meta={"a": [number]}))["config"]["meta"]["a"] == [written]
