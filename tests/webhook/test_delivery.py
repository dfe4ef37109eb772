"""Delivery to a webhook, over HTTP to a server that does what the test wants: sent again, given up, and never told."""

import base64
import hashlib
import hmac
import ssl
import subprocess
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from registry_tools import webhook
from registry_tools.errors import MeshError, UsageError, WebhookError
from registry_tools.webhook import ATTEMPTS, Address, Message, Pace, deliver, parse_address, parse_secret, signed
from tests.stores.fault_server import Answer, FaultServer, fault_server
from tests.webhook.proxy import spoken, tunnelling_proxy

NOW = 1_800_000_000.0
PATH = "/services/T0HIDDEN/B0HIDDEN/XyZzY"
MESSAGE = Message(id="mesh_0123", body=b'{"text":"hello"}')
KEY = b"k" * 32
WHSEC = f"whsec_{base64.b64encode(KEY).decode()}"
TAKEN = Answer(body=b"ok")


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def pace(pauses: list[float]) -> Pace:
    return Pace(pause=pauses.append, now=lambda: NOW, timeout=0.3)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FaultServer, Address]]:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # nobody is there, and loopback asks nobody
    with fault_server() as (faults, endpoint):
        faults.answers = [TAKEN]
        yield faults, parse_address(endpoint + PATH)


def told(error: MeshError) -> str:
    """Everything that anybody could see of an error, which nothing of the address is."""
    text = f"{error}\n{error!r}\n{error.args}\n{error.__cause__!r}"
    assert "HIDDEN" not in text
    assert "XyZzY" not in text
    assert base64.b64encode(KEY).decode() not in text
    return text


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_the_message_arrives_once_with_its_id_and_the_time(server: tuple[FaultServer, Address], pace: Pace) -> None:
    faults, address = server
    assert deliver(MESSAGE, address, None, pace) == 1
    (request,) = faults.requests
    assert (request.method, request.path, request.body) == ("POST", PATH, MESSAGE.body)
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("mesh_0123", "1800000000")
    assert "webhook-signature" not in request.headers


def test_the_signature_is_over_id_time_and_body(server: tuple[FaultServer, Address], pace: Pace) -> None:
    faults, address = server
    deliver(MESSAGE, address, parse_secret(WHSEC), pace)
    expected = hmac.new(KEY, b'mesh_0123.1800000000.{"text":"hello"}', hashlib.sha256).digest()
    assert faults.requests[0].headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """Standard Webhooks, the test vector of its libraries."""
    message = Message(id="msg_p5jXN8AQM9LWM0D4loKWxJek", body=b'{"test": 2432232314}')
    headers = signed(message, parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), 1614265330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


# -- sent again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_waited_for(
    server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], status: int
) -> None:
    faults, address = server
    faults.answers = [Answer(status=status), Answer(status=status), Answer(status=status), TAKEN]
    assert deliver(MESSAGE, address, KEY, pace) == 4
    assert {(request.body, request.headers["webhook-id"]) for request in faults.requests} == {
        (MESSAGE.body, "mesh_0123")
    }
    assert [0.5 <= pauses[0] <= 1, 1 <= pauses[1] <= 2, 2 <= pauses[2] <= 4] == [True] * 3


