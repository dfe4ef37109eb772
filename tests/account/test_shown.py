"""Rows in the forms in which Snowflake's documentation shows them become settings in the words of ALTER ... SET."""

import json

import pytest

from registry_tools.account import shown
from registry_tools.mesh.account import Entry, Grant, Membership, Securable, role


def test_a_warehouse() -> None:
    row = {
        "name": "DBT_UP_WH",
        "size": "X-Small",
        "auto_suspend": 60,
        "auto_resume": "true",
        "resource_monitor": "null",
        "owner": "SYSADMIN",
        "comment": "",
    }
    assert shown.warehouse(row) == Entry(
        owner=role("SYSADMIN"),
        settings={"WAREHOUSE_SIZE": "XSMALL", "AUTO_SUSPEND": "60", "AUTO_RESUME": "TRUE"},
    )
    assert shown.warehouse({**row, "size": "2X-Large"}).settings["WAREHOUSE_SIZE"] == "XXLARGE"
    assert shown.warehouse({**row, "size": "Large"}).settings["WAREHOUSE_SIZE"] == "LARGE"


def test_a_resource_monitor() -> None:
    row = {
        "name": "M",
        "credit_quota": "10.00",
        "frequency": "MONTHLY",
        "notify_at": "50%,80%",
        "suspend_at": "100%",
        "suspend_immediately_at": None,
        "owner": "ACCOUNTADMIN",
    }
    assert shown.monitor(row).settings == {
        "CREDIT_QUOTA": "10",
        "FREQUENCY": "MONTHLY",
        "TRIGGERS": "ON 50 PERCENT DO NOTIFY ON 80 PERCENT DO NOTIFY ON 100 PERCENT DO SUSPEND",
    }


def test_a_user_without_what_is_personal() -> None:
    rows = [
        {"property": "NAME", "value": "U"},
        {"property": "EMAIL", "value": "anna@acme.com"},
        {"property": "FIRST_NAME", "value": "Anna"},
        {"property": "PASSWORD", "value": "********"},
        {"property": "DISABLED", "value": "false"},
        {"property": "TYPE", "value": "SERVICE"},
        {"property": "DEFAULT_ROLE", "value": "R"},
        {"property": "DEFAULT_SECONDARY_ROLES", "value": '["ALL"]'},
        {"property": "RSA_PUBLIC_KEY_FP", "value": "SHA256:abc"},
        {"property": "RSA_PUBLIC_KEY_2_FP", "value": "null"},
    ]
    expected = {"TYPE": "SERVICE", "DEFAULT_ROLE": "R", "DEFAULT_SECONDARY_ROLES": "('ALL')"}
    assert shown.described(rows) == expected
    assert shown.fingerprints(rows) == {"RSA_PUBLIC_KEY_FP": "SHA256:abc"}
    assert shown.described([{"property": "DISABLED", "value": "true"}]) == {"DISABLED": "true"}


@pytest.mark.parametrize(("value", "said"), [("[]", "()"), ('["A","B"]', "('A', 'B')"), ("ALL", "ALL"), ("1", "1")])
def test_secondary_roles(value: str, said: str) -> None:
    found = shown.described([{"property": "DEFAULT_SECONDARY_ROLES", "value": value}])
    assert found == {"DEFAULT_SECONDARY_ROLES": said}


def test_workload_identities() -> None:
    aws = {"awsPartition": "aws-eusc", "awsAccount": "123456789012", "type": "IAM_ROLE", "iamRole": "dbt-mesh-dbt-up"}
    row = {"type": "AWS", "additional_info": json.dumps(aws)}
    arn = "arn:aws-eusc:iam::123456789012:role/dbt-mesh-dbt-up"
    assert shown.workload_identity(row) == f"(TYPE = AWS ARN = '{arn}')"
    user = json.dumps({**aws, "type": "IAM_USER"})
    assert ":user/" in shown.workload_identity({"type": "AWS", "additional_info": user})
    oidc = json.dumps({"subject": "repo:acme/x", "issuer": "https://token"})
    said = shown.workload_identity({"type": "OIDC", "additional_info": oidc})
    assert said == "(TYPE = OIDC ISSUER = 'https://token' SUBJECT = 'repo:acme/x')"
    assert shown.workload_identity({"type": "OIDC", "additional_info": "not JSON"}) == "(TYPE = OIDC)"


