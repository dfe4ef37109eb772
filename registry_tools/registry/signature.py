"""A request and credentials in, the headers that prove who sends it out: AWS Signature Version 4 for requests without
a body (Amazon S3 API Reference, Authenticating Requests: Using the Authorization Header).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who signs. Only the key's id may ever be shown."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is asked, in plain characters. `host` has the port where it is not the scheme's own."""

    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"

    @property
    def target(self) -> str:
        """Path and query as they go over the wire, which is how they are signed: S3 normalises no path."""
        query = _query(self.query)
        return f"{quote(self.path, safe='/~')}?{query}" if query else quote(self.path, safe="/~")


def signed_headers(request: Request, credentials: Credentials, region: str, time: str) -> dict[str, str]:
    """All headers to send. `time` is UTC, written 20260123T064541Z; S3 takes it for fifteen minutes."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": request.host, "x-amz-content-sha256": _NO_BODY, "x-amz-date": time}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        (
            request.method,
            quote(request.path, safe="/~"),
            _query(request.query),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            _NO_BODY,
        )
    )
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    said = "\n".join((_ALGORITHM, time, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    proof = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={_hmac(key, said).hex()}"
    return headers | {"authorization": f"{_ALGORITHM} {proof}"}


def _query(query: Mapping[str, str]) -> str:
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
