"""A repository with its workflows, and the embedded mesh that they reach: what a run of them needs, and leaves."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from registry_tools.artifacts.workflow_files import workflows
from registry_tools.settings import deployment_of, find_mesh
from tests.running import BUCKET, REPOSITORY, RunningMesh, local_bucket
from tests.workflows import fake_gh
from tests.workflows.executor import Job, Runner
from tests.workflows.fake_actions import FakeActions

OWN: Final = "acme/dbt-mesh"
PREFIX: Final = "workflows"
_COPIED: Final = ("mesh.yml", "dbt_up", "dbt_down", "dbt_down_package", "dbt_down_loom", "snowflake_setup", ".github")
_MADE: Final = ("target", "logs", "state", "_mesh_*.yml", "mesh_packages", "dbt_packages", "dbt_loom.config.yml")
_CALLS: Final = "FAKE_CALLS"
# What asks the network, or a live account as a whole: kept as asked, and not done.
_NEVER: Final = ("python -m pip", "terraform", "mesh snowflake", "mesh notify")
# Each line that is typed is kept, in the order in which it is typed; what it means is left to the real command. The
# account that grants are planned on is the embedded one.
_TOOL: Final = f"""#!/bin/bash
line="$(basename "$0") $*"
echo "${{line%%$'\\n'*}}" >> "${_CALLS}"
if test -n "$FAKE_FAILING" && [[ "$line" =~ ^($FAKE_FAILING) ]]; then exit "${{FAKE_CODE:-1}}"; fi
if [[ "$line" =~ ^($FAKE_ONLY) ]]; then exit 0; fi
if [[ "$line" =~ ^"mesh grants" ]]; then set -- "$@" --embedded; fi
exec "{Path(sys.executable).parent}/$(basename "$0")" "$@"
"""


@dataclass(kw_only=True)
class World:
    """A folder with `repository`, a git repository, and what was done to it."""

    folder: Path
    demo: RunningMesh
    runs: int = 0
    roles: list[tuple[str, str]] = field(default_factory=list)

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    def git(self, *words: str) -> str:
        named = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
        run = subprocess.run(["git", *named, *words], cwd=self.repository, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    def branch(self, name: str) -> None:
        """Begin a branch at main, upon which files may be changed and committed."""
        self.git("switch", "--quiet", "--force-create", name, "main")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def asked(self, program: str) -> list[str]:
        """What `program` was called with since the run began."""
        return [line.removeprefix(f"{program} ") for line in self.calls if line.startswith(f"{program} ")]

    @property
    def github(self) -> dict[str, Any]:
        held: dict[str, Any] = json.loads((self.folder / "github.json").read_text())
        return held

    def change_github(self, **changes: Any) -> None:
        (self.folder / "github.json").write_text(json.dumps(self.github | changes))

    @property
    def credentials(self) -> dict[str, str]:
        """What reaches the local S3."""
        return {name: value for name, value in self.demo.environment.items() if name.startswith("AWS_")}

    def machine(self, faked: str = "", failing: str = "") -> dict[str, str]:
        """The variables with which the tools of this world find it, and nobody's credentials."""
        ours = ("DBT_MESH_LOCAL", "DBT_SEND", "NO_PROXY", "no_proxy")
        found = {name: value for name, value in self.demo.environment.items() if name.startswith(ours)}
        return found | {
            "PATH": f"{self.folder / 'tools'}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            fake_gh.STATE: str(self.folder / "github.json"),
            _CALLS: str(self.folder / "calls"),
            "FAKE_ONLY": "|".join(filter(None, (*_NEVER, faked))),
            "FAKE_FAILING": failing,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(REPOSITORY),
        }

    def run(  # noqa: PLR0913  # an event, and what a repository has
        self,
        workflow: str,
        event: str,
        *,
        payload: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        environments: Mapping[str, Mapping[str, str]] | None = None,
        faked: str = "",
        failing: str = "",
        tag: str = "",
        **inputs: Any,
    ) -> dict[str, Job]:
        """One run upon the commit that is checked out. Lines that begin like `faked` do nothing, and those that begin
        like `failing` fail; both are patterns.
        """
        self.runs += 1
        (self.folder / "calls").unlink(missing_ok=True)
        commit = self.git("rev-parse", "HEAD")
        place = self.folder / f"run{self.runs}"
        actions = FakeActions(
            repository=self.repository, commit=commit, artifacts=place / "artifacts", credentials=self.credentials
        )
        pull = event == "pull_request"
        runner = Runner(
            root=self.repository,
            folder=place,
            actions=actions.all(),
            machine=self.machine(faked, failing),
            variables={"SNOWFLAKE_ACCOUNT": "acme-dbt", "AWS_REGION": "us-east-1"} | dict(variables or {}),
            secrets=secrets or {},
            environments=environments or {},
            github={
                "event_name": event,
                "event": {**pull_request(OWN), **(payload or {})} if pull else {**(payload or {})},
                "repository": OWN,
                "repository_owner": "acme",
                "ref": "refs/pull/7/merge" if pull else f"refs/tags/{tag}" if tag else "refs/heads/main",
                "ref_name": "7/merge" if pull else tag or "main",
                "sha": commit,
                "run_id": str(100 + self.runs),
                "workflow_ref": f"{OWN}/.github/workflows/{workflow}@refs/heads/main",
                "token": "default token",
            },
        )
        jobs = runner.run(workflow, **inputs)
        self.roles = actions.roles
        return jobs


