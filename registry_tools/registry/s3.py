"""A bucket as an object store: the only file that knows boto3.

Writes are conditional and go out once, without the SDK's retries: a retried PUT that had already been stored would be
answered 412 as if somebody else had been faster. Reads are sent again a bounded number of times, after pauses drawn at
random, and take the signed door where there is one.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from registry_tools.errors import Forbidden
from registry_tools.registry.objects import MAX_OBJECT, ObjectFacts, StoredObject
from registry_tools.registry.patience import CLOCK, Clock
from registry_tools.registry.plain_case import plain_case
from registry_tools.registry.s3_answers import Listing, Page, page_of, read_at_most
from registry_tools.registry.s3_options import S3Options
from registry_tools.registry.s3_refusals import DeclinedError, PassingError, Refusals, named, refused
from registry_tools.registry.signed import ElsewhereError, SignedDoor

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3.client import S3Client

_READ_ATTEMPTS: Final = 3
_AT_ONCE: Final = 16
# How stores word it that a body is not what its checksum says; AWS says BadDigest.
_WRONG_CHECKSUM: Final = frozenset({"BadDigest", "InvalidDigest", "InvalidRequest", "XAmzContentChecksumMismatch"})
_FORBIDDEN: Final = frozenset({"AccessDenied", "MethodNotAllowed", "NotImplemented"})
_AMAZON: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_SOON_SECONDS: Final = 15 * 60
_PLAIN: Final = S3Options()

T = TypeVar("T")


class _Door(Protocol):
    """The two requests of a reader, on whole keys. Each is sent once; PassingError says that another try may help."""

    def get(self, key: str, limit: int) -> StoredObject | None: ...

    def page(self, listing: Listing) -> Page: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """How a bucket is reached; nothing secret. `credentials` is boto3's name of where it found them, None for nowhere;
    `skew` is how many seconds this machine's clock is ahead of the store's, None when no answer told the time.
    """

    endpoint: str
    region: str | None
    credentials: str | None
    expires_soon: bool
    skew: float | None


class S3Store:
    """Objects below `prefix` of one bucket, on AWS or on any store that keeps to conditional writes.

    `limit` is how many bytes of one object a reader takes at most.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        options: S3Options = _PLAIN,
        *,
        clock: Clock = CLOCK,
        limit: int = MAX_OBJECT,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._options = options
        self._clock = clock
        self._limit = limit
        self._refusals = Refusals(bucket, self.root)
        self._sdk = _SdkDoor(bucket, options, self._refusals)
        self._signed: SignedDoor | None = None
        self._has_looked = False
        self._looking = Lock()

    @property
    def root(self) -> str:
        """See ObjectStore."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def identity(self) -> str:
        """See ObjectStore. A bucket's name says nothing without the endpoint, where that is not AWS."""
        endpoint = self._options.endpoint_in(os.environ) or ""
        return f"{endpoint.rstrip('/')} {self.root}".strip()

    def create(self, key: str, content: bytes) -> bool:
        """See ObjectStore."""
        return self._sdk.put(self._prefix + key, content, IfNoneMatch="*")

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        """See ObjectStore."""
        return self._sdk.put(self._prefix + key, content, IfMatch=tag)

    def delete(self, key: str, tag: str) -> bool:
        """See ObjectStore."""
        return self._sdk.delete(self._prefix + key, tag)

    def get(self, key: str) -> StoredObject | None:
        """See ObjectStore. To whoever may list some keys only, S3 forbids an absent one as it does a hidden one: then
        the listing tells them apart (decision 0014).
        """
        try:
            return self._get(key)
        except Forbidden as forbidden:
            try:
                if self.head(key) is None:
                    return None
            except Forbidden:
                raise forbidden from None
            return self._get(key)

    def head(self, key: str) -> ObjectFacts | None:
        """See ObjectStore. A LIST, because the answer to a HEAD has no body that could tell an absent key from an
        absent bucket; no other key that begins with this one comes before it.
        """
        found = self.first(key)
        return found if found is not None and found.key == key else None

    def first(self, prefix: str) -> ObjectFacts | None:
        """See ObjectStore."""
        return next(self._objects(Listing(prefix=self._prefix + prefix, most=1)), None)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        return (found.key for found in self._objects(Listing(prefix=self._prefix + prefix)))

    def folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        pages = self._pages(Listing(prefix=self._prefix + prefix, by_folder=True))
        below = (self._relative(folder) for page in pages for folder in page.folders)
        return sorted(folder[len(prefix) :].rstrip("/") for folder in below)

    # -- for those who ask whether it can be trusted ------------------------------------------------------------------

    def is_amazons(self) -> bool:
        """Whether AWS itself answers, which documents that it keeps to conditions. No request."""
        return self._sdk.is_amazons()

    def connection(self) -> Connection:
        """Where and as whom the bucket is asked, proven by one request; also a refusal tells the store's time."""
        return self._patiently(lambda: self._sdk.connection(self._prefix))

    def accepts_wrong_checksum(self, key: str) -> bool:
        """Whether the store takes an object whose bytes are not those that its checksum names, as none should."""
        promised, asked = b"other bytes", {"IfNoneMatch": "*"}
        return self._sdk.put(self._prefix + key, b"these bytes", promised=promised, refusals=_WRONG_CHECKSUM, **asked)

    def overwrites_unasked(self, key: str, content: bytes) -> bool:
        """Whether this role may put `content` at a key without a condition, which the bucket's policy may forbid."""
        return self._sdk.put(self._prefix + key, content, refusals=_FORBIDDEN)

    # -- reading ------------------------------------------------------------------------------------------------------

    def _get(self, key: str) -> StoredObject | None:
        return self._ask(lambda door: door.get(self._prefix + key, self._limit))

    def _objects(self, listing: Listing) -> Iterator[ObjectFacts]:
        for page in self._pages(listing):
            for found in page.objects:
                yield replace(found, key=self._relative(found.key))

    def _pages(self, listing: Listing) -> Iterator[Page]:
        asked = None
        while True:
            page = self._page(replace(listing, token=asked))
            yield page
            if page.token is None:
                return
            if page.token == asked:
                raise self._refusals.no_s3("the same part of a listing again")
            asked = page.token

    def _page(self, listing: Listing) -> Page:
        return self._ask(lambda door: door.page(listing))

    def _relative(self, key: str) -> str:
        return key[len(self._prefix) :]

    def _ask(self, question: Callable[[_Door], T]) -> T:
        return self._patiently(lambda: self._once(question))

    def _patiently(self, read: Callable[[], T]) -> T:
        """The answer, asked for again while the fault is one that may pass."""
        for _ in self._clock.tries(_READ_ATTEMPTS):
            try:
                return read()
            except PassingError as passing:
                given_up = passing.error
        raise given_up from None

    def _once(self, question: Callable[[_Door], T]) -> T:
        if (signed := self._look_for_signed_door()) is not None:
            try:
                return question(signed)
            except ElsewhereError:
                self._signed = None
        return question(self._sdk)

    def _look_for_signed_door(self) -> SignedDoor | None:
        """Looked for once, at the first read: the environment may change until then."""
        with self._looking:
            if not self._has_looked:
                case = plain_case(self._bucket, self._options, os.environ)
                self._signed = SignedDoor(case, self._refusals) if case else None
                self._has_looked = True
            return self._signed


