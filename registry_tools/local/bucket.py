"""A bucket's name in, a local S3 that holds it on 127.0.0.1 out: `python -m registry_tools.local.bucket`."""

import argparse
import base64
import hashlib
import io
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import Client
from werkzeug.wrappers import Response

from registry_tools.local.ready import announce

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

_WRITES = frozenset({"PUT", "POST", "DELETE"})
_OK = 200
_BAD_DIGEST = (
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>BadDigest</Code>"
    "<Message>The SHA256 you specified did not match the calculated checksum.</Message></Error>"
)


def application(bucket: str) -> "WSGIApplication":
    """An S3 with one bucket in it, where writes happen one after the other.

    moto looks at If-None-Match and If-Match first and stores afterwards, with nothing in between to hold off another
    request: measured, 5 of 120 races had two winners. The registry's log rests on there being one. Nor does moto refuse
    a body that is not what its checksum says, as S3 does.
    """
    moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    created = Client(moto).put(f"/{bucket}", headers={"Host": "s3.amazonaws.com"})
    if created.status_code != _OK:
        raise RuntimeError(created.get_data(as_text=True))
    writing = Lock()

    def one_write_at_a_time(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in _WRITES:
            return moto(environ, start_response)
        if not _is_what_it_says(environ, _read_body(environ)):
            return Response(_BAD_DIGEST, status=400, content_type="application/xml")(environ, start_response)
        with writing:
            return [b"".join(moto(environ, start_response))]

    return one_write_at_a_time


def _read_body(environ: dict[str, Any]) -> bytes | None:
    """Takes a body of known length off the wire before the lock is asked for: a slow client holds up only itself."""
    length = environ.get("CONTENT_LENGTH")
    if not length:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _is_what_it_says(environ: dict[str, Any], body: bytes | None) -> bool:
    promised = environ.get("HTTP_X_AMZ_CHECKSUM_SHA256")
    # A body in signed chunks is not the object yet.
    whole = not environ.get("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-")
    return body is None or not (promised and whole) or promised == _checksum(body)


def _checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM. What the bucket holds lives in memory and ends with the process."""
    parser = argparse.ArgumentParser(prog="python -m registry_tools.local.bucket", description=__doc__)
    parser.add_argument("--bucket", required=True, help="bucket to create")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--ready", type=Path, required=True, help="file to write the port to")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it reports every request
    server = make_server("127.0.0.1", options.port, application(options.bucket), threaded=True)
    announce(options.ready, server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
