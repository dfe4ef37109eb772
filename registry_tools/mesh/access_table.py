"""Who can do what in which database, and where an account is not as the files say: rows for people to read."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessRow:
    """What a role can do in one database, and what for; `foreseen` is whether mesh.yml knows of it."""

    role: str
    database: str
    permissions: str
    purpose: str
    foreseen: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One difference between an account and the files: its kind, a sentence, and the statement that ends it."""

    kind: str
    says: str
    mend: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The access matrix of an account, and all in which it is not as the files say. Where no account was `found`, it is
    the matrix that the files make.
    """

    rows: tuple[AccessRow, ...]
    differences: tuple[Difference, ...] = ()
    found: bool = True
