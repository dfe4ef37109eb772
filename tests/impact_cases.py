"""A folder of tests/cases/impacts in, the verdict out: the whole way of a check but for the registry."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from registry_tools.checks.classes import classified
from registry_tools.checks.comparison import compare
from registry_tools.checks.decision import Question, decide
from registry_tools.checks.impact import impacts
from registry_tools.checks.modes import Modes
from registry_tools.checks.readership import Consumption, Failure, Readership
from registry_tools.intake.interface_file import read_interface_file
from registry_tools.intake.sql.query import read_query
from registry_tools.intake.sql.reading import Shape, TableReading
from registry_tools.mesh.interface import Interface
from registry_tools.mesh.public_model import PublicModel
from registry_tools.mesh.publication import Approval
from registry_tools.mesh.usage import Read, Usage
from registry_tools.mesh.verdict import Verdict

FOLDER: Final = Path(__file__).parent / "cases/impacts"
CASES: Final = sorted(path.name for path in FOLDER.iterdir())
# What dbt makes of a call, as far as these files have any.
_UPSTREAM: Final = re.compile(r"\{\{ (?:ref|source)\('dbt_up', '(\w+)'(?:, v=(\w+))?\) \}\}")
_ELSEWHERE: Final = re.compile(r"\{\{ ref\((?:'\w+', )?'(\w+)'\) \}\}")
_TAG: Final = re.compile(r"\{%.*?%\}")
TODAY: Final = date(2026, 11, 21)


def verdict_of(case: str) -> Verdict:
    """What a check of `new.json` against `old.json` comes to, with the modes and approvals of `mode.yml`."""
    folder = FOLDER / case
    old, new = (read_interface_file(folder / f"{side}.json") for side in ("old", "new"))
    settings = yaml_of(folder / "mode.yml")
    readership = Readership(old, new, consumptions(folder), settings.get("publication", ""))
    return decide(
        Question(
            environment="prod",
            names=("dbt_up@prod#41", "target/manifest.json"),
            old=old,
            new=new,
            found=[(each, impacts(each, readership)) for each in classified(compare(old, new), old, new)],
            readers=readership.readers(),
            today=TODAY,
            modes=msgspec.convert({"default": settings.get("mode", "consumers")} | settings.get("modes", {}), Modes),
            approvals=msgspec.convert(settings.get("approvals", []), tuple[Approval, ...]),
            unknown=settings.get("unknown", "refuse"),
        )
    )


def consumptions(folder: Path) -> tuple[Consumption, ...]:
    """Every consumer as it stands in prod; `compiled.yml` is what came of compiling its whole SQL."""
    return tuple(map(_consumption, sorted(folder.glob("consumers/*/usage.json"))))


def _consumption(path: Path) -> Consumption:
    compiled = yaml_of(path.with_name("compiled.yml"))
    return Consumption(
        consumer=path.parent.name,
        environment="prod",
        usage=msgspec.json.decode(path.read_bytes(), type=Usage),
        failures=msgspec.convert(compiled.get("failures", []), tuple[Failure, ...]),
        verified=compiled.get("verified", False),
        why_not=compiled.get("why_not", ""),
    )


def written_reads(case: str) -> Iterator[tuple[Read, Path, Interface]]:
    """The reads of a case whose SQL stands beside them, each with that file and what it reads from."""
    old = read_interface_file(FOLDER / case / "old.json")
    for by in consumptions(FOLDER / case):
        for read in by.usage.reads:
            path = FOLDER / case / "consumers" / by.consumer / read.path
            if path.suffix == ".sql" and read.upstream == old.project:
                yield read, path, old


def read_again(read: Read, path: Path, upstream: Interface) -> Read:
    """The read as the SQL in the file tells it; whether a contract holds the node, only its project says."""
    shapes = {
        (model.name, version): Shape(table=model.label, columns=tuple(map(str.upper, model.columns)))
        for model in upstream.models
        for version in _versions(model)
    }
    sql = _UPSTREAM.sub(lambda call: f'"{call[1]}"."{call[2] or ""}".READ', path.read_text(encoding="utf-8"))
    sql = _TAG.sub("", _ELSEWHERE.sub(r"\1", sql))
    reading = read_query(sql, upstream.adapter, lambda place: shapes.get((str(place[0]), str(place[1]))))
    found = reading.tables.get(shapes[read.model, read.version].table, TableReading())
    lines = {name.lower(): line for name, line in found.columns.items()}
    held = {"output": "contract"} if "contract" in read.whole else {}
    return msgspec.structs.replace(
        read,
        columns=tuple(sorted(lines)),
        lines=tuple(lines[name] for name in sorted(lines)),
        whole=tuple(sorted(held.get(way, way) for way in found.whole)),
        taken=tuple(sorted(map(str.lower, found.taken))),
        unread=reading.unread,
        line=found.line,
    )


def _versions(model: PublicModel) -> Iterator[str]:
    """The versions by which a reader may ask for it; the latest may be asked for without one."""
    if model.version is not None:
        yield str(model.version)
    if model.is_latest:
        yield ""


def yaml_of(path: Path) -> dict[str, Any]:
    """The document in the file; empty where there is none."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
