"""A workshop in, one measured row of the table out: each function is one row, and says what it is held against."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks import timing
from benchmarks.manifests import Shape
from benchmarks.timing import Measured, Took, paired, ratio
from benchmarks.workshop import BUCKET, Workshop, tool

if TYPE_CHECKING:
    from pathlib import Path

_EXTRACT: Final = """
import sys
from pathlib import Path
from registry_tools.intake.manifest import read_manifest
from registry_tools.intake.public_interface import extract_interface
extract_interface(read_manifest(Path(sys.argv[1])))
"""
_LOAD: Final = "import json, sys; json.load(open(sys.argv[1], 'rb'))"
_HEAD: Final = "import boto3, sys; boto3.client('s3').head_object(Bucket=sys.argv[1], Key=sys.argv[2])"
_ZSTD: Final = "import sys, zstandard as z; z.ZstdCompressor(3).copy_stream(open(sys.argv[1], 'rb'), sys.stdout.buffer)"
_LATENCY: Final = 0.03
_UPSTREAMS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table. Without a target it is measured for information: the design promises nothing there."""

    name: str
    says: str
    target: float | None
    measure: Callable[[Workshop], Measured]
    unit: str = ""


def rows(counts: list[int]) -> Iterator[Row]:
    """The rows for manifests of so many models; what is measured at one size alone takes the largest."""
    for models in counts:
        yield Row(
            name=f"extract-{models}",
            says=f"extract the interface / json.load, {models:,} models, cpu",
            target=_promised({1_000: 0.35, 10_000: 0.10}, models),
            measure=partial(extraction, shape=Shape(models=models)),
        )
    largest = Shape(models=max(counts))
    size = f"{largest.models:,} models"
    yield Row(
        name="extract-memory",
        says=f"extract the interface: peak memory / size of the file, {size}",
        target=_promised({10_000: 1.3}, largest.models),
        measure=partial(extraction_memory, shape=largest),
    )
    for place, publish in (("directory", publish_to_directory), ("s3", publish_to_s3)):
        yield Row(
            name=f"publish-{place}",
            says=f"publish to a {place} / sha256sum; zstd -3; put, {size}",
            target=_promised({10_000: 1.2}, largest.models),
            measure=partial(publish, shape=largest),
        )
    yield Row(
        name="sync-unchanged",
        says="sync, nothing changed / one HEAD by boto3 in a fresh process",
        target=0.6,
        measure=partial(sync_unchanged, head=_head_by_boto3),
    )
    yield Row(
        name="sync-unchanged-cli",
        says="sync, nothing changed / aws s3api head-object",
        target=0.6,
        measure=partial(sync_unchanged, head=_head_by_cli),
    )
    yield Row(
        name="sync-upstreams",
        says=f"sync of {_UPSTREAMS} upstreams / of 1, {_LATENCY * 1000:.0f} ms a request",
        target=1.5,
        measure=sync_upstreams,
    )
    yield Row(
        name="sources-yaml",
        says="write sources YAML / PyYAML CSafeDumper, 1,000 public models, cpu",
        target=0.2,
        measure=sources_writing,
    )
    yield Row(name="help", says="mesh --help", target=0.15, measure=help_text, unit=" s")


def _promised(targets: Mapping[int, float], models: int) -> float | None:
    """The target of the largest promised size that `models` reaches; smaller manifests have none."""
    return next((targets[size] for size in sorted(targets, reverse=True) if models >= size), None)


# -- reading a manifest -----------------------------------------------------------------------------------------------


def extraction(workshop: Workshop, *, shape: Shape) -> Measured:
    """From the file to the interface, against what anybody does first; whole processes, imports included."""
    file = str(workshop.manifest(shape))
    ours, theirs = partial(workshop.python, "-c", _EXTRACT, file), partial(workshop.python, "-c", _LOAD, file)
    return ratio(paired(ours, theirs, runs=workshop.runs), timing.cpu)


def extraction_memory(workshop: Workshop, *, shape: Shape) -> Measured:
    """The largest resident size of the whole process, against the bytes of the file."""
    file = workshop.manifest(shape)
    size = file.stat().st_size / (1 << 20)
    peaks = [timing.peak(workshop.python("-c", _EXTRACT, str(file))) for _ in range(workshop.runs)]
    middle = timing.median([peak / size for peak in peaks])
    return Measured(value=middle.value, noise=middle.noise, detail=f"{middle.value * size:.0f} / {size:.0f} MiB")


# -- publishing -------------------------------------------------------------------------------------------------------


def publish_to_directory(workshop: Workshop, *, shape: Shape) -> Measured:
    """Into a new directory registry, against the same bytes hashed, packed and put on the disk to stay."""
    project = workshop.project(shape)

    def ours() -> Took:
        registry = workshop.new_folder("registry")
        took = workshop.mesh("publish", "--env", "prod", "--registry", str(registry), folder=project)
        shutil.rmtree(registry)
        return took

    return ratio(paired(ours, partial(_by_hand, workshop, project, _TO_DISK), runs=workshop.runs), timing.wall)


