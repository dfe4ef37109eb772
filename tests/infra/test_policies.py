"""What each role may do, as the golden policies have it: a table of roles, requests and answers, and nothing is run."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.infra.golden_policies import BUCKET, KEY, golden, identities
from tests.infra.policies import ACCOUNT, Policy, Request, Verdict, judge

NEW: Final = {"s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}
OVER: Final = {"s3:if-match": '"tag"', "s3:ObjectCreationOperation": "true"}
BLIND: Final = {"s3:ObjectCreationOperation": "true"}
SSE, SSE_KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
PART: Final = {"s3:ObjectCreationOperation": "false"}
GONE: Final = {"s3:if-match": '"tag"'}
PUT, GET, DELETE, LIST = "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"
VERSION: Final = "s3:DeleteObjectVersion"

UP_LOG, UP_FILE = "dbt_up/prod/log/999999999998.json", "dbt_up/prod/history/20260123T064541Z-0123456789ab/manifest.json"
UP_LATEST, UP_STATE = "dbt_up/prod/latest/manifest.json", "_private/dbt_up/prod/20260123T064541Z-0123456789ab.json.zst"
UP_USAGE = UP_FILE.replace("manifest.json", "usage.json.zst")
DOWN_LOG, DOWN_FILE, DOWN_USAGE = (key.replace("dbt_up", "dbt_down") for key in (UP_LOG, UP_FILE, UP_USAGE))
DOWN_LATEST, DOWN_STATE = (key.replace("dbt_up", "dbt_down") for key in (UP_LATEST, UP_STATE))
FAR_LOG, FAR_FILE, FAR_USAGE = (key.replace("dbt_up", "dbt_far") for key in (UP_LOG, UP_FILE, UP_USAGE))
EDGE, OTHERS_EDGE = "_edges/dbt_up/dbt_down", "_edges/dbt_up/dbt_far"

# Whom each project of mesh.yml reads, and who reads it, directly or through others.
READS: Final[Mapping[str, set[str]]] = {
    "dbt_up": set(),
    "dbt_down": {"dbt_up"},
    "dbt_down_loom": {"dbt_up"},
    "dbt_far": {"dbt_down"},
}
READERS: Final[Mapping[str, set[str]]] = {
    "dbt_up": {"dbt_down", "dbt_down_loom", "dbt_far"},
    "dbt_down": {"dbt_far"},
    "dbt_down_loom": set(),
    "dbt_far": set(),
}

Row = tuple[str, str, str, Mapping[str, str], Verdict]

OBJECTS: Final[list[Row]] = [
    # a publisher creates its own, each object once
    ("dbt_up", PUT, UP_LOG, NEW, "allowed"),
    ("dbt_up", PUT, UP_FILE, NEW, "allowed"),
    ("dbt_up", PUT, UP_STATE, NEW, "allowed"),
    ("dbt_up", PUT, UP_LATEST, NEW, "allowed"),
    ("dbt_up", PUT, UP_LOG, OVER, "denied"),
    ("dbt_up", PUT, UP_LOG, BLIND, "denied"),
    ("dbt_up", PUT, UP_FILE, OVER, "denied"),
    ("dbt_up", PUT, UP_FILE, BLIND, "denied"),
    ("dbt_up", PUT, UP_STATE, OVER, "denied"),
    ("dbt_up", PUT, UP_STATE, BLIND, "denied"),
    # and replaces what it has seen of latest/, nothing else
    ("dbt_up", PUT, UP_LATEST, OVER, "allowed"),
    ("dbt_up", PUT, UP_LATEST, BLIND, "denied"),
    ("dbt_up", PUT, "dbt_up/prod/latest/other.json", OVER, "not allowed"),
    ("dbt_up", PUT, "dbt_up/prod/else.json", OVER, "not allowed"),
    ("dbt_down", PUT, EDGE, NEW, "allowed"),
    ("dbt_down", PUT, EDGE, OVER, "not allowed"),
    ("dbt_down", PUT, EDGE, BLIND, "denied"),
    # nothing of others, nor in another's name
    ("dbt_up", PUT, DOWN_LOG, NEW, "not allowed"),
    ("dbt_up", PUT, DOWN_STATE, NEW, "not allowed"),
    ("dbt_up", PUT, DOWN_LATEST, OVER, "not allowed"),
    ("dbt_down", PUT, UP_LATEST, OVER, "not allowed"),
    ("dbt_down", PUT, OTHERS_EDGE, NEW, "not allowed"),
    ("dbt_down", PUT, "_edges/dbt_far/dbt_down", NEW, "not allowed"),
    ("dbt_down", PUT, "dbt_down_loom/prod/log/999999999998.json", NEW, "not allowed"),
    ("dbt_up", PUT, "_probe/x/rights", NEW, "not allowed"),
    ("dbt_up", PUT, "elsewhere", NEW, "not allowed"),
    # it deletes nothing
    ("dbt_up", DELETE, UP_LOG, GONE, "not allowed"),
    ("dbt_up", DELETE, UP_FILE, GONE, "not allowed"),
    ("dbt_up", DELETE, UP_LATEST, {}, "not allowed"),
    ("dbt_up", DELETE, UP_STATE, GONE, "not allowed"),
    ("dbt_up", VERSION, UP_FILE, {}, "not allowed"),
    # it reads its own, and all of its upstreams but what is private
    ("dbt_up", GET, UP_LOG, {}, "allowed"),
    ("dbt_up", GET, UP_STATE, {}, "allowed"),
    ("dbt_down", GET, UP_LOG, {}, "allowed"),
    ("dbt_down", GET, UP_FILE, {}, "allowed"),
    ("dbt_down", GET, UP_LATEST, {}, "allowed"),
    ("dbt_down", GET, UP_STATE, {}, "not allowed"),
    ("dbt_down_loom", GET, DOWN_LOG, {}, "not allowed"),
    ("dbt_far", GET, UP_LOG, {}, "not allowed"),
    ("dbt_far", GET, UP_FILE, {}, "not allowed"),
    # of those who read it, and who read those, what they recorded of their reads
    ("dbt_up", GET, DOWN_LOG, {}, "allowed"),
    ("dbt_up", GET, DOWN_USAGE, {}, "allowed"),
    ("dbt_up", GET, DOWN_FILE, {}, "not allowed"),
    ("dbt_up", GET, DOWN_LATEST, {}, "not allowed"),
    ("dbt_up", GET, DOWN_STATE, {}, "not allowed"),
    ("dbt_up", GET, FAR_LOG, {}, "allowed"),
    ("dbt_up", GET, FAR_USAGE, {}, "allowed"),
    ("dbt_up", GET, FAR_FILE, {}, "not allowed"),
    ("dbt_far", GET, DOWN_USAGE, {}, "allowed"),  # of an upstream, everything that is public
    # pull requests read what everybody may read, and write nothing
    ("pull_requests", GET, UP_LOG, {}, "allowed"),
    ("pull_requests", GET, DOWN_FILE, {}, "allowed"),
    ("pull_requests", GET, FAR_USAGE, {}, "allowed"),
    ("pull_requests", GET, UP_STATE, {}, "denied"),
    ("pull_requests", GET, "_private/dbt_up/history/20260123T064541Z-0123456789ab.json.zst", {}, "denied"),
    ("pull_requests", PUT, UP_LOG, NEW, "not allowed"),
    ("pull_requests", PUT, EDGE, NEW, "not allowed"),
    ("pull_requests", DELETE, UP_FILE, GONE, "not allowed"),
    # the collector deletes what was given up, by name of what it deletes, and adds to logs
    ("collector", GET, UP_LOG, {}, "allowed"),
    ("collector", GET, UP_STATE, {}, "allowed"),  # or it could not delete by name of what it deletes
    ("collector", PUT, UP_LOG, NEW, "allowed"),
    ("collector", PUT, UP_LOG, BLIND, "denied"),
    ("collector", PUT, UP_FILE, NEW, "not allowed"),
    ("collector", PUT, UP_LATEST, OVER, "not allowed"),
    ("collector", PUT, "_private/dbt_up/log/x.json.zst", NEW, "denied"),
    ("collector", DELETE, UP_FILE, GONE, "allowed"),
    ("collector", DELETE, UP_FILE, {}, "not allowed"),
    ("collector", DELETE, UP_STATE, GONE, "allowed"),
    ("collector", DELETE, UP_LOG, GONE, "denied"),
    ("collector", DELETE, "dbt_up/history/log/999999999998.json", GONE, "denied"),
    ("collector", DELETE, "dbt_up/log/history/20260123T064541Z-0123456789ab/manifest.json", GONE, "allowed"),
    ("collector", DELETE, UP_LATEST, GONE, "not allowed"),
    ("collector", DELETE, EDGE, GONE, "not allowed"),
    ("collector", VERSION, UP_FILE, {}, "not allowed"),
    ("collector", PUT, "_probe/x/rights", NEW, "allowed"),
    ("collector", PUT, "_probe/x/rights", BLIND, "denied"),
    ("collector", DELETE, "_probe/x/rights", GONE, "allowed"),
    # the bucket holds also those to it who may do everything
    ("admin", PUT, UP_LOG, NEW, "allowed"),
    ("admin", PUT, UP_LOG, BLIND, "denied"),
    ("admin", PUT, UP_FILE, OVER, "denied"),
    ("admin", PUT, UP_STATE, BLIND, "denied"),
    ("admin", PUT, UP_FILE, PART, "allowed"),
    ("admin", PUT, UP_LATEST, BLIND, "denied"),
    ("admin", PUT, UP_LATEST, PART, "allowed"),
    ("admin", PUT, UP_LOG, {**NEW, "aws:SecureTransport": "false"}, "denied"),
    ("admin", GET, UP_LOG, {"aws:SecureTransport": "false"}, "denied"),
    ("admin", PUT, UP_LOG, {**NEW, SSE: "aws:kms", SSE_KEY: KEY}, "allowed"),
    # aws:kms alone is the account's own key, and SSE-C names no encryption of S3's at all
    ("admin", PUT, UP_LOG, {**NEW, SSE: "aws:kms"}, "denied"),
    ("admin", PUT, UP_LOG, {**NEW, SSE: "aws:kms", SSE_KEY: KEY.replace("123456789012", "210987654321")}, "denied"),
    ("admin", PUT, UP_LOG, {**NEW, SSE: "AES256"}, "denied"),
    ("admin", PUT, UP_LOG, {**NEW, f"{SSE}-customer-algorithm": "AES256"}, "denied"),
]

LISTINGS: Final[list[tuple[str, Mapping[str, str], Verdict]]] = [
    ("dbt_up", {"prefix": "registry/dbt_up/prod/log/"}, "allowed"),
    ("dbt_up", {"prefix": "registry/_private/dbt_up/prod/"}, "allowed"),
    ("dbt_up", {"prefix": "registry/_edges/dbt_up/"}, "allowed"),
    ("dbt_up", {"prefix": "registry/_edges/dbt_down/"}, "allowed"),
    ("dbt_up", {"prefix": "registry/dbt_far/", "delimiter": "/"}, "allowed"),
    ("dbt_down", {"prefix": "registry/dbt_up/prod/log/"}, "allowed"),
    ("dbt_down", {"prefix": "registry/_edges/dbt_up/dbt_down"}, "allowed"),
    ("dbt_down", {"prefix": "registry/_edges/dbt_up/"}, "not allowed"),
    ("dbt_down", {"prefix": "registry/_private/dbt_up/"}, "not allowed"),
    ("dbt_down", {"prefix": "registry/dbt_down_loom/"}, "not allowed"),
    ("dbt_up", {"prefix": "registry/_private/", "delimiter": "/"}, "not allowed"),
    ("dbt_up", {"prefix": "registry/", "delimiter": "/"}, "not allowed"),
    ("dbt_up", {"prefix": ""}, "not allowed"),
    ("dbt_up", {}, "not allowed"),
    ("pull_requests", {"prefix": "registry/", "delimiter": "/"}, "allowed"),
    ("pull_requests", {"prefix": "registry/"}, "not allowed"),
    ("pull_requests", {"prefix": "registry/dbt_up/prod/log/"}, "allowed"),
    ("pull_requests", {"prefix": "registry/_edges/dbt_up/"}, "allowed"),
    *(("pull_requests", {"prefix": "registry/_private/"[:end]}, "denied") for end in range(10, 19)),
    ("pull_requests", {"prefix": "registry/_private/dbt_up/"}, "denied"),
    ("pull_requests", {"delimiter": "/"}, "not allowed"),
    ("pull_requests", {}, "not allowed"),
    ("collector", {"prefix": "registry/", "delimiter": "/"}, "allowed"),
    ("collector", {"prefix": "registry/_private/dbt_up/prod/"}, "allowed"),
    ("collector", {"prefix": "other/"}, "not allowed"),
]
ADMIN: Final[Policy] = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
ROLES: Final = {**identities(), "admin": [ADMIN]}
HOST: Final = "token.actions.githubusercontent.com"
GITHUB: Final = ("Federated", f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}")
UP_SUBJECT: Final = "repo:acme/dbt-mesh:environment:dbt_up-prod"


@pytest.mark.parametrize(("role", "action", "key", "context", "verdict"), OBJECTS)
def test_who_may_do_what_to_an_object(role, action, key, context, verdict) -> None:
    said = {"aws:SecureTransport": "true", **context}
    request = Request(action=action, resource=f"arn:aws:s3:::{BUCKET}/registry/{key}", context=said)
    assert judge(request, ROLES[role], golden("bucket")) == verdict


@pytest.mark.parametrize("owner", READS)
@pytest.mark.parametrize("role", READS)
def test_what_each_project_may_do_to_each(role: str, owner: str) -> None:
    """All that is expected of the table above, of every two projects."""
    upstream, reader = owner in READS[role], owner in READERS[role]
    expected = {
        UP_LOG: (role == owner or upstream or reader, role == owner or upstream or reader),
        UP_USAGE: (role == owner or upstream or reader, role == owner or upstream or reader),
        UP_FILE: (role == owner or upstream, role == owner or upstream or reader),
        UP_LATEST: (role == owner or upstream, role == owner or upstream or reader),
        UP_STATE: (role == owner, role == owner),
        f"_edges/{owner}/{role}": (upstream, role == owner or upstream or reader),
    }
    for pattern, (reads, lists) in expected.items():
        key = pattern.replace("dbt_up/", f"{owner}/") if not pattern.startswith("_edges") else pattern
        resource = f"arn:aws:s3:::{BUCKET}/registry/{key}"
        creates = upstream if pattern.startswith("_edges") else role == owner
        asked = [(GET, {}, reads), (PUT, NEW, creates), (PUT, OVER, role == owner and pattern == UP_LATEST)]
        for action, context, allowed in asked:
            request = Request(action=action, resource=resource, context=context)
            assert (judge(request, ROLES[role]) == "allowed") is allowed, (action, key)
            assert judge(Request(action=PUT, resource=resource, context=BLIND), ROLES[role]) == "not allowed"
        listing = Request(action=LIST, resource=f"arn:aws:s3:::{BUCKET}", context={"s3:prefix": f"registry/{key}"})
        assert (judge(listing, ROLES[role]) == "allowed") is lists, key
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert judge(Request(action=action, resource=KEY, context=THROUGH), ROLES[role], golden("key")) == "allowed"


def test_the_collector_needs_no_bucket_to_be_held_to_conditions() -> None:
    resource = f"arn:aws:s3:::{BUCKET}/registry/{UP_LOG}"
    assert judge(Request(action=PUT, resource=resource, context=BLIND), ROLES["collector"]) == "not allowed"


def test_nobody_lists_without_tls() -> None:
    context = {"aws:SecureTransport": "false", "s3:prefix": "registry/"}
    request = Request(action=LIST, resource=f"arn:aws:s3:::{BUCKET}", context=context)
    assert judge(request, [ADMIN], golden("bucket")) == "denied"


@pytest.mark.parametrize(("role", "asked", "verdict"), LISTINGS)
def test_who_may_list_what(role, asked, verdict) -> None:
    context = {"aws:SecureTransport": "true", **{f"s3:{name}": value for name, value in asked.items()}}
    request = Request(action=LIST, resource=f"arn:aws:s3:::{BUCKET}", context=context)
    assert judge(request, ROLES[role], golden("bucket")) == verdict


@pytest.mark.parametrize("role", sorted(identities()))
@pytest.mark.parametrize(
    "action",
    ["s3:PutBucketPolicy", "s3:DeleteObjectTagging", "s3:PutLifecycleConfiguration", "s3:BypassGovernanceRetention"],
)
def test_no_role_changes_the_bucket(role: str, action: str) -> None:
    for resource in (f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/registry/{UP_FILE}"):
        assert judge(Request(action=action, resource=resource), ROLES[role]) == "not allowed"


THROUGH = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}


@pytest.mark.parametrize(
    ("role", "action", "context", "verdict"),
    [
        ("dbt_up", "kms:Decrypt", THROUGH, "allowed"),
        ("dbt_up", "kms:GenerateDataKey", THROUGH, "allowed"),
        ("dbt_up", "kms:Decrypt", {}, "denied"),
        ("dbt_up", "kms:Decrypt", {"kms:ViaService": "s3.us-east-1.amazonaws.com"}, "denied"),
        ("dbt_up", "kms:ScheduleKeyDeletion", {}, "not allowed"),
        ("pull_requests", "kms:Decrypt", THROUGH, "allowed"),
        ("pull_requests", "kms:GenerateDataKey", THROUGH, "not allowed"),
        ("collector", "kms:GenerateDataKey", THROUGH, "allowed"),
        ("collector", "kms:Decrypt", THROUGH, "allowed"),
        ("admin", "kms:Decrypt", {}, "denied"),
        ("admin", "kms:Encrypt", {}, "denied"),
        ("admin", "kms:GenerateDataKeyWithoutPlaintext", {}, "denied"),
        ("admin", "kms:ReEncryptFrom", {}, "denied"),
        ("admin", "kms:PutKeyPolicy", {}, "allowed"),
    ],
)
def test_the_key_is_used_through_s3_alone(role, action, context, verdict) -> None:
    assert judge(Request(action=action, resource=KEY, context=context), ROLES[role], golden("key")) == verdict


@pytest.mark.parametrize(
    ("trust", "subject", "verdict"),
    [
        ("publisher.dbt_up", UP_SUBJECT, "allowed"),
        ("publisher.dbt_up", "repo:acme/dbt-mesh:environment:dbt_down-prod", "not allowed"),
        ("publisher.dbt_up", "repo:acme/dbt-mesh:environment:dbt_up-dev", "not allowed"),
        ("publisher.dbt_up", "repo:acme/dbt-mesh:pull_request", "not allowed"),
        ("publisher.dbt_up", "repo:acme/dbt-mesh:ref:refs/heads/main", "not allowed"),
        ("publisher.dbt_up", "repo:evil/dbt-mesh:environment:dbt_up-prod", "not allowed"),
        ("publisher.dbt_up", UP_SUBJECT.upper(), "not allowed"),
        ("publisher.dbt_down_loom", "repo:growth@11/loom@22:environment:dbt_down_loom-prod", "allowed"),
        ("publisher.dbt_down_loom", "repo:acme/dbt-mesh:environment:dbt_down_loom-prod", "not allowed"),
        ("pull_requests", "repo:acme/dbt-mesh:pull_request", "allowed"),
        ("pull_requests", "repo:growth@11/loom@22:pull_request", "allowed"),
        ("pull_requests", UP_SUBJECT, "not allowed"),
        ("collector", UP_SUBJECT, "not allowed"),
    ],
)
def test_which_of_githubs_tokens_gets_which_role(trust: str, subject: str, verdict: Verdict) -> None:
    asked = {f"{HOST}:sub": subject, f"{HOST}:aud": "sts.amazonaws.com"}
    assert _assume(trust, asked) == verdict
    assert _assume(trust, {**asked, f"{HOST}:aud": "https://github.com/acme"}) == "not allowed"
    assert _assume(trust, {f"{HOST}:aud": "sts.amazonaws.com"}) == "not allowed"


def _assume(trust: str, context: Mapping[str, str]) -> Verdict:
    request = Request(action="sts:AssumeRoleWithWebIdentity", principal=GITHUB, context=context)
    return judge(request, [], golden(f"trust.{trust}"))


def test_the_collector_is_assumed_by_whom_the_account_lets() -> None:
    request = Request(action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/dbt-registry-collector")
    assert judge(request, [ADMIN], golden("trust.collector")) == "allowed"
    assert judge(request, [], golden("trust.collector")) == "not allowed"
    assert judge(request, [], golden("trust.publisher.dbt_up")) == "not allowed"


@pytest.mark.parametrize(("account", "verdict"), [(ACCOUNT, "allowed"), ("210987654321", "not allowed")])
def test_access_logs_are_delivered_by_s3_for_this_bucket_alone(account: str, verdict: Verdict) -> None:
    context = {"aws:SourceAccount": account, "aws:SourceArn": f"arn:aws:s3:::{BUCKET}", "aws:SecureTransport": "true"}
    resource = f"arn:aws:s3:::{BUCKET}-access-logs/{BUCKET}/2026-11-21"
    delivery = ("Service", "logging.s3.amazonaws.com")
    request = Request(action=PUT, resource=resource, principal=delivery, context=context)
    assert judge(request, [], golden("logs")) == verdict


def _with(**statement: Any) -> Policy:
    return {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:a?c*", **statement}]}


def test_the_evaluator_knows_what_it_does_not_know() -> None:
    request = Request(action="S3:GetObject", resource="arn:abc/d")
    assert judge(request, [_with()]) == "allowed"
    assert judge(request, [_with(Effect="Deny"), _with()]) == "denied"
    for unknown in (
        _with(NotAction="s3:*"),
        _with(Effect="Maybe"),
        _with(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    ):
        with pytest.raises(NotImplementedError):
            judge(request, [unknown])


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"k": ["a", "v"]}}, True),
        ({"StringEquals": {"k": "V"}}, False),
        ({"StringEquals": {"absent": "v"}}, False),
        ({"StringNotEquals": {"k": "v"}}, False),
        ({"StringNotEquals": {"k": ["a", "b"]}}, True),
        ({"StringNotEquals": {"absent": "v"}}, True),
        ({"StringLike": {"K": "?"}}, True),
        ({"StringLike": {"k": "v?"}}, False),
        ({"Null": {"k": "true"}}, False),
        ({"Null": {"absent": "true", "gone": "true"}}, True),
        ({"Null": {"absent": "true", "k": "true"}}, False),
        ({"Null": {"k": "false"}, "StringEquals": {"k": "x"}}, False),
        ({"Bool": {"absent": "false"}}, False),
        ({"Bool": {"truth": "TRUE"}}, True),
    ],
)
def test_conditions_hold_as_iam_has_it(condition: Any, holds: bool) -> None:  # noqa: FBT001  # the expected answer
    request = Request(action="s3:GetObject", resource="arn:abc", context={"k": "v", "truth": "true"})
    assert (judge(request, [_with(Condition=condition)]) == "allowed") is holds
