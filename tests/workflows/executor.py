"""A workflow and an event in; its jobs carried out here, with fakes for actions of others, and what became of each out.

What is real: the order of jobs and steps, conditions, expressions, matrices, inputs, secrets, outputs, summaries, every
line of shell, called workflows and our own composite action. What is not: GitHub. A job gets a workspace and a home of
its own, and of this machine's environment only what `Runner.machine` says.
"""

import itertools
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from tests.workflows.expressions import Contexts, holds, interpolated, value_of, written

_OURS: Final = "$/"
# What a runner calls where `shell: bash` is said, and where nothing is: without pipefail (steps[*].shell).
_SHELLS: Final = {"bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"), None: ("bash", "-e", "-c")}
_FILES: Final = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
_SECONDS: Final = 180
_NAMED: Final = re.compile(r"([\w-]+)(?:=(.*)|<<(\w+)\n((?:.*\n)*?)\3)\n?")

# The keys that are carried out here, and those whose effect is outside of a run; any other is an error.
_OF_A_JOB: Final = frozenset(
    [
        "name",
        "if",
        "needs",
        "uses",
        "with",
        "secrets",
        "permissions",
        "runs-on",
        "timeout-minutes",
        "concurrency",
        "environment",
        "outputs",
        "env",
        "defaults",
        "strategy",
        "steps",
    ]
)
_OF_A_STEP: Final = frozenset(["name", "id", "if", "uses", "with", "env", "run", "shell", "working-directory"])
# Contexts that conditions have not, and those that the steps of an action have not (Contexts reference, availability).
_NOT_IN_CONDITIONS: Final = frozenset(["secrets"])
_NOT_IN_ACTIONS: Final = frozenset(["secrets", "vars", "needs"])

# What stands in for an action: its inputs and the job in; variables for the steps after it, and outputs, out.
Action = Callable[[Mapping[str, str], "Job"], "Made"]


@dataclass(kw_only=True)
class Made:
    """What an action leaves behind."""

    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Step:
    """A step that was reached: how it ended, and what it printed."""

    name: str
    outcome: str
    printed: str = ""