class _SdkDoor:
    """Boto3's requests on whole keys. The SDK itself sends each of them once."""

    def __init__(self, bucket: str, options: S3Options, refusals: Refusals) -> None:
        self._bucket = bucket
        self._options = options
        self._refusals = refusals
        self._made: S3Client | None = None
        self._making = Lock()

    def get(self, key: str, limit: int) -> StoredObject | None:
        """See SignedDoor."""
        try:
            with self._failures(key=key):
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                with closing(answer["Body"]) as stream:
                    is_short = answer.get("ContentLength", 0) <= limit
                    body = read_at_most(stream.read, limit) if is_short else None
        except DeclinedError:
            return None
        if body is None:
            raise self._refusals.too_large(key, limit)
        if not (tag := answer.get("ETag")):
            raise self._refusals.no_s3("an object without an ETag")
        return StoredObject(content=body, tag=tag)

    def page(self, listing: Listing) -> Page:
        """See SignedDoor."""
        more: dict[str, Any] = {"Delimiter": "/"} if listing.by_folder else {}
        more |= {"ContinuationToken": listing.token} if listing.token else {}
        with self._failures(key=listing.prefix):
            page = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=listing.prefix, MaxKeys=listing.most, **more
            )
        if "IsTruncated" not in page:  # botocore makes an empty listing of a body that broke off before it began
            raise PassingError(self._refusals.no_s3("no listing"))
        try:
            return page_of(page)
        except (KeyError, TypeError, ValueError) as error:
            raise self._refusals.no_s3(f"{type(error).__name__}: {error}") from None

    def put(
        self,
        key: str,
        content: bytes,
        *,
        promised: bytes | None = None,
        refusals: frozenset[str] = frozenset(),
        **condition: str,
    ) -> bool:
        """True when the object was put, False when the condition did not hold, or for one of `refusals`. The checksum
        that is sent along is that of `promised`, where it is given.
        """
        checksum = base64.b64encode(hashlib.sha256(content if promised is None else promised).digest()).decode()
        more = self._options.encryption() | condition
        return self._write("put_object", refusals, Key=key, Body=content, ChecksumSHA256=checksum, **more)

    def delete(self, key: str, tag: str) -> bool:
        """True when the object had this tag and was deleted."""
        return self._write("delete_object", frozenset(), Key=key, IfMatch=tag)

    def is_amazons(self) -> bool:
        """See S3Store."""
        with self._failures():
            return (urlsplit(self._client.meta.endpoint_url).hostname or "").endswith(_AMAZON)

    def connection(self, prefix: str) -> Connection:
        """See S3Store."""
        import boto3
        from botocore.exceptions import ClientError

        with self._failures():
            credentials: Any = boto3.Session().get_credentials()
            if credentials:
                credentials.get_frozen_credentials()  # here at the latest, those that have run out say so
            try:
                answer: Any = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)
            except ClientError as error:
                answer = error.response
            meta = self._client.meta
        if "Error" not in answer and "IsTruncated" not in answer:
            raise self._refusals.no_s3("no listing")
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
        parts = urlsplit(meta.endpoint_url)
        return Connection(
            endpoint=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            region=meta.region_name,
            credentials=credentials.method if credentials else None,
            expires_soon=hasattr(credentials, "refresh_needed") and credentials.refresh_needed(_SOON_SECONDS),
            skew=(datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() if date else None,
        )

    def _write(self, method: str, refusals: frozenset[str], **arguments: Any) -> bool:  # noqa: ANN401  # boto3's own
        try:
            with self._failures(writing=True, refusals=refusals, key=arguments["Key"]):
                getattr(self._client, method)(Bucket=self._bucket, **arguments)
        except DeclinedError:
            return False
        return True

    @property
    def _client(self) -> "S3Client":
        """Its making is not safe between threads, its use is (boto3 guide, Low-level clients, Multithreading or
        multiprocessing with clients).
        """
        with self._making:
            if self._made is None:
                self._made = _connect(self._options)
            return self._made

    @contextmanager
    def _failures(
        self, *, writing: bool = False, refusals: frozenset[str] = frozenset(), key: str = ""
    ) -> Iterator[None]:
        """Say in our errors what boto3 says in its own."""
        from botocore import exceptions as boto
        from botocore.parsers import ResponseParserError

        say = self._refusals
        try:
            yield
        except boto.ClientError as error:
            answer = refused(error.response)
            raise (say.to_write(answer, refusals, key) if writing else say.to_read(answer, key)) from None
        except (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError) as error:
            unreachable = say.unreachable(named(error))
            raise (unreachable if writing else PassingError(unreachable)) from None
        except (boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError, boto.SSLError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise say.untrusted(named(error)) from None
            raise (say.unknown(named(error)) if writing else PassingError(say.unanswered(named(error)))) from None
        except boto.FlexibleChecksumError:
            raise PassingError(say.damaged(key)) from None
        # botocore's credentials raise a RuntimeError when they have run out and what renews them brings no better ones.
        except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.TokenRetrievalError, RuntimeError) as error:
            raise say.without_credentials(str(error)) from None
        except ResponseParserError as error:
            raise say.no_s3(named(error)) from None
        except boto.BotoCoreError as error:
            raise say.unsendable(str(error)) from None
        except (KeyError, ValueError) as error:
            raise say.unsendable(named(error)) from None


def _connect(options: S3Options) -> "S3Client":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=_AT_ONCE,
        s3={"addressing_style": "path"} if options.path_style else None,
    )
    in_environment = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    client = boto3.Session().client(
        "s3",
        config=config,
        region_name=options.region_in(os.environ),
        endpoint_url=None if in_environment else options.endpoint,
    )
    client.meta.events.register("before-endpoint-resolution.s3", _ask_for_the_region_once)
    return client


def _ask_for_the_region_once(model: "OperationModel", context: dict[str, Any], **_: object) -> None:
    """The SDK asks where a bucket is when it is redirected; a server that redirects this too gets no third question.

    Without it, a proxy that redirects http to https makes botocore 1.44 ask until Python has no stack left.
    """
    if model.name == "HeadBucket":
        context.get("s3_redirect", {})["redirected"] = True
