"""dbt's profiles as they are rendered: the real dbt-snowflake takes every target, and logs in as it is meant to."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from registry_tools.artifacts.snowflake_profiles import profiles
from registry_tools.errors import UsageError
from tests.deployments import CASES, deployment_in, written
from tests.running import REPOSITORY

MESHES = [REPOSITORY, *CASES]
CASE = {case.name: case for case in CASES}
PASSPHRASE = "open sesame"
SHELL = {"SNOWFLAKE_ACCOUNT": "acme-main", "DBT_MESH_LOCAL_WAREHOUSE_PORT": "1234", "USER": "ada"}

Login = Callable[..., Any]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An encrypted key in a file, and the same as the connector wants it."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path_factory.mktemp("keys") / "robot.p8"
    sealed = BestAvailableEncryption(PASSPHRASE.encode())
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    return path, made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def login() -> Login:
    """What dbt makes of a target: its credentials, rendered and checked by dbt itself in this shell."""
    from dbt.config.profile import Profile
    from dbt.config.renderer import ProfileRenderer
    from dbt.flags import set_from_args
    from dbt_common.context import set_invocation_context

    set_from_args(argparse.Namespace(), {})

    def credentials(document: Mapping[str, Any], project: str, target: str, **shell: str) -> Any:
        set_invocation_context({**SHELL, **shell})
        return Profile.from_raw_profiles(
            raw_profiles=dict(document),
            profile_name=project,
            renderer=ProfileRenderer({}),
            target_override=target,
        ).credentials

    return credentials


def rendered(folder: Path) -> dict[str, Any]:
    (file,) = profiles(deployment_in(folder))
    document: dict[str, Any] = yaml.safe_load(file.content)
    return document


@pytest.mark.parametrize("folder", MESHES, ids=["repository", *CASE])
def test_dbt_takes_every_target_of_every_project(folder: Path, login: Login, key: tuple[Path, bytes]) -> None:
    deployment = deployment_in(folder)
    document = rendered(folder)
    shell = {
        "SNOWFLAKE_PRIVATE_KEY_PATH": str(key[0]),
        "DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE": PASSPHRASE,
        "SNOWFLAKE_USER": "ADA",
    }
    assert [name for name in document if not name.startswith(".")] == [project.name for project in deployment.projects]
    for project, place in deployment.placed:
        environment = place.environment
        local = "local" if environment == "prod" else f"local_{environment}"
        for target in (environment, local):
            found = login(document, project.name, target, **shell)
            assert found.auth_args()["authenticator"] in {
                "WORKLOAD_IDENTITY",
                "snowflake_jwt",
                "externalbrowser",
                "oauth",
            }
            assert (found.database, found.warehouse) == (place.database, place.warehouse)
            assert found.role in {place.role, place.developer_role}
            assert "{" not in found.schema


def test_a_job_is_known_by_its_aws_role_and_tells_no_name(login: Login) -> None:
    for target in ("prod", "ci"):
        found = login(rendered(REPOSITORY), "dbt_up", target).auth_args()
        assert "user" not in found
        assert found["authenticator"] == "WORKLOAD_IDENTITY"
        assert found["workload_identity_provider"] == "AWS"
        assert found["private_key"] is None


def test_a_variable_makes_it_log_in_by_key_pair(login: Login, key: tuple[Path, bytes]) -> None:
    by_key = {
        "SNOWFLAKE_AUTHENTICATOR": "snowflake_jwt",
        "SNOWFLAKE_USER": "DBT_UP_SVC",
        "SNOWFLAKE_PRIVATE_KEY_PATH": str(key[0]),
        "DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE": PASSPHRASE,
    }
    for target in ("prod", "ci", "dev"):
        found = login(rendered(REPOSITORY), "dbt_up", target, **by_key).auth_args()
        assert (found["authenticator"], found["user"]) == ("snowflake_jwt", "DBT_UP_SVC")
        assert found["private_key"] == key[1]


def test_where_keys_are_the_way_each_service_user_has_its_own(login: Login, key: tuple[Path, bytes]) -> None:
    document = rendered(CASE["key_pair"])
    shell = {"SNOWFLAKE_PRIVATE_KEY_PATH": str(key[0]), "DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE": PASSPHRASE}
    for target, user in (("prod", "SHOP_PROD_SVC"), ("ci", "SHOP_CI_SVC")):
        found = login(document, "shop", target, **shell).auth_args()
        assert (found["authenticator"], found["user"], found["private_key"]) == ("snowflake_jwt", user, key[1])
    other = login(
        document, "on", "ci", SNOWFLAKE_AUTHENTICATOR="workload_identity", SNOWFLAKE_PRIVATE_KEY_PATH=""
    ).auth_args()
    assert (other["workload_identity_provider"], other["private_key"]) == ("AWS", None)


def test_without_a_key_the_variable_is_asked_for(login: Login) -> None:
    from dbt.exceptions import EnvVarMissingError

    with pytest.raises(EnvVarMissingError, match="SNOWFLAKE_PRIVATE_KEY_PATH"):
        login(rendered(CASE["key_pair"]), "shop", "prod")


def test_a_person_logs_in_with_a_browser_and_builds_as_a_developer_in_a_schema_of_their_own(login: Login) -> None:
    found = login(rendered(CASE["exchange"]), "crm", "dev", SNOWFLAKE_USER="ADA", DBT_USER="ada")
    assert (found.auth_args()["authenticator"], found.user) == ("externalbrowser", "ADA")
    assert (found.role, found.schema) == ("CRM_DEVELOPER", "ada_dev")
    dotted = login(rendered(CASE["exchange"]), "crm", "dev", SNOWFLAKE_USER="ADA", DBT_USER="ada.love-lace")
    assert dotted.schema == "ada_love_lace_dev"
    alone = login(rendered(REPOSITORY), "dbt_down", "dev", SNOWFLAKE_USER="ADA")
    assert alone.role == "DBT_DOWN_ROLE"


def test_the_embedded_mesh_asks_for_no_proof(login: Login) -> None:
    found = login(rendered(REPOSITORY), "dbt_down_loom", "local")
    assert found.auth_args() | {"host": "127.0.0.1", "port": 1234, "protocol": "http"} == found.auth_args()
    assert (found.account, found.token) == ("mesh", "embedded")
    assert (found.user, found.role, found.schema) == ("DBT_DOWN_LOOM_SVC", "DBT_DOWN_LOOM_ROLE", "STAGING")


def test_a_schema_of_production_is_one_that_the_project_has(login: Login) -> None:
    document = rendered(CASE["five_projects"])
    assert login(document, "board", "prod").schema == "REPORTS"
    assert login(document, "finance", "prod").schema == "STAGING"
    assert login(document, "board", "ci").schema == "ci"
    assert login(document, "board", "ci", DBT_CI_SCHEMA="pr_7").schema == "pr_7"


SPELLED = """\
version: 1
environments: {"on": , "null": {reads: "on"}, 1e3: {reads: "on"}, no-op: {reads: "on"}, order: {reads: "on"}}
projects: {"off": {snowflake: {database: "Y_{ENV}", warehouse: "NO", role: "OFF", schemas: ["YES"]}}}
"""


def test_names_that_are_words_of_yaml_or_sql_come_as_they_are(tmp_path: Path, login: Login) -> None:
    (file,) = profiles(written(tmp_path, SPELLED))
    document = yaml.safe_load(file.content)
    schemas = {"on": "YES", "null": "in_null", "1e3": "in_1e3", "no-op": "no_op", "order": "in_order"}
    for environment, schema in schemas.items():
        for target in (environment, f"local_{environment}"):
            found = login(document, "off", target)
            assert (found.schema, found.role, found.warehouse) == (schema, "OFF", "NO")
            assert found.database == f"Y_{environment.upper().replace('-', '_')}"


@pytest.mark.parametrize("folder", MESHES, ids=["repository", *CASE])
def test_models_go_to_the_projects_own_schemas_where_it_lasts_and_to_the_builders_elsewhere(
    folder: Path, login: Login, key: tuple[Path, bytes]
) -> None:
    (macro,) = {path.read_text() for path in REPOSITORY.glob("dbt_*/macros/generate_schema_name.sql")}
    document, shell = rendered(folder), {"SNOWFLAKE_PRIVATE_KEY_PATH": str(key[0]), "SNOWFLAKE_USER": "ADA"}
    for other, place in deployment_in(folder).placed:
        local = "local" if place.environment == "prod" else f"local_{place.environment}"
        for target in (place.environment, local):
            found = login(
                document,
                other.name,
                target,
                **shell,
                DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE=PASSPHRASE,
                DBT_CI_SCHEMA="PR_7",
                DBT_USER="ADA",
            )
            template = jinja2.Template(f"{macro}{{{{ generate_schema_name(asked, none) }}}}")
            built = [template.render(target=found, asked=asked).strip() for asked in ("MARTS", None)]
            if place.lasting:
                assert built == ["MARTS", found.schema]
                assert found.schema in other.schemas
            else:
                own = "ADA_dev" if place.environment == "dev" else "pr_7"
                assert built == [f"{own}_MARTS", own]


@pytest.mark.parametrize("taken", ["local", "local_ci"])
def test_an_environment_is_not_called_as_the_embedded_mesh(tmp_path: Path, taken: str) -> None:
    mesh = SPELLED.replace('"on": ,', f'"on": , prod: , ci: , {taken}: ,')
    with pytest.raises(UsageError, match=f"the environment {taken} would have the target of the embedded mesh"):
        profiles(written(tmp_path, mesh))


def test_without_an_environment_for_people_there_is_no_target_for_them(tmp_path: Path) -> None:
    one = "version: 1\nprojects: {shop: {snowflake: {database: SHOP, warehouse: SHOP_WH, role: SHOP_ROLE}}}\n"
    (file,) = profiles(written(tmp_path, one))
    assert "person" not in file.content.decode()
    assert "The connections of 1 project;" in file.content.decode()
    document = yaml.safe_load(file.content)
    assert document["shop"]["target"] == "prod"
    assert list(document["shop"]["outputs"]) == ["prod", "local"]


def test_where_nobody_reads_anything_no_target_lasts(tmp_path: Path, login: Login) -> None:
    shop = "projects: {shop: {snowflake: {database: SHOP, warehouse: SHOP_WH, role: SHOP_ROLE}}}"
    one = f"version: 1\nenvironments: {{ci: {{reads: prod}}}}\n{shop}\n"
    (file,) = profiles(written(tmp_path, one))
    assert "lasting" not in file.content.decode()
    assert login(yaml.safe_load(file.content), "shop", "ci").schema == "ci"
