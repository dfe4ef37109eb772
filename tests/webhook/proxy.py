"""A proxy that tunnels whatever it is asked for to one server, and remembers what it was asked."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def tunnelling_proxy(port: int) -> Iterator[tuple[list[tuple[str, str | None]], str]]:
    """What was asked (`host:port`, and the credentials that came along), and the proxy's own `host:port`."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append((self.path, self.headers.get("Proxy-Authorization")))
            with socket.create_connection(("127.0.0.1", port)) as behind:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                forth = threading.Thread(target=_pour, args=(self.connection, behind))
                forth.start()
                _pour(behind, self.connection)
                forth.join()
            self.close_connection = True

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield asked, f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(4096):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
