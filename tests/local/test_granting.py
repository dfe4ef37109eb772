"""What a project grants on the embedded warehouse is shown, survives builds that copy grants, and can be taken back."""

import os
from collections.abc import Iterator

import pytest

from registry_tools.account.connection import LiveSession, open_session
from registry_tools.account.held_grants import read_held
from registry_tools.artifacts.grants_sql import step_sql
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import wanted_readers
from registry_tools.local.state import EmbeddedMesh
from registry_tools.mesh.grant_plan import GrantPlan
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import Config
from registry_tools.tasks.plan_grants import apply_grants
from tests.builders import deployment, interface, public_model

MESH = deployment(dbt_down=["dbt_up"])
PLACE = MESH.projects[0].places[0]
MARTS = "DBT_UP_PROD.MARTS"
READER = "DBT_UP_PROD.MESH_PUBLIC_READER"
ORDERS = public_model("orders", relation_name=f"{MARTS}.ORDERS")
RECENT = public_model("recent", relation_name=f'{MARTS}."recent"', config=Config(materialized="view"))
PRICES = public_model("prices", relation_name=f"{MARTS}.PRICES", meta={"mesh": {"consumers": ["dbt_down"]}})


@pytest.fixture
def session(mesh: EmbeddedMesh) -> Iterator[LiveSession]:
    """dbt_up's login; its models are built anew."""
    variables = {**os.environ, "DBT_MESH_LOCAL_WAREHOUSE_PORT": str(mesh.warehouse.port)}
    with open_session(variables, embedded=True) as opened:
        for statement in (
            "create database if not exists DBT_UP_PROD",
            f"create schema if not exists {MARTS}",
            f"create or replace table {MARTS}.ORDERS as select 1 as id",
            f"create or replace table {MARTS}.PRICES as select 1 as id",
            f'create or replace view {MARTS}."recent" as select 1 as id',
        ):
            opened.run(statement)
        yield opened


def planned(session: LiveSession, read: Interface) -> GrantPlan:
    wanted = wanted_readers(read, PLACE, MESH)
    return plan_grants(wanted, read_held(session, PLACE.role, PLACE.database, wanted.readers), PLACE, MESH)


def statements(session: LiveSession, read: Interface) -> list[str]:
    made = planned(session, read)
    assert (made.unbuilt, made.remarks) == ((), ())
    return [step_sql(step) for step in made.steps]


def test_the_plan_is_empty_once_it_is_applied_and_after_builds_that_copy_grants(session: LiveSession) -> None:
    everything = interface(ORDERS, RECENT, PRICES)
    made = planned(session, everything)
    assert f'grant select on view {MARTS}."recent" to database role {READER}' in map(step_sql, made.steps)
    assert len(list(apply_grants(made, session))) == len(made.steps) == 9
    assert statements(session, everything) == []

    session.run(f"create or replace table {MARTS}.ORDERS copy grants as select 2 as id")
    assert statements(session, everything) == []
    session.run(f"create or replace table {MARTS}.ORDERS as select 3 as id")
    lost = f"grant select on table {MARTS}.ORDERS to database role {READER}"
    assert statements(session, everything) == [lost]

    list(apply_grants(planned(session, everything), session))
    own = "DBT_UP_PROD.MESH_READER_PRICES"
    assert statements(session, interface(ORDERS)) == [
        f'revoke select on view {MARTS}."recent" from database role {READER}',
        f"revoke select on table {MARTS}.PRICES from database role {own}",
        f"revoke usage on schema {MARTS} from database role {own}",
        f"revoke database role {own} from role DBT_DOWN_ROLE",
    ]
    list(apply_grants(planned(session, interface(ORDERS)), session))
    assert statements(session, interface(ORDERS)) == []


def test_what_is_not_built_is_known_not_to_be(session: LiveSession) -> None:
    late = public_model("late", relation_name="DBT_UP_PROD.NEVER_MADE.LATE")
    assert [label for label, _ in planned(session, interface(ORDERS, late)).unbuilt] == ["late"]
