"""Whatever in an account lets somebody do more with a mesh than its files say is told; each leak stands alone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from registry_tools.checks.access.mending import granting
from registry_tools.mesh.account import (
    ACCOUNT,
    PASSING_ON,
    Account,
    Entry,
    FutureGrant,
    Grant,
    Membership,
    Securable,
    database_role,
    role,
)
from registry_tools.mesh.account_document import account_bytes, read_account
from registry_tools.tasks.check_access import check_access
from registry_tools.tasks.see_account import see_live, see_nothing
from tests.account.conftest import Setting

Held = Grant | FutureGrant | Membership

DATABASE, MARTS = Securable("DATABASE", ("DBT_UP_PROD",)), Securable("SCHEMA", ("DBT_UP_PROD", "MARTS"))
SECRETS, STAGED = (Securable("TABLE", ("DBT_UP_PROD", *name)) for name in (("MARTS", "SECRETS"), ("STAGING", "STG")))
PUBLIC_READER, OWN_READER = (
    database_role("DBT_UP_PROD", name) for name in ("MESH_PUBLIC_READER", "MESH_READER_SECRETS")
)
UP, CONSUMER, STRANGER, EVERYBODY = (role(name) for name in ("DBT_UP_ROLE", "DBT_DOWN_ROLE", "STRANGER", "PUBLIC"))
SERVICE, LANDING = Securable("USER", ("DBT_UP_SVC",)), Securable("INTEGRATION", ("DBT_UP_LANDING",))
SHARE, WAREHOUSE, ADMIN = Securable("SHARE", ("LEAK",)), Securable("WAREHOUSE", ("DBT_UP_WH",)), role("ACCOUNTADMIN")
BUILT = """
use role DBT_UP_ROLE;
create table DBT_UP_PROD.MARTS.ORDERS (a int); create table DBT_UP_PROD.MARTS.SECRETS (a int);
create table DBT_UP_PROD.STAGING.STG (a int); create schema DBT_UP_CI.PR_1; create table DBT_UP_CI.PR_1.T (a int);
grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
grant select on table DBT_UP_PROD.MARTS.ORDERS to database role DBT_UP_PROD.MESH_PUBLIC_READER;
create database role DBT_UP_PROD.MESH_READER_SECRETS;
grant usage on schema DBT_UP_PROD.MARTS to database role DBT_UP_PROD.MESH_READER_SECRETS;
grant select on table DBT_UP_PROD.MARTS.SECRETS to database role DBT_UP_PROD.MESH_READER_SECRETS;
use role ACCOUNTADMIN; create role STRANGER; create database THEIRS; create user ZOE;
"""
# The account in which all of this was done, once for all tests: nothing can change it.
READY: list[Account] = []


def with_(account: Account, held: Held) -> Account:
    match held:
        case Grant():
            return replace(account, grants=account.grants | {held})
        case FutureGrant():
            return replace(account, future=account.future | {held})
        case _:
            return replace(account, memberships=account.memberships | {held})


@pytest.fixture
def told(setting: Setting) -> Callable[[Callable[[Account], Account]], list[tuple[str, str | None]]]:
    """What check tells of the account in which everything was built and one thing is done besides."""
    fake = setting.fake
    if not READY:
        fake = setting.set_up()
        fake.available = (*fake.available, "DBT_UP_ROLE")
        for statement in filter(str.strip, BUILT.split(";")):
            fake.run(statement.strip())
        READY.append(fake.account)
    fake.account = READY[0]
    nothing = see_nothing(setting.deployment)

    def told(leak: Callable[[Account], Account]) -> list[tuple[str, str | None]]:
        fake.role, fake.account = "ACCOUNTADMIN", leak(fake.account)
        seen = read_account(account_bytes(see_live(fake, setting.deployment)))
        checked = check_access(setting.scripts, nothing, seen.account, setting.deployment)
        return [(one.says, one.mend) for one in checked.differences]

    return told


Told = Callable[[Callable[[Account], Account]], list[tuple[str, str | None]]]


def test_an_account_in_which_a_project_was_built_and_granted_is_as_the_files_say(told: Told) -> None:
    assert told(lambda account: account) == []


@pytest.mark.parametrize(
    "leak",
    [
        Grant("SELECT", SECRETS, CONSUMER),
        Grant("SELECT", SECRETS, EVERYBODY),
        Grant("USAGE", DATABASE, STRANGER),
        Grant("USAGE", DATABASE, Securable("USER", ("ZOE",))),
        Grant("USAGE", DATABASE, SHARE),
        Grant("USAGE", WAREHOUSE, STRANGER),
        Grant("USAGE", LANDING, STRANGER),
        Grant("MODIFY PROGRAMMATIC AUTHENTICATION METHODS", SERVICE, STRANGER),
        Grant("USAGE", Securable("DATABASE", ("SNOWFLAKE",)), CONSUMER),
        Grant("MANAGE GRANTS", ACCOUNT, CONSUMER),
        Grant("MANAGE GRANTS", MARTS, CONSUMER),
        Grant("APPLY MASKING POLICY", ACCOUNT, CONSUMER),
        Grant("INSERT", SECRETS, PUBLIC_READER),
        Grant("CREATE TABLE", MARTS, PUBLIC_READER),
        Grant(f"{PASSING_ON}USAGE", DATABASE, UP),
        FutureGrant("SELECT", "TABLE", DATABASE, CONSUMER),
        FutureGrant("SELECT", "TABLE", MARTS, PUBLIC_READER),
        FutureGrant("SELECT", "VIEW", MARTS, EVERYBODY),
        FutureGrant("SELECT", "TABLE", DATABASE, CONSUMER, inherited=True),
        FutureGrant("SELECT", "TABLE", MARTS, PUBLIC_READER, inherited=True),
        FutureGrant("USAGE", "DATABASE", ACCOUNT, STRANGER, inherited=True),
        FutureGrant("SELECT", "TABLE", ACCOUNT, CONSUMER, inherited=True),
        Membership(UP, CONSUMER),
        Membership(UP, STRANGER),
        Membership(UP, EVERYBODY),
        Membership(UP, Securable("USER", ("ZOE",))),
        Membership(STRANGER, CONSUMER),
        Membership(role("SYSADMIN"), EVERYBODY),
        Membership(role("SECURITYADMIN"), Securable("USER", ("DBT_DOWN_SVC",))),
        Membership(PUBLIC_READER, STRANGER),
        Membership(OWN_READER, EVERYBODY),
        Membership(OWN_READER, PUBLIC_READER),
        Membership(OWN_READER, STRANGER),
    ],
    ids=granting,
)
def test_whoever_gets_more_than_the_files_say_is_told_with_what_ends_it(
    told: Told, setting: Setting, leak: Held
) -> None:
    shared = leak.to if isinstance(leak, Grant) and leak.to.kind == "SHARE" else None
    leaked = told(lambda account: with_(_with_owner(account, shared, ADMIN) if shared else account, leak))
    assert [says for says, _ in leaked] == [f"not in the files: {granting(leak)}"]
    if leak == Grant("USAGE", Securable("DATABASE", ("SNOWFLAKE",)), CONSUMER):
        return  # the account in memory does not have it
    (mend,) = (mend for _, mend in leaked)
    assert mend
    setting.fake.run(mend)
    assert told(lambda account: account) == []


def test_a_database_role_without_a_database_is_no_reader(told: Told, setting: Setting) -> None:
    """As only a file that somebody changed has it."""
    assert told(lambda account: account) == []
    odd = replace(setting.fake.account, objects={Securable("DATABASE ROLE", ("DBT_UP_PROD",)): Entry()})
    assert check_access(setting.scripts, see_nothing(setting.deployment), odd, setting.deployment).differences


def test_a_reader_of_what_nobody_publishes_is_told(told: Told) -> None:
    reader, built = database_role("DBT_UP_CI", "MESH_READER_T"), Securable("TABLE", ("DBT_UP_CI", "PR_1", "T"))
    leaked = told(lambda account: with_(_with_owner(account, reader, UP), Grant("SELECT", built, reader)))
    assert f"not in the files: GRANT SELECT ON {built} TO {reader}" in [says for says, _ in leaked]


def _with_owner(account: Account, thing: Securable, owner: Securable = STRANGER) -> Account:
    known = account.objects.get(thing, Entry())
    return replace(account, objects={**account.objects, thing: replace(known, owner=owner)})


@pytest.mark.parametrize(
    ("thing", "owner"),
    [
        (SECRETS, CONSUMER),
        (SECRETS, STRANGER),
        (Securable("TABLE", ("DBT_UP_CI", "PR_1", "T")), CONSUMER),
        (Securable("SCHEMA", ("DBT_UP_CI", "PR_1")), STRANGER),
        (MARTS, CONSUMER),
        (DATABASE, CONSUMER),
        (UP, CONSUMER),
        (OWN_READER, CONSUMER),
        (PUBLIC_READER, CONSUMER),
        (SERVICE, STRANGER),
    ],
    ids=str,
)
def test_whoever_owns_what_is_not_theirs_is_told(told: Told, thing: Securable, owner: Securable) -> None:
    leaked = [says for says, _ in told(lambda account: _with_owner(account, thing, owner))]
    assert [says for says in leaked if says.startswith(f"{thing} is owned by {owner}")]


def test_everybody_who_may_log_in_as_a_service_user_is_told(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user may have several workload identities (ALTER USER ... ADD WORKLOAD IDENTITY)."""
    from tests import fake_account

    def two(*asked: object) -> list[dict[str, object]]:
        rows = list(fake_account.workload(*asked))  # type: ignore[arg-type]  # an account and a path
        info = '{"issuer": "https://evil.example", "subject": "me"}'
        return [{"name": "MORE", "type": "OIDC", "additional_info": info}, *rows]

    answers = [
        (pattern, two if answer is fake_account.workload else answer) for pattern, answer in fake_account.ANSWERS
    ]
    monkeypatch.setattr(fake_account, "ANSWERS", tuple(answers))
    leaked = [says for says, _ in told(lambda account: account)]
    assert len(leaked) == 3
    assert all("WORKLOAD_IDENTITY of USER" in says and "evil.example" in says for says in leaked)


