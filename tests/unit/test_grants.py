"""What is planned where, told one case at a time; tests/laws/test_grant_laws.py has what holds in every case."""

from typing import Any

import pytest

from registry_tools.artifacts.grants_report import grants_document, grants_markdown
from registry_tools.artifacts.grants_sql import grants_script, step_sql
from registry_tools.checks import grants
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import wanted_readers
from registry_tools.errors import UsageError
from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable, database_role, role
from registry_tools.mesh.grant_plan import GrantPlan, Held, is_reader
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Config, PublicModel
from tests.builders import deployment, interface, public_model

MESH = deployment(dbt_down=["dbt_up"], crm=["dbt_up"], aside=[])
PLACE = MESH.projects[0].places[0]
DB = "DBT_UP_PROD"
READER = database_role(DB, "MESH_PUBLIC_READER")
SCHEMA = Securable("SCHEMA", (DB, "MARTS"))
ORDERS = Securable("TABLE", (DB, "MARTS", "ORDERS"))
EVERYBODY = tuple(Membership(READER, role(name)) for name in ("DBT_DOWN_ROLE", "CRM_ROLE"))


def model(name: str = "orders", relation: str = "", **changes: Any) -> PublicModel:
    return public_model(name, **{"relation_name": relation or f"{DB}.MARTS.{name.upper()}"} | changes)


def for_some(*consumers: str) -> dict[str, object]:
    return {"mesh": {"consumers": list(consumers)}}


def account(*known: Securable | Grant | FutureGrant | Membership, owner: str | None = "DBT_UP_ROLE") -> Account:
    entry = Entry(owner=role(owner) if owner else None)
    return Account(
        objects={each: entry for each in known if isinstance(each, Securable)},
        grants=frozenset(each for each in known if isinstance(each, Grant)),
        future=frozenset(each for each in known if isinstance(each, FutureGrant)),
        memberships=frozenset(each for each in known if isinstance(each, Membership)),
    )


def plan(read: Interface, held: Account | Held | None = None) -> GrantPlan:
    if not isinstance(held, Held):
        held = Held(account=held or Account())
    return plan_grants(wanted_readers(read, PLACE, MESH), held, PLACE, MESH)


def statements(read: Interface, held: Account | Held | None = None) -> list[str]:
    return [step_sql(step) for step in plan(read, held).steps]


def told(read: Interface, held: Account | Held | None = None) -> list[tuple[str, str, str]]:
    return [(remark.check, remark.what, remark.then) for remark in plan(read, held).remarks]


def test_in_an_empty_account_the_role_is_made_and_everybody_gets_it() -> None:
    assert statements(interface(model())) == [
        "create database role if not exists DBT_UP_PROD.MESH_PUBLIC_READER",
        "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
        "grant select on table DBT_UP_PROD.MARTS.ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
        "grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role CRM_ROLE",
        "grant database role DBT_UP_PROD.MESH_PUBLIC_READER to role DBT_DOWN_ROLE",
    ]


def test_what_is_no_longer_public_is_revoked_before_anything_is_granted() -> None:
    gone = Grant("SELECT", Securable("VIEW", (DB, "OLD", "GONE")), READER)
    held = account(READER, gone, Grant("USAGE", Securable("SCHEMA", (DB, "OLD")), READER), *EVERYBODY)
    made = plan(interface(model()), held)
    assert [(step_sql(step), step.why) for step in made.steps] == [
        (
            "revoke select on view DBT_UP_PROD.OLD.GONE from database role DBT_UP_PROD.MESH_PUBLIC_READER",
            "no public model of this project is there",
        ),
        (
            "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
            "what it reads is in there",
        ),
        (
            "grant select on table DBT_UP_PROD.MARTS.ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
            "orders is public",
        ),
        (
            "revoke usage on schema DBT_UP_PROD.OLD from database role DBT_UP_PROD.MESH_PUBLIC_READER",
            "it reads nothing in there any more",
        ),
    ]


