"""Settings: flags beat variables beat mesh.yml, and whatever is wrong in mesh.yml is said with its key."""

import re
from pathlib import Path
from typing import Any

import pytest

from registry_tools.errors import DocumentError, MeshError, UsageError
from registry_tools.mesh.upstream import Upstream
from registry_tools.registry.s3_options import S3Options
from registry_tools.settings import (
    Flags,
    Mesh,
    environments_to_read,
    find_mesh,
    read_mesh,
    registry_root,
    upstreams_to_sync,
)

# Design, section 4, with the braces of DBT_UP_{ENV} in quotes: without them YAML reads a mapping.
DESIGNED = """\
version: 1
registry: ${DBT_MESH_REGISTRY:-.mesh/registry}
environments:
  prod: {reads: prod}
  ci:   {reads: prod}
  dev:
projects:
  dbt_up:
    path: dbt_up
    owner: {team: Core Data, contact: "#core-data"}
    snowflake: {database: "DBT_UP_{ENV}", warehouse: DBT_UP_WH, role: DBT_UP_ROLE}
    compatibility: consumers-strict
  dbt_down:
    owner: {team: Orders Analytics, contact: "#orders"}
    upstreams:
      dbt_up: {as: loom, environment: staging, tests: true, databases: {PROD: SHARED}, schemas: {MARTS: UP}}
      dbt_other:
"""


@pytest.fixture
def written(tmp_path: Path):
    """mesh.yml of this text, read."""

    def write(text: str, **environment: str) -> Mesh:
        (tmp_path / "mesh.yml").write_text(text)
        return read_mesh(tmp_path / "mesh.yml", environment)

    return write


def test_the_designed_mesh_is_read(written, tmp_path) -> None:
    found = written(DESIGNED)
    assert found.registry == str(tmp_path / ".mesh/registry")
    assert found.reads == {"prod": ("prod",), "ci": ("prod",), "dev": ()}
    up, down = found.projects["dbt_up"], found.projects["dbt_down"]
    assert (up.path, down.path) == (tmp_path / "dbt_up", tmp_path / "dbt_down")
    assert up.owner == {"team": "Core Data", "contact": "#core-data"}
    assert up.platform.database == "DBT_UP_{ENV}"
    assert (up.compatibility.modes.of_project, down.compatibility.modes.of_project) == ("consumers-strict", "consumers")
    assert down.upstreams == (
        Upstream(
            name="dbt_up",
            way="loom",
            environments=("staging",),
            tests=True,
            databases={"PROD": "SHARED"},
            schemas={"MARTS": "UP"},
        ),
        Upstream(name="dbt_other"),
    )


def test_braces_without_quotes_are_yaml_and_said_with_their_place(written) -> None:
    with pytest.raises(DocumentError, match=r"mesh\.yml:4:.* is not YAML"):
        written("version: 1\nprojects:\n  dbt_up:\n    snowflake: {database: DBT_UP_{ENV}, warehouse: X}\n")


def test_the_least_mesh_has_nothing(written) -> None:
    found = written("version: 1\n")
    assert (found.registry, found.reads, found.projects) == (None, {}, {})


# -- where the registry is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "environment", "in_file", "root"),
    [
        (Flags(registry="F"), {"DBT_MESH_REGISTRY": "E"}, "M", "F"),
        (Flags(bucket="F"), {"DBT_MESH_REGISTRY": "E"}, "M", "s3://F/registry"),
        (Flags(bucket="F"), {"DBT_MESH_BUCKET": "E"}, None, "s3://F/registry"),
        (Flags(), {"DBT_MESH_REGISTRY": "E", "DBT_MESH_BUCKET": "B"}, "M", "E"),
        (Flags(), {"DBT_MESH_BUCKET": "B"}, "M", "s3://B/registry"),
        (Flags(), {"DBT_MESH_REGISTRY": "", "DBT_MESH_BUCKET": ""}, "M", "M"),
        (Flags(), {}, "M", "M"),
    ],
)
def test_flags_beat_variables_beat_the_file(
    tmp_path, flags: Flags, environment: dict[str, str], in_file: str | None, root: str
) -> None:
    assert registry_root(flags, Mesh(file=None, registry=in_file), environment, tmp_path) == root


