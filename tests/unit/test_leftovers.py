"""Schemas that pull requests left behind: which can go, and that nothing else ever does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_tools.account.schemas import schemas_in
from registry_tools.errors import UsageError
from registry_tools.mesh.account import Securable, database_role, role
from registry_tools.mesh.deployment import Place
from registry_tools.mesh.leftovers import FoundSchema, leftovers, passing_places
from tests.deployments import written

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OLD = NOW - timedelta(days=15)
OWN = role("SHOP_ROLE")
PLACE = Place(
    environment="ci",
    database="SHOP_CI",
    warehouse="SHOP_WH",
    role="SHOP_ROLE",
    user="SHOP_SVC",
    developer_role="SHOP_DEVELOPER",
    lasting=False,
)
MESH = """\
version: 1
environments: {prod: {reads: prod}, staging: {reads: staging}, ci: {reads: prod}, dev: {reads: prod}}
projects:
  shop: {path: shop, snowflake: {database: "SHOP_{ENV}", warehouse: SHOP_WH, role: SHOP_ROLE}}
"""


def schema(
    name: str, *, created: datetime | None = OLD, owner: Securable | None = OWN, database: str = "SHOP_CI"
) -> FoundSchema:
    return FoundSchema(schema=Securable("SCHEMA", (database, name)), owner=owner, created=created)


def dropped(*found: FoundSchema) -> list[str]:
    return [each.schema.path for each in leftovers(PLACE, found, NOW - timedelta(days=14))]


def test_what_a_pull_request_left_behind_goes() -> None:
    assert dropped(schema("PR_7"), schema("PR_12_MARTS"), schema('PR_12_a"b')) == [
        "SHOP_CI.PR_7",
        "SHOP_CI.PR_12_MARTS",
        'SHOP_CI."PR_12_a""b"',
    ]


@pytest.mark.parametrize(
    "name", ["CI", "MARTS", "PR", "PR_", "PR_7MARTS", "PR_X", "PR_²", "XPR_7", "pr_7", "PUBLIC", "INFORMATION_SCHEMA"]
)
def test_what_is_named_otherwise_stays(name: str) -> None:
    assert dropped(schema(name)) == []


@pytest.mark.parametrize(
    "found",
    [
        schema("PR_7", created=NOW - timedelta(days=14)),
        schema("PR_7", created=None),
        schema("PR_7", owner=None),
        schema("PR_7", owner=role("OTHER_ROLE")),
        schema("PR_7", owner=database_role("SHOP_CI", "SHOP_ROLE")),
        schema("PR_7", database="SHOP_PROD"),
    ],
    ids=["young", "no age", "nobody's", "another's", "a database role's", "elsewhere"],
)
def test_what_is_young_or_of_another_or_elsewhere_stays(found: FoundSchema) -> None:
    assert dropped(found) == []


@given(st.text(), st.text(), st.sampled_from([OLD, NOW, None]))
def test_nothing_goes_but_old_schemas_of_pull_requests_that_are_its_own(
    name: str, owner: str, created: datetime | None
) -> None:
    found = schema(name, created=created, owner=role(owner))
    assert dropped(found) == []  # no text is the role by chance
    gone = dropped(schema(name, created=created))
    assert not gone or (created == OLD and name.startswith("PR_") and name[3:4] in set("0123456789"))


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ("prod", "prod lasts, and nothing is dropped there"),
        ("staging", "staging lasts"),
        ("CI", "there is no environment CI"),
    ],
)
def test_what_lasts_is_refused(tmp_path: Path, environment: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as error:
        passing_places(written(tmp_path, MESH), environment)
    assert error.value.then == "use --env ci or dev"


def test_what_somebody_reads_lasts_whatever_environments_say(tmp_path: Path) -> None:
    reader = """\
  desk:
    path: desk
    snowflake: {database: "DESK_{ENV}", warehouse: W, role: DESK_ROLE}
    upstreams: {shop: {as: sources, environment: ci}}
"""
    text = MESH.replace("dev: {reads: prod}", "qa: {reads: prod}") + reader
    assert [place.database for place in passing_places(written(tmp_path, text), "ci")] == ["DESK_CI"]
    assert [place.database for place in passing_places(written(tmp_path, text), "qa")] == ["SHOP_QA", "DESK_QA"]


def test_where_everything_lasts_there_is_nothing_to_use(tmp_path: Path) -> None:
    text = MESH.replace(", ci: {reads: prod}, dev: {reads: prod}", "")
    with pytest.raises(UsageError) as error:
        passing_places(written(tmp_path, text), "prod")
    assert "every environment" in error.value.then


class Told:
    """A session that answers SHOW SCHEMAS with one schema, created at what is given."""

    def __init__(self, created: object) -> None:
        self.created = created

    def run(self, statement: str) -> list[dict[str, object]]:
        assert statement == "show schemas in database SHOP_CI"
        row = {"created_on": self.created, "name": "PR_7", "owner": "SHOP_ROLE", "owner_role_type": "ROLE"}
        return [dict(row)]


@pytest.mark.parametrize(
    ("created", "read"),
    [
        (NOW, NOW),
        (NOW.replace(tzinfo=None), NOW),
        ("2026-11-22T00:00:00.000+00:00", NOW),
        ("2026-11-22", NOW),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_time_is_read_as_the_connector_has_it(created: object, read: datetime | None) -> None:
    (found,) = schemas_in(Told(created), "SHOP_CI")
    assert found == schema("PR_7", created=read)
