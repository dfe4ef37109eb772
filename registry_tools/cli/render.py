"""`mesh render`: mesh.yml in, the files that set its accounts up brought up to date out."""

import os
from pathlib import Path

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.options import format_option
from registry_tools.cli.output import counted, detail, done, show_json, warn
from registry_tools.errors import UsageError
from registry_tools.settings import deployment_of, find_mesh
from registry_tools.tasks.render_deployment import PARTS, render_deployment


@click.command("render", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("parts", nargs=-1, metavar="[snowflake|terraform|workflows]...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not as mesh.yml has it.")
@format_option
@at_the_edge
def command(parts: tuple[str, ...], form: str, *, check: bool) -> int:
    """Write the SQL, profiles, Terraform variables and workflows that mesh.yml describes; or only these parts."""
    for part in parts:
        if part not in PARTS:
            raise UsageError(f"{part!r} is no part of what is rendered", then=f"use one of {', '.join(PARTS)}")
    return rendered(parts, form, check=check)


def rendered(parts: tuple[str, ...], form: str, *, check: bool) -> int:
    """Render these parts of the mesh that this folder belongs to, or all that it has, and say what changed. The exit
    code.
    """
    mesh = find_mesh(Path(os.curdir), os.environ)
    deployment = deployment_of(mesh)
    absent = {"terraform": deployment.aws is None, "workflows": deployment.repository is None}
    parts = parts or tuple(part for part in PARTS if not absent.get(part))
    assert mesh.file is not None  # noqa: S101  # for the type checker: without it there is no deployment
    root = mesh.file.parent
    changes = render_deployment(deployment, root, parts, dry_run=check)
    drift = [change for change in changes if change.action != "unchanged"]
    shown = {change.path: Path(os.path.relpath(change.path, root)).as_posix() for change in changes}
    if form == "json":
        show_json({"files": [{"path": shown[change.path], "action": change.action} for change in changes]})
        return 1 if check and drift else 0
    kept = sum(change.action != "removed" for change in changes)
    if check and drift:
        beneath = [f"would be {change.action} {shown[change.path]}" for change in drift]
        warn(f"{counted(len(drift), 'file')} not as mesh.yml has it", [*beneath, "next: mesh render, and commit"])
        return 1
    done(f"{counted(kept, 'file')} of {counted(len(deployment.projects), 'project')}")
    for change in drift:
        detail(f"{change.action} {shown[change.path]}")
    if not drift:
        detail("all files were up to date")
    return 0
