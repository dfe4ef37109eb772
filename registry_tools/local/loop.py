"""A mesh and its embedded servers in, every project synchronised, built and published out, upstream first."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from registry_tools.errors import EmbeddedMeshError, UsageError
from registry_tools.settings import Mesh, Project

TARGET: Final = "local"
ENVIRONMENT: Final = "prod"
_STEP_SECONDS: Final = 600
_AT_ONCE: Final = 2
# Variables that could lead a step to a real account, or to another registry than the embedded one.
_REAL: Final = ("AWS_", "DBT_", "SNOWFLAKE_", "MESH_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One command that a person would type in a project's folder."""

    project: str
    words: tuple[str, ...]
    folder: Path

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """How a step went: its exit code, and what it read or wrote in a few lines."""

    step: Step
    seconds: float
    code: int
    lines: tuple[str, ...]


class Reporter(Protocol):
    """Who is told what happens while it happens; called from several threads."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, result: StepResult) -> None:
        """A step ended, well or badly."""


def run_loop(mesh: Mesh, environment: Mapping[str, str], reporter: Reporter) -> list[StepResult]:
    """Run sync, build and publish in every project of the mesh, consumers of the same upstreams side by side.

    A project whose step fails goes no further, and neither do its consumers. Returns every step that ran.
    """
    child = shielded(environment)
    order = upstream_first(mesh)
    read = {upstream.name for project in mesh.projects.values() for upstream in project.upstreams}
    results: list[StepResult] = []
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        running: dict[str, Future[list[StepResult]]] = {}
        for project in order:
            before = [running[upstream.name] for upstream in project.upstreams if upstream.name in running]
            steps = tuple(_steps(project, grants=project.name in read and project.platform.database is not None))
            running[project.name] = pool.submit(_build, project, steps, before, child, reporter)
        for future in running.values():
            results += future.result()
    return results


def shielded(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a step: this process's without what leads to a real account, and what leads to the servers."""
    mine = {key: value for key, value in os.environ.items() if not key.startswith(_REAL)}
    return {**mine, **environment}


def upstream_first(mesh: Mesh) -> list[Project]:
    """The projects in an order in which each comes after its upstreams. Raises UsageError for a circle."""
    left, ordered = dict(mesh.projects), list[Project]()
    while left:
        ready = [p for p in left.values() if not any(upstream.name in left for upstream in p.upstreams)]
        if not ready:
            raise UsageError(
                f"{', '.join(left)} read each other in a circle",
                where=str(mesh.file),
                then="build them by hand, in turn",
            )
        ordered += ready
        left = {name: project for name, project in left.items() if project not in ready}
    return ordered


def _build(
    project: Project,
    steps: Sequence[tuple[tuple[str, ...], "Told"]],
    before: list[Future[list[StepResult]]],
    environment: Mapping[str, str],
    reporter: Reporter,
) -> list[StepResult]:
    done: list[StepResult] = []
    if any(not results or results[-1].code for results in (future.result() for future in before)):
        return done
    for words, told in steps:
        step = Step(project=project.name, words=words, folder=project.path)
        reporter.started(step)
        result = run_step(step, environment, told)
        reporter.finished(result)
        done.append(result)
        if result.code:
            break
    return done


def run_step(step: Step, environment: Mapping[str, str], told: "Told | None" = None) -> StepResult:
    """Run one command. `told` makes the lines of what it printed, where it succeeds; all of them without it."""
    begun = time.monotonic()
    try:
        run = subprocess.run(
            [_program(step.words[0]), *step.words[1:]],
            cwd=step.folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_STEP_SECONDS,
            check=False,
        )
        code, output = run.returncode, run.stdout
    except subprocess.TimeoutExpired:
        code, output = 1, f"did not end within {_STEP_SECONDS} s"
    lines = (told or _as_printed)(step.folder, output) if code == 0 else tuple(output.strip().splitlines())
    return StepResult(step=step, seconds=time.monotonic() - begun, code=code, lines=lines)


def _program(name: str) -> str:
    """The program beside the Python that runs us, so that the demo never meets another environment's dbt."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise EmbeddedMeshError(f"{name} is not installed", then="pip install 'registry-tools[local]'")
    return found


def _as_printed(_folder: Path, output: str) -> tuple[str, ...]:
    return tuple(line.removeprefix("✓ ").strip() for line in output.splitlines() if line.strip())


def _what_was_built(folder: Path, _output: str) -> tuple[str, ...]:
    results = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    stubs = sum(result["message"] == _UNBUILT for result in results)
    results = [result for result in results if result["message"] != _UNBUILT]
    kinds = Counter(result["unique_id"].split(".", 1)[0].replace("_", " ") for result in results)
    statuses = Counter(result["status"] for result in results) + Counter({"stubs that nobody builds": stubs})
    built = ", ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in kinds.most_common())
    bad = ", ".join(f"{number} {status}" for status, number in statuses.items() if status not in {"success", "pass"})
    return (f"{built}{'; ' + bad if bad else ', all passed'}",)


def _what_was_installed(_folder: Path, output: str) -> tuple[str, ...]:
    return tuple(found[0] for line in output.splitlines() if (found := _INSTALLED.search(line)))


def _what_is_to_be_granted(_folder: Path, output: str) -> tuple[str, ...]:
    return tuple(line.removeprefix("✓ ").strip() for line in output.splitlines()[:1])


Told = Callable[[Path, str], tuple[str, ...]]

_UNBUILT: Final = "NO-OP"  # what the materialization of stubs says (artifacts.package)
_INSTALLED: Final = re.compile(r"Installed from .*")
_SYNC: Final = ("sync_mesh", "--env", ENVIRONMENT)
_DEPS: Final = ("dbt", "deps")
_BUILD: Final = ("dbt", "build", "--target", TARGET, "--defer", "--state", "state")
_PUBLISH: Final = ("publish_manifest", "--env", ENVIRONMENT)
_GRANTS: Final = ("mesh", "grants", "plan", "--env", ENVIRONMENT, "--embedded")


def _steps(project: Project, *, grants: bool) -> Iterator[tuple[tuple[str, ...], Told]]:
    """The one-line CI commands of the README, in the order in which the project runs them."""
    yield _SYNC, _as_printed
    if any(upstream.way == "package" for upstream in project.upstreams):
        yield _DEPS, _what_was_installed
    yield _BUILD, _what_was_built
    yield _PUBLISH, _as_printed
    if grants:
        yield _GRANTS, _what_is_to_be_granted
