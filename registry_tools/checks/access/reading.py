"""A statement of SQL in, what it asks for out. What is outside of the model raises UnknownStatementError."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal

from registry_tools.checks.access.actions import Action, Alter, AlterAccounts, Create, Drop, UseOther, UseRole
from registry_tools.checks.access.kinds import RELATIONS, VIEWS
from registry_tools.checks.access.reading_grants import grant, revoke
from registry_tools.checks.access.reading_names import kind_of, named
from registry_tools.checks.access.words import Words
from registry_tools.mesh.account import ACCOUNT, Securable, role, spelled

# How things are set that ALTER has words of its own for.
MANAGED_ACCESS: Final = "MANAGED ACCESS"
AUTHENTICATION_POLICY: Final = "AUTHENTICATION POLICY"
ACCOUNTS: Final = "ACCOUNTS"
IS_SECURE: Final = "IS_SECURE"
_TAG: Final = "TAG "

_TEMPORARY: Final = ("TEMPORARY", "TEMP", "LOCAL TEMPORARY")
_COPY_GRANTS: Final = "COPY GRANTS"
# What a column or a query is to say has no say in who may do what.
_OF_THE_QUERY: Final = ("COPY TAGS", "CLUSTER BY", "WITH TAG")
_ON_ACCOUNTS: Final[Mapping[str, Literal["SET", "ADD", "REMOVE"]]] = {
    "SET ACCOUNTS": "SET",
    "ADD ACCOUNTS": "ADD",
    "REMOVE ACCOUNTS": "REMOVE",
}
_OF_COLUMNS: Final = ("ADD", "DROP", "ALTER", "MODIFY")
# What has a say in who reads which rows and what of them.
_OF_POLICIES: Final = ("POLICY", "POLICIES")


def read(text: str) -> Action:
    """What this one statement asks for, in whatever letter case and with whatever white space it is written."""
    words = Words(text)
    action = _READERS[words.must(*_READERS)](words)
    words.end()
    return action


def tag_of(setting: str) -> Securable | None:
    """The tag that a setting of this key says the value of."""
    path = setting.removeprefix(_TAG)
    return None if path == setting else Securable("TAG", Words(path).path())


# -- sessions ---------------------------------------------------------------------------------------------------------


def _use(words: Words) -> Action:
    if words.take("ROLE"):
        return UseRole(role=role(words.part()))
    if not words.take("SECONDARY ROLES NONE"):
        words.must("WAREHOUSE", "DATABASE", "SCHEMA")
        words.path()
    return UseOther()


# -- what comes and goes ----------------------------------------------------------------------------------------------


def _create(words: Words) -> Action:
    over = words.take("OR REPLACE", "OR ALTER")
    secure = words.take("SECURE") is not None
    temporary = words.take(*_TEMPORARY) is not None
    kind = kind_of(words)
    gives_way = words.take("IF NOT EXISTS") is not None
    what = named(words, kind)
    settings = dict(_of_relation(words) if kind in RELATIONS else _clauses(words))
    copies = settings.pop(_COPY_GRANTS, None) is not None
    if kind in VIEWS and not secure:
        settings[IS_SECURE] = "FALSE"
    return Create(
        what=what,
        settings=settings,
        replaces=over == "OR REPLACE",
        alters=over == "OR ALTER",
        gives_way=gives_way,
        copies_grants=copies,
        temporary=temporary,
    )


def _clauses(words: Words) -> Iterator[tuple[str, str]]:
    """How something is set that is created."""
    while not words.done:
        if words.take("WITH MANAGED ACCESS"):
            yield MANAGED_ACCESS, "TRUE"
        elif words.take("WITH TAG", "TAG"):
            words.must("(")
            yield from words.listed(lambda: _tag(words))
            words.must(")")
        elif not words.take("WITH", ","):
            yield _setting(words)


def _of_relation(words: Words) -> Iterator[tuple[str, str]]:
    """The same of a table or a view, as far as its query."""
    while not words.done:
        if words.take(_COPY_GRANTS):
            yield _COPY_GRANTS, ""
        elif words.take("AS"):
            words.rest()
        elif words.sees("("):
            words.group()
        elif not words.take(*_OF_THE_QUERY):
            yield _setting(words)


def _drop(words: Words) -> Action:
    kind = kind_of(words)
    if_exists = words.take("IF EXISTS") is not None
    what = named(words, kind)
    words.take("CASCADE", "RESTRICT")
    return Drop(what=what, if_exists=if_exists)


# -- settings ---------------------------------------------------------------------------------------------------------


def _alter(words: Words) -> Action:
    if words.take("SESSION"):
        words.rest()
        return UseOther()
    if words.take("ACCOUNT"):
        words.must("SET")
        return Alter(what=ACCOUNT, sets=dict(_settings(words)))
    kind = kind_of(words)
    if_exists = words.take("IF EXISTS") is not None
    what = named(words, kind)
    if kind == "SHARE" and (how := words.take(*_ON_ACCOUNTS)):
        return replace(_accounts(words, what, how), if_exists=if_exists)
    return replace(_changed(words, what), if_exists=if_exists)


def _changed(words: Words, what: Securable) -> Alter:
    if what.kind == "SCHEMA" and (asked := words.take("ENABLE MANAGED ACCESS", "DISABLE MANAGED ACCESS")):
        return Alter(what=what, sets={MANAGED_ACCESS: "TRUE" if asked.startswith("ENABLE") else "FALSE"})
    if what.kind in RELATIONS and words.take(*_OF_COLUMNS):
        words.rest(without=_OF_POLICIES)
        return Alter(what=what)
    if words.sees("TRIGGERS") or words.must("SET", "UNSET") == "SET":
        sets = dict(_sets(words))
        return Alter(what=what, sets=sets, forced=words.take("FORCE") is not None)
    return Alter(what=what, unsets=tuple(_unsets(words)))


def _accounts(words: Words, what: Securable, how: str) -> AlterAccounts:
    words.must("=")
    accounts = tuple(sorted(".".join(map(spelled, path)) for path in words.listed(words.path)))
    return AlterAccounts(what=what, how=_ON_ACCOUNTS[how], accounts=accounts)


def _comment(words: Words) -> Action:
    words.must("ON")
    kind = kind_of(words)
    what = named(words, kind)
    words.must("IS")
    return Alter(what=what, sets={"COMMENT": words.value()})


def _sets(words: Words) -> Iterator[tuple[str, str]]:
    if words.take("TAG"):
        yield from words.listed(lambda: _tag(words))
    elif words.take(AUTHENTICATION_POLICY):
        yield AUTHENTICATION_POLICY, ".".join(map(spelled, words.path()))
    else:
        yield from _settings(words)


def _unsets(words: Words) -> Iterator[str]:
    if words.take("TAG"):
        yield from words.listed(lambda: _TAG + ".".join(map(spelled, words.path())))
    elif words.take(AUTHENTICATION_POLICY):
        yield AUTHENTICATION_POLICY
    else:
        yield from words.listed(words.word)


def _settings(words: Words) -> Iterator[tuple[str, str]]:
    yield _setting(words)
    while not words.done:
        words.take(",")
        yield _setting(words)


def _setting(words: Words) -> tuple[str, str]:
    if words.take("TRIGGERS"):
        return "TRIGGERS", " ".join(_triggers(words))
    key = words.word()
    if key == "ALLOWED_VALUES":  # of a tag: the one list without parentheses
        return key, ", ".join(words.listed(words.value))
    words.must("=")
    return key, words.value()


def _triggers(words: Words) -> Iterator[str]:
    """When a resource monitor does what: `ON 80 PERCENT DO NOTIFY`."""
    words.must("ON")
    while True:
        percent = words.number()
        words.must("PERCENT DO")
        yield f"ON {percent} PERCENT DO {words.must('NOTIFY', 'SUSPEND', 'SUSPEND_IMMEDIATE')}"
        if not words.take("ON"):
            return


def _tag(words: Words) -> tuple[str, str]:
    path = words.path()
    words.must("=")
    return _TAG + ".".join(map(spelled, path)), words.value()


_READERS: Final[Mapping[str, Callable[[Words], Action]]] = {
    "USE": _use,
    "CREATE": _create,
    "ALTER": _alter,
    "COMMENT": _comment,
    "DROP": _drop,
    "GRANT": grant,
    "REVOKE": revoke,
}