@pytest.mark.parametrize("fault", [Answer(reset=True), Answer(hang=True)], ids=["reset", "hang"])
def test_no_answer_is_tried_again_and_at_last_given_up(
    server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], fault: Answer
) -> None:
    faults, address = server
    faults.answers = [fault]
    with pytest.raises(WebhookError, match=r"no answer: .*, 5 times") as caught:
        deliver(MESSAGE, address, KEY, pace)
    assert (len(faults.requests), len(pauses), caught.value.exit_code) == (ATTEMPTS, ATTEMPTS - 1, 3)
    assert "127.0.0.1" in told(caught.value)


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"HTTP/1.1 503 no\r\nX-Endless: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"H"),
        (b"HTTP/1.1 503 no\r\nTransfer-Encoding: chunked\r\n\r\n40;", b"x"),
    ],
    ids=["headers", "continue", "nothing yet", "body"],
)
def test_who_answers_a_byte_at_a_time_is_not_heard_to_the_end(pauses: list[float], first: bytes, piece: bytes) -> None:
    pace = Pace(pause=pauses.append, now=lambda: NOW, timeout=5, longest=0.2)
    with spoken(first, piece) as port, pytest.raises(WebhookError, match="no answer: TimeoutError, 5 times") as caught:
        deliver(MESSAGE, parse_address(f"http://127.0.0.1:{port}{PATH}"), KEY, pace)
    assert len(pauses) == ATTEMPTS - 1
    told(caught.value)


def test_nobody_there_is_given_up(pace: Pace, pauses: list[float]) -> None:
    with pytest.raises(WebhookError, match="no answer: Connection refused, 5 times") as caught:
        deliver(MESSAGE, parse_address(f"http://127.0.0.1:1{PATH}"), KEY, pace)
    assert len(pauses) == ATTEMPTS - 1
    told(caught.value)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("7", 7.0), (formatdate(NOW + 9, usegmt=True), 9.0), ("60", 60.0)],
    ids=["seconds", "date", "the longest"],
)
def test_the_server_says_how_long_to_wait(
    server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], asked: str, waited: float
) -> None:
    faults, address = server
    faults.answers = [Answer(status=429, headers={"Retry-After": asked}), TAKEN]
    assert deliver(MESSAGE, address, KEY, pace) == 2
    assert pauses == [waited]


@pytest.mark.parametrize("asked", ["soon", "-5", "", "1e3", "٣", formatdate(NOW - 60, usegmt=True), "Fri, 99"])
def test_what_is_no_time_to_wait_is_no_reason_to_hurry(
    server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], asked: str
) -> None:
    faults, address = server
    faults.answers = [Answer(status=503, headers={"Retry-After": asked.encode().decode("latin-1")}), TAKEN]
    assert deliver(MESSAGE, address, KEY, pace) == 2
    assert 0.5 <= pauses[0] <= 1


@pytest.mark.parametrize("asked", ["61", "999999999", formatdate(NOW + 3600, usegmt=True)])
def test_nobody_waits_an_hour(server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], asked: str) -> None:
    faults, address = server
    faults.answers = [Answer(status=429, headers={"Retry-After": asked})]
    with pytest.raises(WebhookError, match="asks to be left alone for") as caught:
        deliver(MESSAGE, address, KEY, pace)
    assert (len(faults.requests), pauses) == (1, [])
    told(caught.value)


# -- not sent again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=400, body=b"invalid_payload"), "it answered 400 invalid_payload"),
        (Answer(status=403, body=b"<html>no.</html>"), "it answered 403"),
        (Answer(status=404, body=b"no_service\n"), "it answered 404 no_service"),
        (Answer(status=410, body=b"channel_is_archived"), "it answered 410 channel_is_archived"),
        (Answer(status=404, body=PATH.encode()), "it answered 404"),
        (Answer(status=422, body=b"x_" * 10_000_000), "it answered 422"),
        (Answer(status=400, body=b"\xff\xfe"), "it answered 400"),
        (Answer(status=400, claimed=50, kept=True), "it answered 400"),
        (Answer(status=400, body=b"a_b", claimed=2_000_000_000), "it answered 400 a_b"),
    ],
)
def test_a_no_is_a_no(
    server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], answer: Answer, says: str
) -> None:
    faults, address = server
    faults.answers = [answer]
    with pytest.raises(UsageError) as caught:
        deliver(MESSAGE, address, KEY, pace)
    assert (caught.value.what, len(faults.requests), pauses) == (says, 1, [])
    told(caught.value)


