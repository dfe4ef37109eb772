"""The real dbt-snowflake builds a small project on the local Snowflake: first build, second build, changed data."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry_tools.local.state import EmbeddedMesh

from .conftest import connect_to, rows

FILES = {
    "dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        flags: {send_anonymous_usage_stats: false}
        models: {+persist_docs: {relation: true, columns: true}}
    """,
    "profiles.yml": """
        shop:
          target: prod
          outputs:
            prod: {type: snowflake, account: local, host: 127.0.0.1, protocol: http, user: ci, password: none,
                   port: "{{ env_var('DBT_MESH_LOCAL_WAREHOUSE_PORT') | int }}", role: TRANSFORMER, warehouse: WH,
                   database: BUILT, schema: MARTS, threads: 4, query_tag: from_profile}
    """,
    "models/schema.yml": """
        models:
          - name: customers
            description: The customer's own table, "quoted" and all
            config:
              contract: {enforced: true}
              grants: {select: [reporter]}
              query_tag: from_model
            constraints: [{type: primary_key, columns: [id]}]
            columns:
              - {name: id, data_type: "number(18,0)", constraints: [{type: not_null}], description: it's the key}
              - {name: name, data_type: varchar}
        unit_tests:
          - name: names_are_upper_case
            model: customers
            given: [{input: ref('people'), rows: [{id: 1, name: ann, updated_at: "2020-01-01"}]}]
            expect: {rows: [{id: 1, name: ANN}]}
    """,
    "models/people.sql": """
        {{ config(materialized='view') }}
        select 1 as id, 'ann' as name, '2020-01-01'::timestamp_ntz as updated_at
        union all select 2, '{{ var("second", "bob") }}', '{{ var("at", "2020-01-01") }}'::timestamp_ntz
    """,
    "models/customers.sql": """
        {{ config(materialized='table') }}
        select id::number(18,0) as id, upper(name) as name from {{ ref('people') }}
    """,
    "models/events.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id, name, updated_at from {{ ref('people') }}
        {% if is_incremental() %} where updated_at > (select max(updated_at) from {{ this }}) {% endif %}
    """,
    "snapshots/people.yml": """
        snapshots:
          - name: people_history
            relation: ref('people')
            config: {unique_key: id, strategy: timestamp, updated_at: updated_at}
    """,
}


@pytest.mark.mesh
def test_dbt_builds_contracts_increments_snapshots_unit_tests_grants_and_docs_twice(mesh, tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()))
    build(mesh, tmp_path)
    build(mesh, tmp_path, "--vars", "{second: rob, at: '2021-01-01'}")
    connection = connect_to(mesh.warehouse.port, database="BUILT")

    def built(sql: str) -> list[tuple[Any, ...]]:
        return rows(connection, sql)

    assert built("select * from customers order by id") == [(1, "ANN"), (2, "ROB")]
    assert built("select id, name from events order by id") == [(1, "ann"), (2, "rob")]
    assert built("select name, dbt_valid_to is null from people_history order by id, dbt_valid_from") == [
        ("ann", True),
        ("bob", False),
        ("rob", True),
    ]
    assert ("SELECT", "TABLE", "BUILT.MARTS.CUSTOMERS", "ROLE", "REPORTER") in {
        row[1:6] for row in built("show grants on customers")
    }
    comments = "select comment from information_schema.{} where table_name = 'CUSTOMERS'"
    assert built(comments.format("tables")) == [('The customer\'s own table, "quoted" and all',)]
    assert built(comments.format("columns") + " and column_name = 'ID'") == [("it's the key",)]
    connection.close()


def build(mesh: EmbeddedMesh, project: Path, *options: str) -> None:
    command = [sys.executable, "-m", "dbt.cli.main", "build", "--no-use-colors", *options]
    environment = {**os.environ, **mesh.environment(), "DBT_PROFILES_DIR": str(project)}
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