def test_nothing_is_granted_twice_whatever_show_calls_the_kind() -> None:
    for kind in ("TABLE", "VIEW", "DYNAMIC TABLE"):
        held = Grant("SELECT", Securable(kind, ORDERS.name), READER)
        made = plan(interface(model()), account(READER, held, Grant("USAGE", SCHEMA, READER), *EVERYBODY))
        assert made.is_settled
        assert grants_script(made) == "-- nothing to grant and nothing to revoke\n"


@pytest.mark.parametrize(
    ("materialized", "kind"),
    [
        ("table", "table"),
        ("incremental", "table"),
        ("view", "view"),
        ("dynamic_table", "dynamic table"),
        ("materialized_view", "materialized view"),
        ("a_materialization_of_their_own", "table"),
    ],
)
def test_the_kind_is_that_of_the_materialization(materialized: str, kind: str) -> None:
    read = interface(model(config=Config(materialized=materialized)))
    assert f"grant select on {kind} {ORDERS.path} to database role {READER.path}" in statements(read)


@pytest.mark.parametrize(
    ("materialized", "there", "kind"),
    [
        ("a_materialization_of_their_own", "VIEW", "view"),
        ("view", "TABLE", "table"),
        ("dynamic_table", "TABLE", "dynamic table"),
        ("materialized_view", "VIEW", "materialized view"),
        ("view", "STAGE", "view"),
    ],
)
def test_the_kind_is_that_of_what_is_there_where_a_table_turns_out_a_view(
    materialized: str, there: str, kind: str
) -> None:
    read = interface(model(config=Config(materialized=materialized)))
    shared = Membership(READER, Securable("SHARE", ("S",)))
    held = account(READER, SCHEMA, Securable(there, ORDERS.name), shared)
    assert f"grant select on {kind} {ORDERS.path} to database role {READER.path}" in statements(read, held)
    assert [check for check, *_ in told(read, held)] == ["view-in-share"] * (kind == "view")


def test_an_ephemeral_model_is_nowhere_and_a_model_for_nobody_has_no_role() -> None:
    read = interface(model(config=Config(materialized="ephemeral")), model("secret", meta=for_some()))
    assert statements(read) == []


@pytest.mark.parametrize(
    ("relation", "spelled"),
    [
        ('DBT_UP_PROD."Price Lists"."Café ""au lait"""', 'DBT_UP_PROD."Price Lists"."Café ""au lait"""'),
        ("dbt_up_prod.marts.orders", "DBT_UP_PROD.MARTS.ORDERS"),
        ('"DBT_UP_PROD"."MARTS"."orders"', 'DBT_UP_PROD.MARTS."orders"'),
        ('DBT_UP_PROD.MARTS."a.b; drop table x --"', 'DBT_UP_PROD.MARTS."a.b; drop table x --"'),
    ],
)
def test_names_come_as_sql_has_to_spell_them(relation: str, spelled: str) -> None:
    assert f"grant select on table {spelled} to database role {READER.path}" in statements(
        interface(model(relation=relation))
    )


def test_every_version_is_granted() -> None:
    read = interface(*(model("orders", f"{DB}.MARTS.ORDERS_V{v}", version=v, latest_version=2) for v in (1, 2)))
    granted = [step.why for step in plan(read).steps if step_sql(step).startswith("grant select")]
    assert granted == ["orders.v1 is public", "orders.v2 is public"]


def test_models_in_several_databases_have_a_reader_in_each() -> None:
    made = statements(interface(model(), model("more", "SHARED.MARTS.MORE")))
    assert "create database role if not exists SHARED.MESH_PUBLIC_READER" in made
    assert "grant select on table SHARED.MARTS.MORE to database role SHARED.MESH_PUBLIC_READER" in made
    assert "grant database role SHARED.MESH_PUBLIC_READER to role CRM_ROLE" in made


