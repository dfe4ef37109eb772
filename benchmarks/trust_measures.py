"""A workshop in, what trust costs out: digests, durability and the log, each held against doing without it.

Nothing is promised here: the rows are for whoever asks what is paid for a registry that can be believed.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from benchmarks import timing
from benchmarks.manifests import Shape
from benchmarks.measures import Row
from benchmarks.timing import Measured, Took, paired, ratio
from benchmarks.workshop import BUCKET, Workshop

_PACK: Final = """
import hashlib, sys
from pathlib import Path
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.own_state import state_pieces
from registry_tools.registry.packing import packed
manifest = read_manifest(Path(sys.argv[1]))
state = packed(state_pieces(manifest))
if sys.argv[2] == "digests":
    print(manifest.sha256, hashlib.sha256(state).hexdigest())
"""
_PUTS: Final = """
import os, sys
from pathlib import Path
from registry_tools.registry.directory import DirectoryStore
if sys.argv[2] == "careless":
    os.fsync = lambda handle: None
store = DirectoryStore(Path(sys.argv[1]))
for number in range(20):
    store.create(f"folder/{number}", bytes(1 << 19))
"""
_BARE: Final = """
import sys
from pathlib import Path
import msgspec
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.own_state import state_pieces
from registry_tools.intake.public_interface import extract_interface
from registry_tools.intake.usage import extract_usage
from registry_tools.registry.location import open_registry
from registry_tools.registry.packing import packed
manifest = read_manifest(Path(sys.argv[1]))
files = {
    "manifest.json": msgspec.json.encode(extract_interface(manifest).to_manifest({})),
    "usage.json.zst": packed([msgspec.json.encode(extract_usage(manifest))]),
    "state.json.zst": packed(state_pieces(manifest)),
}
store = open_registry(sys.argv[2]).store
for name, content in files.items():
    store.create(name, content)
"""
_SMALL: Final = 100


def trust_rows(models: int) -> Iterator[Row]:
    """The rows without a target; digests are measured on the largest manifest."""
    yield Row(
        name="trust-digests",
        says=f"read and pack a manifest with its digests / without, {models:,} models, cpu",
        target=None,
        measure=partial(digests, shape=Shape(models=models)),
    )
    yield Row(
        name="trust-fsync",
        says="put 20 files of 512 KiB into a directory to stay / without fsync",
        target=None,
        measure=durability,
    )
    for place, measure in (("directory", log_in_directory), ("s3", log_on_s3)):
        yield Row(
            name=f"trust-log-{place}",
            says=f"publish to a {place} / the same three files put bare, {_SMALL} models",
            target=None,
            measure=measure,
        )


def digests(workshop: Workshop, *, shape: Shape) -> Measured:
    """The sha256 of the manifest and of its packed state, over reading, cleaning and packing alone."""
    pack = partial(workshop.python, "-c", _PACK, str(workshop.manifest(shape)))
    return ratio(paired(partial(pack, "digests"), partial(pack, "none"), runs=workshop.runs), timing.cpu)


def durability(workshop: Workshop) -> Measured:
    """Files and names brought to the disk one by one, over leaving that to the system."""

    def put(how: str) -> Took:
        folder = workshop.new_folder("puts")
        took = workshop.python("-c", _PUTS, str(folder), how)
        shutil.rmtree(folder)
        return took

    return ratio(paired(partial(put, "durable"), partial(put, "careless"), runs=workshop.runs), timing.wall)


def log_in_directory(workshop: Workshop) -> Measured:
    """Looking for the newest record, the record itself, the plain readers' copy: over three puts; whole processes."""
    return _log(workshop, lambda: str(workshop.new_folder("registry")), None)


def log_on_s3(workshop: Workshop) -> Measured:
    """The same on the local S3, where every request has its price."""
    return _log(workshop, lambda: f"s3://{BUCKET}/{workshop.new_folder('prefix').name}", workshop.local_s3())


def _log(workshop: Workshop, root: Callable[[], str], endpoint: str | None) -> Measured:
    project = workshop.project(Shape(models=_SMALL))
    manifest = str(project / "target/manifest.json")

    def ours() -> Took:
        return workshop.mesh("publish", "--env", "prod", "--registry", root(), folder=project, endpoint=endpoint)

    def bare() -> Took:
        return workshop.python("-c", _BARE, manifest, root(), folder=project, endpoint=endpoint)

    return ratio(paired(ours, bare, runs=workshop.runs), timing.wall)
