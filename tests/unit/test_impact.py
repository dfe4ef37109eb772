"""What a change does to who reads: by rule, by how it reads, through others, and nothing to anybody else."""

from typing import Any

import pytest

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.impact import impacts
from registry_tools.checks.readership import Consumption, Failure, Readership
from registry_tools.mesh.change import Change
from registry_tools.mesh.impact import REASONS, Impact
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Column, PublicModel
from registry_tools.mesh.usage import Read, Usage
from registry_tools.mesh.verdict import Class, Classified
from tests.builders import interface, public_model


def columns(**types: str | Column) -> dict[str, Column]:
    return {name: of if isinstance(of, Column) else Column(name=name, data_type=of) for name, of in types.items()}


ORDERS = public_model("orders", columns=columns(id="number", amount="number"))
V1 = public_model("orders", version=1, latest_version=1, columns=columns(id="number", amount="number"))
V2 = public_model("orders", version=2, latest_version=1, columns=columns(id="number", total="number"))


def latest(model: PublicModel, version: int) -> PublicModel:
    return other(model, latest_version=version)


def other(model: PublicModel, **changes: Any) -> PublicModel:
    fields = {name: getattr(model, name) for name in model.__struct_fields__}
    return PublicModel(**fields | changes)


def reading(*names: str, node: str = "model.dbt_down.report", model: str = "orders", **changes: Any) -> Read:
    """A node that names these columns on the lines 11, 12, ... of a.sql, and the model on line 3."""
    fields: dict[str, Any] = {
        "upstream": "dbt_up",
        "version": "",
        "via": "ref",
        "columns": names,
        "lines": tuple(range(11, 11 + len(names))),
        "path": "models/a.sql",
        "line": 3,
    }
    return Read(node=node, model=model, **fields | changes)


UNREAD: dict[str, Any] = {"columns": ("*",), "lines": (), "unread": "a Python model"}
UNRECORDED: dict[str, Any] = {"columns": ("*",), "lines": ()}


def consumer(*reads: Read, name: str = "dbt_down", environment: str = "prod", **usage: Any) -> Consumption:
    facts = {key: usage.pop(key) for key in ("owner", "failures") if key in usage}
    return Consumption(consumer=name, environment=environment, usage=Usage(project=name, reads=reads, **usage), **facts)


def found(
    old: PublicModel | Interface, new: PublicModel | Interface, *consumers: Consumption, **asked: str
) -> dict[str, tuple[Impact, ...]]:
    """What every change does that does anything, by its rule and object."""
    before, after = (side if isinstance(side, Interface) else interface(side) for side in (old, new))
    readership = Readership(before, after, consumers, **asked)
    told = {
        f"{each.change.rule} {each.change.object.removeprefix('dbt_up.')}": impacts(each, readership)
        for each in classified(compare(before, after), before, after)
    }
    return {key: value for key, value in told.items() if value}


def short(told: dict[str, tuple[Impact, ...]]) -> dict[str, list[str]]:
    """`BROKEN reads-column 11` for each reason."""
    return {
        key: [f"{reason.effect} {reason.rule} {reason.line}" for impact in of for reason in impact.reasons]
        for key, of in told.items()
    }


def drop(name: str, model: PublicModel = ORDERS) -> PublicModel:
    return other(model, columns={key: column for key, column in model.columns.items() if key != name})


# -- columns ----------------------------------------------------------------------------------------------------------

