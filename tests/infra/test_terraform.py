"""aws_setup/ as Terraform has it: applied to a local AWS it comes to the golden policies, and to nothing more later on.

What moto cannot judge, conditions and the bucket's policy above all, test_policies.py judges on the same JSON.
"""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from registry_tools.errors import RegistryError
from registry_tools.registry.location import open_registry
from registry_tools.registry.publications import Registry
from tests.builders import publish
from tests.golden import assert_stands
from tests.infra.emulator import SETUP, Terraform, prepared
from tests.infra.golden_policies import BUCKET, FOLDER, KEY
from tests.infra.test_roles import sync
from tests.running import REPOSITORY
from tests.stores.local_s3 import aws_variables
from tests.unit.test_check_changes import up

WHOLE: Final = FOLDER / "mesh.yml"
REGION: Final = "eu-central-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Terraform:
    return prepared(tmp_path_factory.mktemp("terraform"), endpoint)


@pytest.fixture(scope="module")
def applied(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Three projects, planned again without a difference; then a fourth, which is planned as an addition alone."""
    document = yaml.safe_load(WHOLE.read_text())
    del document["projects"]["dbt_far"]
    three = tmp_path_factory.mktemp("mesh") / "mesh.yml"
    three.write_text(yaml.safe_dump(document))
    terraform.describe(three)
    terraform.done("apply", "-auto-approve", "-no-color")
    again = terraform.run("plan", "-detailed-exitcode", "-no-color")
    assert again.returncode == 0, again.stdout
    terraform.describe(WHOLE)
    added = terraform.done("apply", "-auto-approve", "-no-color", "-refresh=false")
    found = re.search(r"Resources: (\d+) added, (\d+) changed, (\d+) destroyed", added)
    assert found, added
    return {**terraform.outputs(), "changed": tuple(map(int, found.groups()))}


def client(endpoint: str, service: str, **credentials: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} | credentials
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    return boto3.client(service, region_name=REGION, endpoint_url=endpoint, config=config, **keys)  # type: ignore[call-overload]


def test_it_is_formatted_and_valid(terraform: Terraform) -> None:
    terraform.done("fmt", "-check", "-recursive", "-no-color", str(REPOSITORY / SETUP))
    assert json.loads(terraform.done("validate", "-json"))["diagnostics"] == []


def test_its_own_tests_pass(terraform: Terraform) -> None:
    assert "0 failed" in terraform.done("test", "-no-color")


def test_a_project_is_added_by_its_lines_in_mesh_yml(applied: Mapping[str, Any], endpoint: str) -> None:
    # role, policy, what it may read of dbt_down and dbt_down of it: each a policy and its attachment
    assert applied["changed"] == (6, 1, 0)
    role = client(endpoint, "iam").get_role(RoleName="dbt-mesh-dbt-far")["Role"]
    assert role["Arn"] == applied["publisher_role_arns"]["dbt_far"] == "arn:aws:iam::123456789012:role/dbt-mesh-dbt-far"
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
    assert trusted["token.actions.githubusercontent.com:sub"] == "repo:acme/dbt-mesh:environment:dbt_far-prod"


def test_the_policies_are_the_golden_ones(applied: Mapping[str, Any]) -> None:
    assert applied["registry"] == f"s3://{BUCKET}/registry"
    for name, policy in applied["policies"].items():
        text = json.dumps(json.loads(policy.replace(applied["key_arn"], KEY)), indent=2) + "\n"
        assert_stands(FOLDER / f"{name.replace('/', '.')}.json", text)
    standing = {path.stem for path in FOLDER.glob("*.json")}
    assert standing == {name.replace("/", ".") for name in applied["policies"]}


def test_the_bucket_is_as_the_design_wants_it(applied: Mapping[str, Any], endpoint: str) -> None:
    s3 = client(endpoint, "s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["BucketKeyEnabled"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": applied["key_arn"],
    }
    for bucket in (BUCKET, f"{BUCKET}-access-logs"):
        assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
        (owned,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        assert owned["ObjectOwnership"] == "BucketOwnerEnforced"
    assert s3.get_bucket_logging(Bucket=BUCKET)["LoggingEnabled"]["TargetBucket"] == f"{BUCKET}-access-logs"
    assert client(endpoint, "kms").get_key_rotation_status(KeyId=applied["key_arn"])["KeyRotationEnabled"]


@pytest.fixture(scope="module")
def sessions(applied: Mapping[str, Any], endpoint: str) -> Mapping[str, Mapping[str, str]]:
    """Temporary credentials of each publisher, of whom moto now demands what their policies say of actions and keys.

    It takes every conditional denial of the bucket's policy for one that holds, so that policy has to go first.
    """
    sts, admin = client(endpoint, "sts"), client(endpoint, "s3")
    asked = {"RoleSessionName": "ci", "WebIdentityToken": "x" * 30}
    found = {
        name: sts.assume_role_with_web_identity(RoleArn=arn, **asked)["Credentials"]
        for name, arn in applied["publisher_role_arns"].items()
    }
    admin.delete_bucket_policy(Bucket=BUCKET)
    admin.put_object(Bucket=BUCKET, Key="registry/_private/dbt_up/prod/x.json.zst", Body=b"secret")
    request = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", data=b"0", method="POST")  # noqa: S310
    request.add_header("Content-Type", "text/plain")  # of a form, moto leaves nothing to read
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # our own server
        assert answer.status == 200
    return {
        name: {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        for name, keys in found.items()
    }


def test_roles_are_held_to_their_keys_by_another_evaluator_too(
    sessions: Mapping[str, Mapping[str, str]], endpoint: str
) -> None:
    roles = {name: client(endpoint, "s3", **keys) for name, keys in sessions.items()}
    own, theirs = "registry/dbt_up/prod/history/x/manifest.json", "registry/dbt_down/prod/history/x/manifest.json"
    new = {"Body": b"{}", "IfNoneMatch": "*"}
    matrix: list[tuple[str, str, Mapping[str, Any], str]] = [
        ("dbt_up", "put_object", {"Key": own, **new}, "done"),
        ("dbt_up", "put_object", {"Key": own, **new}, "PreconditionFailed"),
        ("dbt_up", "put_object", {"Key": theirs, **new}, "AccessDenied"),
        ("dbt_up", "put_object", {"Key": "registry/_edges/dbt_up/dbt_far", **new}, "AccessDenied"),
        ("dbt_up", "delete_object", {"Key": own}, "AccessDenied"),
        ("dbt_down", "get_object", {"Key": own}, "done"),
        ("dbt_down", "put_object", {"Key": own, **new}, "AccessDenied"),
        ("dbt_down", "put_object", {"Key": "registry/_edges/dbt_up/dbt_down", **new}, "done"),
        ("dbt_down", "get_object", {"Key": "registry/_private/dbt_up/prod/x.json.zst"}, "AccessDenied"),
        ("dbt_far", "get_object", {"Key": own}, "AccessDenied"),
    ]
    assert [_tried(getattr(roles[who], act), **what) for who, act, what, _ in matrix] == [end for *_, end in matrix]


def test_the_product_publishes_and_syncs_with_a_roles_session(
    sessions: Mapping[str, Mapping[str, str]], endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws_variables(endpoint, tmp_path).items():
        monkeypatch.setenv(name, value)

    def registry(project: str) -> Registry:
        for name, value in sessions[project].items():
            monkeypatch.setenv(name.upper(), value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        return open_registry(f"s3://{BUCKET}/registry")

    assert publish(tmp_path, registry("dbt_up"), up("id")).publication.n == 1
    assert [read.publication.n for read in sync(tmp_path, registry("dbt_down")).upstreams] == [1]
    down = registry("dbt_down")
    with pytest.raises(RegistryError, match="AccessDenied"):
        publish(tmp_path, down, up("id", "amount", built=2))


def _tried(act: Callable[..., Any], **asked: Any) -> str:
    try:
        act(Bucket=BUCKET, **asked)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"
