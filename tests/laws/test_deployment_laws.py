"""Laws of a mesh.yml that nobody here has seen: it is declined with its place, or everybody can do what they should in
its account, and no more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from registry_tools.artifacts.grants_sql import grants_script
from registry_tools.artifacts.snowflake_profiles import profiles
from registry_tools.artifacts.snowflake_scripts import snowflake_scripts
from registry_tools.checks.access.questions import may
from registry_tools.checks.access.running import run
from registry_tools.checks.access.standing import standing
from registry_tools.checks.grants import plan_grants
from registry_tools.checks.readers import wanted_readers
from registry_tools.errors import UsageError
from registry_tools.mesh.account import Account, Entry, Securable, role
from registry_tools.mesh.deployment import DeployedProject, Deployment, Place
from registry_tools.mesh.grant_plan import Held
from registry_tools.settings import deployment_of, read_mesh
from tests.builders import interface, public_model

Json = dict[str, Any]

ENVIRONMENTS: Final = ("prod", "staging", "ci", "dev", "pre-merge", "on", "1e3")
PEOPLE: Final = ("ANNA", "ben")
PROJECTS: Final = ("shop", "crm", "Board", "p_3")
LISTED: Final = "LISTED"  # a public model for some projects alone


@st.composite
def meshes(draw: st.DrawFn) -> Json:
    """Mostly sound, and now and then with two things of one name, or with something that is read and not there."""
    environments = draw(st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, max_size=4, unique=True))
    known = st.sampled_from([*environments * 5, "qa"])
    reads = st.none() | known | st.lists(known, min_size=1, max_size=2, unique=True)
    projects = draw(st.lists(st.sampled_from(PROJECTS), min_size=2, max_size=4, unique=True))
    identity = draw(st.sampled_from(["aws", "key_pair"]))
    return {
        "version": 1,
        "environments": {name: {"reads": draw(reads)} for name in environments},
        "snowflake": {"identity": identity},
        "aws": {"account": "123456789012", "region": "eu-central-1", "bucket": "acme"},
        "projects": {
            name: {
                "snowflake": _drop_empty(_snowflake(draw, name, is_aws=identity == "aws")),
                "upstreams": {
                    other: _drop_empty({"environment": draw(st.none() | st.none() | reads)})
                    for other in draw(st.lists(st.sampled_from(projects), max_size=2, unique=True))
                    if other != name
                },
            }
            for name in projects
        },
    }


def _snowflake(draw: st.DrawFn, name: str, *, is_aws: bool) -> Json:
    often = st.integers(0, 11).map(bool)
    database = f"{name}_{{ENV}}" if draw(often) else draw(st.sampled_from([name, "{ENV}", "LAKE_{ENV}"]))
    roles = [f"{name}_ROLE", f"{name}_{{ENV}}_ROLE", f"{name}_{{ENV}}"]
    named = draw(st.sampled_from(roles)) if draw(often) else draw(st.sampled_from(["BUILDER", "shop_DEVELOPER"]))
    landing = {"url": "s3://acme-raw/x/", "role_arn": "arn:aws:iam::123456789012:role/x"}
    return {
        "database": database,
        "warehouse": draw(st.sampled_from(["WH", f"{name}_WH", f"{name}_{{ENV}}_WH"])),
        "role": named,
        "user": f"{name}_robot" if is_aws else draw(st.sampled_from([None, f"{name}_robot"])),
        "developer_role": None if draw(often) else draw(st.sampled_from(["PEOPLE", named, f"{name}_{{ENV}}_PEOPLE"])),
        "schemas": draw(st.sampled_from([None, ["raw", "marts"]])) if draw(often) else ["RAW", "ANNA_DEV"],
        "developers": draw(st.lists(st.sampled_from(PEOPLE), unique=True)),
        "shared_with": draw(st.sampled_from([None, None, ["ORG.PARTNER"]])),
        "landing": draw(st.sampled_from([None, None, landing])),
    }


def _drop_empty(settings: Json) -> Json:
    return {key: value for key, value in settings.items() if value}


def described(folder: Path, mesh: Json) -> Deployment | UsageError:
    """What it describes, or why it is declined."""
    file = folder / "mesh.yml"
    file.write_text(yaml.safe_dump(mesh, sort_keys=False), encoding="utf-8")
    try:
        found = deployment_of(read_mesh(file, {}))
        profiles(found)
        snowflake_scripts(found)
    except UsageError as error:
        return error
    return found


def set_up(deployment: Deployment, account: Account) -> tuple[Account, list[str]]:
    changing = list[str]()
    for file in snowflake_scripts(deployment):
        account, steps = run(file.content.decode(), account, role="ACCOUNTADMIN", where=file.path.name)
        changing += (statement.text for statement, changes in steps if changes)
    return account, changing


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Something that is built: by which role, where, and whether in a schema of the builder's own."""

    on: Securable
    builder: str
    project: DeployedProject
    place: Place
    own: bool = False


