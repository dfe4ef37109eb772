"""The bytes of S3's answers in, what they say out: pages of a listing, and the code of an error.

Whoever answers is not trusted. A document type is refused, because entities that refer to entities are how a few
bytes become gigabytes; the caller bounds the bytes themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_plus
from xml.parsers import expat

from registry_tools.registry.objects import ObjectFacts

Fields = dict[str, str]
_PIECE: Final = 1 << 23
_DEEPEST: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of a listing, with whole keys; `token` asks for the next part where there is one."""

    objects: tuple[ObjectFacts, ...]
    folders: tuple[str, ...]
    token: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What to list: keys that begin with `prefix`, `most` of them at a time, those below a folder as the folder."""

    prefix: str
    most: int = 1000
    by_folder: bool = False
    token: str | None = None


def read_page(content: bytes, date: str) -> Page:
    """The page that a ListObjectsV2 with encoding-type=url answers. Raises ValueError when it is something else."""
    document = _Document("ListBucketResult", ("Contents", "CommonPrefixes"))
    document.read(content)
    top = document.top
    encoded = top.get("EncodingType") == "url"
    more = top.get("IsTruncated") == "true"
    if more and not top.get("NextContinuationToken"):
        raise ValueError("a listing that goes on, and no token for the next part")
    return Page(
        objects=tuple(_facts(entry, date, encoded=encoded) for entry in document.entries["Contents"]),
        folders=tuple(_key(entry["Prefix"], encoded=encoded) for entry in document.entries["CommonPrefixes"]),
        token=top["NextContinuationToken"] if more else None,
    )


def page_of(answer: Any) -> Page:  # noqa: ANN401  # botocore's mapping
    """The same page as botocore has read it. Raises KeyError, TypeError or ValueError when it is something else."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    return Page(
        objects=tuple(
            ObjectFacts(key=entry["Key"], size=entry["Size"], tag=entry["ETag"], age=_age(date, entry["LastModified"]))
            for entry in answer.get("Contents", ())
        ),
        folders=tuple(entry["Prefix"] for entry in answer.get("CommonPrefixes", ())),
        token=answer["NextContinuationToken"] if answer.get("IsTruncated") else None,
    )


def read_error(content: bytes) -> tuple[str, str] | None:
    """The code and the message of an error, or None when this is no error of S3's."""
    document = _Document("Error", ())
    try:
        document.read(content)
    except ValueError:
        return None
    code = document.top.get("Code", "")
    return (code, document.top.get("Message", "")) if code else None


def read_at_most(read: Callable[[int], bytes], limit: int) -> bytes | None:
    """All bytes of a stream, or None when there are more than `limit`; then no more than that was read."""
    whole = BytesIO()
    while piece := read(min(_PIECE, limit + 1 - whole.tell())):
        whole.write(piece)
        if whole.tell() > limit:
            return None
    return whole.getvalue()


def _age(date: str, written: datetime) -> float:
    """Seconds between two times of the server; ours may be wrong."""
    return max(0.0, (parsedate_to_datetime(date) - written).total_seconds())


def _facts(entry: Fields, date: str, *, encoded: bool) -> ObjectFacts:
    written = datetime.fromisoformat(entry["LastModified"])
    return ObjectFacts(
        key=_key(entry["Key"], encoded=encoded), size=int(entry["Size"]), tag=entry["ETag"], age=_age(date, written)
    )


def _key(text: str, *, encoded: bool) -> str:
    return unquote_plus(text, errors="strict") if encoded else text


class _Document:
    """The text of a document's elements: those right below the root, and those of each of its repeated entries."""

    def __init__(self, root: str, repeated: tuple[str, ...]) -> None:
        self.top: Fields = {}
        self.entries: dict[str, list[Fields]] = {name: [] for name in repeated}
        self._root = root
        self._path: list[str] = []
        self._text: list[str] = []

    def read(self, content: bytes) -> None:
        """Raises ValueError for what is not XML, has another root, or brings a document type."""
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._text.append
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise ValueError(f"no XML: {error}") from None

    def _refuse(self, *_: object) -> None:
        raise ValueError("a document type, which S3 does not send")

    def _open(self, name: str, _: Fields) -> None:
        if not self._path and name != self._root:
            raise ValueError(f"{name[:40]} instead of {self._root}")
        self._path.append(name)
        self._text.clear()
        if len(self._path) > _DEEPEST:
            raise ValueError("nested deeper than S3 does")
        if len(self._path) == 2 and name in self.entries:  # noqa: PLR2004  # root, entry
            self.entries[name].append({})

    def _close(self, name: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        match self._path:
            case [_, entry, _] if entry in self.entries:
                self.entries[entry][-1][name] = text
            case [_, _]:
                self.top[name] = text
        self._path.pop()
