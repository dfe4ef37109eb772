"""Where a consumer uses its upstreams: every call that dbt would see, with its file and line, and no other."""

from pathlib import Path

import pytest

from registry_tools.errors import DocumentError
from registry_tools.intake.project import read_project
from registry_tools.intake.references import Reference, find_references

PROJECT = "name: dbt_down\n"


@pytest.fixture
def find(tmp_path: Path):
    """The references of a project with these files, as (place, upstream, model, version)."""

    def run(files: dict[str, str | bytes], *upstreams: str) -> list[tuple[str, str | None, str | None, str | None]]:
        references = find_all({"dbt_project.yml": PROJECT, **files}, *upstreams)
        return [(found.place, found.upstream, found.model, found.version) for found in references]

    def find_all(files: dict[str, str | bytes], *upstreams: str) -> tuple[Reference, ...]:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return find_references(read_project(tmp_path, {}), upstreams or ("up",))

    run.all = find_all  # type: ignore[attr-defined]
    return run


@pytest.mark.parametrize(
    ("text", "model", "version"),
    [
        ("{{ ref('up', 'x') }}", "x", None),
        ('{{ ref("up", "x") }}', "x", None),
        ("{{ref('up','x',)}}", "x", None),
        ("{{ ref('up', 'x', v=1) }}", "x", "1"),
        ("{{ ref('up', 'x', version=1) }}", "x", "1"),
        ("{{ ref('up', 'x', v = 1.5) }}", "x", "1.5"),
        ("{{ ref('up', 'x', v='2') }}", "x", "2"),
        ("{{ ref('up', 'x', v=none) }}", "x", None),
        ("{{ ref('up', 'x', other=1) }}", "x", None),
        ("{{ source('up', 'x_v2') }}", "x_v2", None),
        ("{{ ref ( 'up' ,\n 'x' ) }}", "x", None),
        ("{%- set t = ref('up', 'x') -%}", "x", None),
        ("{%+ if true %}{{ builtins.ref('up', 'x') }}{% endif %}", "x", None),
        ("-- {{ ref('up', 'x') }}", "x", None),
        ("/* {{ ref('up', 'x') }} */", "x", None),
        ("{{ f(g(ref('up', 'x')), {'a': {'b': 1}}) }}", "x", None),
        ("{{ {'a': {'b': ref('up', 'x')}} }}", "x", None),
        ("{{ config(post_hook=\"insert into t select * from {{ ref('up', 'x') }}\") }}", "x", None),
        ("{{ '}}' ~ ref('up', 'x') }}", "x", None),
        ("{# ' #}{{ ref('up', 'x') }}", "x", None),
        ("{% raw %}{{ ' {% endraw %}{{ ref('up', 'x') }}", "x", None),
        ("{{ ref('x') }}", "x", None),
        ("{{ ref('x', v=3) }}", "x", "3"),
    ],
)
def test_a_literal_call_is_found_with_what_it_names(find, text: str, model: str, version: str | None) -> None:
    (found,) = find.all({"models/a.sql": f"select 1\n\nfrom {text}\n", "dbt_project.yml": PROJECT})
    assert (found.model, found.version, found.dynamic, found.place) == (model, version, False, "models/a.sql:3")
    assert found.upstream == (None if "ref('x'" in text else "up")
    assert found.way == ("source" if "source" in text else "ref")
    assert found.may_be("up", model)
    assert not found.may_be("up", "other")


@pytest.mark.parametrize(
    "text",
    [
        "ref('up', 'x')",
        "{# {{ ref('up', 'x') }} #}",
        "{# {{ ref('up', 'x') }}",
        "{% raw %}{{ ref('up', 'x') }}{% endraw %}",
        "{% raw %}{{ ref('up', 'x') }}",
        "{{ 'ref(up, x)' }}",
        "{{ \"ref('up', 'x')\" }}",
        "{{ other.ref('up', 'x') }}",
        "{% macro ref(a, b) %}{% endmacro %}",
        "{{ my_ref('up', 'x') }}",
        "{{ ref }}{{ other.ref() }}",
        "{{ ref",
        "{{ ref('up', 'x",
        "{{ ref() }}",
        "{{ ref('up', 'x', 'y') }}",
        "{{ source('up') }}",
        "{{ ref('other', 'x') }}",
        "{{ source('raw', 'x') }}",
        "{{ ref('a') }}",
    ],
)
def test_what_jinja_does_not_call_is_no_reference(find, text: str) -> None:
    assert find({"models/a.sql": text}) == []


