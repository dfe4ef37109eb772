"""dbt's profiles.yml is found where dbt finds it, and read as far as that goes without dbt."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from registry_tools.errors import DocumentError
from registry_tools.intake.profile import Address, NotSaidError, find_profiles, read_address

REPOSITORY = Path(__file__).resolve().parents[2]
OUTPUT = {"type": "snowflake", "account": "org-main"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: mini\nprofile: mini\n")
    return folder


def read(project: Path, output: dict[str, Any], target: str | None = None, **environment: str) -> Address:
    profile = {"mini": {"target": "dev", "outputs": {"dev": output, "prod": OUTPUT}}}
    (project / "profiles.yml").write_text(yaml.safe_dump(profile))
    return read_address(project, project / "profiles.yml", target, environment)


def test_it_is_found_where_dbt_finds_it(project: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path / "home")}
    assert find_profiles(project, None, home) == tmp_path / "home/.dbt/profiles.yml"
    assert find_profiles(project, None, {}) == Path("/.dbt/profiles.yml")
    (project / "profiles.yml").touch()
    assert find_profiles(project, None, home) == project / "profiles.yml"
    named = home | {"DBT_PROFILES_DIR": "../named"}
    assert find_profiles(project, None, named) == tmp_path / "named/profiles.yml"
    assert find_profiles(project, tmp_path / "typed", named) == tmp_path / "typed/profiles.yml"


@pytest.mark.parametrize(
    ("account", "host"),
    [
        ("org-main", "org-main.snowflakecomputing.com"),
        ("xy12345.eu-central-1", "xy12345.eu-central-1.snowflakecomputing.com"),
        ("xy12345.cn-north-1", "xy12345.cn-north-1.snowflakecomputing.cn"),
        ("{{ env_var('ACCOUNT') }}", "from-env.snowflakecomputing.com"),
        ('{{ env_var("ACCOUNT", "default") }}', "from-env.snowflakecomputing.com"),
        ("{{env_var( 'OTHER' , 'default' )}}", "default.snowflakecomputing.com"),
    ],
)
def test_the_account_gives_the_host(project: Path, account: str, host: str) -> None:
    address = read(project, OUTPUT | {"account": account}, ACCOUNT="from-env")
    assert address == Address(host=host, port=443, protocol="https")


def test_host_port_and_protocol_beat_the_account(project: Path) -> None:
    output = OUTPUT | {"host": "127.0.0.1", "port": "{{ env_var('PORT') | as_number }}", "protocol": "HTTP"}
    assert str(read(project, output, PORT="8084")) == "http://127.0.0.1:8084"
    assert read(project, output | {"port": 80}).port == 80
    assert read(project, OUTPUT | {"host": "{{ env_var('HOST', '') }}"}).host == "org-main.snowflakecomputing.com"


def test_the_target_is_the_typed_one_then_the_variables_then_the_profiles(project: Path) -> None:
    elsewhere = OUTPUT | {"account": "dev"}
    assert read(project, elsewhere).host.startswith("dev.")
    assert read(project, elsewhere, DBT_TARGET="prod").host.startswith("org-main.")
    assert read(project, elsewhere, "dev", DBT_TARGET="prod").host.startswith("dev.")


@pytest.mark.parametrize(
    ("output", "needle"),
    [
        ({"account": "{{ env_var('ACCOUNT') }}"}, "set ACCOUNT"),
        ({"account": "{{ env_var('ACCOUNT') ~ '.eu' }}"}, "only dbt understands"),
        ({"account": "{% if true %}a{% endif %}"}, "'account' is Jinja"),
        ({"account": None}, "'account' is missing"),
        ({"account": "a b"}, "is no address"),
        ({"account": "a/../b"}, "is no address"),
        ({"account": ["a"]}, "is no address"),
        ({"host": "x" * 300}, "is no address"),
        ({"host": "h\x07"}, "is no address"),
        ({"protocol": "gopher"}, "is no address"),
        ({"port": 0}, "no port"),
        ({"port": "9" * 5_000}, "no port"),
        ({"port": -1}, "no port"),
        ({"port": "{{ env_var('PORT', 'x') }}"}, "no port"),
        ({"type": "postgres"}, "'postgres', not snowflake"),
        ({"type": None}, "not snowflake"),
    ],
)
def test_what_only_dbt_can_say_is_said_to_be_so(project: Path, output: dict[str, Any], needle: str) -> None:
    with pytest.raises(NotSaidError) as caught:
        read(project, OUTPUT | output)
    assert needle in str(caught.value)


@pytest.mark.parametrize(
    ("profiles", "needle"),
    [
        (None, "dbt's profiles.yml is missing"),
        ("", "is empty"),
        ("[]", "not a mapping"),
        ("a: [", "is not YAML"),
        ("other: {}", "'mini' is missing"),
        ("mini: 7", "'mini' is not a mapping"),
        ("mini: {target: dev}", "'mini.outputs' is missing"),
        ("mini: {outputs: {prod: {}, ci: {}}}", "'mini.outputs.default' is missing"),
        ("mini: {target: dev, outputs: {dev: x}}", "'mini.outputs.dev' is not a mapping"),
    ],
)
def test_profiles_that_are_none_are_said_with_their_place(project: Path, profiles: str | None, needle: str) -> None:
    path = project / "profiles.yml"
    if profiles is not None:
        path.write_text(profiles)
    with pytest.raises(DocumentError, match=needle) as caught:
        read_address(project, path, None, {})
    assert str(path) in str(caught.value)


def test_a_target_that_is_not_there_is_answered_with_those_that_are(project: Path) -> None:
    with pytest.raises(DocumentError, match="next: use --target dev or prod"):
        read(project, OUTPUT, "prd")


def test_a_project_without_a_profile_says_so(project: Path) -> None:
    (project / "dbt_project.yml").write_text("name: mini\n")
    with pytest.raises(DocumentError, match="'profile' is missing"):
        read(project, OUTPUT)


@pytest.mark.parametrize("name", ["dbt_up", "dbt_down", "dbt_down_loom", "dbt_down_package"])
def test_the_profiles_of_this_repository_are_understood(name: str) -> None:
    profiles = REPOSITORY / "snowflake_setup/profiles.yml"
    here = {"SNOWFLAKE_ACCOUNT": "org-main", "DBT_MESH_LOCAL_WAREHOUSE_PORT": "1234"}
    assert read_address(REPOSITORY / name, profiles, "prod", here).host == "org-main.snowflakecomputing.com"
    assert str(read_address(REPOSITORY / name, profiles, "local", here)) == "http://127.0.0.1:1234"
    with pytest.raises(NotSaidError, match="set SNOWFLAKE_ACCOUNT"):
        read_address(REPOSITORY / name, profiles, None, {})
