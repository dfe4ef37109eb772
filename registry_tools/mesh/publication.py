"""One record of the log and what it makes current: who published which files, when, from which commit."""

from datetime import datetime
from typing import Final, Literal

import msgspec

from registry_tools.mesh.interface import Value

FORMAT: Final = 1

Operation = Literal["publish", "rollback", "yank", "approve", "expire"]


class Actor(Value, frozen=True, omit_defaults=True):
    """Who published, as CI or git tells it. No person's name, e-mail address or path has a field here."""

    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    run: str | None = None

    def __str__(self) -> str:
        told = [self.repository, self.ref, self.commit and self.commit[:12]]
        return " ".join(part for part in told if part) or "an unnamed publisher"


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
    newest record alone answers every read. `expired` are those that this record gives up.
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
