"""Raw files land in the local S3 and are loaded by the macro that loads them on Snowflake; then dbt builds on them."""

import re

import pytest
import yaml
from sqlfluff.core import Linter

from registry_tools.mesh.deployment import DeployedProject
from tests.deployments import deployment_in
from tests.local.conftest import connect_to, rows
from tests.running import REPOSITORY, RunningMesh

pytestmark = pytest.mark.mesh

# A target folder of its own: other tests read what the demo has left in dbt_up/target.
LOCAL = ("--target", "local", "--target-path", "target_loaded")
ON_LANDED = ("--target", "local_ci", "--target-path", "target_landed", "--vars", "{raw_schema: LANDED}")
LOADED = re.compile(r"loaded ([\d,]+) rows? of (\d+) files? (?:into|from) @?(\S+)")
SENT = re.compile(r"On macro_load_raw: (copy into .*?)\n/\*", re.DOTALL)


def dbt(demo: RunningMesh, *words: str) -> str:
    run = demo.run("dbt_up", "dbt", *words)
    assert run.returncode == 0, run.stdout
    return run.stdout


def load(demo: RunningMesh) -> dict[str, tuple[int, int]]:
    """What load_raw says: rows and files, by table and from the stage."""
    found = LOADED.findall(dbt(demo, "run-operation", "load_raw", *LOCAL))
    return {where.rpartition(".")[2]: (int(rows.replace(",", "")), int(files)) for rows, files, where in found}


def sample(demo: RunningMesh, rows: int, *more: str) -> str:
    run = demo.run("dbt_up", "mesh", "local", "sample-data", "--seed", "7", "--rows", str(rows), "--to-landing", *more)
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_what_lands_is_loaded_once_and_builds(demo: RunningMesh) -> None:
    demo.forget_landing()
    assert "5 new files of 5 in s3://dbt-mesh/landing/" in sample(demo, 1_000)
    refused = demo.run("dbt_up", "dbt", "run-operation", "load_raw", *LOCAL)
    assert "LANDED.raw_customers is not there" in refused.stdout
    assert "next: dbt run-operation create_landing --target local" in refused.stdout
    dbt(demo, "run-operation", "create_landing", *LOCAL)
    first = load(demo)
    assert first["LANDING"] == (1926, 5)
    assert first["raw_orders"] == (415, 1)
    assert load(demo) == {"LANDING": (0, 0)}
    dbt(demo, "run", "--select", "+public_order_items", *ON_LANDED)  # incremental: it must see the next delivery as new
    assert "4 new files of 9" in sample(demo, 3_000)
    sample(demo, 1, "--format", "csv")  # the first delivery once more, as real loads have it
    second = load(demo)
    assert second["raw_orders"] == (830 + 415, 2)
    assert second["LANDING"] == (3_772 + 1_926, 4 + 5)

    dbt(demo, "source", "freshness", *ON_LANDED)
    assert "PASS=59 WARN=0 ERROR=0" in dbt(demo, "build", *ON_LANDED)
    with connect_to(int(demo.environment["DBT_MESH_LOCAL_WAREHOUSE_PORT"])) as connection:
        assert rows(connection, "select count(*) from DBT_UP_CI.CI_MARTS.PUBLIC_ORDERS") == [(1_200,)]
        assert rows(connection, "select count(*) from DBT_UP_PROD.MARTS.PUBLIC_ORDERS") == [(400,)]
        landed = rows(connection, "select count(distinct order_item_id) from DBT_UP_PROD.LANDED.RAW_ORDER_ITEMS")
        assert rows(connection, "select count(*) from DBT_UP_CI.CI_MARTS.PUBLIC_ORDER_ITEMS") == landed

    sent = set(SENT.findall((demo.root / "dbt_up/logs/dbt.log").read_text()))
    assert len(sent) == 5 * 2
    assert all("error_on_column_count_mismatch = false" in each for each in sent if "type = csv" in each)
    for statement in sent:
        parsed = Linter(dialect="snowflake").parse_string(f"{statement};\n")
        assert parsed.violations == [], statement
        assert parsed.tree is not None
        assert [*parsed.tree.recursive_crawl("copy_into_table_statement")], statement
        assert "on_error = abort_statement" in statement
        assert "use_logical_type = true" in statement or "parse_header = true" in statement


def test_failures_are_kept_in_a_schema_that_stands(demo: RunningMesh) -> None:
    """In production the role creates none; see data_tests in dbt_project.yml."""
    kept = ("--store-failures", "--select", "not_null_stg_orders_order_id", "--log-path", "logs_kept")
    dbt(demo, "test", *kept, "--target", "local", "--target-path", "target_kept")
    assert "create schema" not in (demo.root / "dbt_up/logs_kept/dbt.log").read_text().lower()
    with connect_to(int(demo.environment["DBT_MESH_LOCAL_WAREHOUSE_PORT"])) as connection:
        assert rows(connection, "select * from DBT_UP_PROD.STAGING.not_null_stg_orders_order_id") == []


@pytest.mark.parametrize("project", deployment_in(REPOSITORY).projects, ids=lambda project: project.name)
def test_every_project_says_where_failures_go(project: DeployedProject) -> None:
    said = yaml.safe_load((REPOSITORY / project.folder / "dbt_project.yml").read_text())
    assert said["data_tests"][project.name]["+schema"] in project.schemas
