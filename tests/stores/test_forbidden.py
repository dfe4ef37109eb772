"""A missing key and a hidden one look alike to whoever may list some keys only; the listing tells them apart."""

import pytest

from registry_tools.errors import Forbidden, RegistryError
from registry_tools.registry.s3 import S3Store
from tests.stores.fault_server import Answer, FaultServer, error, fault_server

pytestmark = pytest.mark.usefixtures("door")
XML = {"Content-Type": "application/xml"}
DENIED = error(403, "AccessDenied", "not authorized to perform: s3:GetObject")
UNLISTED = error(403, "AccessDenied", "not authorized to perform: s3:ListBucket")
BODY = Answer(body=b"body", headers={"ETag": '"1"'})


def listing(*keys: str) -> Answer:
    facts = "<LastModified>2026-11-21T00:00:00.000Z</LastModified><Size>4</Size><ETag>1</ETag>"
    entries = "".join(f"<Contents><Key>{key}</Key>{facts}</Contents>" for key in keys)
    body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
    return Answer(body=body.encode(), headers={**XML, "Date": "Sat, 21 Nov 2026 00:00:01 GMT"})


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch):
    with fault_server() as (server, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield server


@pytest.fixture
def store() -> S3Store:
    return S3Store("mesh", "registry")


@pytest.mark.parametrize("listed", [(), ("registry/a/keys",)])
def test_what_is_not_listed_is_missing(store: S3Store, faults: FaultServer, listed: tuple[str, ...]) -> None:
    faults.answers = [DENIED, listing(*listed)]
    assert store.get("a/key") is None
    assert "prefix=registry%2Fa%2Fkey" in faults.requests[1].path


def test_what_is_listed_is_read_again_because_it_may_be_new(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [DENIED, listing("registry/a/key"), BODY]
    stored = store.get("a/key")
    assert stored is not None
    assert stored.content == b"body"


def test_what_is_listed_and_still_forbidden_is_hidden(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [DENIED, listing("registry/a/key"), DENIED]
    with pytest.raises(Forbidden, match="s3:GetObject"):
        store.get("a/key")
    assert len(faults.requests) == 3


def test_where_listing_is_forbidden_too_the_first_answer_stands(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [DENIED, UNLISTED]
    with pytest.raises(Forbidden, match="s3:GetObject"):
        store.get("a/key")


ARN = "User: arn:aws:sts::123456789012:assumed-role/r/ci is not authorized to perform: {} on resource: x {}"
ALLOWED_BY_NONE, DENIED_BY_ONE = "because no identity-based policy allows it", "with an explicit deny in a {} policy"


@pytest.mark.parametrize(
    ("action", "why", "advice"),
    [
        ("s3:GetObject", ALLOWED_BY_NONE, "give this one s3:GetObject on it"),
        ("s3:ListBucket", ALLOWED_BY_NONE, "give this one s3:ListBucket on it"),
        ("kms:Decrypt", ALLOWED_BY_NONE, "kms_key"),
        ("kms:Decrypt", DENIED_BY_ONE, "kms_key"),
        ("s3:PutObject", DENIED_BY_ONE, "whatever the role is given"),
    ],
)
def test_the_missing_right_is_named_and_what_it_is_missing_on(
    store: S3Store, faults: FaultServer, action: str, why: str, advice: str
) -> None:
    faults.answers = [error(403, "AccessDenied", ARN.format(action, why))]
    for act, place in (
        (lambda: store.get("a/key"), "a/key"),
        (lambda: store.first("a/"), "a/"),
        (lambda: store.create("a/new", b""), "a/new"),
    ):
        with pytest.raises(RegistryError, match=action) as caught:
            act()
        assert caught.value.where == f"s3://mesh/registry/{place}"
        assert advice in caught.value.then


@pytest.mark.parametrize("refusal", [error(403, "InvalidAccessKeyId"), Answer(status=403, body=b"<html>proxy</html>")])
def test_another_403_is_no_word_about_the_key(store: S3Store, faults: FaultServer, refusal: Answer) -> None:
    faults.answers = [refusal]
    with pytest.raises(RegistryError) as caught:
        store.get("a/key")
    assert not isinstance(caught.value, Forbidden)
    assert len(faults.requests) == 1
