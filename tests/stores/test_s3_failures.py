"""What S3 and the network can do to us ends in our errors: with the root, the next step, and never a secret."""

import base64
import hashlib
import socket
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from registry_tools.errors import Forbidden, IntegrityError, OutcomeUnknown, RegistryError
from registry_tools.registry.patience import Clock
from registry_tools.registry.s3 import S3Store
from registry_tools.registry.s3_options import S3Options
from tests.stores.conftest import DOORS
from tests.stores.fault_server import Answer, FaultServer, error, fault_server
from tests.stores.local_s3 import SECRET

HTML = {"Content-Type": "text/html"}
Act = Callable[[S3Store], object]
Test = Callable[..., None]
WRITES: dict[str, Act] = {
    "create": lambda store: store.create("k", b"body"),
    "replace": lambda store: store.replace("k", b"body", '"tag"'),
    "delete": lambda store: store.delete("k", '"tag"'),
}
READS: dict[str, Act] = {
    "get": lambda store: store.get("k"),
    "head": lambda store: store.head("a/k"),
    "first": lambda store: store.first("a/"),
    "keys": lambda store: list(store.keys("a/")),
    "folders": lambda store: store.folders("a/"),
}
XML = {"Content-Type": "application/xml"}
LISTING = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
GOOD = Answer(body=LISTING, headers={"ETag": '"1"', **XML})  # an object with these bytes, too
FAULTS = {
    "503": error(503, "SlowDown"),
    "500": error(500, "InternalError"),
    "502 of a proxy": Answer(status=502, body=b"<html>bad gateway</html>", headers=HTML),
    "429": error(429, "TooManyRequests"),
    "400 RequestTimeout": error(400, "RequestTimeout"),
    "hung up": Answer(reset=True),
    "no answer": Answer(hang=True),
    "cut off": Answer(body=LISTING[:30], claimed=len(LISTING), headers={"ETag": '"1"', **XML}),
}
# Writes have one door, so they are not asked twice.
WRITING = [pytest.param(act, "boto3", id=name) for name, act in WRITES.items()]
READING = [pytest.param(act, door, id=f"{name} {door}") for name, act in READS.items() for door in DOORS]
writes = pytest.mark.parametrize("act", WRITES.values(), ids=WRITES)
through_both_doors = pytest.mark.usefixtures("door")


def reads(test: Test) -> Test:
    marked: Test = pytest.mark.parametrize(("act", "door"), READING, indirect=["door"])(through_both_doors(test))
    return marked


def anything(test: Test) -> Test:
    cases = [*WRITING, *READING]
    marked: Test = pytest.mark.parametrize(("act", "door"), cases, indirect=["door"])(through_both_doors(test))
    return marked


@pytest.fixture
def pauses() -> list[float]:
    """How long each wait would have been."""
    return []


