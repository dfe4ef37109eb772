"""Who stands in for the actions of others: a checkout is a clone, an artifact a folder, a role the local S3's keys."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.workflows.executor import Action, Job, Made


@dataclass(kw_only=True)
class FakeActions:
    """The actions, for one repository. `roles` are those that were taken, each with the job's GitHub environment."""

    repository: Path
    commit: str
    artifacts: Path
    credentials: Mapping[str, str]
    roles: list[tuple[str, str]] = field(default_factory=list)

    def all(self) -> dict[str, Action]:
        return {
            "actions/checkout": self.checkout,
            "actions/setup-python": lambda _given, _job: Made(),
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
            "actions/create-github-app-token": self.token,
            "aws-actions/configure-aws-credentials": self.take_role,
            "hashicorp/setup-terraform": lambda _given, _job: Made(),
            "actions/attest-build-provenance": self.prove,
            "pypa/gh-action-pypi-publish": self.prove,
        }

    def checkout(self, given: Mapping[str, str], job: Job) -> Made:
        assert given["persist-credentials"] == "false"
        assert job.permissions.get("contents") in ("read", "write")
        subprocess.run(["git", "clone", "--quiet", str(self.repository), "."], cwd=job.workspace, check=True)
        subprocess.run(["git", "checkout", "--quiet", self.commit], cwd=job.workspace, check=True)
        return Made()

    def take_role(self, given: Mapping[str, str], job: Job) -> Made:
        """Only a job that may ask GitHub for a token gets a role; without one nothing reaches the registry."""
        assert job.permissions.get("id-token") == "write"
        self.roles.append((given["role-to-assume"], job.environment))
        return Made(variables=dict(self.credentials))

    def prove(self, given: Mapping[str, str], job: Job) -> Made:
        """Neither is given a token: both ask GitHub for one, with what was built beside them."""
        assert job.permissions["id-token"] == "write"
        assert not {"password", "github-token"} & set(given)
        assert list((job.workspace / "dist").glob("*.whl"))
        return Made()

    def token(self, given: Mapping[str, str], _job: Job) -> Made:
        assert given["private-key"]
        return Made(outputs={"token": f"token for {given.get('owner', '')}/{given.get('repositories', '')}"})

    def upload(self, given: Mapping[str, str], job: Job) -> Made:
        named = [job.workspace / line for line in given["path"].split()]
        files = [file for path in named for file in ([path] if path.is_file() else sorted(path.glob("*")))]
        for file in files:
            (self.artifacts / given["name"]).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, self.artifacts / given["name"])
        return Made()

    def download(self, given: Mapping[str, str], job: Job) -> Made:
        """A pattern that finds nothing is no fault, a name is. One artifact gets no folder of its own, several do,
        unless they are merged (download-artifact.ts of v5.0.0: `artifacts.length === 1`).
        """
        found = sorted(self.artifacts.glob(given.get("name", given.get("pattern", ""))))
        assert "pattern" in given or found, f"there is no artifact {given['name']}"
        place = job.workspace / given.get("path", ".")
        for artifact in found:
            apart = len(found) > 1 and given.get("merge-multiple") != "true"
            shutil.copytree(artifact, place / artifact.name if apart else place, dirs_exist_ok=True)
        return Made()
