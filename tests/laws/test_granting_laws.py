"""Laws of granting, on the model of Snowflake's access rules: whatever was granted and whoever has meddled since,
consumers read exactly what is public once the plan has run, as statements or as a script.
"""

from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from registry_tools.account.held_grants import read_held
from registry_tools.artifacts.grants_sql import grants_script
from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.checks.access.questions import may
from registry_tools.checks.access.running import run
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import wanted_readers
from registry_tools.errors import AccountError
from registry_tools.mesh.account import Account, Securable, role
from registry_tools.mesh.audience import audience_of
from registry_tools.mesh.deployment import SnowflakeTerms
from registry_tools.mesh.grant_plan import GrantPlan
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Config
from registry_tools.tasks.plan_grants import apply_grants
from tests.builders import deployment, interface, public_model
from tests.fake_account import FakeAccount

MESH = replace(deployment(dbt_down=["dbt_up"], crm=["dbt_up"], aside=[]), snowflake=SnowflakeTerms(identity="key_pair"))
PLACE = MESH.projects[0].places[0]
READER = "DBT_UP_PROD.MESH_PUBLIC_READER"
RELATIONS = {
    f"DBT_UP_PROD.{schema}.{name}": kind
    for schema in ("MARTS", "STAGING")
    for name, kind in (("ORDERS", "TABLE"), ('"orders"', "VIEW"), ('"a""b.c"', "TABLE"))
}
PATHS = sorted(RELATIONS)
CONSUMERS = {"dbt_down": "DBT_DOWN_ROLE", "crm": "CRM_ROLE", "aside": "ASIDE_ROLE"}
MEDDLING = (
    *(f"grant select on {RELATIONS[path].lower()} {path} to database role {READER}" for path in PATHS),
    *(f"grant insert on table {path} to database role {READER}" for path in PATHS if RELATIONS[path] == "TABLE"),
    *(f"create or replace {RELATIONS[path].lower()} {path} as (select 1 as id)" for path in PATHS),
    *(f"drop {RELATIONS[path].lower()} {path}" for path in PATHS),
    "create database role if not exists DBT_UP_PROD.MESH_READER_ORDERS",
    "create database role if not exists DBT_UP_PROD.MESH_READER_GONE",
    "create database role if not exists DBT_UP_PROD.REPORTING",
    f"grant select on table {PATHS[0]} to database role DBT_UP_PROD.REPORTING",
)


@cache
def built() -> Account:
    """The account of the mesh as it is set up, with everything built."""
    account = Account()
    for file in snowflake_scripts(MESH):
        account, _ = run(file.content.decode(), account, role="ACCOUNTADMIN", where=file.path.name)
    lines = [f"create or replace {kind} {path} as (select 1 as id);" for path, kind in RELATIONS.items()]
    account, _ = run("".join(lines), account, role=PLACE.role)
    return account


@st.composite
def interfaces(draw: st.DrawFn) -> Interface:
    models = []
    for number, path in enumerate(draw(st.lists(st.sampled_from(PATHS), unique=True))):
        listed = draw(st.sampled_from([None, None, [], ["dbt_down"], ["crm.pricing"], ["dbt_down", "aside"]]))
        materialized = draw(st.sampled_from([RELATIONS[path].lower(), "their_own"]))
        meta = {} if listed is None else {"mesh": {"consumers": listed}}
        config = Config(materialized=materialized)
        models.append(public_model(f"m{number}", relation_name=path, meta=meta, config=config))
    return interface(*models)


def planned(read: Interface, session: FakeAccount) -> GrantPlan:
    wanted = wanted_readers(read, PLACE, MESH)
    return plan_grants(wanted, read_held(session, PLACE.role, PLACE.database, wanted.readers), PLACE, MESH)


def meddled(session: FakeAccount, statements: list[str]) -> None:
    """The statements run by the project's role, as far as the account takes them."""
    for statement in statements:
        with suppress(AccountError):
            session.run(statement)


def readable(account: Account, name: str) -> set[str]:
    relations = (each for each in account.objects if each.path in RELATIONS)
    return {each.path for each in relations if may(account, role(name), "SELECT", each)}


def admitted(read: Interface, project: str, account: Account) -> set[str]:
    there = {each.path for each in account.objects}
    readers = {reader.project for reader in PLACE.readers}
    audiences = {model.relation_name: audience_of(model.meta) for model in read.models}
    return {
        path
        for path, audience in audiences.items()
        if path in there and project in readers and (audience is None or audience.admits(project))
    }


@settings(max_examples=25, deadline=None)
@given(
    interfaces(),
    interfaces(),
    st.lists(st.sampled_from(MEDDLING), max_size=4),
    st.integers(0, 10),
    st.sampled_from(["old", "new"]),
)
def test_consumers_read_exactly_what_is_public(
    before: Interface, read: Interface, meddling: list[str], reached: int, shown: str
) -> None:
    session = FakeAccount(account=built(), role=PLACE.role, available=(PLACE.role,), old_names=shown == "old")
    deque(islice(apply_grants(planned(before, session), session), reached))
    meddled(session, meddling)
    plan, start = planned(read, session), session.account
    deque(apply_grants(plan, session))
    assert planned(read, session).steps == ()
    for project, name in CONSUMERS.items():
        assert readable(session.account, name) == admitted(read, project, session.account)
    by_script, _ = run(grants_script(plan), start)
    assert by_script == session.account
    others = {grant for grant in start.grants if grant.to.name[-1] == "REPORTING" or grant.privilege == "INSERT"}
    assert others <= session.account.grants


def test_the_law_knows_what_is_there() -> None:
    session = FakeAccount(account=built(), role=PLACE.role, available=(PLACE.role,))
    kinds = {each.path: each.kind for each in session.account.objects if each.path in RELATIONS}
    assert kinds == RELATIONS
    assert Securable("ROLE", ("CRM_ROLE",)) in session.account.objects
    assert replace(session).account is built()
