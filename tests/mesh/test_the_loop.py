import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.running import RunningMesh

pytestmark = pytest.mark.mesh

UPSTREAM = "DBT_UP_PROD.MARTS.PUBLIC_ORDERS"


def test_the_demo_shows_every_step_of_every_project_and_the_lineage(demo: RunningMesh) -> None:
    for project in ("dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package"):
        for step in ("sync_mesh", "dbt build", "publish_manifest"):
            assert f"✓ {project}  {step}" in demo.printed
    assert "4 of 4 projects built and published" in demo.printed
    tree = demo.printed.partition("The mesh\n")[2]
    assert f"public_orders  {UPSTREAM}" in tree
    assert "dbt_down  model.dbt_down.downstream_orders  source" in tree
    assert "dbt_down_loom  model.dbt_down_loom.downstream_orders  ref" in tree
    assert "dbt_down_package  model.dbt_down_package.customer_cards  ref" in tree


def test_the_demo_refuses_a_pull_request_that_breaks_others_and_names_them_by_file_and_line(demo: RunningMesh) -> None:
    refused = demo.printed.partition("Pull request in dbt_up: drop amount  refused")[2]
    refused = refused.partition("Pull request in")[0]
    assert "error: column-removed  dbt_up.public_orders.amount  number(12,2)  BREAKING C01" in refused
    for consumer, line in (("dbt_down@prod", 11), ("dbt_down_loom@prod", 4)):
        of = refused.partition(f"BROKEN  {consumer}")[2]
        assert f"downstream_orders  models/marts/downstream_orders.sql:{line}  it names the column" in _squeezed(of)
    assert "dbt_up@prod: no, 1 of 1 change is refused" in refused


def test_the_demo_allows_a_pull_request_that_drops_what_nobody_reads(demo: RunningMesh) -> None:
    allowed = demo.printed.partition("Pull request in dbt_up: drop created at  allowed")[2]
    assert "dbt_up@prod: yes, 1 change may go on" in allowed


def _squeezed(text: str) -> str:
    return re.sub(r" {2,}", "  ", text)


def test_a_downstream_unit_test_mocks_models_of_upstream_and_no_stub_is_built(demo: RunningMesh) -> None:
    results = json.loads((demo.root / "dbt_down_package/target/run_results.json").read_text())["results"]
    stubs = {result["message"] for result in results if result["unique_id"].startswith("model.dbt_up.")}
    assert stubs == {"NO-OP"}
    unit_test = "unit_test.dbt_down_package.customer_cards.customer_cards_ask_those_who_return_most"
    assert [result["status"] for result in results if result["unique_id"] == unit_test] == ["pass"]
    assert "5 stubs that nobody builds" in demo.printed


@pytest.mark.parametrize(
    ("project", "model"),
    [
        ("dbt_down", "downstream_orders"),
        ("dbt_down_loom", "downstream_orders"),
        ("dbt_down_package", "customer_cards"),
    ],
)
def test_a_consumer_reads_the_upstream_table(demo: RunningMesh, project: str, model: str) -> None:
    models = demo.root / project / "target" / "compiled" / project / "models"
    assert UPSTREAM in (models / "marts" / f"{model}.sql").read_text()


@pytest.mark.parametrize(
    ("project", "model", "parent"),
    [
        ("dbt_up", "public_orders", "DBT_UP_PROD.STAGING.stg_orders"),
        ("dbt_down", "customer_lifetime", "DBT_DOWN_PROD.MARTS.downstream_orders"),
        ("dbt_down_loom", "weekly_revenue", "DBT_DOWN_LOOM_PROD.MARTS.downstream_orders"),
    ],
)
def test_defer_reads_production_where_the_parents_are_not_built(
    demo: RunningMesh, project: str, model: str, parent: str
) -> None:
    synced = demo.run(project, "sync_mesh", "--env", "dev")
    assert synced.returncode == 0, synced.stdout
    assert f"defers to {project}@prod#" in synced.stdout
    empty_schema = ("--target", "local_dev")
    with ThreadPoolExecutor() as pool:
        plain = pool.submit(demo.compiled, project, model, *empty_schema)
        deferred = pool.submit(demo.compiled, project, model, *empty_schema, "--defer", "--state", "state")
    assert parent not in plain.result()
    assert "ann_dev" in plain.result()
    assert parent in deferred.result()