@dataclass(kw_only=True)
class Job:
    """A job: how it ended, its steps in order, and what its summary holds."""

    name: str
    folder: Path
    permissions: Mapping[str, str]
    environment: str = ""
    result: str = "success"
    steps: list[Step] = field(default_factory=list)
    summary: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def outcomes(self) -> dict[str, str]:
        return {step.name: step.outcome for step in self.steps}

    def printed(self, name: str) -> str:
        return next(step.printed for step in self.steps if step.name == name)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Where workflows are, who stands in for actions, and what a repository has: variables and secrets.

    `secrets` are the repository's, `environments` the variables of its environments, which only steps see. `github` is
    that context, the event included. `granted` is what a caller's job grants the jobs of the workflow that it calls.
    """

    root: Path
    folder: Path
    actions: Mapping[str, Action]
    machine: Mapping[str, str]
    github: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    granted: Mapping[str, str] | None = None

    def run(self, workflow: str, **inputs: Any) -> dict[str, Job]:
        """Carry the workflow out. The jobs that ran, by name; those of a called one as `caller / job`."""
        document = read_workflow(self.root / ".github/workflows" / workflow)
        event = document["on"]
        called = event.get("workflow_call") or event.get("workflow_dispatch") or {}
        declared = called.get("inputs") or {}
        assert set(inputs) <= set(declared), "Unexpected inputs provided"
        assert {name for name, entry in declared.items() if entry.get("required")} <= set(inputs), "an input is missing"
        known = {name: entry.get("default") for name, entry in declared.items()}
        return dict(_Workflow(self, document, known | inputs).jobs())

    def contexts(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "github": self.github,
            "inputs": inputs,
            "vars": self.variables,
            "secrets": {**self.secrets},
            "job": {"status": "success"},
        }


def read_workflow(path: Path) -> dict[str, Any]:
    """The document, its key `on` as text: YAML 1.1 reads a switch in it."""
    document = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in document.items()}


class _Workflow:
    def __init__(self, runner: Runner, document: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        self._runner = runner
        self._document = document
        self._contexts = runner.contexts(inputs)
        self._done: dict[str, dict[str, Any]] = {}

    def jobs(self) -> Iterator[tuple[str, Job]]:
        waiting = dict(self._document["jobs"])
        while waiting:
            name = next(n for n, job in waiting.items() if not set(_listed(job.get("needs"))) & set(waiting))
            yield from self._job(name, waiting.pop(name))

    def _job(self, name: str, job: Mapping[str, Any]) -> Iterator[tuple[str, Job]]:
        needs = {need: self._done[need] for need in _listed(job.get("needs"))}
        results = {need["result"] for need in needs.values()}
        status = "failure" if results & {"failure", "skipped"} else "success"
        contexts = {**self._contexts, "needs": needs, "job": {"status": status}}
        self._done[name] = {"result": "skipped", "outputs": {}}
        _expect_known(job, _OF_A_JOB)
        if not holds(job.get("if"), _without(contexts, _NOT_IN_CONDITIONS)):
            return
        _expect_granted(job["permissions"], self._runner.granted)
        ran = list(self._called(name, job, contexts) if "uses" in job else self._matrix(name, job, contexts))
        failed = any(one.result == "failure" for _, one in ran)
        outputs = {key: value for _, one in ran for key, value in one.outputs.items()}
        self._done[name] = {"result": "failure" if failed else "success", "outputs": outputs}
        yield from ran

    def _called(self, name: str, job: Mapping[str, Any], contexts: Contexts) -> Iterator[tuple[str, Job]]:
        inputs = {key: value_of(value, contexts) for key, value in job.get("with", {}).items()}
        secrets = {key: written(value_of(value, contexts)) for key, value in job.get("secrets", {}).items()}
        place = self._runner.folder / name
        called = replace(self._runner, secrets=secrets, folder=place, granted=job["permissions"])
        for inner, ran in called.run(Path(job["uses"].partition("@")[0]).name, **inputs).items():
            yield f"{name} / {inner}", ran

    def _matrix(self, name: str, job: Mapping[str, Any], contexts: Contexts) -> Iterator[tuple[str, Job]]:
        matrix = {key: value_of(value, contexts) for key, value in job.get("strategy", {}).get("matrix", {}).items()}
        rows = matrix.pop("include", [{}] if not matrix else [])
        assert matrix or rows, "Matrix vector does not contain any values"
        crossed = [dict(zip(matrix, row, strict=True)) for row in itertools.product(*matrix.values())] if matrix else []
        for row in [*crossed, *rows]:
            full = f"{name} ({', '.join(map(str, row.values()))})" if row else name
            yield full, _run_job(self._runner, full, job, {**contexts, "matrix": row, "job": {"status": "success"}})


def _run_job(runner: Runner, name: str, job: Mapping[str, Any], contexts: dict[str, Any]) -> Job:
    folder = runner.folder / re.sub(r"\W+", "_", name)
    ran = Job(name=name, folder=folder, permissions=job["permissions"])
    environment = job.get("environment", "")
    ran.environment = written(value_of(environment["name"] if isinstance(environment, dict) else environment, contexts))
    for made in (ran.workspace, folder / "temp", folder / "home"):
        made.mkdir(parents=True)
    contexts["github"] = {**runner.github, "workspace": str(ran.workspace)}
    contexts["runner"] = {"temp": str(folder / "temp")}
    contexts["vars"] = {**runner.variables, **runner.environments.get(ran.environment, {})}
    contexts["steps"] = {}
    variables = {
        **runner.machine,
        **_told(runner.github),
        "GITHUB_WORKSPACE": str(ran.workspace),
        "RUNNER_TEMP": str(folder / "temp"),
        "HOME": str(folder / "home"),
        **{key: written(value_of(value, contexts)) for key, value in job.get("env", {}).items()},
    }
    lines = job.get("defaults", {}).get("run", {})
    folder_of_lines = interpolated(lines.get("working-directory", "."), contexts)
    steps = _Steps(runner, ran, contexts, variables, folder_of_lines, lines.get("shell"))
    for step in job["steps"]:
        steps.carry_out(step)
    ran.outputs = {key: value_of(value, contexts) for key, value in job.get("outputs", {}).items()}
    return ran


def _told(github: Mapping[str, Any]) -> dict[str, str]:
    """The variables in which a runner tells the steps what the context `github` says."""
    told = ("repository", "repository_owner", "ref", "ref_name", "sha", "run_id", "event_name", "workflow_ref")
    return {"GITHUB_ACTIONS": "true", **{f"GITHUB_{name.upper()}": str(github[name]) for name in told}}


class _Steps:
    """The steps of a job, or those of a composite action within one."""

    def __init__(  # what a job has, and what it says of its lines
        self,
        runner: Runner,
        job: Job,
        contexts: dict[str, Any],
        variables: dict[str, str],
        folder: str,
        shell: str | None,
    ) -> None:
        self._runner = runner
        self._job = job
        self._contexts = contexts
        self._variables = variables
        self._folder = folder
        self._shell = shell

    def carry_out(self, step: Mapping[str, Any]) -> None:
        name = step.get("name") or step.get("uses", "").partition("@")[0] or step["run"].strip()
        own = {key: written(value_of(value, self._contexts)) for key, value in step.get("env", {}).items()}
        self._contexts["env"] = {**self._variables, **own}
        _expect_known(step, _OF_A_STEP)
        if not holds(step.get("if"), _without(self._contexts, _NOT_IN_CONDITIONS)):
            self._ended(step, Step(name=name, outcome="skipped"), {})
        elif "uses" in step:
            self._used(name, step)
        else:
            self._ran(name, step, own)

    def _ended(self, step: Mapping[str, Any], done: Step, outputs: Mapping[str, str]) -> None:
        self._job.steps.append(done)
        if done.outcome == "failure":
            self._job.result = self._contexts["job"]["status"] = "failure"
        if "id" in step:
            self._contexts["steps"][step["id"]] = {"outcome": done.outcome, "outputs": dict(outputs)}

    def _used(self, name: str, step: Mapping[str, Any]) -> None:
        given = {key: value_of(value, self._contexts) for key, value in step.get("with", {}).items()}
        action = step["uses"].partition("@")[0]
        if action.startswith(_OURS):
            self._composed(action.removeprefix(_OURS), given)
            return
        made = self._runner.actions[action]({key: written(value) for key, value in given.items()}, self._job)
        self._variables.update(made.variables)
        self._ended(step, Step(name=name, outcome="success"), made.outputs)

    def _composed(self, path: str, given: Mapping[str, Any]) -> None:
        action = yaml.safe_load((self._runner.root / path / "action.yml").read_text())
        inputs = {key: value_of(entry.get("default"), {}) for key, entry in action["inputs"].items()} | dict(given)
        contexts = {**_without(self._contexts, _NOT_IN_ACTIONS), "inputs": inputs, "steps": {}}
        inner = _Steps(self._runner, self._job, contexts, self._variables, ".", None)
        self._variables["GITHUB_ACTION_PATH"] = str(self._runner.root / path)
        for step in action["runs"]["steps"]:
            assert "shell" in step or "run" not in step, "Required property is missing: shell"
            inner.carry_out(step)

    def _ran(self, name: str, step: Mapping[str, Any], own: Mapping[str, str]) -> None:
        files = {variable: self._job.folder / "temp" / variable for variable in _FILES}
        for file in files.values():
            file.write_text("")
        folder = self._job.workspace / interpolated(step.get("working-directory", self._folder), self._contexts)
        run = subprocess.run(
            [*_SHELLS[step.get("shell", self._shell)], interpolated(step["run"], self._contexts)],
            cwd=folder,
            env={**self._variables, **own, **{variable: str(file) for variable, file in files.items()}},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        self._variables.update(_named(files["GITHUB_ENV"].read_text()))
        for added in files["GITHUB_PATH"].read_text().split():
            self._variables["PATH"] = f"{added}{os.pathsep}{self._variables['PATH']}"
        self._job.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        outcome = "failure" if run.returncode else "success"
        outputs = _named(files["GITHUB_OUTPUT"].read_text())
        self._ended(step, Step(name=name, outcome=outcome, printed=run.stdout), outputs)


def _named(text: str) -> dict[str, str]:
    """`name=value` lines, and values of several lines between a word that is named and itself; nothing else."""
    assert not _NAMED.sub("", text).strip(), f"Invalid format: {text!r}"
    return {
        match[1]: match[2] if match[2] is not None else match[4].removesuffix("\n") for match in _NAMED.finditer(text)
    }


def _without(contexts: Contexts, names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in contexts.items() if name not in names}


def _expect_known(entry: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := set(entry) - known:
        raise NotImplementedError(f"nobody carries out {', '.join(sorted(unknown))} here")


def _expect_granted(asked: Mapping[str, str], granted: Mapping[str, str] | None) -> None:
    """A called workflow's job has no right that its caller has not (jobs.<job_id>.permissions)."""
    if granted is None:
        return
    for scope, right in asked.items():
        assert granted.get(scope) in (right, "write"), f"{scope}: {right} is asked for, and not granted"


def _listed(needs: Any) -> list[str]:
    return [needs] if isinstance(needs, str) else list(needs or [])