@pytest.mark.parametrize("flags", [Flags(registry=""), Flags(bucket="")])
def test_an_empty_flag_is_an_unset_variable_and_not_the_next_best_registry(tmp_path, flags: Flags) -> None:
    with pytest.raises(UsageError, match="is empty"):
        registry_root(flags, Mesh(file=None, registry="M"), {"DBT_MESH_REGISTRY": "E"}, tmp_path)


def test_no_registry_at_all_says_how_to_name_one(tmp_path) -> None:
    with pytest.raises(UsageError, match="no registry is named") as caught:
        registry_root(Flags(), Mesh(file=None), {}, tmp_path)
    assert "--bucket" in caught.value.then


@pytest.mark.parametrize(
    "flags",
    [Flags(registry="a", bucket="b"), Flags(registry="a", local=True), Flags(bucket="b", local=True)],
)
def test_two_flags_contradict_each_other(tmp_path, flags: Flags) -> None:
    with pytest.raises(UsageError, match="name different registries"):
        registry_root(flags, Mesh(file=None), {}, tmp_path)


@pytest.mark.parametrize(
    ("file", "git", "home"),
    [("mesh.yml", "a", "."), (None, "a", "a"), (None, ".", "."), (None, None, "a/b")],
)
def test_local_is_beside_mesh_yml_else_in_the_checkout_else_here(
    tmp_path, file: str | None, git: str | None, home: str
) -> None:
    (folder := tmp_path / "a" / "b").mkdir(parents=True)
    if git:
        (tmp_path / git / ".git").mkdir()
    found = Mesh(file=tmp_path / file if file else None)
    assert registry_root(Flags(local=True), found, {}, folder) == str(tmp_path / home / ".mesh/registry")


@pytest.mark.parametrize(
    ("text", "environment", "root"),
    [
        ("${R}", {"R": "s3://b/p"}, "s3://b/p"),
        ("${R:-s3://d/p}", {"R": "s3://b/p"}, "s3://b/p"),
        ("${R:-s3://d/p}", {}, "s3://d/p"),
        ("${R:-s3://d/p}", {"R": ""}, "s3://d/p"),
        ("s3://${B}/${P:-registry}", {"B": "b"}, "s3://b/registry"),
        ("s3://b/$R", {"R": "x"}, "s3://b/$R"),
        ("${A}", {"A": "s3://${B}", "B": "x"}, "s3://${B}"),
    ],
)
def test_variables_are_filled_in_once(written, text: str, environment: dict[str, str], root: str) -> None:
    assert written(f"version: 1\nregistry: '{text}'\n", **environment).registry == root


def test_a_default_may_be_empty(written) -> None:
    assert written("version: 1\nregistry: '${R:-}'\n").registry is None


def test_a_directory_is_meant_from_where_mesh_yml_stands(written, tmp_path) -> None:
    assert written("version: 1\nregistry: up/../registry\n").registry == str(tmp_path / "up/../registry")
    assert written("version: 1\nregistry: /srv/registry\n").registry == "/srv/registry"


@pytest.mark.parametrize("environment", [{}, {"R": ""}])
def test_a_variable_that_is_not_set_is_named_with_its_key(written, environment: dict[str, str]) -> None:
    with pytest.raises(DocumentError, match="'registry' needs the variable R, which is not set") as caught:
        written("version: 1\nregistry: ${R}\n", **environment)
    assert "${R:-default}" in caught.value.then


# -- how its bucket is reached ----------------------------------------------------------------------------------------


def test_a_registry_may_say_how_its_bucket_is_reached(written) -> None:
    found = written(
        """\
version: 1
registry:
  root: s3://${B}/registry
  endpoint: http://minio.internal:9000
  region: eu-central-1
  path_style: true
  kms_key: arn:aws:kms:eu-central-1:123456789012:alias/mesh
  sse: aws:kms
  connect_timeout: 0.5
  read_timeout: 20
""",
        B="mesh",
    )
    assert found.registry == "s3://mesh/registry"
    assert found.s3 == S3Options(
        endpoint="http://minio.internal:9000",
        region="eu-central-1",
        path_style=True,
        kms_key="arn:aws:kms:eu-central-1:123456789012:alias/mesh",
        sse="aws:kms",
        connect_timeout=0.5,
        read_timeout=20.0,
    )


