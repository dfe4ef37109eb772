"""The signed door: connections that are kept and that break, answers that nobody should trust, TLS, and no boto3."""

import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from registry_tools.errors import RegistryError
from registry_tools.registry.patience import Clock
from registry_tools.registry.s3 import S3Store
from registry_tools.registry.s3_options import S3Options
from tests.stores.fault_server import Answer, FaultServer, error, fault_server

XML = {"Content-Type": "application/xml", "Date": "Fri, 23 Jan 2026 06:45:51 GMT"}
OBJECT = Answer(body=b"body", headers={"ETag": '"1"'}, kept=True)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    with fault_server() as (server, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        server.answers = [OBJECT]
        yield server


@pytest.fixture
def store() -> S3Store:
    return S3Store("mesh", "registry", S3Options(read_timeout=5), clock=Clock(pause=lambda _seconds: None))


def listing(entries: str = "", top: str = "<IsTruncated>false</IsTruncated>", before: str = "") -> Answer:
    body = (
        f'{before}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{top}{entries}</ListBucketResult>'
    )
    return Answer(body=body.encode(), headers=XML, kept=True)


def entry(key: str, **changes: str) -> str:
    told = {"Key": key, "Size": "5", "ETag": "&quot;1&quot;", "LastModified": "2026-01-23T06:45:41.000Z", **changes}
    return "<Contents>" + "".join(f"<{name}>{text}</{name}>" for name, text in told.items() if text) + "</Contents>"


def connections(faults: FaultServer) -> int:
    return len({request.connection for request in faults.requests})


# -- connections ------------------------------------------------------------------------------------------------------


def test_one_connection_serves_one_request_after_another(store: S3Store, faults: FaultServer) -> None:
    for _ in range(5):
        assert store.get("k") is not None
    assert connections(faults) == 1


def test_a_connection_that_was_closed_while_idle_is_opened_again_and_no_try_is_lost(
    store: S3Store, faults: FaultServer
) -> None:
    faults.answers = [OBJECT, Answer(reset=True), OBJECT]
    paused: list[float] = []
    store._clock = Clock(pause=paused.append)
    assert store.get("k") is not None
    assert store.get("k") is not None
    assert len(faults.requests) == 3
    assert connections(faults) == 2
    assert paused == []


def test_an_answer_that_is_not_read_to_its_end_does_not_reach_the_next_request(faults: FaultServer) -> None:
    paused: list[float] = []
    store = S3Store("mesh", "registry", clock=Clock(pause=paused.append), limit=3)
    fits = Answer(body=b"abc", headers={"ETag": '"2"'}, kept=True)
    refused = replace(error(403, "AccessDenied", "x" * 100_000), kept=True)
    faults.answers = [OBJECT, fits, refused, fits]
    for expected in ("more than 3 bytes", None, "answered 403", None):
        if expected:
            with pytest.raises(RegistryError, match=expected):
                store.get("k")
        else:
            stored = store.get("k")
            assert stored is not None
            assert stored.content == b"abc"
    assert connections(faults) == 3  # the second answer was read whole, and its connection serves the third request
    assert paused == []


def test_sixteen_threads_get_each_its_own_answer(store: S3Store, faults: FaultServer) -> None:
    faults.by_path = lambda path: Answer(body=path.encode(), headers={"ETag": '"1"'}, kept=True)

    def read(n: int) -> bool:
        stored = store.get(f"k{n}")
        return stored is not None and stored.content == f"/mesh/registry/k{n}".encode()

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(read, range(400)))
    assert connections(faults) <= 16


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_a_listing_is_followed_to_its_end(store: S3Store, faults: FaultServer) -> None:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=</NextContinuationToken>"
    faults.answers = [listing(entry("registry/a/1"), more), listing(entry("registry/a/2"))]
    assert list(store.keys("a/")) == ["a/1", "a/2"]
    first, second = (request.path for request in faults.requests)
    assert first == "/mesh/?encoding-type=url&list-type=2&max-keys=1000&prefix=registry%2Fa%2F"
    assert second == (
        "/mesh/?continuation-token=a%2B%2F%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=registry%2Fa%2F"
    )