HOW: dict[str, Read] = {
    "names": reading("id", "amount"),
    "others": reading("id"),
    "none": reading(),
    "position": reading("id", whole=("position",)),
    "contract": reading("id", whole=("contract",)),
    "output": reading("id", whole=("output",)),
    "value": reading("id", whole=("value",)),
    "unread": reading(**UNREAD),
    "unrecorded": reading(**UNRECORDED),
    "takes": reading("id", taken=("NEW",)),
}
EVERYWHERE = {"unread": "UNKNOWN unread 3", "unrecorded": "UNKNOWN not-recorded 3"}
CARRIED = {
    "position": "BROKEN by-position 3",
    "contract": "BROKEN own-contract 3",
    "output": "AFFECTED whole-row 3",
    "value": "AFFECTED whole-row 3",
}
SEEN = {
    "names": "AFFECTED reads-column 12",
    "position": "AFFECTED by-position 3",
    "contract": "AFFECTED own-contract 3",
    "output": "AFFECTED whole-row 3",
    "value": "AFFECTED whole-row 3",
}
GONE = {"names": "BROKEN reads-column 12"} | CARRIED | EVERYWHERE
# the column-level rules: rule, class, code -> what it does to who reads in each of the ways
COLUMN_RULES: list[tuple[str, Class, str, dict[str, str]]] = [
    ("column-removed", "BREAKING", "C01", GONE),
    ("column-type-changed", "BREAKING", "C02", GONE),
    ("column-type-undeclared", "BREAKING", "C02", GONE),
    ("column-type-changed", "DANGEROUS", "C04", SEEN | EVERYWHERE),
    ("column-type-changed", "SAFE", "C03", {"contract": "AFFECTED own-contract 3"} | EVERYWHERE),
    ("column-type-changed", "SAFE", "", {}),
    (
        "column-case-changed",
        "BREAKING",
        "C09",
        {
            "names": "BROKEN reads-column 12",
            "position": "AFFECTED by-position 3",
            "contract": "BROKEN own-contract 3",
            "output": "AFFECTED whole-row 3",
        }
        | EVERYWHERE,
    ),
    ("column-case-changed", "SAFE", "C09", {}),
    ("constraint-removed", "BREAKING", "M12", SEEN | EVERYWHERE),
    ("constraint-removed", "DANGEROUS", "C05", SEEN | EVERYWHERE),
    ("test-removed", "DANGEROUS", "M13", SEEN | EVERYWHERE),
    ("tags-changed", "DANGEROUS", "C11", SEEN | EVERYWHERE),
    ("tags-changed", "SAFE", "C12", {}),
    ("test-added", "SAFE", "C06", {}),
    ("description-changed", "SAFE", "C12", {}),
]


@pytest.mark.parametrize(
    ("rule", "kind", "code", "expected"), COLUMN_RULES, ids=[f"{r[0]}-{r[1]}-{r[2]}" for r in COLUMN_RULES]
)
def test_a_change_of_a_column_by_how_it_is_read(rule: str, kind: Class, code: str, expected: dict[str, str]) -> None:
    before, after = ("number(10,0)", "number(12,0)") if code == "C03" else ("int", "number(38,0)")
    place = Change(rule=rule, project="dbt_up", model="orders", column="amount", before=before, after=after)
    assert by_how(Classified(change=place, kind=kind, code=code, says="so")) == expected


def by_how(change: Classified) -> dict[str, str]:
    told = {how: impacts(change, Readership(interface(ORDERS), interface(ORDERS), [consumer(HOW[how])])) for how in HOW}
    return {
        how: f"{impact.reasons[0].effect} {impact.reasons[0].rule} {impact.reasons[0].line}"
        for how, of in told.items()
        for impact in of
    }


# -- the order of columns, and new ones -------------------------------------------------------------------------------


def test_a_new_column_reaches_who_uses_its_name_and_who_counts_columns() -> None:
    change = Classified(
        change=Change(rule="column-added", project="dbt_up", model="orders", column="new", after="number"),
        kind="SAFE",
        code="C07",
        says="so",
    )
    assert by_how(change) == CARRIED | EVERYWHERE | {"takes": "BROKEN takes-name 3"}


def test_a_new_column_with_quotes_is_taken_by_its_very_name_alone() -> None:
    new = other(ORDERS, columns=ORDERS.columns | columns(new=Column(name="new", quote=True)))
    assert found(ORDERS, new, consumer(reading(taken=("NEW",)))) == {}
    assert short(found(ORDERS, new, consumer(reading(taken=("new",))))) == {
        "column-added orders.new": ["BROKEN takes-name 3"]
    }


def test_another_order_is_another_column_to_who_counts() -> None:
    new = other(ORDERS, columns=dict(reversed(ORDERS.columns.items())))
    told = {how: short(found(ORDERS, new, consumer(read))) for how, read in HOW.items()}
    moved = "columns-reordered orders"
    assert {how: of[moved] for how, of in told.items() if of} == {
        "position": ["BROKEN by-position 3"],
        "output": ["AFFECTED whole-row 3"],
        "value": ["AFFECTED whole-row 3"],
        "unread": ["UNKNOWN unread 3"],
        "unrecorded": ["UNKNOWN not-recorded 3"],
    }