@pytest.fixture
def store(pauses: list[float]) -> S3Store:
    return S3Store("mesh", "registry", S3Options(read_timeout=0.3), clock=Clock(pause=pauses.append))


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    with fault_server() as (server, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield server


def assert_refusal(store: S3Store, act: Act, *kinds: type[RegistryError]) -> str:
    """The message of the error that `act` must raise, fit to be shown to anybody; a RegistryError unless said."""
    with pytest.raises(RegistryError) as caught:
        act(store)
    message = str(caught.value)
    assert type(caught.value) in (kinds or (RegistryError,)), message
    assert caught.value.exit_code == 3
    assert store.root in message
    assert "\n  next: " in message
    assert SECRET not in message
    cause = caught.value.__context__
    assert cause is None or caught.value.__suppress_context__  # nor does a traceback tell what boto3 said
    return message


def test_a_read_goes_through_the_door_that_is_open(store: S3Store, faults: FaultServer, door: str) -> None:
    faults.answers = [GOOD]
    store.get("k")
    list(store.keys(""))
    agents = [request.headers["user-agent"].split("/")[0] for request in faults.requests]
    assert agents == [{"boto3": "Boto3", "signed": "registry-tools"}[door]] * 2


@writes
def test_412_says_that_somebody_else_was_there(store: S3Store, faults: FaultServer, act: Act) -> None:
    faults.answers = [error(412, "PreconditionFailed")]
    assert act(store) is False
    assert len(faults.requests) == 1


@writes
@pytest.mark.parametrize(
    "answer",
    [
        error(409, "ConditionalRequestConflict"),
        error(409, "OperationAborted"),
        error(400, "RequestTimeout"),
        error(500, "InternalError"),
        error(503, "SlowDown"),
        Answer(status=500),
        Answer(status=502, body=b"<html>bad gateway</html>", headers=HTML),
        Answer(status=503),
        Answer(status=504, body=b"upstream timed out"),
        Answer(hang=True),
        Answer(reset=True),
    ],
    ids=[
        "409",
        "409 aborted",
        "400 timed out",
        "500",
        "503",
        "500 bare",
        "502 of a proxy",
        "503 bare",
        "504",
        "no answer",
        "hung up",
    ],
)
def test_a_write_without_a_clear_answer_is_unknown_and_sent_once(
    store: S3Store, faults: FaultServer, act: Act, answer: Answer
) -> None:
    faults.answers = [answer]
    assert_refusal(store, act, OutcomeUnknown)
    assert len(faults.requests) == 1


def test_a_write_says_what_must_hold_and_what_it_carries(store: S3Store, faults: FaultServer) -> None:
    assert store.create("a/k", b"body") is True
    assert store.replace("a/k", b"longer body", '"tag"') is True
    create, replace = faults.requests
    assert (create.method, create.path, create.body) == ("PUT", "/mesh/registry/a/k", b"body")
    assert create.headers["if-none-match"] == "*"
    assert "if-match" not in create.headers
    assert replace.headers["if-match"] == '"tag"'
    assert "if-none-match" not in replace.headers
    for request in (create, replace):
        promised = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        assert request.headers["x-amz-checksum-sha256"] == promised
        assert SECRET not in str(request)


def test_a_deletion_says_what_must_hold(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [Answer(status=204)]
    assert store.delete("a/k", '"tag"') is True
    (request,) = faults.requests
    assert (request.method, request.path) == ("DELETE", "/mesh/registry/a/k")
    assert request.headers["if-match"] == '"tag"'


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        (S3Options(), (None, None)),
        (S3Options(sse="AES256"), ("AES256", None)),
        (S3Options(sse="aws:kms"), ("aws:kms", None)),
        (S3Options(kms_key="alias/mesh"), ("aws:kms", "alias/mesh")),
    ],
)
def test_every_put_asks_for_the_encryption_that_mesh_yml_names(
    faults: FaultServer, options: S3Options, headers: tuple[str | None, str | None]
) -> None:
    store = S3Store("mesh", "registry", options)
    assert store.create("k", b"body")
    assert store.replace("k", b"body", '"tag"')
    for request in faults.requests:
        names = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
        assert tuple(request.headers.get(name) for name in names) == headers


@writes
@pytest.mark.parametrize(
    "answer",
    [error(501, "NotImplemented"), Answer(status=501), error(400, "InvalidArgument"), Answer(status=400)],
    ids=["501", "501 bare", "400", "400 bare"],
)
def test_a_store_that_does_not_know_conditions_is_sent_to_the_doctor(
    store: S3Store, faults: FaultServer, act: Act, answer: Answer
) -> None:
    faults.answers = [answer]
    message = assert_refusal(store, act)
    assert "mesh doctor" in message
    assert "If-None-Match" in message
    assert len(faults.requests) == 1


@writes
def test_a_checksum_that_s3_disputes_is_not_a_success(store: S3Store, faults: FaultServer, act: Act) -> None:
    faults.answers = [error(400, "BadDigest", "The SHA256 you specified did not match")]
    assert "BadDigest" in assert_refusal(store, act)


