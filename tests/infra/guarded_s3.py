"""The local S3 behind the golden policies: `python -m tests.infra.guarded_s3`, otherwise as the one that it wraps.

The access key names the role: `dbt_up`, `pull_requests`, `collector`; `admin` may do all that the bucket does not
deny. As on AWS, a GET of a missing key is answered 403 to whoever may not list the whole bucket, and a request that
names the object which it replaces or deletes needs the right to read it. Versions are kept.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from werkzeug.test import Client, run_wsgi_app
from werkzeug.wrappers import Response

from registry_tools.local import bucket as local_bucket
from tests.infra.golden_policies import BUCKET, KEY, golden, identities
from tests.infra.policies import Policy, Request, judge

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

MODULE: Final = "tests.infra.guarded_s3"
ADMIN: Final[Policy] = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
EMPTY: Final = "/_empty"
_HOST = {"Host": "s3.amazonaws.com"}
_VERSIONED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
_DENIED = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>{}</Message></Error>"
_KEPT_HEADERS: Final = ("if-match", "if-none-match", "x-amz-server-side-encryption")
_MISSING: Final = 404


class Guard:
    """Who may do what in the bucket."""

    def __init__(self) -> None:
        self._identities = {**identities(), "admin": [ADMIN]}
        self._bucket, self._key = golden("bucket"), golden("key")

    def allows(self, role: str, request: Request) -> bool:
        policy = self._key if request.action.startswith("kms:") else self._bucket
        return judge(request, self._identities.get(role, []), policy) == "allowed"


def requests_of(environ: Mapping[str, Any]) -> Iterator[Request]:
    """The rights that one HTTP request needs, with what it says of itself."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    _, _, key = path.lstrip("/").partition("/")
    context = {"aws:SecureTransport": "true"}
    headers = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}") for name in _KEPT_HEADERS}
    context |= {f"s3:{name}": value for name, value in headers.items() if value}
    if not key:
        query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
        context |= {f"s3:{name}": query[name][0] for name in ("prefix", "delimiter") if name in query}
        yield Request(action="s3:ListBucket", resource=f"arn:aws:s3:::{BUCKET}", context=context)
        return
    arn = f"arn:aws:s3:::{BUCKET}/{key}"
    through = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
    if method == "PUT":
        created = {**context, "s3:ObjectCreationOperation": "true"}
        yield Request(action="s3:PutObject", resource=arn, context=created)
        yield Request(action="kms:GenerateDataKey", resource=KEY, context=through)
    if method == "DELETE":
        yield Request(action="s3:DeleteObject", resource=arn, context=context)
    if method == "GET" or headers["if-match"]:
        yield Request(action="s3:GetObject", resource=arn, context=context)
    if method == "GET":
        yield Request(action="kms:Decrypt", resource=KEY, context=through)


def guarded(inner: "WSGIApplication", guard: Guard) -> "WSGIApplication":
    """The bucket, each request let in or refused."""
    whole = Request(action="s3:ListBucket", resource=f"arn:aws:s3:::{BUCKET}", context={"aws:SecureTransport": "true"})

    def application(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == EMPTY:
            return _emptied(inner)(environ, start_response)
        signed = re.search(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        role = signed[1] if signed else "nobody"
        for request in requests_of(environ):
            if not guard.allows(role, request):
                told = f"{role} is not authorized to perform: {request.action} on resource: {request.resource}"
                return _refused(told, environ, start_response)
        content, status, headers = run_wsgi_app(inner, environ, buffered=True)
        if environ["REQUEST_METHOD"] == "GET" and status.startswith(str(_MISSING)) and not guard.allows(role, whole):
            return _refused(f"{role} may not know whether it is there", environ, start_response)
        start_response(status, list(headers))
        return content

    return application


def _emptied(inner: "WSGIApplication") -> Response:
    """The bucket made anew, with versions."""
    moto = Client(inner)
    answers = [
        moto.post("/moto-api/reset"),
        moto.put(f"/{BUCKET}", headers=_HOST),
        moto.put(f"/{BUCKET}?versioning", data=_VERSIONED, headers=_HOST),
    ]
    return Response(status=max(answer.status_code for answer in answers))


def _refused(told: str, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
    if length := environ.get("CONTENT_LENGTH"):
        environ["wsgi.input"].read(int(length))  # or the connection is closed under a client that still sends
    return Response(_DENIED.format(told), status=403, content_type="application/xml")(environ, start_response)


def main() -> None:
    application = local_bucket.application
    local_bucket.application = lambda bucket: guarded(application(bucket), Guard())
    local_bucket.main()


if __name__ == "__main__":
    main()