@pytest.mark.parametrize(
    ("adapter", "spelled", "quote", "reached"),
    [
        ("snowflake", "AMOUNT", None, True),
        ("snowflake", "AMOUNT", True, False),
        ("snowflake", "amount", True, True),
        ("postgres", "Amount", None, True),
        ("duckdb", "Amount", None, True),
        ("clickhouse", "amount", None, True),
        ("clickhouse", "AMOUNT", None, False),
        ("databricks", "AMOUNT", True, True),
    ],
)
def test_names_are_compared_as_the_warehouse_stores_them(
    adapter: str, spelled: str, *, quote: bool | None, reached: bool
) -> None:
    old = other(ORDERS, columns=columns(id="number", amount=Column(name="amount", quote=quote)))
    told = found(
        interface(old, adapter=adapter),
        interface(drop("amount", old), adapter=adapter),
        consumer(reading(spelled)),
    )
    assert bool(told) is reached


# -- whole models -----------------------------------------------------------------------------------------------------


def model_level(**changes: Any) -> dict[str, list[str]]:
    return short(found(ORDERS, other(ORDERS, **changes), consumer(reading("id"), reading("id", model="customers"))))


def test_a_model_that_is_gone_breaks_who_reads_it_and_nobody_else() -> None:
    told = found(interface(ORDERS, public_model("x")), interface(public_model("x")), consumer(reading("id")))
    assert short(told) == {"model-removed orders": ["BROKEN reads-model 3"]}
    assert found(interface(ORDERS), interface(), consumer(reading("id", upstream="crm"))) == {}
    assert found(interface(ORDERS), interface(), consumer(reading(model="gone_before"))) == {}


def test_a_project_of_another_name_breaks_everybody() -> None:
    new = interface(public_model("orders", "dbt_sales", columns=ORDERS.columns), project="dbt_sales")
    assert short(found(interface(ORDERS), new, consumer(reading("id"))))["project-renamed "[:-1] + " dbt_up"] == [
        "BROKEN reads-model 3"
    ]


def test_of_another_platform_nobody_knows_what_it_does() -> None:
    told = short(found(interface(ORDERS), interface(ORDERS, adapter="bigquery"), consumer(reading("id"))))
    assert told["adapter-changed dbt_up"] == ["UNKNOWN reads-relation 3"]


@pytest.mark.parametrize(
    ("rule", "kind", "code", "expected"),
    [
        ("contract-dropped", "BREAKING", "M09", ["AFFECTED uses-model 3"]),
        ("materialization-changed", "DANGEROUS", "M08", ["AFFECTED uses-model 3"]),
        ("materialization-changed", "BREAKING", "M07", ["BROKEN reads-model 3"]),
        ("access-changed", "BREAKING", "M02", ["BROKEN reads-model 3"]),
        ("primary-key-changed", "DANGEROUS", "M13", ["AFFECTED uses-model 3"]),
        ("constraint-removed", "BREAKING", "M12", ["AFFECTED uses-model 3"]),
        ("contract-added", "SAFE", "M10", []),
        ("deprecation-set", "SAFE", "M11", []),
        ("description-changed", "SAFE", "C12", []),
    ],
)
def test_a_change_of_a_whole_model(rule: str, kind: Class, code: str, expected: list[str]) -> None:
    change = Classified(change=Change(rule=rule, project="dbt_up", model="orders"), kind=kind, code=code, says="so")
    readership = Readership(interface(ORDERS), interface(ORDERS), [consumer(reading("id"))])
    assert short({"": impacts(change, readership)})[""] == expected


def test_a_change_of_a_group_or_of_a_new_model_reaches_nobody() -> None:
    readership = Readership(interface(ORDERS), interface(ORDERS), [consumer(reading("id"))])
    for place in ({"group": "core"}, {"model": "customers"}):
        change = Change(rule="owner-changed", project="dbt_up", **place)
        assert impacts(Classified(change=change, kind="BREAKING", code="", says="so"), readership) == ()