@pytest.mark.parametrize(
    ("call", "upstream", "model", "version"),
    [
        ("ref(var('p'), 'x')", None, "x", None),
        ("ref('up', name)", "up", None, None),
        ("ref('up', 'x' ~ y)", "up", None, None),
        ("ref('up', 'x\\\\y')", "up", None, None),
        ("ref('up', 'x', v=var('v'))", "up", "x", None),
        ("ref(name)", None, None, None),
        ("ref(*names)", None, None, None),
        ("source(a, b)", None, None, None),
    ],
)
def test_what_is_computed_is_said_to_be_unknown(
    find, call: str, upstream: str | None, model: str | None, version: str | None
) -> None:
    (found,) = find.all({"models/b.sql": f"{{{{ {call} }}}}", "dbt_project.yml": PROJECT})
    assert (found.upstream, found.model, found.version, found.dynamic) == (upstream, model, version, True)
    assert found.may_be("up", model or "anything")


def test_python_models_are_read_as_python(find) -> None:
    text = """
def model(dbt, session):
    # dbt.ref("up", "no")
    é = dbt.ref(
        "up",
        "x", v=2,
    )
    a = dbt.source("up", "y"), session.ref("up", "no"), "dbt.ref('up', 'no')"
    b = dbt.ref("up", f"{a}"), dbt.ref("up", "z", version=None), dbt.ref("up", "w", v=a), dbt.ref(*a)
    return dbt.ref("up", "q", **a)
"""
    assert find({"models/m.py": text}) == [
        ("models/m.py:4", "up", "x", "2"),
        ("models/m.py:8", "up", "y", None),
        ("models/m.py:9", None, None, None),
        ("models/m.py:9", "up", None, None),
        ("models/m.py:9", "up", "w", None),
        ("models/m.py:9", "up", "z", None),
        ("models/m.py:10", None, None, None),
    ]


@pytest.mark.parametrize("text", ["def ref(:", "dbt.ref('up', 'x'\0)", "(" * 5000 + "dbt.ref('up', 'x')"])
def test_what_is_not_python_is_left_to_dbt(find, text: str) -> None:
    assert find({"models/m.py": text}) == []


YAML = """
models:
  - name: a
    description: "É: use ref('up', 'no') or {{ ref('up', 'no') }}"
    meta: {hint: "ref('up', 'no')"}
    data_tests:
      - relationships: {arguments: {to: "ref('up', 'x')", field: id}}
      - dbt_utils.equality:
          compare_model: '{{ ref(''up'', ''y'') }}'
          config:
            where: >
              id in (select id from
              {{ ref('up', 'z') }}) and 1 in (select 1 from

              {{ ref('up', 'z2', v=1) }})
unit_tests:
  - name: t
    model: a
    given:
      - {input: "source('up', 'w')", rows: []}
      - input: ref('up', 'x', version=2)
exposures:
  - name: e
    depends_on: &same
      - ref('up', 'x')
      - note about source('up', 'no')
  - name: f
    depends_on: *same
"""


def test_yaml_is_read_value_by_value(find) -> None:
    assert find({"models/a.yml": YAML, "models/a.sql": ""}) == [
        ("models/a.yml:7", "up", "x", None),
        ("models/a.yml:9", "up", "y", None),
        ("models/a.yml:13", "up", "z", None),
        ("models/a.yml:15", "up", "z2", "1"),
        ("models/a.yml:20", "up", "w", None),
        ("models/a.yml:21", "up", "x", "2"),
        ("models/a.yml:25", "up", "x", None),
    ]


@pytest.mark.parametrize(
    "text", ["a: [ref('up', 'x')", "a: *b # ref('up')", "\x07 ref('up', 'x')", "[" * 3000 + "ref("]
)
def test_what_is_not_yaml_is_left_to_dbt(find, text: str) -> None:
    assert find({"models/a.yml": text, "models/b.yml": f"versions: {text}", "models/c.sql": "{{ ref('y') }}"}) == [
        ("models/c.sql:1", None, "y", None)
    ]


def test_every_folder_of_dbt_project_yml_is_read_and_no_other(find) -> None:
    project = """
name: dbt_down
model-paths: [marts, marts/deep, staging, 7]
test-paths: checks
on-run-end: "{{ ref('up', 'hook') }}"
target-path: marts/out
"""
    call = "{{ ref('up', 'x') }}"
    read = ["marts/deep/a.sql", "staging/b.sql", "snapshots/s.sql", "analyses/n.sql", "macros/m.sql", "seeds/s.yaml"]
    unread = [
        *("models/a.sql", "tests/t.sql", "marts/out/compiled.sql", "dbt_packages/p/models/a.sql", "marts/.a.sql"),
        *("mesh_packages/up/models/x.sql", "marts/_mesh_up.yml", "marts/a.md", "marts/#a.sql", "seeds/a.csv"),
    ]
    files = dict.fromkeys((*read, *unread), call) | {"seeds/s.yaml": f'a: "{call}"', "marts/_mesh_up.yml": f'"{call}"'}
    found = find({"dbt_project.yml": project} | files)
    assert {place for place, *_ in found} == {f"{name}:1" for name in read} | {"dbt_project.yml:5"}