def test_a_listing_that_never_ends_is_no_registry(store: S3Store, faults: FaultServer) -> None:
    faults.answers = [listing(top="<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")]
    with pytest.raises(RegistryError, match="again"):
        list(store.keys("a/"))
    assert len(faults.requests) == 2


def test_what_head_finds_is_the_key_itself_and_its_age_is_by_the_servers_clock(
    store: S3Store, faults: FaultServer
) -> None:
    faults.answers = [listing(entry("registry/a/k"))]
    found = store.head("a/k")
    assert found is not None
    assert (found.key, found.size, found.tag, found.age) == ("a/k", 5, '"1"', 10.0)
    faults.answers = [listing(entry("registry/a/k.json"))]
    assert store.head("a/k") is None


# -- what is answered -------------------------------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "answer",
    [
        listing(entry("registry/a/&b;"), before=LAUGHS),
        listing(before='<!DOCTYPE l SYSTEM "file:///etc/passwd">'),
        Answer(body=b"<ListBucketResult>", headers=XML),
        Answer(body=b"", headers=XML),
        Answer(body=b"<ListAllMyBucketsResult/>", headers=XML),
        Answer(body=b"<ListBucketResult>" + b"<a>" * 50_000, headers=XML),
        listing(top="<IsTruncated>true</IsTruncated>"),
        listing(entry("registry/a/k", Size="")),
        listing(entry("registry/a/k", Size="five")),
        listing(entry("registry/a/k", ETag="")),
        listing(entry("registry/a/k", LastModified="yesterday")),
        listing(entry("registry/a/k", LastModified="2026-01-23T06:45:41")),
        listing(entry("%ff"), "<EncodingType>url</EncodingType>"),
        Answer(body=b"<ListBucketResult>" + b" " * (1 << 24), headers=XML),
    ],
    ids=[
        *("entities", "document type", "cut off", "empty", "another root", "deep", "no token", "no size", "odd size"),
        *("no tag", "odd date", "date of no zone", "no UTF-8", "too long"),
    ],
)
def test_a_listing_that_s3_would_not_send_is_an_error(store: S3Store, faults: FaultServer, answer: Answer) -> None:
    faults.answers = [answer]
    with pytest.raises(RegistryError, match="not S3's") as caught:
        list(store.keys("a/"))
    assert len(str(caught.value)) < 600
    assert len(faults.requests) == 1


def test_an_error_in_a_success_is_asked_for_again(store: S3Store, faults: FaultServer) -> None:
    late = Answer(body=error(500, "InternalError").body, headers=XML, kept=True)
    faults.answers = [late, listing(entry("registry/a/k"))]
    assert list(store.keys("a/")) == ["a/k"]


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def tls(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], FaultServer]]:
    """A server with that certificate; the call says by which name it is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with fault_server(context) as (server, endpoint):
        server.answers = [OBJECT]

        def named(host: str) -> FaultServer:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.replace("http:", "https:").replace("127.0.0.1", host))
            monkeypatch.setenv("NO_PROXY", host)
            return server

        yield named


def test_a_trusted_certificate_of_this_name_is_taken(
    store: S3Store, tls: Callable[[str], FaultServer], certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    server = tls("localhost")
    assert store.get("k") is not None
    assert store.get("k") is not None
    assert connections(server) == 1


@pytest.mark.parametrize(
    ("host", "trusted"), [("localhost", False), ("127.0.0.1", True)], ids=["unknown", "other name"]
)
def test_another_certificate_gets_no_request(
    store: S3Store,
    tls: Callable[[str], FaultServer],
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    *,
    host: str,
    trusted: bool,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]) if trusted else "/none")
    server = tls(host)
    with pytest.raises(RegistryError, match="certificate is not trusted") as caught:
        store.get("k")
    assert "AWS_CA_BUNDLE" in caught.value.then
    assert server.requests == []


# -- what it is for ---------------------------------------------------------------------------------------------------

READ = """
import sys
from registry_tools.registry.location import open_registry
store = open_registry("s3://mesh/registry").store
assert store.get("k").content == b"body"
print(sorted(name for name in sys.modules if name in ("boto3", "botocore", "urllib3", "urllib.request")))
"""


def test_a_read_imports_no_boto3(faults: FaultServer) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", READ], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
    assert len(faults.requests) == 1
