"""The workflows and actions of this repository, and of the examples, as the tests of their text read them."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.running import REPOSITORY
from tests.workflows.executor import read_workflow

FOLDER: Final = REPOSITORY / ".github/workflows"
ACTIONS: Final = sorted((REPOSITORY / ".github/actions").glob("*/action.yml"))
EXAMPLES: Final = sorted((REPOSITORY / "examples/workflows").glob("*.yml"))
WORKFLOWS: Final = [*sorted(FOLDER.glob("*.yml")), *EXAMPLES]
OURS: Final = ("mesh", "sync_mesh", "publish_manifest", "dbt")


@dataclass(frozen=True, kw_only=True)
class Command:
    """One of our commands, or dbt's, as a line of shell has it."""

    words: tuple[str, ...]
    place: str

    def __str__(self) -> str:
        return " ".join(self.words)


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read_workflow(path)["jobs"].items()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """The steps of a workflow's jobs, or of a composite action."""
    if path.name == "action.yml":
        yield from yaml.safe_load(path.read_text())["runs"]["steps"]
        return
    for _, job in jobs(path):
        yield from job.get("steps", [])


def commands() -> Iterator[Command]:
    """Each of ours in every workflow, the GitLab template and the pre-commit hooks included."""
    scripts = [(path, step["run"]) for path in WORKFLOWS for step in steps(path) if "run" in step]
    gitlab = REPOSITORY / "examples/gitlab/mesh.gitlab-ci.yml"
    for job in yaml.safe_load(gitlab.read_text()).values():
        if isinstance(job, dict):
            scripts += [(gitlab, line) for line in job.get("script", [])]
    for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text()):
        scripts.append((REPOSITORY / ".pre-commit-hooks.yaml", hook["entry"]))
    for path, script in scripts:
        for words in _commands(script):
            yield Command(words=words, place=path.name)


def _commands(script: str) -> Iterator[tuple[str, ...]]:
    """The words of each command in a piece of shell, up to whatever ends it."""
    lexer = shlex.shlex(script.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    command: list[str] = []
    for token in [*lexer, ";"]:
        if token in ("then", "else", "elif", "if", "do", "{", "!") and not command:
            continue
        if not set(token) & set(";|&<>()") or (command and token.startswith("$")):
            command.append(token)
            continue
        if command and command[0] in OURS:
            yield tuple(word for word in command if word not in ("2", "}"))
        command = []
