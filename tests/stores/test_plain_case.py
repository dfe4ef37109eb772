"""Which reads are ours to sign: those where the environment says all there is to know, and no others."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from registry_tools.registry.plain_case import plain_case
from registry_tools.registry.s3_options import S3Options
from tests.stores.local_s3 import SECRET

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": SECRET}
PLAIN = {**KEYS, "AWS_REGION": "eu-west-1"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without settings, and a process without proxies."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NO_PROXY", raising=False)
    return tmp_path


def where(
    environment: Mapping[str, str] = MappingProxyType({}), bucket: str = "mesh", options: S3Options | None = None
) -> str | None:
    """Scheme, host, port and path of the bucket, or None when it is boto3's to find."""
    case = plain_case(bucket, options or S3Options(), {**PLAIN, **environment})
    return f"{case.address.scheme}://{case.address.name}{case.address.path} {case.region}" if case else None


def test_on_aws_the_bucket_has_a_host_of_its_own() -> None:
    assert where() == "https://mesh.s3.eu-west-1.amazonaws.com/ eu-west-1"
    assert where(options=S3Options(path_style=True)) == "https://s3.eu-west-1.amazonaws.com/mesh/ eu-west-1"


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        (S3Options(), {"AWS_ENDPOINT_URL": "http://a:9000"}, "http://a:9000/mesh/ eu-west-1"),
        (S3Options(), {"AWS_ENDPOINT_URL": "https://a/"}, "https://a/mesh/ eu-west-1"),
        (S3Options(), {"AWS_ENDPOINT_URL": "https://a:443"}, "https://a/mesh/ eu-west-1"),
        (S3Options(), {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}, "http://b/mesh/ eu-west-1"),
        (S3Options(endpoint="http://c"), {}, "http://c/mesh/ eu-west-1"),
        (S3Options(endpoint="http://c"), {"AWS_ENDPOINT_URL": "http://a"}, "http://a/mesh/ eu-west-1"),
        (S3Options(region="sa-east-1"), {}, "https://mesh.s3.eu-west-1.amazonaws.com/ eu-west-1"),
        (S3Options(), {"AWS_DEFAULT_REGION": "sa-east-1"}, "https://mesh.s3.eu-west-1.amazonaws.com/ eu-west-1"),
        (
            S3Options(region="us-gov-west-1"),
            {"AWS_REGION": ""},
            "https://mesh.s3.us-gov-west-1.amazonaws.com/ us-gov-west-1",
        ),
        (
            S3Options(region="sa-east-1"),
            {"AWS_REGION": "", "AWS_DEFAULT_REGION": "ap-southeast-2"},
            "https://mesh.s3.ap-southeast-2.amazonaws.com/ ap-southeast-2",
        ),
    ],
)
def test_variables_beat_mesh_yml(options: S3Options, environment: dict[str, str], expected: str) -> None:
    assert where(environment, options=options) == expected


def test_time_outs_and_a_token_are_handed_on() -> None:
    case = plain_case("mesh", S3Options(connect_timeout=1, read_timeout=2), PLAIN | {"AWS_SESSION_TOKEN": "T"})
    assert case is not None
    assert (case.connect_timeout, case.read_timeout, case.credentials.token) == (1, 2, "T")
    assert SECRET not in repr(case)


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_PROFILE": "work"},
        {"AWS_DEFAULT_PROFILE": "work"},
        {"AWS_CA_BUNDLE": "/ca.pem"},
        {"REQUESTS_CA_BUNDLE": "/ca.pem"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_SECURITY_TOKEN": "old name"},
        {"AWS_CREDENTIAL_EXPIRATION": "2026-01-01T00:00:00Z"},
        {"AWS_SOMETHING_NEW": "1"},
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_SECRET_ACCESS_KEY": "with a line break\n"},
        {"AWS_SESSION_TOKEN": "with a line break\n"},
        {"AWS_REGION": ""},
        {"AWS_REGION": "aws-global"},
        {"AWS_REGION": "cn-north-1"},
        {"AWS_REGION": "us-iso-east-1"},
        {"AWS_REGION": "eu-west-1.evil.example"},
        {"AWS_ENDPOINT_URL": "http://anna:secret@a"},
        {"AWS_ENDPOINT_URL": "http://a/below"},
        {"AWS_ENDPOINT_URL": "http://a?x=1"},
        {"AWS_ENDPOINT_URL": "http://[::1]:9000"},
        {"AWS_ENDPOINT_URL": "http://a:99999"},
        {"AWS_ENDPOINT_URL": "ftp://a"},
        {"AWS_ENDPOINT_URL": "a:9000"},
        {"AWS_ENDPOINT_URL": "https://s3-accelerate.amazonaws.com"},
        {"AWS_ENDPOINT_URL": "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com"},
    ],
    ids=lambda environment: " ".join(f"{name}={value}" for name, value in environment.items()),
)
def test_whatever_else_is_set_is_boto3s(environment: dict[str, str]) -> None:
    assert where(environment) is None


@pytest.mark.parametrize(
    "bucket",
    [
        "Mesh",
        "my.bucket",
        "a",
        "-mesh",
        "mesh-",
        "me_sh",
        "x" * 64,
        "mesh--usw2-az1--x-s3",
        "mesh-s3alias",
        "a/b",
        "me sh",
    ],
)
def test_a_bucket_that_is_no_plain_label_is_boto3s(bucket: str) -> None:
    assert where(bucket=bucket) is None


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_settings_file_is_boto3s(home: Path, file: str) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / file).touch()
    assert where() is None
    assert where({"AWS_CONFIG_FILE": "/none", "AWS_SHARED_CREDENTIALS_FILE": "/none"}) is not None


@pytest.mark.parametrize("name", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_settings_file_that_a_variable_names_is_boto3s(home: Path, name: str) -> None:
    (home / "settings").touch()
    assert where({name: "~/settings"}) is None
    assert where({name: "$HOME/settings"}) is None
    assert where({name: "~/none"}) is not None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_is_boto3s_unless_the_host_goes_past_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://proxy:3128")
    proxied = {name: "http://proxy:3128"}
    assert where(proxied) is None
    assert where({"AWS_ENDPOINT_URL": "http://a:9000", **proxied}) is not None  # the proxy of another scheme
    monkeypatch.setenv("NO_PROXY", ".amazonaws.com")
    assert where(proxied) is not None
