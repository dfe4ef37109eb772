"""A data directory in, Snowflake's HTTP interface on 127.0.0.1 out.

Runs as `python -m registry_tools.local.warehouse.server --data DIRECTORY --home DIRECTORY --ready FILE`.
"""

import argparse
import gzip
import json
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from registry_tools.local.ready import announce
from registry_tools.local.warehouse import descriptions, timestamps
from registry_tools.local.warehouse.connection import LocalConnection
from registry_tools.local.warehouse.persistence import LocalSnowflake
from registry_tools.local.warehouse.session import Session

_INTERNAL_ERROR = "261000"

# By name, because the package has a function that is called `server` too.
_stock: Any = import_module("fakesnow.server")


def application(snowflake: LocalSnowflake) -> Starlette:
    """The routes of fakesnow over this account, which it looks up in its own module: there is one a process."""
    timestamps.keep_nulls()
    descriptions.describe_every_database()
    descriptions.describe_the_account(_stock)
    _stock.shared_fs = snowflake
    ours = {"/session/v1/login-request": _log_in, "/queries/v1/query-request": _query}
    routes = [Route(each.path, ours.get(each.path, each.endpoint), methods=each.methods) for each in _stock.routes]

    @asynccontextmanager
    async def lifespan(_application: Starlette) -> AsyncIterator[None]:
        yield
        snowflake.close()

    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _apologise})


async def _log_in(request: Request) -> JSONResponse:
    response: JSONResponse = await _stock.login_request(request)
    connection = _stock.sessions[json.loads(bytes(response.body))["data"]["token"]]
    if isinstance(connection, LocalConnection):
        asked = request.query_params
        login = (await _document(request))["data"]
        connection.session = Session(
            user=str(login.get("LOGIN_NAME") or "").upper(),
            role=asked.get("roleName", "").upper() or connection.role,
            warehouse=asked.get("warehouse", "").upper(),
            query_tag=str((login.get("SESSION_PARAMETERS") or {}).get("QUERY_TAG") or ""),
        )
    return response


async def _query(request: Request) -> JSONResponse:
    response: JSONResponse = await _stock.query_request(request)
    if response.status_code == 500:  # noqa: PLR2004 - HTTP's own number
        return _failure(json.loads(bytes(response.body))["message"])
    return response


async def _document(request: Request) -> dict[str, Any]:
    body = await request.body()
    document: dict[str, Any] = json.loads(
        gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
    )
    return document


async def _apologise(_request: Request, error: Exception) -> JSONResponse:
    return _failure(f"{type(error).__name__}: {error}")


def _failure(message: str) -> JSONResponse:
    """A failure as an answer: to an HTTP 500 the connector reacts by asking again, without end."""
    said = f"The local warehouse cannot do this; its log says why. {message}"
    data = {"errorCode": _INTERNAL_ERROR, "sqlState": "XX000"}
    return JSONResponse({"data": data, "code": _INTERNAL_ERROR, "message": said, "success": False})


def _listening(port: int) -> socket.socket:
    """A listener on the loopback. It names TCP, because asyncio turns Nagle's algorithm off only where the socket says
    so (`proto`, which `socket.create_server` leaves at 0): every statement took 45 ms longer.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM. The port is the one that the kernel gave when asked for 0; the ready file tells it."""
    parser = argparse.ArgumentParser(prog="python -m registry_tools.local.warehouse.server", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the databases; made if missing")
    parser.add_argument("--home", type=Path, help="directory that says where the local S3 is, for stages")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--ready", type=Path, required=True, help="file to write the port to")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("fakesnow.server").setLevel(logging.ERROR)  # it reports every login and every refused statement
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement that it leaves unparsed
    config = uvicorn.Config(
        application(LocalSnowflake(options.data, options.home)),
        log_config=None,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=3,
    )
    with _listening(options.port) as listener:
        announce(options.ready, listener.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
