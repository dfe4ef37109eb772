"""`mesh demo`: the whole loop on the embedded mesh, each step as it runs; then its lineage, and two pull requests."""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.local import FOLDER, describe, mesh_root, show_next
from registry_tools.cli.output import counted
from registry_tools.cli.tree import show_tree
from registry_tools.local.loop import Step, StepResult, run_loop, shielded
from registry_tools.local.pull_requests import PullRequest, pull_requests, run_pull_request
from registry_tools.local.servers import start, stop
from registry_tools.local.workspace import PROFILES, copy_mesh
from registry_tools.settings import FILE, Mesh, find_mesh, read_mesh
from registry_tools.tasks.trace_lineage import Traced, trace_lineage

WORKSPACE = ".mesh/demo"
_LAST_LINES = 40


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--keep", is_flag=True, help="Leave both servers up and say how to go on by hand.")
@at_the_edge
def command(*, keep: bool) -> int:
    """Run the whole loop on the embedded mesh: build, publish, sync, build with --defer, lineage, pull requests."""
    console = Console(highlight=False, soft_wrap=True)
    root = mesh_root()
    workspace = root / WORKSPACE
    begun = time.monotonic()
    stop(workspace / FOLDER)  # a demo that was kept, or that crashed
    copy_mesh(find_mesh(Path(), os.environ), workspace)
    mesh = read_mesh(workspace / FILE, os.environ)
    with ExitStack() as undo:
        undo.callback(stop, workspace / FOLDER)
        with console.status("starting a local Snowflake and a local S3"):
            running = start(workspace / FOLDER)
        describe(running)
        variables = running.environment() | {"DBT_PROFILES_DIR": str(workspace / PROFILES)}
        with console.status("") as status:
            results = run_loop(mesh, variables, _Screen(console, status))
        failed = [result for result in results if result.code]
        built = {result.step.project for result in results} - {result.step.project for result in failed}
        traced = _trace(mesh, console) if len(built) == len(mesh.projects) else None
        if traced is not None:
            _propose(pull_requests(root), workspace, variables, console)
        _summarise(console, mesh, built, time.monotonic() - begun)
        if keep:
            undo.pop_all()
            click.echo(f"\nThe mesh stays up; its projects are in {os.path.relpath(workspace)}.")
            show_next(running, workspace)
    return 1 if traced is None or traced.findings else 0


class _Screen:
    """Prints a line for each step that ended and keeps the running ones in a spinner; safe between threads."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console = console
        self._status = status
        self._running: list[Step] = []
        self._lock = threading.Lock()

    def started(self, step: Step) -> None:
        """See Reporter."""
        with self._lock:
            self._running.append(step)
            self._show()

    def finished(self, result: StepResult) -> None:
        """See Reporter."""
        with self._lock:
            self._running.remove(result.step)
            mark = "[red]✗[/]" if result.code else "[green]✓[/]"
            where, what = escape(result.step.project), escape(str(result.step))
            self._console.print(f"{mark} [bold]{where}[/]  {what}  [dim]{result.seconds:.1f} s[/]")
            for line in result.lines[-_LAST_LINES:]:
                self._console.print(f"    [dim]{escape(line)}[/]")
            self._show()

    def _show(self) -> None:
        self._status.update("  ".join(f"{step.project}: {step.words[0]} {step.words[1]}" for step in self._running))


def _trace(mesh: Mesh, console: Console) -> Traced:
    """Show who reads whom now, and whether that is what mesh.yml says."""
    members = [(p.name, p.path, tuple(u.name for u in p.upstreams)) for p in mesh.projects.values()]
    traced = trace_lineage(members, {})
    console.print("\n[bold]The mesh[/]")
    show_tree(traced.lineage, console)
    for finding in traced.findings:
        console.print(f"[red]{finding.rule}[/] {escape(str(finding))}")
    return traced


def _propose(proposed: Sequence[PullRequest], workspace: Path, variables: dict[str, str], console: Console) -> None:
    """Show what the mesh says of pull requests before anybody merges them."""
    for pull_request in proposed:
        what, where = escape(pull_request.name), escape(pull_request.project)
        with console.status(f"pull request: {what}"):
            result = run_pull_request(pull_request, workspace, shielded(variables))
        answer = "[red]refused[/]" if result.code else "[green]allowed[/]"
        console.print(f"\n[bold]Pull request in {where}: {what}[/]  {answer}  [dim]{result.seconds:.1f} s[/]")
        for line in result.lines[-_LAST_LINES:]:
            console.print(f"    {escape(line)}")


def _summarise(console: Console, mesh: Mesh, built: set[str], seconds: float) -> None:
    colour = "green" if len(built) == len(mesh.projects) else "red"
    told = f"{len(built)} of {counted(len(mesh.projects), 'project')} built and published in {seconds:.0f} s"
    console.print(f"\n[{colour}]{told}[/]")
