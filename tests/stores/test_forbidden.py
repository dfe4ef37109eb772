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


@pytest.mark.parametrize("refusal", [error(403, "InvalidAccessKeyId"), Answer(status=403, body=b"<html>proxy</html>")])
def test_another_403_is_no_word_about_the_key(store: S3Store, faults: FaultServer, refusal: Answer) -> None:
    faults.answers = [refusal]
    with pytest.raises(RegistryError) as caught:
        store.get("a/key")
    assert not isinstance(caught.value, Forbidden)
    assert len(faults.requests) == 1
