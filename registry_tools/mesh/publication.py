"""One record of the log and what it makes current: who published which files, when, from which commit."""

from typing import Final, Literal

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


class Record(Value, frozen=True):
    """Record n of the log of one (project, environment). It is created once and never changed.

    `current` names the publication that readers get after this record and `files` are its files, so that the newest
    record alone answers every read.
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
