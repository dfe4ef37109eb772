"""What S3, a proxy or the network answered in, our errors out: the same whichever door the request went through."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from registry_tools.errors import Forbidden, IntegrityError, OutcomeUnknown, RegistryError
from registry_tools.registry.objects import too_large

_CREDENTIALS: Final = "export valid AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
_RIGHTS: Final = "give the role s3:GetObject, s3:ListBucket and, to publish, s3:PutObject on this prefix"
_RENEW: Final = "log in again: aws sso login, or renew the CI job's role session"
_REGION: Final = "set AWS_REGION, or region below registry in mesh.yml, to the region of the bucket"
_KEY: Final = (
    "check kms_key below registry in mesh.yml, and that the role may use it (kms:GenerateDataKey, kms:Decrypt)"
)
# Nobody needs more rights for what can be asked of one project after the other.
_ALL_PROJECTS: Final = (
    "name a project, as in dbt_up@prod: its own role sees that one; "
    "all of them are listed by the roles for pull requests and for collecting garbage"
)
_OUTRIGHT_THEN: Final = (
    "ask who set up the bucket: a policy denies it, whatever the role is given; is it the encryption, take kms_key and "
    "sse out of mesh.yml, and the bucket's own is used"
)
_DOCTOR: Final = (
    "run mesh doctor: it tries whether this store takes conditional writes (If-None-Match, If-Match), "
    "without which two publishers would overwrite each other"
)
_THEN: Final = {
    "NoSuchBucket": "create the bucket, or correct --bucket / DBT_MESH_REGISTRY / registry in mesh.yml",
    "AccessDenied": _RIGHTS,
    "403": _RIGHTS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": "export valid AWS credentials; a wrong AWS_SECRET_ACCESS_KEY gives this answer",
    "RequestTimeTooSkewed": "set this machine's clock: AWS takes requests that are at most 15 minutes off",
    "ExpiredToken": _RENEW,
    "InvalidToken": _RENEW,
    "TokenRefreshRequired": _RENEW,
    "SlowDown": "wait a minute, then run the same again",
    "NotImplemented": _DOCTOR,
}
WRONG_REGION: Final = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
        "TemporaryRedirect",
        "Redirect",
        *("301", "302", "307", "308"),
    }
)
_FORBIDDEN: Final = "AccessDenied"
# IAM, Troubleshoot access denied error messages: the action that is missing, and whether a policy denies it outright.
_MISSING_RIGHT: Final = re.compile(r"not authorized to perform: ([a-z0-9]+:[A-Za-z]+)")
_OUTRIGHT: Final = "explicit deny"
_PASSING_STATUS: Final = frozenset({429, 500, 502, 503, 504})
_PASSING: Final = frozenset(
    {"InternalError", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable", "SlowDown", "Throttling"}
)
_CONFLICT: Final = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_TAKEN: Final = frozenset({"PreconditionFailed", "412"})
# What stores answer to a header that they do not know; S3 itself words other faults this way too.
_PERHAPS_UNCONDITIONAL: Final = frozenset({"400", "InvalidArgument", "InvalidRequest"})
_NOT_IMPLEMENTED: Final = 501
_SERVER_FAULT: Final = 500
_LONGEST_MESSAGE: Final = 400
# A server may send back what it was sent: a signature is 64 hex digits, a session token is longer than any word.
_PERHAPS_SECRET: Final = re.compile(r"\b[0-9A-Fa-f]{64}\b|[\w/+=%]{100,}")


class DeclinedError(Exception):
    """The store's plain no: the key is absent, or the condition does not hold."""