def publish_to_s3(workshop: Workshop, *, shape: Shape) -> Measured:
    """Into a new prefix of the local S3, against the same bytes hashed, packed and sent there by curl."""
    project, endpoint = workshop.project(shape), workshop.local_s3()

    def ours() -> Took:
        registry = f"s3://{BUCKET}/{workshop.new_folder('prefix').name}"
        return workshop.mesh("publish", "--env", "prod", "--registry", registry, folder=project, endpoint=endpoint)

    send = f"{tool('curl')} --silent --fail --upload-file {{packed}} {endpoint}/{BUCKET}/{{name}}"
    return ratio(paired(ours, partial(_by_hand, workshop, project, send), runs=workshop.runs), timing.wall)


_TO_DISK: Final = "dd if={packed} of={packed}.there bs=1M conv=fsync status=none"


def _by_hand(workshop: Workshop, project: "Path", put: str) -> Took:
    folder = workshop.new_folder("by_hand")
    manifest, packed = shlex.quote(str(project / "target/manifest.json")), shlex.quote(str(folder / "packed"))
    pack = "zstd -3 --quiet --stdout" if shutil.which("zstd") else f"python3 -c {shlex.quote(_ZSTD)}"
    steps = (
        f"{tool('sha256sum')} {manifest} > {packed}.sha256",
        f"{pack} {manifest} > {packed}",
        put.format(packed=packed, name=folder.name),
    )
    took = workshop.run(["/bin/sh", "-ec", "; ".join(steps)])
    shutil.rmtree(folder)
    return took


# -- syncing ----------------------------------------------------------------------------------------------------------


def sync_unchanged(workshop: Workshop, *, head: Callable[[str], list[str]]) -> Measured:
    """A consumer that has published itself and reads one upstream with 100 public models, all as it was."""
    endpoint, root = workshop.local_s3(), f"s3://{BUCKET}/{workshop.new_folder('prefix').name}"
    upstream, own = Shape(models=1_000), Shape(models=100, project="downstream", public=0)
    for shape in (upstream, own):
        project = workshop.project(shape)
        workshop.mesh("publish", "--env", "prod", "--registry", root, folder=project, endpoint=endpoint)
    consumer = _consumer(workshop, "downstream", [upstream.project])
    key = f"{root.rsplit('/', 1)[-1]}/{upstream.project}/prod/latest/manifest.json"
    ours = partial(workshop.mesh, "sync", "--env", "prod", "--registry", root, folder=consumer, endpoint=endpoint)
    theirs = partial(workshop.run, head(key), endpoint=endpoint)
    return ratio(paired(ours, theirs, runs=workshop.runs), timing.wall)


def _head_by_boto3(key: str) -> list[str]:
    return [sys.executable, "-c", _HEAD, BUCKET, key]


def _head_by_cli(key: str) -> list[str]:
    return [tool("aws"), "s3api", "head-object", "--bucket", BUCKET, "--key", key]


def sync_upstreams(workshop: Workshop) -> Measured:
    """Ten upstreams against one, where each request takes its time: what is read at once costs no more."""
    registry = workshop.new_folder("registry")
    upstreams = [f"upstream_{number}" for number in range(_UPSTREAMS)]
    for name in upstreams:
        project = workshop.project(Shape(models=100, project=name))
        workshop.mesh("publish", "--env", "prod", "--registry", str(registry), folder=project)
    endpoint = workshop.slow_store(registry, _LATENCY)
    sync = partial(workshop.mesh, "sync", "--env", "prod", "--registry", f"s3://{BUCKET}", endpoint=endpoint)
    ours = partial(sync, folder=_consumer(workshop, "many", upstreams))
    theirs = partial(sync, folder=_consumer(workshop, "one", upstreams[:1]))
    return ratio(paired(ours, theirs, runs=workshop.runs), timing.wall)


def _consumer(workshop: Workshop, name: str, upstreams: list[str]) -> "Path":
    folder = workshop.new_folder(name)
    (folder / "dbt_project.yml").write_text(f"name: {name}\n")
    projects = {name: {"path": ".", "upstreams": dict.fromkeys(upstreams)}}
    (folder / "mesh.yml").write_text(json.dumps({"version": 1, "projects": projects}))
    return folder


# -- writing and starting ---------------------------------------------------------------------------------------------


def sources_writing(workshop: Workshop) -> Measured:
    """From the interface to the text, against PyYAML's C dumper with the finished document; calls in one process."""
    manifest, result = workshop.manifest(Shape(models=2_500, public=1_000)), workshop.new_folder("yaml") / "pairs.json"
    workshop.python("-m", "benchmarks.yaml_writing", str(manifest), str(workshop.runs), str(result))
    pairs = [(Took(**ours), Took(**theirs)) for ours, theirs in json.loads(result.read_text())]
    return ratio(pairs, timing.cpu)


def help_text(workshop: Workshop) -> Measured:
    """What somebody waits who asks for help."""
    workshop.mesh("--help", folder=workshop.folder)
    took = [workshop.mesh("--help", folder=workshop.folder) for _ in range(2 * workshop.runs)]
    middle = timing.median([timing.wall(each) for each in took])
    return replace(middle, detail=f"{timing.median([timing.peak(each) for each in took]).value:.0f} MiB")
