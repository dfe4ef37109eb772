"""packages.yml: a local package more, and nothing else of a person's file is touched."""

from pathlib import Path

import pytest
import yaml

from registry_tools.artifacts.packages_text import with_packages
from registry_tools.errors import DocumentError
from registry_tools.intake.packages import read_packages

UP = "mesh_packages/dbt_up"
HUB = "package: dbt-labs/dbt_utils"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"packages:\n  - local: {UP}\n"),
        ("# ours\n", f"# ours\npackages:\n  - local: {UP}\n"),
        ("projects: [{name: x}]", f"projects: [{{name: x}}]\npackages:\n  - local: {UP}\n"),
        ("packages:", f"packages:\n  - local: {UP}\n"),
        ("packages:  # none yet\n# end\n", f"packages:  # none yet\n  - local: {UP}\n# end\n"),
        ("packages: []\n", f"packages: [{{local: {UP}}}]\n"),
        ("packages: [{local: a}]  # short\n", f"packages: [{{local: a}}, {{local: {UP}}}]  # short\n"),
        (f"packages:\n- {HUB}  # why\n", f"packages:\n- {HUB}  # why\n- local: {UP}\n"),
        (
            f"packages:\n    - {HUB}\n      version: [1, 2]  # pinned\n\n# below\nprojects: []\n",
            f"packages:\n    - {HUB}\n      version: [1, 2]  # pinned\n    - local: {UP}\n\n# below\nprojects: []\n",
        ),
        (
            "packages:\n  - git: |\n      https://x\n  # last\nvars: 1\n",
            f"packages:\n  - git: |\n      https://x\n  - local: {UP}\n  # last\nvars: 1\n",
        ),
        (
            "packages:\n  - local: '{{ env_var(\"X\") }}'\n",
            f"packages:\n  - local: '{{{{ env_var(\"X\") }}}}'\n  - local: {UP}\n",
        ),
    ],
)
def test_a_package_more_and_everything_else_as_it_was(text: str, expected: str) -> None:
    assert with_packages(text, [UP]) == expected


def test_several_at_once() -> None:
    written = with_packages(f"packages:\n  - {HUB}\n", [UP, "mesh_packages/other"])
    assert yaml.safe_load(written)["packages"][1:] == [{"local": UP}, {"local": "mesh_packages/other"}]


@pytest.mark.parametrize("text", ["packages: 3\n", "packages: {a: b}\n", "- packages\n", "a: &x [1]\npackages: *x\n"])
def test_what_is_no_list_of_packages_is_left_to_its_owner(text: str) -> None:
    with pytest.raises(ValueError, match=r"no list|no room"):
        with_packages(text, [UP])


def test_a_project_without_the_file_lists_nothing(tmp_path: Path) -> None:
    found = read_packages(tmp_path)
    assert (found.path, found.text, found.local) == (tmp_path / "packages.yml", "", frozenset())


def test_dependencies_yml_counts_where_it_alone_lists_packages(tmp_path: Path) -> None:
    (tmp_path / "packages.yml").write_text("# nothing\n")
    (tmp_path / "dependencies.yml").write_text(f"packages:\n  - local: ./{UP}/\n  - {HUB}\n  - 3\n")
    found = read_packages(tmp_path)
    assert (found.path.name, found.local) == ("dependencies.yml", frozenset({UP}))


def test_dependencies_yml_with_projects_alone_leaves_packages_yml(tmp_path: Path) -> None:
    (tmp_path / "dependencies.yml").write_text("projects: [{name: x}]\n")
    assert read_packages(tmp_path).path.name == "packages.yml"


@pytest.mark.parametrize("content", [b"packages: [\n", b"\xff\xfe", b"packages: " + b"[" * 5000])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "packages.yml").write_bytes(content)
    with pytest.raises(DocumentError, match="the list of packages is not") as found:
        read_packages(tmp_path)
    assert found.value.where == str(tmp_path / "packages.yml")