def built(deployment: Deployment) -> Iterator[Table]:
    for project, place in deployment.placed:
        for schema in project.schemas:
            for name in ("OPEN", LISTED, "SHUT"):
                on = Securable("TABLE", (place.database, schema, name))
                yield Table(on=on, builder=place.role, project=project, place=place)
        if not place.lasting:
            on = Securable("TABLE", (place.database, "PR_7", "SHUT"))
            yield Table(on=on, builder=place.role, project=project, place=place, own=True)
            if place.environment == "dev" and project.developers:
                on = Securable("TABLE", (place.database, f"{project.developers[0]}_DEV", "MINE"))
                yield Table(on=on, builder=place.developer_role, project=project, place=place, own=True)


def after_a_build(account: Account, tables: list[Table]) -> Account:
    for table in tables:
        path = table.on.path
        opened = f"create schema if not exists {'.'.join(table.on.name[:2])};" if table.own else ""
        account, _ = run(f"use role {table.builder}; {opened} create table {path} (id int);", account)
    return account


def granted(deployment: Deployment, account: Account, listed: dict[str, list[str]]) -> Account:
    """As `mesh grants apply` does, by each project's own role, with what is in its first schema public."""
    for project, place in deployment.placed:
        if not place.lasting:
            continue
        where = {"database": place.database, "schema": project.schemas[0]}
        models = [
            public_model(
                name.lower(),
                project.name,
                relation_name=f"{place.database}.{project.schemas[0]}.{name}",
                **where,
                meta={"mesh": {"consumers": listed[project.name]}} if name == LISTED else {},
            )
            for name in ("OPEN", LISTED)
        ]
        read = interface(*models, project=project.name)
        schemas = frozenset(each for each in account.objects if each.kind == "SCHEMA")
        for _ in range(2):
            wanted = wanted_readers(read, place, deployment)
            plan = plan_grants(wanted, Held(account=account, listed=schemas), place, deployment)
            account, steps = run(grants_script(plan), account)
        assert not [statement.text for statement, changes in steps if changes]
    return account


def read_environments(mesh: Json, consumer: str, upstream: str, building: str) -> list[str]:
    """By the words of the README: what the upstream's entry says, else what the environment's says, else production
    for `dev` and `ci`, and itself for others.
    """
    entry = mesh["projects"][consumer]["upstreams"].get(upstream)
    if entry is None:
        return []
    apart = "prod" if building in {"dev", "ci"} else building
    said = entry.get("environment") or mesh["environments"][building]["reads"] or apart
    return [said] if isinstance(said, str) else said


def readable(mesh: Json, who: str, table: Table, deployment: Deployment, listed: dict[str, list[str]]) -> bool:
    """Whether a role should read a table, by what the documentation says."""
    if table.builder == who:
        return True
    of = table.project
    looks = {place.role for place in of.places if not place.lasting}
    looks |= {place.developer_role for place in of.places[:1] if of.developers and not of.place("dev")}
    looks |= {place.developer_role for place in of.places if of.developers and place.environment == "dev"}
    if who in looks and table.place.lasting and not table.own:
        return True
    if table.on.name[1] != of.schemas[0] or table.on.name[2] == "SHUT" or table.own:
        return False
    for project, place in deployment.placed:
        people = place.developer_role if place.environment == "dev" and project.developers else None
        if who in (place.role, people) and table.place.environment in read_environments(
            mesh, project.name, of.name, place.environment
        ):
            return table.on.name[2] != LISTED or project.name in listed[of.name]
    return False


