"""A message and the address of a webhook in, its delivery out: the only door to the web besides those of the registry.

The address is a secret, because whoever knows it may write to the channel: no message, error or representation here has
more of it than the host. Nothing that the server answers is believed: its redirects are not followed, and of its body
no more is read than one word. Python's own HTTP client is used: urllib3 would write the whole address into the log of a
job when a server answers with headers that it cannot read.
"""

import base64
import binascii
import hmac
import http.client
import ipaddress
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

from registry_tools.errors import UsageError, WebhookError

VARIABLE: Final = "DBT_MESH_WEBHOOK"
SECRET: Final = "DBT_MESH_WEBHOOK_SECRET"  # noqa: S105  # a name
ATTEMPTS: Final = 5
# Seconds. A server that asks for more patience than this gets none: a job is not to stand for an hour.
LONGEST_PAUSE: Final = 60
_TIMEOUT: Final = 10.0
_LONGEST_ATTEMPT: Final = 30.0
_LONGEST_ADDRESS: Final = 2048
# A name's labels have 1 to 63 characters (RFC 1035): Python's resolver raises no OSError for any other.
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}(?:\.{_LABEL})*|(?=[^:]*:)[0-9A-Fa-f:.]{{2,45}})")
# As http.client says it, without what the proxy added.
_TUNNEL: Final = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
# What Slack answers in: no_service, channel_is_archived.
_WORD: Final = re.compile(rb"[a-z]+(?:_[a-z]+){1,6}")
_MOST_OF_BODY: Final = 64
_KEY_BYTES: Final = range(24, 65)
_THEN: Final = f"set {VARIABLE}, or --to, to the address that Slack or the receiver gave you: https://..."
_THEN_SECRET: Final = f'make one: {SECRET}="whsec_$(openssl rand -base64 32)", and give it to the receiver as well'


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where to send; `host` is all of it that may be shown."""

    host: str
    port: int
    secure: bool
    target: str = field(repr=False)

    @property
    def loopback(self) -> bool:
        """Whether it never leaves this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """The bytes to send, and the id under which a receiver knows them again."""

    id: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How a sender waits, and what time it is, in seconds; tests bring their own.

    `timeout` is for one piece of an answer, `longest` for an attempt from the look-up of the name to its last piece.
    """

    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    timeout: float = _TIMEOUT
    longest: float = _LONGEST_ATTEMPT


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    status: int
    word: str = ""
    retry_after: str | None = None


PACE: Final = Pace()


def parse_address(text: str) -> Address:
    """The address in this text. Raises UsageError, which does not repeat it, for what is no https:// address, or is
    http:// and leads away from this machine.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST_ADDRESS or not text.isascii() or not text.isprintable() or " " in text:
        raise _no_address("it is no address")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_address("it is no address") from None
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host):
        raise _no_address("it does not begin with https:// and a host")
    if "@" in parts.netloc:
        raise _no_address("it has a user or a password in it, which would not be sent")
    secure = parts.scheme == "https"
    address = Address(host=host, port=port or (443 if secure else 80), secure=secure, target=_target(parts))
    if not secure and not address.loopback:
        raise _no_address("it is not encrypted: http:// is for this machine alone")
    return address


def parse_secret(text: str) -> bytes:
    """The key in `whsec_<base64>` (Standard Webhooks). Raises UsageError, which does not repeat it, for any other."""
    try:
        key = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _KEY_BYTES:
        what = f"it is not {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes in base64"
        raise UsageError(what, where=SECRET, then=_THEN_SECRET)
    return key


def signed(message: Message, key: bytes | None, stamp: int) -> dict[str, str]:
    """The headers that name the message and, with a key, prove who sent it and when: HMAC-SHA256 over id, time and
    body, as Standard Webhooks has it.
    """
    headers = {"webhook-id": message.id, "webhook-timestamp": str(stamp)}
    if key is not None:
        said = f"{message.id}.{stamp}.".encode() + message.body
        headers["webhook-signature"] = f"v1,{base64.b64encode(hmac.digest(key, said, 'sha256')).decode()}"
    return headers


