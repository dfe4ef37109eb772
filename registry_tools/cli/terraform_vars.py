"""`mesh terraform-vars`: mesh.yml in, the variables of aws_setup/ brought up to date out."""

import os
from dataclasses import replace
from pathlib import Path

import click

from registry_tools.artifacts.files import write_files
from registry_tools.artifacts.terraform_vars import terraform_variables
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.output import counted, detail, done, warn
from registry_tools.settings import deployment_of, find_mesh


@click.command("terraform-vars", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: aws_setup/mesh.auto.tfvars.json beside mesh.yml]",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is not as mesh.yml has it.")
@at_the_edge
def command(output: Path | None, *, check: bool) -> int:
    """Write the Terraform variables that mesh.yml comes to: the bucket, each project's role, and who reads whom."""
    mesh = find_mesh(Path(os.curdir), os.environ)
    deployment = deployment_of(mesh)
    root = mesh.file.parent if mesh.file else Path()
    planned = [replace(file, path=output or root / file.path) for file in terraform_variables(deployment)]
    (change,) = write_files(planned, (), dry_run=check)
    shown = Path(os.path.relpath(change.path)).as_posix()
    if check and change.action != "unchanged":
        warn(f"{shown} is not as mesh.yml has it", ["next: mesh terraform-vars, and commit"])
        return 1
    done(f"{shown}: {counted(len(deployment.projects), 'project')}")
    if change.action == "unchanged":
        detail("it was up to date")
    return 0
