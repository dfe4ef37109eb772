"""What dbt itself finds in the contract of a model is among what we find, or docs/decisions/0011 says why not.

dbt compares contracts only where somebody selects `state:modified`; here its own comparison is asked directly.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from tests.builders import Json, column, interface_of, node

ID = column("id", data_type="number")
AMOUNT = column("amount", data_type="number(12,2)")
# The constraints and what else is compared, as the model of a table has them.
PLAIN: Json = {"columns": [ID, AMOUNT], "constraints": [], "materialized": "table", "enforced": True}


def typed(kind: str) -> Json:
    return {"columns": [ID, column("amount", data_type=kind)]}


def guarded(*constraints: str, on: str = "id", **named: Any) -> Json:
    found = [{"type": kind, **named} for kind in constraints]
    return {"columns": [column(on, data_type="number", constraints=found), AMOUNT]}


UNIQUE: Json = {"constraints": [{"type": "unique", "columns": ["id"]}]}
# before, after, adapter, and our rule with its class, where dbt says that the change is breaking
FOUND_BY_DBT = [
    ({}, {"enforced": False}, "snowflake", "contract-dropped", "BREAKING"),
    ({}, {"columns": [ID]}, "snowflake", "column-removed", "BREAKING"),
    ({}, {"columns": [ID, column("total", data_type="number(12,2)")]}, "snowflake", "column-removed", "BREAKING"),
    ({}, typed("varchar"), "snowflake", "column-type-changed", "BREAKING"),
    (typed("date"), typed("timestamp_ntz"), "snowflake", "column-type-changed", "BREAKING"),
    (guarded("unique"), {}, "postgres", "constraint-removed", "BREAKING"),
    (guarded("check"), {}, "postgres", "constraint-removed", "BREAKING"),
    (UNIQUE, {}, "postgres", "constraint-removed", "BREAKING"),
    (
        guarded("not_null"),
        guarded("not_null") | {"materialized": "view"},
        "snowflake",
        "materialization-changed",
        "BREAKING",
    ),
    (UNIQUE, UNIQUE | {"materialized": "view"}, "snowflake", "materialization-changed", "BREAKING"),
    # milder than dbt, as docs/decisions/0011 says
    (guarded("not_null"), {}, "snowflake", "constraint-removed", "DANGEROUS"),
    (guarded("not_null"), {}, "postgres", "constraint-removed", "DANGEROUS"),
    (typed("number(38,0)"), typed("int"), "snowflake", "column-type-changed", "SAFE"),
    (typed("varchar"), typed("string"), "snowflake", "column-type-changed", "SAFE"),
    (typed("timestamp_ntz"), typed("timestamp_tz"), "snowflake", "column-type-changed", "DANGEROUS"),
    (guarded(), guarded(on="ID"), "snowflake", "column-case-changed", "SAFE"),
    (guarded("unique", name="a"), guarded("unique", name="b"), "postgres", "constraint-renamed", "SAFE"),
]
# before, after, and our rule and class, where dbt says that nothing breaks
UNNOTICED_BY_DBT = [
    (typed("varchar(20)"), typed("varchar(5)"), "column-type-changed", "DANGEROUS"),
    (typed("number(38,2)"), typed("number(38,0)"), "column-type-changed", "DANGEROUS"),
    (guarded("primary_key"), {}, "constraint-removed", "DANGEROUS"),
    ({"enforced": False}, {"enforced": False, "columns": [ID]}, "column-removed", "BREAKING"),
    ({}, {"columns": [AMOUNT, ID]}, "columns-reordered", "SAFE"),
    ({}, {"materialized": "view"}, "materialization-changed", "DANGEROUS"),
]


def written(facts: Json) -> Json:
    """The second version of a model: dbt raises an error for those alone, and warns of the others."""
    given = PLAIN | facts
    return node(
        "orders",
        version=2,
        latest_version=2,
        fqn=["dbt_up", "orders", "v2"],
        columns={each["name"]: each for each in given["columns"]},
        constraints=given["constraints"],
        contract={"enforced": given["enforced"], "alias_types": True, "checksum": str(facts)},
        config={"materialized": given["materialized"], "access": "public"},
    )


@pytest.fixture(autouse=True)
def adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapters that dbt asks what they enforce: Snowflake's own, and one that enforces all, as Postgres does."""
    from dbt.adapters.base.impl import ConstraintSupport
    from dbt.adapters.factory import FACTORY
    from dbt.adapters.snowflake.impl import SnowflakeAdapter

    support = dict.fromkeys(SnowflakeAdapter.CONSTRAINT_SUPPORT, ConstraintSupport.ENFORCED)
    monkeypatch.setitem(FACTORY.adapters, "snowflake", SnowflakeAdapter)
    monkeypatch.setitem(FACTORY.adapters, "postgres", SimpleNamespace(CONSTRAINT_SUPPORT=support))


def is_breaking_to_dbt(before: Json, after: Json, adapter: str) -> bool:
    from dbt.contracts.graph.nodes import ModelNode
    from dbt.exceptions import ContractBreakingChangeError

    old, new = (ModelNode.from_dict(written(facts)) for facts in (before, after))
    try:
        new.same_contract(old, adapter)
    except ContractBreakingChangeError:
        return True
    return False


def ours(folder: Path, before: Json, after: Json, adapter: str) -> set[tuple[str, str]]:
    old, new = (
        msgspec.structs.replace(interface_of(folder, written(facts)), adapter=adapter) for facts in (before, after)
    )
    return {(one.change.rule, one.kind) for one in classified(compare(old, new), old, new)}


@pytest.mark.parametrize(("before", "after", "adapter", "rule", "kind"), FOUND_BY_DBT)
def test_what_dbt_finds_is_found(tmp_path: Path, before: Json, after: Json, adapter: str, rule: str, kind: str) -> None:
    assert is_breaking_to_dbt(before, after, adapter)
    assert (rule, kind) in ours(tmp_path, before, after, adapter)


@pytest.mark.parametrize(("before", "after", "rule", "kind"), UNNOTICED_BY_DBT)
def test_what_dbt_does_not_find_is_found(tmp_path: Path, before: Json, after: Json, rule: str, kind: str) -> None:
    assert not is_breaking_to_dbt(before, after, "snowflake")
    assert (rule, kind) in ours(tmp_path, before, after, "snowflake")


def test_a_model_that_is_gone_is_found_by_both(tmp_path: Path) -> None:
    from dbt.contracts.graph.nodes import ModelNode
    from dbt.exceptions import ContractBreakingChangeError

    with pytest.raises(ContractBreakingChangeError):
        ModelNode.from_dict(written({})).same_contract_removed()
    old, new = interface_of(tmp_path, written({})), interface_of(tmp_path, node("other"))
    assert [(one.change.rule, one.kind) for one in classified(compare(old, new), old, new)] == [
        ("model-removed", "BREAKING"),
        ("model-added", "SAFE"),
    ]
