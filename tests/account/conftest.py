"""A mesh of three projects whose SQL files are rendered from its mesh.yml, and an account in memory for it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.intake.setup_scripts import SetupScript, read_scripts
from registry_tools.mesh.deployment import Deployment
from registry_tools.settings import deployment_of, find_mesh
from registry_tools.tasks.see_account import see_nothing
from registry_tools.tasks.set_up_account import apply_setup, plan_setup
from tests.fake_account import FakeAccount

MESH = """
version: 1
registry: .mesh/registry
environments:
  prod: {reads: prod}
  ci: {reads: prod}
  dev: {reads: prod}
aws: {account: "123456789012", region: eu-central-1, bucket: acme-dbt-mesh}
projects:
  dbt_up:
    path: dbt_up
    snowflake:
      database: "DBT_UP_{ENV}"
      warehouse: DBT_UP_WH
      role: DBT_UP_ROLE
      developers: [ANNA, BEN]
      shared_with: [ACME.PARTNER]
      landing: {url: "s3://acme-landing/raw/", role_arn: "arn:aws:iam::123456789012:role/snowflake-landing"}
  dbt_down:
    path: dbt_down
    snowflake: {database: "DBT_DOWN_{ENV}", warehouse: DBT_DOWN_WH, role: DBT_DOWN_ROLE, developers: [CARA]}
    upstreams:
      dbt_up: {as: sources}
  dbt_late:
    path: dbt_late
    snowflake: {database: "DBT_LATE_{ENV}", warehouse: DBT_DOWN_WH, role: "DBT_LATE_{ENV}_ROLE", user: DBT_LATE_SVC}
    upstreams:
      dbt_up: {as: sources}
"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where the mesh stands, what it deploys, and its account, on which nothing was set up yet."""

    root: Path
    deployment: Deployment
    fake: FakeAccount = field(default_factory=FakeAccount)

    @property
    def scripts(self) -> tuple[SetupScript, ...]:
        return read_scripts(self.root)

    def set_up(self) -> FakeAccount:
        """The account with everything in it that the files say."""
        planned = plan_setup(self.scripts, self.fake.account)
        assert list(apply_setup(planned, self.fake)) == list(planned.steps)
        self.fake.log.clear()
        self.fake.role = "ACCOUNTADMIN"
        return self.fake


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    for name in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "mesh.yml").write_text(MESH)
    deployment = deployment_of(find_mesh(tmp_path, {}))
    for file in snowflake_scripts(deployment):
        target = tmp_path / file.path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.content)
    monkeypatch.chdir(tmp_path)
    return Setting(root=tmp_path, deployment=deployment, fake=FakeAccount(account=see_nothing(deployment)))
