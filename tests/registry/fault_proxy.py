"""A proxy in front of an S3 that loses, delays, refuses and cuts short: `python -m tests.registry.fault_proxy`.

Weather is dealt as cards are: of each deck every kind comes once and the rest is fair, so that no run of some length
lacks a kind, and the same seed makes the same weather in the order in which requests arrive. Each connection carries
one request.
"""

import argparse
import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from registry_tools.local.ready import announce
from tests.stores.local_s3 import child_server


class Weather(Enum):
    """What becomes of one request."""

    FAIR = "answered"
    DROPPED = "never forwarded, and the connection ends"
    LOST_ANSWER = "carried out, and the connection ends"
    LATE = "the connection ends, and it is carried out later"
    REFUSED = "answered 503, and never forwarded"
    FAILED = "answered 500, and carried out"
    SLOW = "forwarded after a while"
    CUT = "carried out, and the connection ends within the answer's body"
    CONFLICT = "answered 409 ConditionalRequestConflict, and never forwarded"


_READS = (Weather.DROPPED, Weather.REFUSED, Weather.FAILED, Weather.SLOW, Weather.CUT)
_WRITES = (Weather.DROPPED, Weather.LOST_ANSWER, Weather.LATE, Weather.REFUSED, Weather.FAILED, Weather.SLOW)
_CONDITIONAL = (*_WRITES, Weather.CONFLICT)
_CLOSING = b"\r\nConnection: close"


def _error(status: int, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>bad weather</Message></Error>"
    head = f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}"
    return head.encode() + _CLOSING + b"\r\n\r\n" + body.encode()


_NEVER_FORWARDED = {
    Weather.DROPPED: b"",
    Weather.LATE: b"",
    Weather.REFUSED: _error(503, "SlowDown"),
    Weather.CONFLICT: _error(409, "ConditionalRequestConflict"),
}
_ANSWERED_OTHERWISE = {Weather.LOST_ANSWER: b"", Weather.FAILED: _error(500, "InternalError")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    line: str
    conditional: bool
    content: bytes

    @property
    def kinds(self) -> tuple[Weather, ...]:
        """The bad weather that such a request can meet."""
        if not self.line.startswith(("PUT", "DELETE", "POST")):
            return _READS
        return _CONDITIONAL if self.conditional else _WRITES


class _Deck:
    """Deals each of `kinds` once among so much fair weather that `rate` of all is bad, and then shuffles anew."""

    def __init__(self, kinds: tuple[Weather, ...], rate: float, seed: str) -> None:
        self._drawn = random.Random(f"{seed} {[kind.name for kind in kinds]}")  # noqa: S311  # no secret
        self._all = (*kinds, *[Weather.FAIR] * (round(len(kinds) / rate) - len(kinds)))
        self._cards: list[Weather] = []

    def deal(self) -> Weather:
        if not self._cards:
            self._cards = self._drawn.sample(self._all, len(self._all))
        return self._cards.pop()


class FaultProxy:
    """Forwards to 127.0.0.1:`port`; of each hundred requests, about 100 * `rate` meet other than fair weather."""

    def __init__(self, port: int, seed: str, rate: float) -> None:
        self._port = port
        self._drawn = random.Random(seed)  # noqa: S311  # no secret
        self._decks: dict[tuple[Weather, ...], _Deck] = {
            kinds: _Deck(kinds, rate, seed) for kinds in (_READS, _WRITES, _CONDITIONAL)
        }
        self._later: set[asyncio.Task[bytes]] = set()
        self.counts: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request from a client, and what becomes of it."""
        try:
            request = await self._request(reader, writer)
            writer.write(await self._answer(request))
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client hung up, which is its right
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        if "expect" in headers:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        kept = [field for field in fields if field.partition(":")[0].lower() not in {"expect", "connection"}]
        content = "\r\n".join([line, *kept]).encode("latin-1") + _CLOSING + b"\r\n\r\n" + body
        return Request(line=line, conditional=bool({"if-match", "if-none-match"} & headers.keys()), content=content)

    async def _answer(self, request: Request) -> bytes:
        weather = self._decks[request.kinds].deal()
        self.counts[weather.name] += 1
        if weather is Weather.LATE:
            self._send_later(request, self._drawn.uniform(0.05, 2))
        if weather in _NEVER_FORWARDED:
            return _NEVER_FORWARDED[weather]
        answer = await self._forward(request, self._drawn.uniform(0.05, 0.5) if weather is Weather.SLOW else 0)
        if weather is Weather.CUT:
            head, _, body = answer.partition(b"\r\n\r\n")
            return head + b"\r\n\r\n" + body[: self._drawn.randrange(len(body) + 1)]
        return _ANSWERED_OTHERWISE.get(weather, answer)

    def _send_later(self, request: Request, seconds: float) -> None:
        task = asyncio.create_task(self._forward(request, seconds))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _forward(self, request: Request, seconds: float) -> bytes:
        await asyncio.sleep(seconds)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request.content)
            return await reader.read(-1)
        finally:
            writer.close()


@contextmanager
def fault_proxy(folder: Path, endpoint: str, seed: str, rate: float) -> Iterator[tuple[str, dict[str, int]]]:
    """The proxy's endpoint, and how many requests met which weather, once the block has ended."""
    counts: dict[str, int] = {}
    port, report = str(urlsplit(endpoint).port), folder / "counts"
    arguments = ["--to", port, "--seed", seed, "--rate", str(rate), "--report", str(report)]
    with child_server(folder, "tests.registry.fault_proxy", *arguments) as found:
        yield found, counts
    counts.update(json.loads(report.read_text()))


async def _run(options: argparse.Namespace) -> None:
    proxy = FaultProxy(options.to, options.seed, options.rate)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, backlog=512)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    announce(options.ready, server.sockets[0].getsockname()[1])
    await over.wait()
    options.report.write_text(json.dumps(proxy.counts))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.registry.fault_proxy", description=__doc__)
    parser.add_argument("--to", type=int, required=True, help="port of the S3")
    parser.add_argument("--seed", required=True)
    parser.add_argument("--rate", type=float, required=True, help="share of requests that meet bad weather")
    parser.add_argument("--ready", type=Path, required=True, help="file to write the port to")
    parser.add_argument("--report", type=Path, required=True, help="file to write the counts to, at the end")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
