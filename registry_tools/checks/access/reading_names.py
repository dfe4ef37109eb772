"""The words of a statement in, the things that they name out."""

from typing import Final

from registry_tools.checks.access.actions import Many, Target
from registry_tools.checks.access.kinds import GRANTEES, KINDS, PLURALS, PRIVILEGES, plural_of
from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.checks.access.words import Words
from registry_tools.mesh.account import ACCOUNT, Securable

# What a name is that stands without its kind, as dbt writes it in its grants: any relation of this name.
RELATION: Final = "RELATION"
# The kinds by what many of them are called, also those of which there are no future grants.
_EVERY: Final = {plural_of(kind): kind for kind in KINDS}
# Words before a kind that make no other kind of it.
_STANDING: Final = ("TRANSIENT", "SECURE", "STORAGE")


def kind_of(words: Words) -> str:
    """The kind that is named next."""
    while words.take(*_STANDING):
        pass
    return words.must(*KINDS)


def named(words: Words, kind: str) -> Securable:
    """The thing of this kind that is named next. Its name must have all its parts: a session's database is not seen."""
    return _whole(Securable(kind, words.path()), KINDS[kind].parts)


def grantee(words: Words) -> Securable:
    """Whom a grant is for: a role where nothing else is said."""
    return named(words, words.take(*GRANTEES) or "ROLE")


def target(words: Words) -> Target:
    """What a grant is on."""
    if words.take("ACCOUNT"):
        return ACCOUNT
    if amount := words.take("ALL", "FUTURE"):
        kind = PLURALS[words.must(*PLURALS)]
        words.must("IN")
        container = words.must("DATABASE") if kind == "SCHEMA" else words.must("DATABASE", "SCHEMA")
        return Many(kind=kind, within=named(words, container), future=amount == "FUTURE")
    kinds = {*PRIVILEGES, *KINDS} - {"ACCOUNT"}
    if any(words.sees(kind) for kind in kinds):
        return named(words, words.must(*kinds))
    return _whole(Securable(RELATION, words.path()), 3)


def everything(words: Words) -> Many:
    """What an inherited grant is on: everything of a kind, what is there and what is still to come."""
    words.must("ALL")
    kind = _EVERY[words.must(*_EVERY)]
    words.must("IN")
    container = words.must("ACCOUNT", "DATABASE", "SCHEMA")
    within = ACCOUNT if container == "ACCOUNT" else named(words, container)
    if len(within.name) >= KINDS[kind].parts:
        raise words.stuck(f"something that has a {kind} in it")
    return Many(kind=kind, within=within, future=True)


def _whole(thing: Securable, parts: int) -> Securable:
    if len(thing.name) != parts:
        counted = {1: "one part", 2: "two parts", 3: "three parts"}[parts]
        raise UnknownStatementError(f"the name of {thing} has to be written with {counted}")
    return thing