def test_a_model_for_some_has_a_role_of_its_own_that_goes_to_them_alone() -> None:
    made = plan(interface(model("prices", meta=for_some("crm.pricing"))))
    own = "DBT_UP_PROD.MESH_READER_PRICES"
    assert [(step_sql(step), step.why) for step in made.steps] == [
        (f"create database role if not exists {own}", "it reads prices, which names its consumers"),
        (f"grant usage on schema DBT_UP_PROD.MARTS to database role {own}", "what it reads is in there"),
        (
            f"grant select on table DBT_UP_PROD.MARTS.PRICES to database role {own}",
            "prices is for those whom it names",
        ),
        (f"grant database role {own} to role CRM_ROLE", "crm reads it"),
    ]


def test_who_is_taken_from_the_list_loses_the_role_first() -> None:
    own = database_role(DB, "MESH_READER_PRICES")
    relation = Securable("TABLE", (DB, "MARTS", "PRICES"))
    members = (Membership(own, role(name)) for name in ("CRM_ROLE", "DBT_DOWN_ROLE"))
    held = account(own, Grant("SELECT", relation, own), Grant("USAGE", SCHEMA, own), *members)
    made = plan(interface(model("prices", meta=for_some("crm"))), held)
    assert [(step_sql(step), step.why) for step in made.steps] == [
        (
            "revoke database role DBT_UP_PROD.MESH_READER_PRICES from role DBT_DOWN_ROLE",
            "dbt_down is not among those whom the model names",
        )
    ]


def test_what_becomes_public_is_granted_before_its_own_role_ends() -> None:
    own = database_role(DB, "MESH_READER_ORDERS")
    mine = (own, Grant("SELECT", ORDERS, own), Grant("USAGE", SCHEMA, own), Membership(own, role("CRM_ROLE")))
    held = account(*mine, READER, Grant("USAGE", SCHEMA, READER), *EVERYBODY)
    made = plan(interface(model()), held)
    assert [(step_sql(step), step.why) for step in made.steps] == [
        (f"grant select on table {ORDERS.path} to database role {READER.path}", "orders is public"),
        (
            f"revoke select on table {ORDERS.path} from database role {own.path}",
            f"{READER.path} reads it now",
        ),
        (f"revoke usage on schema {SCHEMA.path} from database role {own.path}", "it reads nothing in there any more"),
        (f"revoke database role {own.path} from role CRM_ROLE", "no public model is read by it any more"),
    ]


def test_what_fewer_may_read_is_theirs_alone_before_anything_else_is_opened() -> None:
    own = "DBT_UP_PROD.MESH_READER_PRICES"
    prices = Securable("TABLE", (DB, "MARTS", "PRICES"))
    held = account(READER, Grant("USAGE", SCHEMA, READER), Grant("SELECT", prices, READER), *EVERYBODY)
    read = interface(model(), model("other", meta=for_some("crm")), model("prices", meta=for_some("crm")))
    assert statements(read, held) == [
        f"create database role if not exists {own}",
        f"grant usage on schema DBT_UP_PROD.MARTS to database role {own}",
        f"grant select on table DBT_UP_PROD.MARTS.PRICES to database role {own}",
        f"grant database role {own} to role CRM_ROLE",
        "revoke select on table DBT_UP_PROD.MARTS.PRICES from database role DBT_UP_PROD.MESH_PUBLIC_READER",
        "create database role if not exists DBT_UP_PROD.MESH_READER_OTHER",
        "grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_READER_OTHER",
        "grant select on table DBT_UP_PROD.MARTS.ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER",
        "grant select on table DBT_UP_PROD.MARTS.OTHER to database role DBT_UP_PROD.MESH_READER_OTHER",
        "grant database role DBT_UP_PROD.MESH_READER_OTHER to role CRM_ROLE",
    ]


def test_nobody_gets_a_role_that_still_reads_what_is_another_ones() -> None:
    """Somebody has granted orders to the role of prices."""
    own, orders = (f"DBT_UP_PROD.MESH_READER_{name}" for name in ("PRICES", "ORDERS"))
    astray = Grant("SELECT", ORDERS, database_role(DB, "MESH_READER_PRICES"))
    read = interface(model(meta=for_some("crm")), model("prices", meta=for_some("crm", "dbt_down")))
    taken = f"revoke select on table {ORDERS.path} from database role {own}"
    made = statements(read, account(astray.to, Grant("USAGE", SCHEMA, astray.to), astray))
    assert made[0] == taken
    made = statements(read, account(astray.to, astray, Membership(astray.to, role("CRM_ROLE"))))
    given = [
        f"grant database role {orders} to role CRM_ROLE",
        taken,
        f"grant database role {own} to role DBT_DOWN_ROLE",
    ]
    assert made[-3:] == given


