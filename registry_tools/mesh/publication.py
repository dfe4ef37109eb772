"""One record of the log and what it makes current: who published which files, when, from which commit."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from registry_tools.mesh.public_model import Value

FORMAT: Final = 1

Operation = Literal["publish", "rollback", "yank", "approve", "expire"]


# What each fact of an actor may look like, and how long it may be. Nothing else is published or shown, so that a
# variable which holds a token, an address, a host or a terminal's commands is left out as a whole and never cut to fit.
_SEGMENT: Final = r"\.?[\w-][\w.-]*"
_FACTS: Final[Mapping[str, tuple[re.Pattern[str], int]]] = {
    name: (re.compile(pattern, re.ASCII), longest)
    for name, pattern, longest in (
        ("system", r"[a-z]+", 20),
        ("repository", rf"{_SEGMENT}(?:/{_SEGMENT})+", 200),
        ("ref", r"\w[\w#+-]*(?:[./]\w[\w#+-]*)*", 200),
        ("commit", r"[0-9a-f]{40}(?:[0-9a-f]{24})?", 64),
        ("run", r"[0-9]+", 20),
        ("pipeline", rf"{_SEGMENT}(?:(?:: |[ /:]){_SEGMENT})*(?:@refs(?:/\w[\w.+-]*)+)?", 300),
        ("account", r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\[bot\])?", 44),  # as GitHub has them
    )
}


class Actor(Value, frozen=True, omit_defaults=True):
    """Who published, as CI or git tells it: a claim for people to read, which no check relies on.

    `pipeline` is the workflow, pipeline or job by its name, `account` the handle under which the CI system runs it.
    No person's name, e-mail address, path or host has a field here.
    """

    system: str | None = None
    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    run: str | None = None
    pipeline: str | None = None
    account: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, str | None]) -> "Actor":
        """The actor of these facts, each one left out that is not what such a fact looks like."""
        return cls(**{name: text for name, text in told.items() if _fits(name, text)})

    def __str__(self) -> str:
        """One line that is safe on a terminal, also when somebody else wrote the record."""
        known = Actor.of({name: getattr(self, name) for name in _FACTS})
        job = [known.system, known.pipeline, known.run] if known.run and not known.repository else []
        told = [*job, known.repository, known.ref, known.commit and known.commit[:12]]
        return " ".join(part for part in told if part) or "an unnamed publisher"


def _fits(name: str, text: str | None) -> bool:
    pattern, longest = _FACTS[name]
    return bool(text) and len(text or "") <= longest and pattern.fullmatch(text or "") is not None


class StoredFile(Value, frozen=True):
    """One file of a publication: what its bytes must be, so that every read can be checked."""

    size: int
    sha256: str


class Approval(Value, frozen=True, omit_defaults=True):
    """A change that was allowed although a rule forbids it: `rule` on `object`, until a day, and why."""

    rule: str
    object: str
    until: str
    reason: str


class Record(Value, frozen=True, omit_defaults=True):
    """Record n of the log of one (project, environment). It is created once and never changed.

    `publication` is what the record is about. `current` names the publication that readers get after it, `since` the
    record that made it so (this one, where it is None) and `files` are its files; `yanked` and `approvals` hold from
    here on, and publications up to the id `horizon` are no longer kept but for those that readers still get. So the
    newest record alone answers every read. `expired` are those that this record gives up. `nonce` is drawn for each
    attempt to append, so that no two of them write the same bytes.
    """

    format: int
    n: int
    previous: str | None
    op: Operation
    publication: str
    actor: Actor
    time: str
    current: str
    digest: str
    files: dict[str, StoredFile]
    since: int | None = None
    reason: str | None = None
    yanked: dict[str, str] = msgspec.field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    expired: tuple[str, ...] = ()
    horizon: str | None = None
    nonce: str = ""

    @property
    def made_current(self) -> int:
        """The number of the record since which readers get what they get: `dbt_up@prod#42`."""
        return self.since or self.n

    @property
    def moment(self) -> datetime:
        """When it was written, by the writer's clock. Raises ValueError when that is no time with a zone."""
        moment = datetime.fromisoformat(self.time)
        if moment.tzinfo is None:
            raise ValueError(f"{self.time!r} has no zone")
        return moment

    def publication_in(self, project: str, environment: str) -> "Publication":
        """What readers of this project and environment get after the record."""
        return Publication(
            project=project,
            environment=environment,
            id=self.current,
            n=self.made_current,
            digest=self.digest,
            published_at=self.time,
            actor=self.actor,
        )


class Publication(Value, frozen=True):
    """An interface once published, as a reader meets it."""

    project: str
    environment: str
    id: str
    n: int
    digest: str
    published_at: str
    actor: Actor = Actor()

    def __str__(self) -> str:
        return f"{self.project}@{self.environment}#{self.n}"
