"""What went wrong, where, and the next thing to type: one tree of errors, each with the exit code it ends in.

MeshError
├── UsageError          2   asked for something that does not exist or does not fit
├── DocumentError       2   a file is missing, unreadable, or not what it should be
├── Refusal             1   understood, and declined: publishing this would be wrong
├── AccountError        3   the Snowflake account could not be reached, or declined a statement
│   └── AnswerLost          a statement was sent and no answer came: it may or may not have been carried out
├── WebhookError        3   a webhook could not be reached, so that nobody was told
├── EmbeddedMeshError   3   the local Snowflake or the local S3 did not do its part
└── RegistryError       3   the registry could not be reached, or does not answer as it should
    ├── Forbidden           this role may not read it, or S3 does not say whether it is there
    ├── OutcomeUnknown      a write was sent and no answer came: it may or may not have happened
    └── IntegrityError      what the registry holds is not what its own log says
"""

from collections.abc import Iterable
from typing import ClassVar


class MeshError(Exception):
    """Something that a person has to act on. `where` names the file, key or place; `then` is what to type next."""

    exit_code: ClassVar[int] = 2

    def __init__(self, what: str, *, then: str, where: str | None = None, details: Iterable[str] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.details = tuple(details)
        self.then = then

    @property
    def lines(self) -> tuple[str, ...]:
        """What happened and where, the details, and what to type next. A line end inside of one is not ours."""
        what = f"{self.where}: {self.what}" if self.where else self.what
        return (what, *(f"  {line}" for line in self.details), f"  next: {self.then}")

    def __str__(self) -> str:
        return "\n".join(self.lines)


class UsageError(MeshError):
    """A flag, a name or a setting asks for something that does not exist or does not fit."""


class DocumentError(MeshError):
    """A file is missing, unreadable, or not the document that it should be."""


class Refusal(MeshError):
    """The request was understood and declined, because carrying it out would hurt somebody."""

    exit_code = 1


class AccountError(MeshError):
    """The Snowflake account could not be reached, or declined a statement."""

    exit_code = 3


class AnswerLost(AccountError):
    """A statement was sent to the Snowflake account and no answer came: whoever sent it must look before going on."""


class WebhookError(MeshError):
    """A webhook could not be reached, or did not take the message, however often it was sent."""

    exit_code = 3


class EmbeddedMeshError(MeshError):
    """The local Snowflake or the local S3 could not be started, reached or stopped."""

    exit_code = 3


class RegistryError(MeshError):
    """The registry could not be reached, or refused, or did not answer as a registry does."""

    exit_code = 3


class Forbidden(RegistryError):
    """S3 was reached and lets this role not read the key, which may also mean that the key is absent."""


class OutcomeUnknown(RegistryError):
    """A conditional write got no answer (409, 5xx, time-out): whoever sent it must look before sending again."""


class IntegrityError(RegistryError):
    """Bytes in the registry differ from the digest, the number or the chain that the log promises."""
