"""A workshop in, what real dbt takes to parse a consumer of a large upstream out: with our interface and without."""

import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks import timing
from benchmarks.manifests import Shape, public_names_of
from benchmarks.measures import Row
from benchmarks.timing import Measured, Took, paired, ratio
from benchmarks.workshop import NotMeasurableError, Workshop

_CONSUMER: Final = "downstream"
_MODELS: Final = 20
_PROJECT: Final = """
name: downstream
version: "1.0"
profile: downstream
flags: {send_anonymous_usage_stats: false}
"""
_PROFILE: Final = """
downstream:
  target: prod
  outputs:
    prod: {type: snowflake, account: a, user: u, password: p, role: R, warehouse: W, database: DOWN, schema: S}
"""
_MESH: Final = """
version: 1
projects:
  downstream: {path: ., upstreams: {upstream: {as: loom}}}
"""
_LOOM: Final = """
enable_telemetry: false
manifests:
  - {name: upstream, type: file, config: {path: FILE}}
"""

Pairs = list[tuple[Took, Took]]


def dbt_rows(small: int, large: int) -> Iterator[Row]:
    """The rows that need dbt-core and dbt-loom."""
    parses = _Parses(small, large)
    against = f"loom on our interface / on the full manifest, {large:,} models"
    for name, target in (("cold", 0.25), ("warm", 0.22)):
        yield _row(f"dbt-{name}", f"dbt parse, {name}: {against}, cpu", target, parses.ours_to_full, name, timing.cpu)
    yield _row("dbt-memory", f"dbt parse, cold: {against}, peak", 0.25, parses.ours_to_full, "cold", timing.peak)
    grown = f"upstream of {small:,} -> {large:,} models, same public ones"
    for name in ("cold", "warm"):
        yield _row(f"dbt-growth-{name}", f"dbt parse, {name}: {grown}, cpu", 1.05, parses.grown, name, timing.cpu)
    yield _row("dbt-growth-memory", f"dbt parse, cold: {grown}, peak", 1.05, parses.grown, "cold", timing.peak)


def _row(
    name: str,
    says: str,
    target: float,
    pairs: Callable[[Workshop, str], Pairs],
    temperature: str,
    of: Callable[[Took], float],
) -> Row:
    def measure(workshop: Workshop) -> Measured:
        return ratio(pairs(workshop, temperature), of)

    return Row(name=name, says=says, target=target, measure=measure)


class _Parses:
    """Each pair of parses is run once, for its cpu and its memory."""

    def __init__(self, small: int, large: int) -> None:
        self._small = small
        self._large = large
        self._done: dict[tuple[str, str], Pairs] = {}

    def ours_to_full(self, workshop: Workshop, temperature: str) -> Pairs:
        """Our interface of the large upstream, against its whole manifest."""
        upstream = Shape(models=self._large)
        make = (partial(_on_interface, workshop, upstream), partial(_on_manifest, workshop, upstream))
        return self._pairs("ours_to_full", workshop, temperature, make)

    def grown(self, workshop: Workshop, temperature: str) -> Pairs:
        """Our interface of the large upstream, against that of the small one with the same public models."""
        public = Shape(models=self._small).public_names
        large, small = (Shape(models=models, public=public) for models in (self._large, self._small))
        make = (partial(_on_interface, workshop, large), partial(_on_interface, workshop, small))
        return self._pairs("grown", workshop, temperature, make)

    def _pairs(
        self, what: str, workshop: Workshop, temperature: str, make: tuple[Callable[[], Path], Callable[[], Path]]
    ) -> Pairs:
        if find_spec("dbt_loom") is None:
            raise NotMeasurableError("dbt-loom is not installed (pip install 'registry-tools[local]')")
        if (what, temperature) not in self._done:
            ours, theirs = (partial(_parse, workshop, each(), temperature) for each in make)
            self._done[what, temperature] = paired(ours, theirs, runs=workshop.runs)
        return self._done[what, temperature]


def _parse(workshop: Workshop, project: Path, temperature: str) -> Took:
    """`dbt parse`, with nothing parsed before (cold) or with nothing changed since (warm; paired() warms it up)."""
    if temperature == "cold":
        shutil.rmtree(project / "target", ignore_errors=True)
    dbt = str(Path(sys.executable).with_name("dbt"))
    return workshop.run([dbt, "--quiet", "parse", "--profiles-dir", "."], folder=project)


def _on_interface(workshop: Workshop, upstream: Shape) -> Path:
    """A consumer as `mesh sync` leaves it."""
    project, registry = _consumer(workshop, upstream), workshop.new_folder("registry")
    (project / "mesh.yml").write_text(_MESH)
    workshop.mesh(
        "publish", "--env", "prod", "--registry", str(registry), "--no-state", folder=workshop.project(upstream)
    )
    workshop.mesh("sync", "--env", "prod", "--registry", str(registry), folder=project)
    return project


def _on_manifest(workshop: Workshop, upstream: Shape) -> Path:
    """A consumer as dbt-loom's README has it."""
    project = _consumer(workshop, upstream)
    (project / "dbt_loom.config.yml").write_text(_LOOM.replace("FILE", str(workshop.manifest(upstream))))
    return project


def _consumer(workshop: Workshop, upstream: Shape) -> Path:
    """Twenty models, ten of which read one public model each."""
    project = workshop.new_folder(_CONSUMER)
    (project / "dbt_project.yml").write_text(_PROJECT)
    (project / "profiles.yml").write_text(_PROFILE)
    (project / "models").mkdir()
    names = public_names_of(upstream)
    for number in range(_MODELS):
        read = f"ref('{upstream.project}', '{names[number % len(names)]}')" if number % 2 else "ref('model_00')"
        sql = f"select * from {{{{ {read} }}}}" if number else "select 1 as id"  # noqa: S608  # a file for dbt parse
        (project / "models" / f"model_{number:02d}.sql").write_text(sql)
    return project
