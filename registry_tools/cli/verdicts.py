"""A verdict in, the report that was asked for on standard output out; its exit code."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Final

import click

from registry_tools.artifacts.verdict_document import verdict_document
from registry_tools.artifacts.verdict_github import verdict_annotations
from registry_tools.artifacts.verdict_markdown import verdict_markdown
from registry_tools.artifacts.verdict_sarif import verdict_sarif
from registry_tools.artifacts.verdict_text import Style, verdict_text
from registry_tools.cli.output import show_json
from registry_tools.mesh.use import Place
from registry_tools.mesh.verdict import Verdict

FORMATS: Final = ("text", "json", "markdown", "github", "sarif")
_STYLES: Final[Mapping[Style, Mapping[str, object]]] = {
    "strong": {"bold": True},
    "quiet": {"dim": True},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "note": {"fg": "cyan"},
    "good": {"fg": "green"},
}


def show_verdict(
    verdict: Verdict, form: str, places: Mapping[str, Place], project_dir: Path, *, verbose: bool = False
) -> int:
    """Print the verdict; 1 where it is not yes."""
    match form:
        case "json":
            show_json(verdict_document(verdict))
        case "markdown":
            click.echo(verdict_markdown(verdict), nl=False)
        case "github":
            click.echo(verdict_annotations(verdict, places, folder_of(project_dir)), nl=False)
        case "sarif":
            show_json(verdict_sarif(verdict, places, folder_of(project_dir)))
        case _:
            for line in verdict_text(verdict, verbose=verbose):
                click.echo("".join(click.style(part.text, **_STYLES.get(part.style, {})) for part in line))  # type: ignore[arg-type]  # click's keywords
    return 0 if verdict.answer == "yes" else 1


def folder_of(project_dir: Path) -> PurePath:
    """The project's folder as GitHub names files: from the checkout's root, else from here."""
    root = os.environ.get("GITHUB_WORKSPACE") or Path.cwd()
    return PurePath(os.path.relpath(project_dir.resolve(), Path(root).resolve()))
