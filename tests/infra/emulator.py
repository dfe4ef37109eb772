"""Terraform and the local AWS in, aws_setup/ applied to an account that lives in memory out."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from registry_tools.artifacts.terraform_vars import PATH, terraform_variables
from registry_tools.settings import deployment_of, read_mesh
from tests.running import REPOSITORY
from tests.stores.local_s3 import aws_variables

SETUP: Final = PATH.parent
# Where Terraform finds its providers without a network; `terraform providers mirror` fills such a folder.
PLUGINS: Final = "MESH_TERRAFORM_PLUGINS"
_HOW: Final = f"install terraform >= 1.9; without a network set {PLUGINS} to a folder of `terraform providers mirror`"
_NO_PROVIDER: Final = ("Failed to query available provider packages", "Failed to install provider")
_SECONDS: Final = 240
_SERVICES: Final = ("iam", "kms", "s3", "sts")


@dataclass(frozen=True, kw_only=True)
class Terraform:
    """A copy of aws_setup/ that is initialised, with the variables that lead it to the emulator and nowhere else."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *words],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )

    def done(self, *words: str) -> str:
        run = self.run(*words)
        assert run.returncode == 0, run.stdout
        return run.stdout

    def describe(self, mesh: Path) -> None:
        """Bring the variables to what this mesh.yml says. Waiting for lifecycle rules takes a minute here."""
        (file,) = terraform_variables(deployment_of(read_mesh(mesh, {})))
        (self.folder / file.path.name).write_bytes(file.content)
        (self.folder / "emulator.auto.tfvars").write_text("lifecycle_rules = false\n")

    def outputs(self) -> dict[str, Any]:
        told = json.loads(self.done("output", "-json", "-no-color"))
        return {name: output["value"] for name, output in told.items()}


def prepared(folder: Path, endpoint: str) -> Terraform:
    """Skips the test where Terraform or its provider for AWS cannot be had."""
    if shutil.which("terraform") is None:
        pytest.skip(f"terraform is not installed: {_HOW}")
    copy = folder / SETUP
    shutil.copytree(REPOSITORY / SETUP, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "backend.tf"))
    endpoints = "\n".join(f'    {service} = "{endpoint}"' for service in _SERVICES)
    (copy / "emulator_override.tf").write_text(
        f'provider "aws" {{\n  s3_use_path_style = true\n  endpoints {{\n{endpoints}\n  }}\n}}\n'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    config = kept.get("TF_CLI_CONFIG_FILE")
    if config and not Path(config).exists():
        del kept["TF_CLI_CONFIG_FILE"]  # Terraform warns of it in every answer
    ours = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    terraform = Terraform(folder=copy, environment={**kept, **aws_variables(endpoint, folder), **ours})
    plugins = [f"-plugin-dir={kept[PLUGINS]}"] if kept.get(PLUGINS) else []
    begun = terraform.run("init", "-no-color", *plugins)
    if begun.returncode and any(words in begun.stdout for words in _NO_PROVIDER):
        pytest.skip(f"terraform finds no provider for AWS: {_HOW}")
    assert begun.returncode == 0, begun.stdout
    return terraform
