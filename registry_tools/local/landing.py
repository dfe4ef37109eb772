"""A key or a prefix in, what the local S3 holds there out: listed, fetched or put over plain HTTP.

No SDK: the warehouse reads with it, whose process knows neither boto3 nor credentials.
"""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local import state

_SPACE: Final = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_CHUNK: Final = 1 << 20
_SECONDS: Final = 30
_OK: Final = 200
# The local S3 hides objects from those who do not say who they are, and believes everybody who does.
_WHO: Final = {"Authorization": "AWS local:unchecked"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A file as S3 lists it. `tag` is its ETag without the quotes, `modified` a time as 2026-11-21T23:59:00.000Z."""

    key: str
    size: int
    tag: str
    modified: str


class LocalFiles:
    """A bucket of the local S3. Raises EmbeddedMeshError when it does not answer, and LookupError where S3 says that
    there is no such bucket or key.
    """

    def __init__(self, port: int, bucket: str = state.BUCKET) -> None:
        self._port = port
        self._bucket = bucket

    def url(self, key: str) -> str:
        """How Snowflake names it."""
        return f"s3://{self._bucket}/{key}"

    def below(self, prefix: str) -> Iterator[Stored]:
        """Every file whose key begins with the prefix, however deep, in the order of keys."""
        asked = {"list-type": "2", "prefix": prefix}
        while True:
            with self._asked("GET", f"?{urlencode(asked)}") as answer:
                page = ET.fromstring(answer.read())  # noqa: S314  # what our own server says
            for found in page.iter(f"{_SPACE}Contents"):
                text = {child.tag.removeprefix(_SPACE): child.text or "" for child in found}
                yield Stored(
                    key=text["Key"], size=int(text["Size"]), tag=text["ETag"].strip('"'), modified=text["LastModified"]
                )
            token = page.findtext(f"{_SPACE}NextContinuationToken")
            if not token:
                return
            asked["continuation-token"] = token

    def fetch(self, key: str, into: IO[bytes]) -> None:
        """Write the file's bytes, a megabyte at a time."""
        with self._asked("GET", f"/{quote(key)}") as answer:
            while chunk := answer.read(_CHUNK):
                into.write(chunk)

    def put(self, key: str, content: bytes) -> None:
        """Put the file there, over one of the same key."""
        with self._asked("PUT", f"/{quote(key)}", content):
            return

    @contextmanager
    def _asked(self, method: str, path: str, body: bytes | None = None) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(state.HOST, self._port, timeout=_SECONDS)
        with closing(connection):
            try:
                connection.request(method, f"/{self._bucket}{path}", body, _WHO)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise EmbeddedMeshError(f"the local S3 does not answer: {error}", then="mesh local up") from None
            if answer.status != _OK:
                said = ET.fromstring(answer.read())  # noqa: S314  # see above
                facts = f"Status Code: {answer.status}; Error Code: {said.findtext('Code')}"
                raise LookupError(f"{said.findtext('Message')} ({facts})")
            yield answer


def local_files(home: Path, bucket: str = state.BUCKET) -> LocalFiles:
    """A bucket of the S3 that runs in this home. Raises EmbeddedMeshError when none is written down there."""
    for server in state.read(home).servers:
        if server.name == "bucket" and server.port:
            return LocalFiles(server.port, bucket)
    raise EmbeddedMeshError("the embedded mesh does not run", where=str(home), then="mesh local up")