def test_a_relation_that_moved_is_read_under_its_old_name_until_the_consumer_has_built() -> None:
    new = other(ORDERS, relation_name="PROD.OTHER.ORDERS", schema="OTHER")
    assert short(found(ORDERS, new, consumer(reading("id"))))["relation-moved orders"] == ["AFFECTED reads-relation 3"]
    pinned = consumer(reading("id"), pins={"dbt_up": "20260101T000000Z-0123456789ab"})
    for publication, rule in (("", "reads-relation"), (pinned.usage.pins["dbt_up"], "reads-relation"), ("x", "pinned")):
        told = short(found(ORDERS, new, pinned, publication=publication))
        assert told["relation-moved orders"] == [f"AFFECTED {rule} 3"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, ["crm"], ["BROKEN no-consumer 3"]),
        (["dbt_down", "crm"], ["dbt_down"], []),
        (["dbt_down", "crm"], ["dbt_down.finance"], ["UNKNOWN no-consumer 3"]),
        (["dbt_down.finance", "dbt_down.sales"], ["dbt_down.sales"], ["UNKNOWN no-consumer 3"]),
        (["dbt_down.finance", "crm"], ["dbt_down.finance"], []),
        (["crm", "dwh"], ["crm"], []),
    ],
)
def test_who_is_no_longer_among_the_consumers(before: list[str] | None, after: list[str], expected: list[str]) -> None:
    old, new = (other(ORDERS, meta={} if said is None else {"mesh": {"consumers": said}}) for said in (before, after))
    told = short(found(old, new, consumer(reading("id"))))
    assert told.get("consumers-narrowed orders", []) == expected


# -- versions ---------------------------------------------------------------------------------------------------------


def test_a_version_that_is_gone_breaks_who_named_it() -> None:
    reads = [reading("id", node="model.dbt_down.one", version="1"), reading("id", node="model.dbt_down.latest")]
    told = found(interface(latest(V1, 2), latest(V2, 2)), interface(latest(V2, 2)), consumer(*reads))
    assert short(told) == {"version-removed orders.v1": ["BROKEN reads-model 3"]}
    assert told["version-removed orders.v1"][0].reasons[0].node == "model.dbt_down.one"


def test_another_latest_version_is_all_that_lies_between_the_two() -> None:
    reads = [
        reading("amount", node="model.dbt_down.a"),
        reading("id", node="model.dbt_down.b"),
        reading("amount", version="1"),
    ]
    told = found(interface(V1, V2), interface(latest(V1, 2), latest(V2, 2)), consumer(*reads))
    moved = told["latest-version-moved orders"]
    assert [(r.effect, r.rule, r.node, r.model, r.column) for impact in moved for r in impact.reasons] == [
        ("BROKEN", "reads-column", "model.dbt_down.a", "orders.v1", "amount")
    ]
    assert moved[0].reasons[0].told
    assert list(told) == ["latest-version-moved orders"]


def test_the_table_of_a_version_that_goes_is_read_until_the_consumer_has_built() -> None:
    old, new = interface(V1, other(V2, columns=V1.columns)), interface(latest(other(V2, columns=V1.columns), 2))
    told = short(found(old, new, consumer(reading("id"))))
    assert told == {"latest-version-moved orders": ["AFFECTED reads-relation 3"]}


def test_a_latest_version_that_is_not_public_is_nobodys() -> None:
    told = short(found(interface(V1), interface(latest(V1, 2)), consumer(reading("id"))))
    assert told == {"latest-version-moved orders": ["BROKEN reads-model 3"]}
    assert found(interface(latest(V1, 2)), interface(V1), consumer(reading("id"))) == {}


def test_a_model_gets_versions_and_loses_them() -> None:
    down = consumer(reading("amount"))
    same = other(V1, relation_name=ORDERS.relation_name)
    assert short(found(interface(ORDERS), interface(same), down)) == {}
    assert short(found(interface(same), interface(ORDERS), down)) == {}
    assert short(found(interface(ORDERS), interface(latest(V1, 2), latest(V2, 2)), down)) == {
        "model-versioned orders": ["BROKEN reads-column 11", "AFFECTED reads-relation 3"]
    }


# -- compiled again ---------------------------------------------------------------------------------------------------


