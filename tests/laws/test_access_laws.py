"""Laws of who may do what: grants only add, revoking undoes, drops leave no trace, twice is once."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from registry_tools.checks.access.actions import Member, Privileges
from registry_tools.checks.access.deviations import deviations
from registry_tools.checks.access.kinds import KINDS, PRIVILEGES
from registry_tools.checks.access.mending import granting, revoking, setting
from registry_tools.checks.access.obstacles import UnknownStatementError
from registry_tools.checks.access.questions import matrix, may
from registry_tools.checks.access.reading import read
from registry_tools.checks.access.running import run
from registry_tools.errors import Refusal
from registry_tools.mesh.account import Account, FutureGrant, Grant, Membership, Securable, database_role, role, spelled

ROLES = [role(name) for name in ("R", "S", "T")]
READERS = [database_role("A", "X"), database_role("A", "Y")]
SCHEMAS = [Securable("SCHEMA", ("A", name)) for name in ("M", "N")]
TABLES = [Securable("TABLE", (*schema.name, "T")) for schema in SCHEMAS]
ON = [Securable("DATABASE", ("A",)), *SCHEMAS, *TABLES]
HOLDERS = [*ROLES, *READERS]

CREATING = [f"create {kind} if not exists {name}" for kind, name in (
    ("database", "A"),
    *(("role", one.path) for one in ROLES),
    *(("database role", one.path) for one in READERS),
    *(("schema", one.path) for one in SCHEMAS),
    *(("schema", f"{one.path} with managed access") for one in SCHEMAS),
    *(("table", one.path) for one in TABLES),
)]  # fmt: skip
SETTING = [f"alter {on} set comment = '{text}'" for on, text in product(ON, "ab")]
GRANTING = [
    *(f"grant {PRIVILEGES[on.kind][0]} on {on} to {to}" for on, to in product(ON, HOLDERS)),
    *(f"grant select on future tables in {on} to {to}" for on, to in product(ON[:3], HOLDERS)),
    *(f"grant inherited select on all tables in {on} to {to}" for on, to in product(ON[:3], HOLDERS)),
    *(f"grant {one} to {to}" for one, to in product(HOLDERS, HOLDERS)),
]
# Everything that is named by its own name: what ALL comes to is another thing the second time.
LASTING = st.lists(st.sampled_from([*CREATING, *SETTING, *GRANTING]), max_size=25)
GRANTS = st.sampled_from([
    *(Grant(PRIVILEGES[on.kind][0], on, to) for on, to in product(ON, HOLDERS)),
    *(FutureGrant("SELECT", "TABLE", on, to, own) for on, to, own in product(ON[:3], HOLDERS, (False, True))),
    *(Membership(one, to) for one, to in product(HOLDERS, HOLDERS)),
])  # fmt: skip


def _run(asked: list[str], before: Account | None = None) -> tuple[Account, list[str]]:
    """The account after those of the statements that it does not decline, and these."""
    account, accepted = before or Account(), []
    for statement in asked:
        try:
            account, _ = run(statement, account, role="ACCOUNTADMIN")
        except Refusal:
            continue
        accepted.append(statement)
    return account, accepted


BUILT: Account = _run(CREATING)[0]
ACCOUNTS = LASTING.map(lambda asked: _run(asked, BUILT)[0])


def _allowed(account: Account) -> set[tuple[Securable, str, Securable]]:
    asked = [(who, privilege, on) for who in HOLDERS for on in ON for privilege in PRIVILEGES[on.kind]]
    return {one for one in asked if may(account, *one)}


@given(LASTING)
def test_a_script_that_gives_way_runs_twice_as_once(asked: list[str]) -> None:
    once, accepted = _run(asked)
    again, ran = run(";".join(accepted), once, role="ACCOUNTADMIN")
    assert again == once
    kept = [statement.text for statement, changes in ran if changes]
    assert all("comment" in text for text in kept), "what is set twice in one script goes there and back"


@given(ACCOUNTS, st.lists(GRANTS, max_size=5))
def test_whatever_is_granted_takes_nothing_from_anybody(
    account: Account, more: list[Grant | FutureGrant | Membership]
) -> None:
    after, _ = _run([granting(one) for one in more], account)
    assert _allowed(account) <= _allowed(after)
    before = {(row.who, row.database): set(row.reads) for row in matrix(account)}
    rows = {(row.who, row.database): set(row.reads) for row in matrix(after)}
    assert all(reads <= rows[key] for key, reads in before.items())


@given(ACCOUNTS, GRANTS)
def test_revoking_undoes_granting(account: Account, one: Grant | FutureGrant | Membership) -> None:
    after, accepted = _run([granting(one)], account)
    if after != account:
        assert accepted
        assert _run([revoking(one) or ""], after)[0] == account


@given(ACCOUNTS, st.sampled_from([*ON, *HOLDERS]))
def test_what_is_dropped_leaves_no_trace(account: Account, gone: Securable) -> None:
    after, _ = run(f"drop {gone}", account, role="ACCOUNTADMIN")
    assert not [
        one for one in _mentioned(after) if one == gone or (gone.kind in ("DATABASE", "SCHEMA") and one.is_within(gone))
    ]


def _mentioned(account: Account) -> Iterator[Securable]:
    for thing, entry in account.objects.items():
        yield thing
        if entry.owner:
            yield entry.owner
    for grant in account.grants:
        yield from (grant.on, grant.to)
    for future in account.future:
        yield from (future.within, future.to)
    for membership in account.memberships:
        yield from (membership.role, membership.to)


@given(ACCOUNTS, st.sampled_from(TABLES))
def test_a_table_that_copies_grants_is_the_one_that_it_replaces(account: Account, table: Securable) -> None:
    copied, _ = run(f"create or replace {table} copy grants as select 1", account, role="ACCOUNTADMIN")
    plain = replace(account, objects={**account.objects, table: copied.objects[table]})
    assert copied == plain


@given(ACCOUNTS, LASTING)
def test_what_is_mended_is_as_the_files_say(wanted: Account, drift: list[str]) -> None:
    found, _ = _run([text.replace("grant", "revoke").replace(" to ", " from ") for text in drift[::2]], wanted)
    found, _ = _run(drift[1::2], found)
    assert deviations(wanted, wanted) == ()
    mends = [one.mend for one in deviations(wanted, found)]
    assert all(mends), "nothing was dropped, and nothing of a stranger's came"
    mended, accepted = _run([mend for mend in mends if mend], found)
    assert len(accepted) == len(mends)
    assert deviations(wanted, mended) == ()
    assert mended.grants >= wanted.grants
    assert mended.future == wanted.future
    assert mended.memberships == wanted.memberships


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_whatever_is_granted_under_whatever_name_is_read_back(kind: str, data: st.DataObject) -> None:
    on = Securable(kind, data.draw(st.tuples(*[NAMES] * KINDS[kind].parts)))
    to = data.draw(
        st.sampled_from(["ROLE", "USER", "SHARE"]).flatmap(lambda k: NAMES.map(lambda n: Securable(k, (n,))))
    )
    for privilege in PRIVILEGES.get(kind, ()):
        asked = read(granting(Grant(privilege, on, to)))
        assert asked == Privileges(privileges=(privilege,), on=on, to=to)
    if kind in ("ROLE", "DATABASE ROLE"):
        assert read(revoking(Membership(on, to)) or "") == Member(role=on, to=to, revoked=True)


@example("AUTO_SUSPEND", "(0:)")
@given(
    st.sampled_from(["COMMENT", "DEFAULT_ROLE", "AUTO_SUSPEND", "TAG A.B.C"]),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_whatever_is_set_is_read_back(key: str, value: str) -> None:
    if key == "DEFAULT_ROLE":
        value = spelled(value) if value else "R"
    asked = read(setting(Securable("USER", ("U",)), key, value) or "")
    assert asked.sets == {key: value}  # type: ignore[union-attr]  # an Alter


@given(
    st.text()
    | st.sampled_from([*CREATING, *SETTING, *GRANTING]).flatmap(
        lambda text: st.permutations(text.split()).map(" ".join)
    )
)
def test_whatever_is_no_statement_is_said_to_be_none(text: str) -> None:
    try:
        read(text)
    except UnknownStatementError as error:
        assert str(error)  # noqa: PT017  # both outcomes are lawful