def test_a_whole_project_as_its_own_model_path_leaves_out_what_is_not_its_own(find) -> None:
    call = "{{ ref('up', 'x') }}"
    files = ["target/a.sql", "dbt_packages/p/models/a.sql", "mesh_packages/up/models/x.sql", ".mesh/a.sql", "b.sql"]
    found = find({"dbt_project.yml": "name: dbt_down\nmodel-paths: ['.']\n"} | dict.fromkeys(files, call))
    assert [place for place, *_ in found] == ["b.sql:1"]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("drafts/\n", {"models/a.sql", "models/deep/drafts.sql", "models/deep/b.sql"}),
        ("*.sql\n!models/a.sql\n", {"models/a.sql"}),
        ("/models/deep\n", {"models/a.sql", "models/drafts/c.sql"}),
        ("models/**/b.sql\n", {"models/a.sql", "models/drafts/c.sql", "models/deep/drafts.sql"}),
        ("**/deep/**\n", {"models/a.sql", "models/drafts/c.sql"}),
        ("# a.sql\n\n[ab].sql\n", {"models/drafts/c.sql", "models/deep/drafts.sql"}),
        ("[!a].sql\n", {"models/a.sql", "models/deep/drafts.sql"}),
        ("[z-a].sql\n?.sql\n", {"models/deep/drafts.sql"}),
        ("/\n!\n", {"models/a.sql", "models/drafts/c.sql", "models/deep/drafts.sql", "models/deep/b.sql"}),
    ],
)
def test_what_dbtignore_names_is_left_out(find, ignore: str, left: set[str]) -> None:
    names = ["models/a.sql", "models/drafts/c.sql", "models/deep/drafts.sql", "models/deep/b.sql"]
    found = find({".dbtignore": ignore} | dict.fromkeys(names, "{{ ref('up', 'x') }}"))
    assert {place.removesuffix(":1") for place, *_ in found} == left


def test_a_dbtignore_that_is_no_text_names_nothing(find) -> None:
    assert len(find({".dbtignore": b"\xff", "models/a.sql": "{{ ref('up', 'x') }}"})) == 1


def test_a_name_alone_is_no_reference_where_it_is_known_at_home(find) -> None:
    names = ["model", "seed", "snap", "versioned", "odd", "yaml_snap", "package_model", "theirs"]
    files = {
        "models/all.sql": "\n".join(f"{{{{ ref('{name}') }}}}" for name in names),
        "models/model.sql": "",
        "models/versioned_v2.sql": "",
        "models/odd_file.sql": "",
        "models/odd.yml": "models:\n  - {name: odd, versions: [{v: 1, defined_in: odd_file}]}\n  - 7\n",
        "snapshots/s.yml": "snapshots:\n  - name: yaml_snap\n",
        "snapshots/s.sql": "{% snapshot snap %}{% endsnapshot %}",
        "snapshots/none.yml": "- snapshots:",
        "seeds/seed.csv": "",
        "dbt_packages/p/models/staging/package_model.sql": "",
        "dbt_packages/up/models/theirs.sql": "",
    }
    assert find(files) == [("models/all.sql:8", None, "theirs", None)]


def test_links_that_lead_in_circles_end(find, tmp_path: Path) -> None:
    (tmp_path / "models/deep").mkdir(parents=True)
    (tmp_path / "models/deep/up").symlink_to(tmp_path / "models")
    assert len(find({"models/deep/a.sql": "{{ ref('up', 'x') }}"})) == 1


def test_files_that_cannot_be_read_are_left_to_dbt(find, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/gone.sql").symlink_to(tmp_path / "nowhere")
    assert find({"models/a.sql": b"\xff {{ ref('up', 'x') }}"}) == []


def test_who_reads_nobody_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    project = read_project(tmp_path, {})
    (tmp_path / "dbt_project.yml").write_text("a: [")
    assert find_references(project, ()) == ()
    with pytest.raises(DocumentError, match="not YAML"):
        find_references(project, ("up",))


def test_a_table_that_a_person_describes_is_no_model_of_the_upstream(find) -> None:
    text = "sources: [7, {name: up, tables: [{name: own}, 7, {}, {name: [x]}]}, {name: other, tables: [{name: x}]}]"
    call = "{{ source('up', 'own') }}{{ source('up', 'x') }}{{ source('up', name) }}{{ ref('up', 'own') }}"
    assert find({"models/s.yml": text, "models/none.yml": "- up sources:", "models/a.sql": call}) == [
        ("models/a.sql:1", "up", None, None),
        ("models/a.sql:1", "up", "own", None),
        ("models/a.sql:1", "up", "x", None),
    ]
