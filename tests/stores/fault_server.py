"""An S3 that misbehaves on demand: every request is counted, every answer is the test's."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to send. `claimed` lies about the length; `hang` says nothing at all; `reset` hangs up; `kept` does not, and
    takes further requests over the same connection; `chunked` does not say how much there will be.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    claimed: int | None = None
    hang: bool = False
    reset: bool = False
    kept: bool = False
    chunked: bool = False


def error(status: int, code: str, message: str = "no.") -> Answer:
    """An error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "application/xml"})


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int = 0


class FaultServer:
    """Sends `answers` one after the other, the last of them for ever, or what `by_path` says where it is given."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [Answer()]
        self.by_path: Callable[[str], Answer] | None = None
        self.requests: list[Request] = []
        self.over = threading.Event()

    def take(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.by_path:
            return self.by_path(request.path)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a connection that is kept is not waited for
    request_queue_size = 64

    def handle_error(self, *_args: object) -> None:
        """Nothing: a client that hangs up is what the tests are about."""


@contextmanager
def fault_server(tls: ssl.SSLContext | None = None) -> Iterator[tuple[FaultServer, str]]:
    """The server and its endpoint."""
    faults = FaultServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = faults.take(Request(self.command, self.path, headers, body, self.client_address[1]))
            self.close_connection = not answer.kept
            if answer.hang:
                faults.over.wait(30)
            if answer.hang or answer.reset:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            if "Date" not in answer.headers:
                self.send_header("Date", self.date_time_string())
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(answer.claimed or len(answer.body)))
            self.send_header("Connection", "keep-alive" if answer.kept else "close")
            self.end_headers()
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer.body), answer.body) if answer.chunked else answer.body
            with suppress(ConnectionError):  # whoever has read enough hangs up
                self.wfile.write(b"" if self.command == "HEAD" else body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815  # the names that http.server looks for

        def log_message(self, *_args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield faults, f"http://127.0.0.1:{server.server_port}"
    finally:
        faults.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
