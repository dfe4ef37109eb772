"""`dbt_up@prod`, `dbt_up@prod#42`, `dbt_up@prod!sha256:...` or `dbt_up@prod@2026-11-01` in, what it selects out."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from registry_tools.errors import UsageError
from registry_tools.mesh import names

FORMS: Final = "PROJECT@ENV, PROJECT@ENV#42, PROJECT@ENV!sha256:..., PROJECT@ENV!PUBLICATION or PROJECT@ENV@2026-11-01"
_SHAPE: Final = re.compile(r"(?P<project>[^@#!]+)@(?P<environment>[^@#!]+)(?:(?P<sign>[@#!])(?P<rest>.+))?", re.DOTALL)
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{12,64})")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,11}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Selector:
    """A project's environment, and of its publications the current one, or the one with this number, digest (its first
    twelve hexadecimal digits or more), id, or that was current at this moment.
    """

    project: str
    environment: str
    n: int | None = None
    digest: str | None = None
    publication: str | None = None
    moment: datetime | None = None

    def __str__(self) -> str:
        base = f"{self.project}@{self.environment}"
        if self.n is not None:
            return f"{base}#{self.n}"
        if self.digest is not None:
            return f"{base}!sha256:{self.digest}"
        if self.publication is not None:
            return f"{base}!{self.publication}"
        return f"{base}@{self.moment.isoformat()}" if self.moment else base

    @property
    def is_current(self) -> bool:
        """Whether whatever is current is meant."""
        return self == Selector(project=self.project, environment=self.environment)


def parse_selector(text: str, environment: str | None = None) -> Selector:
    """What `text` selects; a project alone is meant in `environment`. Raises UsageError saying how it is written."""
    if environment is not None and re.fullmatch(r"\w+", text):
        text = f"{text}@{environment}"
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise _wrong(text)
    project = names.project_name(shape["project"], where=text)
    selected = names.environment_name(shape["environment"], where=text)
    rest = shape["rest"]
    if shape["sign"] == "#" and _NUMBER.fullmatch(rest):
        return Selector(project=project, environment=selected, n=int(rest))
    if shape["sign"] == "!" and (digest := _DIGEST.fullmatch(rest)):
        return Selector(project=project, environment=selected, digest=digest[1])
    if shape["sign"] == "!":
        return Selector(project=project, environment=selected, publication=names.publication_id(rest, where=text))
    if shape["sign"] == "@":
        return Selector(project=project, environment=selected, moment=_moment(rest, text))
    if shape["sign"]:
        raise _wrong(text)
    return Selector(project=project, environment=selected)


def _moment(rest: str, text: str) -> datetime:
    """A time, in UTC where it names no zone; a day means its end."""
    try:
        moment = datetime.fromisoformat(rest)
        if _is_day(rest):
            moment += timedelta(days=1, microseconds=-1)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(text) from None


def _is_day(rest: str) -> bool:
    """Whether it names a day and no time, in any form that ISO 8601 has: 2026-11-01, 20261101, 2026-W44-7."""
    try:
        return bool(date.fromisoformat(rest))
    except ValueError:
        return False


def _wrong(text: str) -> UsageError:
    shown = text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004  # one line of a terminal
    return UsageError(f"{shown!r} selects nothing", then=f"write {FORMS}")