@pytest.mark.parametrize("registry", ["{}", "{region: eu-west-1}", "{root: }", "{root: ''}"])
def test_a_root_may_be_left_to_flags_and_variables(written, registry: str) -> None:
    assert written(f"version: 1\nregistry: {registry}\n").registry is None


def test_a_directory_in_the_mapping_is_meant_from_where_mesh_yml_stands(written, tmp_path) -> None:
    found = written("version: 1\nregistry: {root: registry}\n")
    assert (found.registry, found.s3) == (str(tmp_path / "registry"), S3Options())


@pytest.mark.parametrize("text", ["registry: s3://b/p", "projects: {}"])
def test_what_is_not_said_is_left_to_aws(written, text: str) -> None:
    assert written(f"version: 1\n{text}\n").s3 == S3Options()


def test_the_mapping_in_the_readme_is_read(written) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    block = re.search(r"```yaml\n(registry:\n.*?)```", readme, re.DOTALL)
    assert block
    found = written(f"version: 1\n{block[1]}")
    assert found.registry == "s3://my-bucket/registry"
    assert found.s3 == S3Options(
        region="eu-central-1", kms_key="alias/mesh", endpoint="https://minio.internal:9000", path_style=True
    )


def test_an_endpoint_that_is_none_is_not_shown_for_a_password_may_stand_in_it(written) -> None:
    with pytest.raises(DocumentError) as caught:
        written("version: 1\nregistry: {endpoint: 'https://anna:PLANTED@minio'}\n")
    assert "registry.endpoint" in caught.value.what
    assert "PLANTED" not in str(caught.value)


def test_two_kinds_of_encryption_contradict_each_other(written) -> None:
    with pytest.raises(DocumentError, match="exclude each other"):
        written("version: 1\nregistry: {kms_key: alias/mesh, sse: AES256}\n")


