"""A workshop in, the measured rows about checks out: what somebody waits for before a merge."""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import timing
from benchmarks.manifests import Shape
from benchmarks.measures import Row
from benchmarks.timing import Measured
from benchmarks.workshop import BUCKET, Workshop
from registry_tools.intake.interface_file import read_interface_file
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.publication import Actor
from registry_tools.mesh.usage import Read, Usage
from registry_tools.registry.directory import DirectoryStore
from registry_tools.registry.publications import Candidate, Registry

_CONSUMERS: Final = 200
_READS: Final = 40
_LATENCY: Final = 0.03
_GENERATED_AT: Final = "2026-01-23T06:45:41+00:00"
_DEMO: Final = Shape(models=15, public=5)
_DIFF: Final = """
import sys, time
from pathlib import Path
from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.intake.interface_file import read_interface_file
old, new = (read_interface_file(Path(path)) for path in sys.argv[1:3])
begun = time.perf_counter()
found = classified(compare(old, new), old, new)
took = time.perf_counter() - begun
changed = sum(was.columns.keys() != now.columns.keys() for was, now in zip(old.models, new.models, strict=True))
gone = sum(one.change.rule == "column-removed" for one in found)
if not gone == changed > 0:
    sys.exit(f"{changed} models lost a column, and {gone} columns were found to be gone")
Path(sys.argv[3]).write_text(str(took))
"""


def check_rows(models: int) -> Iterator[Row]:
    """The rows; the diff is of two interfaces of so many public models."""
    yield Row(
        name="check-consumers",
        says=f"mesh check against {_CONSUMERS} consumers, {_LATENCY * 1000:.0f} ms a request, whole process",
        target=5.0,
        measure=check_consumers,
        unit=" s",
    )
    yield Row(
        name="check-demo",
        says="mesh check in a mesh of the demo's size, whole process",
        target=0.6,
        measure=check_demo,
        unit=" s",
    )
    yield Row(
        name="diff",
        says=f"compare and classify two interfaces of {models:,} models, a tenth of them changed",
        target=0.3 if models >= 10_000 else None,  # noqa: PLR2004  # the size that the target is about
        measure=partial(diff, models=models),
        unit=" s",
    )


def check_consumers(workshop: Workshop) -> Measured:
    """A candidate without a column that all of them read, against a store where each request takes its time."""
    registry = workshop.new_folder("registry")
    candidate = _published(workshop, registry, Shape(models=100), _CONSUMERS)
    endpoint = workshop.slow_store(registry, _LATENCY)
    check = partial(workshop.run, _refused(f"s3://{BUCKET}"), folder=candidate, endpoint=endpoint)
    return timing.median([_uncached(workshop, check) for _ in range(workshop.runs)])


def check_demo(workshop: Workshop) -> Measured:
    """Three consumers, as somebody checks for the second time."""
    registry = workshop.new_folder("registry")
    candidate = _published(workshop, registry, _DEMO, 3)
    check = partial(workshop.run, _refused(str(registry)), folder=candidate)
    check()
    return timing.median([timing.wall(check()) for _ in range(workshop.runs)])


def diff(workshop: Workshop, *, models: int) -> Measured:
    """Both interfaces read already; every tenth model loses a column."""
    old = workshop.manifest(Shape(models=2 * models + models // 2, public=models))
    new = workshop.new_folder("diff") / "manifest.json"
    new.write_text(_without_columns(old, every=10))
    return timing.median([_compared(workshop, old, new) for _ in range(workshop.runs)])


def _compared(workshop: Workshop, old: Path, new: Path) -> float:
    took = new.with_name("seconds")
    workshop.python("-c", _DIFF, str(old), str(new), str(took))
    return float(took.read_text())


def _refused(registry: str) -> list[str]:
    """A check that has to find what it was given to find."""
    words = [sys.executable, "-m", "registry_tools", "check", "--registry", registry]
    return ["bash", "-c", f"{shlex.join(words)}; test $? = 1"]


def _uncached(workshop: Workshop, check: partial[timing.Took]) -> float:
    shutil.rmtree(Path(workshop.environment["HOME"], ".cache/dbt-mesh"), ignore_errors=True)
    return timing.wall(check())


def _published(workshop: Workshop, registry: Path, shape: Shape, consumers: int) -> Path:
    """A registry with one upstream and so many consumers of it; and the upstream's folder with a column less."""
    project = workshop.project(shape)
    workshop.mesh("publish", "--env", "prod", "--registry", str(registry), folder=project)
    interface = read_interface_file(project / "target/manifest.json")
    store = Registry(DirectoryStore(registry))
    for number in range(consumers):
        store.publish(_consumer(f"consumer_{number}", interface), lambda _record: None)
    candidate = workshop.new_folder("candidate")
    (candidate / "target").mkdir()
    (candidate / "dbt_project.yml").write_text(f"name: {shape.project}\n")
    (candidate / "target/manifest.json").write_text(_without_columns(project / "target/manifest.json", every=5))
    return candidate


def _consumer(name: str, upstream: Interface) -> Candidate:
    reads = tuple(
        Read(
            upstream=upstream.project,
            model=model.name,
            version="" if model.version is None else str(model.version),
            node=f"model.{name}.reader_{number}",
            via="source",
            columns=tuple(sorted(model.columns)),
            lines=tuple(range(1, len(model.columns) + 1)),
            path=f"models/marts/reader_{number}.sql",
            line=1,
        )
        for number in range(_READS)
        for model in [upstream.models[number % len(upstream.models)]]
    )
    return Candidate(
        project=name,
        environment="prod",
        id="20260123T064541Z-0123456789ab",
        generated_at=_GENERATED_AT,
        interface=Interface(project=name, adapter=upstream.adapter),
        usage=Usage(project=name, reads=tuple(sorted(reads))),
        state=None,
        actor=Actor(),
        time=_GENERATED_AT,
    )


def _without_columns(manifest: Path, *, every: int) -> str:
    document = json.loads(manifest.read_bytes())
    public = [node for node in document["nodes"].values() if node.get("access") == "public"]
    for node in public[::every]:
        node["columns"].popitem()
    return json.dumps(document)
