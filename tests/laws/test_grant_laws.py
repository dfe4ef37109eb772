"""Laws of grants: whatever an account holds, the plan brings about what is wanted, and touches nothing else."""

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from registry_tools.artifacts.grants_sql import step_sql
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import Wanted, wanted_readers
from registry_tools.mesh.account import Account, Entry, FutureGrant, Grant, Membership, Securable, database_role, role
from registry_tools.mesh.grant_plan import GrantPlan, Held, is_reader
from registry_tools.mesh.interface import Interface
from tests.builders import deployment, interface, public_model
from tests.snowflake_account import SnowflakeAccount

DEPLOYMENT = deployment(dbt_down=["dbt_up"], crm=["dbt_up"], aside=[])
PLACE = DEPLOYMENT.projects[0].places[0]
HOME = PLACE.database

NAMES = ("ORDERS", "orders", "Price List", 'he said "hi"', "a.b", "X", "Ünï")
SCHEMAS = ("MARTS", "staging area")
DATABASES = (HOME, "ELSEWHERE")
RELATIONS = [Securable("TABLE", (db, schema, name)) for db in DATABASES for schema in SCHEMAS for name in NAMES]
READERS = [
    *(database_role(db, "MESH_PUBLIC_READER") for db in DATABASES),
    *(database_role(HOME, f"MESH_READER_{name}") for name in ("ORDERS", "X", "LEFT", "PRICE LIST")),
]
OTHERS = [database_role(HOME, "REPORTING"), database_role("DBT_DOWN_PROD", "MESH_PUBLIC_READER")]
WHO = [*map(role, ("DBT_DOWN_ROLE", "CRM_ROLE", "ASIDE_ROLE", "BI", "PUBLIC", "SYSADMIN")), Securable("SHARE", ("S",))]
CONSUMERS = st.sampled_from([None, None, [], ["dbt_down"], ["dbt_down.core", "crm"], ["nobody_knows"]])


@st.composite
def interfaces(draw: st.DrawFn) -> Interface:
    models = []
    for number, relation in enumerate(draw(st.lists(st.sampled_from(RELATIONS), unique=True, max_size=6))):
        listed = draw(CONSUMERS)
        meta = {} if listed is None else {"mesh": {"consumers": listed}}
        models.append(public_model(f"m{number}", relation_name=relation.path, meta=meta))
    return interface(*models)


@st.composite
def holdings(draw: st.DrawFn) -> Held:
    roles = draw(st.lists(st.sampled_from([*READERS, *OTHERS]), unique=True))
    owners = st.sampled_from([None, role("DBT_UP_ROLE"), role("DBT_UP_ROLE"), role("SYSADMIN")])
    built = draw(st.sets(st.sampled_from(RELATIONS)))
    schemas = [Securable("SCHEMA", (db, schema)) for db in DATABASES for schema in SCHEMAS]
    there = {relation: Entry() for relation in built} | dict.fromkeys(
        draw(st.sets(st.sampled_from(schemas))) | {Securable("SCHEMA", each.name[:2]) for each in built}, Entry()
    )
    on = st.sampled_from(
        [*RELATIONS, *schemas, Securable("DATABASE", (HOME,)), Securable("VIEW", (HOME, "MARTS", "V"))]
    )
    to = st.sampled_from(roles or [database_role(HOME, "REPORTING")])
    privileges = st.sampled_from(["SELECT", "SELECT", "USAGE", "REFERENCES", "INSERT"])
    tables = st.builds(FutureGrant, st.just("SELECT"), st.just("TABLE"), st.just(schemas[0]), to)
    account = Account(
        objects=there | {each: Entry(owner=draw(owners)) for each in roles},
        grants=frozenset(draw(st.lists(st.builds(Grant, privileges, on, to)))),
        future=frozenset(draw(st.lists(tables, max_size=1))),
        memberships=frozenset(draw(st.lists(st.builds(Membership, to, st.sampled_from(WHO))))),
    )
    return Held(account=account, listed=frozenset(schemas) if draw(st.booleans()) else frozenset())