def test_a_word_of_the_address_is_not_repeated(pace: Pace) -> None:
    with fault_server() as (faults, endpoint):
        faults.answers = [Answer(status=404, body=b"my_secret_word")]
        with pytest.raises(UsageError) as caught:
            deliver(MESSAGE, parse_address(f"{endpoint}/hook?key=my_secret_word"), None, pace)
    assert caught.value.what == "it answered 404"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_no_redirect_is_followed(
    server: tuple[FaultServer, Address], pace: Pace, pauses: list[float], status: int
) -> None:
    faults, address = server
    with fault_server() as (other, elsewhere):
        faults.answers = [Answer(status=status, headers={"Location": f"{elsewhere}{PATH}"})]
        with pytest.raises(UsageError, match=f"it answered {status}: it points elsewhere") as caught:
            deliver(MESSAGE, address, KEY, pace)
        assert other.requests == []
    assert (len(faults.requests), pauses) == (1, [])
    told(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"x" * 20_000_000),
        Answer(body=b"x", claimed=2_000_000_000),
        Answer(body=b"x" * 100_000, chunked=True),
        Answer(status=204),
        Answer(body=b"no_service"),
    ],
    ids=["huge", "promised", "chunked", "empty", "a word"],
)
def test_of_a_yes_nothing_more_is_read(server: tuple[FaultServer, Address], pace: Pace, answer: Answer) -> None:
    faults, address = server
    faults.answers = [answer]
    assert deliver(MESSAGE, address, KEY, pace) == 1