@pytest.mark.parametrize("project", ["dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package"])
def test_nothing_is_modified_against_the_state_that_was_just_published(demo: RunningMesh, project: str) -> None:
    assert demo.run(project, "sync_mesh").returncode == 0
    words = ["dbt", "--quiet", "ls", "--target", "local", "--select", "state:modified", "--state", "state"]
    listed = demo.run(project, *words, "--target-path", "target_modified")
    assert listed.returncode == 0, listed.stdout
    assert not [line for line in listed.stdout.splitlines() if line.startswith(project)]


def test_building_again_merges_and_publishes_number_two(demo: RunningMesh) -> None:
    line = "dbt build --target local && publish_manifest --env staging && touch dbt_project.yml"
    first = demo.shell("dbt_up", line)
    assert first.returncode == 0, first.stdout
    assert "dbt_up@staging#1" in first.stdout
    second = demo.shell("dbt_up", "dbt parse --quiet --target local && publish_manifest --env staging --format json")
    assert second.returncode == 0, second.stdout
    published = json.loads(second.stdout[second.stdout.index("{") :])
    assert (published["n"], published["new"]) == (2, True)


def test_plain_dbt_loom_reads_the_bucket_without_our_help(demo: RunningMesh) -> None:
    project = demo.root / "dbt_down_loom"
    config = project / "plain_loom.yml"
    config.write_text(
        "enable_telemetry: false\n"
        "manifests:\n"
        "  - name: dbt_up\n"
        "    type: s3\n"
        "    config: {bucket_name: dbt-mesh, object_name: registry/dbt_up/prod/latest/manifest.json}\n"
    )
    plain = replace(demo, environment=demo.environment | {"DBT_LOOM_CONFIG": str(config)})
    assert UPSTREAM in plain.compiled("dbt_down_loom", "downstream_orders", "--target", "local", "--no-partial-parse")


def test_a_private_model_of_upstream_cannot_be_referenced(demo: RunningMesh) -> None:
    model = demo.root / "dbt_down_loom" / "models" / "reaches_too_far.sql"
    model.write_text("select * from {{ ref('dbt_up', 'int_orders_paid') }}\n")
    try:
        run = demo.run("dbt_down_loom", "dbt", "parse", "--target", "local", "--target-path", "target_far")
    finally:
        model.unlink()
    assert run.returncode != 0
    assert "int_orders_paid" in run.stdout


def test_lineage_agrees_with_mesh_yml_until_somebody_reads_without_saying_so(demo: RunningMesh) -> None:
    agreed = demo.run(".", "mesh", "lineage", "--check")
    assert agreed.returncode == 0, agreed.stdout
    file = demo.root / "mesh.yml"
    declared = file.read_text()
    try:
        file.write_text(declared.replace("      dbt_up: {as: sources}", "      dbt_down_loom: {as: sources}"))
        run = demo.run(".", "mesh", "lineage", "--check", "--format", "json")
    finally:
        file.write_text(declared)
    assert run.returncode == 1
    found = {(f["rule"], f["project"], f["upstream"]) for f in json.loads(run.stdout)["findings"]}
    assert found == {
        ("declared-unused", "dbt_down", "dbt_down_loom"),
        ("used-undeclared", "dbt_down", "dbt_up"),
    }


def test_the_published_interface_is_a_manifest_that_dbt_reads(demo: RunningMesh) -> None:
    fetched = demo.shell(
        "dbt_down",
        "python - <<'EOF'\n"
        "import boto3, pathlib\n"
        "body = boto3.client('s3').get_object(Bucket='dbt-mesh', Key='registry/dbt_up/prod/latest/manifest.json')\n"
        "pathlib.Path('interface').mkdir(exist_ok=True)\n"
        "pathlib.Path('interface/manifest.json').write_bytes(body['Body'].read())\n"
        "EOF",
    )
    assert fetched.returncode == 0, fetched.stdout
    words = ["dbt", "--quiet", "ls", "--target", "local", "--select", "state:new,resource_type:model"]
    listed = demo.run("dbt_down", *words, "--state", "interface", "--target-path", "target_interface")
    assert listed.returncode == 0, listed.stdout
    assert "dbt_down.marts.downstream_orders" in listed.stdout
