"""The bytes of records in, whether each may follow the one before it out: the log's rules, told without the product."""

from dataclasses import dataclass
from typing import Any, Final

from tests.registry import ENVIRONMENT, PROJECT

_HISTORY: Final = (f"{PROJECT}/{ENVIRONMENT}/history/", f"_private/{PROJECT}/{ENVIRONMENT}/")
_CHECKED: Final = ("publish", "rollback")


class Violation(AssertionError):
    """The product broke a promise."""


def expect(promise: bool, message: str, *about: object) -> None:  # noqa: FBT001  # reads as a sentence
    """Raise Violation where `promise` does not hold."""
    if not promise:
        raise Violation(message.format(*about))


@dataclass(frozen=True, slots=True)
class Committed:
    """A record as it stands in the bucket."""

    n: int
    sha256: str
    fields: dict[str, Any]

    @property
    def op(self) -> str:
        """What was done."""
        return str(self.fields["op"])

    @property
    def current(self) -> str:
        """The publication that readers get."""
        return str(self.fields["current"])

    @property
    def made(self) -> int:
        """The record since which they get it."""
        return int(self.fields.get("since") or self.n)

    @property
    def yanked(self) -> dict[str, str]:
        """What was withdrawn, and why."""
        return dict(self.fields.get("yanked", {}))

    @property
    def expired(self) -> list[str]:
        """What this record gives up."""
        return list(self.fields.get("expired", []))


def expect_follows(before: Committed | None, record: Committed, checked: int) -> None:
    """Raise Violation where a record does not follow from the one before it, or was checked against another."""
    n, name = record.n, record.current
    expect(record.fields["previous"] == (before.sha256 if before else None), "record {} names no predecessor", n)
    if record.op in _CHECKED:
        expect(name == record.fields["publication"], "record {} is about {} and not current", n, name)
        expect(checked == n - 1, "record {} was checked against {}", n, checked)
        expect(record.made == n, "record {} changes nothing", n)
    expect(name not in record.yanked, "record {} leads readers to {}, which is withdrawn", n, name)
    if before is None:
        return
    kept = {name: reason for name, reason in before.yanked.items() if name not in record.expired}
    expect(kept.items() <= record.yanked.items(), "record {} forgets what was withdrawn", n)
    expect(
        before.fields.get("approvals", []) == record.fields.get("approvals", [])[: _number(before)], "approvals {}", n
    )
    horizons = (before.fields.get("horizon") or "", record.fields.get("horizon") or "")
    expect(horizons[0] <= horizons[1], "record {} keeps what was given up", n)
    expect(name not in record.expired, "record {} gives up {}, which is current", n, name)
    if record.made != n:
        unchanged = (before.current, before.made, before.fields["files"]) == (name, record.made, record.fields["files"])
        expect(unchanged, "record {} changes what it says not to change", n)


def file_key(publication: str, file: str) -> str:
    """Where a file of a publication stands."""
    if file.startswith("state"):
        return f"{_HISTORY[1]}{publication}.json.zst"
    return f"{_HISTORY[0]}{publication}/{file}"


def publication_of(key: str) -> str | None:
    """The publication whose file this is."""
    home = next((prefix for prefix in _HISTORY if key.startswith(prefix)), None)
    return None if home is None else key[len(home) :].partition("/")[0].removesuffix(".json.zst")


def _number(record: Committed) -> int:
    return len(record.fields.get("approvals", []))
