"""Grants on the embedded warehouse, over Snowflake's own connector: planned, given, kept by dbt, and taken back."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningMesh

pytestmark = pytest.mark.mesh

READER = "DBT_UP_PROD.MESH_PUBLIC_READER"
CONSUMERS = ("DBT_DOWN_LOOM_ROLE", "DBT_DOWN_PACKAGE_ROLE", "DBT_DOWN_ROLE")


@pytest.fixture
def up(demo: RunningMesh) -> Iterator[str]:
    """A copy of dbt_up that publishes to a registry of its own, so that nobody else's publications are touched."""
    folder = demo.root / "dbt_up_granting"
    shutil.copytree(demo.root / "dbt_up", folder)
    publish(demo, folder.name)
    demo.forget_grants()
    yield folder.name
    shutil.rmtree(folder)


def publish(demo: RunningMesh, folder: str) -> None:
    parsed = demo.run(folder, "dbt", "--quiet", "parse", "--target", "local")
    assert parsed.returncode == 0, parsed.stdout
    words = ("--env", "prod", "--mode", "off", "--registry", str(demo.root / "registry_of_grants"), "--no-state")
    published = demo.run(folder, "publish_manifest", *words)
    assert published.returncode == 0, published.stdout


def grants(demo: RunningMesh, folder: str, *words: str) -> str:
    """What `mesh grants` prints, and the code it ends in on the last line."""
    registry = str(demo.root / "registry_of_grants")
    ran = demo.run(folder, "mesh", "grants", *words, "--env", "prod", "--registry", registry, "--embedded")
    return f"{ran.stdout}exit {ran.returncode}\n"


def planned(demo: RunningMesh, folder: str) -> list[str]:
    """The statements of the plan."""
    told = grants(demo, folder, "plan", "--format", "json")
    document = json.loads(told[: told.rindex("}") + 1])
    assert document["findings"] == []
    return [each["sql"] for each in document["statements"]]


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_the_project_gives_its_readers_what_is_public_and_takes_back_what_is_not(demo: RunningMesh, up: str) -> None:
    first = planned(demo, up)
    assert first[0] == f"create database role if not exists {READER}"
    assert first[1] == f"grant usage on schema DBT_UP_PROD.MARTS to database role {READER}"
    models = {statement.split(" on table ")[1].split(" ")[0] for statement in first[2:-3]}
    assert {"DBT_UP_PROD.MARTS.PUBLIC_ORDERS", "DBT_UP_PROD.MARTS.PUBLIC_CUSTOMERS"} <= models
    assert first[-3:] == [f"grant database role {READER} to role {name}" for name in CONSUMERS]

    applied = grants(demo, up, "apply")
    assert applied.endswith(f"{len(first)} statements to grant and 0 to revoke are done\nexit 0\n"), applied
    assert planned(demo, up) == []

    rebuilt = demo.run(up, "dbt", "run", "--target", "local", "--select", "public_orders", "public_products")
    assert rebuilt.returncode == 0, rebuilt.stdout
    assert grants(demo, up, "plan", "--check").endswith("nothing to grant or revoke\nexit 0\n")

    edit(demo.root / up / "models/marts/public_order_items.yml", "access: public", "access: protected")
    publish(demo, up)
    revoke = f"revoke select on table DBT_UP_PROD.MARTS.PUBLIC_ORDER_ITEMS from database role {READER}"
    assert planned(demo, up) == [revoke]
    assert revoke in grants(demo, up, "apply")
    assert planned(demo, up) == []

    edit(demo.root / up / "dbt_project.yml", "+copy_grants: true", "+copy_grants: false")
    careless = demo.run(up, "dbt", "run", "--target", "local", "--select", "public_orders")
    assert careless.returncode == 0, careless.stdout
    lost = grants(demo, up, "plan", "--check")
    assert f"grant select on table DBT_UP_PROD.MARTS.PUBLIC_ORDERS to database role {READER}" in lost
    assert "lose their readers' grants whenever dbt replaces them; add +copy_grants: true" in lost
    assert lost.endswith("exit 1\n")


@pytest.mark.parametrize("project", ["dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package"])
def test_every_project_copies_its_grants(demo: RunningMesh, project: str) -> None:
    manifest = json.loads((demo.root / project / "target/manifest.json").read_text())
    own = [each for each in manifest["nodes"].values() if each["unique_id"].startswith(f"model.{project}.")]
    assert own
    assert [each["name"] for each in own if each["config"].get("copy_grants") is not True] == []
