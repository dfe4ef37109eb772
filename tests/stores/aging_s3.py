"""The local S3 with a clock that tests put forward: `python -m tests.stores.aging_s3`, otherwise as the one it wraps.

A collector waits a week by the store's own clock, which is the date that the server writes on each answer and on each
object. So here the server's clock moves, and what is tested stays as it is.
"""

import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

from moto.s3 import models
from werkzeug.serving import WSGIRequestHandler

from registry_tools.local import bucket

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

MODULE: Final = "tests.stores.aging_s3"
_CLOCK: Final = "/_clock"
_ahead = timedelta()


def put_forward(endpoint: str, seconds: int) -> None:
    """From now on the server's clock is so much later than it would have been."""
    request = urllib.request.Request(f"{endpoint}{_CLOCK}", data=str(seconds).encode(), method="POST")  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # our own server
        assert answer.status == 200


def _now() -> datetime:
    return datetime.now(UTC) + _ahead


def _with_clock(inner: "WSGIApplication") -> "WSGIApplication":
    def application(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        global _ahead  # noqa: PLW0603  # one process, one clock
        if environ["PATH_INFO"] != _CLOCK:
            return inner(environ, start_response)
        _ahead += timedelta(seconds=int(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start_response("200 OK", [("Content-Length", "0")])
        return []

    return application


def main() -> None:
    application = bucket.application
    models.utcnow = lambda: _now().replace(tzinfo=None)  # type: ignore[attr-defined]
    WSGIRequestHandler.date_time_string = lambda *_: format_datetime(_now(), usegmt=True)  # type: ignore[method-assign]
    bucket.application = lambda bucket: _with_clock(application(bucket))
    bucket.main()


if __name__ == "__main__":
    main()
