"""How one logs in is what the variables or Snowflake's own files say, and what is missing is said with what to type."""

from pathlib import Path
from typing import Any

import pytest

from registry_tools.account.connection import open_session
from registry_tools.account.login import embedded_parameters, login_parameters
from registry_tools.account.named_connection import named_parameters
from registry_tools.errors import DocumentError, MeshError, UsageError

WHO = {"SNOWFLAKE_ACCOUNT": "acme-prod", "SNOWFLAKE_USER": "DBT_UP_SVC"}


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "key.p8"
    file.write_text("a key")
    return str(file)


def test_a_key_pair(key: str) -> None:
    variables = {**WHO, "SNOWFLAKE_PRIVATE_KEY_PATH": key, "SNOWFLAKE_ROLE": "R", "SNOWFLAKE_WAREHOUSE": "W"}
    expected = {
        "account": "acme-prod",
        "user": "DBT_UP_SVC",
        "role": "R",
        "warehouse": "W",
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_file": key,
    }
    assert login_parameters(variables) == expected
    for name in ("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE"):
        assert login_parameters({**variables, name: "s3cret"}) == {**expected, "private_key_file_pwd": "s3cret"}


def test_an_aws_role_needs_no_user_and_no_key() -> None:
    """As in profiles.yml: the connector makes a fresh attestation from boto3's credentials at each login."""
    for more in (
        {"SNOWFLAKE_AUTHENTICATOR": "workload_identity"},
        {"SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "aws"},
        {"SNOWFLAKE_AUTHENTICATOR": "WORKLOAD_IDENTITY", "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "AWS"},
    ):
        assert login_parameters({"SNOWFLAKE_ACCOUNT": "acme-prod", **more}) == {
            "account": "acme-prod",
            "authenticator": "WORKLOAD_IDENTITY",
            "workload_identity_provider": "AWS",
        }


def test_a_browser_for_people() -> None:
    found = login_parameters({**WHO, "SNOWFLAKE_AUTHENTICATOR": "externalbrowser"})
    assert found["authenticator"] == "EXTERNALBROWSER"


@pytest.mark.parametrize(
    ("variables", "says", "then"),
    [
        ({}, "nothing says which Snowflake account is meant", "SNOWFLAKE_ACCOUNT"),
        ({"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_AUTHENTICATOR": "externalbrowser"}, "who logs in", "SNOWFLAKE_USER"),
        (WHO, "nothing proves who logs in", "SNOWFLAKE_PRIVATE_KEY_PATH"),
        ({**WHO, "SNOWFLAKE_AUTHENTICATOR": "snowflake_jwt"}, "where the private key is", "SNOWFLAKE_PRIVATE_KEY_PATH"),
        ({**WHO, "SNOWFLAKE_AUTHENTICATOR": "oauth"}, "'oauth' is no way to log in", "--connection"),
        ({**WHO, "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": "OIDC"}, "'OIDC' vouches for nobody", "AWS"),
    ],
)
def test_what_is_missing_is_said(variables: dict[str, str], says: str, then: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        login_parameters(variables)
    assert then in caught.value.then


def test_a_key_that_is_not_there() -> None:
    with pytest.raises(DocumentError, match="private key is missing") as caught:
        login_parameters({**WHO, "SNOWFLAKE_PRIVATE_KEY_PATH": "nowhere.p8"})
    assert "setup_keypair_auth.sh" in caught.value.then


def test_the_embedded_warehouse() -> None:
    found = embedded_parameters({"DBT_MESH_LOCAL_WAREHOUSE_PORT": "4711"})
    assert (found["host"], found["port"], found["protocol"]) == ("127.0.0.1", 4711, "http")
    for port in ("", "x", "-1"):
        with pytest.raises(UsageError, match="where the embedded warehouse is"):
            embedded_parameters({"DBT_MESH_LOCAL_WAREHOUSE_PORT": port})


# --- Snowflake's own files -------------------------------------------------------------------------------------------


def named(home: Path, name: str, **variables: str) -> dict[str, Any]:
    return named_parameters(name, {"SNOWFLAKE_HOME": str(home), **variables})


def test_a_connection_by_its_name(tmp_path: Path, key: str) -> None:
    (tmp_path / "config.toml").write_text(
        f'[connections.admin]\naccount = "acme-prod"\nuser = "ANNA"\nprivate_key_path = "{key}"\nlog_level = "debug"\n'
    )
    expected = {
        "account": "acme-prod",
        "user": "ANNA",
        "private_key_file": key,
        "authenticator": "SNOWFLAKE_JWT",
    }
    assert named(tmp_path, "admin") == expected
    secret = {"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "s3cret"}
    assert named(tmp_path, "admin", **secret) == {**expected, "private_key_file_pwd": "s3cret"}


def test_connections_toml_is_the_whole_list_where_it_is(tmp_path: Path, key: str) -> None:
    (tmp_path / "config.toml").write_text('[connections.old]\naccount = "a"\n')
    (tmp_path / "connections.toml").write_text(
        f'[admin]\naccount = "b"\nprivate_key_file = "{key}"\nprivate_key_passphrase = "s3cret"\n'
        'authenticator = "SNOWFLAKE_JWT"\n[dev]\naccount = "c"\n'
    )
    assert named(tmp_path, "admin")["private_key_file_pwd"] == "s3cret"
    with pytest.raises(UsageError, match="no connection 'old'"):
        named(tmp_path, "old")
    with pytest.raises(UsageError) as caught:
        named(tmp_path, "admins")
    assert caught.value.then == "did you mean admin?"
    with pytest.raises(UsageError) as caught:
        named(tmp_path, "xyz")
    assert caught.value.then == "name one of admin, dev"


def test_no_files_and_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"no connections\.toml and no config\.toml"):
        named(tmp_path, "admin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"no connections\.toml"):
        named(tmp_path / "nowhere", "admin")
    (tmp_path / "connections.toml").write_text('[admin]\npassword = "s3cret\n')
    with pytest.raises(DocumentError, match="no TOML") as caught:
        named(tmp_path, "admin")
    assert "s3cret" not in str(caught.value)
    (tmp_path / "connections.toml").write_text("admin = 1\n")
    with pytest.raises(UsageError, match="no connection"):
        named(tmp_path, "admin")
    (tmp_path / "connections.toml").write_bytes(b"\xff")
    with pytest.raises(DocumentError, match="no TOML, somewhere"):
        named(tmp_path, "admin")
    (tmp_path / "connections.toml").chmod(0)
    with pytest.raises((DocumentError, UsageError)):  # root may read everything
        named(tmp_path, "admin")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("account = 5", "account of connection 'a' is no text"),
        ('account = "x"\nauthenticator = 7', "authenticator of connection 'a' is no text"),
        ('account = "x"\npassword = ["s3cret"]', "password of connection 'a' is no text"),
        ('user = "u"', "connection 'a' does not say which account"),
        ('account = "x"\nprivate_key_path = "~nobody.here/key.p8"', "the private key is missing"),
    ],
)
def test_what_the_connector_would_stumble_over_is_said(tmp_path: Path, written: str, says: str) -> None:
    (tmp_path / "connections.toml").write_text(f"[a]\n{written}\n")
    with pytest.raises(DocumentError, match=says) as caught:
        named(tmp_path, "a")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("written", ['connections = "a"', 'connections = ["a"]', "a = 1"])
def test_a_file_without_a_table_of_connections_has_none(tmp_path: Path, written: str) -> None:
    (tmp_path / "config.toml").write_text(f"{written}\n")
    with pytest.raises(UsageError, match="no connection 'a'"):
        named(tmp_path, "a")


def test_a_home_of_nobody_is_a_folder_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no connections\.toml"):
        named(Path("~nobody.here"), "a")


def test_two_accounts_at_once_are_none() -> None:
    with pytest.raises(UsageError, match="name two accounts"), open_session({}, connection="a", embedded=True):
        pass


def test_without_the_connector_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "snowflake.connector", None)
    with (
        pytest.raises(MeshError, match="not installed") as caught,
        open_session({"DBT_MESH_LOCAL_WAREHOUSE_PORT": "1"}, embedded=True),
    ):
        pass
    assert caught.value.then == "pip install 'registry-tools[snowflake]'"
    assert caught.value.exit_code == 2
