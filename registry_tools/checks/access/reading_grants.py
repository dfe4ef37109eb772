"""What follows GRANT or REVOKE in, the privileges, the owner or the member that are meant out."""

from typing import Literal

from registry_tools.checks.access.actions import Action, Many, Member, Ownership, Privileges, Target
from registry_tools.checks.access.kinds import PRIVILEGES
from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.checks.access.reading_names import RELATION, everything, grantee, named, target
from registry_tools.checks.access.words import Words
from registry_tools.mesh.account import PASSING_ON


def grant(words: Words) -> Action:
    """What is granted, and to whom."""
    if words.take("OWNERSHIP"):
        return _ownership(words)
    return _grant_or_revoke(words, "TO", revoked=False)


def revoke(words: Words) -> Action:
    """What is taken, and from whom. RESTRICT and CASCADE differ for those who may grant on, whom the model has not."""
    action = _grant_or_revoke(words, "FROM", revoked=True)
    words.take("RESTRICT", "CASCADE")
    return action


def _grant_or_revoke(words: Words, preposition: str, *, revoked: bool) -> Action:
    if kind := words.take("DATABASE ROLE", "ROLE"):
        role = named(words, kind)
        words.must(preposition)
        return Member(role=role, to=grantee(words), revoked=revoked)
    inherited = words.take("INHERITED") is not None
    passing_on = revoked and words.take(PASSING_ON.strip()) is not None
    asked = tuple(words.listed(lambda: _privilege(words)))
    words.must("ON")
    on = everything(words) if inherited else target(words)
    words.must(preposition)
    asked = _known(asked, on, revoked=revoked)
    if passing_on:
        asked = tuple(PASSING_ON + privilege for privilege in asked)
    return Privileges(privileges=asked, on=on, to=grantee(words), revoked=revoked, inherited=inherited)


def _ownership(words: Words) -> Action:
    words.must("ON")
    on = target(words)
    words.must("TO")
    to = grantee(words)
    grants: Literal["COPY", "REVOKE"] | None = None
    if words.take("COPY CURRENT GRANTS"):
        grants = "COPY"
    elif words.take("REVOKE CURRENT GRANTS"):
        grants = "REVOKE"
    return Ownership(on=on, to=to, grants=grants)


def _privilege(words: Words) -> str:
    found = [words.word()]
    while not words.sees("ON") and not words.sees(","):
        found.append(words.word())
    return " ".join(found)


def _known(asked: tuple[str, ...], on: Target, *, revoked: bool) -> tuple[str, ...]:
    """The privileges that are meant; each must be one that things of this kind have, or else be taken away."""
    kind = on.kind
    known = PRIVILEGES.get("TABLE" if kind == RELATION else kind, ())
    if asked in (("ALL",), ("ALL PRIVILEGES",)):
        return known
    # a database in a share is granted with the first, a database that the share's views read with the second
    shared = ("REFERENCE_USAGE",) if kind == "DATABASE" else ()
    for privilege in asked:
        owned = privilege == "OWNERSHIP" and not (isinstance(on, Many) and on.future)
        if owned or not (revoked or privilege in (*known, *shared)):
            raise UnknownStatementError(f"{privilege} is nothing that can be granted on a {kind}")
    return asked
