"""`mesh diff`: two selectors or files in, what changed between their interfaces out."""

import os
from pathlib import Path
from typing import Any

import click

from registry_tools.artifacts.change_report import change_document, change_markdown
from registry_tools.cli.changes import show_changes
from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.opening import open_from, selected
from registry_tools.cli.options import flags, project_option, registry_options
from registry_tools.cli.output import show_json
from registry_tools.errors import UsageError
from registry_tools.intake.project import read_project
from registry_tools.mesh.selector import FORMS, Selector
from registry_tools.tasks.compare_interfaces import Compared, compare_interfaces


@click.command("diff", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("old", metavar="[A", required=False)
@click.argument("new", metavar="[B]]", required=False)
@registry_options
@project_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="For people, for programs, or for a comment.",
)
@at_the_edge
def command(old: str | None, new: str | None, project_dir: Path, form: str, **options: Any) -> int:  # noqa: ANN401  # click's
    """Show what changed from A to B; exit 1 when anything did.

    Each is PROJECT@ENV, PROJECT@ENV#42, PROJECT@ENV!sha256:..., PROJECT@ENV@2026-11-01 (what readers had then), or the
    path of a manifest.json. Without B, the manifest that dbt wrote in this project: what publishing it would change.
    Without A, this project's prod.
    """
    where = flags(options)
    compared = compare_interfaces(
        selected(None, project_dir) if old is None else _side(old, project_dir),
        read_project(project_dir, os.environ) if new is None else _side(new, project_dir),
        lambda: open_from(where, project_dir).registry,
    )
    _show(compared, form)
    return 1 if compared.changes else 0


def _side(text: str, folder: Path) -> Selector | Path:
    """A path has a slash or ends in .json; no selector does."""
    if not text:
        raise UsageError("one side is empty", then=f"write {FORMS}, or the path of a manifest.json")
    return Path(text) if "/" in text or os.sep in text or text.endswith(".json") else selected(text, folder)


def _show(compared: Compared, form: str) -> None:
    heading = f"{compared.old} -> {compared.new}"
    if form == "json":
        show_json(change_document(compared.changes, compared.old, compared.new))
    elif form == "markdown":
        click.echo(change_markdown(compared.changes, heading), nl=False)
    else:
        show_changes(compared.changes, heading)