def failure(column: str | None = None, model: str = "orders") -> Failure:
    return Failure(node="model.dbt_down.f", model=model, column=column, path="models/f.sql", line=7, told="ambiguous")


@pytest.mark.parametrize(
    ("told", "reached"),
    [(failure("NEW"), True), (failure(), True), (failure("id"), False), (failure("NEW", "customers"), False)],
)
def test_what_does_not_compile_is_broken_by_what_it_names(told: Failure, *, reached: bool) -> None:
    new = other(ORDERS, columns=ORDERS.columns | columns(new="number"), description="Other.")
    shown = short(found(ORDERS, new, consumer(failures=(told,))))
    assert shown == ({"column-added orders.new": ["BROKEN not-compiled 7"]} if reached else {})


def test_what_does_not_compile_against_another_latest_version_is_broken_by_that() -> None:
    down = consumer(reading("id"), failures=(failure(model="orders.v1"),))
    same = other(V2, columns=V1.columns)
    told = short(found(interface(V1, same), interface(latest(V1, 2), latest(same, 2)), down))
    assert told == {"latest-version-moved orders": ["BROKEN not-compiled 7"]}
    assert short(found(interface(V2), interface(latest(V2, 2)), consumer(failures=(failure(model="orders.v1"),)))) == {}


def test_what_cannot_keep_sql_from_compiling_is_not_why_it_does_not() -> None:
    new = other(ORDERS, columns=columns(id="number", amount="number(5)"), description="Other.")
    old = other(ORDERS, columns=columns(id="number", amount="number(9)"))
    assert found(old, new, consumer(failures=(failure(), failure("amount")))) == {}


# -- how it is told ---------------------------------------------------------------------------------------------------


def test_the_worst_comes_first_then_the_consumer_then_the_environment() -> None:
    told = found(
        ORDERS,
        drop("amount"),
        consumer(reading("amount"), name="z"),
        consumer(reading("amount"), environment="dev"),
        consumer(reading("amount"), reading(node="model.dbt_down.b", whole=("output",))),
        consumer(reading("id", whole=("output",)), name="a"),
        consumer(reading(**UNREAD), name="b"),
        consumer(reading("id"), name="c"),
    )["column-removed orders.amount"]
    assert [(i.effect, i.consumer, i.environment, len(i.reasons)) for i in told] == [
        ("BROKEN", "dbt_down", "dev", 1),
        ("BROKEN", "dbt_down", "prod", 2),
        ("BROKEN", "z", "prod", 1),
        ("UNKNOWN", "b", "prod", 1),
        ("AFFECTED", "a", "prod", 1),
    ]


def test_one_consumer_told_twice_is_told_as_one_with_its_owner() -> None:
    old, new = reading("amount", node="model.dbt_down.old"), reading("amount", node="model.dbt_down.new")
    owner = {"team": "Orders", "contact": "#orders"}
    (impact,) = found(ORDERS, drop("amount"), consumer(old), consumer(new, owner=owner))["column-removed orders.amount"]
    assert [reason.name for reason in impact.reasons] == ["new", "old"]
    assert impact.owner == owner
    published = consumer(old).usage.__class__(project="dbt_down", reads=(old,), owner=owner)
    (impact,) = found(ORDERS, drop("amount"), Consumption(consumer="dbt_down", environment="prod", usage=published))[
        "column-removed orders.amount"
    ]
    assert impact.owner == owner


def test_readers_are_counted_by_node() -> None:
    reads = [
        reading("id"),
        reading("id", version="1"),
        reading(node="model.dbt_down.p", **UNREAD),
        reading(upstream="crm"),
    ]
    readers = Readership(interface(ORDERS), interface(ORDERS), [consumer(*reads), consumer(name="a")]).readers()
    assert [(r.consumer, r.nodes, r.unread) for r in readers] == [("a", 0, 0), ("dbt_down", 2, 1)]


def test_every_reason_that_is_given_has_its_words() -> None:
    given = {"reads-model", "reads-column", "takes-name", "by-position", "own-contract", "whole-row", "unread"}
    assert given | {"not-recorded", "not-compiled", "pinned", "through", "reads-relation", "no-consumer"} <= set(
        REASONS
    )
    assert "uses-model" in REASONS