def deliver(message: Message, address: Address, key: bytes | None, pace: Pace = PACE) -> int:
    """Send the message until it is taken, and say how many attempts it took.

    It is sent again after 429, after 5xx and after no answer, at most `ATTEMPTS` times. Raises UsageError when the
    server declines it or points elsewhere, WebhookError when it was not reached.
    """
    what = ""
    for attempt in range(1, ATTEMPTS + 1):
        asked = None
        try:
            answer = _attempt(message, address, key, pace)
        except ssl.SSLCertVerificationError as error:
            raise WebhookError(
                f"its certificate is not trusted: {error.verify_message}",
                where=address.host,
                then="set SSL_CERT_FILE to the file with your company's certificates",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            what = _silence(error)
        else:
            if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return attempt
            what, asked = _again(answer, address), answer.retry_after
        if attempt < ATTEMPTS:
            pace.pause(_patience(attempt, asked, pace.now(), address))
    raise _not_reached(f"{what}, {ATTEMPTS} times", address)


def _silence(error: Exception) -> str:
    """Why there is no answer, in the system's words alone."""
    if found := _TUNNEL.match(str(error)):
        return f"the proxy answered {found[1]}"
    return f"no answer: {getattr(error, 'strerror', None) or type(error).__name__}"


def _again(answer: _Answer, address: Address) -> str:
    """What the server said that may be otherwise soon. Raises UsageError for what will not."""
    said = f"it answered {answer.status}{f' {answer.word}' if answer.word else ''}"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return said
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        raise UsageError(f"{said}: it points elsewhere, and is not followed", where=address.host, then=_THEN)
    raise UsageError(said, where=address.host, then=_THEN)


def _patience(attempt: int, asked: str | None, now: float, address: Address) -> float:
    """The seconds to wait: what the server asks for, else twice as long as before, drawn anew every time."""
    wanted = _seconds(asked, now)
    if wanted > LONGEST_PAUSE:
        raise _not_reached(f"it asks to be left alone for {wanted:,.0f} seconds", address)
    longest: float = 2 ** (attempt - 1)
    return max(wanted, random.uniform(longest / 2, longest))  # noqa: S311  # jitter, not a secret


def _seconds(asked: str | None, now: float) -> float:
    """What Retry-After says: seconds, or a date (RFC 9110, 10.2.3). What is neither asks for nothing."""
    asked = (asked or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", asked, re.ASCII):
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _attempt(message: Message, address: Address, key: bytes | None, pace: Pace) -> _Answer:
    """The answer, raised where it is an error; TimeoutError when it takes too long.

    It is waited for from outside: a socket's timeout begins anew with every byte, and a name is looked up without one.
    """
    answer: Future[_Answer] = Future()

    def post() -> None:
        try:
            answer.set_result(_post(message, address, key, pace))
        except Exception as error:  # noqa: BLE001  # raised again where somebody waits for it
            answer.set_exception(error)

    threading.Thread(target=post, daemon=True).start()
    return answer.result(pace.longest)


def _post(message: Message, address: Address, key: bytes | None, pace: Pace) -> _Answer:
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "registry-tools",
        **signed(message, key, int(pace.now())),
    }
    with closing(_connection(address, pace.timeout)) as connection:
        connection.request("POST", address.target, body=message.body, headers=headers)
        answer = connection.getresponse()
        return _Answer(
            status=answer.status,
            word="" if answer.status < HTTPStatus.MULTIPLE_CHOICES else _word(answer, address),
            retry_after=answer.headers.get("Retry-After"),
        )


def _word(answer: http.client.HTTPResponse, address: Address) -> str:
    """The word in which the server says why not, if it is one word, and none of the address."""
    try:
        body = answer.read(_MOST_OF_BODY).strip()
    except (OSError, http.client.HTTPException):
        return ""
    word = body.decode() if _WORD.fullmatch(body) else ""
    return "" if word in address.target else word


def _connection(address: Address, timeout: float) -> http.client.HTTPConnection:
    """A connection to the host, by the proxy that HTTPS_PROXY names unless NO_PROXY or loopback says otherwise."""
    context = ssl.create_default_context()
    if address.loopback:
        if not address.secure:
            return http.client.HTTPConnection(address.host, address.port, timeout=timeout)
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=context)
    if proxy := _proxy(address.host):
        host, port, headers = proxy
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        connection.set_tunnel(address.host, address.port, headers)
        return connection
    return http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=context)


def _proxy(host: str) -> tuple[str, int, Mapping[str, str]] | None:
    """The proxy on the way to this host and what it wants to be told. Raises UsageError for one that is not http://."""
    from urllib.request import getproxies, proxy_bypass

    named = getproxies().get("https")
    if not named or proxy_bypass(host):
        return None
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        found, port = parts.hostname, parts.port or 80
    except ValueError:
        found, port = None, 0
    if not found or not _HOST.fullmatch(found) or parts.scheme != "http":
        raise UsageError("it is no http:// proxy", where="HTTPS_PROXY", then="write http://host:port, or unset it")
    return found, port, dict(_credentials(parts))


def _credentials(parts: SplitResult) -> Iterator[tuple[str, str]]:
    from urllib.parse import unquote

    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        yield "proxy-authorization", f"Basic {base64.b64encode(pair).decode()}"


def _target(parts: SplitResult) -> str:
    """The path and the query as they go over the wire."""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _no_address(what: str) -> UsageError:
    return UsageError(what, where="the webhook's address", then=_THEN)


def _not_reached(what: str, address: Address) -> WebhookError:
    return WebhookError(
        what,
        where=address.host,
        then="run the same again when it is back: what was published stands, and a message has the same id every time",
    )
