"""What S3 and the network can do to us ends in our errors: with the root, the next step, and never a secret."""

import base64
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from registry_tools.errors import OutcomeUnknown, RegistryError
from registry_tools.registry.s3 import S3Store
from tests.stores.fault_server import Answer, FaultServer, error, fault_server
from tests.stores.local_s3 import SECRET

ROOT = "s3://mesh/registry"
HTML = {"Content-Type": "text/html"}
Act = Callable[[S3Store], object]
WRITES: list[Act] = [lambda store: store.create("k", b"body"), lambda store: store.replace("k", b"body", '"tag"')]
READS: list[Act] = [
    lambda store: store.get("k"),
    lambda store: store.first("a/"),
    lambda store: list(store.keys("a/")),
    lambda store: store.folders("a/"),
]
FAULTS = [error(503, "SlowDown"), Answer(reset=True), Answer(hang=True)]
writes = pytest.mark.parametrize("act", WRITES, ids=["create", "replace"])
reads = pytest.mark.parametrize("act", READS, ids=["get", "first", "keys", "folders"])
anything = pytest.mark.parametrize(
    "act", [*WRITES, *READS], ids=["create", "replace", "get", "first", "keys", "folders"]
)


@pytest.fixture
def store() -> S3Store:
    return S3Store("mesh", "registry")


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    with fault_server() as (server, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setattr("registry_tools.registry.s3._READ_SECONDS", 0.3)
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
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
    assert caught.value.__suppress_context__  # nor does a traceback tell what boto3 said
    return message


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
        error(500, "InternalError"),
        error(503, "SlowDown"),
        Answer(status=500),
        Answer(status=502, body=b"<html>bad gateway</html>", headers=HTML),
        Answer(status=503),
        Answer(status=504, body=b"upstream timed out"),
        Answer(hang=True),
        Answer(reset=True),
    ],
    ids=["409", "500", "503", "500 bare", "502 of a proxy", "503 bare", "504", "no answer", "hung up"],
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
    assert create.headers["If-None-Match"] == "*"
    assert "If-Match" not in create.headers
    assert replace.headers["If-Match"] == '"tag"'
    assert "If-None-Match" not in replace.headers
    for request in (create, replace):
        promised = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        assert request.headers["x-amz-checksum-sha256"] == promised
        assert SECRET not in str(request)


@writes
def test_a_checksum_that_s3_disputes_is_not_a_success(store: S3Store, faults: FaultServer, act: Act) -> None:
    faults.answers = [error(400, "BadDigest", "The SHA256 you specified did not match")]
    assert "BadDigest" in assert_refusal(store, act)


def test_replacing_what_is_gone_is_declined(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [error(404, "NoSuchKey")]
    assert store.replace("k", b"body", '"tag"') is False


@reads
@pytest.mark.parametrize("fault", FAULTS, ids=["503", "hung up", "no answer"])
def test_a_read_is_tried_again(store: S3Store, faults: FaultServer, act: Act, fault: Answer) -> None:
    listing = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    faults.answers = [fault, Answer(body=listing, headers={"ETag": '"1"', "Content-Type": "application/xml"})]
    act(store)
    assert len(faults.requests) == 2


@reads
@pytest.mark.parametrize("fault", FAULTS, ids=["503", "hung up", "no answer"])
def test_a_read_is_given_up_after_three_times(store: S3Store, faults: FaultServer, act: Act, fault: Answer) -> None:
    faults.answers = [fault]
    assert_refusal(store, act)
    assert len(faults.requests) == 3


def test_a_body_that_breaks_off_is_an_error_and_not_a_short_object(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [Answer(body=b"half", claimed=8, headers={"ETag": '"1"'})]
    assert_refusal(store, lambda s: s.get("k"))


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


@pytest.mark.usefixtures("fresh_session")
def test_half_of_the_credentials_are_none(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    assert "no AWS credentials" in assert_refusal(store, lambda s: s.get("k"))


@pytest.mark.usefixtures("fresh_session")
def test_credentials_that_have_run_out_are_none(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00Z")
    assert "still expired" in assert_refusal(store, lambda s: s.get("k"))


@pytest.mark.usefixtures("fresh_session")
def test_a_profile_that_is_not_there_is_named(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mistyped")
    assert "mistyped" in assert_refusal(store, lambda s: s.get("k"))


@pytest.mark.usefixtures("fresh_session")
@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_with_a_line_break_is_not_shown(
    store: S3Store, faults: FaultServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """CI systems leave a line break at the end of a secret; no header may carry it, and Python shows the header."""
    monkeypatch.setenv(name, f"{SECRET}\n")
    faults.answers = [error(403, "SignatureDoesNotMatch")]
    assert_refusal(store, lambda s: s.get("k"))


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
        (400, "SomethingNew", "check the bucket"),
    ],
)
def test_a_refusal_of_s3_is_worded_with_what_to_do(  # three of them are the case
    store: S3Store, faults: FaultServer, act: Act, status: int, code: str, advice: str
) -> None:
    faults.answers = [error(status, code)]
    message = assert_refusal(store, act)
    assert code in message
    assert advice in message
    assert len(faults.requests) == 1


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
