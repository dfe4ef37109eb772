"""A project's folder in, what `dbt --defer --state state` does to each node out, and why it would do nothing."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from registry_tools.checks.deferral import find_silence, standings
from registry_tools.errors import DocumentError, UsageError
from registry_tools.intake.lock_file import LOCK, read_lock
from registry_tools.intake.project import ProjectFolder
from registry_tools.intake.state_file import STATE, read_nodes
from registry_tools.mesh.deferral import Nodes, Standing
from registry_tools.mesh.observation import Observation


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """The state, what becomes of each node that was asked about, and what is wrong. `built` is None where the project
    has no manifest of today, so that nothing can be said of what is new.
    """

    path: Path
    state: Nodes
    built: Path | None
    standings: tuple[Standing, ...]
    findings: tuple[Observation, ...]


def explain_state(project: ProjectFolder, select: str | None = None) -> Explained:
    """What the state does to every node of target/manifest.json, or to `select` and what it reads.

    Raises DocumentError when there is no state, or target/ holds another project, and UsageError when nothing is
    called `select`.
    """
    path = project.path / STATE
    state = read_nodes(path, noun="the state for --defer", then="run mesh sync, which writes it")
    today = _today(project)
    pins = read_lock(project.path / LOCK).pins
    found = tuple(standings(today, state, pins))
    shown = _selected(found, today or state, select) if select else found
    return Explained(
        path=path,
        state=state,
        built=project.manifest if today else None,
        standings=shown,
        findings=tuple(find_silence(project.name, today, state, shown, pins)),
    )


def _today(project: ProjectFolder) -> Nodes | None:
    if not project.manifest.exists():
        return None
    today = read_nodes(project.manifest, noun="the dbt manifest", then="run dbt parse")
    if today.project not in (project.name, None):
        raise DocumentError(
            f"this is the manifest of {today.project}, not of {project.name}",
            where=str(project.manifest),
            then="run dbt parse in this folder",
        )
    return today


def _selected(found: tuple[Standing, ...], nodes: Nodes, select: str) -> tuple[Standing, ...]:
    """What is called `select`, by name, by name and version, or by unique_id, and what it reads directly."""
    there = {**nodes.nodes, **nodes.sources}
    chosen = {unique_id for unique_id, node in there.items() if select in (unique_id, *node.names)}
    if not chosen:
        near = difflib.get_close_matches(select, [node.label for node in there.values()], n=1)
        then = f"did you mean {near[0]}?" if near else "write a node's name as dbt ls has it"
        raise UsageError(f"nothing is called {select!r}", where="--select", then=then)
    read = {parent for unique_id in chosen for parent in there[unique_id].depends_on.nodes}
    return tuple(standing for standing in found if standing.unique_id in chosen | read)
