"""Reads of a bucket without boto3, whose import alone takes longer than a sync: GET and LIST over HTTP, signed by us.

This door opens in the plain case alone (see plain_case). What it cannot judge, a redirect or a certificate that this
machine does not know, is boto3's matter as well. Decision 0004 has the reasons.
"""

import base64
import hashlib
import http.client
import ssl
import time
import weakref
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from registry_tools.registry.objects import StoredObject
from registry_tools.registry.plain_case import PlainCase
from registry_tools.registry.s3_answers import Listing, Page, read_at_most, read_error, read_page
from registry_tools.registry.s3_refusals import WRONG_REGION, DeclinedError, PassingError, Refusals, Refused
from registry_tools.registry.signature import Request, signed_headers

_MAX_XML: Final = 1 << 24
_MAX_ERROR: Final = 1 << 16
_HUNG_UP: Final = (ConnectionResetError, BrokenPipeError, ssl.SSLError)
_AGENT: Final = {"user-agent": "registry-tools"}
_Answered = tuple[int, http.client.HTTPMessage, bytes | None]


class ElsewhereError(Exception):
    """The answer is somewhere that this door does not go."""


class SignedDoor:
    """The requests of a reader. Safe between threads: each request has a connection for itself while it lasts."""

    def __init__(self, case: PlainCase, refusals: Refusals) -> None:
        self._case = case
        self._address = case.address
        self._refusals = refusals
        self._tls = ssl.create_default_context() if case.address.secure else None
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)

    def get(self, key: str, limit: int) -> StoredObject | None:
        """The object with this whole key, or None. Raises IntegrityError when it has more than `limit` bytes."""
        try:
            answer, body = self._ask(self._request(key, headers={"x-amz-checksum-mode": "ENABLED"}), limit, key)
        except DeclinedError:
            return None
        if body is None:
            raise self._refusals.too_large(key, limit)
        if not _intact(body, answer):
            raise PassingError(self._refusals.damaged(key))
        if not (tag := answer.get("ETag")):
            raise self._refusals.no_s3("an object without an ETag")
        return StoredObject(content=body, tag=tag)

    def page(self, listing: Listing) -> Page:
        """A part of the listing."""
        query = {"list-type": "2", "encoding-type": "url", "prefix": listing.prefix, "max-keys": str(listing.most)}
        if listing.by_folder:
            query["delimiter"] = "/"
        if listing.token:
            query["continuation-token"] = listing.token
        answer, body = self._ask(self._request("", query=query), _MAX_XML, listing.prefix)
        if body is None:
            raise self._refusals.no_s3("a listing without an end")
        if error := read_error(body):  # S3 begins some answers before it knows that they will fail
            answered = Refused(status=HTTPStatus.INTERNAL_SERVER_ERROR, code=error[0], message=error[1])
            raise self._refused(answered, listing.prefix)
        try:
            return read_page(body, answer.get("Date", ""))
        except (KeyError, TypeError, ValueError) as error:
            raise self._refusals.no_s3(f"{type(error).__name__}: {error}") from None

    def _request(
        self, key: str, *, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Request:
        return Request(
            host=self._address.name,
            path=self._address.path + key,
            query=query or {},
            headers=headers or {},
        )

    def _ask(self, request: Request, limit: int, key: str) -> tuple[http.client.HTTPMessage, bytes | None]:
        """The headers and the body of a success; the body is None when it is longer than `limit`. A refusal is one of
        this key or prefix.
        """
        try:
            status, headers, body = self._exchange(request, limit)
        except (OSError, http.client.HTTPException) as error:
            raise PassingError(self._refusals.unanswered(self._named(error))) from None
        if status == HTTPStatus.OK:
            return headers, body
        code, message = read_error(body or b"") or (str(status), http.client.responses.get(status, ""))
        raise self._refused(Refused(status=status, code=code, message=message), key)

    def _refused(self, answer: Refused, key: str) -> Exception:
        if answer.code in WRONG_REGION or HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            return ElsewhereError(answer.code)
        return self._refusals.to_read(answer, key)

    def _exchange(self, request: Request, limit: int) -> _Answered:
        """One request and its answer, on a connection that is open from before where there is one."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        # the agent is not signed, because a proxy may change it
        headers = signed_headers(request, self._case.credentials, self._case.region, stamp) | _AGENT
        try:
            idle = self._idle.pop()
        except IndexError:
            return self._over(self._connected(), request.target, headers, limit)
        try:
            return self._over(idle, request.target, headers, limit)
        except _HUNG_UP:  # servers close what is idle; that says nothing about the request
            return self._over(self._connected(), request.target, headers, limit)

    def _over(
        self, connection: http.client.HTTPConnection, target: str, headers: Mapping[str, str], limit: int
    ) -> _Answered:
        """The answer to one GET. The connection is kept for the next when all of it was read, and closed otherwise."""
        whole = False
        try:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            announced, most = answer.length, limit if answer.status == HTTPStatus.OK else _MAX_ERROR
            body = None if (announced or 0) > most else read_at_most(answer.read, most)
            if body is not None and len(body) < (announced or 0):
                raise http.client.IncompleteRead(b"", (announced or 0) - len(body))
            whole = body is not None and not answer.will_close
            return answer.status, answer.headers, body
        finally:
            if whole:
                self._idle.append(connection)
            else:
                connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        """A new connection. Boto3 brings certificates of its own, so one that this machine does not know is its."""
        host, port, seconds = self._address.host, self._address.port, self._case.connect_timeout
        connection = (
            http.client.HTTPSConnection(host, port, timeout=seconds, context=self._tls)
            if self._tls
            else http.client.HTTPConnection(host, port, timeout=seconds)
        )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise ElsewhereError(error.verify_message) from None
            raise PassingError(self._refusals.unreachable(self._named(error))) from None
        connection.sock.settimeout(self._case.read_timeout)
        return connection

    def _named(self, error: Exception) -> str:
        return f"{type(error).__name__} at {self._address.name}"


def _intact(body: bytes, headers: http.client.HTTPMessage) -> bool:
    """Whether the bytes have the checksum that S3 sent along, if it is one of a whole object and one that we know."""
    for name, digest in _DIGESTS.items():
        expected = headers.get(f"x-amz-checksum-{name}", "-")
        if "-" not in expected and base64.b64encode(digest(body)).decode() != expected:
            return False
    return True


def _close(connections: list[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


_DIGESTS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
}
