"""A directory registry in, the same registry as an S3 that takes its time out: `python -m benchmarks.slow_store`.

It knows the two requests of a reader, GET of an object and LIST of a prefix, and costs next to no cpu, so that what
is measured behind it is how many round trips follow one another.
"""

import argparse
import hashlib
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from registry_tools.local.ready import announce


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # of the five by default the sixth waits a second for its SYN to be sent again

    def __init__(self, folder: Path, seconds: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seconds = seconds
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self.objects = {str(path.relative_to(folder)): path.read_bytes() for path in files}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet: Nagle's algorithm would add 40 ms of its own
    server: _Server

    def do_GET(self) -> None:
        time.sleep(self.server.seconds)
        parts = urlsplit(self.path)
        _bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        if key:
            content = self.server.objects.get(key)
            self._answer(404 if content is None else 200, content or b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, self._listing(parse_qs(parts.query)))

    def _listing(self, query: dict[str, list[str]]) -> bytes:
        prefix, most = query.get("prefix", [""])[0], int(query.get("max-keys", ["1000"])[0])
        keys = [key for key in self.server.objects if key.startswith(prefix)][:most]
        entries = "".join(self._entry(key) for key in keys)
        head = f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult>{head}{entries}</ListBucketResult>".encode()

    def _entry(self, key: str) -> str:
        content = self.server.objects[key]
        return (
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size><ETag>{_tag(content)}</ETag>"
            "<LastModified>2026-01-23T06:45:41.000Z</LastModified></Contents>"
        )

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", _tag(content))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing: a line for each request would be measured as well."""


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_store", description=__doc__)
    parser.add_argument("folder", type=Path, help="the directory registry")
    parser.add_argument("--seconds", type=float, required=True, help="what each request waits")
    parser.add_argument("--ready", type=Path, required=True, help="file to write the port to")
    options = parser.parse_args()
    server = _Server(options.folder, options.seconds)
    announce(options.ready, server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
