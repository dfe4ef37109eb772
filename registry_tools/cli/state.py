"""`mesh state`: a project's folder in, what --defer reads from where out, and a warning where it would do nothing."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.options import format_option, project_option
from registry_tools.cli.output import counted, detail, done, show_json, warn
from registry_tools.intake.project import ProjectFolder, read_project
from registry_tools.mesh.deferral import DEFERRABLE, Standing
from registry_tools.tasks.explain_state import Explained, explain_state

_RULE: Final = "--defer reads these unless they stand in your target; --favor-state unless they are selected:"
_HEADINGS: Final = {
    "defers": _RULE,
    "new": "not in the state, so they have to be built before they are read:",
    "never": "never deferred:",
}


@click.command("state", context_settings={"help_option_names": ["-h", "--help"]})
@project_option
@click.option("--select", metavar="NAME", help="This node and what it reads, by name or unique_id.")
@format_option
@at_the_edge
def command(project_dir: Path, select: str | None, form: str) -> int:
    """Say what `dbt --defer --state state` does to each node of this project.

    It reads state/manifest.json, target/manifest.json and mesh.lock, and asks no registry. Exit 1 where dbt would
    silently defer nothing, or to somewhere that is out of date.
    """
    project = read_project(project_dir, os.environ)
    explained = explain_state(project, select)
    if form == "json":
        show_json(_document(explained))
    else:
        _show(explained, project)
    return 1 if explained.findings else 0


def _show(explained: Explained, project: ProjectFolder) -> None:
    state = explained.state
    done(f"state/manifest.json is {state.project or 'nobody'}'s, {_whence(explained)}")
    if explained.built is None:
        detail(f"no {project.manifest}: the state's own nodes are shown; dbt parse, and it is said what is new")
    for fate, heading in _HEADINGS.items():
        named = [standing for standing in explained.standings if standing.fate == fate and _is_named(standing)]
        if named:
            detail(heading)
            _table(named)
    for kind, count in sorted(Counter(s.kind for s in explained.standings if not _is_named(s)).items()):
        detail(f"{counted(count, kind.replace('_', ' '))}: nothing refers to them, so nothing is deferred")
    for finding in explained.findings:
        warn(f"{finding.what}; {finding.then}")


def _whence(explained: Explained) -> str:
    origin = explained.state.origin
    if origin is None:
        at = explained.state.generated_at
        return f"built at {at}; it does not say from which publication" if at else "and does not say where it is from"
    if origin.publication is None:
        return "before its first publication with a state: upstream nodes alone"
    return f"from {origin.publication}"


def _is_named(standing: Standing) -> bool:
    return standing.kind in (*DEFERRABLE, "source")


def _table(rows: Iterable[Standing]) -> None:
    told = [(standing.label, _where(standing)) for standing in rows]
    width = max(len(label) for label, _ in told)
    for label, where in told:
        detail(f"  {label:<{width}}  {where}".rstrip())


def _where(standing: Standing) -> str:
    if standing.fate == "defers":
        return f"{standing.deferred}{'' if standing.is_moved else '  (as in your target)'}"
    return standing.why or standing.target or ""


def _document(explained: Explained) -> dict[str, Any]:
    state = explained.state
    return {
        "state": str(explained.path),
        "project": state.project,
        "adapter": state.adapter,
        "generated_at": state.generated_at,
        "publication": state.origin.publication if state.origin else None,
        "compared_with": str(explained.built) if explained.built else None,
        "nodes": [
            {
                "unique_id": standing.unique_id,
                "kind": standing.kind,
                "fate": standing.fate,
                "deferred": standing.deferred,
                "target": standing.target,
                "effect": standing.effect,
            }
            for standing in explained.standings
        ],
        "findings": [{"check": f.check, "message": f.what, "next": f.then} for f in explained.findings],
    }