def test_two_models_that_differ_in_case_alone_are_read_by_two_roles() -> None:
    read = interface(
        model("a", 'DBT_UP_PROD.MARTS."orders"', meta=for_some("crm")),
        model("b", "DBT_UP_PROD.MARTS.ORDERS", meta=for_some("dbt_down")),
    )
    readers = wanted_readers(read, PLACE, MESH).readers
    assert [reader.role.name[1] for reader in readers] == [
        "MESH_READER_ORDERS_4838032573B4",
        "MESH_READER_ORDERS_FC66DDF0E4E9",
    ]


def test_a_very_long_name_is_cut_and_still_its_own() -> None:
    names = [f"{'X' * 250}{end}" for end in "AB"]
    read = interface(*(model(f"m{name[-1]}", f"{DB}.MARTS.{name}", meta=for_some("crm")) for name in names))
    readers = [reader.role.name[1] for reader in wanted_readers(read, PLACE, MESH).readers]
    assert len(set(readers)) == 2
    assert all(len(name) <= 255 for name in readers)


def test_a_role_that_two_models_would_share_after_all_is_refused() -> None:
    cut = "ORDERS_4838032573B4"
    relations = ('DBT_UP_PROD.MARTS."orders"', "DBT_UP_PROD.MARTS.ORDERS", f"{DB}.MARTS.{cut}")
    read = interface(*(model(f"m{at}", each, meta=for_some("crm")) for at, each in enumerate(relations)))
    with pytest.raises(UsageError, match="would be read by one role") as caught:
        wanted_readers(read, PLACE, MESH)
    assert "another alias" in caught.value.then


@pytest.mark.parametrize("consumers", [None, [], ["dbt_down"]])
def test_two_models_that_are_one_relation_are_refused(consumers: list[str] | None) -> None:
    secret = {} if consumers is None else for_some(*consumers)
    read = interface(
        model("a", "DBT_UP_PROD.MARTS.orders", config=Config(materialized="view")),
        model("b", "DBT_UP_PROD.MARTS.ORDERS", meta=secret),
    )
    with pytest.raises(UsageError, match=r"a and b are both built as DBT_UP_PROD\.MARTS\.ORDERS") as caught:
        wanted_readers(read, PLACE, MESH)
    assert "another alias" in caught.value.then


