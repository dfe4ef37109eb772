"""An account in, who can do what in it out: one answer, or all of them as the rows of a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from registry_tools.checks.access.kinds import RELATIONS, container_of
from registry_tools.checks.access.standing import MANAGE_GRANTS, Standing, exists, standing
from registry_tools.mesh.account import ACCOUNT, Account, Securable

_WRITING: Final = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Access:
    """What somebody can do in one database: a row of the access matrix. Names are held as the account stores them.

    `builds` are the schemas in which they can create relations; with `opens` they can create schemas besides.
    `reads` are the relations from which they can select, `writes` those that they can change. With `reads_more` they
    can also read relations that are still to come, without anybody granting it. With `rules` they can grant all of it
    to whomever they like.
    """

    who: Securable
    database: str
    opens: bool = False
    builds: tuple[str, ...] = ()
    reads: tuple[Securable, ...] = ()
    writes: tuple[Securable, ...] = ()
    reads_more: bool = False
    rules: bool = False

    @property
    def says(self) -> str:
        """The same in words: `Full (CREATE, SELECT, INSERT, UPDATE, DELETE)` or `Read-only (SELECT), 3 relations`."""
        parts = []
        others = [relation for relation in self.reads if relation.name[1] not in self.builds]
        if self.builds:
            parts.append(f"Full (CREATE, SELECT, INSERT, UPDATE, DELETE) in {', '.join(self.builds)}")
        if self.opens:
            parts.append("own schemas (CREATE SCHEMA)")
        if others or self.reads_more:
            counted = f"{len(others)} relation{'' if len(others) == 1 else 's'}"
            parts.append(f"Read-only (SELECT), {counted}{' and all that come' if self.reads_more else ''}")
        if changed := [relation for relation in self.writes if relation.name[1] not in self.builds]:
            parts.append(f"writes {len(changed)} of them")
        if self.rules:
            parts.append("grants what it likes to whom it likes (MANAGE GRANTS)")
        return "; ".join(parts) or "sees the database, reads nothing"


def may(account: Account, who: Securable, privilege: str, on: Securable) -> bool:
    """Whether this role, database role, user or share has the privilege on something that there is, of its own, by
    ownership or through a role that it has, and reaches it.
    """
    return exists(account, on) and standing(account, who).may(privilege, on)


def matrix(account: Account, who: Iterable[Securable] | None = None) -> tuple[Access, ...]:
    """A row for each of them (or for every role that is not the system's) and each database that they see or have in
    their hands, sorted.
    """
    asked = who if who is not None else (thing for thing in account.objects if thing.kind == "ROLE")
    databases = sorted(thing for thing in account.objects if thing.kind == "DATABASE")
    return tuple(
        _access(one, found, database)
        for one, found in ((one, standing(account, one)) for one in sorted(asked))
        for database in databases
        if found.reaches_into(database) or found.may(MANAGE_GRANTS, ACCOUNT)
    )


def _access(who: Securable, found: Standing, database: Securable) -> Access:
    inside = sorted(thing for thing in found.account.objects if thing.is_within(database))
    # what is read may be of a kind that the model does not know, or that SHOW calls otherwise than its grants
    selected = {on for privilege, on in found.grants if privilege == "SELECT" and on.is_within(database)}
    relations = sorted({thing for thing in inside if thing.kind in RELATIONS} | selected)
    return Access(
        who=who,
        database=database.name[0],
        opens=found.may("CREATE SCHEMA", database),
        builds=tuple(
            thing.name[1]
            for thing in inside
            if thing.kind == "SCHEMA" and any(found.may(f"CREATE {kind}", thing) for kind in RELATIONS)
        ),
        reads=tuple(relation for relation in relations if found.may("SELECT", relation)),
        writes=tuple(r for r in relations if any(found.may(privilege, r) for privilege in _WRITING)),
        reads_more=any(
            future.privilege == "SELECT" and future.to in found.roles
            for future in found.account.future
            if _holds(future.within, database) and future.kind in RELATIONS
        ),
        rules=found.may(MANAGE_GRANTS, ACCOUNT),
    )


def _holds(within: Securable, database: Securable) -> bool:
    """Whether what comes to the one comes to the other: it is the database, a schema of it, or the account."""
    return within == ACCOUNT or database in (within, container_of(within))
