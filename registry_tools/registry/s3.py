"""A bucket as an object store: the only file that knows boto3.

Writes are conditional and go out once, without the SDK's retries: a retried PUT that had already been stored would be
answered 412 as if somebody else had been faster. Reads are retried by the SDK, a bounded number of times.
"""

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from registry_tools.errors import OutcomeUnknown, RegistryError
from registry_tools.registry.objects import ObjectFacts, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 60
_READ_ATTEMPTS: Final = 3
_AT_ONCE: Final = 16
_ABSENT: Final = frozenset({"NoSuchKey"})
# The answer to a HEAD has no body that could say more.
_ABSENT_TO_HEAD: Final = frozenset({"404"})
_TAKEN: Final = frozenset({"PreconditionFailed", "412"})
# How stores word it that a body is not what its checksum says; AWS says BadDigest.
_WRONG_CHECKSUM: Final = frozenset({"BadDigest", "InvalidDigest", "InvalidRequest", "XAmzContentChecksumMismatch"})
_FORBIDDEN: Final = frozenset({"AccessDenied", "MethodNotAllowed", "NotImplemented"})
_SERVER_FAULT: Final = 500
_AMAZON: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_SOON_SECONDS: Final = 15 * 60

_THEN: Final = {
    "NoSuchBucket": "create the bucket, or correct --bucket / DBT_MESH_REGISTRY / registry in mesh.yml",
    "AccessDenied": "give the role s3:GetObject, s3:ListBucket and, to publish, s3:PutObject on this prefix",
    "InvalidAccessKeyId": "export valid AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)",
    "SignatureDoesNotMatch": "export valid AWS credentials; a wrong AWS_SECRET_ACCESS_KEY gives this answer",
    "ExpiredToken": "log in again: aws sso login, or renew the CI job's role session",
    "RequestTimeTooSkewed": "set this machine's clock: it is more than 15 minutes from the store's",
}


