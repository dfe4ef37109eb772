"""A built mesh and a patch in, what `mesh check` says of that pull request out, before anybody merges it."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry_tools.errors import EmbeddedMeshError
from registry_tools.local.loop import TARGET, Step, StepResult, run_step

FOLDER: Final = "examples/pull_requests"
_CHECKED_OUT: Final = ".mesh/pull_requests"
_PARSE: Final = ("dbt", "parse", "--target", TARGET)
_CHECK: Final = ("mesh", "check", "--env", "prod")


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A patch of one project of the mesh."""

    patch: Path
    project: str

    @property
    def name(self) -> str:
        """`drop amount`."""
        return self.patch.stem.replace("_", " ")


def pull_requests(root: Path) -> tuple[PullRequest, ...]:
    """The patches that stand beside a mesh.yml, by name; none of a project that was removed."""
    found = [(patch, _project(patch)) for patch in sorted((root / FOLDER).glob("*.patch"))]
    return tuple(PullRequest(patch=patch, project=project) for patch, project in found if (root / project).is_dir())


def run_pull_request(pull_request: PullRequest, workspace: Path, environment: Mapping[str, str]) -> StepResult:
    """Apply the patch to a copy of the project in the workspace, parse it, and check it: the last step that ran."""
    root = workspace / _CHECKED_OUT / pull_request.patch.stem
    folder = root / pull_request.project
    shutil.copytree(workspace / pull_request.project, folder, dirs_exist_ok=True)
    if shutil.which("git", path=environment.get("PATH")) is None:
        what = "git is not installed, and a pull request of the demo is a patch"
        raise EmbeddedMeshError(what, where=str(pull_request.patch), then="install git, then mesh demo")
    patched = subprocess.run(
        ["git", "apply", str(pull_request.patch)],
        cwd=root,
        env={**environment, "GIT_CEILING_DIRECTORIES": str(root.parent)},  # the checkout around it is another one
        capture_output=True,
        text=True,
        check=False,
    )
    if patched.returncode:
        raise EmbeddedMeshError(patched.stderr.strip(), where=str(pull_request.patch), then="make the patch anew")
    parsed = run_step(Step(project=pull_request.project, words=_PARSE, folder=folder), environment)
    if parsed.code:
        return parsed
    check = Step(project=pull_request.project, words=_CHECK, folder=folder)
    return run_step(check, environment, lambda _folder, output: tuple(output.splitlines()))


def _project(patch: Path) -> str:
    """The folder of the first file that the patch changes."""
    named = next(line for line in patch.read_text().splitlines() if line.startswith("+++ b/"))
    return named.removeprefix("+++ b/").partition("/")[0]
