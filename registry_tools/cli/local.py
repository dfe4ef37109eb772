"""`mesh local up|down|status|sample-data`: the embedded mesh started, stopped or described, and fed."""

import os
import shlex
import sys
from collections import Counter
from pathlib import Path

import click

from registry_tools.cli.edge import at_the_edge
from registry_tools.cli.output import counted, detail, done, progress
from registry_tools.disk import write_whole
from registry_tools.errors import UsageError
from registry_tools.local.landing import local_files
from registry_tools.local.sample_data import FORMATS, Folder, Landing, Place, sample_files
from registry_tools.local.servers import start, status, stop
from registry_tools.local.state import BUCKET, LANDING, EmbeddedMesh
from registry_tools.local.workspace import PROFILES
from registry_tools.settings import find_mesh

FOLDER = ".mesh/local"
EXPORTS = "env"
SAMPLE_DATA = ".mesh/sample_data"


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


@command.command("sample-data")
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The same seed makes the same files.")
@click.option("--rows", type=click.IntRange(min=1), required=True, help="At least so many rows, in whole deliveries.")
@click.option(
    "--format", "form", type=click.Choice([*FORMATS, "both"]), help="[default: both, and parquet to the landing]"
)
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help=f"A folder.  [default: {SAMPLE_DATA}]")
@click.option("--to-landing", is_flag=True, help="Put them into the local S3, for dbt run-operation load_raw.")
@at_the_edge
def sample_data(*, seed: int, rows: int, form: str | None, output: Path | None, to_landing: bool) -> None:
    """Write raw files of a shop, as untidy as real loads: customers, products, orders, their items, payments.

    More rows of a seed are the same files and further ones, and no file that is there is written over. CSV is the
    same bytes on every machine, parquet wherever pyarrow has the same version.
    """
    if to_landing and (output or form == "both"):
        other = "--output" if output else "--format both"
        raise UsageError(
            f"--to-landing and {other} exclude each other: what lands is loaded", then=f"leave out {other}"
        )
    root = mesh_root()
    folder = output or root / SAMPLE_DATA
    place: Place = Landing(files=local_files(root / FOLDER), prefix=LANDING) if to_landing else Folder(path=folder)
    formats = FORMATS if form == "both" or (form is None and not to_landing) else (form or "parquet",)
    files, held, new = Counter[str](), Counter[str](), 0
    with progress("rows") as told:
        for file in sample_files(seed, rows, formats):
            files[file.table] += 1
            held[file.table] += file.rows
            new += place.put(file)
            told(min(held.total() // len(formats), rows), rows)
    where = f"s3://{BUCKET}/{LANDING}" if to_landing else os.path.relpath(folder)
    done(f"{counted(new, 'new file')} of {files.total()} in {where}")
    for table, total in held.items():
        detail(f"{table}  {total // len(formats):,} rows in {counted(files[table], 'file')}")


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
