"""What docs/*.md say, as far as it can be tried without an account: commands parse, SQL parses, sums add up."""

import ast
import json
import operator
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import pytest
import sqlglot
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from click.testing import CliRunner
from sqlfluff.core import Linter
from sqlglot import exp

from registry_tools.cli.app import load, mesh
from registry_tools.mesh.deployment import PUBLIC_READER
from registry_tools.settings import deployment_of, find_mesh
from tests.readme.test_readme import shape
from tests.running import REPOSITORY

DOCS: Final = sorted((REPOSITORY / "docs").glob("*.md"))
_FENCED: Final = re.compile(r"(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
_COMMANDS: Final = {"mesh": mesh, "publish_manifest": load("publish"), "sync_mesh": load("sync")}
_ARITHMETIC: Final[dict[type[ast.operator], Any]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def fenced(document: Path, *languages: str) -> Iterator[tuple[str, str]]:
    """The blocks of these languages, each with the note above it."""
    for found in _FENCED.finditer(document.read_text()):
        if found["language"] in languages:
            yield found["note"] or "", found["text"]


def typed(text: str) -> Iterator[str]:
    """What is typed in a block, lines that go on joined; in YAML and text, what is one of our commands."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        found = re.match(r"\s*(?:\$ |(?:- )?run: )?((?:mesh|publish_manifest|sync_mesh)(?: .*)?)$", line)
        if found and (line.lstrip().startswith("$ ") or "run: " in line):
            yield found[1]


def ours(line: str) -> Iterator[list[str]]:
    """The commands of ours in a shell line, each as its words."""
    words = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    words.whitespace_split = True
    words.commenters = ""  # they would begin inside of dbt_up@prod#41
    command: list[str] = []
    for word in (*words, ";"):
        if set(word) <= set(";|&"):
            if command and command[0] in _COMMANDS:
                yield command
            command = []
        elif set(word) <= set("<>"):
            command.append(">")
        else:
            command.append(word)


def parse(words: Sequence[str]) -> None:
    """Raises click.UsageError for a command, an option or a value that there is not."""
    name, *rest = words[: words.index(">")] if ">" in words else words
    command: click.Command = _COMMANDS[name]
    while isinstance(command, click.Group):
        context = click.Context(command, info_name=name, **command.context_settings)
        _, rest, _ = command.make_parser(context).parse_args(list(rest))
        if not rest:
            return
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
    command.make_context(name, list(rest))


COMMANDS: Final = [
    (document.name, line)
    for document in DOCS
    for _, text in fenced(document, "text", "console", "yaml", "bash")
    for line in typed(text)
]


@pytest.mark.parametrize(("document", "line"), COMMANDS, ids=[line for _, line in COMMANDS])
def test_every_command_that_a_page_shows_is_one_with_options_that_exist(document: str, line: str) -> None:
    found = list(ours(line))
    assert found, document
    for words in found:
        if "--help" not in words:
            parse(words)


def test_a_command_with_a_wrong_option_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        parse(["mesh", "notify", "--no-such-option"])
    with pytest.raises(click.UsageError):
        parse(["mesh", "no-such-command"])
    assert list(ours("sync_mesh --env prod && mesh check > mesh.md || true")) == [
        ["sync_mesh", "--env", "prod"],
        ["mesh", "check", ">", "mesh.md"],
    ]


HERE: Final = [
    text for document in DOCS for note, text in fenced(document, "console") if note.endswith(Path(__file__).name)
]


@pytest.mark.parametrize("text", HERE)
def test_what_needs_no_account_prints_what_is_shown(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    printed: list[str] = []
    for line in typed(text):
        _, *words = shlex.split(line)
        ran = CliRunner().invoke(mesh, words, prog_name="mesh", catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        printed += map(shape, ran.output.splitlines())
    shown = [line for line in text.splitlines() if not line.startswith("$ ")]
    assert shown
    assert [line for line in shown if shape(line) not in printed] == []


def test_commands_in_tables_and_sentences_are_ones_too() -> None:
    named = {
        word
        for document in DOCS
        for word in re.findall(r"`mesh ([a-z]+(?:-[a-z]+)*)", document.read_text())
        if word != "yml"
    }
    assert len(named) > 10
    assert named <= set(mesh.list_commands(click.Context(mesh, **mesh.context_settings)))


# -- SQL and JSON -----------------------------------------------------------------------------------------------------

QUERIES: Final = [
    (document.name, note.removeprefix("dialect: ") or "snowflake", text)
    for document in DOCS
    for note, text in fenced(document, "sql")
    if "{{" not in text
]


@pytest.mark.parametrize(("document", "dialect", "query"), QUERIES)
def test_every_query_parses(document: str, dialect: str, query: str) -> None:
    parsed = Linter(dialect=dialect).parse_string(query)
    assert [violation.desc() for violation in parsed.violations] == [], document
    assert parsed.tree is not None
    assert "unparsable" not in parsed.tree.type_set()


def test_a_broken_query_would_be_found() -> None:
    parsed = Linter(dialect="snowflake").parse_string("select from where;")
    assert parsed.violations
    assert {"snowflake", "athena"} <= {dialect for _, dialect, _ in QUERIES}


# The columns that Snowflake documents of its views (Account Usage, November 2026), as far as they are used.
VIEWS: Final = {
    "query_history": "query_id query_text query_type role_name user_name start_time execution_status",
    "access_history": "query_id query_start_time user_name direct_objects_accessed base_objects_accessed",
    "grants_to_users": "role grantee_name granted_by created_on deleted_on",
    "grants_to_roles": "created_on privilege granted_on name table_catalog granted_to grantee_name granted_by"
    " deleted_on",
    "login_history": "user_name first_authentication_factor is_success error_message event_timestamp",
    "warehouse_metering_history": "start_time warehouse_name credits_used",
    "tag_references": "tag_database tag_schema tag_name tag_value domain object_name object_deleted",
}


@pytest.mark.parametrize("query", [query for _, dialect, query in QUERIES if dialect == "snowflake"])
def test_every_view_and_column_is_one_that_snowflake_documents(query: str) -> None:
    tree = sqlglot.parse_one(query, dialect="snowflake")
    views = {table.name: table.alias for table in tree.find_all(exp.Table)}
    assert all(f"snowflake.account_usage.{view}" in query for view in views)
    own = {alias.alias for alias in tree.find_all(exp.Alias)}
    asked = [column for column in tree.find_all(exp.Column) if column.table != "read_object" and column.name != "month"]
    assert len(asked) > 3
    for column in asked:
        where = [view for view, alias in views.items() if column.table in ("", alias)]
        assert column.name in {*own, *(known for view in where for known in VIEWS[view].split())}, column.sql()


def test_the_trails_selectors_are_ones_that_aws_takes() -> None:
    (text,) = (text for _, text in fenced(REPOSITORY / "docs/security.md", "json"))
    selectors = json.loads(text)
    model = ServiceModel(Loader().load_service_model("cloudtrail", "service-2"))
    shape = model.operation_model("PutEventSelectors").input_shape
    assert shape is not None
    asked = {"TrailName": "audit", "AdvancedEventSelectors": selectors}
    assert not ParamValidator().validate(asked, shape).has_errors()
    assert ParamValidator().validate({**asked, "AdvancedEventSelectors": [{"FieldSelector": []}]}, shape).has_errors()
    fields = {field["Field"] for selector in selectors for field in selector["FieldSelectors"]}
    assert fields <= {"eventCategory", "resources.type", "resources.ARN", "readOnly", "eventName"}


AWS: Final = [
    line for document in DOCS for line in re.findall(r"\baws (s3api|cloudtrail) ([^`\n]+)", document.read_text())
]


@pytest.mark.parametrize(("service", "line"), AWS, ids=[line for _, line in AWS])
def test_every_command_of_aws_is_one_with_options_that_exist(service: str, line: str) -> None:
    command, *words = shlex.split(line)
    model = ServiceModel(Loader().load_service_model({"s3api": "s3"}.get(service, service), "service-2"))
    shape = model.operation_model(_camel(command)).input_shape
    assert shape is not None
    typed = {word for word in words if word.startswith("--")} - {"--region", "--query", "--output"}
    assert typed
    assert {_camel(word.removeprefix("--")) for word in typed} <= set(shape.members)
    assert {f"--{_kebab(name)}" for name in shape.required_members} <= typed


def test_there_are_commands_of_aws() -> None:
    assert {service for service, _ in AWS} == {"s3api", "cloudtrail"}


def _camel(words: str) -> str:
    return "".join(map(str.capitalize, words.split("-")))


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


# -- sums and names ---------------------------------------------------------------------------------------------------


def reckoned(text: str) -> float:
    """The value of `80 * 105 / 3600 * 2.00`."""

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            result: float = _ARITHMETIC[type(node.op)](value(node.left), value(node.right))
            return result
        assert isinstance(node, ast.Constant)
        assert isinstance(node.value, int | float)
        return float(node.value)

    return value(ast.parse(text, mode="eval").body)


def test_the_costs_add_up_to_less_than_ten_dollars() -> None:
    page = (REPOSITORY / "docs/setup.md").read_text()
    rows = re.findall(r"^\| [^|]+ \| `([\d .*/+]+)`[^|]* \| ([\d.]+) \|$", page, re.MULTILINE)
    total = re.search(r"^\| \*\*together\*\* \|[^|]*\| \*\*([\d.]+)\*\* \|$", page, re.MULTILINE)
    assert len(rows) >= 5
    assert total
    for formula, result in rows:
        assert f"{reckoned(formula):.2f}" == result, formula
    assert f"{sum(float(result) for _, result in rows):.2f}" == total[1]
    assert float(total[1]) < 10


def test_ten_lines_of_mesh_yml_are_a_project(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/setup.md").read_text()
    (lines,) = re.findall(r"<!-- project -->\n```yaml\n(.*?)```", page, re.DOTALL)
    assert lines.count("\n") <= 10
    document = (REPOSITORY / "mesh.yml").read_text() + "\n" + lines
    (tmp_path / "mesh.yml").write_text(document)
    deployment = deployment_of(find_mesh(tmp_path, {}))
    (name,) = re.findall(r"^  (\w+):$", lines, re.MULTILINE)
    project = deployment.project(name)
    assert project
    assert {place.environment for place in project.places} == {"prod", "ci", "dev"}
    upstream = deployment.project("dbt_up")
    assert upstream
    assert name in upstream.consumers


def test_the_roles_of_the_page_are_those_that_are_rendered() -> None:
    page = (REPOSITORY / "docs/security.md").read_text()
    deployment = deployment_of(find_mesh(REPOSITORY, {}))
    assert deployment.aws
    assert PUBLIC_READER in page
    for name in ("dbt_up", "dbt_down"):
        project = deployment.project(name)
        assert project
        place = project.place("prod")
        assert place
        assert f"`{place.role}`" in page
        assert f"`{place.user}`" in page
    assert f"`{deployment.aws.role_name('dbt_up')}`" in page
    assert f"arn:aws:s3:::{deployment.aws.bucket}/" in page


# -- troubleshooting --------------------------------------------------------------------------------------------------

PRODUCT: Final = [
    *sorted((REPOSITORY / "registry_tools").rglob("*.py")),
    *sorted((REPOSITORY / "snowflake_setup").glob("*.sh")),
]
MESSAGES: Final = re.findall(r"^\*\*`(.+?)`\*\*", (REPOSITORY / "docs/operations.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_of_the_troubleshooting_is_printed_by_somebody(message: str) -> None:
    parts = [part.strip() for part in re.split(r"\.\.\.|\b5\b", message) if part.strip()]
    texts = [re.sub(r'"\s*\n\s*f?"', "", path.read_text()) for path in PRODUCT]
    assert any(all(part in text for part in parts) for text in texts)


def test_there_is_troubleshooting() -> None:
    assert len(MESSAGES) > 8