def test_grants_to_a_user_are_roles_and_privileges() -> None:
    user = Securable("USER", ("U",))
    as_role = {"role": "R", "granted_to": "USER", "grantee_name": "U"}
    assert shown.of_user(as_role) == Membership(role("R"), user)
    given = {
        "role": None,
        "privilege": "USAGE",
        "granted_on": "DATABASE",
        "name": "D",
        "granted_to": "USER",
        "grantee_name": "U",
    }
    assert shown.of_user(given) == Grant("USAGE", Securable("DATABASE", ("D",)), user)


def test_what_owns_and_what_nobody_owns() -> None:
    assert shown.owner({"owner": None}) is None
    assert shown.owner({"owner": "R", "owner_role_type": "DATABASE_ROLE"}, "D") == Securable(
        "DATABASE ROLE", ("D", "R")
    )
    assert shown.plain({"owner": "R", "comment": "why"}).settings == {"COMMENT": "why"}


@pytest.mark.parametrize(
    ("allowed", "settings"),
    [(None, {}), ('["a","b"]', {"ALLOWED_VALUES": "a, b"}), ("[a, b]", {})],
)
def test_a_tag(allowed: str | None, settings: dict[str, str]) -> None:
    assert shown.tag({"owner": "R", "allowed_values": allowed}).settings == settings


def test_an_authentication_policy() -> None:
    rows = [
        {"property": "NAME", "value": "P"},
        {"property": "AUTHENTICATION_METHODS", "value": "[KEYPAIR, WORKLOAD_IDENTITY]"},
        {"property": "CLIENT_TYPES", "value": "ALL"},
    ]
    assert shown.policy(rows) == {"AUTHENTICATION_METHODS": "('KEYPAIR', 'WORKLOAD_IDENTITY')", "CLIENT_TYPES": "ALL"}


def test_how_files_come_in() -> None:
    described = [
        {"property": "ENABLED", "property_value": "true"},
        {"property": "STORAGE_PROVIDER", "property_value": "S3"},
        {"property": "STORAGE_ALLOWED_LOCATIONS", "property_value": "s3://a/,s3://b/"},
        {"property": "STORAGE_AWS_ROLE_ARN", "property_value": "arn:aws:iam::1:role/x"},
        {"property": "STORAGE_AWS_EXTERNAL_ID", "property_value": "ACME_SFCRole=1_x"},
    ]
    assert shown.integration({"type": "EXTERNAL_STAGE"}, described) == {
        "TYPE": "EXTERNAL_STAGE",
        "STORAGE_PROVIDER": "S3",
        "ENABLED": "TRUE",
        "STORAGE_AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
        "STORAGE_ALLOWED_LOCATIONS": "('s3://a/', 's3://b/')",
    }
    assert "STORAGE_ALLOWED_LOCATIONS" not in shown.integration({"type": "EXTERNAL_STAGE"}, [])
    options = json.dumps({"TYPE": "CSV", "PARSE_HEADER": True, "COMPRESSION": "NONE", "SKIP_HEADER": 0})
    row = {"owner": "R", "type": "CSV", "format_options": options}
    assert shown.file_format(row).settings == {"TYPE": "CSV", "PARSE_HEADER": "TRUE", "SKIP_HEADER": "0"}
    assert shown.file_format({**row, "format_options": "{"}).settings == {"TYPE": "CSV"}
    assert shown.stage({"owner": "R", "url": "s3://a/", "storage_integration": None}).settings == {"URL": "s3://a/"}