def pull_request(head: str) -> dict[str, Any]:
    """What an event says of pull request 7, from a branch of the repository `head`."""
    return {
        "number": 7,
        "pull_request": {"head": {"repo": {"full_name": head}}},
        "repository": {"default_branch": "main"},
    }


def make_world(folder: Path, demo: RunningMesh) -> World:
    """A clone as GitHub would have it, rendered for the embedded mesh, with a registry that is a copy of the demo's."""
    world = World(folder=folder, demo=demo)
    for name in _COPIED:
        source, place = REPOSITORY / name, world.repository / name
        place.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns(*_MADE))
        else:
            shutil.copy(source, place)
    for project, lock in demo.locks.items():
        (world.repository / project / "mesh.lock").write_bytes(lock)
    embed(world.repository)
    shutil.copy(REPOSITORY / ".gitignore", world.repository)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=world.repository, check=True)
    world.commit()
    _make_tools(folder / "tools")
    state = {"calls": [], "comments": [], "refs": {}, "files": {}, "pulls": [], "unreachable": False}
    (folder / "github.json").write_text(json.dumps(state))
    _copy_registry(demo)
    return world


def embed(repository: Path) -> None:
    """The targets of an account are those of the embedded mesh here, and its bucket is the local one."""
    profiles = repository / "snowflake_setup/profiles.yml"
    document = yaml.safe_load(profiles.read_text())
    for project in (entry for entry in document.values() if "outputs" in entry):
        outputs = project["outputs"]
        outputs |= {
            name: outputs["local" if name == "prod" else f"local_{name}"] for name in outputs if "local" not in name
        }
    profiles.write_text(yaml.safe_dump(document))
    described = repository / "mesh.yml"
    text = described.read_text().replace("bucket: acme-dbt-mesh", f"bucket: {BUCKET}, prefix: {PREFIX}")
    described.write_text(text)
    for file in workflows(deployment_of(find_mesh(repository, {}))):
        (repository / file.path).write_bytes(file.content)


def _make_tools(folder: Path) -> None:
    folder.mkdir()
    for name in ("mesh", "sync_mesh", "publish_manifest", "dbt", "python", "terraform"):
        (folder / name).write_text(_TOOL)
    (folder / "gh").write_text(f'#!/bin/bash\nexec "{sys.executable}" "{fake_gh.__file__}" "$@"\n')
    for file in folder.iterdir():
        file.chmod(file.stat().st_mode | stat.S_IXUSR)


def _copy_registry(demo: RunningMesh) -> None:
    s3 = local_bucket(demo.environment)
    for key, body in demo.registry.items():
        s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}{key}", Body=body)