class _DeclinedError(Exception):
    """The store's plain no: the key is absent, or the condition does not hold."""


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
    """Objects below `prefix` of one bucket, on AWS or on any store that keeps to conditional writes."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._clients: dict[int, S3Client] = {}
        self._making = Lock()

    @property
    def root(self) -> str:
        """See ObjectStore."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def identity(self) -> str:
        """See ObjectStore. A bucket's name says nothing without the endpoint, where that is not AWS."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        return f"{endpoint.rstrip('/')} {self.root}".strip()

    def create(self, key: str, content: bytes) -> bool:
        """See ObjectStore."""
        return self._put(key, content, IfNoneMatch="*")

    def replace(self, key: str, content: bytes, tag: str) -> bool:
        """See ObjectStore."""
        return self._put(key, content, IfMatch=tag)

    def get(self, key: str) -> StoredObject | None:
        """See ObjectStore."""
        try:
            with self._failures():
                answer = self._reader.get_object(Bucket=self._bucket, Key=self._prefix + key)
                return StoredObject(content=answer["Body"].read(), tag=answer["ETag"])
        except _DeclinedError:
            return None

    def delete(self, key: str, tag: str) -> bool:
        """See ObjectStore."""
        try:
            with self._failures(writing=True):
                self._writer.delete_object(Bucket=self._bucket, Key=self._prefix + key, IfMatch=tag)
        except _DeclinedError:
            return False
        return True

    def head(self, key: str) -> ObjectFacts | None:
        """See ObjectStore."""
        try:
            with self._failures(absent=_ABSENT_TO_HEAD):
                found = self._reader.head_object(Bucket=self._bucket, Key=self._prefix + key)
                age = _age(found, found["LastModified"])
                return ObjectFacts(key=key, size=found["ContentLength"], tag=found["ETag"], age=age)
        except _DeclinedError:
            return None

    def first(self, prefix: str) -> ObjectFacts | None:
        """See ObjectStore."""
        with self._failures():
            page = self._reader.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix + prefix, MaxKeys=1)
            if not page.get("Contents"):
                return None
            found = page["Contents"][0]
            key, age = self._relative(found["Key"]), _age(page, found["LastModified"])
            return ObjectFacts(key=key, size=found["Size"], tag=found["ETag"], age=age)

    def keys(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        with self._failures():
            pages = self._reader.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                yield from (self._relative(entry["Key"]) for entry in page.get("Contents", ()))

    def folders(self, prefix: str) -> list[str]:
        """See ObjectStore."""
        found: list[str] = []
        with self._failures():
            pages = self._reader.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix, Delimiter="/"):
                below = (self._relative(entry["Prefix"]) for entry in page.get("CommonPrefixes", ()))
                found += (folder[len(prefix) :].rstrip("/") for folder in below)
        return sorted(found)

    # -- for those who ask whether it can be trusted ------------------------------------------------------------------

    def is_amazons(self) -> bool:
        """Whether AWS itself answers, which documents that it keeps to conditions. No request."""
        with self._failures():
            return (urlsplit(self._writer.meta.endpoint_url).hostname or "").endswith(_AMAZON)

    def connection(self) -> Connection:
        """Where and as whom the bucket is asked, proven by one request; also a refusal tells the store's time."""
        import boto3
        from botocore.exceptions import ClientError

        with self._failures():
            credentials: Any = boto3.Session().get_credentials()
            if credentials:
                credentials.get_frozen_credentials()  # here at the latest, those that have run out say so
            try:
                answer: Any = self._reader.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
            except ClientError as error:
                answer = error.response
            if "Error" not in answer and "IsTruncated" not in answer:
                then = "check AWS_ENDPOINT_URL, and that the network is not waiting for you to log in"
                raise RegistryError("what answers there is no S3", where=self.root, then=then)
            meta = self._reader.meta
            date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
            return Connection(
                endpoint=meta.endpoint_url.split("://")[0]
                + "://"
                + urlsplit(meta.endpoint_url).netloc.rpartition("@")[2],
                region=meta.region_name,
                credentials=credentials.method if credentials else None,
                expires_soon=hasattr(credentials, "refresh_needed") and credentials.refresh_needed(_SOON_SECONDS),
                skew=(datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() if date else None,
            )

    def accepts_wrong_checksum(self, key: str) -> bool:
        """Whether the store takes an object whose bytes are not those that its checksum names, as none should."""
        return self._attempt(key, b"these bytes", promised=b"other bytes", refusals=_WRONG_CHECKSUM, IfNoneMatch="*")

    def overwrites_unasked(self, key: str, content: bytes) -> bool:
        """Whether this role may put `content` at a key without a condition, which the bucket's policy may forbid."""
        return self._attempt(key, content, promised=content, refusals=_FORBIDDEN)

    def _relative(self, key: str) -> str:
        return key[len(self._prefix) :]

    def _put(self, key: str, content: bytes, **condition: Any) -> bool:  # noqa: ANN401  # boto3's own arguments
        return self._attempt(key, content, promised=content, refusals=_ABSENT, **condition)

    def _attempt(
        self,
        key: str,
        content: bytes,
        *,
        promised: bytes,
        refusals: frozenset[str],
        **condition: Any,  # noqa: ANN401  # boto3's own arguments
    ) -> bool:
        """Send `content` as if it were `promised`: False when the condition does not hold, or for one of `refusals`."""
        checksum = base64.b64encode(hashlib.sha256(promised).digest()).decode()
        try:
            with self._failures(writing=True, absent=refusals):
                self._writer.put_object(
                    Bucket=self._bucket, Key=self._prefix + key, Body=content, ChecksumSHA256=checksum, **condition
                )
        except _DeclinedError:
            return False
        return True

    @property
    def _reader(self) -> "S3Client":
        return self._client(attempts=_READ_ATTEMPTS)

    @property
    def _writer(self) -> "S3Client":
        return self._client(attempts=1)

    def _client(self, *, attempts: int) -> "S3Client":
        """The client that asks so many times at most. Its making is not safe between threads, its use is (boto3 guide,
        Low-level clients, Multithreading or multiprocessing with clients).
        """
        with self._making:
            if attempts not in self._clients:
                self._clients[attempts] = _connect(attempts=attempts)
            return self._clients[attempts]

    @contextmanager
    def _failures(self, *, writing: bool = False, absent: frozenset[str] = _ABSENT) -> Iterator[None]:
        """Say in our errors what boto3 says in its own."""
        from botocore import exceptions as boto
        from botocore.parsers import ResponseParserError

        try:
            yield
        except boto.ClientError as error:
            raise self._judge(error.response, writing=writing, absent=absent) from None
        except (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError) as error:
            raise RegistryError(
                f"the registry cannot be reached: {_named(error)}",
                where=self.root,
                then="check the network and AWS_ENDPOINT_URL, then run the same again",
            ) from None
        except (boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError) as error:
            kind = OutcomeUnknown if writing else RegistryError
            raise kind(
                f"no answer from the registry: {_named(error)}", where=self.root, then="run the same again"
            ) from None
        # botocore's credentials raise a RuntimeError when they have run out and what renews them brings no better ones.
        except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.TokenRetrievalError, RuntimeError) as error:
            raise RegistryError(
                f"no AWS credentials: {error}",
                where=self.root,
                then="export AWS_PROFILE (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or give CI its role",
            ) from None
        except boto.BotoCoreError as error:
            raise self._refused(str(error)) from None
        except (ResponseParserError, KeyError, ValueError) as error:
            raise self._refused(_named(error)) from None

    def _refused(self, reason: str) -> RegistryError:
        return RegistryError(
            f"the AWS SDK refuses: {reason}", where=self.root, then="correct the bucket's name or the AWS settings"
        )

    def _judge(self, response: Any, *, writing: bool, absent: frozenset[str]) -> Exception:  # noqa: ANN401  # botocore's mapping
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in absent or (writing and code in _TAKEN):
            return _DeclinedError(code)
        if writing and (code == "ConditionalRequestConflict" or status >= _SERVER_FAULT):
            return OutcomeUnknown(f"the registry answered {code}", where=self.root, then="run the same again")
        return RegistryError(
            f"the registry answered {code}: {response.get('Error', {}).get('Message', '')}",
            where=self.root,
            then=_THEN.get(code, "check the bucket, the region and the role, then run the same again"),
        )


def _named(error: Exception) -> str:
    """What happened and where, without the header or the URL that botocore quotes: a secret may stand in them."""
    told: dict[str, Any] = getattr(error, "kwargs", {})
    where = urlsplit(str(told.get("endpoint_url", ""))).netloc.rpartition("@")[2]
    name = type(told.get("error") or error).__name__
    return f"{name} at {where}" if where else name


def _age(answer: Any, written: datetime) -> float:  # noqa: ANN401  # any of botocore's answers
    """Seconds between two times of the server; ours may be wrong."""
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return max(0.0, (now - written).total_seconds())


def _connect(*, attempts: int) -> "S3Client":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_AT_ONCE,
    )
    return boto3.Session().client("s3", config=config)