class PassingError(Exception):
    """A read met a fault that may be over when it is sent again; `error` is what to say when it is not."""

    def __init__(self, error: RegistryError) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """An answer that is not a success. `code` is the status where the body names none."""

    status: int
    code: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Our errors about the registry at `root` in `bucket`; keys are whole ones."""

    bucket: str
    root: str

    def to_read(self, answer: Refused, key: str = "") -> Exception:
        """What a refused GET of `key`, or LIST of this prefix, means. That a key is absent is S3's word alone: a 404 of
        a proxy is no empty registry.
        """
        if answer.code == "NoSuchKey":
            return DeclinedError(answer.code)
        if answer.code == _FORBIDDEN:
            place = self._place(key)
            then = _ALL_PROJECTS if place.rstrip("/") == self.root else self._advice(answer)
            return Forbidden(self._told(answer), where=place, then=then)
        error = self._refusal(answer, self._advice(answer))
        passing = answer.status in _PASSING_STATUS or answer.code in _PASSING
        return PassingError(error) if passing else error

    def to_write(self, answer: Refused, expected: frozenset[str] = frozenset(), key: str = "") -> Exception:
        """What a refused PUT or DELETE of `key` means: declined, refused, or unknown, and then the caller has to look.
        What the caller has `expected` is declined too.
        """
        if answer.code == "NoSuchKey" or answer.code in _TAKEN | expected:
            return DeclinedError(answer.code)
        if answer.status == _NOT_IMPLEMENTED or answer.code in _PERHAPS_UNCONDITIONAL:
            return self._refusal(answer, _DOCTOR)
        passing = answer.status in _PASSING_STATUS or answer.status >= _SERVER_FAULT or answer.code in _PASSING
        if passing or answer.code in _CONFLICT:
            return OutcomeUnknown(f"the registry answered {answer.code}", where=self.root, then="run the same again")
        if answer.code == _FORBIDDEN:
            return RegistryError(self._told(answer), where=self._place(key), then=self._advice(answer))
        return self._refusal(answer, self._advice(answer))

    def unreachable(self, what: str) -> RegistryError:
        """Nothing was sent."""
        then = "check the network and AWS_ENDPOINT_URL, then run the same again"
        return RegistryError(f"the registry cannot be reached: {what}", where=self.root, then=then)

    def unanswered(self, what: str) -> RegistryError:
        """A read was sent, and no whole answer came."""
        return RegistryError(f"no answer from the registry: {what}", where=self.root, then="run the same again")

    def unknown(self, what: str) -> OutcomeUnknown:
        """A write was sent, and no whole answer came."""
        return OutcomeUnknown(f"no answer from the registry: {what}", where=self.root, then="run the same again")

    def untrusted(self, what: str) -> RegistryError:
        """TLS failed: nothing was sent."""
        then = "set AWS_CA_BUNDLE to the file with your company's certificates, or correct AWS_ENDPOINT_URL"
        return RegistryError(f"the registry's certificate is not trusted: {what}", where=self.root, then=then)

    def without_credentials(self, what: str) -> RegistryError:
        """Nobody to sign as."""
        then = "export AWS_PROFILE (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or give CI its role"
        return RegistryError(f"no AWS credentials: {what}", where=self.root, then=then)

    def unsendable(self, what: str) -> RegistryError:
        """The SDK will not send such a request."""
        then = "correct the bucket's name or the AWS settings"
        return RegistryError(f"the AWS SDK refuses: {what}", where=self.root, then=then)

    def no_s3(self, what: str) -> RegistryError:
        """A success that S3 would not have worded like this: a captive portal, a proxy, another service."""
        then = "check AWS_ENDPOINT_URL and the network: a proxy or a log-in page may have answered"
        return RegistryError(f"the answer is not S3's: {what}", where=self.root, then=then)

    def damaged(self, key: str) -> IntegrityError:
        """The bytes that came are not those that S3's checksum is of."""
        then = "run the same again; if it happens again, publish the project again"
        return IntegrityError("its bytes do not have their checksum", where=self._place(key), then=then)

    def too_large(self, key: str, limit: int) -> IntegrityError:
        """See objects.too_large."""
        return too_large(self._place(key), limit)

    def _place(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}" if key else self.root

    def _advice(self, answer: Refused) -> str:
        if answer.code in WRONG_REGION:
            return _REGION
        missing = _MISSING_RIGHT.search(answer.message)
        if answer.code.startswith("KMS.") or (missing and missing[1].startswith("kms:")):
            return _KEY
        if answer.code == _FORBIDDEN and _OUTRIGHT in answer.message:
            return _OUTRIGHT_THEN
        if answer.code == _FORBIDDEN and missing:
            return f"do it as the role that it is for, or give this one {missing[1]} on it"
        return _THEN.get(answer.code, "check the bucket, the region and the role, then run the same again")

    def _refusal(self, answer: Refused, then: str) -> RegistryError:
        return RegistryError(self._told(answer), where=self.root, then=then)

    def _told(self, answer: Refused) -> str:
        return f"the registry answered {_shown(answer.code)}: {_shown(answer.message)}".rstrip(": ")


def _shown(text: str) -> str:
    """A server's words, fit for a terminal and a log: one line, not too long, nothing that was sent to it."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _PERHAPS_SECRET.sub("...", line)[:_LONGEST_MESSAGE]


def refused(response: Any) -> Refused:  # noqa: ANN401  # botocore's mapping
    """The same answer as botocore has read it."""
    error = response.get("Error", {})
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return Refused(status=status, code=str(error.get("Code", "")), message=str(error.get("Message", "")))


def named(error: Exception) -> str:
    """What happened and where, without the header or the URL that botocore quotes: a secret may stand in them."""
    told: dict[str, Any] = getattr(error, "kwargs", {})
    where = urlsplit(str(told.get("endpoint_url", ""))).netloc.rpartition("@")[2]
    name = type(told.get("error") or error).__name__
    return f"{name} at {where}" if where else name
