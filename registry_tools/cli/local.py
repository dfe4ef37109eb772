"""`mesh local up|down|status`: the embedded mesh started, stopped or described."""

import os
import shlex
import sys
from pathlib import Path

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.output import detail, done
from registry_tools.disk import write_whole
from registry_tools.local.servers import start, status, stop
from registry_tools.local.state import EmbeddedMesh
from registry_tools.local.workspace import PROFILES
from registry_tools.settings import find_mesh

FOLDER = ".mesh/local"
EXPORTS = "env"


@click.group("local", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Start, stop or look at the embedded mesh: a local Snowflake and a local S3 on loopback ports."""


@command.command("up")
@at_the_edge
def up() -> None:
    """Start both servers, or find them running, and say how to use them. What was built persists in .mesh/."""
    root = mesh_root()
    running = start(root / FOLDER)
    describe(running)
    show_next(running, root)


@command.command("down")
@at_the_edge
def down() -> None:
    """Stop both servers, also what a crash has left. The warehouse's data stay; the bucket's do not."""
    stopped = stop(mesh_root() / FOLDER)
    done(f"stopped {' and '.join(server.name for server in stopped)}" if stopped else "nothing was running")


@command.command("status")
@at_the_edge
def show_status() -> int:
    """Say what is running. Exit 1 when it is not both servers."""
    found = status(mesh_root() / FOLDER)
    if found.mesh:
        describe(found.mesh)
        return 0
    for server in found.alive:
        detail(f"{server.name} is running (pid {server.pid}), the other one is not")
    for server in found.stale:
        detail(f"{server.name} is gone (pid {server.pid}); mesh local up starts a new pair")
    if not found.alive and not found.stale:
        detail("nothing is running; start it with mesh local up")
    return 1


def mesh_root() -> Path:
    """Where mesh.yml is, or this folder."""
    file = find_mesh(Path(), os.environ).file
    return file.parent if file else Path.cwd()


def describe(running: EmbeddedMesh) -> None:
    """One line for each server."""
    for server, stands_for in ((running.warehouse, "Snowflake"), (running.bucket, "S3")):
        done(f"local {stands_for} on 127.0.0.1:{server.port} (pid {server.pid})")


def show_next(running: EmbeddedMesh, root: Path) -> None:
    """Write the exports beside the servers' state, and print what to type to go on by hand."""
    profiles = root / PROFILES
    variables = running.environment() | ({"DBT_PROFILES_DIR": str(profiles)} if profiles.is_dir() else {})
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    # The demo may run from an environment that is not activated; what it tells people to type has to be found.
    exports.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
    file = running.home / EXPORTS
    write_whole(file, "\n".join([*exports, ""]).encode())
    project = next(iter(find_mesh(root, os.environ).projects.values()), None)
    folder = os.path.relpath(project.path if project else root)
    click.echo("\nGo on by hand:")
    detail(f"source {os.path.relpath(file)}")
    detail(f"cd {folder}")
    detail("sync_mesh && dbt build --target local --defer --state state && publish_manifest --env prod")
    click.echo("\nStop:")
    below = os.path.relpath(root)
    detail("mesh local down" if below == "." else f"mesh local down    (there, or anywhere below {below})")