@st.composite
def histories(draw: st.DrawFn) -> tuple[Interface, Held]:
    """An interface, and an account in which another one was granted before; some of it was built anew since then, and
    lost its grants, and somebody has granted something else. No role of a model's own is inherited by another model:
    who may read the first one by another role by now would miss it until that has it.
    """
    before, now = draw(interfaces()), draw(interfaces())
    wanted = wanted_readers(before, PLACE, DEPLOYMENT)
    reads = {reader.role: {*reader.relations} for reader in wanted.readers if not reader.is_public}
    later = wanted_readers(now, PLACE, DEPLOYMENT).readers
    assume(all(reads.get(each.role, {*each.relations}) == {*each.relations} for each in later))
    *_, granted = states(planned(wanted, Held()), Held())
    lost = draw(st.sets(st.sampled_from(RELATIONS), max_size=2))
    more = draw(st.lists(st.builds(Membership, st.sampled_from(READERS[2:]), st.sampled_from(WHO)), max_size=2))
    kept = frozenset(grant for grant in granted.grants if grant.on not in lost)
    members = granted.memberships | {each for each in more if each.role in granted.objects}
    return now, Held(account=replace(granted, grants=kept, memberships=members))


def planned(wanted: Wanted, held: Held) -> GrantPlan:
    return plan_grants(wanted, held, PLACE, DEPLOYMENT)


def states(plan: GrantPlan, held: Held) -> Iterator[Account]:
    """The account before, and after every statement of the plan."""
    snowflake = SnowflakeAccount.of(held.account)
    yield snowflake.account
    for step in plan.steps:
        snowflake.run(step_sql(step))
        yield snowflake.account


def ours(wanted: Wanted, account: Account) -> set[Securable]:
    """The reader roles that the project grants to: in its own database, and where models of it lie."""
    databases = {HOME, *(reader.role.name[0] for reader in wanted.readers)}
    return {
        each
        for each, entry in account.objects.items()
        if is_reader(each) and each.name[0] in databases and entry.owner in {None, role("DBT_UP_ROLE")}
    }


def is_settled(grant: Grant, mine: set[Securable]) -> bool:
    """Whether it is of the kind that is planned."""
    planned_on = {"TABLE": "SELECT", "VIEW": "SELECT", "SCHEMA": "USAGE"}
    return planned_on.get(grant.on.kind) == grant.privilege and grant.to in mine


def reads(account: Account) -> set[tuple[Securable, tuple[str, ...]]]:
    """Who reads which relation by a reader role."""
    held = {(grant.privilege, grant.to, grant.on.name) for grant in account.grants}
    return {
        (member.to, name)
        for privilege, to, name in held
        if privilege == "SELECT" and ("USAGE", to, name[:2]) in held
        for member in account.memberships
        if member.role == to
    }


@given(interfaces(), holdings())
def test_the_plan_leads_to_exactly_what_is_wanted(read: Interface, held: Held) -> None:
    wanted = wanted_readers(read, PLACE, DEPLOYMENT)
    plan = planned(wanted, held)
    *_, after = states(plan, held)
    mine, missing = ours(wanted, after), {relation.name for _, relation in plan.unbuilt}
    before = {(grant.to, grant.on.name) for grant in held.account.grants if grant.privilege == "SELECT"}
    expected = {
        (reader.role, relation.name)
        for reader in wanted.readers
        for relation in reader.relations
        if reader.role in mine and (relation.name not in missing or (reader.role, relation.name) in before)
    }
    granted = {grant for grant in after.grants if is_settled(grant, mine)}
    assert {(grant.to, grant.on.name) for grant in granted if grant.privilege == "SELECT"} == expected
    schemas = {(reader.role, schema) for reader in wanted.readers for schema in reader.schemas}
    lacking = {pair for pair in schemas if held.lacks(pair[1]) or pair[0] not in mine}
    usage = {(grant.to, grant.on) for grant in granted if grant.privilege == "USAGE"}
    assert schemas - lacking <= usage <= schemas


