"""A proxy that tunnels whatever it is asked for to one server, and remembers what it was asked; and one who says his
piece to everybody, over and over.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer


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


@contextmanager
def spoken(first: bytes, piece: bytes = b"", times: int = 250) -> Iterator[int]:
    """The port of a server that says `first` to whoever asks, and then `piece` every 20 ms until it was said `times`
    times or somebody hangs up.
    """
    over = threading.Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65536)
                self.request.sendall(first)
                for _ in range(times):
                    self.request.sendall(piece)
                    if over.wait(0.02):
                        break

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            over.set()
            server.shutdown()
            thread.join()
