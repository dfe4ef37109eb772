"""Private models stay with their group: dbt sees to it, dbt-loom switches that off, and mesh check sees to it again."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from registry_tools.artifacts.loom import CONFIG_FILE, FOLDER, loom_config, loom_manifest
from registry_tools.intake.project import read_project
from registry_tools.mesh.relation import quoting_of
from registry_tools.registry.memory import MemoryStore
from registry_tools.registry.publications import Registry
from registry_tools.tasks.check_consumer import CheckRequest, check_consumer
from tests.builders import interface, public_model

pytestmark = pytest.mark.mesh

PROJECT = "name: dbt_down\nversion: '1.0'\nprofile: p\n"
PROFILE = """
p:
  target: t
  outputs:
    t: {type: snowflake, account: a, user: u, password: p, database: DB, schema: S, warehouse: W, threads: 1}
"""
GROUPS = """
version: 2
groups:
  - {name: finance, owner: {name: Finance}}
  - {name: sales, owner: {name: Sales}}
models:
  - {name: secret, config: {group: finance, access: private}}
  - {name: also_finance, config: {group: finance}}
  - {name: nosy, config: {group: NOSY}}
"""


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A project whose model `nosy`, of no group, reads the private model of a group."""
    files = {
        "dbt_project.yml": PROJECT,
        "profiles.yml": PROFILE,
        "models/groups.yml": GROUPS.replace("group: NOSY", ""),
        "models/secret.sql": "select 1 as id",
        "models/also_finance.sql": "select * from {{ ref('secret') }}",
        "models/nosy.sql": "select * from {{ ref('secret') }} join {{ ref('also_finance') }} using (id)",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def with_loom(consumer: Path) -> Path:
    """The same with an upstream that dbt-loom injects."""
    (consumer / FOLDER).mkdir(parents=True)
    (consumer / FOLDER / "dbt_up.json").write_bytes(
        loom_manifest(interface(public_model()), quoting_of("snowflake", {}))
    )
    (consumer / CONFIG_FILE).write_text(loom_config(["dbt_up"]))
    (consumer / "models/down.sql").write_text("select * from {{ ref('dbt_up', 'orders') }}")
    return consumer


def parse(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "COVERAGE_"))}
    return subprocess.run(
        [Path(sys.executable).parent / "dbt", "parse", "--profiles-dir", ".", "--no-send-anonymous-usage-stats"],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )


def test_dbt_alone_refuses_it(consumer: Path) -> None:
    parsed = parse(consumer)
    assert parsed.returncode != 0
    assert "private to the 'finance' group" in " ".join(parsed.stdout.split())


def test_with_dbt_loom_dbt_lets_it_pass_and_mesh_check_does_not(with_loom: Path) -> None:
    parsed = parse(with_loom)
    assert parsed.returncode == 0, parsed.stdout
    request = CheckRequest(
        project=read_project(with_loom, {}), environment="prod", reads=("prod",), upstreams=(), today=date(2026, 1, 1)
    )
    (finding,) = check_consumer(request, Registry(MemoryStore()))
    assert (finding.rule, finding.level, [str(place) for place in finding.places]) == (
        "private-group",
        "error",
        ["models/nosy.sql"],
    )
    assert "model.dbt_down.nosy (no group) reads model.dbt_down.secret" in finding.what


def test_with_dbt_loom_dbt_still_refuses_a_model_that_has_another_group(with_loom: Path) -> None:
    """So a group for every model keeps dbt's own rule in force, as the README says."""
    (with_loom / "models/groups.yml").write_text(GROUPS.replace("NOSY", "sales"))
    parsed = parse(with_loom)
    assert parsed.returncode != 0
    assert "private to the 'finance' group" in " ".join(parsed.stdout.split())