@given(interfaces(), holdings())
def test_a_role_of_a_model_is_given_to_whom_it_names_and_taken_from_other_projects(read: Interface, held: Held) -> None:
    wanted = wanted_readers(read, PLACE, DEPLOYMENT)
    *_, after = states(planned(wanted, held), held)
    known = {role(name) for name in ("DBT_DOWN_ROLE", "CRM_ROLE", "ASIDE_ROLE")}
    members = {reader.role: {role(name) for name in reader.members} for reader in wanted.readers}
    for each in ours(wanted, after):
        given_to = {member.to for member in after.memberships if member.role == each}
        if each.name[-1] == "MESH_PUBLIC_READER":
            assert members.get(each, set()) <= given_to
        else:
            assert given_to & known == members.get(each, set())


@given(interfaces(), holdings())
def test_nothing_else_is_touched(read: Interface, held: Held) -> None:
    wanted = wanted_readers(read, PLACE, DEPLOYMENT)
    *_, after = states(planned(wanted, held), held)
    mine, before = ours(wanted, after), held.account

    def rest(account: Account) -> set[object]:
        known = {role(name) for name in ("DBT_DOWN_ROLE", "CRM_ROLE", "ASIDE_ROLE")}
        members = {m for m in account.memberships if not (m.role in mine and m.to in known)}
        return {grant for grant in account.grants if not is_settled(grant, mine)} | members | set(account.future)

    made = {
        Grant("USAGE", Securable("DATABASE", each.name[:1]), each) for each in after.objects.keys() - before.objects
    }
    assert rest(after) - made == rest(before) - made
    assert before.objects.keys() <= after.objects.keys()


@given(interfaces(), holdings())
def test_planning_again_finds_nothing_to_run(read: Interface, held: Held) -> None:
    wanted = wanted_readers(read, PLACE, DEPLOYMENT)
    first = planned(wanted, held)
    *_, after = states(first, held)
    again = planned(wanted, Held(account=after, listed=held.listed))
    assert again.steps == ()
    assert again.unbuilt == first.unbuilt
    assert again.is_short == first.is_short


@given(st.one_of(st.tuples(interfaces(), holdings()), histories()))
def test_nobody_reads_less_or_more_in_between_and_what_nobody_may_read_is_closed_first(
    case: tuple[Interface, Held],
) -> None:
    read, held = case
    wanted = wanted_readers(read, PLACE, DEPLOYMENT)
    plan = planned(wanted, held)
    seen = list(map(reads, states(plan, held)))
    for between in seen:
        assert seen[0] & seen[-1] <= between <= seen[0] | seen[-1]
    open_names = {relation.name for reader in wanted.readers for relation in reader.relations}
    closing = [
        isinstance(step.what, Grant) and step.what.privilege == "SELECT" and step.what.on.name not in open_names
        for step in plan.steps
    ]
    opening = [step.verb == "grant" for step in plan.steps]
    assert not any(any(opening[:at]) for at, is_closing in enumerate(closing) if is_closing)


@given(interfaces(), holdings())
def test_no_two_models_with_readers_of_their_own_are_read_by_one_role(read: Interface, held: Held) -> None:
    del held
    readers = wanted_readers(read, PLACE, DEPLOYMENT).readers
    assert len({reader.role for reader in readers}) == len(readers)
    assert all(len(reader.relations) == 1 for reader in readers if not reader.is_public)


@given(st.one_of(st.tuples(interfaces(), holdings()), histories()))
def test_wherever_it_stops_the_next_plan_arrives_at_the_same(case: tuple[Interface, Held]) -> None:
    read, held = case
    wanted = wanted_readers(read, PLACE, DEPLOYMENT)
    *stops, last = states(planned(wanted, held), held)
    for stopped in stops:
        on = replace(held, account=stopped)
        *_, after = states(planned(wanted, on), on)
        assert (after.grants, after.memberships, after.objects.keys()) == (
            last.grants,
            last.memberships,
            last.objects.keys(),
        )
