"""What Snowflake's connector raises in, our error with Snowflake's own words and the next thing to type out.

Nothing secret comes along: of a failed login the parameters are never told, and of a key neither text nor passphrase.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from registry_tools.errors import AccountError, AnswerLost

_OUT_OF_REACH: Final = frozenset({250001, 250003, 250005, 251012, 290403, 290404})
# `002003 (42S02): 01ab2c3d-0000-1234-0000-000000000000: `, which stands in details of ours.
_NUMBERS: Final = re.compile(r"^[0-9]{6}(?: \([0-9A-Z]{5}\))?: (?:[0-9a-f-]{36}: )?")
_REMEDIES: Final[tuple[tuple[str, str], ...]] = (
    (
        r"Incorrect password, could not decrypt|Password was given but private key is not",
        "export SNOWFLAKE_PRIVATE_KEY_PASSPHRASE with the passphrase that the key was made with",
    ),
    (r"Password was not given but private key", "export SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
    (r"PEM|deserialize|MalformedFraming|key data", "snowflake_setup/setup_keypair_auth.sh makes a key that fits"),
    (
        r"JWT token is invalid",
        "snowflake_setup/setup_keypair_auth.sh check --user NAME, and see that this machine's clock is right",
    ),
    (r"Incorrect username or password", "see SNOWFLAKE_USER and SNOWFLAKE_ACCOUNT"),
    (r"(?:token|session).*expired|no longer exists|must authenticate again", "log in once more: run it again"),
    (r"WORKLOAD_IDENTITY requires a recognized Snowflake host", "unset SNOWFLAKE_HOST"),
    (
        r"WORKLOAD_IDENTITY|workload identity|AWS credentials|AWS region",
        "run it where the AWS role is: in the workflow",
    ),
    (
        r"Role '.*' specified in the connect string|role requested|is not granted to this user",
        "use a role that the user has: export SNOWFLAKE_ROLE=NAME",
    ),
    (r"IP.*is not allowed to access Snowflake", "ask for this address in the network policy, or run it in CI"),
    (
        r"Insufficient privileges",
        "run it as a user with the role that the file names, or ask such a one; mesh snowflake check says who can what",
    ),
    (
        r"does not exist or not authorized",
        "mesh snowflake plan says whether it is there; if it is, the role may not see it",
    ),
    (r"Actual statement count", "send one statement at a time"),
)


def login_refused(error: BaseException, parameters: Mapping[str, Any]) -> AccountError:
    """The error of a login that failed. `parameters` are the connector's; what is secret in them is left out."""
    account = str(parameters.get("account", ""))
    place = str(parameters.get("host") or account)
    said = _said(error, _secrets(parameters))
    if _number(error) in _OUT_OF_REACH and not _remedy(said):
        then = f"see that {account or 'the account'} is spelled as organization-account, and that this machine gets out"
        return AccountError("Snowflake does not answer", where=place, details=[said], then=then)
    then = _remedy(said) or "see SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and how it proves who it is"
    return AccountError(f"Snowflake lets nobody in: {said}", where=place, then=then)


def statement_refused(error: BaseException, statement: str, place: str, hidden: Iterable[str] = ()) -> AccountError:
    """The error of a statement that was declined, or AnswerLost where nobody knows whether it was carried out."""
    said = _said(error, hidden)
    details = [f"in {_head(statement)}"]
    if query := getattr(error, "sfqid", None):
        details.append(f"query {query}")
    if not _was_answered(error):
        return AnswerLost(
            f"no answer came, so nobody knows whether it was carried out: {said}",
            where=place,
            details=details,
            then="mesh snowflake plan, which says what is still to be done",
        )
    then = _remedy(said) or "see the statement; what was done before it stands"
    return AccountError(f"Snowflake declined: {said}", where=place, details=details, then=then)


def _was_answered(error: BaseException) -> bool:
    """Whether Snowflake itself said no. Its own answers have numbers up to 6 digits that the connector has not."""
    from snowflake.connector import errors

    number = _number(error)
    if isinstance(error, errors.OperationalError | errors.InterfaceError):
        return number not in _OUT_OF_REACH and number is not None and bool(getattr(error, "sfqid", None))
    return isinstance(error, errors.DatabaseError)


def _number(error: BaseException) -> int | None:
    number = getattr(error, "errno", None)
    return number if isinstance(number, int) else None


def _said(error: BaseException, hidden: Iterable[str]) -> str:
    """The connector's message without numbers before it and without these texts, on one line."""
    raw = getattr(error, "raw_msg", None) or str(error) or type(error).__name__
    return " ".join(_NUMBERS.sub("", _without(str(raw), hidden)).split())


def _remedy(said: str) -> str | None:
    return next((then for pattern, then in _REMEDIES if re.search(pattern, said, re.IGNORECASE)), None)


def _secrets(parameters: Mapping[str, Any]) -> list[str]:
    hiding = ("password", "passcode", "token", "pwd", "secret")
    return [str(value) for key, value in parameters.items() if any(word in key for word in hiding)]


def _without(said: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        said = said.replace(secret, "***") if secret else said
    return said


def _head(statement: str) -> str:
    """The beginning of a statement, by which people find it; texts in it may be secret, keys among them."""
    line = re.sub(r"'(?:[^'\\]|\\.|'')*'", "'...'", " ".join(statement.split()))
    return line if len(line) <= 120 else f"{line[:117]}..."  # noqa: PLR2004  # what a terminal shows