# -- what is wrong in it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["", "version: 2\n", "version: '1'\n", "version: true\n", "version: [1]\n"])
def test_another_version_is_said(written, version: str) -> None:
    with pytest.raises(DocumentError, match="'version' is not 1"):
        written(f"{version}projects: {{}}\n")


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("registri: x", "registri", "'registry'"),
        ("environments: {prod: {read: x}}", "environments.prod.read", "'reads'"),
        ("projects: {up: {ownr: {}}}", "projects.up.ownr", "'owner'"),
        ("projects: {up: {owner: {tem: x}}}", "projects.up.owner.tem", "'team'"),
        ("projects: {up: {snowflake: {rol: x}}}", "projects.up.snowflake.rol", "'role'"),
        ("projects: {up: {upstreams: {x: {test: true}}}}", "projects.up.upstreams.x.test", "'tests'"),
        ("registry: {regoin: x}", "registry.regoin", "'region'"),
        ("registry: {kms: x}", "registry.kms", "'kms_key'"),
        ("1: x", "1", "known here: version"),
        ("projects: {up: {zzz: 1}}", "projects.up.zzz", "known here: path"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(written, text: str, key: str, near: str) -> None:
    with pytest.raises(DocumentError) as caught:
        written(f"version: 1\n{text}\n")
    assert caught.value.what == f"unknown key '{key}'"
    assert near in caught.value.then


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("registry: 1", "registry"),
        ("registry: [a]", "registry"),
        ("registry: {root: [a]}", "registry.root"),
        ("registry: {region: EU West}", "registry.region"),
        ("registry: {region: 1}", "registry.region"),
        ("registry: {path_style: 'yes'}", "registry.path_style"),
        ("registry: {kms_key: 'a key'}", "registry.kms_key"),
        ("registry: {sse: rot13}", "registry.sse"),
        ("registry: {connect_timeout: '5'}", "registry.connect_timeout"),
        ("registry: {connect_timeout: 0}", "registry.connect_timeout"),
        ("registry: {read_timeout: true}", "registry.read_timeout"),
        ("registry: {read_timeout: .nan}", "registry.read_timeout"),
        ("registry: {read_timeout: .inf}", "registry.read_timeout"),
        ("registry: {endpoint: minio:9000}", "registry.endpoint"),
        ("registry: {endpoint: 'ftp://minio'}", "registry.endpoint"),
        ("registry: {endpoint: 'http://minio?x=1'}", "registry.endpoint"),
        ("environments: [prod]", "environments"),
        ("environments: {prod: prod}", "environments.prod"),
        ("environments: {prod: {reads: 1}}", "environments.prod.reads"),
        ("environments: {1: {}}", "environments"),
        ("projects: [dbt_up]", "projects"),
        ("projects: {up: dbt_up}", "projects.up"),
        ("projects: {1: {}}", "projects"),
        ("projects: {up: {path: 1}}", "projects.up.path"),
        ("projects: {up: {owner: me}}", "projects.up.owner"),
        ("projects: {up: {owner: {team: 1}}}", "projects.up.owner.team"),
        ("projects: {up: {snowflake: {role: [x]}}}", "projects.up.snowflake.role"),
        ("projects: {up: {compatibility: strict}}", "projects.up.compatibility"),
        ("projects: {up: {upstreams: [x]}}", "projects.up.upstreams"),
        ("projects: {up: {upstreams: {x: sources}}}", "projects.up.upstreams.x"),
        ("projects: {up: {upstreams: {x: {as: magic}}}}", "projects.up.upstreams.x.as"),
        ("projects: {up: {upstreams: {x: {tests: 'yes'}}}}", "projects.up.upstreams.x.tests"),
        ("projects: {up: {upstreams: {x: {databases: [A]}}}}", "projects.up.upstreams.x.databases"),
        ("projects: {up: {upstreams: {x: {schemas: {A: 1}}}}}", "projects.up.upstreams.x.schemas.A"),
        ("projects: {up: {upstreams: {x: {environment: 1}}}}", "projects.up.upstreams.x.environment"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_key(written, tmp_path, text: str, key: str) -> None:
    with pytest.raises(DocumentError) as caught:
        written(f"version: 1\n{text}\n")
    assert f"'{key}'" in caught.value.what
    assert caught.value.where == str(tmp_path / "mesh.yml")
    assert caught.value.then


@pytest.mark.parametrize(
    "text",
    [
        "environments: {Prod: {}}",
        "environments: {prod: {reads: ../x}}",
        "projects: {../up: {}}",
        "projects: {_edges: {}}",
        "projects: {up: {upstreams: {../x: {}}}}",
        "projects: {up: {upstreams: {x: {environment: A/B}}}}",
    ],
)
def test_a_name_that_is_none_is_said_with_the_file(written, tmp_path, text: str) -> None:
    with pytest.raises(MeshError, match="is not") as caught:
        written(f"version: 1\n{text}\n")
    assert str(caught.value.where).startswith(str(tmp_path / "mesh.yml"))
    assert caught.value.exit_code == 2


# -- finding it, and what it means ------------------------------------------------------------------------------------


def test_mesh_yml_is_found_from_any_folder_below(written, tmp_path) -> None:
    written("version: 1\n")
    (inner := tmp_path / "a" / "b").mkdir(parents=True)
    assert find_mesh(inner, {}).file == tmp_path / "mesh.yml"
    assert find_mesh(tmp_path, {}).file == tmp_path / "mesh.yml"


def test_the_nearest_mesh_yml_counts(written, tmp_path) -> None:
    written("version: 1\n")
    (inner := tmp_path / "a").mkdir()
    (inner / "mesh.yml").write_text("version: 1\n")
    assert find_mesh(inner, {}).file == inner / "mesh.yml"


def test_without_mesh_yml_the_mesh_is_empty(tmp_path) -> None:
    assert find_mesh(tmp_path, {}) == Mesh(file=None)


def test_an_environment_reads_what_the_file_says(written) -> None:
    """To name one without saying what it reads is to say nothing of it."""
    found = written("version: 1\nenvironments: {prod: , ci: {reads: staging}, dev: , staging: {}}\n")
    asked = ("prod", "ci", "dev", "staging", "other")
    expected = [("prod",), ("staging",), ("prod",), ("staging",), ("other",)]
    assert [environments_to_read(found, name) for name in asked] == expected


@pytest.mark.parametrize(
    ("environment", "reads"),
    [("dev", ("prod",)), ("ci", ("prod",)), ("prod", ("prod",)), ("staging", ("staging",)), ("dev2", ("dev2",))],
)
def test_where_nobody_says_what_is_read_dev_and_ci_read_production(environment: str, reads: tuple[str, ...]) -> None:
    assert environments_to_read(Mesh(file=None), environment) == reads


def test_environments_are_read_in_the_order_that_is_written(written) -> None:
    upstream = "projects: {a: {upstreams: {b: {environment: [qa, prod]}, c: {environment: '${WHERE}'}}}}"
    found = written("version: 1\nenvironments: {staging: {reads: [staging, '${LAST:-prod}']}}\n" + upstream, WHERE="qa")
    assert environments_to_read(found, "staging") == ("staging", "prod")
    assert [read.environments for read in found.projects["a"].upstreams] == [("qa", "prod"), ("qa",)]


@pytest.mark.parametrize(
    ("reads", "says"),
    [
        ("[]", "'environments.dev.reads' is an empty list"),
        ("[prod, prod]", "'environments.dev.reads' names prod twice"),
        ("[prod, 1]", "'environments.dev.reads[1]' is 1, not text"),
        ("[prod, ]", None),
        ("[prod, null]", "'' is not an environment"),
        ("[prod, ../x]", "'../x' is not an environment"),
        ("[[prod]]", "'environments.dev.reads[0]' is ['prod'], not text"),
        ("{prod: staging}", "'environments.dev.reads' is {'prod': 'staging'}, not text"),
        ("''", "'' is not an environment"),
        ("['${NOT_SET}']", "'environments.dev.reads[0]' needs the variable NOT_SET"),
    ],
)
def test_a_list_of_environments_that_is_none(written, reads: str, says: str | None) -> None:
    text = f"version: 1\nenvironments: {{dev: {{reads: {reads}}}}}\n"
    if says is None:
        assert written(text).reads == {"dev": ("prod",)}
        return
    with pytest.raises(MeshError, match=re.escape(says)) as caught:
        written(text)
    assert "mesh.yml" in str(caught.value.where)


@pytest.mark.parametrize(
    ("project", "asked", "names_and_ways"),
    [
        ("dbt_down", (), [("dbt_up", "loom"), ("dbt_other", "sources")]),
        ("dbt_down", ("dbt_up",), [("dbt_up", "loom")]),
        ("dbt_down", ("new", "dbt_up"), [("new", "sources"), ("dbt_up", "loom")]),
        ("dbt_up", (), []),
        ("elsewhere", (), []),
        ("elsewhere", ("dbt_up",), [("dbt_up", "sources")]),
    ],
)
def test_asked_upstreams_are_read_as_declared(
    written, project: str, asked: tuple[str, ...], names_and_ways: Any
) -> None:
    found = upstreams_to_sync(written(DESIGNED), project, asked)
    assert [(upstream.name, upstream.way) for upstream in found] == names_and_ways


def test_an_asked_upstream_that_is_no_name_names_the_flag() -> None:
    with pytest.raises(UsageError, match="is not a project name") as caught:
        upstreams_to_sync(Mesh(file=None), "dbt_down", ("../up",))
    assert caught.value.where == "--upstream"


def test_an_upstream_is_narrowed_by_names_and_patterns(tmp_path: Path) -> None:
    text = "version: 1\nprojects: {a: {upstreams: {b: {included: [x, 'y_*'], excluded: [y_1], used_only: true}}}}\n"
    (tmp_path / "mesh.yml").write_text(text)
    (upstream,) = read_mesh(tmp_path / "mesh.yml", {}).projects["a"].upstreams
    assert (upstream.included, upstream.excluded, upstream.used_only) == (("x", "y_*"), ("y_1",), True)


@pytest.mark.parametrize(
    ("written", "needle"),
    [("x", "not a list"), ("[1]", "not text"), ("['a*b*']", "not a name or a pattern"), ("['']", "not a name")],
)
def test_a_pattern_that_is_none_is_an_error_with_its_place(tmp_path: Path, written: str, needle: str) -> None:
    text = f"version: 1\nprojects: {{a: {{upstreams: {{b: {{included: {written}}}}}}}}}\n"
    (tmp_path / "mesh.yml").write_text(text)
    with pytest.raises(DocumentError, match=needle) as caught:
        read_mesh(tmp_path / "mesh.yml", {})
    assert "projects.a.upstreams.b.included" in caught.value.what