@pytest.mark.parametrize("name", ["no colon at all\r\nX", "X" * 70_000], ids=["broken", "endless"])
def test_headers_that_nobody_can_read_put_nothing_into_the_log(
    server: tuple[FaultServer, Address],
    pace: Pace,
    name: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    faults, address = server
    faults.answers = [Answer(headers={name: "x"})]
    try:
        deliver(MESSAGE, address, KEY, pace)
    except WebhookError as error:
        told(error)
    written = capfd.readouterr()
    assert "HIDDEN" not in caplog.text + written.out + written.err


# -- the address and the secret ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        (f"https://hooks.slack.com{PATH}", "hooks.slack.com", 443, PATH),
        (f" https://hooks.slack.com{PATH}\n", "hooks.slack.com", 443, PATH),
        ("https://h.example:8443", "h.example", 8443, "/"),
        ("https://h.example/?a=HIDDEN&b=%20#part", "h.example", 443, "/?a=HIDDEN&b=%20"),
        ("http://127.0.0.1:80/x", "127.0.0.1", 80, "/x"),
        ("http://localhost/x", "localhost", 80, "/x"),
        ("http://[::1]:81/x", "::1", 81, "/x"),
        (f"https://{'h' * 63}.example/x", f"{'h' * 63}.example", 443, "/x"),
    ],
)
def test_an_address(text: str, host: str, port: int, target: str) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.target) == (host, port, target)
    assert "HIDDEN" not in repr(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.slack.com/HIDDEN",
        "ftp://h.example/HIDDEN",
        "https:///HIDDEN",
        "http://h.example/HIDDEN",
        "http://10.0.0.1/HIDDEN",
        "http://localhost.example/HIDDEN",
        "https://HIDDEN:HIDDEN@h.example/",
        "https://HIDDEN@h.example/",
        "https://h.example:HIDDEN/",
        "https://h.example:99999/HIDDEN",
        "https://h exam.ple/HIDDEN",
        "https://h.example/HIDDEN\r\nX-Evil: 1",
        "https://h.example/HIDDEN\tx",
        "https://[HIDDEN",
        "https://h..example/HIDDEN",
        "https://.../HIDDEN",
        f"https://{'h' * 64}.example/HIDDEN",
        f"https://{'h.' * 150}example/HIDDEN",
        "https://hé.example/HIDDEN",
        f"https://h.example/HIDDEN{'x' * 3000}",
    ],
)
def test_no_address_and_nothing_of_it_told(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert webhook.VARIABLE in told(caught.value)


@pytest.mark.parametrize("text", ["x", "whsec_", "whsec_HIDDEN", "whsec_" + "A" * 24, "whsec_" + "A" * 200, "é" * 40])
def test_no_secret_and_nothing_of_it_told(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_secret(text)
    assert "openssl rand -base64 32" in told(caught.value)


def test_a_secret_with_and_without_its_prefix_is_the_same() -> None:
    assert parse_secret(WHSEC) == parse_secret(WHSEC.removeprefix("whsec_") + "\n") == KEY


# -- TLS and proxies --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for two names, signed by itself, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    name = ("-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example,DNS:localhost")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, "-keyout", "-")
    written = subprocess.run(made, check=True, capture_output=True)
    path.write_bytes(written.stdout)
    return path


@pytest.fixture
def tls(certificate: Path) -> Iterator[tuple[FaultServer, int]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with fault_server(context) as (faults, endpoint):
        faults.answers = [TAKEN]
        yield faults, int(endpoint.rpartition(":")[2])


def test_a_certificate_that_is_trusted_is_taken(
    tls: tuple[FaultServer, int], certificate: Path, pace: Pace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert deliver(MESSAGE, parse_address(f"https://localhost:{tls[1]}{PATH}"), KEY, pace) == 1


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_a_certificate_that_is_not_gets_no_message(
    tls: tuple[FaultServer, int],
    certificate: Path,
    pace: Pace,
    monkeypatch: pytest.MonkeyPatch,
    *,
    host: str,
    trusted: bool,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate) if trusted else "/none")
    with pytest.raises(WebhookError, match="certificate is not trusted") as caught:
        deliver(MESSAGE, parse_address(f"https://{host}:{tls[1]}{PATH}"), KEY, pace)
    assert "SSL_CERT_FILE" in told(caught.value)
    assert tls[0].requests == []


@pytest.mark.parametrize(
    ("before", "credentials"), [("", None), ("http://", None), ("http://me:p%40ss@", "Basic bWU6cEBzcw==")]
)
def test_a_proxy_carries_what_it_cannot_read(
    tls: tuple[FaultServer, int],
    certificate: Path,
    pace: Pace,
    monkeypatch: pytest.MonkeyPatch,
    *,
    before: str,
    credentials: str | None,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "other.example")
    with tunnelling_proxy(tls[1]) as (asked, proxy):
        monkeypatch.setenv("HTTPS_PROXY", f"{before}{proxy}")
        assert deliver(MESSAGE, parse_address(f"https://hooks.example{PATH}"), KEY, pace) == 1
    assert asked == [("hooks.example:443", credentials)]
    assert tls[0].requests[0].path == PATH


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_says_no_is_told_by_its_number(
    pace: Pace, monkeypatch: pytest.MonkeyPatch, pauses: list[float], status: int
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with spoken(f"HTTP/1.1 {status} hooks.example HIDDEN\r\n\r\n".encode(), times=1) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(WebhookError, match=f"the proxy answered {status}, 5 times") as caught:
            deliver(MESSAGE, parse_address(f"https://hooks.example{PATH}"), KEY, pace)
    assert len(pauses) == ATTEMPTS - 1
    told(caught.value)


def test_no_proxy_says_who_is_asked_directly(pace: Pace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "hooks.example.invalid")
    with tunnelling_proxy(1) as (asked, proxy):
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy}")
        with pytest.raises(WebhookError, match="no answer"):
            deliver(MESSAGE, parse_address(f"https://hooks.example.invalid{PATH}"), KEY, pace)
    assert asked == []


@pytest.mark.parametrize(
    "proxy", ["socks5://me:HIDDEN@h:1", "http://h:HIDDEN", "http://", "https://HIDDEN@h", "http://h..h"]
)
def test_a_proxy_of_another_kind_is_declined(pace: Pace, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UsageError, match="no http:// proxy") as caught:
        deliver(MESSAGE, parse_address(f"https://hooks.example{PATH}"), KEY, pace)
    told(caught.value)