def test_consumers_that_mesh_yml_does_not_know_or_that_do_not_declare_the_upstream_are_told() -> None:
    assert told(interface(model(meta=for_some("crm", "finance", "aside", "dbt_up")))) == [
        (
            "undeclared-consumer",
            "aside may read orders, and mesh.yml does not say that it reads dbt_up",
            "add dbt_up to projects.aside.upstreams in mesh.yml, for who reads prod",
        ),
        (
            "unknown-consumer",
            "finance may read orders, and mesh.yml does not say its role",
            (
                "add projects.finance with snowflake: {database: ..., warehouse: ..., role: ...} and upstreams:"
                " {dbt_up: {}} to mesh.yml"
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (interface(adapter="bigquery"), "dbt_up is built on bigquery"),
        (interface(adapter=""), "dbt_up is built on an unknown warehouse"),
        (interface(model(relation="MARTS.ORDERS")), "without a database and a schema"),
        (interface(model(relation='DBT_UP_PROD.MARTS."a\x1b[2Jb"')), "with characters that no line of SQL shows"),
        (interface(model(relation="CRM_PROD.MARTS.ORDERS")), "lies in CRM_PROD, the database of crm in prod"),
    ],
)
def test_what_cannot_be_granted_here_is_refused(read: Interface, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        wanted_readers(read, PLACE, MESH)


def test_what_is_not_built_yet_is_told_and_not_granted() -> None:
    held = Held(
        account=account(READER, SCHEMA, ORDERS, *EVERYBODY),
        listed=frozenset({SCHEMA, Securable("SCHEMA", (DB, "NEW"))}),
    )
    made = plan(interface(model(), model("late"), model("later", f"{DB}.NEW.LATER")), held)
    assert [step_sql(step) for step in made.steps] == [
        f"grant usage on schema {SCHEMA.path} to database role {READER.path}",
        f"grant select on table {ORDERS.path} to database role {READER.path}",
    ]
    assert [(label, relation.path) for label, relation in made.unbuilt] == [
        ("late", "DBT_UP_PROD.MARTS.LATE"),
        ("later", "DBT_UP_PROD.NEW.LATER"),
    ]
    assert made.is_short
    assert grants_script(made).startswith("-- not built yet, and so left out: late at DBT_UP_PROD.MARTS.LATE\n")


def test_a_reader_of_another_owner_is_left_alone() -> None:
    gone = Grant("SELECT", Securable("TABLE", (DB, "MARTS", "GONE")), READER)
    made = plan(interface(model()), account(READER, gone, owner="SYSADMIN"))
    assert made.steps == ()
    assert made.is_short
    assert not made.is_settled
    assert [(remark.check, remark.verdict, remark.what, remark.then) for remark in made.remarks] == [
        (
            "reader-owner",
            "error",
            "DATABASE ROLE DBT_UP_PROD.MESH_PUBLIC_READER is owned by SYSADMIN, so DBT_UP_ROLE can give it nothing",
            (
                "mesh snowflake apply, or grant ownership on database role DBT_UP_PROD.MESH_PUBLIC_READER to role"
                " DBT_UP_ROLE copy current grants"
            ),
        )
    ]


def test_a_reader_of_another_owner_that_should_read_nothing_is_told_while_it_does() -> None:
    old = database_role(DB, "MESH_READER_GONE")
    held = account(old, owner="SYSADMIN")
    assert told(interface(), held) == []
    held = account(old, Grant("SELECT", ORDERS, old), owner="SYSADMIN")
    assert statements(interface(), held) == []
    assert told(interface(), held) == [
        (
            "reader-owner",
            f"DATABASE ROLE {old.path} is owned by SYSADMIN, so DBT_UP_ROLE can take nothing from it",
            (
                f"mesh snowflake apply, or grant ownership on database role {old.path} to role DBT_UP_ROLE"
                " copy current grants"
            ),
        )
    ]
    assert not plan(interface(), held).is_short


def test_what_is_not_planned_here_is_told_and_not_touched() -> None:
    own, other = database_role(DB, "MESH_READER_ORDERS"), database_role(DB, "ALL_OF_IT")
    held = account(
        READER,
        own,
        Grant("USAGE", SCHEMA, own),
        Grant("SELECT", ORDERS, own),
        Membership(own, role("CRM_ROLE")),
        Grant("USAGE", Securable("DATABASE", (DB,)), own),
        Grant("REFERENCES", ORDERS, own),
        Grant("INSERT", ORDERS, other),
        FutureGrant("SELECT", "TABLE", SCHEMA, READER),
        FutureGrant("SELECT", "TABLE", SCHEMA, role("BI")),
        *(Membership(READER, role(name)) for name in ("PUBLIC", "ASIDE_ROLE", "BI", "SYSADMIN", "DBT_UP_ROLE")),
        *(Membership(own, role(name)) for name in ("BI", "DBT_UP_DEVELOPER", "SYSADMIN")),
        Membership(own, Securable("SHARE", ("SOME_SHARE",))),
        Membership(other, READER),
        Membership(own, database_role(DB, "NESTED")),
    )
    read = interface(model(meta=for_some("crm")))
    assert statements(read, held) == []
    shown, mine = "DATABASE ROLE DBT_UP_PROD.MESH_PUBLIC_READER", "DATABASE ROLE DBT_UP_PROD.MESH_READER_ORDERS"
    low = shown.replace("DATABASE ROLE", "database role")
    assert told(read, held) == [
        (
            "other-privilege",
            f"{mine} has REFERENCES on TABLE {ORDERS.path}, which no public model asks for",
            f"revoke references on table {ORDERS.path} from database role {own.path}",
        ),
        (
            "future-grant",
            f"{shown} will have SELECT on every new TABLE in DBT_UP_PROD.MARTS",
            f"revoke select on future tables in schema DBT_UP_PROD.MARTS from {low}",
        ),
        (
            "other-role",
            f"{shown} has DATABASE ROLE DBT_UP_PROD.ALL_OF_IT, and reads whatever that reads",
            f"revoke database role DBT_UP_PROD.ALL_OF_IT from {low}",
        ),
        (
            "everybody",
            f"every user of the account has {shown}, by the role PUBLIC",
            f"revoke {low} from role PUBLIC",
        ),
        (
            "unknown-reader",
            f"DATABASE ROLE DBT_UP_PROD.NESTED has {mine}, and is no role of a project in mesh.yml",
            f"revoke database role {own.path} from database role DBT_UP_PROD.NESTED",
        ),
        (
            "unknown-reader",
            f"ROLE BI has {mine}, and is no role of a project in mesh.yml",
            f"revoke database role {own.path} from role BI",
        ),
        (
            "unknown-reader",
            f"SHARE SOME_SHARE has {mine}, and is no role of a project in mesh.yml",
            f"revoke database role {own.path} from share SOME_SHARE",
        ),
    ]


def test_a_project_that_has_the_public_reader_and_does_not_declare_it_is_told() -> None:
    grants = (Grant("USAGE", SCHEMA, READER), Grant("SELECT", ORDERS, READER))
    held = account(READER, *grants, *EVERYBODY, Membership(READER, role("ASIDE_ROLE")))
    assert statements(interface(model()), held) == []
    assert told(interface(model()), held) == [
        (
            "undeclared-reader",
            (
                "ROLE ASIDE_ROLE of aside has DATABASE ROLE DBT_UP_PROD.MESH_PUBLIC_READER,"
                " and mesh.yml does not say that it reads it"
            ),
            (
                "add it to the upstreams there, or revoke database role DBT_UP_PROD.MESH_PUBLIC_READER"
                " from role ASIDE_ROLE"
            ),
        )
    ]


def test_a_role_of_which_snowflake_shows_a_part_is_told() -> None:
    held = Held(account=account(READER, SCHEMA, ORDERS, Grant("USAGE", SCHEMA, READER)), cut=frozenset({READER}))
    made = plan(interface(model()), held)
    assert [(remark.check, remark.verdict, remark.what, remark.then) for remark in made.remarks] == [
        (
            "unseen-grants",
            "error",
            (
                "DATABASE ROLE DBT_UP_PROD.MESH_PUBLIC_READER has more than Snowflake shows of it,"
                " so what it should not read may go unseen"
            ),
            "look for it in snowflake.account_usage.grants_to_roles, and revoke by hand what is not public",
        )
    ]
    assert not made.is_settled


def test_a_reader_that_is_left_where_nothing_is_public_any_more_is_told() -> None:
    left, theirs = (database_role(name, "MESH_PUBLIC_READER") for name in ("SHARED", "CRM_PROD"))
    held = account(READER, left, theirs, Grant("USAGE", SCHEMA, READER), Grant("SELECT", ORDERS, READER), *EVERYBODY)
    assert statements(interface(model()), held) == []
    assert told(interface(model()), held) == [
        (
            "left-reader",
            f"DATABASE ROLE {left.path} is still there, and nothing public of this project lies in SHARED any more",
            f"drop database role {left.path}, once nobody reads by it",
        )
    ]
    assert told(interface(model(), model("more", "SHARED.MARTS.MORE")), held) == []


def test_a_view_in_a_share_has_to_be_a_secure_one() -> None:
    shared = Membership(READER, Securable("SHARE", ("DBT_UP_PROD_SHARE",)))
    read = interface(model(), model("recent", config=Config(materialized="view")))
    assert told(read, account(READER, shared, *EVERYBODY)) == [
        (
            "view-in-share",
            f"recent is a view, and DATABASE ROLE {READER.path} is in SHARE DBT_UP_PROD_SHARE, which takes secure ones",
            "set secure: true in the model's config where it is not set",
        )
    ]
    granted = Grant("SELECT", Securable("VIEW", (DB, "MARTS", "RECENT")), READER)
    assert told(read, account(READER, granted, shared, *EVERYBODY)) == []


def test_the_script_runs_as_the_project_and_says_why() -> None:
    held = account(READER, Grant("USAGE", SCHEMA, READER), *EVERYBODY)
    assert grants_script(plan(interface(model()), held)) == (
        "use role DBT_UP_ROLE;\n"
        "grant select on table DBT_UP_PROD.MARTS.ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER;"
        "  -- orders is public\n"
    )


def test_the_document_and_the_markdown_have_all_of_it() -> None:
    held = Held(account=account(READER, SCHEMA, ORDERS), listed=frozenset({SCHEMA}))
    read = interface(model(), model("late"), model("prices", meta=for_some("finance")))
    made = plan(read, held)
    document = grants_document(made)
    assert document["settled"] is False
    assert document["role"] == "DBT_UP_ROLE"
    assert document["readers"][0] == {
        "role": "DBT_UP_PROD.MESH_PUBLIC_READER",
        "reads": [
            {"model": "late", "relation": "DBT_UP_PROD.MARTS.LATE"},
            {"model": "orders", "relation": "DBT_UP_PROD.MARTS.ORDERS"},
        ],
        "given_to": [{"role": "CRM_ROLE", "project": "crm"}, {"role": "DBT_DOWN_ROLE", "project": "dbt_down"}],
    }
    assert [each["sql"] for each in document["statements"]] == [step_sql(step) for step in made.steps]
    assert [each["model"] for each in document["not_built"]] == ["late", "prices"]
    assert [each["check"] for each in document["findings"]] == ["unknown-consumer"]
    text = grants_markdown(made, "grants of dbt_up@prod#1")
    assert "| <code>DBT_UP_PROD.MESH_READER_PRICES</code> | <code>prices</code> | nobody |" in text
    assert f"```sql\n{grants_script(made)}```" in text
    assert "- **not built yet**: <code>late</code> at <code>DBT_UP_PROD.MARTS.LATE</code>" in text
    assert "- **warning** <code>unknown-consumer</code>: <code>finance</code>" not in text
    assert "- **warning** <code>unknown-consumer</code>: finance may read prices, and" in text


def test_the_markdown_claims_nothing_that_a_finding_denies() -> None:
    future = FutureGrant("SELECT", "TABLE", SCHEMA, READER)
    held = account(READER, future, Grant("SELECT", ORDERS, READER), Grant("USAGE", SCHEMA, READER), *EVERYBODY)
    text = grants_markdown(plan(interface(model()), held), "grants of dbt_up@prod#1")
    assert "Nothing to grant or to revoke.\n" in text
    assert "exactly" not in text
    assert "<code>future-grant</code>" in text


def test_the_markdown_of_nothing_to_do_says_so() -> None:
    assert grants_markdown(plan(interface()), "grants of dbt_up@prod#1") == (
        "### grants of <code>dbt_up&#64;prod&#35;1</code>\n\nConsumers read exactly what is public: nothing to do.\n"
    )


def test_a_role_is_looked_at_a_few_times_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Securable] = []

    def counted(each: Securable) -> bool:
        looks.append(each)
        return is_reader(each)

    monkeypatch.setattr(grants, "is_reader", counted)
    read = interface(*(model(f"m{number}", meta=for_some("crm")) for number in range(50)))
    readers = wanted_readers(read, PLACE, MESH).readers
    held = [Grant("SELECT", relation, each.role) for each in readers for relation in each.relations]
    made = plan(read, account(*(each.role for each in readers), *held, SCHEMA))
    assert len(made.steps) == 2 * len(readers)
    assert len(looks) < 10 * len(readers)
