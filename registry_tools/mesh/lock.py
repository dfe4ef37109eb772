"""mesh.lock: which publication of each upstream a project was last synchronised with."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from registry_tools.errors import UsageError
from registry_tools.mesh import names

VERSION: Final = 1
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One upstream as it was read: its environment, its publication, the number and the sha256 of the record that made
    it current, and the interface's digest.
    """

    environment: str
    publication: str
    n: int
    record: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The pins of one consumer, by upstream."""

    pins: dict[str, Pin] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The document as it stands in the file, upstreams in the order of their names."""
        upstreams = {
            upstream: {
                "environment": pin.environment,
                "publication": pin.publication,
                "n": pin.n,
                "record": f"sha256:{pin.record}",
                "digest": f"sha256:{pin.digest}",
            }
            for upstream, pin in sorted(self.pins.items())
        }
        return {"version": VERSION, "upstreams": upstreams}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "Lock":
        """The lock that `to_dict` wrote. Raises UsageError naming the key that is wrong."""
        version = document.get("version")
        if version is True or version != VERSION:
            raise UsageError(f"version {version!r} is not known here", then="update registry-tools, then mesh sync")
        upstreams = document.get("upstreams")
        if not isinstance(upstreams, dict):
            raise _wrong("upstreams")
        return cls(pins={names.project_name(str(name)): _pin(str(name), entry) for name, entry in upstreams.items()})


def _pin(name: str, entry: Any) -> Pin:  # noqa: ANN401  # what a person may have written
    match entry:
        case {"environment": str(environment), "publication": str(publication), "n": int(n), **rest} if (
            n is not True and n > 0
        ):
            where = f"upstreams.{name}"
            return Pin(
                environment=names.environment_name(environment, where=where),
                publication=names.publication_id(publication, where=where),
                n=n,
                record=_digest(rest.get("record"), where),
                digest=_digest(rest.get("digest"), where),
            )
        case _:
            raise _wrong(f"upstreams.{name}")


def _digest(text: Any, where: str) -> str:  # noqa: ANN401  # what a person may have written
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise _wrong(where)
    return text.removeprefix("sha256:")


def _wrong(place: str) -> UsageError:
    return UsageError(f"'{place}' is not what mesh sync writes", then="delete mesh.lock and run mesh sync")