def roles(deployment: Deployment) -> set[str]:
    people = {place.developer_role for project, place in deployment.placed if project.developers}
    return {place.role for _, place in deployment.placed} | people


@given(meshes())
def test_what_is_declined_is_declined_with_its_place_in_mesh_yml(
    tmp_path_factory: pytest.TempPathFactory, mesh: Json
) -> None:
    found = described(tmp_path_factory.mktemp("mesh"), mesh)
    event(type(found).__name__)
    if isinstance(found, UsageError):
        assert str(found.where).endswith("mesh.yml")
        assert any(place in f"{found.what} {found.then}" for place in ("projects.", "environments"))


@settings(
    max_examples=settings().max_examples // 5, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(meshes(), st.data())
def test_whatever_mesh_yml_says_everybody_can_do_what_they_should_and_no_more(
    tmp_path_factory: pytest.TempPathFactory, mesh: Json, data: st.DataObject
) -> None:
    deployment = described(tmp_path_factory.mktemp("mesh"), mesh)
    assume(isinstance(deployment, Deployment))
    assert isinstance(deployment, Deployment)
    people = {user for project in deployment.projects for user in project.developers}
    empty = Account(objects={Securable("USER", (user,)): Entry(owner=role("USERADMIN")) for user in people})
    once, changing = set_up(deployment, empty)
    assert changing
    assert set_up(deployment, once) == (once, [])
    names = st.lists(st.sampled_from(sorted(mesh["projects"])), unique=True)
    listed = {project.name: data.draw(names) for project in deployment.projects}
    tables = list(built(deployment))
    account = granted(deployment, after_a_build(once, tables), listed)
    assert set_up(deployment, account) == (account, [])
    for who in sorted(roles(deployment)):
        found = standing(account, role(who))
        asked = [(table.on.path, readable(mesh, who, table, deployment, listed)) for table in tables]
        assert asked == [(table.on.path, found.may("SELECT", table.on)) for table in tables], who
        for table in tables:
            for privilege in ("INSERT", "DELETE", "OWNERSHIP"):
                assert found.may(privilege, table.on) is (table.builder == who)
        for project, place in deployment.placed:
            opens = not place.lasting and (
                who == place.role or (place.environment == "dev" and project.developers and who == place.developer_role)
            )
            assert found.may("CREATE SCHEMA", Securable("DATABASE", (place.database,))) is bool(opens)
        uses = {
            place.warehouse
            for project, place in deployment.placed
            if who == place.role
            or (who == place.developer_role and place == (project.place("dev") or project.places[0]))
        }
        for warehouse in {place.warehouse for _, place in deployment.placed}:
            assert found.may("USAGE", Securable("WAREHOUSE", (warehouse,))) is (warehouse in uses)
            assert not found.may("MODIFY", Securable("WAREHOUSE", (warehouse,)))
    _expect_apart(deployment, account)


def _expect_apart(deployment: Deployment, account: Account) -> None:
    """No role has another but readers' roles, and nobody but the system's roles decides on others' grants."""
    ours = {role(name) for name in roles(deployment)}
    for member in account.memberships:
        if member.to in ours:
            assert member.role.kind == "DATABASE ROLE"
            assert member.role.name[1].startswith("MESH_")
    assert not [grant for grant in account.grants if grant.privilege == "MANAGE GRANTS" and grant.to in ours]
    for project, place in deployment.placed:
        user = Securable("USER", (place.user,))
        held = {member.role.name[0] for member in account.memberships if member.to == user}
        assert held == {other.role for other in project.places if other.user == place.user}
        share = Securable("SHARE", (f"{place.database}_SHARE",))
        if share in account.objects:
            seen = {thing.name[2] for thing in account.objects if may(account, share, "SELECT", thing)}
            assert seen == {"OPEN"}