def test_replacing_what_is_gone_is_declined(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [error(404, "NoSuchKey")]
    assert store.replace("k", b"body", '"tag"') is False
    assert store.delete("k", '"tag"') is False


@reads
@pytest.mark.parametrize("fault", [FAULTS[name] for name in ("503", "hung up", "no answer")])
def test_a_read_is_tried_again(store: S3Store, faults: FaultServer, act: Act, fault: Answer) -> None:
    faults.answers = [fault, GOOD]
    act(store)
    assert len(faults.requests) == 2


@through_both_doors
@pytest.mark.parametrize("act", [READS["get"], READS["keys"]], ids=["get", "keys"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_read_is_given_up_after_three_times(
    store: S3Store, faults: FaultServer, act: Act, fault: Answer, pauses: list[float]
) -> None:
    faults.answers = [fault]
    assert_refusal(store, act)
    assert len(faults.requests) == 3
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.2
    assert 0 <= pauses[1] <= 0.4


@through_both_doors
def test_a_body_that_breaks_off_is_an_error_and_not_a_short_object(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [Answer(body=b"half", claimed=8, headers={"ETag": '"1"'})]
    assert_refusal(store, lambda s: s.get("k"))
    assert len(faults.requests) == 3


@through_both_doors
@pytest.mark.parametrize("name", ["head", "first", "keys", "folders"])
def test_a_listing_that_breaks_off_before_it_begins_is_not_an_empty_one(
    store: S3Store, faults: FaultServer, name: str
) -> None:
    """botocore takes no body at all for a listing without keys; then a log looks empty, and all its files orphaned."""
    faults.answers = [Answer(body=b"", claimed=len(LISTING), headers=XML)]
    assert_refusal(store, READS[name])
    assert len(faults.requests) == 3


@through_both_doors
@pytest.mark.parametrize(
    "checksum",
    [
        {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(b"as stored").digest()).decode()},
        {"x-amz-checksum-crc32": base64.b64encode(zlib.crc32(b"as stored").to_bytes(4, "big")).decode()},
    ],
    ids=["sha256", "crc32"],
)
def test_bytes_without_their_checksum_are_asked_for_again_and_then_an_integrity_error(
    store: S3Store, faults: FaultServer, checksum: dict[str, str]
) -> None:
    headers = {"ETag": '"1"', **checksum}
    faults.answers = [Answer(body=b"as it came", headers=headers), Answer(body=b"as stored", headers=headers)]
    stored = store.get("k")
    assert stored is not None
    assert stored.content == b"as stored"
    assert faults.requests[0].headers["x-amz-checksum-mode"] == "ENABLED"
    faults.answers = [Answer(body=b"as it came", headers=headers)]
    message = assert_refusal(store, READS["get"], IntegrityError)
    assert "s3://mesh/registry/k" in message
    assert len(faults.requests) == 5


@through_both_doors
def test_the_checksum_of_a_composite_object_is_not_that_of_its_bytes(store: S3Store, faults: FaultServer) -> None:
    checksum = base64.b64encode(hashlib.sha256(b"of the parts").digest()).decode()
    faults.answers = [Answer(body=b"body", headers={"ETag": '"1"', "x-amz-checksum-sha256": f"{checksum}-2"})]
    assert store.get("k") is not None


@through_both_doors
@pytest.mark.parametrize("size", [10, 11, 5_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_an_object_larger_than_its_reader_takes_is_an_integrity_error(
    faults: FaultServer, *, size: int, chunked: bool
) -> None:
    store = S3Store("mesh", "registry", limit=10)
    faults.answers = [Answer(body=b"x" * size, headers={"ETag": '"1"'}, chunked=chunked)]
    if size == 10:
        stored = store.get("k")
        assert stored is not None
        assert len(stored.content) == 10
    else:
        assert "more than 10 bytes" in assert_refusal(store, READS["get"], IntegrityError)
        assert len(faults.requests) == 1


@anything
def test_where_nobody_listens_says_so_soon(store: S3Store, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    started = time.monotonic()
    assert "cannot be reached" in assert_refusal(store, act)
    assert time.monotonic() - started < 15


@pytest.mark.usefixtures("fresh_session")
@anything
def test_without_credentials_it_says_how_to_give_them(
    store: S3Store, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in assert_refusal(store, act)


@through_both_doors
@pytest.mark.usefixtures("fresh_session")
def test_half_of_the_credentials_are_none(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    assert "no AWS credentials" in assert_refusal(store, lambda s: s.get("k"))


@through_both_doors
@pytest.mark.usefixtures("fresh_session")
def test_credentials_that_have_run_out_are_none(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00Z")
    assert "still expired" in assert_refusal(store, lambda s: s.get("k"))


@pytest.mark.usefixtures("fresh_session")
def test_a_profile_that_is_not_there_is_named(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mistyped")
    assert "mistyped" in assert_refusal(store, lambda s: s.get("k"))


@through_both_doors
@pytest.mark.usefixtures("fresh_session")
@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_with_a_line_break_is_not_shown(
    store: S3Store, faults: FaultServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """CI systems leave a line break at the end of a secret; no header may carry it, and Python shows the header."""
    monkeypatch.setenv(name, f"{SECRET}\n")
    faults.answers = [error(403, "SignatureDoesNotMatch")]
    assert_refusal(store, lambda s: s.get("k"))


@through_both_doors
def test_an_endpoint_with_a_password_in_it_is_not_shown(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://anna:{SECRET}@127.0.0.1:1")
    assert_refusal(store, lambda s: s.get("k"))


@anything
@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (404, "NoSuchBucket", "create the bucket"),
        (403, "AccessDenied", "s3:PutObject"),
        (403, "InvalidAccessKeyId", "export valid AWS credentials"),
        (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        (400, "ExpiredToken", "log in again"),
        (403, "RequestTimeTooSkewed", "clock"),
        (400, "KMS.DisabledException", "kms_key"),
        (400, "SomethingNew", "check the bucket"),
    ],
)
def test_a_refusal_of_s3_is_worded_with_what_to_do(  # three of them are the case
    store: S3Store, faults: FaultServer, act: Act, status: int, code: str, advice: str
) -> None:
    faults.answers = [error(status, code)]
    hidden = code == "AccessDenied" and act in READS.values()
    message = assert_refusal(store, act, Forbidden if hidden else RegistryError)
    assert code in message
    assert advice in message
    assert len(faults.requests) == (2 if hidden and act is READS["get"] else 1)  # the listing: see test_forbidden.py


@anything
@pytest.mark.parametrize("bucket", ["Has Spaces", "a", "-bad-", "x" * 300, "a/b"])
def test_a_bucket_that_cannot_be_is_refused(act: Act, faults: FaultServer, bucket: str) -> None:
    faults.answers = [error(400, "InvalidBucketName")]
    assert_refusal(S3Store(bucket, "registry"), act)


@anything
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=404, body=b"<html><h1>Not Found</h1></html>", headers=HTML),
        Answer(status=404),
        Answer(body=b"<html><br>log in to the guest network", headers=HTML),
    ],
    ids=["404 page", "404 bare", "captive portal"],
)
def test_a_server_that_is_no_s3_is_an_error_and_not_an_empty_registry(
    store: S3Store, faults: FaultServer, act: Act, answer: Answer
) -> None:
    faults.answers = [answer]
    assert_refusal(store, act, RegistryError, OutcomeUnknown)


@anything
@pytest.mark.parametrize(
    "answer",
    [
        error(301, "PermanentRedirect"),
        error(307, "TemporaryRedirect"),
        error(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong"),
        Answer(status=301),
    ],
    ids=["301", "307", "400", "301 bare"],
)
def test_another_region_is_named_as_the_cause_and_the_cure(
    store: S3Store, faults: FaultServer, act: Act, answer: Answer
) -> None:
    faults.answers = [answer]
    assert "set AWS_REGION" in assert_refusal(store, act)
    assert len(faults.requests) <= 3  # as asked for, as boto3 asks, and its question where the bucket is


def test_a_redirect_is_boto3s_to_follow_and_its_target_gets_no_signature(
    store: S3Store, faults: FaultServer, door: str
) -> None:
    with fault_server() as (elsewhere, endpoint):
        there = {"Location": f"{endpoint}/mesh/registry/k", "x-amz-bucket-region": "eu-west-1"}
        faults.answers = [*[Answer(status=301, headers=there)] * (2 if door == "signed" else 1), GOOD]
        assert store.get("k") is not None
        assert elsewhere.requests == []
    assert "/eu-west-1/s3/aws4_request" in faults.requests[-1].headers["authorization"]
    assert "Boto3" in faults.requests[-1].headers["user-agent"]


@through_both_doors
def test_what_a_server_sends_back_of_what_it_was_sent_is_not_shown(
    store: S3Store, faults: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "FwoGZXIvYXdzE" * 12
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    signature = hashlib.sha256(b"any").hexdigest()
    faults.answers = [error(403, "AccessDenied", f"\x9b2J you sent Signature={signature} and {token}\n twice")]
    message = assert_refusal(store, READS["get"], Forbidden)
    assert "you sent Signature=... and ... twice" in message
    assert signature not in message
    assert "\x9b" not in message