def test_who_may_grant_whatever_they_like_stands_in_the_matrix(told: Told, setting: Setting) -> None:
    """It is no deviation: whoever looks at an account every night has to have it (docs/setup.md)."""
    assert told(lambda account: with_(account, Grant("MANAGE GRANTS", ACCOUNT, STRANGER))) == []
    seen = see_live(setting.fake, setting.deployment).account
    rows = check_access(setting.scripts, see_nothing(setting.deployment), seen, setting.deployment).rows
    stranger = [row for row in rows if row.role == "STRANGER"]
    assert {row.database for row in stranger} == {row.database for row in rows}
    assert {row.permissions for row in stranger} == {"grants what it likes to whom it likes (MANAGE GRANTS)"}
    assert not any(row.foreseen for row in stranger)


@pytest.mark.parametrize("inherited", [False, True])
def test_what_is_read_by_inheritance_and_by_whatever_kind_stands_in_the_matrix(
    told: Told, setting: Setting, *, inherited: bool
) -> None:
    external = Grant("SELECT", Securable("EXTERNAL TABLE", ("DBT_UP_PROD", "MARTS", "FILES")), CONSUMER)
    leak = FutureGrant("SELECT", "TABLE", DATABASE, CONSUMER, inherited=True) if inherited else external
    told(lambda account: with_(account, leak))
    seen = see_live(setting.fake, setting.deployment).account
    rows = check_access(setting.scripts, see_nothing(setting.deployment), seen, setting.deployment).rows
    (row,) = (row for row in rows if (row.role, row.database) == ("DBT_DOWN_ROLE", "DBT_UP_PROD"))
    # in MARTS alone, which the reader role opens: ORDERS, SECRETS, and whatever comes
    wanted = "2 relations and all that come" if inherited else "2 relations"
    assert row.permissions == f"Read-only (SELECT), {wanted}"
