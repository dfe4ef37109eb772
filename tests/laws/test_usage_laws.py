"""Laws of usage: it depends on nothing but the project, and loses no reader that dbt knows."""

import json
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry_tools.errors import DocumentError
from registry_tools.intake.column_usage import read_usage
from registry_tools.intake.readings import Readings
from registry_tools.intake.usage import extract_usage
from registry_tools.mesh.usage import Usage
from tests.builders import Json, column, data_test, foreign, manifest, node, read, reader, source

COLUMNS = ("id", "amount", "status")
MARK = {"project": "dbt_up", "contract": "enforced"}
# What people write, by what follows `with`: each step reads one or two tables, whose columns are the same three.
QUERIES = (
    "select * from {0}",
    "select id, amount from {0}",
    "select id, sum(amount) as amount, max(status) as status from {0} group by id",
    "select a.*, b.status as other from {0} as a join {1} as b on a.id = b.id",
    "select id, amount, status from {0} union all select * from {1}",
    "select * exclude (status) from {0} qualify row_number() over (partition by id order by amount) = 1",
    "select distinct * from {0} where id in (select id from {1})",
    "select from ((",
    None,
)
RANDOMS = st.randoms(use_true_random=False)


def _source(number: int) -> Json:
    found = source(f"t{number}", f"PROD.MARTS.T{number}", mesh=MARK | {"model": f"t{number}"})
    return found | {"columns": {name: column(name) for name in COLUMNS}}


@st.composite
def projects(draw: st.DrawFn) -> list[Json]:
    """A project that reads two sources and an injected model, each of its own after those that it reads."""
    entries = [_source(0), _source(1), foreign("t2", relation_name="PROD.MARTS.T2", columns={})]
    built = [(entry["unique_id"], entry["relation_name"]) for entry in entries]
    for number in range(draw(st.integers(min_value=1, max_value=6))):
        parents = [draw(st.sampled_from(built)) for _ in range(2)]
        query = draw(st.sampled_from(QUERIES))
        compiled = query and query.format(*(relation for _, relation in parents))
        used = [parent for parent, relation in parents if relation in (compiled or relation)]
        access = draw(st.sampled_from(["public", "protected"]))
        name = f"m{number}"
        code: Json = {"compiled_code": compiled, "raw_code": compiled, "relation_name": f"DOWN.MARTS.{name}"}
        entry = node(name, "dbt_down", access=access, columns={}, depends_on={"nodes": used}, **code)
        entries += [entry, data_test("unique", entry["unique_id"], "id", "dbt_down")]
        built.append((entry["unique_id"], entry["relation_name"]))
    entries.append(reader("exposure", "board", [draw(st.sampled_from(built))[0]]))
    return entries


def usage_of(entries: list[Json], cache: Path | None = None) -> tuple[Usage, int]:
    """What they come to, and how many queries had to be read for it."""
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), manifest(*entries, project="dbt_down"))
        with Readings(found.adapter, cache, processes=1) as readings:
            return read_usage(found, {}, readings), readings.cold


@given(entries=projects(), chance=RANDOMS)
def test_the_order_of_a_manifest_does_not_matter(entries: list[Json], chance: Random) -> None:
    shuffled = chance.sample(entries, len(entries))
    assert usage_of(shuffled) == usage_of(entries)


@given(entries=projects())
def test_what_is_kept_gives_the_same_as_what_is_read(entries: list[Json]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "readings")
        cold, warm = usage_of(entries, file), usage_of(entries, file)
    assert (warm, cold) == ((cold[0], 0), usage_of(entries))


@given(entries=projects())
def test_whoever_depends_on_a_model_reads_it(entries: list[Json]) -> None:
    """Usage by column says more of every reader that usage by dependency knows, and forgets none."""
    with tempfile.TemporaryDirectory() as folder:
        known = extract_usage(read(Path(folder), manifest(*entries, project="dbt_down"))).reads
    found = {(r.upstream, r.model, r.version, r.node, r.via) for r in usage_of(entries)[0].reads}
    assert {(r.upstream, r.model, r.version, r.node, r.via) for r in known} <= found


@given(entries=projects())
def test_a_read_has_a_line_for_every_column_or_says_why_not(entries: list[Json]) -> None:
    for found in usage_of(entries)[0].reads:
        assert found.is_every == bool(found.unread)
        assert len(found.lines) == (0 if found.unread else len(found.columns))
        assert list(found.columns) == sorted(set(found.columns))


@given(entries=projects())
def test_what_is_passed_on_was_read(entries: list[Json]) -> None:
    found = usage_of(entries)[0]
    read_models = {(r.upstream, r.model) for r in found.reads}
    assert {(p.upstream, p.model) for p in found.passes} <= read_models


_DOCUMENT = json.dumps(
    manifest(
        _source(0),
        node("m0", "dbt_down", compiled_code="select * from PROD.MARTS.T0", refs=[{"name": "x", "version": None}])
        | {"depends_on": {"nodes": ["source.dbt_down.dbt_up.t0"]}, "compiled_path": "target/m0.sql"},
        data_test("unique", "source.dbt_down.dbt_up.t0", "id", "dbt_down"),
        reader("exposure", "board", ["source.dbt_down.dbt_up.t0"]) | {"meta": {"mesh": {"columns": {"t0": ["id"]}}}},
        reader("semantic_model", "sem", ["model.dbt_down.m0"]) | {"measures": [{"name": "id", "expr": "id"}]},
        reader("unit_test", "unit", ["model.dbt_down.m0"])
        | {"model": "m0", "given": [{"input": "source('dbt_up', 't0')", "rows": [{"id": 1}]}]},
        project="dbt_down",
    )
)


_VALUES = [at + 2 for at in range(len(_DOCUMENT)) if _DOCUMENT.startswith('": ', at - 1)]
_OTHERS = ("null", "7", '""', "[]", "{}", '["a"]', "[null]", '{"a": null}', '"a\\u0000b"', "1e999")


@given(at=st.sampled_from(_VALUES), other=st.sampled_from(_OTHERS))
@example(at=_DOCUMENT.index('["source.dbt_down.dbt_up.t0"]'), other='["a"]')
@example(at=_DOCUMENT.rindex('["model.dbt_down.m0"]'), other='["a"]')
def test_a_manifest_with_any_value_replaced_is_read_or_said_with_its_place(at: int, other: str) -> None:
    _, end = json.JSONDecoder().raw_decode(_DOCUMENT, at)
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = read(Path(folder), (_DOCUMENT[:at] + other + _DOCUMENT[end:]).encode())
            with Readings(found.adapter, processes=1) as readings:
                read_usage(found, {}, readings, folder=Path(folder))
        except DocumentError as error:
            assert error.where  # noqa: PT017  # other errors are the failure


def test_the_document_that_is_damaged_has_all_kinds_of_readers(tmp_path: Path) -> None:
    found = read(tmp_path, _DOCUMENT.encode())
    with Readings(found.adapter, processes=1) as readings:
        kinds = {each.node.split(".")[0] for each in read_usage(found, {}, readings).reads}
    assert kinds == {"model", "test", "exposure", "semantic_model", "unit_test"}


@pytest.mark.parametrize("query", [query for query in QUERIES if query and "((" not in query])
def test_the_queries_of_these_laws_can_be_read(query: str) -> None:
    (found,) = usage_of(
        [_source(0), node("m", "dbt_down", compiled_code=query.format("PROD.MARTS.T0", "PROD.MARTS.T0"))]
    )[0].reads
    assert not found.unread
